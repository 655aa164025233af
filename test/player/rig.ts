/** A player without threads, on fake time: loop, reader and decks as they are, a disk in memory and a card that keeps what it played. */
import { itemId, type TrackId, trackId } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { addTime, type ClusterTime, clusterTime, nanosFromMs } from '../../src/core/units.js';
import { BYTES_PER_SAMPLE } from '../../src/library/sample-bytes.js';
import type { SampleFormat } from '../../src/library/track.js';
import type { WantedChunk } from '../../src/player/checked-file.js';
import type { ReaderRequest } from '../../src/player/deck.js';
import { PlayerLoop, type PlayerStatus } from '../../src/player/loop.js';
import type { FileChunks, GainChange, Program, ProgramSegment } from '../../src/player/program.js';
import { Reader } from '../../src/player/reader.js';
import type { AudioOutput } from '../../src/ports/audio-output.js';
import { FakeAudioOutput, type FakeAudioOutputInit, leftAt } from '../../src/ports/fake-audio-output.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { type Sound, soundOf } from '../support/capture.js';

/** Cluster time at the start of every test: unlike local time, and more than a double holds to the nanosecond. */
export const ORIGIN = clusterTime(40_000_000_000_000_000n);
/** Bits that the player asks of a card, and the fake card has. */
const CARD_BITS = 24;

/** Milliseconds of a test as cluster time. */
export const at = (ms: number): ClusterTime => addTime(ORIGIN, nanosFromMs(ms));

/** A track on the fake disk, and its sound. */
export interface TestTrack {
  readonly file: string;
  readonly frames: number;
  readonly sound: Sound;
  readonly sample: SampleFormat;
  /** Left out where no test asks. */
  readonly id?: TrackId;
  readonly chunks?: FileChunks;
}

export interface TrackInit {
  readonly rate?: number;
  readonly channels?: number;
  readonly seconds?: number;
  readonly frames?: number;
  readonly seed?: number;
  /** Sample at second `s`, -1 to 1; noise where it is left out. */
  readonly wave?: (s: number, channel: number) => number;
  readonly sample?: 's16' | 's24';
}

/** A sound of `frames` frames: noise, or a wave. Whole numbers of its format. */
export function makeSound(init: TrackInit): Sound {
  const {
    rate = 48_000,
    channels = 2,
    seconds = 1,
    frames = Math.round(seconds * rate),
    seed = 1,
    sample = 's16',
  } = init;
  const steps = sample === 's16' ? 2 ** 15 : 2 ** 23;
  const prng = new Prng(seed);
  const { wave = () => 0.9 * (2 * prng.fraction() - 1) } = init;
  const samples = new Float64Array(frames * channels);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = Math.round(wave(Math.floor(i / channels) / rate, i % channels) * steps) / steps;
  }
  return { rate, channels, samples };
}

/** Bytes of a file: a header's length of nothing, then the samples. */
export function encode(sound: Sound, sample: 's16' | 's24', dataOffset = 44): Uint8Array {
  const size = BYTES_PER_SAMPLE[sample];
  const bytes = Buffer.alloc(dataOffset + sound.samples.length * size);
  sound.samples.forEach((value, i) => {
    bytes.writeIntLE(Math.round(value * 2 ** (8 * size - 1)), dataOffset + i * size, size);
  });
  return bytes;
}

export interface SegmentInit {
  readonly item: string;
  /** Milliseconds since the test began, or the end of the segment before. */
  readonly start: number | ProgramSegment;
  readonly startFrame?: number;
  /** Where a command cuts it; its own end where left out. Milliseconds. */
  readonly cut?: number;
  readonly levelGain?: number;
}

/** A segment of `track`, with its end worked out as the timeline does. */
export function segmentOf(track: TestTrack, init: SegmentInit): ProgramSegment {
  const { startFrame = 0, start, cut, levelGain = 1 } = init;
  const { rate, channels } = track.sound;
  const startAt = typeof start === 'number' ? at(start) : start.endAt;
  const end = addTime(startAt, BigInt(Math.round(((track.frames - startFrame) * 1e9) / rate)));
  return {
    itemId: itemId(init.item),
    trackId: track.id ?? trackId('0'.repeat(64)),
    startAt,
    endAt: cut === undefined ? end : at(cut),
    startFrame,
    sampleRate: rate,
    complete: cut === undefined,
    file: track.file,
    ...(track.chunks && { chunks: track.chunks }),
    format: { sampleRate: rate, channels, sample: track.sample, dataOffset: 44, channelMask: 0 },
    frames: track.frames,
    levelGain,
  };
}

export interface RigInit extends FakeAudioOutputInit {
  readonly idleCloseS?: number;
  /** Another card than the fake one. */
  readonly output?: (time: FakeTime) => AudioOutput;
}

export class Rig {
  readonly time = new FakeTime();
  readonly disk = new FakeDisk();
  readonly log = new FakeLog();
  readonly card: FakeAudioOutput;
  readonly reader: Reader;
  readonly loop: PlayerLoop;
  /** Requests to the reader are held back while true. */
  isReaderHeld = false;
  readonly #held: ReaderRequest[] = [];
  /** Chunks that the reader asked for, in order. */
  readonly wanted: WantedChunk[] = [];
  readonly #startedAt = this.time.now();
  #program: Program = { generation: 0, segments: [], gains: [], channels: 'stereo', latencyUs: 0 };
  #tracks = 0;

  constructor(init: RigInit = {}) {
    this.card = new FakeAudioOutput({ time: this.time }, { rate: 48_000, ...init });
    const fetched = (tookMs: number) => this.loop.noteFetch(tookMs);
    const wanted = (chunk: WantedChunk) => this.wanted.push(chunk);
    this.reader = new Reader({ disk: this.disk, time: this.time, fetched, wanted });
    const send = (request: ReaderRequest) => {
      if (this.isReaderHeld) this.#held.push(request);
      else this.reader.handle(request);
    };
    const output = init.output?.(this.time) ?? this.card;
    this.loop = new PlayerLoop(
      { output, time: this.time, log: this.log, send },
      { driver: 'virtual', device: 'test', idleCloseS: init.idleCloseS ?? 600, queueMs: 60, seed: 1 },
    );
    this.loop.setClock({ localAt: this.#startedAt, clusterAt: ORIGIN, driftPpm: 0 }, true);
    this.loop.start();
  }

  /** Writes a track to the disk. */
  track(init: TrackInit = {}): TestTrack {
    const track = this.describe(init);
    this.write(track);
    return track;
  }

  /** A track that is not on the disk yet. */
  describe(init: TrackInit = {}): TestTrack {
    const sound = makeSound(init);
    const frames = sound.samples.length / sound.channels;
    return { file: `track-${++this.#tracks}.wav`, frames, sound, sample: init.sample ?? 's16' };
  }

  /** Brings `track` to the disk, all of it or its first `bytes`. */
  write(track: TestTrack, bytes = Number.POSITIVE_INFINITY): void {
    const file = this.disk.open(track.file, 'create');
    file.write(encode(track.sound, track.sample as 's16' | 's24').subarray(0, bytes), 0);
    file.close();
  }

  /** Hands the next program to the player. */
  set(
    segments: readonly ProgramSegment[],
    rest: { gains?: readonly GainChange[]; channels?: Program['channels']; latencyUs?: number } = {},
  ): void {
    this.#program = { ...this.#program, generation: this.#program.generation + 1, segments, ...rest };
    this.loop.setProgram(this.#program);
  }

  /** Lets the reader have what was held back. */
  releaseReader(): void {
    this.isReaderHeld = false;
    for (const request of this.#held.splice(0)) this.reader.handle(request);
  }

  /** Lets time pass until `ms` milliseconds after the test began. */
  until(ms: number): void {
    this.time.advanceNs(nanosFromMs(ms) - (this.time.now() - this.#startedAt));
  }

  status(): PlayerStatus {
    return this.loop.status();
  }

  /** What the card played without a break, in its run number `run`. */
  played(run = 0): Sound {
    this.card.status();
    const { samples } = this.card.runs[run]!;
    return soundOf(samples, 2, 48_000, CARD_BITS);
  }

  /** Frame of {@link played} that left the card nearest to `ms`. */
  frameAt(ms: number, run = 0): number {
    const played = this.card.runs[run]!;
    const leaves = addTime(this.#startedAt, nanosFromMs(ms)) - leftAt(played, 0);
    return Math.round((Number(leaves) * played.framesPerSecond) / 1e9);
  }

  stop(): void {
    this.loop.stop(() => {});
    this.time.advance(1_000);
    this.reader.stop();
  }
}
