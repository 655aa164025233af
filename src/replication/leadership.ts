/**
 * Leadership: who leads, since when, and what that makes of cluster time.
 *
 * Each term has a name (its ballot): what was asked of a leader is asked again when the name changes. A node that wins a term works out the
 * term's first entry here, and the stamps of all that follow. A node that follows believes the leader's time once everything is applied
 * that the leader knew to be chosen when it first spoke: earlier, this node would take a leap of time of which its log says nothing.
 */
import type { ClockClaim } from '../core/clock-line.js';
import type { NodeId, Slot } from '../core/ids.js';
import { type ClusterTime, NS_PER_S, nanosFromMs } from '../core/units.js';
import type { Ballot } from '../paxos/ballot.js';
import type { Proposal, TermWon } from '../paxos/effects.js';
import { statusOf } from '../paxos/step.js';
import type { Proposals } from './proposals.js';
import type { LogHandlers } from './replicated-log.js';
import type { Self } from './self.js';
import type { TermClock } from './term-clock.js';

/** How much cluster time a term reserves, nanoseconds: a day, so that it is written rarely. */
export const RESERVE_NS = 24n * 3_600n * NS_PER_S;

/** What leadership needs. */
export interface LeadershipComponents {
  readonly self: Self;
  readonly clock: TermClock;
  readonly handlers: Pick<LogHandlers, 'termStart' | 'reserveUntilNs'>;
  readonly proposals: Pick<Proposals, 'nextSession'>;
  /** What a change of sound needs to reach every card, milliseconds. */
  readonly leadMs: () => number;
}

/** Terms, as one node sees them. */
export class Leadership {
  readonly #components: LeadershipComponents;
  /** Names the leader's term as of the last look. */
  #term: string | null = null;
  /** When it was first seen here. */
  #since: ClusterTime | null = null;
  /** The leader whose time is heard: believed from when everything up to `from` is applied. */
  #heard: { readonly term: string; readonly from: Slot } | null = null;
  #isBelieved = false;
  /** How it stood with this node's own term at the last look; null before the first, and where one has only begun. */
  #own: 'stands' | 'over' | null = null;

  constructor(components: LeadershipComponents) {
    this.#components = components;
  }

  /** Names the term of whoever leads; null where nobody is known to. */
  get term(): string | null {
    return this.#term;
  }

  /** When this node first saw that term, cluster time. */
  get since(): ClusterTime | null {
    return this.#since;
  }

  /** Another may lead than at the last look. */
  look(): void {
    const { self, clock } = this.#components;
    const { leader } = statusOf(self.state);
    const term = leader && nameOf(leader);
    if (term === this.#term) return;
    this.#term = term;
    this.#since = term === null ? null : clock.now();
  }

  /** This node won a term: gives its first command. */
  won({ reproposed, timeNs }: TermWon): Proposal {
    const { clock, handlers, proposals } = this.#components;
    this.#own = null;
    const epoch = clock.beginTerm(timeNs, handlers.reserveUntilNs());
    const stamps = this.stamps();
    const reserveUntilNs = stamps.stampNs + RESERVE_NS;
    const payload = handlers.termStart({ epoch, reserveUntilNs, reproposed });
    return { session: proposals.nextSession(), ...stamps, payload };
  }

  /** What a leader adds to the commands that it proposes now. */
  stamps(): Pick<Proposal, 'stampNs' | 'leadNs'> {
    const { clock, leadMs } = this.#components;
    return { stampNs: clock.stampNow(), leadNs: nanosFromMs(leadMs()) };
  }

  /** A heartbeat says what time it is. `chosenUpTo`: what its sender knew to be chosen. */
  hear(from: NodeId, claim: ClockClaim, chosenUpTo: Slot): void {
    const { self, clock } = this.#components;
    const { following } = self.state;
    if (following === null || following.node !== from) return;
    const term = nameOf(following);
    if (this.#heard?.term !== term) {
      this.#heard = { term, from: chosenUpTo };
      this.#isBelieved = false;
    }
    if (self.applied() < this.#heard.from) return;
    clock.noteHeartbeat(from, claim, !this.#isBelieved);
    this.#isBelieved = true;
  }

  /** Another node says what time it is; null where it has none to say. */
  hearClaim(from: NodeId, claim: ClockClaim | null): void {
    this.#components.clock.noteClaim(from, claim);
  }

  /** After every event of the core: a term of this node may stand now, or be over. */
  afterStep(): void {
    const { self, clock } = this.#components;
    const { role } = self.state;
    const own = role.type !== 'leader' ? 'over' : role.serving ? 'stands' : null;
    if (own === this.#own) return;
    this.#own = own;
    if (own === 'over') clock.termIsOver();
    else if (own === 'stands') clock.termStands();
  }
}

const nameOf = ({ configId, round, node }: Ballot): string => `${configId}.${round}.${node}`;
