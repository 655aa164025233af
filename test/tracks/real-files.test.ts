/** Files go through the real connections as through the fake ones: sealed, in pieces, with queues that fill and drain in their own time. */
import t from 'tap';
import { type Incarnation, type NodeId, nodeId } from '../../src/core/ids.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { PeerHub } from '../../src/replication/peer-hub.js';
import { TrackExchange } from '../../src/tracks/exchange.js';
import { trackPath } from '../../src/tracks/paths.js';
import { serveTrackStore, TrackClient } from '../../src/tracks/track-client.js';
import { QUIET_HANDLERS } from '../contract/peer-link.js';
import { passRealTime, until } from '../contract/support.js';
import { makeStation, realTime } from '../io/net/rig.js';
import { chunkedFile } from '../support/chunked-file.js';
import { portPair } from '../support/house.js';
import { open } from './support.js';

const NODES = ['a', 'b', 'c'].map((name) => nodeId(name.repeat(32)));

t.test('three nodes share two files over TLS, and a broken connection costs a moment', async (t) => {
  const files = [1, 2].map((seed) => chunkedFile({ seed, bytes: (6 << 20) + 17, chunkBytes: 256 << 10 }));
  const stations = new Map<NodeId, Awaited<ReturnType<typeof makeStation>>>();
  for (const node of NODES) stations.set(node, await makeStation(t, node));
  const houses = NODES.map((node) => {
    const { link, log } = stations.get(node)!;
    const hub = new PeerHub({ time: realTime });
    hub.over(link);
    const disk = new FakeDisk();
    const { store } = open(disk);
    const [near, far] = portPair();
    serveTrackStore(store, far);
    const chunkFiles = new TrackClient({ port: near });
    const exchange = new TrackExchange(
      { mail: hub.mail, files: chunkFiles, time: realTime, log, stillCounts: () => true },
      { self: node, incarnation: node as string as Incarnation },
    );
    return { node, hub, chunkFiles, exchange, disk, store };
  });
  for (const [at, file] of files.entries()) {
    const { chunkFiles } = houses[at]!;
    await chunkFiles.beginFetch(file.track, file.outline, 256 << 10);
    for (let i = 0; i < file.plan.count; i++) await chunkFiles.putChunk(file.track.id, i, file.chunk(i));
    await chunkFiles.finishFetch(file.track.id);
  }
  let kept = 0;
  for (const { node, hub, chunkFiles, exchange } of houses) {
    const others = NODES.filter((other) => other !== node);
    hub.link.setPeers(new Map(others.map((other) => [other, stations.get(other)!.address])));
    await hub.link.start(QUIET_HANDLERS);
    const noteKept = () => void kept++;
    const quiet = { arrived: () => {}, withdrawn: () => {}, released: () => {}, changed: () => {} };
    exchange.start(
      { held: (await chunkFiles.held()).map(({ id }) => id), arriving: [], leftOut: [] },
      { ...quiet, kept: noteKept },
    );
    t.teardown(() => exchange.stop());
    for (const { track } of files) exchange.want(track);
  }
  await until(() => kept > 20, passRealTime, 'files are on their way');
  stations.get(NODES[1]!)!.proxy.breakAll();
  const isDone = () =>
    files.every(({ track: { id } }) => houses.every(({ exchange }) => exchange.holders(id).length === NODES.length));
  await until(isDone, passRealTime, 'all have all, and know it');
  const isSame = async (house: (typeof houses)[number], file: (typeof files)[number]) => {
    for (let i = 0; i < file.plan.count; i++) {
      if (!Buffer.from(await house.chunkFiles.readChunk(file.track.id, i)).equals(file.chunk(i))) return false;
    }
    return true;
  };
  for (const house of houses) for (const file of files) t.ok(await isSame(house, file));
  // One rots on a card: found by who asks, mended from the others.
  const [a] = houses;
  const id = files[0]!.track.id;
  a!.disk.flipBit(trackPath(id), 5 << 20, 3);
  let isGone = false;
  try {
    await a!.chunkFiles.readChunk(id, 20);
  } catch {
    isGone = true;
  }
  t.ok(isGone);
  a!.exchange.damaged(id, 20);
  await until(() => a!.exchange.holders(id).length === 2, passRealTime, 'it is taken back');
  await until(isDone, passRealTime, 'and mended');
  t.ok(await isSame(a!, files[0]!));
});
