/**
 * Three real daemons, each at the end of a cable of its own (wires.ts); ports of this machine in place of cables where none can be laid, so
 * that at least their processes can be harmed.
 */
import type { Test } from 'tap';
import type { Daemon } from './daemon.js';
import {
  formHouse,
  kill,
  NODE_NAMES,
  type NodeExtras,
  type NodeName,
  startNode,
  stateOf,
  together,
} from './three-nodes.js';
import { layWires, type Wires, type WiresInit } from './wires.js';

/** Where each node listens for others, behind its own cable: there is nobody else. */
const PEER_PORT = 7_420;

export class WiredHouse {
  /** Those that run, or ran last. */
  readonly daemons: Record<NodeName, Daemon>;
  /** Their cables, or why there are none. */
  readonly wires: Wires | { readonly missing: string };
  readonly #t: Test;
  readonly #folder: string;
  readonly #extras: Readonly<Record<NodeName, NodeExtras>>;

  private constructor(
    t: Test,
    folder: string,
    wires: WiredHouse['wires'],
    init: { readonly daemons: Record<NodeName, Daemon>; readonly extras: Record<NodeName, NodeExtras> },
  ) {
    this.daemons = init.daemons;
    this.wires = wires;
    this.#t = t;
    this.#folder = folder;
    this.#extras = init.extras;
  }

  /** A house whose data lies below `folder`. Everything of it ends with `t`. `envOf`: further variables for each node. */
  static async start(
    t: Test,
    folder: string,
    envOf: (index: number) => Readonly<Record<string, string>> = () => ({}),
    cables: WiresInit = {},
  ): Promise<WiredHouse> {
    const wires = layWires(NODE_NAMES.length, cables);
    t.teardown(() => ('missing' in wires ? undefined : wires.remove()));
    const extrasOf = (index: number): NodeExtras => {
      if ('missing' in wires) return { env: envOf(index) };
      const address = `${wires.houseAddress(index)}:${PEER_PORT}`;
      return {
        within: wires.wrap(index, []),
        env: {
          TUTTI_HTTP_LISTEN: `${wires.benchAddress(index)}:0`,
          TUTTI_CLUSTER_LISTEN: address,
          TUTTI_CLUSTER_ADVERTISE: address,
          ...envOf(index),
        },
      };
    };
    const extras = Object.fromEntries(NODE_NAMES.map((name, index) => [name, extrasOf(index)]));
    const daemons = await formHouse(t, folder, extras);
    return new WiredHouse(t, folder, wires, { daemons, extras: extras as Record<NodeName, NodeExtras> });
  }

  /** Starts one that was ended. */
  async restart(name: NodeName): Promise<void> {
    this.daemons[name] = await startNode(this.#t, this.#folder, name, [], this.#extras[name]);
  }

  /** Ends it as a power cut would. */
  kill(name: NodeName): Promise<void> {
    return kill(this.daemons[name]);
  }

  /** Who leads; waits until all vote and hear one another. */
  async leader(): Promise<NodeName> {
    await together(Object.values(this.daemons), NODE_NAMES.length);
    const { cluster, nodes } = await stateOf(this.daemons.kitchen);
    return nodes.find(({ id }) => id === cluster.leader)!.name as NodeName;
  }
}
