/**
 * Proposals: what this node, and others through it, have asked for and not yet seen applied.
 *
 * A proposal's promise is settled by one thing only: its entry was applied *here*. Until then it is asked for again, of whoever leads:
 * handed to this node's own core while it leads, else sent to the leader. That may bring it into the log twice; sessions see to it
 * that it counts once. When the patience is over, the one who asked is told the truth: NO_QUORUM where it never left this node, so
 * that it cannot come any more; OUTCOME_UNKNOWN where it may.
 *
 * What others sent to this node as the leader is kept a little while, for the moment between winning a term and serving, or while a change
 * of members is under way; they ask again anyhow.
 */
import { TuttiError } from '../core/errors.js';
import type { BootId, NodeId, Slot } from '../core/ids.js';
import type { Session } from '../paxos/entry.js';
import { seqBefore, WINDOW } from '../paxos/sessions.js';
import type { Forwarded } from './frames.js';

/**
 * How far apart own proposals under way may be: within what sessions remember, less some for what has a number and does not wait here
 * (first entries of terms, changes of members).
 */
const SPREAD_MAX = WINDOW - 64;
/** Others' proposals that wait to be taken. */
const FOREIGN_MAX = 4_096;
/** After this a proposal that was sent and not applied has an unknown outcome. Milliseconds. */
export const OUTCOME_UNKNOWN_MS = 5_000;
/** After this a proposal that could not be sent to anybody is given up: four elections. Milliseconds. */
export const NO_QUORUM_MS = 2_000;
/** A proposal that was sent is sent again after this long, in case it got lost. Milliseconds. */
const RESEND_MS = 1_000;
/** Others' proposals are forgotten after this long: whoever wants them still asks again. Milliseconds. */
const FOREIGN_MS = 2_000;

interface Pending {
  readonly session: Session;
  readonly payload: Uint8Array;
  readonly askedAtMs: number;
  /** It may have reached a leader: it may yet come. */
  sent: boolean;
  /** `sent` before it was sent last: holds again where it was declined. */
  sentBefore: boolean;
  /** To whom it went last, and when; null where it has to be sent anew. */
  sentTo: string | null;
  sentAtMs: number;
  resolve(slot: Slot): void;
  reject(error: TuttiError): void;
}

interface Foreign {
  readonly proposal: Forwarded;
  readonly atMs: number;
}

/** Who proposes here. */
export interface ProposalsInit {
  readonly node: NodeId;
  readonly boot: BootId;
  /** Which start of this card it is. */
  readonly start: number;
}

/** Own and others' proposals under way at one node. */
export class Proposals {
  readonly #init: ProposalsInit;
  #lastSeq: number;
  /** By number, so in the order in which they were made. */
  readonly #pending = new Map<number, Pending>();
  #foreign: Foreign[] = [];

  constructor(init: ProposalsInit) {
    this.#init = init;
    this.#lastSeq = seqBefore(init.start);
  }

  /** Names the next proposal of this process. Also for what is not kept here: a term's first entry, a change of members. */
  nextSession(): Session {
    const { node, boot } = this.#init;
    return { node, boot, seq: ++this.#lastSeq };
  }

  /** Takes a proposal. @throws TuttiError BUSY */
  add(payload: Uint8Array, nowMs: number, settle: Pick<Pending, 'resolve' | 'reject'>): void {
    const oldest = this.#pending.keys().next().value ?? this.#lastSeq + 1;
    if (this.#lastSeq + 1 - oldest >= SPREAD_MAX) {
      throw new TuttiError('BUSY', `${this.#pending.size} changes wait to be agreed already: ask again in a moment.`);
    }
    const session = this.nextSession();
    const { resolve, reject } = settle;
    this.#pending.set(session.seq, {
      session,
      payload,
      askedAtMs: nowMs,
      sent: false,
      sentBefore: false,
      sentTo: null,
      sentAtMs: nowMs,
      resolve,
      reject,
    });
  }

  /** A peer takes this node for the leader. */
  addForeign(proposals: readonly Forwarded[], nowMs: number): void {
    for (const proposal of proposals) {
      if (this.#foreign.length >= FOREIGN_MAX) return;
      this.#foreign.push({ proposal, atMs: nowMs });
    }
  }

  /** Own proposals that `leader` (names one term of one node) was not sent yet, or long ago. */
  dueFor(leader: string, nowMs: number): Forwarded[] {
    const due: Forwarded[] = [];
    for (const pending of this.#pending.values()) {
      if (pending.sentTo !== leader || nowMs - pending.sentAtMs >= RESEND_MS) due.push(pending);
    }
    return due;
  }

  /** These own proposals are on their way to `leader`. */
  sent(proposals: readonly Forwarded[], leader: string, nowMs: number): void {
    for (const { session } of proposals) {
      const pending = this.#pending.get(session.seq);
      if (pending === undefined) continue;
      pending.sentBefore = pending.sent;
      pending.sent = true;
      pending.sentTo = leader;
      pending.sentAtMs = nowMs;
    }
  }

  /** How much others have asked this node to propose. */
  get foreignCount(): number {
    return this.#foreign.length;
  }

  /** What others have asked this node to propose; they are not kept any more. */
  takeForeign(nowMs: number): Forwarded[] {
    if (this.#foreign.length === 0) return [];
    const due = this.#foreign.filter(({ atMs }) => nowMs - atMs < FOREIGN_MS).map(({ proposal }) => proposal);
    this.#foreign = [];
    return due;
  }

  /** The core of this node did not take a proposal: it is to be asked for again, be it own or another's. */
  declined(proposal: Forwarded, nowMs: number): void {
    const { session } = proposal;
    if (!this.isOwn(session)) {
      this.addForeign([proposal], nowMs);
      return;
    }
    const pending = this.#pending.get(session.seq);
    if (pending === undefined) return;
    pending.sentTo = null;
    pending.sent = pending.sentBefore;
  }

  /** A command of `session` was applied in `slot`, now or before. */
  applied(session: Session, slot: Slot): void {
    if (!this.isOwn(session)) return;
    const pending = this.#pending.get(session.seq);
    if (pending === undefined) return;
    this.#pending.delete(session.seq);
    pending.resolve(slot);
  }

  /** A snapshot took the place of part of the log: `slotOf` says where what was in it was applied. */
  jumped(slotOf: (session: Session) => Slot | null): void {
    for (const { session } of [...this.#pending.values()]) {
      const slot = slotOf(session);
      if (slot !== null) this.applied(session, slot);
    }
  }

  /** Gives up what waited too long. `isLogFull`: it is this node that leads, and its log takes nothing. */
  expire(nowMs: number, isLogFull: boolean): void {
    for (const [seq, { sent, askedAtMs, reject }] of this.#pending) {
      const waitedMs = nowMs - askedAtMs;
      if (waitedMs < (sent ? OUTCOME_UNKNOWN_MS : NO_QUORUM_MS)) continue;
      this.#pending.delete(seq);
      reject(!sent && isLogFull ? logFull() : givenUp(sent));
    }
  }

  /** Gives up everything: this node takes no part any more. */
  stop(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#foreign = [];
    for (const { sent, reject } of pending) reject(givenUp(sent));
  }

  /** Made by this process. */
  isOwn({ node, boot }: Session): boolean {
    return node === this.#init.node && boot === this.#init.boot;
  }
}

const logFull = (): TuttiError =>
  new TuttiError(
    'DISK_FULL',
    'The log of this node, which leads, is full, and its disk has no room for a snapshot: the change was not made.',
  );

const givenUp = (sent: boolean): TuttiError =>
  sent
    ? new TuttiError('OUTCOME_UNKNOWN', 'The change was sent to the leader and no answer came: it may yet take effect.')
    : new TuttiError('NO_QUORUM', 'No leader could be reached, and the change was not sent to anybody.');
