/** Engine: what makes a replicated log of a machine's parts. */
import type { BootId, NodeId } from '../../src/core/ids.js';
import type { Configuration } from '../../src/paxos/configuration.js';
import type { Channel, PeerLink } from '../../src/ports/peer-link.js';
import type { GateQuestion } from '../../src/replication/gate.js';
import type { LinkIdentity } from '../../src/replication/replica.js';
import type { ReplicatedLog } from '../../src/replication/replicated-log.js';
import type { ProcessId } from './checkers/observation.js';
import type { Identity, Machine } from './machine.js';
import type { NodeClock } from './node-clock.js';

/** What a process is made of. */
export interface EngineParts {
  readonly machine: Machine;
  readonly process: ProcessId;
  readonly clock: NodeClock;
  readonly boot: BootId;
  readonly link: (identity: LinkIdentity) => PeerLink;
  /** Of which a change of voters has to be asked. */
  readonly gate: GateQuestion;
  /** What the next commit takes, milliseconds. */
  readonly commitMs: () => number;
  /** Runs code of the process, unless it is dead or stopped. */
  run(callback: () => void): void;
  /** The process must end. */
  failed(error: Error): void;
}

/** A message that leaves a process or comes to it. */
export interface Tapped {
  readonly process: ProcessId;
  readonly machine: Machine;
  readonly direction: 'sent' | 'received';
  readonly peer: NodeId;
  readonly channel: Channel;
  readonly bytes: Uint8Array;
}

/** What comes of knocking: `refused` may be tried again; `no such member` where there is no `former` to be replaced. */
export type JoinAnswer = 'admitted' | 'refused' | 'no such member';

/** Makes cards and processes. */
export interface Engine {
  /** Makes the machine's empty card that of a member. */
  format(machine: Machine, identity: Identity, configuration: Configuration): void;
  /** Asks `asked` to let the machine in (in the place of `former`), and formats its card where it is. */
  join(machine: Machine, identity: Identity, asked: Machine, former: NodeId | null): Promise<JoinAnswer>;
  start(parts: EngineParts): ReplicatedLog;
  /** True for a message of the core. */
  isConsensus(bytes: Uint8Array): boolean;
  tap(tapped: Tapped): void;
}
