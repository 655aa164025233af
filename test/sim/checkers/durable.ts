/**
 * What was durable is found again: every record that a store returned for is there at the next start, or is known to be lost.
 *
 * A house bears the loss of one card's word, so a store that forgets does no harm that anybody could see for as long as the others
 * remember. Here it is found out at the next start.
 */
import { type Ballot, ballotText, compareBallots } from '../../../src/paxos/ballot.js';
import type { Checker, Observation } from './observation.js';

/** Follows every card, by slot. */
export class Durable implements Checker {
  readonly name = 'what is durable is found again';
  readonly #cards = new Map<string, Map<number, Ballot>>();
  readonly #cardOf = new Map<number, Map<number, Ballot>>();

  observe(observation: Observation): string | undefined {
    switch (observation.type) {
      case 'started': {
        const { process, card: name, imaged } = observation;
        const card = (imaged ? undefined : this.#cards.get(name)) ?? new Map();
        this.#cards.set(name, card);
        this.#cardOf.set(process, card);
        return undefined;
      }
      case 'durable': {
        const card = this.#cardOf.get(observation.process);
        for (const { slot, ballot } of observation.accepted) card?.set(slot, ballot);
        return undefined;
      }
      case 'recovered': {
        const card = this.#cardOf.get(observation.process);
        const lost = card && missing(card, observation);
        card?.clear();
        for (const { slot, ballot } of observation.accepted) card?.set(slot, ballot);
        return lost;
      }
      default:
        return undefined;
    }
  }
}

function missing(
  card: ReadonlyMap<number, Ballot>,
  found: Extract<Observation, { type: 'recovered' }>,
): string | undefined {
  const accepted = new Map(found.accepted.map(({ slot, ballot }) => [slot, ballot]));
  const unknown = new Set(found.unknown);
  for (const [slot, ballot] of card) {
    if (slot <= found.base || unknown.has(slot)) continue;
    const held = accepted.get(slot);
    // Of a slot that is known to be chosen any record will do: all hold the same.
    if (held !== undefined && (slot <= found.chosenUpTo || compareBallots(held, ballot) >= 0)) continue;
    const what = held === undefined ? 'nothing' : `the ballot ${ballotText(held)}`;
    return `process ${found.process} found ${what} in slot ${slot}, where its card held ${ballotText(ballot)}`;
  }
  return undefined;
}
