/**
 * The player's loop: keeps the card's queue filled with what is due.
 *
 * Every few milliseconds it asks the card how it stands. From the line through these answers ({@link CardLine}) follows when the next frame will
 * leave, from the clock line which instant of the cluster that is, and the renderer says what it must carry. The queue is short
 * ({@link PlayerLoopInit.queueMs}), because a command can change only what is not in it yet.
 *
 * The card runs on silence while nothing is due, so that a start is only a choice of a frame. After a long time without anything due it
 * is let go, and taken again when something comes; how fast its crystal runs is remembered. A card that fails is tried again, ever more
 * rarely; one that is not there is looked for all the while.
 */

import type { Pace } from '../audio/servo.js';
import { type ClockLine, ratePpmAt, readClock } from '../core/clock-line.js';
import { type ErrorCode, TuttiError } from '../core/errors.js';
import type { ItemId } from '../core/ids.js';
import { RecentTimes } from '../core/recent-times.js';
import { addTime, type ClusterTime, type LocalTime, nanosFromMs } from '../core/units.js';
import { type AudioOutput, isOfAbsence } from '../ports/audio-output.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import { BackOff } from './back-off.js';
import type { ReaderRequest } from './deck.js';
import { Decks } from './decks.js';
import { PacedCard } from './paced-card.js';
import type { Program, ProgramSegment } from './program.js';
import { Renderer } from './renderer.js';
import { nanosOfFrames } from './schedule.js';

/** Most and least sound that is rendered at once. Milliseconds: less is not worth a block, and can wait. */
const BLOCK_MS_MAX = 50;
const BLOCK_MS_MIN = 1;
/**
 * How often the card is asked and its queue filled up. While it plays: every half of the queue, since waking costs more than rendering;
 * the other half is how late this thread may be. While it runs on silence: every two thirds, since a program that comes is looked at at
 * once. In the first moments after it was opened: often enough to see whether its position moves in steps. While its rate is not known yet,
 * or where the steps are long: as near to their edges as that is worth. None of them comes to a round number: a card that is always asked at
 * the same place between two frames, or two steps, would be misjudged by as much for ever. Shares of the queue, and milliseconds.
 */
const TICK_SHARE = 0.495;
const IDLE_TICK_SHARE = 0.66;
const TICK_MS_MAX = 99.7;
const SETTLE_TICK_MS = 2.7;
const WATCH_TICK_MS = 4.7;
/** A card whose rate is known less well than this is watched. Parts per million. */
const WATCH_SIGMA_PPM = 5;
/** Sound that is queued until the card's line is known: what is in the queue cannot begin any more. Milliseconds. */
const SETTLE_QUEUE_MS = 30;
/** So many fetches are known before they are told: the first ones make room in memory, and compile. */
const FETCHES_MIN = 4;
/** A card is let go no sooner after its last sound: until then the other nodes can know that it will have to be opened. Milliseconds. */
const LET_GO_MS_MIN = 1_000;
/** First and longest pause between attempts to open a card. Milliseconds. */
const REOPEN_FIRST_MS = 100;
const REOPEN_MAX_MS = 5_000;
/**
 * How often it is looked whether a card is there that was not: it is back in a moment, and somebody who plugs it in waits for sound. An
 * attempt to open a card that is not there takes a tenth of a millisecond. Milliseconds.
 */
const LOOK_FOR_CARD_MS = 150;
/** A card that has played for so long is one that works: should it fail later, it is tried again at once. Nanoseconds. */
const WORKS_AFTER_NS = 10_000_000_000n;
/** A rate that is known better than this is remembered. Parts per million. */
const REMEMBERED_SIGMA_PPM = 3;
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

/** What the player knows of an open card. */
export interface CardStatus {
  /** By how much the card is faster than it says, against this machine's clock. Parts per million. */
  readonly ppm: number;
  /** One standard deviation of its place in time. Microseconds. */
  readonly sigmaUs: number;
  /** True for a card that cannot tell where it is to better than some tens of microseconds: it moves in steps, or is noisy. */
  readonly coarse: boolean;
  /** Its position was somewhere else without an underrun. */
  readonly leaps: number;
  /** How much faster than nominal the sound is read now: what the card's crystal asks for and what brings an error back. Parts per million. */
  readonly correctionPpm: number;
}

/** What the player says of itself. */
export interface PlayerStatus {
  readonly driver: string;
  readonly device: string;
  /**
   * playing: something sounds. idle: the card runs on silence, as it should. silent: something should sound and does not, see `reason`.
   * closed: nothing is due and the card is let go.
   */
  readonly state: 'playing' | 'idle' | 'closed' | 'silent';
  /** In how long an idle card will be let go, milliseconds, 0 or more; absent while something is due, or no card is open. */
  readonly closesInMs?: number;
  readonly reason?: ErrorCode;
  /** What the card said when it failed, or what it was caught at; absent while it is open or not wanted. */
  readonly detail?: string;
  /** What sounds, or should. */
  readonly itemId?: ItemId;
  /** Frame of the item that was handed to the card last; absent unless playing. */
  readonly frame?: number;
  /** Distance of what is heard from the timeline, positive where it is ahead, averaged over a second. Microseconds; 0 while nothing sounds. */
  readonly errorUs: number;
  /** {@link CardStatus.ppm} of the card that is or was open last. */
  readonly ppm: number;
  /** Absent while no card is open. */
  readonly card?: CardStatus;
  /** How long after it was asked for the first sound of a file was there lately, nearly always. Milliseconds; absent while too few are known. */
  readonly fetchMs?: number;
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
  readonly card: PacedCard;
  readonly renderer: Renderer;
}

/** The rate to ask a card for, that is to play `segment`. */
const rateFor = (segment: ProgramSegment): number => Math.max(CARD_RATE_MIN, segment.sampleRate);

const framesOf = (ms: number, rate: number): number => Math.round((rate * ms) / 1_000);

/** Between two lines of the log that say that the card ran dry. Nanoseconds. */
const DRY_TOLD_NS = 60_000_000_000n;

const NO_COUNTS = { underruns: 0, late: 0, snaps: 0, clipped: 0 };

/** The player's thread but for its messages: owns the card from `start` to `stop`. A card that fails shows in `status`. */
export class PlayerLoop {
  readonly #output: AudioOutput;
  readonly #time: Time;
  readonly #log: Log;
  readonly #init: PlayerLoopInit;
  readonly #decks: Decks;
  #program: Program | undefined;
  /** Latency of the program. Nanoseconds. */
  #latencyNs = 0n;
  #clock: ClockLine | undefined;
  #mayStart = false;
  /** Something sounds, or has sounded and should still: it goes on whatever becomes of the clock. */
  #goesOn = false;
  #open: OpenCard | undefined;
  /** How the open card runs in the time of the cluster; one object, changed in place. */
  readonly #pace: { -readonly [key in keyof Pace]: Pace[key] } = { ppm: 0, isNominal: true };
  /** By rate: how fast the card's crystal ran when it was closed. */
  readonly #knownPpm = new Map<number, number>();
  #lastPpm = 0;
  /** When the log was last told that the card ran dry. */
  #dryToldAt: LocalTime | undefined;
  /** Counts of cards that were closed meanwhile. */
  #before = { ...NO_COUNTS };
  #isRunning = false;
  #timer: Timer | undefined;
  #timerMs = 0;
  /** Instant of the timeline of the last frame that was written. */
  #writtenAt: ClusterTime | undefined;
  /** When the last frame that carries sound will leave, or has left. */
  #soundUntil = 0n as LocalTime;
  readonly #fetches = new RecentTimes();
  /** Since when nothing is due. */
  #idleSince: LocalTime | undefined;
  readonly #reopening = new BackOff({ firstMs: REOPEN_FIRST_MS, longestMs: REOPEN_MAX_MS });
  /** Why there is no card. */
  #detail: string | undefined;
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
    this.#isRunning = true;
    this.#tick();
  }

  /** Plays by `program` from the next block on. */
  setProgram(program: Program): void {
    this.#program = program;
    this.#latencyNs = BigInt(Math.round(program.latencyUs * 1_000));
    this.#open?.renderer.setScore(program);
    this.#tick();
  }

  /**
   * Reads cluster time by `line` from the next block on.
   * @param mayStart false while the line is not sure enough to begin by: what is silent stays so, what sounds goes on
   */
  setClock(line: ClockLine, mayStart: boolean): void {
    this.#clock = line;
    this.#mayStart = mayStart;
    // A line changes several times a second: what is open looks at it by itself.
    if (this.#open === undefined) this.#tick();
  }

  /** The reader had the first sound of a file so long after it was asked for. Milliseconds. */
  noteFetch(tookMs: number): void {
    this.#fetches.add(this.#time.now(), tookMs);
  }

  /** Idempotent. Fades out, lets the card play that, and closes it; `stopped` is called when it is done. Takes half a second or so at most. */
  stop(stopped: () => void): void {
    if (!this.#isRunning) {
      stopped();
      return;
    }
    this.#stopped = stopped;
    this.#stopBefore ??= addTime(this.#time.now(), nanosFromMs(this.#init.queueMs + STOP_MARGIN_MS));
    if (this.#program !== undefined) {
      // All but the segments stays as it is: with another latency what fades out would be at another place in time.
      this.#program = { ...this.#program, segments: [] };
      this.#open?.renderer.setScore(this.#program);
    }
    this.#tickEvery(this.#shareOfQueue(TICK_SHARE));
  }

  status(): PlayerStatus {
    const { driver, device } = this.#init;
    const open = this.#open;
    const due = this.#dueSegment();
    const sounding = open?.renderer.sounding;
    const itemId = sounding?.itemId ?? due?.itemId;
    const reason = sounding === undefined && due !== undefined ? this.#reason(due) : undefined;
    const silent = due === undefined ? 'idle' : 'silent';
    return {
      driver,
      device,
      state: sounding !== undefined ? 'playing' : open === undefined && due === undefined ? 'closed' : silent,
      ...(reason && { reason }),
      ...(this.#idleSince !== undefined && { closesInMs: this.#closesInMs(this.#idleSince, this.#time.now()) }),
      ...(due !== undefined && this.#detail !== undefined && { detail: this.#detail }),
      ...(itemId && { itemId }),
      ...(sounding && { frame: open!.renderer.frame }),
      errorUs: open?.renderer.errorUs ?? 0,
      ppm: open?.card.line.ppm ?? this.#lastPpm,
      ...(open && { card: cardStatus(open) }),
      ...(this.#fetches.count >= FETCHES_MIN && { fetchMs: this.#fetches.typicalMs(this.#time.now()) }),
      ...this.#counts(),
    };
  }

  #counts(): typeof NO_COUNTS {
    const now = this.#open?.renderer.counts;
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
    if (this.#open === undefined) return 'OUTPUT_UNAVAILABLE';
    return this.#mayStart || this.#goesOn ? this.#decks.reasonOf(segment) : 'NO_CLOCK';
  }

  /** What the last frame that was written should be part of; without a card, what should sound now; without a clock, anything at all. */
  #dueSegment(): ProgramSegment | undefined {
    if (this.#program === undefined) return undefined;
    if (this.#clock === undefined) return this.#program.segments[0];
    const written = this.#open === undefined ? undefined : this.#writtenAt;
    return this.#segmentAt(written ?? this.#timelineAt(this.#time.now()));
  }

  #segmentAt(at: ClusterTime): ProgramSegment | undefined {
    return this.#program?.segments.find(({ startAt, endAt }) => startAt <= at && endAt > at);
  }

  /** What is heard of the timeline, where a frame that leaves the card at `at` arrives at the ear. */
  #timelineAt(at: LocalTime): ClusterTime {
    return addTime(readClock(this.#clock!, at), this.#latencyNs);
  }

  #tick(): void {
    if (!this.#isRunning || (this.#stopBefore !== undefined && this.#finish())) return;
    if (this.#clock === undefined) return;
    const now = this.#time.now();
    const wanted = this.#wantedSegment(now);
    if (wanted !== undefined && this.#deservesHigherRate(wanted, now)) this.#close();
    if (this.#open === undefined && wanted !== undefined) this.#openFor(wanted, now);
    if (this.#open !== undefined) this.#drive(this.#open, wanted !== undefined, now);
    this.#keepTicking(wanted !== undefined, now);
  }

  /** What sounds now or is to sound. */
  #wantedSegment(now: LocalTime): ProgramSegment | undefined {
    const at = this.#timelineAt(now);
    return this.#program?.segments.find(({ endAt }) => endAt > at);
  }

  /** True where the card should be opened anew for `segment`, of a higher rate, and nobody would hear it: all that sounded has left. */
  #deservesHigherRate(segment: ProgramSegment, now: LocalTime): boolean {
    if (this.#open === undefined || this.#stopBefore !== undefined) return false;
    const { card, renderer } = this.#open;
    return rateFor(segment) > card.asked.rate && renderer.silent && now > this.#soundUntil;
  }

  #drive(open: OpenCard, isWanted: boolean, now: LocalTime): void {
    const state = open.card.poll();
    const { fault } = open.card.line;
    if (state === 'lost' || fault !== undefined) {
      this.#giveUp(fault ?? open.card.lossReason ?? 'the card is gone', now);
      return;
    }
    if (state === 'underrun') this.#recover(open);
    this.#fill(open, now);
    if (now - open.card.openedAt > WORKS_AFTER_NS) this.#reopening.worked();
    this.#closeIfIdle(isWanted, now);
  }

  /** Writes until the queue is as long as it should be. */
  #fill({ card, renderer }: OpenCard, now: LocalTime): void {
    const { isSettled } = card.line;
    const queueMs = isSettled ? this.#init.queueMs : Math.min(this.#init.queueMs, SETTLE_QUEUE_MS);
    const { rate, bufferFrames } = card.format;
    const queueFrames = Math.min(bufferFrames, framesOf(queueMs, rate));
    this.#setPace(card, now);
    for (;;) {
      const missing = Math.min(queueFrames - card.queuedFrames, card.freeFrames);
      const frames = Math.min(Math.floor(missing), framesOf(BLOCK_MS_MAX, rate));
      if (frames < framesOf(BLOCK_MS_MIN, rate)) return;
      const leavesAt = card.nextLeavesAt();
      const at = this.#timelineAt(leavesAt);
      const wasSilent = renderer.silent;
      const block = renderer.render(at, frames, this.#pace, isSettled && (this.#mayStart || this.#goesOn));
      this.#writtenAt = addTime(at, nanosOfFrames(frames - 1, rate));
      if (!wasSilent || !renderer.silent) this.#soundUntil = addTime(leavesAt, nanosOfFrames(frames, rate));
      if (renderer.sounding !== undefined) this.#goesOn = true;
      else if (this.#goesOn && this.#segmentAt(this.#writtenAt) === undefined) this.#goesOn = false;
      if (!card.write(block, frames)) return;
    }
  }

  /** The card's crystal against the local clock, and that against the cluster's. */
  #setPace({ line }: PacedCard, now: LocalTime): void {
    const driftPpm = ratePpmAt(this.#clock!, now);
    this.#pace.isNominal = line.isNominal && driftPpm === 0;
    this.#pace.ppm = this.#pace.isNominal ? 0 : ((1 + line.ppm / 1e6) / (1 + driftPpm / 1e6) - 1) * 1e6;
  }

  #openFor(segment: ProgramSegment, now: LocalTime): void {
    if (this.#stopBefore !== undefined) return;
    if (this.#reopening.tryAt !== undefined && now < this.#reopening.tryAt) return;
    const request = { rate: rateFor(segment), channels: CARD_CHANNELS, bits: CARD_BITS };
    try {
      const card = new PacedCard({ output: this.#output, time: this.#time }, { request, knownPpm: this.#knownPpm });
      const { format } = card;
      const renderer = new Renderer({ decks: this.#decks }, { card: format, seed: this.#init.seed });
      renderer.setScore(this.#program!);
      this.#open = { card, renderer };
      this.#detail = undefined;
      this.#writtenAt = undefined;
      const { rate, channels, bits } = format;
      this.#log.info('The sound card is open.', { rate, channels, bits });
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      // Once for each reason: it is tried again all day, and a log on an SD card should not tell of each time.
      if (error.detail !== this.#detail)
        this.#log.warn('The sound card cannot be opened.', { code: error.code, detail: error.detail });
      this.#detail = error.detail;
      if (isOfAbsence(error)) this.#reopening.missing(now, LOOK_FOR_CARD_MS);
      else this.#reopening.failed(now);
    }
  }

  /** The card is gone or cannot be believed: it is let go and opened again later. */
  #giveUp(detail: string, now: LocalTime): void {
    this.#log.warn('The sound card failed.', { detail });
    this.#close();
    this.#detail = detail;
    this.#reopening.failed(now);
  }

  #recover({ card, renderer }: OpenCard): void {
    if (this.#stopBefore === undefined) {
      this.#before.underruns += 1;
      this.#tellDryness();
    }
    card.recover();
    renderer.interrupted();
  }

  /** At most once a minute: a machine that is too slow runs dry many times a second. */
  #tellDryness(): void {
    const now = this.#time.now();
    if (this.#dryToldAt !== undefined && now - this.#dryToldAt < DRY_TOLD_NS) return;
    this.#dryToldAt = now;
    this.#log.warn('The sound card ran dry: this thread came too late.', { underruns: this.#before.underruns });
  }

  #closeIfIdle(isWanted: boolean, now: LocalTime): void {
    if (isWanted || !this.#open!.renderer.silent) this.#idleSince = undefined;
    else this.#idleSince ??= now;
    if (this.#idleSince !== undefined && this.#closesInMs(this.#idleSince, now) === 0) this.#close();
  }

  #closesInMs(idleSince: LocalTime, now: LocalTime): number {
    const keptMs = Math.max(LET_GO_MS_MIN, this.#init.idleCloseS * 1_000);
    return Math.max(0, keptMs - Number(now - idleSince) / 1e6);
  }

  #close(): void {
    if (this.#open === undefined) return;
    const { card } = this.#open;
    const { ppm, ppmSigma, fault } = card.line;
    if (ppmSigma < REMEMBERED_SIGMA_PPM && fault === undefined) this.#knownPpm.set(card.format.rate, ppm);
    this.#before = this.#counts();
    this.#lastPpm = ppm;
    this.#open = undefined;
    this.#idleSince = undefined;
    card.close();
  }

  /** Comes back as often as the card needs it; not at all while it is closed and nothing is to be played. */
  #keepTicking(isWanted: boolean, now: LocalTime): void {
    // The card failed while its last fade was to be heard: nothing is left to wait for.
    if (this.#stopBefore !== undefined && this.#open === undefined) {
      this.#finish();
      return;
    }
    if (this.#open !== undefined) {
      const { line } = this.#open.card;
      const calm = this.#shareOfQueue(isWanted || !this.#open.renderer.silent ? TICK_SHARE : IDLE_TICK_SHARE);
      const isWatched = line.coarse || line.ppmSigma > WATCH_SIGMA_PPM;
      this.#tickEvery(!line.isSettled ? SETTLE_TICK_MS : isWatched ? Math.min(WATCH_TICK_MS, calm) : calm);
    } else if (isWanted && this.#reopening.tryAt !== undefined) {
      this.#tickOnce(Math.max(0, Number(this.#reopening.tryAt - now) / 1e6));
    } else {
      this.#stopTicking();
    }
  }

  #shareOfQueue(share: number): number {
    return Math.min(share * this.#init.queueMs, TICK_MS_MAX);
  }

  #tickEvery(periodMs: number): void {
    if (this.#timerMs === periodMs) return;
    this.#stopTicking();
    this.#timerMs = periodMs;
    this.#timer = this.#time.every('player.tick', periodMs, () => this.#tick());
  }

  #tickOnce(delayMs: number): void {
    this.#stopTicking();
    this.#timer = this.#time.after('player.tick', delayMs, () => this.#tick());
  }

  #stopTicking(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerMs = 0;
  }

  /** While stopping: closes once the fade has left the card, or time is up. True once stopped. */
  #finish(): boolean {
    const open = this.#open;
    if (open !== undefined && this.#time.now() < this.#stopBefore!) {
      // What a card plays beyond its queue is what was there a round before: silence is written until all that sounded has left.
      if (!open.renderer.silent || this.#time.now() < this.#soundUntil) return false;
    }
    this.#close();
    this.#stopTicking();
    this.#isRunning = false;
    const stopped = this.#stopped;
    this.#stopped = undefined;
    stopped?.();
    return true;
  }
}

const cardStatus = ({ card: { line }, renderer }: OpenCard): CardStatus => ({
  ppm: line.ppm,
  sigmaUs: line.sigmaUs,
  coarse: line.coarse,
  leaps: line.leaps,
  correctionPpm: renderer.correctionPpm,
});
