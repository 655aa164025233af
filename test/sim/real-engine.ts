/** The real engine: Replica over DirectLogStore over Store, on the machine's disk; and what its messages say. */
import { TuttiError } from '../../src/core/errors.js';
import type { BootId, NodeId, Slot } from '../../src/core/ids.js';
import { NO_BALLOT } from '../../src/paxos/ballot.js';
import { decodeMessage, encodeConfiguration, encodeMessage } from '../../src/paxos/codec.js';
import type { Configuration } from '../../src/paxos/configuration.js';
import type { Message } from '../../src/paxos/message.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import type { FakeNetwork } from '../../src/ports/fake-network.js';
import { FakeKnocker } from '../../src/ports/fake-peer-link.js';
import { join } from '../../src/replication/admission.js';
import { DirectLogStore } from '../../src/replication/direct-log-store.js';
import { CONSENSUS } from '../../src/replication/frames.js';
import { Replica } from '../../src/replication/replica.js';
import type { ReplicatedLog } from '../../src/replication/replicated-log.js';
import type { StoreLimits } from '../../src/storage/limits.js';
import { PAGE_BYTES, SUPERBLOCK_BYTES_MAX } from '../../src/storage/limits.js';
import { Store, type StoreInit } from '../../src/storage/store.js';
import type { Observation } from './checkers/observation.js';
import type { Engine, EngineParts, JoinAnswer, Tapped } from './engine.js';
import { CLUSTER, type Identity, type Machine } from './machine.js';
import { messageText } from './message-text.js';
import { hash32 } from './streams.js';
import { tapped } from './tapped-store.js';

/** How large the logs of simulated cards are. */
const limitsOf = (ringPages: number): StoreLimits => ({
  segmentBytes: 16 * PAGE_BYTES,
  // As many pages as the ring has, so that neither of the two bounds the log alone.
  segments: Math.max(4, Math.ceil(ringPages / 16) + 2),
  ringPages,
  superblockGapBytes: SUPERBLOCK_BYTES_MAX,
  ballastBytes: 16 * PAGE_BYTES,
});

/** Codes of the messages that say what a disk holds: the second byte. */
const SAYS_PROMISED = codeOf({
  type: 'promise',
  ballot: NO_BALLOT,
  from: 1 as Slot,
  accepted: [],
  unknown: [],
  chosenUpTo: 0 as Slot,
  more: false,
  next: 1 as Slot,
  timeNs: null,
});
/** A candidate asks only with a ballot that it has promised itself. */
const ASKS_FOR_PROMISE = codeOf({ type: 'prepare', ballot: NO_BALLOT, from: 1 as Slot });
const SAYS_ACCEPTED = codeOf({ type: 'accepted', ballot: NO_BALLOT, upTo: 0 as Slot, batch: 0 });

const SAYS = new Set([SAYS_PROMISED, ASKS_FOR_PROMISE, SAYS_ACCEPTED]);

function codeOf(message: Message): number {
  return encodeMessage(message)[1]!;
}

/** The cluster's key, of which the fake network only asks that all have the same. */
const KEY = new Uint8Array(32);

/** What differs between simulations. */
export interface RealEngineInit {
  readonly network: FakeNetwork;
  readonly ringPages: number;
  /** Where messages are written down; null where nobody reads them. */
  readonly trace: ((who: string, text: string) => void) | null;
  readonly observe: (observation: Observation) => void;
}

/** Runs the code as it ships. */
export class RealEngine implements Engine {
  readonly #init: RealEngineInit;

  constructor(init: RealEngineInit) {
    this.#init = init;
  }

  format(machine: Machine, identity: Identity, configuration: Configuration): void {
    const { node, incarnation } = identity;
    const init: StoreInit = {
      cluster: CLUSTER,
      node,
      incarnation,
      bootId: `f0${incarnation.slice(2)}` as BootId,
      configuration: encodeConfiguration(configuration),
      leaseMs: configuration.timing.leaseMs,
    };
    Store.format(machine.disk, init, limitsOf(this.#init.ringPages));
  }

  async join(machine: Machine, identity: Identity, asked: Machine, former: NodeId | null): Promise<JoinAnswer> {
    const { network, trace } = this.#init;
    const knocker = new FakeKnocker({ network }, { host: machine.host });
    const member = { ...identity, address: machine.address, name: machine.name };
    try {
      const init = { member, replace: former, addresses: [asked.address], key: KEY };
      const { configuration } = await join({ knocker }, init);
      this.format(machine, identity, configuration);
      return 'admitted';
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      trace?.(machine.name, `knocks at ${asked.name}: ${error.message}`);
      return error.code === 'NODE_NOT_FOUND' ? 'no such member' : 'refused';
    }
  }

  start(parts: EngineParts): ReplicatedLog {
    const { machine, process, clock, boot, link, gate, commitMs, run, failed } = parts;
    const { trace, observe, ringPages } = this.#init;
    const store = new DirectLogStore(
      { time: clock, disk: machine.disk },
      // On every other machine the disk is called when the wait is over.
      { limits: limitsOf(ringPages), latencyMs: commitMs, callsAt: machine.number % 2 === 0 ? 'start' : 'end' },
    );
    return new Replica(
      {
        time: clock,
        log: new FakeLog(),
        store: tapped(store, { process, observe, trace: trace && ((text) => trace(machine.name, text)) }),
        link,
      },
      {
        boot,
        seed: hash32(boot),
        leadMs: () => 20,
        gate,
        failed,
        defer: (callback) => queueMicrotask(() => run(callback)),
      },
    );
  }

  isConsensus(bytes: Uint8Array): boolean {
    return bytes[0] === CONSENSUS;
  }

  tap({ process, machine, direction, peer, channel, bytes }: Tapped): void {
    const { trace, observe } = this.#init;
    if (trace !== null) {
      const arrow = direction === 'sent' ? 'to' : 'from';
      trace(machine.name, `${arrow} ${peer.slice(0, 4)}${channel === 'bulk' ? ' (bulk)' : ''}: ${messageText(bytes)}`);
    }
    if (direction === 'received' || bytes[0] !== CONSENSUS) return;
    if (!SAYS.has(bytes[1]!)) return;
    const message = decodeMessage(bytes);
    if (message.type === 'promise' || message.type === 'prepare') {
      observe({ type: 'promised', process, ballot: message.ballot });
    }
    if (message.type === 'accepted') {
      observe({ type: 'accepted', process, ballot: message.ballot, upTo: message.upTo });
    }
  }
}
