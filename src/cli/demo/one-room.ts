/** The demo with one node: what left its card is held against what went in, sample by sample. */
import { readFile } from 'node:fs/promises';
import { StateEvent } from '../../http/schema.js';
import { EXIT } from '../exit-codes.js';
import { bringMusic, formHouse, play } from './house.js';
import { DEMO_RATE, DEMO_TITLES, demoSamples } from './music.js';
import { samplesOf } from './recording.js';
import type { Room } from './room.js';
import type { Story, Verdict } from './story.js';

/**
 * How often it is tried. A start that a busy machine makes late by more than half a frame is made up for by playing a little faster, which
 * is no longer sample for sample.
 */
const ATTEMPTS = 3;
/** How long what was played may take to be written down. Milliseconds. */
const CAPTURE_MS_MAX = 5_000;
/** Songs that are played: two, so that there is a seam to listen to. */
const SONGS = 2;

/** Plays two songs in one room, whose card keeps nominal time, and compares. */
export const oneRoom: Story = async ([room], { say }) => {
  await formHouse([room], say);
  const ids = await bringMusic([room], say);
  const expected = concatenated(DEMO_TITLES.slice(0, SONGS).map(demoSamples));
  for (let attempt = 1; ; attempt++) {
    const before = attempt === 1 ? 0 : (await captured(room)).length;
    await play([room], ids.slice(0, SONGS));
    await played(room, (title) => say(`Playing "${title}"`));
    const verdict = await verdictOn(room, expected, before);
    if (verdict.exitCode === EXIT.ok || attempt === ATTEMPTS) return verdict;
    say('Not every sample is as it went in: on a busy machine a start is late, and is then made up for. Once more.');
  }
};

/** All that the card has played, interleaved. */
const captured = async (room: Room): Promise<Float64Array> => samplesOf(await readFile(room.captureFile)).samples;

/** Returns when the queue has been played to its end; tells each title as it begins. */
async function played(room: Room, begins: (title: string) => void): Promise<void> {
  let itemId: string | null = null;
  await room.until('has played', async () => {
    const { transport } = await room.state();
    if (transport.itemId !== itemId && transport.title !== null) begins(transport.title);
    itemId = transport.itemId;
    return transport.status === 'stopped';
  });
}

/** Holds what the card played, from its sample `before` on, against what it should have, once all of it was written down. */
async function verdictOn(room: Room, expected: Int16Array, before: number): Promise<Verdict> {
  const isThere = async () => isWithin((await captured(room)).subarray(before), expected);
  const isExact = await room.until('has written down what it played', isThere, CAPTURE_MS_MAX).then(
    () => true,
    () => false,
  );
  const seconds = (expected.length / 2 / DEMO_RATE).toFixed(1);
  if (isExact) {
    const text = `All ${expected.length} samples (${seconds} s, without a gap between the songs) left the card as they went in.`;
    return { exitCode: EXIT.ok, text, figures: { samples: expected.length, differing: 0 } };
  }
  const { nodes } = await room.client.read('/state', StateEvent);
  const underruns = nodes.reduce((sum, { output }) => sum + (output.underruns ?? 0), 0);
  const figures = { samples: expected.length, underruns };
  return underruns > 0
    ? {
        exitCode: EXIT.world,
        text: `This machine was too busy: the card ran dry ${underruns} times. Run it once more.`,
        figures,
      }
    : {
        exitCode: EXIT.internal,
        text: 'What left the card is NOT what went in: a fault of Tutti, please report it.',
        figures,
      };
}

/** True where `expected` (16 bits) stands whole within `played`, after silence, sample for sample. */
function isWithin(played: Float64Array, expected: Int16Array): boolean {
  const start = played.findIndex((sample) => sample !== 0) - expected.findIndex((sample) => sample !== 0);
  if (start < 0 || start + expected.length > played.length) return false;
  return expected.every((sample, index) => played[start + index] === sample / 32_768);
}

function concatenated(parts: readonly Int16Array[]): Int16Array {
  const result = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
