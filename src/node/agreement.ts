/**
 * Agreement: this node's copy of what the house has agreed on, fed by the replicated log.
 *
 * The log hands over bytes in order; here they become the cluster's state, and every proposal finds the outcome that its entry had. All
 * that the rest of the node knows of the log goes through here: asking, reading what is agreed, and hearing that it changed.
 *
 * The state is one object until a snapshot takes its place, which happens to a node that was away for long. So nobody keeps the object:
 * everyone asks for `cluster` each time.
 */
import type { ClockState } from '../clock/cluster-clock.js';
import { Cluster } from '../cluster/cluster.js';
import { encodeProposal } from '../cluster/codec.js';
import type { Command, Origin } from '../cluster/command.js';
import type { Outcome } from '../cluster/outcome.js';
import { assert } from '../core/assert.js';
import type { ClockLine } from '../core/clock-line.js';
import { TuttiError } from '../core/errors.js';
import { Histogram } from '../core/histogram.js';
import type { ItemId, NodeId, Slot, TrackId } from '../core/ids.js';
import { RecentTimes } from '../core/recent-times.js';
import type { ClusterTime, LocalTime } from '../core/units.js';
import type { ReadonlyLibrary } from '../library/library.js';
import type { LogEntry, LogStatus, MemberChange, ReplicatedLog, TermStart } from '../replication/replicated-log.js';

/** For so many slots outcomes wait for their askers: more than can wait in a log. */
const OUTCOMES_MAX = 4_096;
/** Buckets of commit times: a disk takes milliseconds, an election a second. Seconds. */
const COMMIT_BOUNDS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
/** An entry of another node's that is applied later than this after its stamp is caught up with: it says nothing of commits. Milliseconds. */
const CAUGHT_UP_MS = 1_000;

/** The agreed state, to be read: entries alone change it. */
export type AgreedState = Pick<
  Cluster,
  | 'addedUnder'
  | 'appliedSlot'
  | 'commandVersion'
  | 'gainsOf'
  | 'house'
  | 'library'
  | 'member'
  | 'members'
  | 'playback'
  | 'playbackAt'
  | 'reserveUntilNs'
  | 'stillCounts'
  | 'term'
  | 'view'
>;

/** Who hears of changes. Called one at a time, after the state has changed; may ask for more, and must not throw. */
export interface AgreementHandlers {
  /** An entry was applied, or a slot passed over. `track` is the one that it added, renamed or removed. */
  applied(track: TrackId | null): void;
  /** A snapshot took the place of the state, whose library was this one. */
  replaced(before: ReadonlyLibrary): void;
  /** Leadership, quorum or membership changed. */
  statusChanged(): void;
  /** A peer told this by {@link Agreement.tell}. */
  told(from: NodeId, bytes: Uint8Array): void;
  /** A term begins after the whole house was dark, now or in what a start applies once more: the music that was playing stands at this item. */
  darknessEnded(item: ItemId): void;
}

/** Started once; between `start` and `stop` the log is this one's. */
export class Agreement {
  readonly #log: ReplicatedLog;
  readonly #self: NodeId;
  #cluster = Cluster.empty();
  /**
   * Outcomes of the latest slots, each at its slot modulo {@link OUTCOMES_MAX}, for whoever proposed them here. (Of a map whose oldest
   * leaves with each entry, the search for the oldest takes longer than the entry.)
   */
  readonly #outcomes = new Array<{ readonly slot: Slot; readonly outcome: Outcome } | undefined>(OUTCOMES_MAX);
  /** Epoch of the last term that this process began; null where it never led. */
  #ownEpoch: number | null = null;
  #handlers: AgreementHandlers | null = null;
  readonly #commits = new RecentTimes();
  /** What commits took, seconds, whoever led: those that `commitMs` looks at. */
  readonly commitTimes = new Histogram({ bounds: COMMIT_BOUNDS_S });
  /** What came of what was asked here. */
  readonly #asked = { done: 0, refused: 0, failed: 0 };

  constructor(components: { readonly log: ReplicatedLog }, init: { readonly self: NodeId }) {
    this.#log = components.log;
    this.#self = init.self;
  }

  /** Resolves when all that this node's disk knows to be agreed is in `cluster`. See {@link ReplicatedLog.start}. */
  async start(handlers: AgreementHandlers): Promise<void> {
    assert(this.#handlers === null, 'agreement is started once');
    this.#handlers = handlers;
    await this.#log.start({
      apply: (entry) => this.#apply(entry),
      pass: (slot, members) => this.#pass(slot, members),
      termStart: (term) => this.#termStart(term),
      snapshot: () => this.#cluster.snapshot(),
      restore: (bytes, slot) => this.#restore(bytes, slot),
      reserveUntilNs: () => this.#cluster.reserveUntilNs,
      epoch: () => this.#cluster.term?.epoch ?? 0,
      nameOf: (node) => this.#cluster.member(node)?.description?.name ?? null,
      statusChanged: () => handlers.statusChanged(),
      told: (from, bytes) => handlers.told(from, bytes),
    });
  }

  /** Idempotent: no handler is called any more. */
  stop(): Promise<void> {
    return this.#log.stop();
  }

  /** What is agreed, as far as it was applied here. */
  get cluster(): AgreedState {
    return this.#cluster;
  }

  /** Cluster time now. */
  now(): ClusterTime {
    return this.#log.now();
  }

  /** See {@link ReplicatedLog.clockLine}. */
  clockLine(): ClockLine | null {
    return this.#log.clockLine();
  }

  /** See {@link ReplicatedLog.clock}. */
  clock(): ClockState {
    return this.#log.clock();
  }

  /** See {@link ReplicatedLog.tell}. */
  tell(bytes: Uint8Array): void {
    this.#log.tell(bytes);
  }

  /** See {@link ReplicatedLog.status}. */
  status(): LogStatus {
    return this.#log.status();
  }

  /** See {@link ReplicatedLog.leaseUntil}. */
  leaseUntil(): LocalTime | null {
    return this.#log.leaseUntil();
  }

  /** What a commit lately took, nearly always: milliseconds from its stamp until it was applied here, whoever led. */
  get commitMs(): number {
    return this.#commits.typicalMs(this.now());
  }

  /** What came of all that was asked here since the start: done, refused by what was agreed, or failed without an outcome. */
  get asked(): { readonly done: number; readonly refused: number; readonly failed: number } {
    return this.#asked;
  }

  /** See {@link ReplicatedLog.readBarrier}. */
  readBarrier(): Promise<Slot> {
    return this.#unlessRemoved(this.#log.readBarrier());
  }

  /** See {@link ReplicatedLog.changeMembers}. */
  changeMembers(change: MemberChange): Promise<Slot> {
    return this.#unlessRemoved(this.#log.changeMembers(change));
  }

  /**
   * Asks the house for anything. Resolves when it was decided and this node knows.
   * @throws TuttiError BAD_REQUEST, CLUSTER_TOO_OLD, BODY_TOO_LARGE, NO_QUORUM where nothing came into the log; OUTCOME_UNKNOWN, BUSY
   */
  async ask(command: Command, origin: Origin): Promise<Outcome> {
    try {
      const outcome = await this.#ask(command, origin);
      this.#asked[outcome.ok ? 'done' : 'refused'] += 1;
      return outcome;
    } catch (error) {
      this.#asked.failed += 1;
      throw error;
    }
  }

  async #ask(command: Command, origin: Origin): Promise<Outcome> {
    const proposal = { command, origin };
    this.#cluster.check(proposal);
    const slot = await this.#unlessRemoved(this.#log.propose(encodeProposal(proposal)));
    const found = this.#outcomes[slot % OUTCOMES_MAX];
    if (found?.slot === slot) return found.outcome;
    // A snapshot jumped over the slot: it says what the state is, and not how each command fared.
    throw new TuttiError('OUTCOME_UNKNOWN', `slot ${slot} holds it, and this node got to know only what followed`);
  }

  /** A node that was taken out is not to wait for a quorum: none will come. */
  async #unlessRemoved<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof TuttiError) || this.status().role !== 'removed') throw error;
      throw new TuttiError('NODE_REMOVED', 'the others went on without this node', {}, error);
    }
  }

  #apply(entry: LogEntry): void {
    const { slot, stampNs } = entry;
    const { library, term, playback } = this.#cluster;
    const revBefore = library.rev;
    const outcome = this.#cluster.applyEncoded(entry, entry.payload);
    this.#outcomes[slot % OUTCOMES_MAX] = { slot, outcome };
    this.#noteCommit(stampNs);
    const isOfTrack = outcome.ok && outcome.trackId !== undefined && library.rev !== revBefore;
    this.#handlers?.applied(isOfTrack ? outcome.trackId : null);
    if (term !== null && playback.transport.status === 'playing') this.#tellDarkness(term.epoch);
  }

  #noteCommit(stampNs: bigint): void {
    const now = this.now();
    const tookMs = Number(now - stampNs) / 1e6;
    // Below zero where cluster time leaps: the entry that says so is stamped in the new time, and this node does not live in it yet.
    if (tookMs < 0 || (!this.#isOwnTerm() && tookMs >= CAUGHT_UP_MS)) return;
    this.#commits.add(now, tookMs);
    this.commitTimes.add(tookMs / 1_000);
  }

  /** Terms that others began, or this node's earlier processes, are history that is applied once more at a start. */
  #isOwnTerm(): boolean {
    const { term } = this.#cluster;
    return term?.node === this.#self && term.epoch === this.#ownEpoch;
  }

  #tellDarkness(epochBefore: number): void {
    const { term, playback } = this.#cluster;
    if (term?.epoch === epochBefore) return;
    if (playback.transport.status === 'paused') this.#handlers?.darknessEnded(playback.transport.itemId);
  }

  #pass(slot: Slot, members: readonly NodeId[] | undefined): void {
    this.#cluster.pass(slot, members && new Set(members));
    this.#handlers?.applied(null);
  }

  #termStart(term: TermStart): Uint8Array {
    this.#ownEpoch = term.epoch;
    const command: Command = { type: 'leader.begin', node: this.#self, ...term, reproposed: [...term.reproposed] };
    return encodeProposal({ command, origin: { node: this.#self, via: 'node' } });
  }

  #restore(bytes: Uint8Array, slot: Slot): void {
    const restored = Cluster.restore(bytes);
    if (restored.appliedSlot !== slot) {
      const detail = `the snapshot for slot ${slot} holds the state as of slot ${restored.appliedSlot}`;
      throw new TuttiError('BAD_SNAPSHOT', detail);
    }
    const before = this.#cluster.library;
    this.#cluster = restored;
    this.#outcomes.fill(undefined);
    this.#handlers?.replaced(before);
  }
}
