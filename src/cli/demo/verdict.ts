/** What the demo says of what it found out. */
import { EXIT } from '../exit-codes.js';
import type { Findings } from './killed.js';
import type { Heard } from './spread.js';
import type { Verdict } from './story.js';

/** What fuses into one sound, and far more than it takes on a machine that has time. Microseconds. */
const TOGETHER_US = 1_000;

/** Says what came of it. */
export function verdictOn(findings: Findings): Verdict {
  const { killed, before, through, after, opinionUs, missing, underruns } = findings;
  const own = opinionUs === null ? '' : ` (The nodes themselves say ${shownUs(opinionUs)}.)`;
  const sentences = [
    `Measured at the cards: all rooms ${heardText(before)}.${own}`,
    `While ${killed} was dead the others ${through.faulty.length === 0 ? 'missed no sample, ' : ''}${heardText(through)}.`,
    missing.length === 0
      ? 'Nothing that was answered is lost: every node has the whole library and queue.'
      : `LOST although it was answered: ${missing.join(', ')}.`,
    `With ${killed} back: all rooms ${heardText(after)}.`,
  ];
  const heard = [before, through, after];
  const isHeard = heard.every(({ faulty }) => faulty.length === 0) && before.spread !== null && after.spread !== null;
  const isTogether = heard.every(({ spread }) => (spread?.maxUs ?? 0) <= TOGETHER_US);
  if (isHeard && isTogether && missing.length === 0) {
    return { exitCode: EXIT.ok, text: sentences.join('\n'), figures: findings };
  }
  const isBusy = missing.length === 0 && underruns > 0;
  const closing = isBusy
    ? `This machine was too busy: cards ran dry ${underruns} times.`
    : 'That is a fault of Tutti, please report it.';
  return {
    exitCode: isBusy ? EXIT.world : EXIT.internal,
    text: [...sentences, closing].join('\n'),
    figures: findings,
  };
}

function heardText({ faulty, spread }: Heard): string {
  if (faulty.length > 0) return `NOT heard without a gap: ${faulty.join(', ')}`;
  if (spread === null) return 'played on, with nobody to compare';
  return `at most ${shownUs(spread.maxUs)} apart, half of the time ${shownUs(spread.medianUs)}`;
}

const shownUs = (us: number): string => `${us.toFixed(1)} us`;
