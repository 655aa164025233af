/**
 * Membership: who takes part, and who of them votes.
 *
 * A change is asked for at any node, goes to the leader, and is there looked at, let through the gate, and proposed as a stop-sign: see
 * changes.ts for what waits, and for what a change makes of the members. Beside what people ask for, the leader looks now and then whether
 * others should vote (voters.ts), and changes that by the same way.
 *
 * The gate (gate.ts) is a question to the house, which may take a while: would those who vote then still have all that was promised? Whoever
 * comes while another change stands at it asks again. A newcomer does not pass it: who only learns holds nothing that anybody counts on.
 */
import { TuttiError } from '../core/errors.js';
import type { NodeId, Slot } from '../core/ids.js';
import { acceptQuorum, isMember, type MemberRecord } from '../paxos/configuration.js';
import type { ChangeDeclined } from '../paxos/effects.js';
import type { Session, StopSignEntry } from '../paxos/entry.js';
import { answerTo, type ChangeAnswer, Changes, knownCode, membersAfter, placeTaken } from './changes.js';
import type { Frame } from './frames.js';
import { Gate, type GateAnswer, type GateQuestion } from './gate.js';
import type { Peers } from './peers.js';
import type { Proposals } from './proposals.js';
import type { MemberChange } from './replicated-log.js';
import { leaderOf, type Self, serves } from './self.js';
import { betterVoters, type Candidate, isFit } from './voters.js';

/** How often a leader looks whether others should vote. Milliseconds. */
const VOTERS_EVERY_MS = 1_000;
/** A change of voters of its own that the gate did not let through is tried again after this long. Milliseconds: files take their time. */
const GATE_AGAIN_MS = 5_000;
/** Answers that a leader remembers: who asks again, since the answer is still on its way, is not to be asked for a second time. */
const ANSWERS_MAX = 64;
/** Slots that a learner may be behind and still count as caught up: what a busy house agrees on in some seconds. */
const CAUGHT_UP_SLOTS = 64;

/** What membership needs. */
export interface MembershipComponents {
  readonly self: Self;
  readonly peers: Pick<Peers, 'upSinceMs'>;
  readonly proposals: Pick<Proposals, 'nextSession' | 'isOwn'>;
  /** What had to wait while the gate was frozen may be proposed. */
  readonly thawed: () => void;
}

/** Who decides. */
export interface MembershipInit {
  /** `auto`: this node changes who votes while it leads. */
  readonly voters: 'auto' | 'hand';
  /** May the house change to these members? Always where it is left out. */
  readonly gate?: GateQuestion | undefined;
}

/** Changes of members, from where they are asked for to where they are settled. */
export class Membership {
  readonly #components: MembershipComponents;
  readonly #init: MembershipInit;
  /** Asked for at this node. */
  readonly #changes = new Changes();
  /** Of the change that this leader proposed last. */
  #sealing: Session | null = null;
  readonly #gate: Gate | null;
  #votersLookedAtMs = 0;
  /** Not before this does it try again of itself to have others vote. Local milliseconds. */
  #restUntilMs = 0;
  /** Why the gate was closed the last time for a change of its own. */
  #closedFor: string | null = null;
  /** By session. */
  readonly #answers = new Map<string, ChangeAnswer>();

  constructor(components: MembershipComponents, init: MembershipInit) {
    this.#components = components;
    this.#init = init;
    const { self, thawed } = components;
    this.#gate = init.gate === undefined ? null : new Gate({ self, ask: init.gate, thawed });
  }

  /** This leader is to propose nothing new: a change of voters is about to be. */
  get isFrozen(): boolean {
    return this.#gate?.isFrozen ?? false;
  }

  /** Settled once the new members work. Goes to the leader at the next {@link flush}. @throws TuttiError BUSY */
  change(change: MemberChange, settle: Parameters<Changes['add']>[3]): void {
    const { self, proposals } = this.#components;
    this.#changes.add(proposals.nextSession(), change, self.nowMs(), settle);
  }

  /** Asks the leader of a term for what waits. */
  flush(term: string, nowMs: number): void {
    const { self } = this.#components;
    const to = leaderOf(self);
    for (const { session, change } of this.#changes.dueFor(term, nowMs)) {
      if (serves(self)) {
        this.#changes.sent(session, term, nowMs);
        this.#changeHere(session, change);
      } else if (to !== null && self.state.role.type !== 'leader') {
        const isSent = self.send(to, { type: 'change', session, change });
        if (isSent) this.#changes.sent(session, term, nowMs);
      }
    }
  }

  /** A peer takes this node for the leader. */
  asked(from: NodeId, { session, change }: Extract<Frame, { readonly type: 'change' }>): void {
    if (session.node === from && serves(this.#components.self)) this.#changeHere(session, change);
  }

  /** The leader will not propose what this node asked for. */
  answered({ session, code, detail }: Extract<Frame, { readonly type: 'change-answer' }>): void {
    const { self, proposals } = this.#components;
    if (proposals.isOwn(session)) this.#changes.answered({ session, code: knownCode(code), detail }, self.applied());
  }

  /** The core did not take these. */
  declined(changes: readonly ChangeDeclined[]): void {
    for (const change of changes) {
      const answer = answerTo(change);
      if (answer !== null) this.#answer(answer);
    }
  }

  /** Something is applied in a slot of the configuration that holds. */
  works(): void {
    this.#changes.works(this.#components.self.configuration().id);
  }

  /** A change is applied. */
  applied(slot: Slot, { session, next }: StopSignEntry): void {
    const { self, proposals } = this.#components;
    if (session === null || !proposals.isOwn(session)) return;
    this.#changes.applied(session, slot, next, isMember(next, self.node));
  }

  /** After every event of the core, and at every tick. */
  lookAtGate(): void {
    this.#gate?.look();
  }

  /** Gives up what waited too long. */
  expire(): void {
    this.#changes.expire(this.#components.self.nowMs());
  }

  /** Sees to it that the right ones vote, and that places are taken by those who came for them, while this node leads. */
  lookAtVoters(): void {
    const { self } = this.#components;
    const nowMs = self.nowMs();
    if (!serves(self) || nowMs - this.#votersLookedAtMs < VOTERS_EVERY_MS || nowMs < this.#restUntilMs) return;
    this.#votersLookedAtMs = nowMs;
    const members = this.#placeTaken() ?? (this.#init.voters === 'hand' ? null : this.#betterVoters());
    if (members !== null) this.#pass(null, members);
  }

  /** Gives up what waits. */
  stop(): void {
    this.#changes.stop();
    this.#gate?.stop();
  }

  /** Somebody asks this leader for a change of members, perhaps for the second time. */
  #changeHere(session: Session, change: MemberChange): void {
    const { self } = this.#components;
    const told = this.#answers.get(sessionText(session));
    if (told !== undefined) {
      this.#answer(told);
      return;
    }
    const { role } = self.state;
    // What was proposed in an earlier term is under way only if its stop-sign was found again; then sessions tell.
    const isSealed = role.type === 'leader' && role.sealedAt !== null;
    const isUnderWay = isSealed && this.#sealing !== null && isSame(this.#sealing, session);
    if (isUnderWay || self.slotOf(session) !== null) return;
    // Who comes in only learns at first; and where a person accepts a loss nobody needs to be asked about it.
    const isGated = change.type === 'voters' || (change.type === 'remove' && !change.acceptLoss);
    // It may be this very one that stands there, and it is not to be refused here while it passes.
    if (isGated && this.#gate?.isTaken) return;
    try {
      const fit = this.#fit();
      const members = membersAfter(change, self.configuration(), (node) => fit.has(node));
      if (members === null) {
        this.#answer({ session, code: null, detail: '' });
        return;
      }
      if (change.type === 'remove' || change.type === 'voters') this.#checkQuorum(members);
      if (isGated) this.#pass(session, members);
      else this.#propose(session, members);
    } catch (error) {
      this.#refuse(session, error);
    }
  }

  /**
   * A change must not lock the house: of three voters one is off, a person takes out the other one that works, and the two that are left
   * agree on nothing any more, not even on the next change. @throws TuttiError NO_QUORUM
   */
  #checkQuorum(members: readonly MemberRecord[]): void {
    const voters = members.filter(({ voter }) => voter);
    const unfit = this.#unfit(voters);
    const needed = acceptQuorum(voters.length);
    if (voters.length - unfit.length >= needed) return;
    const names = unfit.map(({ name }) => name).join(', ');
    throw new TuttiError(
      'NO_QUORUM',
      `Of the ${voters.length} that would vote then, ${needed} are needed, and ${names} would not do (off, behind, or with a card that is not trusted): take out or replace that first.`,
    );
  }

  /** Takes a change through the gate. A session of null: nobody asked for it. */
  #pass(session: Session | null, members: readonly MemberRecord[]): void {
    if (this.#gate === null) this.#propose(session, members);
    else this.#gate.enter(members, (answer) => this.#passed(session, members, answer));
  }

  #passed(session: Session | null, members: readonly MemberRecord[], answer: GateAnswer | 'late'): void {
    try {
      if (answer === 'late') throw new TuttiError('BUSY', 'The other nodes did not say in time what they hold.');
      if (!answer.isOpen) throw new TuttiError(answer.code, answer.detail);
      // Somebody may have been switched off since.
      this.#checkQuorum(members);
      this.#closedFor = null;
      this.#propose(session, members);
    } catch (error) {
      this.#refuse(session, error);
    }
  }

  #refuse(session: Session | null, error: unknown): void {
    if (!(error instanceof TuttiError)) throw error;
    const { code, detail } = error;
    if (session !== null) {
      this.#answer({ session, code, detail });
      return;
    }
    const { self } = this.#components;
    this.#restUntilMs = self.nowMs() + GATE_AGAIN_MS;
    if (this.#closedFor !== detail) self.log.info('a change of voters has to wait', { code, detail });
    this.#closedFor = detail;
  }

  #propose(session: Session | null, members: readonly MemberRecord[]): void {
    const { self } = this.#components;
    const { role } = self.state;
    const wasSealed = role.type === 'leader' && role.sealedAt !== null;
    self.handle({ type: 'reconfigure', session, members });
    if (!wasSealed && role.type === 'leader' && role.sealedAt !== null) this.#sealing = session;
  }

  #answer(answer: ChangeAnswer): void {
    const { self, proposals } = this.#components;
    const { session, code, detail } = answer;
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.delete(this.#answers.keys().next().value!);
    this.#answers.set(sessionText(session), answer);
    if (proposals.isOwn(session)) this.#changes.answered(answer, self.applied());
    else self.send(session.node, { type: 'change-answer', session, code: code ?? '', detail });
  }

  /**
   * Those of `voters` that are off, behind, with a card that is not trusted, or about to be replaced: a card that is lost may look as if it
   * were there for some seconds more.
   */
  #unfit(voters: readonly MemberRecord[]): readonly MemberRecord[] {
    const fit = this.#candidates().filter(
      ({ onlineMs, caughtUp, trusted }) => onlineMs !== null && caughtUp && trusted,
    );
    const leaving = new Set(this.#components.self.configuration().members.map(({ replaces }) => replaces));
    return voters.filter(({ node }) => leaving.has(node) || !fit.some((candidate) => candidate.node === node));
  }

  #betterVoters(): MemberRecord[] | null {
    const { members } = this.#components.self.configuration();
    // Who comes for a place gets that one, and no other.
    const comes = new Set(members.filter(({ voter, replaces }) => !voter && replaces).map(({ node }) => node));
    const voters = betterVoters(this.#candidates().filter(({ node }) => !comes.has(node)));
    return voters && membersAfter({ type: 'voters', voters }, this.#components.self.configuration());
  }

  #placeTaken(): MemberRecord[] | null {
    const fit = this.#fit();
    const members = placeTaken(this.#components.self.configuration(), (node) => fit.has(node));
    if (members === null) return null;
    const voters = members.filter(({ voter }) => voter);
    // The old one may be the one that still works: then the change waits, like any that would lock the house.
    return voters.length - this.#unfit(voters).length < acceptQuorum(voters.length) ? null : members;
  }

  /** Those that could vote as they stand. */
  #fit(): ReadonlySet<NodeId> {
    return new Set(
      this.#candidates()
        .filter(isFit)
        .map(({ node }) => node),
    );
  }

  /** All members, as this leader sees them. */
  #candidates(): Candidate[] {
    const { self, peers } = this.#components;
    const { state } = self;
    const nowMs = self.nowMs();
    return self.configuration().members.map(({ node, voter }) => {
      const isSelf = node === self.node;
      const upSinceMs = peers.upSinceMs(node);
      const chosenUpTo = isSelf ? state.chosenUpTo : (state.peers.get(node)?.standing?.chosenUpTo ?? 0);
      return {
        node,
        voter,
        onlineMs: isSelf ? nowMs : upSinceMs === null ? null : nowMs - upSinceMs,
        caughtUp: chosenUpTo >= state.chosenUpTo - CAUGHT_UP_SLOTS,
        trusted: !state.distrusted.has(node),
        leader: isSelf,
      };
    });
  }
}

const sessionText = ({ node, boot, seq }: Session): string => `${node} ${boot} ${seq}`;

const isSame = (a: Session, b: Session): boolean => a.node === b.node && a.boot === b.boot && a.seq === b.seq;
