/**
 * Any sequence of commands: outside the fades each frame that left the card is the one that the timeline says, and nothing else.
 */
import fc from 'fast-check';
import t from 'tap';
import { addTime, nanosFromMs } from '../../src/core/units.js';
import type { ProgramSegment } from '../../src/player/program.js';
import { at, ORIGIN, Rig, segmentOf, type TestTrack } from './rig.js';

/** What the leader gives every card to obey in time. Milliseconds. */
const LEAD_MS = 120;
/** Frames of a fade of 5 ms at 48 kHz. */
const FADE = 240;

type Command = { readonly afterMs: number } & (
  | { readonly do: 'pause' }
  | { readonly do: 'play' }
  | { readonly do: 'skip' }
  | { readonly do: 'seek'; readonly share: number }
);

/** A queue that never ends, and what was ever to sound. */
class House {
  /** All segments that there were, as they turned out. */
  history: ProgramSegment[] = [];
  readonly #tracks: readonly TestTrack[];
  #items = 0;
  #paused: { track: TestTrack; frame: number } | undefined;

  constructor(tracks: readonly TestTrack[]) {
    this.#tracks = tracks;
    this.#follow(100);
  }

  /** Applies `command`, taking effect at `ms`. */
  apply(command: Command, ms: number): void {
    const current = this.history.find((segment) => segment.startAt <= at(ms) && segment.endAt > at(ms));
    const track = this.#tracks.find(({ file }) => file === current?.file);
    if (command.do === 'play' ? this.#paused === undefined : track === undefined || current === undefined) return;
    // What was to come after the cut is no more.
    this.history = this.history
      .filter((segment) => segment.startAt < at(ms))
      .map((segment) => (segment.endAt > at(ms) ? { ...segment, endAt: at(ms), complete: false } : segment));
    switch (command.do) {
      case 'pause': {
        const frame = current!.startFrame + Math.round(Number(at(ms) - current!.startAt) * 48e-6);
        this.#paused = { track: track!, frame: Math.min(frame, track!.frames - 1) };
        break;
      }
      case 'play':
        this.#follow(ms, this.#paused!.track, this.#paused!.frame);
        this.#paused = undefined;
        break;
      case 'skip':
        this.#follow(ms);
        break;
      case 'seek':
        this.#follow(ms, track, Math.floor(command.share * track!.frames));
        break;
    }
  }

  /** From `ms` on: `track` from `startFrame`, then others to their ends. */
  #follow(ms: number, track = this.#next(), startFrame = 0): void {
    let segment = segmentOf(track, { item: `${++this.#items}`, start: ms, startFrame });
    this.history.push(segment);
    for (let i = 0; i < 8; i++) {
      segment = segmentOf(this.#next(), { item: `${++this.#items}`, start: segment });
      this.history.push(segment);
    }
  }

  #next(): TestTrack {
    return this.#tracks[this.#items % this.#tracks.length]!;
  }
}

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ do: fc.constant('pause' as const), afterMs: fc.integer({ min: 30, max: 900 }) }),
  fc.record({ do: fc.constant('play' as const), afterMs: fc.integer({ min: 30, max: 900 }) }),
  fc.record({ do: fc.constant('skip' as const), afterMs: fc.integer({ min: 30, max: 900 }) }),
  fc.record({
    do: fc.constant('seek' as const),
    afterMs: fc.integer({ min: 30, max: 900 }),
    share: fc.double({ min: 0, max: 0.99, noNaN: true }),
  }),
);

t.test('after any commands the card plays what the timeline says, sample for sample', (t) => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 3, maxLength: 14 }), (commands) => {
      const rig = new Rig();
      const tracks = [
        rig.track({ frames: 31_111, seed: 1 }),
        rig.track({ frames: 4_799, seed: 2 }),
        rig.track({ frames: 70_000, seed: 3, channels: 1 }),
      ];
      const house = new House(tracks);
      rig.set(house.history);
      let ms = 0;
      for (const each of commands) {
        ms += each.afterMs;
        rig.until(ms);
        house.apply(each, ms + LEAD_MS);
        // What is over for long is left out of programs.
        rig.set(house.history.filter(({ endAt }) => endAt > addTime(ORIGIN, nanosFromMs(ms - 1_000))));
      }
      rig.until(ms + 600);
      const { late, snaps, underruns } = rig.status();
      if (late + snaps + underruns > 0) throw new Error(`late ${late}, snaps ${snaps}, underruns ${underruns}`);
      compare(rig, house.history, tracks);
    }),
    { seed: 1, numRuns: 25 },
  );
  t.end();
});

/** Throws at the first frame outside a fade that is not as `history` has it. */
function compare(rig: Rig, history: readonly ProgramSegment[], tracks: readonly TestTrack[]): void {
  const { samples } = rig.played();
  const expected = new Float64Array(samples.length);
  const isFading = new Uint8Array(samples.length / 2);
  for (const segment of history) {
    const first = rig.frameAt(Number(segment.startAt - ORIGIN) / 1e6);
    const end = rig.frameAt(Number(segment.endAt - ORIGIN) / 1e6);
    const { sound } = tracks.find(({ file }) => file === segment.file)!;
    for (let frame = first; frame < Math.min(end, isFading.length); frame++) {
      for (let channel = 0; channel < 2; channel++) {
        const from = segment.startFrame + frame - first;
        expected[2 * frame + channel] = sound.samples[sound.channels === 1 ? from : 2 * from + channel]!;
      }
    }
    if (segment.startFrame > 0) isFading.fill(1, first, first + FADE);
    if (!segment.complete) isFading.fill(1, Math.max(0, end), end + FADE);
  }
  for (let i = 0; i < samples.length; i++) {
    if (isFading[i >> 1] === 0 && samples[i] !== expected[i]) {
      throw new Error(`frame ${i >> 1}: ${samples[i]} in place of ${expected[i]}`);
    }
  }
}
