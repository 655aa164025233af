/**
 * Playing: from what is agreed to what this node's player is told.
 *
 * The player has a thread of its own and knows nothing of the log: it gets a program (what sounds when, in cluster time) whenever that
 * changed, and a line that gives it cluster time whenever that moved. Ends of songs need no entry in the log: a timer wakes this part
 * then, so that watchers hear of it and the program reaches on.
 */
import { LEAD_NS_MAX } from '../cluster/command.js';
import type { ClockLine } from '../core/clock-line.js';
import { type ClusterTime, NS_PER_MS } from '../core/units.js';
import { endOfCurrent } from '../playback/timeline.js';
import type { PlayerStatus } from '../player/loop.js';
import type { Player } from '../player/player.js';
import type { Time, Timer } from '../ports/time.js';
import type { Agreement } from './agreement.js';
import type { NodeInit } from './node-init.js';
import { programOf, type SoundSettings } from './program.js';

/**
 * What a change of sound needs to reach this node's card beyond what is queued there already: 15 ms until the player looks at its queue
 * again and has rendered a block, and 25 ms for the reader to open another file. Milliseconds.
 */
const LEAD_BEYOND_QUEUE_MS = 40;
/** The cluster takes no longer lead. Milliseconds. */
const LEAD_MS_MAX = Number(LEAD_NS_MAX / NS_PER_MS);
/** No more wake-ups for ends of songs than this: a program reaches 64 songs ahead anyway. Milliseconds. */
const BOUNDARY_MS_MIN = 50;
/** How often cluster time is taken from the log: between two, a crystal is off by microseconds. Milliseconds. */
const CLOCK_EVERY_MS = 1_000;

/** The thread that plays. */
export type Playout = Pick<Player, 'start' | 'set' | 'setClock' | 'status' | 'stop'>;

/** What playing is done with. */
export interface PlayingComponents {
  readonly time: Time;
  readonly agreement: Agreement;
  readonly playout: Playout;
  /** A song has ended, and nobody had to say so. */
  readonly songEnded: () => void;
}

/** Started once, when what the disk knows to be agreed was applied; after `stop` (idempotent) the player is silent. */
export class Playing {
  readonly #time: Time;
  readonly #agreement: Agreement;
  readonly #playout: Playout;
  readonly #songEnded: () => void;
  readonly #init: NodeInit;
  #isRunning = false;
  #willRefresh = false;
  #generation = 0;
  #line: ClockLine | null = null;
  #clockTimer: Timer | null = null;
  #boundary: Timer | null = null;

  constructor(components: PlayingComponents, init: NodeInit) {
    this.#time = components.time;
    this.#agreement = components.agreement;
    this.#playout = components.playout;
    this.#songEnded = components.songEnded;
    this.#init = init;
  }

  async start(): Promise<void> {
    await this.#playout.start();
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

  /** Hands the player cluster time, where it runs along another line by now. */
  followClock(): void {
    const line = this.#agreement.clockLine();
    if (!this.#isRunning || line === null || isSameLine(line, this.#line)) return;
    this.#line = line;
    this.#playout.setClock(line);
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

  /**
   * What a change of sound needs to be obeyed here, from the leader's stamp on. A node that plays earlier by its latency has to know
   * earlier. Milliseconds.
   */
  get leadMs(): number {
    const { queueMs, latencyUs } = this.sound();
    const { commitMs } = this.#agreement;
    return Math.min(LEAD_MS_MAX, commitMs + queueMs + LEAD_BEYOND_QUEUE_MS + Math.max(0, latencyUs) / 1_000);
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

const isSameLine = (a: ClockLine, b: ClockLine | null): boolean =>
  b !== null && a.localAt === b.localAt && a.clusterAt === b.clusterAt && a.driftPpm === b.driftPpm;

/** Milliseconds from `now` to `end`, rounded up. */
const msUntil = (now: ClusterTime, end: ClusterTime): number =>
  Math.max(BOUNDARY_MS_MIN, Number((end - now + NS_PER_MS - 1n) / NS_PER_MS));
