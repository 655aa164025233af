/**
 * TimeRounds: says what time it is to those who do not hear it in heartbeats.
 *
 * Voters tell each other their cluster time with heartbeats and the answers to them. A learner exchanges these with the leader only: it would have to
 * believe one that lies, and what it measures itself would count for nobody. So once a second it tells all others, and they tell it.
 */
import { isVoter } from '../paxos/configuration.js';
import type { Peers } from './peers.js';
import type { Self } from './self.js';
import type { TermClock } from './term-clock.js';

/** Between two rounds, milliseconds: what was said counts for three seconds (clock/cluster-limits.ts), so two may be lost. */
const EVERY_MS = 1_000;

/** What the time is told with. */
export interface TimeRoundsComponents {
  readonly self: Self;
  readonly peers: Pick<Peers, 'online'>;
  readonly clock: Pick<TermClock, 'claim'>;
}

/** This node's part in them. */
export class TimeRounds {
  readonly #components: TimeRoundsComponents;
  /** Of the next round, local milliseconds. */
  #atMs = 0;

  constructor(components: TimeRoundsComponents) {
    this.#components = components;
  }

  /** Time has passed. */
  tick(): void {
    const { self, peers, clock } = this.#components;
    const nowMs = self.nowMs();
    if (nowMs < this.#atMs) return;
    this.#atMs = nowMs + EVERY_MS;
    const configuration = self.configuration();
    const votes = isVoter(configuration, self.node);
    const hearNothing = peers.online.filter((peer) => !votes || !isVoter(configuration, peer));
    const claim = hearNothing.length === 0 ? null : clock.claim();
    if (claim !== null) for (const peer of hearNothing) self.send(peer, { type: 'time', claim });
  }
}
