/**
 * Peers: which members this node can talk to, where they are found, and what they say of it at their doors.
 *
 * The link is told whom to hold connections with: all other members. One that was removed is kept on for a moment, or it would never hear
 * that it was, and would knock for ever. Where a member is found at another address than the agreed one, the link goes there from now on;
 * the agreed address stays as it is.
 */
import type { NodeId } from '../core/ids.js';
import { type ClusterTime, clusterTime } from '../core/units.js';
import { type Configuration, isMember, type MemberRecord, votersOf } from '../paxos/configuration.js';
import type { PeerClocks } from '../ports/peer-clocks.js';
import type { PeerLink } from '../ports/peer-link.js';
import type { Time, Timer } from '../ports/time.js';
import type { Self } from './self.js';

/** A member that was removed is still told things for this long: that it was removed, first of all. Milliseconds. */
const FAREWELL_MS = 2_000;

/** What peers are kept with. */
export interface PeersComponents {
  readonly self: Self;
  readonly time: Time;
  readonly link: Pick<PeerLink, 'setPeers'>;
  /** Null where the clocks of peers are not measured. */
  readonly clocks: Pick<PeerClocks, 'follow'> | null;
}

/** The other members, as this node meets them. */
export class Peers {
  readonly #components: PeersComponents;
  /** Whom the link was told of, and where they are. */
  #linked = new Map<NodeId, string>();
  /** Since when, local milliseconds. */
  readonly #up = new Map<NodeId, number>();
  readonly #lastHeardAt = new Map<NodeId, ClusterTime>();
  /** Where they were found, if not where it is agreed. */
  readonly #movedTo = new Map<NodeId, string>();
  /** They say that this node is no member any more. */
  readonly #refusedBy = new Set<NodeId>();
  readonly #farewells = new Set<Timer>();

  constructor(components: PeersComponents) {
    this.#components = components;
  }

  /** Those who are up, the longest first. */
  get online(): readonly NodeId[] {
    return [...this.#up.keys()];
  }

  /** Since when a peer is up, local milliseconds; null where it is not. */
  upSinceMs(peer: NodeId): number | null {
    return this.#up.get(peer) ?? null;
  }

  /** Cluster time of a peer's last word; 0 where it said nothing yet. */
  lastHeardAt(peer: NodeId): ClusterTime {
    return this.#lastHeardAt.get(peer) ?? clusterTime(0n);
  }

  /** "host:port" where a member is looked for. */
  addressOf({ node, address }: Pick<MemberRecord, 'node' | 'address'>): string {
    return this.#movedTo.get(node) ?? address;
  }

  /** All who decide went on without this node, and it was away when they did. */
  isOut(configuration: Configuration): boolean {
    const voters = votersOf(configuration);
    return voters.filter((voter) => this.#refusedBy.has(voter)).length > voters.length / 2;
  }

  /** A peer came up. */
  up(peer: NodeId): void {
    this.#refusedBy.delete(peer);
    this.#up.set(peer, this.#components.self.nowMs());
    this.heard(peer);
  }

  /** A peer went down. */
  down(peer: NodeId): void {
    this.#up.delete(peer);
  }

  /** A peer said something. */
  heard(peer: NodeId): void {
    this.#lastHeardAt.set(peer, this.#components.self.clusterNow());
  }

  /** A peer says that this node is no member. */
  refused(peer: NodeId): void {
    this.#refusedBy.add(peer);
  }

  /** A peer says so, and was not up since. */
  hasRefused(peer: NodeId): boolean {
    return this.#refusedBy.has(peer);
  }

  /** A peer is found at this address. */
  moved(peer: NodeId, address: string): void {
    this.#movedTo.set(peer, address);
    this.follow();
  }

  /** Tells the link whom to talk to: the members, and for a moment yet those who are none any more. */
  follow(): void {
    const { self, link, clocks, time } = this.#components;
    const wanted = new Map<NodeId, string>();
    for (const member of self.configuration().members) {
      if (member.node !== self.node) wanted.set(member.node, this.addressOf(member));
    }
    clocks?.follow([...wanted].map(([node, address]) => ({ node, address })));
    const leaving = [...this.#linked].filter(([node]) => !wanted.has(node));
    this.#linked = new Map([...wanted, ...leaving]);
    link.setPeers(this.#linked);
    if (leaving.length === 0) return;
    const timer = time.after('consensus.farewell', FAREWELL_MS, () => {
      this.#farewells.delete(timer);
      for (const [node] of leaving) {
        if (isMember(self.configuration(), node)) continue;
        this.#linked.delete(node);
        this.#up.delete(node);
      }
      link.setPeers(new Map(this.#linked));
    });
    this.#farewells.add(timer);
  }

  /** Leaves no timer. */
  stop(): void {
    for (const timer of this.#farewells) timer.cancel();
    this.#farewells.clear();
  }
}
