/** What befalls a house of three: all dark at once, a card that dies, a node that leaves. Real daemons, and the real command line. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Queued, Track } from '../../src/http/schema.js';
import { runTutti, temporaryFolder, until } from '../support/daemon.js';
import { formHouse, keyFile, kill, nodeNamed, song, startNode, stateOf, together } from '../support/three-nodes.js';

await t.test('a house that was dark comes up with everything, and the music paused at its mark', async (t) => {
  const folder = temporaryFolder(t);
  const first = await formHouse(t, folder);
  const track: Track = (await first.hall.upload('a.wav', song(1))).json;
  const added = await first.attic.call('POST', '/queue', { trackIds: [track.id, track.id] });
  t.equal(added.status, 201, 'what one node has answered, the others know by name');
  const queued: Queued = added.json;
  await first.kitchen.call('PUT', '/volume', { volume: 23 });
  t.equal((await first.attic.call('POST', '/transport/play')).status, 200);
  await until('it plays everywhere', async () => {
    const states = await Promise.all(Object.values(first).map(stateOf));
    return states.every(({ transport }) => transport.status === 'playing' && transport.positionMs > 200);
  });
  const before = await stateOf(first.kitchen);
  await Promise.all(Object.values(first).map(kill));

  const second = await Promise.all(['attic', 'hall', 'kitchen'].map((name) => startNode(t, folder, name)));
  await together(second, 3);
  for (const daemon of second) {
    const state = await until('it has applied the new term', async () => {
      const now = await stateOf(daemon);
      return now.transport.status === 'paused' ? now : null;
    });
    t.match(state, { volume: 23, cluster: { id: before.cluster.id }, transport: { itemId: queued.itemIds[0] } });
    t.strictSame(
      state.queue.map(({ itemId }) => itemId),
      queued.itemIds,
    );
    t.ok(BigInt(state.cluster.timeNs) > BigInt(before.cluster.timeNs), 'cluster time never runs backwards');
  }
  t.equal((await second[0]!.call('POST', '/transport/play')).status, 200);
  for (const daemon of second) t.equal(await daemon.end(), 0);
});

await t.test('a node is taken out, and a new card takes the place of one that is gone', async (t) => {
  const folder = temporaryFolder(t);
  const { kitchen, attic, hall } = await formHouse(t, folder);
  await kitchen.call('PUT', '/volume', { volume: 61 });
  const atticBefore = (await stateOf(attic)).node.id;

  await kill(attic);
  const newCard = join(folder, 'new');
  mkdirSync(newCard);
  const fresh = await startNode(t, newCard, 'attic');
  const key = readFileSync(keyFile(folder, 'kitchen'), 'utf8').trim();
  const joined = await runTutti(
    'join',
    `127.0.0.1:${hall.peerPort}`,
    '--key',
    key,
    '--replace',
    'attic',
    '--node',
    fresh.url,
  );
  t.match(joined, { exitCode: 0 }, joined.stderr);
  await until('it has what was agreed before it came', async () => (await stateOf(fresh)).volume === 61);
  await together([kitchen, hall, fresh], 3);
  const state = await stateOf(kitchen);
  t.equal(state.nodes.length, 3, 'the old card is no member any more');
  t.not(nodeNamed(state, 'attic')!.id, atticBefore, 'it never takes the id of the card that is gone');

  const old = await startNode(t, folder, 'attic');
  await until('the old card is told that it was replaced', async () => {
    const { cluster, alerts } = await stateOf(old);
    return cluster.role === 'removed' && alerts.some(({ code }) => code === 'NODE_REMOVED');
  });
  t.equal((await old.call('PUT', '/volume', { volume: 1 })).status, 409, 'it says that no waiting helps: NODE_REMOVED');
  t.equal((await stateOf(kitchen)).volume, 61);

  const removed = await runTutti('members', 'remove', 'hall', '--node', fresh.url);
  t.match(removed, { exitCode: 0, stdout: 'Removed: hall\n' }, removed.stderr);
  await until('it knows', async () => (await stateOf(hall)).cluster.role === 'removed');
  await until('it is gone from the others', async () => (await stateOf(kitchen)).nodes.length === 2);
  t.equal((await kitchen.call('PUT', '/volume', { volume: 62 })).status, 200, 'the house goes on');
  for (const daemon of [old, hall, fresh, kitchen]) t.equal(await daemon.end(), 0);
});
