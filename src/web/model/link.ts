/**
 * The line to the node: when to open a stream, when to give one up, when to try again.
 *
 * A browser's event stream does not tell the truth: it calls a node open that has been frozen for half a minute, and gives up for good after
 * one refusal. So the page counts what it hears. The node says something every 3 s; 10 s without a word and the stream is made anew.
 * A page that nobody sees holds none, since a browser has six connections for a node and a phone has one battery.
 */

/** How the line stands. */
export interface Link {
  /** resting: nobody sees the page, and there is no stream. */
  readonly phase: 'connecting' | 'live' | 'waiting' | 'resting';
  /** When the phase began; for `live`, when the last word came. Milliseconds of local time. */
  readonly atMs: number;
  /** When the phase ends by itself: a connection is given up, the silence has lasted too long, the next try is due. */
  readonly untilMs: number;
  /** Tries in a row that have brought nothing. */
  readonly tries: number;
  /** When the last word came; null where none ever did. */
  readonly heardMs: number | null;
  /** Since when there is no line: since the last word, where silence was the sign of it. Null while there is, and where it is not wanted. */
  readonly lostMs: number | null;
  /** Since when nobody sees the page; null while somebody does. */
  readonly hiddenMs: number | null;
}

/** What happens to it. `chance` is from 0 to 1: pages that lost a node at once shall not come back at once. */
export type LinkEvent = 'heard' | 'failed' | 'time' | 'hidden' | 'shown';

/** What is to be done: `open` closes what is open first. */
export type LinkEffect = 'open' | 'close' | null;

/** No word for so long: the stream is dead, whatever the browser says. Three words are due in that time. Milliseconds. */
export const SILENCE_MS_MAX = 10_000;
/** A try that has brought nothing by then is given up. Milliseconds. */
export const CONNECT_MS_MAX = 4_000;
/** A page that was hidden for so long lets go. Milliseconds. */
export const HIDDEN_MS_MAX = 10_000;
/** Who comes back after so long without a word does not wait for the watchdog. Milliseconds. */
export const SILENCE_MS_AT_RETURN = 7_000;
/** Loss is put into words only when it lasts. Milliseconds. */
export const WORDS_AFTER_MS = 3_000;
/** Before each further try. Milliseconds. */
const RETRY_MS: readonly number[] = [0, 500, 1_000, 2_000, 4_000, 5_000];
/** A try is put off by at most this share of its delay. */
const JITTER = 0.3;

/** Before anything was tried. */
export const NO_LINK: Link = {
  phase: 'resting',
  atMs: 0,
  untilMs: Number.POSITIVE_INFINITY,
  tries: 0,
  heardMs: null,
  lostMs: null,
  hiddenMs: null,
};

/** What becomes of the line. Called with `time` when {@link wakeMs} is over. */
export function stepLink(link: Link, event: LinkEvent, nowMs: number, chance = 0): [Link, LinkEffect] {
  switch (event) {
    case 'heard':
      // A word that was on its way when the page let go.
      if (link.phase === 'resting') return [link, null];
      return [
        {
          ...link,
          phase: 'live',
          atMs: nowMs,
          untilMs: nowMs + SILENCE_MS_MAX,
          tries: 0,
          heardMs: nowMs,
          lostMs: null,
        },
        null,
      ];
    case 'failed':
      return link.phase === 'resting' ? [link, 'close'] : retry(link, nowMs, chance);
    case 'hidden':
      return [{ ...link, hiddenMs: link.hiddenMs ?? nowMs }, null];
    case 'shown': {
      const shown = { ...link, hiddenMs: null };
      const isSilent = link.heardMs === null || nowMs - link.heardMs >= SILENCE_MS_AT_RETURN;
      const isTrying = link.phase === 'connecting' && nowMs < link.untilMs;
      return link.phase === 'resting' || (isSilent && !isTrying)
        ? connect({ ...shown, tries: 0, lostMs: link.lostMs ?? nowMs }, nowMs)
        : [shown, null];
    }
    case 'time':
      return late(link, nowMs, chance);
  }
}

/** When {@link stepLink} wants to hear of the time. Infinity: not before something happens. */
export const wakeMs = ({ untilMs, hiddenMs, phase }: Link): number =>
  hiddenMs === null || phase === 'resting' ? untilMs : Math.min(untilMs, hiddenMs + HIDDEN_MS_MAX);

function late(link: Link, nowMs: number, chance: number): [Link, LinkEffect] {
  if (link.phase === 'resting') return [link, null];
  if (link.hiddenMs !== null && nowMs >= link.hiddenMs + HIDDEN_MS_MAX) {
    const untilMs = Number.POSITIVE_INFINITY;
    return [{ ...link, phase: 'resting', atMs: nowMs, untilMs, tries: 0, lostMs: null }, 'close'];
  }
  if (nowMs < link.untilMs) return [link, null];
  if (link.phase === 'waiting') return connect(link, nowMs);
  // What was silent so long was lost when it was heard last.
  const lostMs = link.lostMs ?? link.heardMs;
  return retry({ ...link, lostMs }, nowMs, chance);
}

function connect(link: Link, nowMs: number): [Link, LinkEffect] {
  return [
    { ...link, phase: 'connecting', atMs: nowMs, untilMs: nowMs + CONNECT_MS_MAX, tries: link.tries + 1 },
    'open',
  ];
}

function retry(link: Link, nowMs: number, chance: number): [Link, LinkEffect] {
  const lost = { ...link, lostMs: link.lostMs ?? nowMs };
  const delayMs = RETRY_MS[Math.min(link.tries, RETRY_MS.length - 1)]! * (1 + JITTER * chance);
  if (delayMs === 0) return connect(lost, nowMs);
  return [{ ...lost, phase: 'waiting', atMs: nowMs, untilMs: nowMs + delayMs }, 'close'];
}

/** For how long there has been no word; 0 where the line is well, or is not wanted. Milliseconds. */
export const lostForMs = ({ lostMs }: Link, nowMs: number): number => (lostMs === null ? 0 : nowMs - lostMs);
