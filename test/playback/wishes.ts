/** Random commands on queue and transport, for properties: drawn as numbers, and made to fit the playback that they meet. */
import fc from 'fast-check';
import { TuttiError } from '../../src/core/errors.js';
import { type ItemId, itemId, nodeId } from '../../src/core/ids.js';
import { type ClusterTime, clusterTime } from '../../src/core/units.js';
import type { Asked, Reduced } from '../../src/playback/change.js';
import type { Playback, Repeat, TrackLength } from '../../src/playback/model.js';
import { addItems, clearQueue, forgetTrack, moveItem, removeItem, shuffleQueue } from '../../src/playback/queue.js';
import { foldTo } from '../../src/playback/timeline.js';
import {
  mark,
  pause,
  play,
  playItem,
  playTrack,
  previous,
  seek,
  setRepeat,
  skip,
  stop,
} from '../../src/playback/transport.js';
import { song } from './songs.js';

/** Tracks from some nanoseconds to minutes, so that ends fall within leads, between commands, and far away. */
export const TRACKS: readonly TrackLength[] = [
  song(1, 192_000),
  song(441, 44_100),
  song(4_801, 48_000),
  song(22_050, 22_050),
  song(44_100 * 7 + 1, 44_100),
  song(96_000 * 200, 96_000),
];

const REPEATS: readonly Repeat[] = ['off', 'all', 'one'];

/** A command by name, with two numbers to choose by. */
export interface Wish {
  readonly what: (typeof WISHES)[number];
  readonly a: number;
  readonly b: number;
  /** Time since the wish before, and lead, in nanoseconds. */
  readonly afterNs: bigint;
  readonly leadNs: bigint;
}

const WISHES = [
  'add',
  'add',
  'remove',
  'move',
  'clear',
  'shuffle',
  'forget',
  'play',
  'play',
  'playTrack',
  'playItem',
  'pause',
  'stop',
  'skip',
  'skip',
  'previous',
  'seek',
  'mode',
  'mark',
] as const;

const spanNs = fc.oneof(fc.bigInt(1n, 20_000n), fc.bigInt(1n, 300_000_000n), fc.bigInt(1n, 20_000_000_000n), {
  arbitrary: fc.bigInt(1n, 10n ** 17n),
  weight: 1,
});

export const wish: fc.Arbitrary<Wish> = fc.record({
  what: fc.constantFrom(...WISHES),
  a: fc.nat(1_000_000),
  b: fc.nat(1_000_000),
  afterNs: spanNs,
  leadNs: fc.oneof(fc.constantFrom(0n, 100_000_000n, 10_000_000_000n), fc.bigInt(0n, 300_000_000n)),
});

/** When, and by whom, the wish is made, `before` being the stamp of the one before. */
export const askedBy = ({ afterNs, leadNs }: Wish, before: ClusterTime): Asked => ({
  stamp: clusterTime(before + afterNs),
  leadNs,
  by: { node: nodeId('a'.repeat(32)), via: 'api' },
});

/** The playback after a wish, or null where it was refused. Refusals are TuttiErrors; anything else is thrown on. */
export function grant(before: Playback, { what, a, b }: Wish, asked: Asked): Playback | null {
  const playback = foldTo(before, asked.stamp);
  try {
    const result = done(playback, what, a, b, asked);
    return 'playback' in result ? result.playback : result;
  } catch (error) {
    if (error instanceof TuttiError) return null;
    throw error;
  }
}

function done(playback: Playback, what: Wish['what'], a: number, b: number, asked: Asked): Playback | Reduced {
  const { queue } = playback;
  /** One of the queue's items, or now and then one that is not there. */
  const item = (k: number): ItemId => queue[k % (queue.length + 1)]?.id ?? itemId('i0');
  const tracks = Array.from({ length: (b % 4) + 1 }, (_, k) => TRACKS[(a + k * 5) % TRACKS.length]!);
  switch (what) {
    case 'add':
      return addItems(playback, asked, tracks, b % 3 === 0 ? 'next' : b % 3 === 1 ? 'end' : { before: item(a) });
    case 'remove':
      return removeItem(playback, asked, item(a));
    case 'move':
      return moveItem(playback, asked, item(a), b % 5 === 0 ? null : item(b));
    case 'clear':
      return clearQueue(playback, asked, a % 2 === 0);
    case 'shuffle':
      return shuffleQueue(playback, asked, a);
    case 'forget':
      return forgetTrack(playback, asked, TRACKS[a % TRACKS.length]!.id);
    case 'play':
      return play(playback, asked);
    case 'playTrack':
      return playTrack(playback, asked, tracks[0]!);
    case 'playItem':
      return playItem(playback, asked, item(a));
    case 'pause':
      return pause(playback, asked);
    case 'stop':
      return stop(playback, asked);
    case 'skip':
      return skip(playback, asked);
    case 'previous':
      return previous(playback, asked);
    case 'seek':
      return seek(playback, asked, a % 8_000);
    case 'mode':
      return setRepeat(playback, asked, REPEATS[a % 3]!);
    case 'mark':
      return mark(playback, asked);
  }
}
