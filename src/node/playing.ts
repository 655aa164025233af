/**
 * Playing: from what is agreed to what this node's player is told.
 *
 * The player has a thread of its own and knows nothing of the log: it gets a program (what sounds when, in cluster time) whenever that
 * changed, and a line that gives it cluster time whenever that moved. Ends of songs need no entry in the log: a timer wakes this part
 * then, so that watchers hear of it and the program reaches on.
 */
import { LEAD_NS_MAX } from '../cluster/command.js';
import { type ClockLine, readClock } from '../core/clock-line.js';
import { addTime, type ClusterTime, type LocalTime, NS_PER_MS, NS_PER_S } from '../core/units.js';
import { endOfCurrent } from '../playback/timeline.js';
import type { WantedChunk } from '../player/checked-file.js';
import type { PlayerStatus } from '../player/loop.js';
import type { Player } from '../player/player.js';
import type { Time, Timer } from '../ports/time.js';
import type { Agreement } from './agreement.js';
import { type ClockStatus, clockStatus, mayStart } from './clock-status.js';
import type { NodeInit } from './node-init.js';
import { programOf, type SoundSettings } from './program.js';
import type { Report } from './report.js';

/**
 * What a change of sound needs to reach this node's card beyond what is queued there already and what the reader takes to fetch sound from
 * another place: the player is woken, and renders a block; on a busy machine others have their turn first. Milliseconds.
 */
const HAND_OVER_MS = 15;
/** What a fetch takes where nothing is known yet, and what is allowed for it in any case: not every file is in memory. Milliseconds. */
const FETCH_MS = 25;
const FETCH_MS_MIN = 10;
/**
 * The same where the card was let go: it has to be opened, and its rate and queue to be found out. With a commit the sound is there within
 * 600 ms. Milliseconds.
 */
const LEAD_CLOSED_CARD_MS = 500;
/** A card that will be let go so soon counts as closed: reports come once a second, and whoever leads has to know by then. Milliseconds. */
const CLOSING_MS = 1_000;
/** The cluster takes no longer lead. Milliseconds. */
const LEAD_MS_MAX = Number(LEAD_NS_MAX / NS_PER_MS);
/** A clock that is worse than this is not waited for. Milliseconds. */
const CLOCK_MS_MAX = 5;
/** No more wake-ups for ends of songs than this: a program reaches 64 songs ahead anyway. Milliseconds. */
const BOUNDARY_MS_MIN = 50;
/** How often it is looked whether cluster time runs along another line: while it slews that changes a little all the time. Milliseconds. */
const CLOCK_EVERY_MS = 100;
/** Two lines that come no further apart than this, now and within a second, are one: a hundredth of a frame. Nanoseconds. */
const SAME_LINE_NS = 200n;

/** The thread that plays. */
export type Playout = Pick<Player, 'start' | 'set' | 'setClock' | 'status' | 'stop'>;

/** What playing is done with. */
export interface PlayingComponents {
  readonly time: Time;
  readonly agreement: Agreement;
  readonly playout: Playout;
  /** The most that any other node needs for a change of sound, milliseconds. */
  readonly othersNeedMs: () => number;
  /** A song has ended, and nobody had to say so. */
  readonly songEnded: () => void;
  /** What is to sound soon, or should sound already, lacks a chunk. */
  readonly wanted: (chunk: WantedChunk) => void;
}

/** Started once, when what the disk knows to be agreed was applied; after `stop` (idempotent) the player is silent. */
export class Playing {
  readonly #time: Time;
  readonly #agreement: Agreement;
  readonly #playout: Playout;
  readonly #othersNeedMs: () => number;
  readonly #songEnded: () => void;
  readonly #wanted: (chunk: WantedChunk) => void;
  readonly #init: NodeInit;
  #isRunning = false;
  #willRefresh = false;
  #generation = 0;
  #line: ClockLine | null = null;
  #mayStart = false;
  #clockTimer: Timer | null = null;
  #boundary: Timer | null = null;

  constructor(components: PlayingComponents, init: NodeInit) {
    this.#time = components.time;
    this.#agreement = components.agreement;
    this.#playout = components.playout;
    this.#othersNeedMs = components.othersNeedMs;
    this.#songEnded = components.songEnded;
    this.#wanted = components.wanted;
    this.#init = init;
  }

  async start(): Promise<void> {
    await this.#playout.start({ wanted: this.#wanted });
    this.#isRunning = true;
    this.#clockTimer = this.#time.every('playing.clock', CLOCK_EVERY_MS, () => this.followClock());
    this.followClock();
    this.#refresh();
  }

  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#clockTimer?.cancel();
    this.#boundary?.cancel();
    await this.#playout.stop();
  }

  /** Hands the player cluster time, where it runs along another line by now, or is known better or worse. */
  followClock(): void {
    const line = this.#agreement.clockLine();
    if (!this.#isRunning || line === null) return;
    const isClose = mayStart(this.#agreement.clock(), this.#init.clockErrorUs);
    if (isClose === this.#mayStart && isSameLine(line, this.#line, this.#time.now())) return;
    this.#line = line;
    this.#mayStart = isClose;
    this.#playout.setClock(line, isClose);
  }

  clockStatus(): ClockStatus {
    return clockStatus(this.#agreement.clock(), this.#init.clockErrorUs);
  }

  /** This node as of now, for the others. */
  report(): Omit<Report, 'atNs'> {
    const { driver, device, state, reason, errorUs, ppm, underruns, snaps, late } = this.status();
    const { volumeLimit } = this.sound();
    return {
      clock: this.clockStatus(),
      output: {
        driver: driver as Report['output']['driver'],
        device: device.slice(0, 255),
        state,
        reason: reason ?? null,
        errorUs,
        ppm,
        underruns,
        snaps,
        late,
        volumeLimit,
      },
      needMs: this.needMs,
    };
  }

  /** Something agreed has changed: the player gets its program anew, once for all that changes in this turn of the event loop. */
  refresh(): void {
    if (this.#willRefresh) return;
    this.#willRefresh = true;
    queueMicrotask(() => this.#refresh());
  }

  isPlaying(): boolean {
    const { cluster } = this.#agreement;
    return cluster.playbackAt(this.#agreement.now()).transport.status === 'playing';
  }

  /** How the sound leaves this node. One that has no card is silent whenever music plays, and says so. */
  status(): PlayerStatus {
    const status = this.#playout.status();
    return status.driver === 'none' && this.isPlaying()
      ? { ...status, state: 'silent', reason: 'OUTPUT_UNAVAILABLE' }
      : status;
  }

  /** How this node sounds: its configuration, and what was set from afar. */
  sound(): SoundSettings {
    const { sound, id } = this.#init;
    const output = this.#agreement.cluster.member(id)?.output;
    return {
      ...sound,
      channels: output?.channels ?? sound.channels,
      latencyUs: output?.latencyUs ?? sound.latencyUs,
    };
  }

  /** What a change of sound needs to be obeyed on every node, from the stamp on, where this node leads. Milliseconds. */
  get leadMs(): number {
    return Math.max(this.needMs, this.#othersNeedMs());
  }

  /**
   * What a change of sound needs to be obeyed here, from the stamp on: it has to be agreed and known here, and there has to be time to obey.
   * A node that plays earlier by its latency has to know earlier; so has one whose clock may be behind. Milliseconds.
   */
  get needMs(): number {
    const { queueMs, latencyUs } = this.sound();
    const { driver, state, closesInMs = Infinity, fetchMs = FETCH_MS } = this.#playout.status();
    const isClosed = driver !== 'none' && (state === 'closed' || closesInMs <= CLOSING_MS);
    const openMs = queueMs + HAND_OVER_MS + Math.max(FETCH_MS_MIN, fetchMs);
    const cardMs = isClosed ? Math.max(LEAD_CLOSED_CARD_MS, openMs) : openMs;
    const clockMs = Math.min((this.#agreement.clock().errorNs ?? 0) / 1e6, CLOCK_MS_MAX);
    const { commitMs } = this.#agreement;
    return Math.min(LEAD_MS_MAX, commitMs + cardMs + clockMs + Math.max(0, latencyUs) / 1_000);
  }

  /** The program, and a timer for the next end of a song. */
  #refresh(): void {
    this.#willRefresh = false;
    if (!this.#isRunning) return;
    const now = this.#agreement.now();
    const { cluster } = this.#agreement;
    const { playback, library } = cluster;
    const agreed = { playback, library, gainSteps: cluster.gainsOf(this.#init.id) };
    this.#playout.set(programOf(++this.#generation, agreed, this.sound(), now));
    this.#boundary?.cancel();
    const end = endOfCurrent(cluster.playbackAt(now));
    this.#boundary = end === null ? null : this.#time.after('song.end', msUntil(now, end), () => this.#ended());
  }

  #ended(): void {
    this.#refresh();
    this.#songEnded();
  }
}

function isSameLine(a: ClockLine, b: ClockLine | null, now: LocalTime): boolean {
  if (b === null) return false;
  const isNearAt = (at: LocalTime) => {
    const apart = readClock(a, at) - readClock(b, at);
    return apart <= SAME_LINE_NS && apart >= -SAME_LINE_NS;
  };
  return isNearAt(now) && isNearAt(addTime(now, NS_PER_S));
}

/** Milliseconds from `now` to `end`, rounded up. */
const msUntil = (now: ClusterTime, end: ClusterTime): number =>
  Math.max(BOUNDARY_MS_MIN, Number((end - now + NS_PER_MS - 1n) / NS_PER_MS));
