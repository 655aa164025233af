/**
 * Gate: what a change of voters has to pass before its stop-sign is proposed.
 *
 * Whoever uses the log may have promised something of those who vote: that a majority of them hold each file, say. A change of voters must
 * not break that, and only the nodes themselves can say whether it would. So the leader has them asked twice. First while everything goes on:
 * most refusals are found that way, and fetching some files may take hours. Where the answer is yes it proposes nothing new, waits until
 * all that is under way was applied, and has them asked again: nothing can be agreed any more, between this answer and the stop-sign, that
 * would make the answer wrong. Whoever presses a button meanwhile has to wait, so all this takes one election timeout at most: what the
 * loss of the leader would have cost.
 *
 * It is given up where this node leads no more, or another change of members was proposed meanwhile.
 *
 * Without the second question: the nodes are asked whether A may go of A, B and C, and have nothing against it. A moment later a new file is
 * on A and B, and agreed. A goes, and the file is on one of the two that are left.
 */
import type { ErrorCode } from '../core/errors.js';
import { type Ballot, sameBallot } from '../paxos/ballot.js';
import type { MemberRecord } from '../paxos/configuration.js';
import { type Self, serves } from './self.js';

/** The first answer may take this long. Milliseconds: below the patience of whoever asked for the change. */
const ANSWER_MS_MAX = 5_000;

/** May the house change to some members? If not, a code of the catalogue, and which promise would be broken, for a person. */
export type GateAnswer =
  | { readonly isOpen: true }
  | { readonly isOpen: false; readonly code: ErrorCode; readonly detail: string };

/** Asks the house; resolves in its own time. */
export type GateQuestion = (members: readonly MemberRecord[]) => Promise<GateAnswer>;

/** What a gate needs. */
export interface GateComponents {
  readonly self: Pick<Self, 'applied' | 'log' | 'nowMs' | 'state'>;
  readonly ask: GateQuestion;
  /** What had to wait may be proposed. */
  readonly thawed: () => void;
}

/** A change that stands at the gate. */
interface Standing {
  readonly members: readonly MemberRecord[];
  /** Of the term in which it was asked for; a change of members ends that too. */
  readonly ballot: Ballot;
  readonly settle: (answer: GateAnswer | 'late') => void;
  readonly phase: 'asked' | 'frozen' | 'asked again';
  /** Given up then, local milliseconds. */
  readonly untilMs: number;
}

/** The gate of one leader. One change at a time stands at it. */
export class Gate {
  readonly #components: GateComponents;
  #standing: Standing | null = null;

  constructor(components: GateComponents) {
    this.#components = components;
  }

  /** A change stands here. */
  get isTaken(): boolean {
    return this.#standing !== null;
  }

  /** Nothing new is to be proposed. */
  get isFrozen(): boolean {
    const standing = this.#standing;
    return standing !== null && standing.phase !== 'asked' && this.#mayStand(standing) && !this.#isLate(standing);
  }

  /**
   * A change of this leader wants to pass; one that comes while another stands there is turned away. `settle` is called once at most, and
   * where the gate is open everything is as it was answered until it returns; `late` where no answer came in time. It is not called where
   * this node leads no more, or the members changed another way: whoever wants the change asks again.
   */
  enter(members: readonly MemberRecord[], settle: Standing['settle']): void {
    const { self } = this.#components;
    const { role } = self.state;
    if (this.#standing !== null || role.type !== 'leader') return;
    const untilMs = self.nowMs() + ANSWER_MS_MAX;
    this.#ask({ members, ballot: role.ballot, settle, phase: 'asked', untilMs });
  }

  /** After every event of the core, and at every tick: something may be applied now, or the change have no chance any more. */
  look(): void {
    const standing = this.#standing;
    if (standing === null) return;
    if (!this.#mayStand(standing)) this.#leave();
    else if (this.#isLate(standing)) this.#leave('late');
    else if (standing.phase === 'frozen' && this.#isQuiet()) this.#ask({ ...standing, phase: 'asked again' });
  }

  /** Nobody is called any more. */
  stop(): void {
    this.#standing = null;
  }

  #ask(standing: Standing): void {
    this.#standing = standing;
    this.#components.ask(standing.members).then(
      (answer) => {
        if (this.#standing === standing) this.#answered(standing, answer);
      },
      (error: unknown) => {
        if (this.#standing !== standing) return;
        this.#components.self.log.warn('a change of members could not be checked', { error });
        this.#leave('late');
      },
    );
  }

  #answered(standing: Standing, answer: GateAnswer): void {
    const { self } = this.#components;
    if (!this.#mayStand(standing)) {
      this.#leave();
    } else if (this.#isLate(standing)) {
      this.#leave('late');
    } else if (!answer.isOpen || standing.phase === 'asked again') {
      this.#leave(answer);
    } else {
      const { electionMs } = self.state.configuration.timing;
      this.#standing = { ...standing, phase: 'frozen', untilMs: self.nowMs() + electionMs };
      this.look();
    }
  }

  #leave(answer: GateAnswer | 'late' | null = null): void {
    const standing = this.#standing;
    this.#standing = null;
    if (standing === null) return;
    if (answer !== null) standing.settle(answer);
    if (standing.phase !== 'asked') this.#components.thawed();
  }

  /** Nothing that makes the question void has happened since it entered. */
  #mayStand({ ballot }: Standing): boolean {
    const { self } = this.#components;
    const { role } = self.state;
    return role.type === 'leader' && serves(self) && sameBallot(role.ballot, ballot) && role.sealedAt === null;
  }

  #isLate({ untilMs }: Standing): boolean {
    return this.#components.self.nowMs() > untilMs;
  }

  /** Everything that was proposed is applied here. */
  #isQuiet(): boolean {
    const { self } = this.#components;
    const { role } = self.state;
    return role.type === 'leader' && self.applied() >= role.next - 1;
  }
}
