/** Two daemons on a network of their own (a namespace, which takes the superuser) find each other, and one joins without an address. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type Daemon, temporaryFolder, until } from '../support/daemon.js';
import { keyFile, startNode } from '../support/three-nodes.js';

const MAIN = fileURLToPath(new URL('../../tutti/main.js', import.meta.url));
const HOST = '10.77.0.1';
const NETWORK = `ip link set lo up && ip link add v0 type veth peer name v1 && ip addr add ${HOST}/24 dev v0 && ip link set v0 up && ip link set v1 up`;

const isAllowed = spawnSync('unshare', ['--net', 'sh', '-c', NETWORK]).status === 0;

await t.test(
  'a node that waits hears of the house, joins it without an address, and is then one of it',
  { skip: !isAllowed && 'network namespaces with a virtual interface are not allowed here' },
  async (t) => {
    const network: ChildProcess = spawn('unshare', ['--net', 'sh', '-c', `${NETWORK} && echo up && exec sleep 600`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => network.kill());
    await once(network.stdout!, 'data');
    const within = ['nsenter', `--net=/proc/${network.pid}/ns/net`];
    const folder = temporaryFolder(t);
    const start = (name: string, at: number, first: readonly string[]): Promise<Daemon> =>
      startNode(t, folder, name, first, {
        within,
        env: { TUTTI_CLUSTER_LISTEN: `${HOST}:${7420 + at}`, TUTTI_HTTP_LISTEN: `${HOST}:${8080 + at}` },
      });
    /** Runs the command line there. */
    const ask = (daemon: Daemon, ...args: string[]) =>
      spawnSync(within[0]!, [...within.slice(1), process.execPath, MAIN, ...args, '--json', '--node', daemon.url], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
      });
    const nearby = (daemon: Daemon) => JSON.parse(ask(daemon, 'find').stdout).nearby;

    const kitchen = await start('kitchen', 0, ['--init']);
    const attic = await start('attic', 1, []);
    await until('each hears of the other', () => nearby(kitchen).length === 1 && nearby(attic).length === 1);
    t.match(nearby(kitchen), [{ name: 'attic', cluster: null, address: `${HOST}:7421`, httpUrl: attic.url }]);
    t.match(nearby(attic), [{ name: 'kitchen', cluster: /^[0-9a-f]{32}$/, address: `${HOST}:7420` }]);

    const key = readFileSync(keyFile(folder, 'kitchen'), 'utf8').trim();
    const joined = ask(attic, 'join', '--key', key);
    t.equal(joined.status, 0, joined.stderr);
    await until('it is one of the house', () => nearby(kitchen).length === 0 && nearby(attic).length === 0);

    const hall = await start('hall', 2, []);
    await until('a newcomer hears of both', () => nearby(hall).length === 2);
    t.equal(await attic.end(), 0);
    await until('a goodbye is heard', () => nearby(hall).length === 1);
    for (const daemon of [kitchen, hall]) t.equal(await daemon.end(), 0);
  },
);
