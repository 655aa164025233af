/**
 * Driver: carries out what the core asks for, in the one order that is safe.
 *
 * What is to be kept goes to the store. What states something of this disk waits until that is durable there; all else leaves at once.
 * What is chosen is applied, in the order of slots. Nothing waits in here: the store answers by calling back, the answer is another event
 * for the core, and one event is finished before the next begins.
 *
 * Why the order: an acceptor that says "accepted" before its disk has it, and then loses power, has helped to choose a value that it does not
 * know any more; two of three such, and another value is chosen in the same slot.
 */
import type { ClockClaim } from '../core/clock-line.js';
import type { NodeId } from '../core/ids.js';
import { encodeConfiguration, encodeEntry, encodeMessage } from '../paxos/codec.js';
import type { Configuration } from '../paxos/configuration.js';
import type {
  Applied,
  ChangeDeclined,
  Declined,
  Effects,
  PaxosEvent,
  Persist,
  Proposal,
  TermWon,
} from '../paxos/effects.js';
import type { Message } from '../paxos/message.js';
import type { PaxosState } from '../paxos/state.js';
import { step } from '../paxos/step.js';
import type { Time } from '../ports/time.js';
import { ChosenNotices } from './chosen-notices.js';
import type { LogStore, StoreStanding } from './log-store.js';

/** Whom the driver tells. Called within an event, in this order for each; none of them may call `handle`. */
export interface DriverHandlers {
  /** A slot is chosen. */
  apply(applied: Applied): void;
  /** Another configuration holds. */
  configurationChanged(configuration: Configuration): void;
  /** Proposals and changes that were not taken. */
  declined(declined: readonly Declined[], changes: readonly ChangeDeclined[]): void;
  /** A read may be answered once `slot` is applied; null where nobody can say. */
  read(id: number, slot: Applied['slot'] | null): void;
  /** Part of the log can be had as a snapshot only. */
  snapshotNeeded(needed: NonNullable<Effects['snapshotNeeded']>): void;
  /** This node won a term: gives its first command. */
  termWon(won: TermWon): Proposal;
  /** Leadership, quorum or members changed. */
  statusChanged(): void;
  /** Something is durable. */
  durable(standing: StoreStanding): void;
  /** An invariant broke: nothing goes on. */
  failed(error: Error): void;
}

/** What a driver works with. */
export interface DriverComponents {
  readonly time: Time;
  readonly store: LogStore;
  /** Hands a message to the link; it may be lost. */
  readonly send: (to: NodeId, bytes: Uint8Array) => void;
  /** What goes beside the records at no write of its own; null where it is as before. */
  readonly cards: () => Uint8Array | null;
  /** Cluster time for a leader's heartbeats, for answers to them and for promises; null where there is none to give. */
  readonly clusterTime: {
    readonly heartbeat: () => ClockClaim | null;
    readonly reply: () => ClockClaim | null;
    readonly promise: () => bigint | null;
  };
}

/** Runs one node's core. */
export class Driver {
  readonly state: PaxosState;
  readonly #components: DriverComponents;
  readonly #handlers: DriverHandlers;
  #configuration: Configuration;
  /** Persists that are not durable yet. */
  #outstanding = 0;
  /** The highest token that is durable. */
  #durable = 0;
  #batch: number;
  #waiting: Effects['sendAfter'] = [];
  readonly #notices: ChosenNotices;
  /** What left last, and its bytes: a heartbeat goes to one after another, and says the same to each. */
  #left: { readonly message: Message; readonly bytes: Uint8Array } | null = null;
  #isOver = false;

  constructor(
    components: DriverComponents,
    init: { readonly state: PaxosState; readonly lastBatch: number; readonly handlers: DriverHandlers },
  ) {
    this.#components = components;
    this.state = init.state;
    this.#handlers = init.handlers;
    this.#configuration = init.state.configuration;
    this.#batch = init.lastBatch;
    const { time } = components;
    this.#notices = new ChosenNotices({ time, send: (to, message) => this.#encodeAndSend(to, message) });
  }

  /** Local time as the core counts it, milliseconds. */
  nowMs(): number {
    return Number(this.#components.time.now()) / 1e6;
  }

  /** Writes of the core that are on their way to the disk. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Sequence of the last durable batch. */
  get batch(): number {
    return this.#batch;
  }

  /** Takes an event, and carries out all that follows from it. */
  handle(event: PaxosEvent): void {
    if (this.#isOver) return;
    try {
      this.#carryOut(step(this.state, event, this.nowMs()));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends everything: no event is taken any more. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.stop();
    this.#handlers.failed(error instanceof Error ? error : new Error(String(error)));
  }

  /** Takes no event any more. */
  stop(): void {
    this.#isOver = true;
    this.#notices.stop();
  }

  #carryOut(effects: Effects): void {
    const handlers = this.#handlers;
    for (const persist of effects.persist) this.#persist(persist);
    for (const { to, message } of effects.sendNow) {
      if (message.type === 'chosen' && !isAwaitedBy(to, effects)) this.#notices.hold(to, message);
      else this.#send(to, message);
    }
    for (const outgoing of effects.sendAfter) {
      if (outgoing.token <= this.#durable) this.#send(outgoing.to, outgoing.message);
      else this.#waiting.push(outgoing);
    }
    for (const applied of effects.apply) handlers.apply(applied);
    if (this.state.configuration !== this.#configuration) {
      this.#configuration = this.state.configuration;
      handlers.configurationChanged(this.#configuration);
    }
    if (effects.declined.length > 0 || effects.changeDeclined.length > 0) {
      handlers.declined(effects.declined, effects.changeDeclined);
    }
    for (const { id, slot } of effects.reads) handlers.read(id, slot);
    if (effects.snapshotNeeded !== null) handlers.snapshotNeeded(effects.snapshotNeeded);
    const { termWon } = effects;
    if (termWon !== null) this.handle({ type: 'begin', ballot: termWon.ballot, proposal: handlers.termWon(termWon) });
    if (effects.statusChanged) handlers.statusChanged();
  }

  #persist({ token, promised, records, chosenUpTo, configuration }: Persist): void {
    this.#outstanding++;
    this.#components.store.commit(
      {
        promised,
        configuration: configuration && encodeConfiguration(configuration),
        leaseMs: configuration?.timing.leaseMs ?? null,
        records: records.map(({ slot, ballot, entry, chosen }) => ({
          slot,
          ballot,
          chosen,
          entry: encodeEntry(entry),
        })),
        chosenUpTo,
        cards: this.#components.cards(),
      },
      (standing) => {
        if (this.#isOver) return;
        this.#outstanding--;
        this.#durable = token.number;
        this.#batch = standing.batch;
        this.#sendDurable();
        this.handle({ type: 'persisted', token });
        this.#handlers.durable(standing);
      },
    );
  }

  /** Sends what has waited for the writes that are durable by now. */
  #sendDurable(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = waiting.filter(({ token }) => token > this.#durable);
    for (const { to, token, message } of waiting) if (token <= this.#durable) this.#send(to, message);
  }

  #send(to: NodeId, message: Message): void {
    this.#notices.precede(to, message);
    this.#encodeAndSend(to, message);
  }

  #encodeAndSend(to: NodeId, message: Message): void {
    if (this.#left?.message !== message) this.#left = { message, bytes: encodeMessage(this.#asItLeaves(message)) };
    this.#components.send(to, this.#left.bytes);
  }

  /** Some of what a message says is true only of the moment at which it leaves. */
  #asItLeaves(message: Message): Message {
    switch (message.type) {
      case 'heartbeat':
        return { ...message, clock: this.#components.clusterTime.heartbeat() };
      case 'heartbeat-reply':
        return { ...message, clock: this.#components.clusterTime.reply() };
      case 'promise':
        return { ...message, timeNs: this.#components.clusterTime.promise() };
      case 'accepted':
        return { ...message, batch: this.#batch };
      default:
        return message;
    }
  }
}

/** Somebody at `node` asked for one of the commands that are chosen, and waits for the answer. */
const isAwaitedBy = (node: NodeId, { apply }: Effects): boolean =>
  apply.some(({ entry }) => entry.type === 'command' && entry.session.node === node);
