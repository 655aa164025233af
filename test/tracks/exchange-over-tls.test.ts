/** Files go through the real connections as through the fake ones: sealed, in pieces, with queues that fill and drain in their own time. */
import t from 'tap';
import { type Incarnation, type NodeId, nodeId } from '../../src/core/ids.js';
import { PeerHub } from '../../src/replication/peer-hub.js';
import { TrackExchange } from '../../src/tracks/exchange.js';
import { FakeChunkFiles } from '../../src/tracks/fake-chunk-files.js';
import { QUIET_HANDLERS } from '../contract/peer-link.js';
import { passRealTime, until } from '../contract/support.js';
import { makeStation, realTime } from '../io/net/rig.js';
import { chunkedFile } from '../support/chunked-file.js';

const NODES = ['a', 'b', 'c'].map((name) => nodeId(name.repeat(32)));

t.test('three nodes share two files over TLS, and a broken connection costs a moment', async (t) => {
  const files = [1, 2].map((seed) => chunkedFile({ seed, bytes: (6 << 20) + 17, chunkBytes: 256 << 10 }));
  const stations = new Map<NodeId, Awaited<ReturnType<typeof makeStation>>>();
  for (const node of NODES) stations.set(node, await makeStation(t, node));
  const houses = NODES.map((node) => {
    const { link, log } = stations.get(node)!;
    const hub = new PeerHub({ time: realTime });
    hub.over(link);
    const chunkFiles = new FakeChunkFiles({ time: realTime });
    const exchange = new TrackExchange(
      { mail: hub.mail, files: chunkFiles, time: realTime, log, stillCounts: () => true },
      { self: node, incarnation: node as string as Incarnation },
    );
    return { node, hub, chunkFiles, exchange };
  });
  for (const [at, file] of files.entries()) houses[at]!.chunkFiles.card.hold(file.track, file.outline, file.bytes);
  let kept = 0;
  for (const { node, hub, chunkFiles, exchange } of houses) {
    const others = NODES.filter((other) => other !== node);
    hub.link.setPeers(new Map(others.map((other) => [other, stations.get(other)!.address])));
    await hub.link.start(QUIET_HANDLERS);
    const noteKept = () => void kept++;
    const quiet = { arrived: () => {}, withdrawn: () => {}, released: () => {}, changed: () => {} };
    exchange.start({ held: [...chunkFiles.card.held.keys()], arriving: [], leftOut: [] }, { ...quiet, kept: noteKept });
    t.teardown(() => exchange.stop());
    for (const { track } of files) exchange.want(track);
  }
  await until(() => kept > 20, passRealTime, 'files are on their way');
  stations.get(NODES[1]!)!.proxy.breakAll();
  const isDone = () =>
    files.every(({ track: { id } }) => houses.every(({ exchange }) => exchange.holders(id).length === NODES.length));
  await until(isDone, passRealTime, 'all have all, and know it');
  for (const { chunkFiles } of houses) {
    for (const { track, bytes } of files) t.ok(Buffer.from(chunkFiles.card.held.get(track.id)!.bytes).equals(bytes));
  }
});
