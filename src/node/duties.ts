/**
 * Duties: what a node proposes without being asked.
 *
 * Each duty is a comparison of what is agreed with what should be: this process is the one that the log knows of, the node is
 * described as it is, enough cluster time is reserved, and the music of a house that was dark goes on where its owner wants that. What
 * is as it should be costs nothing, so an idle house proposes nothing; what could not be agreed is simply still to be done, and is
 * tried again.
 *
 * Marks are different: they note where the music stands, and are due at instants (an item begins, five minutes have passed, a node
 * ends). One that fails is not made up for.
 */
import { COMMAND_VERSION, type Command } from '../cluster/command.js';
import type { Description } from '../cluster/member.js';
import type { Outcome } from '../cluster/outcome.js';
import { type ErrorCode, TuttiError } from '../core/errors.js';
import type { ItemId } from '../core/ids.js';
import { NS_PER_S } from '../core/units.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import type { Agreement } from './agreement.js';
import type { NodeInit } from './node-init.js';

/** How soon a duty that could not be done is tried again. Milliseconds: longer than an election. */
const RETRY_MS = 1_000;
/** How often it is looked whether anything is due with time alone: reserved time runs out hours ahead. Milliseconds. */
const LOOK_EVERY_MS = 60_000;
/** With less than this ahead, more cluster time is reserved; so much of it at once that an idle house writes once a day. Nanoseconds. */
const RESERVE_BELOW_NS = 3_600n * NS_PER_S;
const RESERVE_AHEAD_NS = 24n * 3_600n * NS_PER_S;
/** The leader notes where the music stands this often within an item: so much of it a dark house may hear again. Milliseconds. */
const MARK_EVERY_MS = 300_000;
/** No more marks than this, however short the songs are. Nanoseconds. */
const MARK_GAP_NS_MIN = NS_PER_S;
/**
 * After an outage the music goes on by itself within this time, or not at all: whoever leads later must not wake the house. Nanoseconds:
 * enough for a few elections, for the one that leads first may not come to it.
 */
const RESUME_WITHIN_NS = 30n * NS_PER_S;
/** How long an orderly end waits for its mark: others may be ending too, and then nobody is left to agree. Milliseconds. */
const LAST_MARK_MS_MAX = 1_000;

/** Failures that pass by themselves, and that status and alerts tell of anyway. */
const PASSING: readonly ErrorCode[] = ['NO_QUORUM', 'OUTCOME_UNKNOWN', 'BUSY', 'DISK_FULL'];

/** What duties are done with. */
export interface DutiesComponents {
  readonly time: Time;
  readonly log: Log;
  readonly agreement: Agreement;
}

/** Between `start` and `stop` (idempotent) it looks whenever it is told to, and at least once a minute. */
export class Duties {
  readonly #time: Time;
  readonly #log: Log;
  readonly #agreement: Agreement;
  readonly #init: NodeInit;
  /** Where this node serves HTTP; null until that is known. */
  #httpUrl: string | null = null;
  /** The item with which the music is to go on, if nobody has touched it since; null where nothing is. */
  #resumeAt: ItemId | null = null;
  #isBusy = false;
  /** Nothing was due at the last look: to look again at every entry would cost more than to apply it. */
  #isSettled = false;
  #willLook = false;
  #isRunning = false;
  #timers: Timer[] = [];
  #retry: Timer | null = null;

  constructor(components: DutiesComponents, init: NodeInit) {
    this.#time = components.time;
    this.#log = components.log;
    this.#agreement = components.agreement;
    this.#init = init;
  }

  start(): void {
    this.#isRunning = true;
    this.#timers = [
      this.#time.every('duties.look', LOOK_EVERY_MS, () => this.look()),
      this.#time.every('transport.mark', MARK_EVERY_MS, () => this.mark()),
    ];
    this.look();
  }

  /** Idempotent: notes where the music stands, if anybody is there to agree on it, and proposes nothing any more. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    for (const timer of this.#timers) timer.cancel();
    this.#retry?.cancel();
    if (this.#isPlaying() && this.#agreement.status().quorum) await this.#lastMark();
  }

  /** From now on the others are to know where this node serves HTTP. */
  announce(httpUrl: string): void {
    this.#httpUrl = httpUrl;
    this.look();
  }

  /** The house was dark, lately or long ago, while this item played: its owner said whether the music goes on. */
  darknessEnded(item: ItemId): void {
    if (this.#init.resumeAfterOutage === 'play') this.#resumeAt = item;
    this.look();
  }

  /** An entry was applied. Where nothing was due before, none makes it so but such as `look` is called for anyway. */
  applied(): void {
    if (this.#isSettled || this.#willLook) return;
    // Once for all that are applied in this turn of the event loop: a node that was away applies thousands.
    this.#willLook = true;
    queueMicrotask(() => {
      this.#willLook = false;
      this.look();
    });
  }

  /** Something else changed: does what is due, one proposal at a time. */
  look(): void {
    if (!this.#isRunning || this.#isBusy || this.#retry !== null) return;
    const command = this.#due();
    this.#isSettled = command === null && this.#agreement.status().quorum;
    if (command === null) return;
    this.#isBusy = true;
    void this.#propose(command).then((done) => {
      this.#isBusy = false;
      if (done) this.look();
      else if (this.#isRunning) this.#retry = this.#time.after('duties.retry', RETRY_MS, () => this.#tryAgain());
    });
  }

  /** The leader notes where the music stands: at the beginning of an item, say. */
  mark(): void {
    const { markedAt } = this.#agreement.cluster.playback;
    if (!this.#isRunning || this.#agreement.status().role !== 'leader' || !this.#isPlaying()) return;
    if (this.#agreement.now() - markedAt >= MARK_GAP_NS_MIN) void this.#propose({ type: 'transport.mark' });
  }

  #tryAgain(): void {
    this.#retry = null;
    this.look();
  }

  /** The first thing that is not as it should be; null where all is, or nothing can be agreed now. */
  #due(): Command | null {
    const { leader, quorum, role } = this.#agreement.status();
    if (leader === null || !quorum || role === 'removed') return null;
    const { cluster } = this.#agreement;
    const { id: node, incarnation, bootId } = this.#init;
    const member = cluster.member(node);
    if (member?.boot?.bootId !== bootId) return { type: 'member.boot', node, incarnation, bootId };
    const description = this.#description();
    if (description !== null && !isSame(description, member.description)) {
      return { type: 'node.describe', node, ...description };
    }
    if (role !== 'leader') return null;
    const now = this.#agreement.now();
    if (cluster.reserveUntilNs - now < RESERVE_BELOW_NS) {
      return { type: 'leader.reserve', reserveUntilNs: now + RESERVE_AHEAD_NS };
    }
    if (this.#resumeAt === null || !this.#isAsLeft(this.#resumeAt)) {
      this.#resumeAt = null;
      return null;
    }
    return { type: 'transport.play', expectItem: this.#resumeAt };
  }

  /** The music stands where the outage left it, just now, and nobody has touched it since. */
  #isAsLeft(item: ItemId): boolean {
    const { transport, changedBy } = this.#agreement.cluster.playback;
    if (transport.status !== 'paused' || transport.itemId !== item || changedBy?.via !== 'node') return false;
    return this.#agreement.now() - changedBy.at < RESUME_WITHIN_NS;
  }

  #description(): Description | null {
    const { name, address, version } = this.#init;
    if (this.#httpUrl === null) return null;
    return { name, address: address(), httpUrl: this.#httpUrl, version, commandVersion: COMMAND_VERSION };
  }

  /** False where it was not done. */
  async #propose(command: Command): Promise<boolean> {
    let outcome: Pick<Outcome, 'ok'> | { readonly code: ErrorCode; readonly detail: string };
    try {
      outcome = await this.#agreement.ask(command, { node: this.#init.id, via: 'node' });
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      outcome = error;
    }
    if ('ok' in outcome && outcome.ok) return true;
    const { code, detail } = outcome as { readonly code: ErrorCode; readonly detail: string };
    const level = PASSING.includes(code) ? 'debug' : 'warn';
    this.#log[level]('A proposal of this node was not agreed.', { type: command.type, code, detail });
    return false;
  }

  /** Any node's: where the whole house is switched off, nobody knows who is the last. */
  async #lastMark(): Promise<void> {
    let enough = () => {};
    const patience = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const timer = this.#time.after('transport.last-mark', LAST_MARK_MS_MAX, enough);
    await Promise.race([this.#propose({ type: 'transport.mark' }), patience]);
    timer.cancel();
  }

  #isPlaying(): boolean {
    const { cluster } = this.#agreement;
    return cluster.playbackAt(this.#agreement.now()).transport.status === 'playing';
  }
}

const isSame = (wanted: Description, known: Description | null): boolean =>
  known !== null && (Object.keys(wanted) as (keyof Description)[]).every((field) => wanted[field] === known[field]);
