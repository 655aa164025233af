/** A house of three: real daemons on this machine, formed by the real command line. Whatever was answered, is there. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Queued, State, Track } from '../../src/http/schema.js';
import { type Daemon, runTutti, temporaryFolder, until } from '../support/daemon.js';
import { formHouse, keyFile, kill, nodeNamed, song, startNode, stateOf, together } from '../support/three-nodes.js';

await t.test('a house is formed by init, invite and join', async (t) => {
  const folder = temporaryFolder(t);
  const kitchen = await startNode(t, folder, 'kitchen');
  t.match(await stateOf(kitchen), { node: { id: null }, cluster: { id: null, role: 'waiting' }, nodes: [] });
  t.match(await kitchen.call('POST', '/transport/play'), { status: 409, json: { code: 'NOT_A_MEMBER' } });
  t.match(await runTutti('play', '--node', kitchen.url), { exitCode: 1, stderr: /^NOT_A_MEMBER: .*\n.*tutti init/ });

  t.match(await runTutti('init', '--node', kitchen.url), { exitCode: 0, stdout: /^Formed the cluster [0-9a-f]{32}/ });
  t.equal(statSync(keyFile(folder, 'kitchen')).mode & 0o777, 0o600);
  t.match(await runTutti('init', '--node', kitchen.url), { exitCode: 1, stderr: /^ALREADY_A_MEMBER/ });
  const dataDir = join(folder, 'kitchen');
  const invited = await runTutti('invite', '--data', dataDir, '--node', kitchen.url);
  t.match(invited, { exitCode: 0, stdout: /^tutti join 127\.0\.0\.1:[0-9]+ --key [0-9a-f]{64}\n$/ });

  const attic = await startNode(t, folder, 'attic');
  const [, ...words] = invited.stdout.trim().split(' ');
  const wrongKey = words.map((word) => (/^[0-9a-f]{64}$/.test(word) ? '0'.repeat(64) : word));
  t.match(await runTutti(...wrongKey, '--node', attic.url), { exitCode: 1, stderr: /^KEY_REFUSED/ });
  t.match(await runTutti('join', '127.0.0.1:1', ...words.slice(2), '--node', attic.url), {
    exitCode: 3,
    stderr: /^PEER_UNREACHABLE/,
  });
  const missing = await runTutti(...words, '--replace', 'cellar', '--node', attic.url);
  t.match(missing, { exitCode: 1, stderr: /^NODE_NOT_FOUND: .*cellar/ });
  t.equal((await stateOf(attic)).cluster.role, 'waiting', 'nothing has come of all that');
  t.match(await runTutti(...words, '--node', attic.url), { exitCode: 0, stdout: /^Joined the cluster/ });
  await until('both see both', async () => {
    const states = await Promise.all([stateOf(kitchen), stateOf(attic)]);
    return states.every(
      ({ nodes }) => nodes.length === 2 && nodes.every(({ online, version }) => online && version !== ''),
    );
  });
  const two = await runTutti('status', '--node', attic.url);
  t.match(two.stdout, /^House .*of which kitchen votes.*A third machine cures it/m);

  mkdirSync(join(folder, 'hall'));
  writeFileSync(keyFile(folder, 'hall'), readFileSync(keyFile(folder, 'kitchen')));
  const hall = await startNode(t, folder, 'hall', ['--join', `127.0.0.1:${kitchen.peerPort}`]);
  await together([kitchen, attic, hall], 3);
  t.match((await runTutti('members', '--node', hall.url)).stdout, /^hall +voter +yes +trusted/m);
  t.notMatch((await runTutti('status', '--node', hall.url)).stdout, /^House/m);

  const written = await hall.call('PUT', '/volume', { volume: 37 });
  t.equal(written.status, 200, 'a follower passes a write on');
  for (const daemon of [kitchen, attic, hall]) {
    const state: State = (await daemon.call('GET', '/state?consistency=strong')).json;
    t.equal(state.volume, 37, 'a strong read misses nothing that was answered');
    t.ok(state.cluster.appliedSlot >= Number(written.headers['tutti-slot']));
  }
  for (const daemon of [hall, attic, kitchen]) t.equal(await daemon.end(), 0);
});

await t.test(
  'a leader that is killed is missed by nobody: the next command is done, and all that was answered is there',
  async (t) => {
    const folder = temporaryFolder(t);
    const { kitchen, attic, hall } = await formHouse(t, folder);
    const track: Track = (await kitchen.upload('a.wav', song(1))).json;
    const byName = { kitchen, attic, hall };
    const answered: string[] = [];
    const add = async (daemon: Daemon) => {
      const { status, json } = await daemon.call('POST', '/queue', { trackIds: [track.id] });
      if (status === 201) answered.push(...(json as Queued).itemIds);
      return status;
    };
    for (let i = 0; i < 10; i++) for (const daemon of [kitchen, attic, hall]) t.equal(await add(daemon), 201);
    t.ok(track.holders.length >= 2, 'more than one node held it before it was answered');

    for (let round = 0; round < 3; round++) {
      const running = Object.entries(byName);
      const { cluster, nodes } = await stateOf(running[0]![1]);
      const leads = nodes.find(({ id }) => id === cluster.leader)!.name as keyof typeof byName;
      const dead = byName[leads];
      const [one, other] = running.filter(([name]) => name !== leads).map(([, daemon]) => daemon) as [Daemon, Daemon];
      // Commands are under way as the leader dies: what they are answered counts, whatever it is.
      const underWay = [add(one), add(other), add(one)];
      await kill(dead);
      t.ok((await Promise.all(underWay)).every((status) => status === 201 || status === 503));
      await until('the others take commands', async () => (await add(one)) === 201);
      t.equal(await add(other), 201);
      const { json } = await other.call('GET', '/queue?consistency=strong');
      const there = new Set((json as { items: { itemId: string }[] }).items.map(({ itemId }) => itemId));
      t.ok(
        answered.every((itemId) => there.has(itemId)),
        `all of ${answered.length} that were answered`,
      );
      t.equal(nodeNamed(await stateOf(other), leads)!.online, false);
      byName[leads] = await startNode(t, folder, leads);
      await together(Object.values(byName), 3);
    }
    const views = await until('all three show one queue', async () => {
      const states = await Promise.all(Object.values(byName).map(stateOf));
      return new Set(states.map(({ queue }) => JSON.stringify(queue.map(({ itemId }) => itemId)))).size === 1
        ? states
        : null;
    });
    t.ok(views[0]!.queueLength >= answered.length);
    for (const daemon of Object.values(byName)) t.equal(await daemon.end(), 0);
  },
);

await t.test(
  'a card that died is replaced by a new one under the name that people see, and three vote all the while',
  async (t) => {
    const folder = temporaryFolder(t);
    const { kitchen, attic, hall } = await formHouse(t, folder);
    const lost = nodeNamed(await stateOf(kitchen), 'hall')!.id;
    await kill(hall);
    const fresh = await startNode(t, folder, 'new-card');
    const key = readFileSync(keyFile(folder, 'kitchen'), 'utf8').trim();
    const place = `127.0.0.1:${kitchen.peerPort}`;
    const join = (replace: string) => runTutti('join', place, '--key', key, '--replace', replace, '--node', fresh.url);
    t.match(await join('cellar'), { exitCode: 1, stderr: /^NODE_NOT_FOUND/ });
    t.match(await runTutti('join', place, '--key', key.slice(1), '--node', fresh.url), {
      exitCode: 1,
      stderr: /^BAD_REQUEST: key: found 63 characters/,
    });
    t.match(await join('hall'), { exitCode: 0, stdout: /^Joined the cluster/ });
    t.equal((await stateOf(kitchen)).cluster.voters, 3, 'whose card is lost keeps its vote for now');
    await together([kitchen, attic, fresh], 3);
    await until('the lost one is out', async () => (await stateOf(kitchen)).nodes.every(({ id }) => id !== lost));
    t.equal(nodeNamed(await stateOf(attic), 'new-card')!.role, 'voter');
    const written = await fresh.call('PUT', '/volume', { volume: 21 });
    t.equal(written.status, 200);
    for (const daemon of [kitchen, attic, fresh]) t.equal(await daemon.end(), 0);
  },
);
