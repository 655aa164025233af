/**
 * Asking: what others say now that they hold, where what they said earlier is not enough: before a vote is taken from somebody, say.
 *
 * Each tells everything anew. Whoever is away, or does not answer in time, is left out; and so is whoever has another card by now, for what it
 * says is of that one.
 */
import type { Incarnation, NodeId, TrackId } from '../core/ids.js';
import type { Holder } from '../library/track.js';
import type { Time, Timer } from '../ports/time.js';

/** What a node said last, and for which card. */
export interface Word {
  readonly incarnation: Incarnation;
  readonly ids: ReadonlySet<TrackId>;
}

/** What asking needs. */
export interface AskingComponents {
  readonly time: Time;
  /** Peers that are up. */
  readonly peers: () => readonly NodeId[];
  /** Has a peer tell everything. */
  readonly send: (to: NodeId) => void;
  /** Null where nothing, or not all, is known. */
  readonly word: (node: NodeId) => Word | null;
}

interface Question {
  readonly members: readonly Holder[];
  readonly open: Set<NodeId>;
  readonly answered: Set<NodeId>;
  readonly timer: Timer;
  settle(): void;
}

/** Questions of one node. */
export class Asking {
  readonly #components: AskingComponents;
  readonly #questions = new Set<Question>();

  constructor(components: AskingComponents) {
    this.#components = components;
  }

  /** Resolves with what these say, each by the card that stands beside it; after `withinMs` with what was said by then. */
  ask(members: readonly Holder[], self: Holder, withinMs: number): Promise<ReadonlyMap<NodeId, ReadonlySet<TrackId>>> {
    const { time, peers, send, word } = this.#components;
    const up = new Set(peers());
    const asked = members.map(({ node }) => node).filter((node) => node !== self.node && up.has(node));
    return new Promise((resolve) => {
      const question: Question = {
        members,
        open: new Set(asked),
        answered: new Set([self.node]),
        timer: time.after('tracks.ask', withinMs, () => question.settle()),
        settle: () => {
          question.timer.cancel();
          this.#questions.delete(question);
          const said = new Map<NodeId, ReadonlySet<TrackId>>();
          for (const { node, incarnation } of members) {
            const last = question.answered.has(node) ? word(node) : null;
            if (last?.incarnation === incarnation) said.set(node, new Set(last.ids));
          }
          resolve(said);
        },
      };
      this.#questions.add(question);
      for (const node of asked) send(node);
      if (asked.length === 0) question.settle();
    });
  }

  /** A peer has told everything. */
  heard(peer: NodeId): void {
    for (const question of this.#questions) {
      if (!question.open.delete(peer)) continue;
      question.answered.add(peer);
      if (question.open.size === 0) question.settle();
    }
  }

  /** It will not answer any more. */
  down(peer: NodeId): void {
    for (const question of this.#questions)
      if (question.open.delete(peer) && question.open.size === 0) question.settle();
  }

  /** Answers all with what is known. */
  stop(): void {
    for (const question of [...this.#questions]) question.settle();
  }
}
