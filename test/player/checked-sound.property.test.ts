/**
 * Whatever becomes of the files of what plays, and whenever: what is heard is the right frame at its instant, or silence, with a fade
 * between the two. And once all is right, it sounds.
 */
import fc from 'fast-check';
import t from 'tap';
import type { ProgramSegment } from '../../src/player/program.js';
import { CheckedTrackFiles } from './checked-tracks.js';
import { type DueSound, hear } from './hearing.js';
import { at, Rig, segmentOf } from './rig.js';

const RATE = 8_000;
/** Songs, and bytes of their chunks. */
const SONGS = [
  { seconds: 5, chunkBytes: 4_096 },
  { seconds: 1.5, chunkBytes: 1_024 },
  { seconds: 6, chunkBytes: 8_192 },
] as const;
const START_MS = 200;
/** When nothing more happens to the files, and how soon after that all sounds. */
const CALM_MS = 9_000;
const SETTLED_MS = CALM_MS + 500;
const END_MS = START_MS + 12_500;
/** From a command to its effect, and how long what it cut may still be heard. */
const LEAD_MS = 120;
const FADE_MS = 6;

type Event =
  | { readonly type: 'put' | 'flip' | 'spoil'; readonly song: number; readonly chunk: number }
  | { readonly type: 'putAll' | 'settle' | 'quarantine' | 'begin' | 'remove'; readonly song: number }
  | { readonly type: 'spoilManifest' | 'repairManifest'; readonly song: number }
  | { readonly type: 'failRead' }
  | { readonly type: 'seek'; readonly part: number };

const song = fc.integer({ min: 0, max: SONGS.length - 1 });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('put', 'flip', 'spoil'), song, chunk: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('putAll', 'settle', 'quarantine', 'begin'), song }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('remove', 'spoilManifest', 'repairManifest'), song }) },
  { weight: 1, arbitrary: fc.constant({ type: 'failRead' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('seek' as const), part: fc.double({ min: 0, max: 0.9, noNaN: true }) }),
  },
);
const schedule = fc.record({
  start: fc.array(fc.constantFrom('none', 'arriving', 'half', 'whole'), {
    minLength: SONGS.length,
    maxLength: SONGS.length,
  }),
  events: fc.array(fc.record({ atMs: fc.integer({ min: 1, max: CALM_MS - 1 }), event }), { maxLength: 40 }),
});

/** Three songs in a row, what happens to them, and what was heard. */
class Scene {
  readonly rig = new Rig({ rate: RATE });
  readonly songs = SONGS.map(
    ({ seconds, chunkBytes }, i) =>
      new CheckedTrackFiles(this.rig.disk, { rate: RATE, seconds, seed: i + 1, chunkBytes }),
  );
  readonly cutsMs: number[] = [];
  #segments: ProgramSegment[] = [];

  constructor(start: readonly string[]) {
    for (const [i, files] of this.songs.entries()) {
      if (start[i] === 'whole') files.place();
      if (start[i] === 'arriving' || start[i] === 'half') files.begin();
      for (let chunk = 0; start[i] === 'half' && chunk < files.count / 2; chunk++) files.put(chunk);
    }
    this.#follow([], 0, START_MS, 0);
  }

  happen(event: Event, nowMs: number): void {
    if (event.type === 'failRead') this.rig.disk.failNext('read');
    else if (event.type === 'seek') this.#seek(event.part, nowMs);
    else {
      const files = this.songs[event.song]!;
      if ('chunk' in event) files[event.type](event.chunk % files.count);
      else if (event.type === 'putAll') this.#putAll(files);
      else files[event.type]();
    }
  }

  /** All files are whole and in their places. */
  calm(): void {
    for (const files of this.songs) {
      files.remove();
      files.place();
    }
  }

  /** What was heard that should not be, as frames of the capture. */
  hear() {
    const due: DueSound[] = this.#segments.map(({ trackId, startAt, startFrame }) => ({
      sound: this.songs.find(({ track }) => track.id === trackId)!.track.sound,
      at: this.rig.frameAt(Number(startAt - at(0)) / 1e6),
      from: startFrame,
    }));
    return hear(this.rig.played(), due);
  }

  #putAll(files: CheckedTrackFiles): void {
    for (let chunk = 0; chunk < files.count; chunk++) files.put(chunk);
  }

  /** Somewhere else in what plays, a command's lead from now. */
  #seek(part: number, nowMs: number): void {
    const cutMs = nowMs + LEAD_MS;
    const index = this.#segments.findIndex(({ endAt }) => endAt > at(cutMs));
    const playing = this.#segments[index];
    if (playing === undefined || playing.startAt >= at(cutMs) || cutMs >= CALM_MS) return;
    this.cutsMs.push(cutMs);
    const before = [...this.#segments.slice(0, index), { ...playing, endAt: at(cutMs), complete: false }];
    const place = this.songs.findIndex(({ track }) => track.id === playing.trackId);
    this.#follow(before, place, cutMs, Math.floor(part * playing.frames));
  }

  /** From song `place` on, all that are left. */
  #follow(before: readonly ProgramSegment[], place: number, startMs: number, startFrame: number): void {
    let last: ProgramSegment | undefined;
    const next = this.songs.slice(place).map(({ track }, i) => {
      last = segmentOf(track, { item: `${place + i}`, start: last ?? startMs, startFrame: i === 0 ? startFrame : 0 });
      return last;
    });
    this.#segments = [...before, ...next];
    this.rig.set(this.#segments);
  }
}

t.test('whatever becomes of the files: the right frame at its instant, or silence', (t) => {
  fc.assert(
    fc.property(schedule, ({ start, events }) => {
      const scene = new Scene(start);
      const { rig } = scene;
      for (const { atMs, event } of [...events].sort((a, b) => a.atMs - b.atMs)) {
        rig.until(atMs);
        scene.happen(event, atMs);
      }
      rig.until(CALM_MS);
      scene.calm();
      rig.until(END_MS);
      const { wrong, gaps } = scene.hear();
      const isAfterCut = (frame: number) =>
        scene.cutsMs.some((ms) => frame >= rig.frameAt(ms) && frame < rig.frameAt(ms + FADE_MS));
      const heardWrong = wrong.filter(({ from, to }) => !isAfterCut(from) || !isAfterCut(to - 1));
      const lateGaps = gaps.filter(({ to }) => to > rig.frameAt(SETTLED_MS));
      rig.stop();
      if (heardWrong.length > 0) throw new Error(`wrong: ${JSON.stringify(heardWrong.slice(0, 5))}`);
      if (lateGaps.length > 0) throw new Error(`silent though all is right: ${JSON.stringify(lateGaps.slice(0, 5))}`);
    }),
    { numRuns: 60 },
  );
  t.end();
});
