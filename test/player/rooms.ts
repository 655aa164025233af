/**
 * Rooms of one house on fake time: each a player with a clock and a card of its own, and a judge who knows true time and listens at the
 * card's output.
 *
 * The song is a triangle wave: its samples are straight lines in time, so that one sample that left the card tells to a fraction of a
 * microsecond which place of the song it belongs to, whatever resamplers did to it. The judge compares that with the place that is due.
 */
import {
  addTime,
  type ClusterTime,
  clusterTime,
  type LocalTime,
  localTime,
  nanosFromMs,
} from '../../src/core/units.js';
import { type Capture, VirtualOutput, type VirtualOutputInit } from '../../src/io/virtual/virtual-output.js';
import { PlayerLoop, type PlayerStatus } from '../../src/player/loop.js';
import type { ProgramSegment } from '../../src/player/program.js';
import { Reader } from '../../src/player/reader.js';
import type { AudioOutput, OutputStatus } from '../../src/ports/audio-output.js';
import type { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import type { Time } from '../../src/ports/time.js';
import { at, encode, makeSound, ORIGIN, type SegmentInit, segmentOf, type TestTrack } from './rig.js';

/** A period of the wave: longer than anything is ever late. Seconds. */
const PERIOD_S = 2;
/** It rises and falls by this in half a period. Full scale is 2. */
const SWING = 1.6;
/** Near a corner a filter rounds the line off: nothing is told from there. Seconds. */
const CORNER_S = 0.02;
/** What a card of 24 bits calls 1. */
const FULL_SCALE = 2 ** 23;
/** A slow wave needs no more. Frames a second. */
const SONG_RATE = 8_000;

/** A song that tells its own time. */
export function tellingSong(disk: FakeDisk, seconds: number, rate = SONG_RATE): TestTrack {
  const wave = (s: number) => {
    const along = (s / PERIOD_S) % 1;
    return SWING * (along < 0.5 ? along : 1 - along) - SWING / 4;
  };
  const sound = makeSound({ rate, channels: 1, seconds, wave, sample: 's24' });
  const track = { file: `telling-${rate}-${seconds}.wav`, frames: sound.samples.length, sound, sample: 's24' } as const;
  const file = disk.open(track.file, 'create');
  file.write(encode(sound, 's24'), 0);
  file.close();
  return track;
}

/** A clock whose crystal may be off, and changed. Timers are true: a few millionths of a tick matter to nobody. */
export class OwnClock implements Time {
  readonly #time: FakeTime;
  #trueAt: LocalTime;
  #localAt: bigint;
  ppm: number;

  constructor(time: FakeTime, init: { readonly offsetNs: bigint; readonly ppm: number }) {
    this.#time = time;
    this.#trueAt = time.now();
    this.#localAt = this.#trueAt + init.offsetNs;
    this.ppm = init.ppm;
  }

  now = (): LocalTime => this.of(this.#time.now());
  wallClockMs = () => this.#time.wallClockMs();
  after: Time['after'] = (...args) => this.#time.after(...args);
  every: Time['every'] = (...args) => this.#time.every(...args);
  running = () => this.#time.running();

  /** What it shows at a true instant. */
  of(at: LocalTime): LocalTime {
    const elapsed = Number(at - this.#trueAt);
    return localTime(this.#localAt + BigInt(Math.round(elapsed * (1 + this.ppm / 1e6))));
  }

  /** From now on it runs at another rate. */
  setRate(ppm: number): void {
    this.#localAt = this.now();
    this.#trueAt = this.#time.now();
    this.ppm = ppm;
  }
}

/** A card that lives in true time and stamps in the clock of its room. It can be pulled out, and made to lie. */
class RoomCard implements AudioOutput {
  isThere = true;
  lie: ((status: OutputStatus) => OutputStatus) | undefined;
  opened = 0;
  readonly #card: VirtualOutput;
  readonly #clock: OwnClock;
  #isDry = false;

  constructor(card: VirtualOutput, clock: OwnClock) {
    this.#card = card;
    this.#clock = clock;
  }

  open: AudioOutput['open'] = (request) => {
    this.opened += 1;
    return this.#card.open(request);
  };
  write: AudioOutput['write'] = (samples, frames) =>
    this.isThere && !this.#isDry ? this.#card.write(samples, frames) : 0;
  recover = () => {
    this.#isDry = false;
    this.#card.recover();
  };
  close = () => this.#card.close();

  /** It runs dry at this moment. */
  starve(): void {
    this.#isDry = true;
    this.#card.recover();
  }

  status(): OutputStatus {
    const status = this.#card.status();
    if (!this.isThere) return { ...status, state: 'lost', reason: 'no such device' };
    if (this.#isDry) return { ...status, state: 'underrun', delayFrames: 0, writableFrames: 0 };
    const stamped = { ...status, at: this.#clock.of(status.at) };
    return this.lie?.(stamped) ?? stamped;
  }
}

/** What left the card last. */
class LastFrame implements Capture {
  value = 0;
  #channels = 2;
  begin({ channels }: { readonly channels: number }): void {
    this.#channels = channels;
  }
  add(samples: Int32Array, start: number, count: number): void {
    if (count > 0) this.value = samples[start + count - this.#channels]! / FULL_SCALE;
  }
  end(): void {
    this.value = 0;
  }
}

export interface RoomInit extends VirtualOutputInit {
  /** Its own clock: rate, and by how much the cluster's line that it is told is wrong. */
  readonly clockPpm?: number;
  readonly queueMs?: number;
  readonly idleCloseS?: number;
}

/** One node's player. */
export class Room {
  readonly clock: OwnClock;
  readonly card: RoomCard;
  readonly loop: PlayerLoop;
  readonly log = new FakeLog();
  readonly reader: Reader;
  readonly #time: FakeTime;
  readonly #virtual: VirtualOutput;
  readonly #heard = new LastFrame();
  readonly #rate: number;
  #generation = 0;
  /** Cluster time as it truly is: so much at this true instant, and faster than true time by so many ppm. */
  #truth: { readonly at: LocalTime; readonly cluster: ClusterTime; readonly ppm: number };
  #segments: readonly ProgramSegment[] = [];

  constructor(house: { readonly time: FakeTime; readonly disk: FakeDisk }, init: RoomInit = {}) {
    const { rate = 48_000, clockPpm = 0, queueMs = 60, idleCloseS = 600 } = init;
    this.#time = house.time;
    this.#rate = rate;
    this.#truth = { at: house.time.now(), cluster: ORIGIN, ppm: 0 };
    this.clock = new OwnClock(house.time, { offsetNs: BigInt(Math.round(clockPpm * 1e9)), ppm: clockPpm });
    this.#virtual = new VirtualOutput({ time: house.time, capture: this.#heard }, { ...init, rate });
    this.card = new RoomCard(this.#virtual, this.clock);
    this.reader = new Reader({ disk: house.disk, time: house.time, fetched: () => {}, wanted: () => {} });
    this.loop = new PlayerLoop(
      { output: this.card, time: this.clock, log: this.log, send: (request) => this.reader.handle(request) },
      { driver: 'virtual', device: 'test', idleCloseS, queueMs, seed: 1 },
    );
    this.setClock();
    this.loop.start();
  }

  /** From now on cluster time runs so much faster than true time; it goes on from what it is. */
  setClusterRate(ppm: number): void {
    this.#truth = { at: this.#time.now(), cluster: this.clusterNow(), ppm };
    this.setClock();
  }

  /** Tells the player how cluster time runs; wrong by `errorUs` and by `errorPpm`. */
  setClock({ errorUs = 0, errorPpm = 0, mayStart = true } = {}): void {
    const driftPpm = ((1 + this.#truth.ppm / 1e6) / (1 + this.clock.ppm / 1e6) - 1) * 1e6 + errorPpm;
    const clusterAt = addTime(this.clusterNow(), BigInt(Math.round(errorUs * 1_000)));
    this.loop.setClock({ localAt: this.clock.now(), clusterAt, driftPpm }, mayStart);
  }

  clusterNow(): ClusterTime {
    const { at: since, cluster, ppm } = this.#truth;
    return clusterTime(cluster + BigInt(Math.round(Number(this.#time.now() - since) * (1 + ppm / 1e6))));
  }

  set(segments: readonly ProgramSegment[]): void {
    this.#segments = segments;
    this.loop.setProgram({ generation: ++this.#generation, segments, gains: [], channels: 'stereo', latencyUs: 0 });
  }

  status(): PlayerStatus {
    return this.loop.status();
  }

  /**
   * What the room hears: by how much it is ahead of the timeline, microseconds; undefined where nothing is to be heard, or where the wave
   * does not tell. Silence where there should be sound counts as half a second.
   */
  heardErrorUs(): number | undefined {
    const sinceNs = (this.#virtual.sinceLastFrame / this.#rate) * 1e9;
    const now = addTime(this.clusterNow(), -BigInt(Math.round(sinceNs)));
    const segment = this.#segments.find(({ startAt, endAt }) => startAt <= now && endAt > now);
    if (segment === undefined) return undefined;
    // The judge's last frame began to leave a frame ago.
    const due = segment.startFrame / segment.sampleRate + Number(now - segment.startAt) / 1e9 - 1 / this.#rate;
    const intoHalf = due % (PERIOD_S / 2);
    if (intoHalf < CORNER_S || intoHalf > PERIOD_S / 2 - CORNER_S) return undefined;
    const { value } = this.#heard;
    if (value === 0) return 500_000;
    const along = ((value + SWING / 4) / SWING) * PERIOD_S;
    const isRising = due % PERIOD_S < PERIOD_S / 2;
    const place = isRising ? along : PERIOD_S - along;
    return (place - (due % PERIOD_S)) * 1e6;
  }

  stop(): void {
    this.loop.stop(() => {});
    this.reader.stop();
  }
}

/** Several rooms that play the same. */
export class House {
  readonly rooms: readonly Room[];
  readonly #time: FakeTime;
  readonly #startedAt: LocalTime;

  constructor(house: { readonly time: FakeTime; readonly disk: FakeDisk }, inits: readonly RoomInit[]) {
    this.#time = house.time;
    this.#startedAt = house.time.now();
    this.rooms = inits.map((init) => new Room(house, init));
  }

  set(segments: readonly ProgramSegment[]): void {
    for (const room of this.rooms) room.set(segments);
  }

  until(ms: number): void {
    this.#time.advanceNs(nanosFromMs(ms) - (this.#time.now() - this.#startedAt));
  }

  /** Listens in every room from `fromMs` to `toMs`, at instants that no tick knows; `heard` gets each room's error. */
  listen(fromMs: number, toMs: number, heard: (errorsUs: readonly number[], ms: number) => void): void {
    for (let ms = fromMs; ms < toMs; ms += 7.3) {
      this.until(ms);
      const errors = this.rooms.map((room) => room.heardErrorUs());
      if (errors.every((error) => error !== undefined)) heard(errors as number[], ms);
    }
  }

  /** Largest distance between any two rooms, at each instant. Microseconds. */
  spreadsUs(fromMs: number, toMs: number): number[] {
    const spreads: number[] = [];
    this.listen(fromMs, toMs, (errors) => spreads.push(Math.max(...errors) - Math.min(...errors)));
    return spreads;
  }

  /** Largest distance of any room from the timeline. Microseconds. */
  worstUs(fromMs: number, toMs: number): number {
    let worst = 0;
    this.listen(fromMs, toMs, (errors) => {
      worst = Math.max(worst, ...errors.map(Math.abs));
    });
    return worst;
  }

  stop(): void {
    for (const room of this.rooms) room.stop();
  }
}

/** The value below which `share` of `values` lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** A segment that starts at `start` milliseconds. */
export const playing = (track: TestTrack, init: SegmentInit): ProgramSegment => segmentOf(track, init);

/** `segment` cut at `ms`. */
export const cutAt = (segment: ProgramSegment, ms: number): ProgramSegment => ({
  ...segment,
  endAt: at(ms),
  complete: false,
});
