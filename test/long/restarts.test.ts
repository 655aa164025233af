/** A node that goes and comes back, again and again, and under another address: the others find it, and keep nothing of those that were. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { freePorts } from '../bench/consensus/contestant.js';
import { type Daemon, temporaryFolder, until } from '../support/daemon.js';
import { formHouse, kill, nodeNamed, startNode, stateOf, together } from '../support/three-nodes.js';

const RESTARTS = 50;
const WATCH = fileURLToPath(new URL('../support/watch-handles.js', import.meta.url));

/** On a busy machine. Milliseconds. */
t.setTimeout(590_000);

/** What a node holds by its own count, and by the kernel's. */
async function holdings(daemon: Daemon): Promise<Record<string, number>> {
  const before = daemon.errors.length;
  daemon.process.kill('SIGUSR2');
  const line = await until('it has counted', () => /^handles: (.*)$/m.exec(daemon.errors.slice(before).join('')));
  return { ...(JSON.parse(line[1]!) as Record<string, number>), descriptors: daemon.descriptors() };
}

await t.test(
  `[row 45] ${RESTARTS} restarts of a peer leave no socket, no descriptor and no timer behind`,
  async (t) => {
    const folder = temporaryFolder(t);
    const watched = { env: { NODE_OPTIONS: `--import=${WATCH}` } };
    const { kitchen, attic, hall } = await formHouse(t, folder, { kitchen: watched, hall: watched });
    const others = [kitchen, hall];
    const before = await Promise.all(others.map(holdings));
    let peer = attic;
    for (let restart = 0; restart < RESTARTS; restart++) {
      await kill(peer);
      peer = await startNode(t, folder, 'attic');
      await until('it hears the others, and they it', async () => {
        const [own, ...theirs] = await Promise.all([peer, ...others].map(stateOf));
        return own!.cluster.votersOnline === 3 && theirs.every((state) => nodeNamed(state, 'attic')?.online);
      });
    }
    await together([...others, peer], 3);
    for (const [index, daemon] of others.entries()) {
      let now: Record<string, number> = {};
      await until(
        'it holds no more than before',
        async () => {
          now = await holdings(daemon);
          return Object.entries(now).every(([kind, count]) => count <= (before[index]![kind] ?? 0));
        },
        () => ({ before: before[index], now }),
      );
      t.pass(`before: ${JSON.stringify(before[index])}; after: ${JSON.stringify(now)}`);
    }
  },
);

await t.test(
  '[row 44] a node that comes back under another address is found there by all, also by those that were away',
  async (t) => {
    const folder = temporaryFolder(t);
    const house = await formHouse(t, folder);
    await kill(house.attic);
    const [port] = await freePorts(1);
    const address = `127.0.0.2:${port}`;
    const attic = await startNode(t, folder, 'attic', [], {
      env: { TUTTI_CLUSTER_LISTEN: address, TUTTI_CLUSTER_ADVERTISE: address },
    });
    await together([house.kitchen, attic, house.hall], 3);
    await kill(house.hall);
    const hall = await startNode(t, folder, 'hall');
    const daemons = [house.kitchen, attic, hall];
    await together(daemons, 3);
    for (const daemon of daemons) {
      await until('every clock is measured', async () => {
        const { nodes } = await stateOf(daemon);
        return nodes.every(({ clock }) => clock?.locked === true && !clock.holdover);
      });
      t.equal(nodeNamed(await stateOf(daemon), 'attic')!.address, address);
    }
  },
);
