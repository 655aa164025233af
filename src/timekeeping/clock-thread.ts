/**
 * ClockThread: the clocks of other nodes, as the main thread sees them; and the loop of the thread that measures them.
 *
 * That thread owns the socket. It measures on its own, however busy the main thread is, and says what it found after each burst; the main
 * thread keeps the latest, so that reading a line costs a look into a table.
 */
import type { PeerLine } from '../clock/peer-line.js';
import { assert } from '../core/assert.js';
import { type ErrorCode, type ErrorInfo, TuttiError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { Log, LogFields } from '../ports/log.js';
import type { ClockCounts, ClockPeer, PeerClocks } from '../ports/peer-clocks.js';
import type { Timekeeper } from './timekeeper.js';

/** What the main thread says. */
export type ToClock = { readonly type: 'start' } | { readonly type: 'follow'; readonly peers: readonly ClockPeer[] };

/** What the thread says. */
export type FromClock =
  /** It is loaded, and hears what it is told. */
  | { readonly type: 'listening' }
  | { readonly type: 'started' }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly detail: string; readonly info: ErrorInfo }
  /** After each burst of a peer, and when its clock began anew. */
  | {
      readonly type: 'peer';
      readonly node: NodeId;
      readonly line: PeerLine | null;
      readonly roundTripNs: number | null;
    }
  | { readonly type: 'counts'; readonly counts: ClockCounts }
  /** A lesser way was taken, or something will not work: a line for the owner. */
  | { readonly type: 'warning'; readonly text: string; readonly fields: LogFields };

/** An end of the channel between the two: a Worker, or a MessagePort. */
export interface ClockPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/** What is known of one peer. */
interface Known {
  readonly line: PeerLine | null;
  readonly roundTripNs: number | null;
}

/** The {@link serveClock} at the other end of a channel. */
export class ClockThread implements PeerClocks {
  readonly #port: ClockPort;
  readonly #log: Log;
  readonly #end: () => Promise<void>;
  readonly #diedUnasked: (error: Error) => void;
  #changed: ((node: NodeId) => void) | undefined;
  #starting: { done(): void; refused(error: Error): void } | undefined;
  #isOver = false;
  /** Why, where it was not asked to end. */
  #cause: Error | undefined;
  #followed = new Set<NodeId>();
  readonly #known = new Map<NodeId, Known>();
  #counts: ClockCounts = { malformed: 0, strangers: 0, replayed: 0 };

  /** @param components `end` ends the thread; `died` is called once where it ends unasked, or something in it breaks */
  constructor(components: {
    readonly port: ClockPort;
    readonly log: Log;
    readonly end: () => Promise<void>;
    readonly died: (error: Error) => void;
  }) {
    this.#port = components.port;
    this.#log = components.log;
    this.#end = components.end;
    this.#diedUnasked = components.died;
    this.#port.on('message', (message) => this.#heard(message as FromClock));
  }

  start(changed: (node: NodeId) => void): Promise<void> {
    assert(this.#changed === undefined, 'the clocks are started once');
    this.#changed = changed;
    if (this.#isOver) return Promise.reject(this.#cause ?? new TuttiError('INTERNAL', 'The clock was stopped.'));
    return new Promise((resolve, reject) => {
      this.#starting = { done: resolve, refused: reject };
      this.#tell({ type: 'start' });
    });
  }

  follow(peers: readonly ClockPeer[]): void {
    this.#followed = new Set(peers.map(({ node }) => node));
    for (const node of this.#known.keys()) if (!this.#followed.has(node)) this.#known.delete(node);
    this.#tell({ type: 'follow', peers });
  }

  lineOf(node: NodeId): PeerLine | null {
    return this.#known.get(node)?.line ?? null;
  }

  roundTripOf(node: NodeId): number | null {
    return this.#known.get(node)?.roundTripNs ?? null;
  }

  counts(): ClockCounts {
    return this.#counts;
  }

  async stop(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#starting?.refused(new TuttiError('INTERNAL', 'The clock was stopped while it started.'));
    await this.#end();
  }

  /** The thread ended, or something in it broke. */
  died(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cause = error;
    this.#starting?.refused(error);
    this.#diedUnasked(error);
    void this.#end();
  }

  #tell(message: ToClock): void {
    if (!this.#isOver) this.#port.postMessage(message);
  }

  #heard(message: FromClock): void {
    if (this.#isOver) return;
    switch (message.type) {
      case 'listening':
        break;
      case 'started':
        this.#starting?.done();
        this.#starting = undefined;
        break;
      case 'refused':
        this.#starting?.refused(new TuttiError(message.code, message.detail, message.info));
        this.#starting = undefined;
        break;
      case 'peer':
        // What was on its way when a peer was dropped is of no interest.
        if (!this.#followed.has(message.node)) break;
        this.#known.set(message.node, message);
        this.#changed?.(message.node);
        break;
      case 'counts':
        this.#counts = message.counts;
        break;
      case 'warning':
        this.#log.warn(message.text, message.fields);
        break;
    }
  }
}

/** The thread's side: does with `timekeeper` what the port says, and tells the port what it finds. */
export function serveClock(components: { readonly port: ClockPort; readonly timekeeper: Timekeeper }): void {
  const { port, timekeeper } = components;
  const say = (message: FromClock) => port.postMessage(message);
  const start = async () => {
    try {
      await timekeeper.start({
        peer: (node, line, roundTripNs) => say({ type: 'peer', node, line, roundTripNs }),
        counts: (counts) => say({ type: 'counts', counts }),
      });
      say({ type: 'started' });
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      say({ type: 'refused', code: error.code, detail: error.detail, info: error.info });
    }
  };
  port.on('message', (message) => {
    const order = message as ToClock;
    switch (order.type) {
      case 'start':
        void start();
        break;
      case 'follow':
        timekeeper.follow(order.peers);
        break;
    }
  });
  say({ type: 'listening' });
}
