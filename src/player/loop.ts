/**
 * The player's loop: keeps the card's queue filled with what is due.
 *
 * Every few milliseconds it asks the card how much is queued. From that follows when the next frame will leave, from the clock line
 * which instant of the cluster that is, and the renderer says what it must carry. The queue is short ({@link PlayerLoopInit.queueMs}), because a
 * command can change only what is not in it yet.
 *
 * The card runs on silence while nothing is due, so that a start is only a choice of a frame. After a long time without anything due it
 * is let go, and taken again when something comes. A card that fails is tried again, ever more rarely.
 */

import type { ClockLine } from '../core/clock-line.js';
import { type ErrorCode, TuttiError } from '../core/errors.js';
import type { ItemId } from '../core/ids.js';
import { addTime, type ClusterTime, type LocalTime, nanosFromMs } from '../core/units.js';
import type { AudioOutput, OutputFormat, OutputStatus } from '../ports/audio-output.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import type { ReaderRequest } from './deck.js';
import { Decks } from './decks.js';
import type { Program, ProgramSegment } from './program.js';
import { Renderer } from './renderer.js';
import { clusterTimeAt, nanosOfFrames } from './schedule.js';

/** Sound that is rendered at once. Milliseconds. */
const BLOCK_MS = 10;
/** How often the queue is looked at: once a block. Milliseconds. */
const TICK_MS = BLOCK_MS;
/** First and longest pause between attempts to open a card. Milliseconds. */
const REOPEN_FIRST_MS = 100;
const REOPEN_MAX_MS = 5_000;
/** How long `stop` waits for the fade to leave the card, beyond what is queued. Milliseconds. */
const STOP_MARGIN_MS = 400;
/** What is asked of a card: the resolution of the best converters. Bits. */
const CARD_BITS = 24;
const CARD_CHANNELS = 2;
/**
 * The least rate that is asked of a card: all that can be heard fits it. A voice recording of 8 kHz that comes first must not take the
 * treble from the music after it. Frames a second.
 */
const CARD_RATE_MIN = 44_100;

/** What the player says of itself. */
export interface PlayerStatus {
  readonly driver: string;
  readonly device: string;
  /**
   * playing: something sounds. idle: the card runs on silence, as it should. silent: something should sound and does not, see `reason`.
   * closed: nothing is due and the card is let go.
   */
  readonly state: 'playing' | 'idle' | 'closed' | 'silent';
  readonly reason?: ErrorCode;
  /** What sounds, or should. */
  readonly itemId?: ItemId;
  /** Frame of the item that was handed to the card last; absent unless playing. */
  readonly frame?: number;
  /** Averaged distance from the timeline, positive where the sound is ahead. Microseconds. */
  readonly errorUs: number;
  /** By how much the card seems to be faster than it says, parts per million. */
  readonly ppm: number;
  /** Since the start: the card ran dry; sound came late; positions set anew; samples beyond full scale. */
  readonly underruns: number;
  readonly late: number;
  readonly snaps: number;
  readonly clipped: number;
}

/** What the loop runs on. The card is its alone: nobody else may call `output`. */
export interface PlayerLoopComponents {
  readonly output: AudioOutput;
  readonly time: Time;
  readonly log: Log;
  /** Takes requests to the reader. */
  readonly send: (request: ReaderRequest) => void;
}

/** What does not change while the loop runs. */
export interface PlayerLoopInit {
  /** Names for the status. */
  readonly driver: string;
  readonly device: string;
  /** With nothing due for this long the card is let go. Seconds. */
  readonly idleCloseS: number;
  /**
   * Sound that is kept in the card's queue, at most what the card holds. So long may the thread be late, and so much of a command's
   * lead is lost. Milliseconds.
   */
  readonly queueMs: number;
  /** Seed of the dither. */
  readonly seed: number;
}

/** An open card and what renders for it. */
interface OpenCard {
  /** The rate that it was asked for; it may have given another. */
  readonly askedRate: number;
  readonly format: OutputFormat;
  readonly renderer: Renderer;
}

/** The rate to ask a card for, that is to play `segment`. */
const rateFor = (segment: ProgramSegment): number => Math.max(CARD_RATE_MIN, segment.sampleRate);

const NO_COUNTS = { underruns: 0, late: 0, snaps: 0, clipped: 0 };

/** The player's thread but for its messages: owns the card from `start` to `stop`. A card that fails shows in `status`. */
export class PlayerLoop {
  readonly #output: AudioOutput;
  readonly #time: Time;
  readonly #log: Log;
  readonly #init: PlayerLoopInit;
  readonly #decks: Decks;
  #program: Program | undefined;
  #clock: ClockLine | undefined;
  #card: OpenCard | undefined;
  /** Counts of cards that were closed meanwhile. */
  #before = { ...NO_COUNTS };
  #timer: Timer | undefined;
  /** When the last frame that was written will leave the card. */
  #lastFrameAt = 0n as LocalTime;
  /** When the last frame that carries sound will leave, or has left. */
  #soundUntil = 0n as LocalTime;
  /** Since when nothing is due. */
  #idleSince: LocalTime | undefined;
  #reopenAt: LocalTime | undefined;
  #reopenMs = REOPEN_FIRST_MS;
  /** Set while stopping: called once the card is closed. */
  #stopped: (() => void) | undefined;
  #stopBefore: LocalTime | undefined;

  constructor(components: PlayerLoopComponents, init: PlayerLoopInit) {
    this.#output = components.output;
    this.#time = components.time;
    this.#log = components.log;
    this.#decks = new Decks(components);
    this.#init = init;
  }

  start(): void {
    this.#timer ??= this.#time.every('player.tick', TICK_MS, () => this.#tick());
  }

  /** Plays by `program` from the next block on. */
  setProgram(program: Program): void {
    this.#program = program;
    this.#card?.renderer.setScore(program);
    this.#tick();
  }

  setClock(line: ClockLine): void {
    this.#clock = line;
  }

  /** Idempotent. Fades out, lets the card play that, and closes it; `stopped` is called when it is done. Takes half a second or so at most. */
  stop(stopped: () => void): void {
    if (this.#timer === undefined) {
      stopped();
      return;
    }
    this.#stopped = stopped;
    this.#stopBefore ??= addTime(this.#time.now(), nanosFromMs(this.#init.queueMs + STOP_MARGIN_MS));
    if (this.#program === undefined) return;
    // All but the segments stays as it is: with another latency what fades out would be at another place in time.
    this.#program = { ...this.#program, segments: [] };
    this.#card?.renderer.setScore(this.#program);
  }

  status(): PlayerStatus {
    const { driver, device } = this.#init;
    const renderer = this.#card?.renderer;
    const due = this.#dueSegment();
    const sounding = renderer?.sounding;
    const itemId = sounding?.itemId ?? due?.itemId;
    const reason = sounding === undefined && due !== undefined ? this.#reason(due) : undefined;
    const silent = due === undefined ? 'idle' : 'silent';
    return {
      driver,
      device,
      state: sounding !== undefined ? 'playing' : renderer === undefined && due === undefined ? 'closed' : silent,
      ...(reason && { reason }),
      ...(itemId && { itemId }),
      ...(sounding && { frame: renderer!.frame }),
      errorUs: renderer?.errorUs ?? 0,
      ppm: renderer?.cardPpm ?? 0,
      ...this.#counts(),
    };
  }

  #counts(): typeof NO_COUNTS {
    const now = this.#card?.renderer.counts;
    return {
      underruns: this.#before.underruns,
      late: this.#before.late + (now?.late ?? 0),
      snaps: this.#before.snaps + (now?.snaps ?? 0),
      clipped: this.#before.clipped + (now?.clipped ?? 0),
    };
  }

  /** Why `segment`, which is due, does not sound, where that is known. */
  #reason(segment: ProgramSegment): ErrorCode | undefined {
    if (this.#clock === undefined) return 'NO_CLOCK';
    if (this.#card === undefined) return 'OUTPUT_UNAVAILABLE';
    return this.#decks.failureOf(segment);
  }

  /** What the last frame that was written should be part of; without a card, what should sound now; without a clock, anything at all. */
  #dueSegment(): ProgramSegment | undefined {
    if (this.#program === undefined) return undefined;
    if (this.#clock === undefined) return this.#program.segments[0];
    const now = this.#timelineAt(this.#card === undefined ? this.#time.now() : this.#lastFrameAt);
    return this.#program.segments.find(({ startAt, endAt }) => startAt <= now && endAt > now);
  }

  /** What is heard of the timeline, where a frame that leaves the card at `at` arrives at the ear. */
  #timelineAt(at: LocalTime): ClusterTime {
    const latency = BigInt(Math.round((this.#program?.latencyUs ?? 0) * 1_000));
    return addTime(clusterTimeAt(this.#clock!, at), latency);
  }

  #tick(): void {
    if (this.#stopBefore !== undefined && this.#finish()) return;
    if (this.#timer === undefined || this.#clock === undefined) return;
    const wanted = this.#wantedSegment();
    if (wanted !== undefined && this.#deservesHigherRate(wanted)) this.#close();
    if (this.#card === undefined && wanted !== undefined && this.#stopBefore === undefined) this.#open(wanted);
    if (this.#card === undefined) return;
    const status = this.#output.status();
    if (status.state === 'lost') {
      this.#log.warn('The sound card is gone.');
      this.#close();
      this.#backOff();
      return;
    }
    if (status.state === 'underrun') this.#recover();
    this.#fill(this.#card, status.state === 'running' ? status : this.#output.status());
    this.#closeIfIdle(wanted !== undefined);
  }

  /** What sounds now or is to sound. */
  #wantedSegment(): ProgramSegment | undefined {
    const now = this.#timelineAt(this.#time.now());
    return this.#program?.segments.find(({ endAt }) => endAt > now);
  }

  /** True where the card should be opened anew for `segment`, of a higher rate, and nobody would hear it: all that sounded has left. */
  #deservesHigherRate(segment: ProgramSegment): boolean {
    if (this.#card === undefined || this.#stopBefore !== undefined) return false;
    const { askedRate, renderer } = this.#card;
    return rateFor(segment) > askedRate && renderer.silent && this.#time.now() > this.#soundUntil;
  }

  /** Writes blocks until the queue is as long as it should be. */
  #fill(card: OpenCard, status: OutputStatus): void {
    const { format, renderer } = card;
    const blockFrames = Math.round((format.rate * BLOCK_MS) / 1_000);
    const queueFrames = Math.min(format.bufferFrames, Math.round((format.rate * this.#init.queueMs) / 1_000));
    let written = 0;
    while (
      status.delayFrames + written + blockFrames <= queueFrames &&
      written + blockFrames <= status.writableFrames
    ) {
      const leavesAt = addTime(status.at, nanosOfFrames(status.delayFrames + written, format.rate));
      const wasSilent = renderer.silent;
      const block = renderer.render(this.#timelineAt(leavesAt), blockFrames);
      this.#lastFrameAt = addTime(leavesAt, nanosOfFrames(blockFrames - 1, format.rate));
      if (!wasSilent || !renderer.silent) this.#soundUntil = this.#lastFrameAt;
      written += blockFrames;
      // A card that runs dry at this very moment takes nothing: the next tick sees it.
      if (this.#output.write(block, blockFrames) < blockFrames) return;
    }
  }

  #open(segment: ProgramSegment): void {
    if (this.#reopenAt !== undefined && this.#time.now() < this.#reopenAt) return;
    const askedRate = rateFor(segment);
    try {
      const format = this.#output.open({ rate: askedRate, channels: CARD_CHANNELS, bits: CARD_BITS });
      const renderer = new Renderer({ decks: this.#decks }, { card: format, seed: this.#init.seed });
      renderer.setScore(this.#program!);
      this.#card = { askedRate, format, renderer };
      this.#reopenAt = undefined;
      this.#reopenMs = REOPEN_FIRST_MS;
      const { rate, channels, bits } = format;
      this.#log.info('The sound card is open.', { rate, channels, bits });
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#log.warn('The sound card cannot be opened.', { code: error.code, detail: error.detail });
      this.#backOff();
    }
  }

  #backOff(): void {
    this.#reopenAt = addTime(this.#time.now(), nanosFromMs(this.#reopenMs));
    this.#reopenMs = Math.min(REOPEN_MAX_MS, 2 * this.#reopenMs);
  }

  #recover(): void {
    if (this.#stopBefore === undefined) {
      this.#before.underruns += 1;
      this.#log.warn('The sound card ran dry: this thread came too late.', { underruns: this.#before.underruns });
    }
    this.#output.recover();
    this.#card!.renderer.interrupted();
  }

  #closeIfIdle(wanted: boolean): void {
    const now = this.#time.now();
    if (wanted || !this.#card!.renderer.silent) this.#idleSince = undefined;
    else this.#idleSince ??= now;
    const idleNs = this.#idleSince === undefined ? 0n : now - this.#idleSince;
    if (this.#idleSince !== undefined && idleNs >= nanosFromMs(this.#init.idleCloseS * 1_000)) this.#close();
  }

  #close(): void {
    if (this.#card === undefined) return;
    this.#before = this.#counts();
    this.#card = undefined;
    this.#idleSince = undefined;
    this.#output.close();
  }

  /** While stopping: closes once the fade has left the card, or time is up. True once stopped. */
  #finish(): boolean {
    const card = this.#card;
    if (card !== undefined && this.#time.now() < this.#stopBefore!) {
      const status = this.#output.status();
      // Nothing is written any more once all is silent: the queue runs empty by itself.
      if (!card.renderer.silent) return false;
      if (status.state === 'running' && status.delayFrames > 0) return true;
    }
    this.#close();
    this.#timer?.cancel();
    this.#timer = undefined;
    const stopped = this.#stopped;
    this.#stopped = undefined;
    stopped?.();
    return true;
  }
}
