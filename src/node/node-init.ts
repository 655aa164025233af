/** Who a node is, for as long as its process runs. */
import type { BootId, ClusterId, Incarnation, NodeId } from '../core/ids.js';
import type { SoundSettings } from './program.js';

/** What a running node knows of itself: ids from its store, the rest from its configuration. */
export interface NodeInit {
  readonly id: NodeId;
  /** Of its card. */
  readonly incarnation: Incarnation;
  readonly bootId: BootId;
  readonly clusterId: ClusterId;
  /** As its owner named it. */
  readonly name: string;
  /** Of this software. */
  readonly version: string;
  /** host:port for peers, as of now. */
  readonly address: () => string;
  /** Connections that its link has closed so far, by reason: see io/net/counters.ts. None where it is left out. */
  readonly closedConnections?: () => Readonly<Record<string, number>>;
  /** Datagrams at its clock's port that came and had no effect, by reason, since it started. */
  readonly refusedDatagrams?: () => Readonly<Record<string, number>>;
  /** From the configuration; latency and channels may be changed from afar. */
  readonly sound: SoundSettings;
  /** How far cluster time may be wrong at most for this node to begin to sound, microseconds; `auto` looks at the network. */
  readonly clockErrorUs: number | 'auto';
  /** What music does that was playing when the whole house went dark: stays paused where it stood, or goes on. */
  readonly resumeAfterOutage: 'paused' | 'play';
}
