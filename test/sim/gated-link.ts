/**
 * GatedLink: a PeerLink whose messages may get lost, doubled and overtaken, and which belongs to one process.
 *
 * The real one keeps order, as TCP does, and consensus must not rest on it: what is said between acceptors and leaders is answered for
 * what it says. So the gate strikes the messages of consensus, one by one, where they arrive. What else travels (pieces of snapshots, a
 * forwarded proposal) may be lost, and comes in order.
 */
import type { NodeId } from '../../src/core/ids.js';
import type { Prng } from '../../src/core/prng.js';
import type { Channel, PeerLink, PeerLinkHandlers } from '../../src/ports/peer-link.js';
import type { Time } from '../../src/ports/time.js';
import type { FaultKind } from './knobs.js';
import { chance } from './streams.js';

/** A message that is overtaken comes up to this much later, milliseconds: a few round trips. */
const OVERTAKEN_MS_MAX = 60;

/** What happens to messages. */
export interface Weather {
  /** Share of the messages that it strikes, 0 to 1. */
  share(kind: FaultKind): number;
  /** It struck. */
  struck(kind: FaultKind): void;
}

/** What a gate is made of. */
export interface GatedLinkComponents {
  readonly link: PeerLink;
  /** True time. */
  readonly time: Time;
  readonly prng: Prng;
  readonly weather: Weather;
  /** Runs a callback as the process would: not at all when it is dead, later when it is stopped. */
  readonly run: (callback: () => void) => void;
  /** False once the process is dead: what it was about to do when it died does not happen. */
  readonly isAlive: () => boolean;
  /** True for a message of consensus. */
  readonly isConsensus: (bytes: Uint8Array) => boolean;
  /** What truly leaves of a message. */
  readonly sent: (channel: Channel, bytes: Uint8Array) => Uint8Array;
  /** Sees what leaves and what comes in. */
  readonly tap: (direction: 'sent' | 'received', peer: NodeId, channel: Channel, bytes: Uint8Array) => void;
}

/** The link of one process. */
export class GatedLink implements PeerLink {
  readonly #parts: GatedLinkComponents;

  constructor(components: GatedLinkComponents) {
    this.#parts = components;
  }

  start(handlers: PeerLinkHandlers): Promise<void> {
    const { run, isAlive } = this.#parts;
    if (!isAlive()) return new Promise(() => {});
    return this.#parts.link.start({
      message: (from, channel, bytes) => this.#arrive(handlers, from, channel, bytes),
      up: (peer, hello) => run(() => handlers.up(peer, hello)),
      down: (peer) => run(() => handlers.down(peer)),
      refused: (peer, reason, detail) => run(() => handlers.refused(peer, reason, detail)),
      moved: (peer, address) => run(() => handlers.moved(peer, address)),
      knock: (request) =>
        new Promise((resolve, reject) => {
          run(() => void handlers.knock(request).then(resolve, reject));
        }),
    });
  }

  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    this.#parts.link.setPeers(peers);
  }

  send(to: NodeId, channel: Channel, bytes: Uint8Array): boolean {
    const sent = this.#parts.sent(channel, bytes);
    this.#parts.tap('sent', to, channel, sent);
    return this.#parts.link.send(to, channel, sent);
  }

  queuedBytes(to: NodeId, channel: Channel): number {
    return this.#parts.link.queuedBytes(to, channel);
  }

  stop(): Promise<void> {
    return this.#parts.link.stop();
  }

  #arrive(handlers: PeerLinkHandlers, from: NodeId, channel: Channel, bytes: Uint8Array): void {
    const { run, prng, time, isConsensus, tap } = this.#parts;
    if (this.#strikes('loss')) return;
    const deliver = () =>
      run(() => {
        tap('received', from, channel, bytes);
        handlers.message(from, channel, bytes);
      });
    if (channel !== 'control' || !isConsensus(bytes)) {
      deliver();
      return;
    }
    const later = () => void time.after('an overtaken message', OVERTAKEN_MS_MAX * prng.fraction(), deliver);
    if (this.#strikes('duplicate')) later();
    if (this.#strikes('reorder')) later();
    else deliver();
  }

  #strikes(kind: FaultKind): boolean {
    const { prng, weather } = this.#parts;
    const share = weather.share(kind);
    if (share === 0 || !chance(prng, share)) return false;
    weather.struck(kind);
    return true;
  }
}
