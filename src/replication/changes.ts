/**
 * Changes of members: from the one who asks, to the leader, to the stop-sign, and back.
 *
 * A change is asked for under a session, like any proposal, and asked again of whoever leads until its stop-sign is applied here. The
 * leader looks whether it makes sense *now*, and says so where it does not. A change is settled once the new members work: when something was
 * chosen in their configuration. Whoever is not among them hears no more after the stop-sign, and is answered then.
 *
 * A member is replaced in two steps, so that never fewer cards than before hold what is agreed: the new one comes in as a learner, with the
 * place that it is to take noted beside it; once it has caught up the leader puts it there, and the old one leaves by the same stop-sign.
 * Taking the old one out at once would leave two of three voters, who bear no loss at all, or, once the leader has made the count odd, one.
 */
import { type ErrorCode, isErrorCode, TuttiError } from '../core/errors.js';
import type { NodeId, Slot } from '../core/ids.js';
import { type Configuration, type MemberRecord, sortedMembers } from '../paxos/configuration.js';
import type { ChangeDeclined } from '../paxos/effects.js';
import type { Session } from '../paxos/entry.js';
import type { MemberChange, MemberIdentity } from './replicated-log.js';

/** A change that was sent and did not come has an unknown outcome after this long. Milliseconds. */
const OUTCOME_UNKNOWN_MS = 8_000;
/** A change that could not be sent is given up after this long. Milliseconds. */
const NO_QUORUM_MS = 2_000;
/** Asked again after this long. Milliseconds. */
const RESEND_MS = 1_000;
/** Members of a configuration: see MEMBERS_MAX of the codec; a few less, so that the last ones can be replaced. */
const MEMBERS_MAX = 250;
/** Changes at one node that wait. */
const PENDING_MAX = 16;

interface Pending {
  readonly session: Session;
  readonly change: MemberChange;
  readonly askedAtMs: number;
  sent: boolean;
  sentTo: string | null;
  sentAtMs: number;
  /** Where its stop-sign stands, and the configuration that it began; null before it was applied. */
  done: { readonly slot: Slot; readonly configId: number } | null;
  resolve(slot: Slot): void;
  reject(error: TuttiError): void;
}

/** What the leader says of a change that it does not propose: a code and why, or code null where there is nothing to do. */
export interface ChangeAnswer {
  readonly session: Session;
  readonly code: ErrorCode | null;
  readonly detail: string;
}

/** What a node has asked for. */
export class Changes {
  readonly #pending = new Map<number, Pending>();

  /** Takes a change. @throws TuttiError BUSY */
  add(session: Session, change: MemberChange, nowMs: number, settle: Pick<Pending, 'resolve' | 'reject'>): void {
    if (this.#pending.size >= PENDING_MAX)
      throw new TuttiError('BUSY', `${PENDING_MAX} changes of members wait already.`);
    const { resolve, reject } = settle;
    const asked = { session, change, askedAtMs: nowMs, sent: false, sentTo: null, sentAtMs: nowMs, done: null };
    this.#pending.set(session.seq, { ...asked, resolve, reject });
  }

  /** What has to go to the leader of a term (named by `leader`) now. */
  dueFor(leader: string, nowMs: number): readonly { readonly session: Session; readonly change: MemberChange }[] {
    return [...this.#pending.values()].filter(
      ({ done, sentTo, sentAtMs }) => done === null && (sentTo !== leader || nowMs - sentAtMs >= RESEND_MS),
    );
  }

  /** It is on its way to the leader. */
  sent({ seq }: Session, leader: string, nowMs: number): void {
    const pending = this.#pending.get(seq);
    if (pending !== undefined) Object.assign(pending, { sent: true, sentTo: leader, sentAtMs: nowMs });
  }

  /** The leader's answer to a change of this process. `applied`: how far this node has applied. */
  answered({ session, code, detail }: ChangeAnswer, applied: Slot): void {
    const pending = this.#pending.get(session.seq);
    if (pending === undefined || pending.done !== null) return;
    this.#pending.delete(session.seq);
    if (code === null) pending.resolve(applied);
    else pending.reject(new TuttiError(code, detail));
  }

  /** A stop-sign of this process was applied in `slot`. `stays`: this node is among the new members. */
  applied({ seq }: Session, slot: Slot, next: Configuration, stays: boolean): void {
    const pending = this.#pending.get(seq);
    if (pending === undefined) return;
    pending.done = { slot, configId: next.id };
    if (!stays) this.works(next.id);
  }

  /** Something was chosen in the configuration `configId`. */
  works(configId: number): void {
    if (this.#pending.size === 0) return;
    for (const [seq, { done, resolve }] of this.#pending) {
      if (done === null || done.configId > configId) continue;
      this.#pending.delete(seq);
      resolve(done.slot);
    }
  }

  /** Gives up what waited too long. */
  expire(nowMs: number): void {
    for (const [seq, { sent, askedAtMs, reject }] of this.#pending) {
      if (nowMs - askedAtMs < (sent ? OUTCOME_UNKNOWN_MS : NO_QUORUM_MS)) continue;
      this.#pending.delete(seq);
      reject(givenUp(sent));
    }
  }

  /** Gives up everything. */
  stop(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { sent, reject } of pending) reject(givenUp(sent));
  }
}

const givenUp = (sent: boolean): TuttiError =>
  sent
    ? new TuttiError(
        'OUTCOME_UNKNOWN',
        'The change of members was sent, and was not seen to be agreed: it may yet come.',
      )
    : new TuttiError('NO_QUORUM', 'No leader could be reached, and the change of members was not sent to anybody.');

/**
 * Who takes part after a change; null where that is who does now. `isFit`: a learner that could vote as it stands.
 * @throws TuttiError NODE_NOT_FOUND, BAD_REQUEST where nobody would be left to vote, or a card claims another's place
 */
export function membersAfter(
  change: MemberChange,
  { members }: Configuration,
  isFit: (node: NodeId) => boolean = () => false,
): MemberRecord[] | null {
  const has = (node: NodeId) => members.some((member) => member.node === node);
  switch (change.type) {
    case 'add': {
      const { member } = change;
      return knownAs(member, members) === null ? voting([...members, { ...member, voter: false }]) : null;
    }
    case 'replace': {
      const { member, old } = change;
      const known = knownAs(member, members);
      const leaving = members.find(({ node }) => node === old);
      if (leaving === undefined) {
        if (known !== null) return null;
        throw notFound(old);
      }
      if (known?.replaces === old) return null;
      const others = members.filter(({ node }) => node !== member.node);
      const coming = { ...member, voter: known?.voter ?? false };
      // A learner holds nothing that anybody counts on. It may have come for a place itself, and that is still to be taken.
      if (!leaving.voter) {
        const { replaces } = leaving;
        const rest = others.filter(({ node }) => node !== old);
        return voting([...rest, replaces === undefined ? coming : { ...coming, replaces }]);
      }
      return voting([...others, { ...coming, replaces: old }]);
    }
    case 'remove':
      if (!has(change.node)) throw notFound(change.node);
      return voting(
        inherited(
          members.filter(({ node }) => node !== change.node),
          isFit,
        ),
      );
    case 'voters': {
      const unknown = change.voters.find((node) => !has(node));
      if (unknown !== undefined) throw notFound(unknown);
      const next = members.map((member) => ({ ...member, voter: change.voters.includes(member.node) }));
      return next.every(({ voter }, at) => voter === members[at]!.voter) ? null : voting(next);
    }
  }
}

/** The member that this one is already; null where it is none. @throws TuttiError BAD_REQUEST where another card has its id */
function knownAs(member: MemberIdentity, members: readonly MemberRecord[]): MemberRecord | null {
  const known = members.find(({ node }) => node === member.node);
  if (known === undefined || known.incarnation === member.incarnation) return known ?? null;
  const detail = `The member ${known.name} has this node's id and another card. Make a new id: start with an empty data directory.`;
  throw new TuttiError('BAD_REQUEST', detail);
}

/** The members after one who has come to replace another has taken its place; null where nobody is fit to do so yet. */
export function placeTaken({ members }: Configuration, isFit: (node: NodeId) => boolean): MemberRecord[] | null {
  for (const { replaces, ...coming } of members) {
    const leaving = replaces === undefined ? undefined : members.find(({ node }) => node === replaces);
    if (leaving === undefined || !isFit(coming.node)) continue;
    const others = members.filter(({ node }) => node !== leaving.node && node !== coming.node);
    return voting([...others, { ...coming, voter: coming.voter || leaving.voter }]);
  }
  return null;
}

/** Where the only one that votes goes, as in a house of two, a learner gets its vote by the same stop-sign: there is no vote to wait for. */
function inherited(members: MemberRecord[], isFit: (node: NodeId) => boolean): MemberRecord[] {
  const heir = members.some(({ voter }) => voter) ? undefined : members.find(({ node }) => isFit(node));
  return members.map((member) => (member === heir ? { ...member, voter: true } : member));
}

const notFound = (node: NodeId) => new TuttiError('NODE_NOT_FOUND', `No member has the id ${node}.`);

/** The last voter may not go, however it is asked: nothing could be agreed any more, not even its return. */
function voting(members: MemberRecord[]): MemberRecord[] {
  if (!members.some(({ voter }) => voter)) {
    throw new TuttiError(
      'BAD_REQUEST',
      'Nobody would be left to vote. Let another node in first, and wait until it has all that is agreed.',
    );
  }
  if (members.length > MEMBERS_MAX)
    throw new TuttiError('BAD_REQUEST', `A cluster has at most ${MEMBERS_MAX} members.`);
  return sortedMembers(members.map((member) => withoutVoidPlace(member, members)));
}

/** Whoever was to be replaced may have left another way. */
function withoutVoidPlace({ replaces, ...member }: MemberRecord, members: readonly MemberRecord[]): MemberRecord {
  const isVoid = replaces === undefined || !members.some(({ node }) => node === replaces);
  return isVoid ? member : { ...member, replaces };
}

/** The leader's answer where the core did not take a change; null where the one who asked is to ask again. */
export function answerTo({ session, why }: ChangeDeclined): ChangeAnswer | null {
  if (session === null || why !== 'under-way') return null;
  return { session, code: 'BUSY', detail: 'Another change of members is under way: ask again when it is done.' };
}

/** A code as it came over the wire: one that this version does not know is no code of ours. */
export const knownCode = (text: string): ErrorCode | null =>
  text === '' ? null : isErrorCode(text) ? text : 'BAD_ANSWER';
