/**
 * ChosenNotices: a leader's word that something is chosen waits a moment for a message that says it too.
 *
 * Every accept tells how far the log is chosen. Where commands come one after another, the next accept leaves within a fraction of a
 * millisecond, and a notice of its own would cost the leader a write, and the member a wake-up, for each peer and commit. So a notice waits
 * for one to two {@link LOOK_MS}, and is dropped when an accept says as much.
 *
 * A network may delay and lose any notice, so nothing rests on when it comes. Nothing overtakes it either: what else is sent to the same
 * peer takes it along.
 */
import type { NodeId } from '../core/ids.js';
import { sameBallot } from '../paxos/ballot.js';
import type { Chosen, Message } from '../paxos/message.js';
import type { Time, Timer } from '../ports/time.js';

/** How often it is looked for notices that were there at the look before, milliseconds: little beside the lead that sound is given. */
const LOOK_MS = 2;

interface Held {
  readonly notice: Chosen;
  /** It was there at the last look. */
  seen: boolean;
}

/** What notices are held with. */
export interface ChosenNoticesComponents {
  readonly time: Time;
  readonly send: (to: NodeId, message: Message) => void;
}

/** The notices that one node holds. */
export class ChosenNotices {
  readonly #components: ChosenNoticesComponents;
  /** The latest for each peer. */
  readonly #held = new Map<NodeId, Held>();
  #timer: Timer | null = null;

  constructor(components: ChosenNoticesComponents) {
    this.#components = components;
  }

  /** Holds a notice for `to`, in the place of one that says less. */
  hold(to: NodeId, notice: Chosen): void {
    this.precede(to, notice);
    this.#held.set(to, { notice, seen: false });
    this.#timer ??= this.#lookLater();
  }

  /** A message is about to leave for `to`: the notice goes before it, or is said by it. */
  precede(to: NodeId, message: Message): void {
    const held = this.#held.get(to);
    if (held === undefined) return;
    this.#held.delete(to);
    if (!says(message, held.notice)) this.#components.send(to, held.notice);
  }

  /** Forgets all: nothing is sent any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#held.clear();
  }

  #lookLater(): Timer {
    return this.#components.time.after('chosen notices', LOOK_MS, () => {
      for (const [to, held] of this.#held) {
        if (held.seen) {
          this.#held.delete(to);
          this.#components.send(to, held.notice);
        }
        held.seen = true;
      }
      this.#timer = this.#held.size > 0 ? this.#lookLater() : null;
    });
  }
}

/** Who hears `message` knows all that `notice` says. */
const says = (message: Message, { ballot, upTo }: Chosen): boolean =>
  ((message.type === 'accept' && message.chosenUpTo >= upTo) || (message.type === 'chosen' && message.upTo >= upTo)) &&
  sameBallot(message.ballot, ballot);
