/**
 * Requests: what this node is asked for, and by whom it is done.
 *
 * Proposals wait in proposals.ts, readers in read-barriers.ts, changes of members in membership.ts. From here they are handed on: to
 * this node's own core while it leads, else to the leader. That happens once for all that came within a turn of the event loop, whenever
 * somebody else leads, whenever the disk is done with a batch, and at every tick for what has to be asked for again.
 */
import { type NodeId, type Slot, slot as slotOf } from '../core/ids.js';
import type { Declined } from '../paxos/effects.js';
import type { Session } from '../paxos/entry.js';
import { FORWARDED_MAX, type Forwarded } from './frames.js';
import type { Leadership } from './leadership.js';
import type { Membership } from './membership.js';
import type { Proposals } from './proposals.js';
import { ReadBarriers } from './read-barriers.js';
import { leaderOf, type Self, serves } from './self.js';

/**
 * Batches of proposals that a leader has under way at once, on its own disk and on their way to a quorum: one that is written, and one that
 * waits. More would only split what could go down together. So would a second one that is smaller than the first: every node pays for a
 * batch, hardly for what is in it.
 */
const BATCHES_MAX = 2;
/** Bytes of proposals in one frame to the leader: far below what a control message takes. */
const FORWARD_BYTES_MAX = 256 << 10;

/** What requests are handed on with. */
export interface RequestsComponents {
  readonly self: Self;
  readonly proposals: Proposals;
  readonly membership: Membership;
  readonly leadership: Leadership;
  /** Writes of the core that are on their way to the disk. */
  readonly outstanding: () => number;
  /** The log has no room for new commands at present. */
  readonly isLogFull: () => boolean;
  /** Calls back when this turn of the event loop is over. */
  readonly defer: (callback: () => void) => void;
}

/** What a leader has proposed in one term and not yet seen applied. */
interface UnderWay {
  /** Null where this node did not lead. */
  readonly term: string | null;
  readonly sessions: Set<string>;
  /** Batches that are not chosen yet: the last slot of each, and how many proposals it holds. */
  readonly batches: { readonly end: Slot; readonly count: number }[];
}

const underWay = (term: string | null): UnderWay => ({ term, sessions: new Set(), batches: [] });

/** How a request is answered: once. */
export interface Settle {
  resolve(slot: Slot): void;
  reject(error: Error): void;
}

/** Proposals and reads under way at one node. */
export class Requests {
  readonly #components: RequestsComponents;
  readonly #reads = new ReadBarriers();
  #isFlushDue = false;
  #isOver = false;
  /** What was handed to the core within the step under way. */
  readonly #handed = new Map<Session, Forwarded>();
  /**
   * What this leader has proposed in its term and not yet applied. Whoever asked for it asks again while nothing is chosen, and each time
   * would fill another slot.
   */
  #underWay: UnderWay = underWay(null);

  constructor(components: RequestsComponents) {
    this.#components = components;
  }

  /** Settled once the proposal is applied here. @throws TuttiError BUSY */
  propose(payload: Uint8Array, settle: Settle): void {
    const { self, proposals } = this.#components;
    proposals.add(payload, self.nowMs(), settle);
    this.flushSoon();
  }

  /** Settled with a slot that is applied here, and up to which is all that was answered before. @throws TuttiError BUSY */
  read({ resolve, reject }: Settle): void {
    this.#reads.add({ askedAtMs: this.#components.self.nowMs(), resolve, reject });
    this.flushSoon();
  }

  /** A peer takes this node for the leader. */
  forwarded(from: NodeId, proposals: readonly Forwarded[]): void {
    const { self } = this.#components;
    // What it proposes would make its boot the one that is known.
    if (self.state.distrusted.has(from)) return;
    const isNew = ({ session }: Forwarded) => session.node === from && self.slotOf(session) === null;
    this.#components.proposals.addForeign(proposals.filter(isNew), self.nowMs());
    this.flushSoon();
  }

  /** The core did not take these. */
  declined(declined: readonly Declined[]): void {
    const { self, proposals } = this.#components;
    const nowMs = self.nowMs();
    for (const { session } of declined) {
      const proposal = this.#handed.get(session);
      this.#underWay.sessions.delete(sessionText(session));
      if (proposal !== undefined) proposals.declined(proposal, nowMs);
    }
  }

  /** The core's answer to a reader: a slot, or null where none is known at present. */
  readAnswered(id: number, slot: Slot | null): void {
    this.#reads.answer(id, slot, this.#components.self.applied());
  }

  /** A proposal is applied here. */
  applied(session: Session, slot: Slot): void {
    this.#underWay.sessions.delete(sessionText(session));
    this.#components.proposals.applied(session, slot);
  }

  /** A snapshot took the place of part of the log: what was in it is applied. */
  jumped(): void {
    this.#components.proposals.jumped(this.#components.self.slotOf);
  }

  /** After every event of the core: more may be applied, or a batch be chosen, which makes room for the next. */
  afterStep(): void {
    const { self } = this.#components;
    this.#reads.applied(self.applied());
    const { batches } = this.#underWay;
    const wereUnderWay = batches.length;
    while (batches.length > 0 && batches[0]!.end <= self.state.chosenUpTo) batches.shift();
    if (batches.length < wereUnderWay) this.flushSoon();
  }

  /** Gives up what waited too long, and asks again for what did not come. */
  tick(): void {
    const { self, proposals, isLogFull } = this.#components;
    const nowMs = self.nowMs();
    proposals.expire(nowMs, serves(self) && isLogFull());
    this.#reads.expire(nowMs);
    this.flush();
  }

  /** Hands on what waits when this turn of the event loop is over. */
  flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#components.defer(() => {
      this.#isFlushDue = false;
      this.flush();
    });
  }

  /** Hands on what waits. */
  flush(): void {
    if (this.#isOver) return;
    const { self, membership, leadership, outstanding, isLogFull } = this.#components;
    const nowMs = self.nowMs();
    const question = this.#reads.question(nowMs);
    if (question !== null) self.handle({ type: 'read', id: question });
    const { term } = leadership;
    if (term === null) return;
    membership.flush(term, nowMs);
    if (self.state.role.type !== 'leader') this.#forward(term, nowMs);
    else if (serves(self) && outstanding() < BATCHES_MAX && !isLogFull() && !membership.isFrozen)
      this.#proposeHere(term, nowMs);
  }

  /** Refuses everybody, and hands nothing on any more. */
  stop(): void {
    this.#isOver = true;
    this.#components.proposals.stop();
    this.#reads.stop();
  }

  #proposeHere(term: string, nowMs: number): void {
    const { self, proposals, leadership } = this.#components;
    if (this.#underWay.term !== term) this.#underWay = underWay(term);
    const { sessions, batches } = this.#underWay;
    if (batches.length >= BATCHES_MAX) return;
    const own = proposals.dueFor(term, nowMs);
    if (own.length + proposals.foreignCount < (batches.at(-1)?.count ?? 0)) return;
    const due = [...own, ...proposals.takeForeign(nowMs)].filter(({ session }) => !sessions.has(sessionText(session)));
    proposals.sent(own, term, nowMs);
    if (due.length === 0) return;
    for (const { session } of due) sessions.add(sessionText(session));
    const stamps = leadership.stamps();
    for (const proposal of due) this.#handed.set(proposal.session, proposal);
    self.handle({ type: 'propose', proposals: due.map(({ session, payload }) => ({ session, payload, ...stamps })) });
    this.#handed.clear();
    const { role } = self.state;
    if (role.type === 'leader') batches.push({ end: slotOf(role.next - 1), count: due.length });
  }

  #forward(term: string, nowMs: number): void {
    const { self, proposals } = this.#components;
    const to = leaderOf(self);
    if (to === null) return;
    const due = proposals.dueFor(term, nowMs);
    for (let from = 0; from < due.length; ) {
      let end = from;
      for (let bytes = 0; end < due.length && end - from < FORWARDED_MAX && bytes < FORWARD_BYTES_MAX; end++) {
        bytes += due[end]!.payload.length;
      }
      const part = due.slice(from, end);
      if (!self.send(to, { type: 'forward', proposals: part })) return;
      proposals.sent(part, term, nowMs);
      from = end;
    }
  }
}

const sessionText = ({ node, boot, seq }: Session): string => `${node} ${boot} ${seq}`;
