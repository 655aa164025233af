/**
 * A house is upgraded one node at a time while music plays: what runs on the cards is the commit before this one, then both, then this one.
 * `TUTTI_TEST_EARLIER` names another commit to come from.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Track } from '../../src/http/schema.js';
import { type Daemon, temporaryFolder, until } from '../support/daemon.js';
import { buildEarlier } from '../support/earlier-build.js';
import { formHouse, NODE_NAMES, type NodeName, song, startNode, stateOf, together } from '../support/three-nodes.js';

/** A build and three restarts, on a busy machine. Milliseconds. */
t.setTimeout(400_000);
const folder = temporaryFolder(t);
const earlier = buildEarlier(folder, process.env.TUTTI_TEST_EARLIER ?? 'HEAD~1');

/** Everything that was agreed, as one node shows it. */
const agreedOf = async (daemon: Daemon) => {
  const { queue, volume, repeat, tracks, transport, cluster } = await stateOf(daemon);
  const { status, itemId } = transport;
  return {
    slot: cluster.appliedSlot,
    agreed: {
      queue: queue.map(({ itemId: item, title }) => `${item} ${title}`),
      volume,
      repeat,
      tracks: tracks.map(({ id, title }) => `${id} ${title}`).sort(),
      status,
      itemId,
    },
  };
};

await t.test(
  'a house is upgraded one node at a time, and goes on',
  'missing' in earlier ? { skip: earlier.missing } : {},
  async (t) => {
    const { program } = earlier as { readonly program: string };
    const daemons: Record<NodeName, Daemon> = await formHouse(t, folder, {
      kitchen: { program },
      attic: { program },
      hall: { program },
    });
    const titles: string[] = [];
    const removed: string[] = [];
    const isOnCard = (name: NodeName, id: string) => existsSync(join(folder, name, 'tracks', `${id}.wav`));
    /** Asks each node for one change of each kind, and sees that all agree on what came of it. */
    const goesOn = async (when: string) => {
      let volume = 0;
      for (const [n, name] of NODE_NAMES.entries()) {
        const daemon = daemons[name];
        const title = `${when} ${name}`;
        const added = await daemon.upload(`${title}.wav`, song(titles.length + 1));
        t.equal(added.status, 201, `${when}: ${name} takes a file`);
        titles.push(title);
        const { id } = added.json as Track;
        t.ok(isOnCard(name, id));
        t.equal((await daemon.call('POST', '/queue', { trackIds: [id] })).status, 201);
        volume = 10 * titles.length + n;
        t.equal((await daemon.call('PUT', '/volume', { volume: volume % 100 })).status, 200);
        t.equal((await daemon.call('POST', '/transport/play')).status, 200);
      }
      // How a file goes is not the same in all builds.
      const { json } = await daemons.attic.upload('not for long.wav', song(100 + removed.length));
      removed.push((json as Track).id);
      t.equal(
        (await daemons.kitchen.call('DELETE', `/tracks/${removed.at(-1)}`)).status,
        200,
        `${when}: a track is removed`,
      );
      let seen: unknown;
      await until(
        `${when}: all agree`,
        async () => {
          const views = await Promise.all(NODE_NAMES.map((name) => agreedOf(daemons[name])));
          seen = views;
          return new Set(views.map((view) => JSON.stringify(view))).size === 1;
        },
        () => seen,
      );
      const { tracks, volume: agreed, transport, queueLength } = await stateOf(daemons.hall);
      t.strictSame(tracks.map(({ title }) => title).sort(), [...titles].sort(), `${when}: every track is there`);
      t.equal(agreed, volume % 100);
      t.equal(transport.status, 'playing');
      t.equal(queueLength, titles.length);
    };

    await goesOn('before');
    const { cluster, nodes } = await stateOf(daemons.hall);
    const leader = nodes.find(({ id }) => id === cluster.leader)!.name as NodeName;
    // A follower first; the leader next, so that a new one is led by an old one or the other way round; then the last.
    const order = [...NODE_NAMES.filter((name) => name !== leader)];
    order.splice(1, 0, leader);
    for (const [n, name] of order.entries()) {
      t.equal(await daemons[name].end(), 0, `${name} ends as it should`);
      daemons[name] = await startNode(t, folder, name);
      await together(Object.values(daemons), 3);
      await goesOn(`${n + 1} of 3`);
    }
    // What a node was about to remove when it ended stays for a day. The last goes ten seconds after it was removed, and ten after others that went.
    const left = () => NODE_NAMES.filter((name) => isOnCard(name, removed.at(-1)!));
    const waits = () => until('the file of the last is gone from every card', () => left().length === 0, left);
    await waits().catch(waits);
    for (const name of NODE_NAMES) t.equal(await daemons[name].end(), 0);
  },
);
