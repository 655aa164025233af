/** Three real daemons on this machine, as one house. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeView, State } from '../../src/http/schema.js';
import { Daemon, type DaemonInit, type Ends, until } from './daemon.js';
import { plainWav } from './wav-files.js';

export const stateOf = async (daemon: Daemon): Promise<State> => (await daemon.call('GET', '/state')).json;
export const nodeNamed = (state: State, name: string): NodeView | undefined =>
  state.nodes.find((node) => node.name === name);

/** How the node that answers sounds. */
export const ownOutput = ({ node, nodes }: State): NodeView['output'] => nodes.find(({ id }) => id === node.id)!.output;

/** What a node has beside its name and its data directory. */
export type NodeExtras = Pick<DaemonInit, 'capture' | 'env' | 'program' | 'within'>;

/** Starts a daemon called `name`, whose data lies below `folder`. */
export function startNode(
  t: Ends,
  folder: string,
  name: string,
  first: readonly string[] = [],
  extras: NodeExtras = {},
): Promise<Daemon> {
  const dataDir = join(folder, name);
  mkdirSync(dataDir, { recursive: true });
  return Daemon.start(t, { ...extras, dataDir, first, env: { TUTTI_NAME: name, ...extras.env } });
}

/** Has a new node of this name join the house of a daemon in the same `folder`; resolves when it serves, not when it has all. */
export function joinNode(
  t: Ends,
  folder: string,
  name: string,
  place: { readonly key: string; readonly address: string },
  extras: NodeExtras = {},
): Promise<Daemon> {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(keyFile(folder, name), place.key, { mode: 0o600 });
  return startNode(t, folder, name, ['--join', place.address], extras);
}

/** Ends it as a power cut would. */
export async function kill(daemon: Daemon): Promise<void> {
  const exited = once(daemon.process, 'exit');
  daemon.process.kill('SIGKILL');
  await exited;
}

export const keyFile = (folder: string, name: string): string => join(folder, name, 'cluster.key');

/** Waits until every daemon sees so many voters and hears them all. */
export async function together(daemons: readonly Daemon[], voters: number): Promise<void> {
  let states: State[] = [];
  await until(
    `all of ${daemons.length} see ${voters} voters`,
    async () => {
      states = await Promise.all(daemons.map(stateOf));
      return states.every(
        ({ cluster }) =>
          cluster.quorum && cluster.leader !== null && cluster.votersOnline === voters && cluster.voters === voters,
      );
    },
    () =>
      states.map(({ node, cluster, nodes, alerts }, at) => ({
        node,
        cluster,
        nodes,
        alerts,
        log: daemons[at]!.errors,
      })),
  );
}

/** The names of three. */
export type NodeName = 'kitchen' | 'attic' | 'hall';
export const NODE_NAMES: readonly NodeName[] = ['kitchen', 'attic', 'hall'];

/** Three nodes by name, of which all vote. */
export async function formHouse(
  t: Ends,
  folder: string,
  extras: Partial<Record<NodeName, NodeExtras>> = {},
): Promise<Record<NodeName, Daemon>> {
  const kitchen = await startNode(t, folder, 'kitchen', ['--init'], extras.kitchen);
  const key = readFileSync(keyFile(folder, 'kitchen'), 'utf8');
  const address = extras.kitchen?.env?.TUTTI_CLUSTER_ADVERTISE ?? `127.0.0.1:${kitchen.peerPort}`;
  const [attic, hall] = await Promise.all(
    (['attic', 'hall'] as const).map((name) => joinNode(t, folder, name, { key, address }, extras[name])),
  );
  await together([kitchen, attic!, hall!], 3);
  return { kitchen, attic: attic!, hall: hall! };
}

/** A song of 20 s. */
export const song = (seed: number): Uint8Array => {
  const data = new Uint8Array(20 * 8_000 * 2);
  for (let i = 0; i < data.length; i++) data[i] = (i * 31 * seed + (i >> 7) * seed) & 0xff;
  return plainWav({ channels: 1, sampleRate: 8_000, bits: 16 }, data);
};
