/**
 * Promises hold: a card's promised ballot never goes back, over restarts too, and nobody says what its card does not hold.
 *
 * The second half looks at the words themselves: a promise, or an acceptance, that leaves before it is durable does no harm unless the
 * power fails within the next millisecond. Here it is found at once.
 */
import { type Ballot, ballotText, compareBallots, higherBallot, NO_BALLOT } from '../../../src/paxos/ballot.js';
import type { Checker, Observation } from './observation.js';

/** What one card is known to hold. */
interface Card {
  promised: Ballot;
  /** Of that, what was written as a promise. An acceptance promises too, and can be lost with its batch, which is then known to be lost. */
  written: Ballot;
  /** Ballot of the latest durable record of each slot. */
  readonly accepted: Map<number, Ballot>;
  base: number;
}

/** Follows every card by what its store reported as durable. */
export class Promises implements Checker {
  readonly name = 'promises hold';
  readonly #cards = new Map<string, Card>();
  readonly #cardOf = new Map<number, Card>();
  /** Every slot up to here is known to be chosen: saying that one accepted it adds nothing, whatever the ballot. */
  #chosenUpTo = 0;

  observe(observation: Observation): string | undefined {
    if (observation.type === 'started') {
      const { process, card: name, imaged } = observation;
      const known = imaged ? undefined : this.#cards.get(name);
      const card = known ?? { promised: NO_BALLOT, written: NO_BALLOT, accepted: new Map(), base: 0 };
      this.#cards.set(name, card);
      this.#cardOf.set(process, card);
      return undefined;
    }
    if (!('process' in observation)) return undefined;
    const card = this.#cardOf.get(observation.process);
    if (card === undefined) return undefined;
    switch (observation.type) {
      case 'recovered': {
        const { process, promised, accepted, unknown, base } = observation;
        const before = unknown.length > 0 ? card.written : card.promised;
        card.base = Math.max(card.base, base);
        // What was written, and not yet reported, when the process before ended.
        for (const { slot, ballot } of accepted) card.accepted.set(slot, ballot);
        if (compareBallots(promised, before) >= 0) {
          card.promised = promised;
          return undefined;
        }
        return `process ${process} found the promise ${ballotText(promised)} on a card that held ${ballotText(before)}`;
      }
      case 'durable': {
        const { process, promised, accepted } = observation;
        for (const { slot, ballot } of accepted) {
          card.accepted.set(slot, ballot);
          // Who accepts under a ballot has promised it.
          card.promised = higherBallot(card.promised, ballot);
        }
        if (promised === null) return undefined;
        card.written = higherBallot(promised, card.written);
        const before = card.promised;
        card.promised = higherBallot(promised, before);
        if (compareBallots(promised, before) >= 0) return undefined;
        return `process ${process} promised ${ballotText(promised)} after ${ballotText(before)}`;
      }
      case 'applied':
        this.#chosenUpTo = Math.max(this.#chosenUpTo, observation.slot);
        return undefined;
      case 'installed':
        card.base = Math.max(card.base, observation.base);
        return undefined;
      case 'promised': {
        const { process, ballot } = observation;
        if (compareBallots(card.promised, ballot) >= 0) return undefined;
        return `process ${process} says that it promised ${ballotText(ballot)}; its card holds ${ballotText(card.promised)}`;
      }
      case 'accepted': {
        const { process, ballot, upTo } = observation;
        const held = card.accepted.get(upTo);
        if (upTo <= card.base || upTo <= this.#chosenUpTo || (held !== undefined && compareBallots(held, ballot) >= 0))
          return undefined;
        const text = held === undefined ? 'nothing' : `the ballot ${ballotText(held)}`;
        return `process ${process} says that it accepted slot ${upTo} under ${ballotText(ballot)}; its card holds ${text}`;
      }
      default:
        return undefined;
    }
  }
}
