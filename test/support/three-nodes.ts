/** Three real daemons on this machine, as one house. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { NodeView, State } from '../../src/http/schema.js';
import { Daemon, until } from './daemon.js';
import { plainWav } from './wav-files.js';

export const stateOf = async (daemon: Daemon): Promise<State> => (await daemon.call('GET', '/state')).json;
export const nodeNamed = (state: State, name: string): NodeView | undefined =>
  state.nodes.find((node) => node.name === name);

/** Starts a daemon called `name`, whose data lies below `folder`. */
export function startNode(t: Test, folder: string, name: string, first: readonly string[] = []): Promise<Daemon> {
  const dataDir = join(folder, name);
  mkdirSync(dataDir, { recursive: true });
  return Daemon.start(t, { dataDir, first, env: { TUTTI_NAME: name } });
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

/** Three nodes by name, of which all vote. */
export async function formHouse(t: Test, folder: string): Promise<Record<'kitchen' | 'attic' | 'hall', Daemon>> {
  const kitchen = await startNode(t, folder, 'kitchen', ['--init']);
  const key = readFileSync(keyFile(folder, 'kitchen'), 'utf8');
  const joins = ['--join', `127.0.0.1:${kitchen.peerPort}`];
  const [attic, hall] = await Promise.all(
    ['attic', 'hall'].map((name) => {
      mkdirSync(join(folder, name));
      writeFileSync(keyFile(folder, name), key, { mode: 0o600 });
      return startNode(t, folder, name, joins);
    }),
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
