/**
 * Hearing: what comes over the link, and whom it concerns.
 *
 * Messages of consensus go to the core; frames, by which the parts of two replicas talk, to the part that they are for. While a peer's
 * snapshot is put in place everything is dropped, as if the network had lost it. A message that cannot be read is dropped too: it may be
 * of a newer version, and whoever sent it asks again, or gets no answer.
 */
import { TuttiError } from '../core/errors.js';
import type { ClusterId, NodeId } from '../core/ids.js';
import type { Message } from '../paxos/message.js';
import type { Channel, PeerHello, PeerLinkHandlers, RefusalReason } from '../ports/peer-link.js';
import { changeFor, decodeKnock, encodeAdmitted } from './admission.js';
import type { CardWatch } from './card-watch.js';
import { CONSENSUS, decodeFrame, type Frame } from './frames.js';
import type { Leadership } from './leadership.js';
import type { Membership } from './membership.js';
import type { Peers } from './peers.js';
import type { MemberChange } from './replicated-log.js';
import type { Requests } from './requests.js';
import type { Self } from './self.js';
import type { Snapshots } from './snapshots.js';
import type { StateRepair } from './state-repair.js';

/** Whom something may concern. */
export interface HearingComponents {
  readonly self: Self;
  readonly peers: Peers;
  readonly cards: CardWatch;
  readonly leadership: Leadership;
  readonly membership: Membership;
  readonly requests: Requests;
  readonly repair: StateRepair;
  readonly snapshots: Snapshots;
  /** Gives a message of consensus to the core, with all that follows. @throws TuttiError BAD_FRAME */
  readonly receive: (from: NodeId, bytes: Uint8Array) => Message;
  /** A peer told something that concerns those who use the log. */
  readonly told: (from: NodeId, bytes: Uint8Array) => void;
  /** What a member calls itself by now; null where it has not said so. */
  readonly nameOf: (node: NodeId) => string | null;
  /** Has a change of members agreed, as if this node's owner had asked for it. */
  readonly changeMembers: (change: MemberChange) => Promise<unknown>;
}

/** The link's handlers of one running node. */
export class Hearing implements PeerLinkHandlers {
  readonly #components: HearingComponents;
  readonly #cluster: ClusterId;

  constructor(components: HearingComponents, init: { readonly cluster: ClusterId }) {
    this.#components = components;
    this.#cluster = init.cluster;
  }

  /** A peer says something. */
  message(from: NodeId, channel: Channel, bytes: Uint8Array): void {
    const { self, snapshots, peers } = this.#components;
    if (snapshots.isInstalling) return;
    peers.heard(from);
    try {
      if (channel === 'control' && bytes[0] === CONSENSUS) this.#onMessage(from, bytes);
      else this.#onFrame(from, decodeFrame(bytes));
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      self.log.warn('a message of a peer cannot be read', { peer: from, detail: error.detail });
    }
  }

  /** A peer is connected. */
  up(peer: NodeId, hello: PeerHello): void {
    const { self, peers, cards } = this.#components;
    peers.up(peer);
    // Before anything that it says is counted.
    cards.lookAt(peer, hello);
    self.handle({ type: 'link', peer, up: true });
    self.statusChanged();
  }

  /** A peer is not connected any more. */
  down(peer: NodeId): void {
    const { self, peers } = this.#components;
    peers.down(peer);
    self.handle({ type: 'link', peer, up: false });
    self.statusChanged();
  }

  /** A peer does not let this node in. */
  refused(peer: NodeId, reason: RefusalReason, detail: string): void {
    const { self, peers } = this.#components;
    // It is tried again, and says so each time.
    if (peers.hasRefused(peer)) return;
    self.log.warn('a member does not let this node in', { peer, reason, detail });
    if (reason !== 'not-a-member') return;
    peers.refused(peer);
    self.statusChanged();
  }

  /** A peer is found elsewhere. */
  moved(peer: NodeId, address: string): void {
    const { self, peers } = this.#components;
    self.log.info('a member is found at another address', { peer, address });
    peers.moved(peer, address);
    self.statusChanged();
  }

  /** Somebody wants to be let in. */
  async knock(request: Uint8Array): Promise<Uint8Array> {
    const { self, changeMembers, nameOf } = this.#components;
    await changeMembers(changeFor(decodeKnock(request), self.configuration(), nameOf));
    return encodeAdmitted({ cluster: this.#cluster, configuration: self.configuration() });
  }

  #onMessage(from: NodeId, bytes: Uint8Array): void {
    const { receive, leadership, cards } = this.#components;
    const message = receive(from, bytes);
    if (message.type === 'heartbeat' && message.clock !== null) {
      leadership.hear(from, message.clock, message.standing.chosenUpTo);
    } else if (message.type === 'heartbeat-reply') {
      leadership.hearClaim(from, message.clock);
    } else if (message.type === 'accepted') {
      cards.heard(from, message.batch);
    }
  }

  #onFrame(from: NodeId, frame: Frame): void {
    const { cards, leadership, membership, requests, repair, snapshots, told } = this.#components;
    switch (frame.type) {
      case 'told':
        told(from, frame.bytes);
        break;
      case 'time':
        leadership.hearClaim(from, frame.claim);
        break;
      case 'forward':
        requests.forwarded(from, frame.proposals);
        break;
      case 'change':
        membership.asked(from, frame);
        break;
      case 'change-answer':
        membership.answered(frame);
        break;
      case 'distrusted':
        cards.distrustSelf(`${from} says: ${frame.why}`);
        break;
      case 'out-of-trust':
        cards.isOut(from);
        break;
      case 'snapshot-ask':
        snapshots.asked(from, frame);
        break;
      case 'snapshot-part':
        snapshots.took(from, frame);
        break;
      case 'hash':
        repair.heard(from, frame.slot, frame.hash);
        break;
      case 'state-differs':
        repair.differs(from, frame.slot);
        break;
    }
  }
}
