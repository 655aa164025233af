/**
 * A house for tests: tracks of any length, and a machine that numbers and stamps what is asked of it. Everything goes through the log's
 * bytes, as it does in a real house.
 */
import { Cluster } from '../../src/cluster/cluster.js';
import { decodeProposal, encodeProposal } from '../../src/cluster/codec.js';
import type { Command, Origin, Voter } from '../../src/cluster/command.js';
import type { Done, Outcome } from '../../src/cluster/outcome.js';
import type { ErrorCode } from '../../src/core/errors.js';
import { type Incarnation, type ItemId, type NodeId, nodeId, slot, type TrackId, trackId } from '../../src/core/ids.js';
import { type ClusterTime, clusterTime, NS_PER_MS } from '../../src/core/units.js';
import type { Holder, Track } from '../../src/library/track.js';

/** The id of test track `k`. */
export const idOf = (k: number): TrackId => trackId(k.toString(16).padStart(64, '0'));

export const KITCHEN: NodeId = nodeId('a'.repeat(32));
export const BATH: NodeId = nodeId('b'.repeat(32));
export const HALL: NodeId = nodeId('e'.repeat(32));

/** A node with its one card. */
export const cardOf = (node: NodeId): Voter => ({ node, incarnation: `${node[0]}c`.repeat(16) as Incarnation });

/** Track `k` of `seconds` seconds. */
export const trackNamed = (k: number, title: string, seconds = 10, sampleRate = 48_000): Track => ({
  id: idOf(k),
  title,
  fileName: `${k}.wav`,
  format: { sampleRate, channels: 2, sample: 's16', dataOffset: 44, channelMask: 0 },
  bytes: 44 + Math.max(1, Math.round(seconds * sampleRate)) * 4,
  frames: Math.max(1, Math.round(seconds * sampleRate)),
  tags: { artist: 'Somebody' },
  loudness: { integratedLufs: -18.25, samplePeak: 0.5 },
  source: { node: KITCHEN, via: 'http' },
  holders: [{ node: KITCHEN, incarnation: 'c'.repeat(32) }],
  addedAt: 1_700_000_000_000,
});

/** The same, cut into chunks, and held by these. */
export const heldBy = (holders: readonly Holder[], track: Track = trackNamed(1, 'Song')): Command => ({
  type: 'track.add',
  track: { ...track, chunks: { bytes: 256 << 10, root: 'd'.repeat(64) }, holders: [...holders] },
});

/** The instant `ms` milliseconds after the cluster began. */
export const at = (ms: number): ClusterTime => clusterTime(BigInt(Math.round(ms * 1e6)));

/** What a test gives along with a command; the rest has defaults. */
export interface How {
  readonly leadMs?: number;
  readonly key?: string;
  readonly firstSentNs?: bigint;
  readonly via?: Origin['via'];
  readonly node?: NodeId;
  /** Who votes in the slot; nobody, as in a house's first configuration, unless told. */
  readonly voters?: readonly Voter[];
}

export class House {
  readonly cluster: Cluster;

  constructor(cluster = Cluster.empty()) {
    this.cluster = cluster;
  }

  /** A house with tracks 1 to `count`, 10 s each at 48 kHz, called t1, t2, ..., added in the first milliseconds. */
  static withTracks(count: number): House {
    const house = new House();
    for (let k = 1; k <= count; k++) house.done(k / 1_000, { type: 'track.add', track: trackNamed(k, `t${k}`) });
    return house;
  }

  /** Applies a command stamped `ms`; lead 100 ms unless told. */
  apply(ms: number, command: Command, { leadMs = 100, voters = [], ...origin }: How = {}): Outcome {
    const { node = KITCHEN, via = 'web', ...rest } = origin;
    const bytes = encodeProposal({ command, origin: { node, via, ...rest } });
    return this.cluster.apply({
      ...decodeProposal(bytes),
      slot: slot(this.cluster.appliedSlot + 1),
      stampNs: at(ms),
      leadNs: BigInt(leadMs) * NS_PER_MS,
      voters,
    });
  }

  /** As `apply`, for what must succeed. */
  done(ms: number, command: Command, how?: How): Done {
    const outcome = this.apply(ms, command, how);
    if (!outcome.ok) throw new Error(`${command.type} was refused: ${outcome.code} ${outcome.detail}`);
    this.cluster.invariants();
    return outcome;
  }

  /** As `apply`, for what must be refused, and must leave no trace but its slot: answers the code. */
  refused(ms: number, command: Command, how?: How): ErrorCode {
    const { playback, library, house, members } = this.cluster;
    const before = [playback, library.rev, house, ...members];
    const outcome = this.apply(ms, command, how);
    if (outcome.ok) throw new Error(`${command.type} was done`);
    const now = this.cluster;
    const after = [now.playback, now.library.rev, now.house, ...now.members];
    if (before.some((part, k) => part !== after[k])) throw new Error(`${command.type} was refused and left a trace`);
    return outcome.code;
  }

  /** Adds tracks at the queue's end; answers the items. */
  add(ms: number, ...tracks: number[]): readonly ItemId[] {
    return this.done(ms, { type: 'queue.add', trackIds: tracks.map(idOf) }).itemIds!;
  }

  /** What the view says at `ms`: status, current title, position in ms, and the titles in the queue. */
  shows(ms: number): [status: string, title: string | null, positionMs: number, queue: string] {
    const { transport, queue } = this.cluster.view(at(ms));
    return [transport.status, transport.title, transport.positionMs, queue.map((item) => item.title).join(' ')];
  }
}
