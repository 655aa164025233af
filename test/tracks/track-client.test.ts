/** The main thread's end of the store: what it promises as ChunkFiles, over a port. */
import t from 'tap';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { trackPath } from '../../src/tracks/paths.js';
import { type StorePort, serveTrackStore, TrackClient } from '../../src/tracks/track-client.js';
import { rejectionOf } from '../contract/support.js';
import { portPair } from '../support/house.js';
import { type Elsewhere, elsewhere, indexesOf, isSame, namesIn, noise, open, trackFrom } from './support.js';

/** A store behind a port; `calls` are those that were made. */
function connect(disk = new FakeDisk()) {
  const opened = open(disk);
  const [near, far] = portPair();
  const calls: string[] = [];
  const watched: StorePort = {
    postMessage: (message, transfer) => near.postMessage(message, transfer),
    on: (event, listener) => near.on(event, listener),
  };
  far.on('message', (message) => calls.push((message as { method: string }).method));
  serveTrackStore(opened.store, far);
  return { ...opened, client: new TrackClient({ port: watched }), calls };
}

async function fetchAll(client: TrackClient, { track, outline, count, chunk }: Elsewhere): Promise<void> {
  await client.beginFetch(track, outline, 0);
  for (let index = 0; index < count; index++) await client.putChunk(track.id, index, chunk(index));
  await client.finishFetch(track.id);
}

/** Large enough for several steps: 11 chunks of a mebibyte. */
const LARGE = elsewhere(noise(11 << 20), { bytesMin: 1 << 20, bytesMax: 1 << 20, countAim: 1 });

t.test('a file is fetched, given on, found damaged and mended, by promises', async (t) => {
  const { client, disk } = connect();
  const { track } = LARGE;
  t.strictSame(indexesOf(await client.beginFetch(track, LARGE.outline, 0)), []);
  const piece = LARGE.chunk(2);
  await client.putChunk(track.id, 2, piece);
  t.equal(piece.length, 0, 'it was moved, not copied');
  await client.putChunk(track.id, 3, LARGE.file.subarray(3 << 20, 4 << 20));
  t.equal(LARGE.file.length, 11 << 20, 'what is a part of something larger is copied');
  t.equal(await rejectionOf(client.putChunk(track.id, 4, LARGE.chunk(5))), 'BAD_CHUNK');
  t.equal(await rejectionOf(client.finishFetch(track.id)), 'TRACK_MISSING');
  await fetchAll(client, LARGE);
  t.strictSame(
    (await client.held()).map(({ id }) => id),
    [track.id],
  );
  t.ok(isSame((await client.outline(track.id)).manifest, LARGE.outline.manifest));
  t.ok(isSame(await client.readChunk(track.id, 10), LARGE.chunk(10)));
  disk.flipBit(trackPath(track.id), 7 << 20, 0);
  t.equal(await rejectionOf(client.readChunk(track.id, 7)), 'TRACK_DAMAGED');
  let step = await client.scrubStep(4 << 20);
  while (step.damaged.length === 0) step = await client.scrubStep(4 << 20);
  t.strictSame(step.damaged, [{ id: track.id, chunk: 7 }]);
  t.strictSame(indexesOf(await client.quarantine(track.id, track)), [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);
  t.ok(isSame((await client.outline(track.id)).manifest, LARGE.outline.manifest), 'it can be had meanwhile');
  await client.putChunk(track.id, 7, LARGE.chunk(7));
  await client.finishFetch(track.id);
  t.ok(isSame(await client.readChunk(track.id, 7), LARGE.chunk(7)));
  await client.dropFetch(track.id);
  t.equal((await client.held()).length, 1, 'what is held is not dropped');
});

t.test('a file that is read whole does not hold other calls up', async (t) => {
  const { client, disk } = connect();
  await client.beginFetch(LARGE.track, LARGE.outline, 0);
  for (let index = 0; index < LARGE.count; index++) await client.putChunk(LARGE.track.id, index, LARGE.chunk(index));
  const again = connect(disk);
  const between = async (work: Promise<unknown>, method: string, { client, calls }: typeof again) => {
    calls.length = 0;
    // The other's work may begin a moment after it was asked for.
    for (let asked = 0; asked < 3; asked++) await client.space();
    await work;
    const at = calls.lastIndexOf('space');
    t.ok(at > calls.indexOf(method) && at < calls.lastIndexOf(method), `${method}: ${calls}`);
  };
  await between(again.client.beginFetch(LARGE.track, LARGE.outline, 0), 'resume', again);
  await between(again.client.finishFetch(LARGE.track.id), 'finishFetch', again);
  disk.remove(`tracks/${LARGE.track.id}.chunks`);
  const last = connect(disk);
  await between(last.client.outline(LARGE.track.id), 'makeBeside', last);
});

t.test('a manifest that has to be made first is, whoever asks for it', async (t) => {
  const { client, disk } = connect();
  await fetchAll(client, LARGE);
  for (const ask of [
    (fresh: TrackClient) => fresh.outline(LARGE.track.id),
    (fresh: TrackClient) => fresh.readChunk(LARGE.track.id, 1),
  ]) {
    disk.remove(`tracks/${LARGE.track.id}.chunks`);
    const fresh = connect(disk);
    await ask(fresh.client);
    t.equal(namesIn(disk, 'tracks').length, 4);
    t.ok(fresh.calls.includes('makeBeside'));
  }
});

t.test('the main thread hears of an upload what is agreed, and neither its outline nor its manifest', async (t) => {
  const { client, disk } = connect();
  const file = noise(700_000);
  const incoming = await client.begin(file.length);
  await incoming.write(file);
  const id = await incoming.finish();
  t.equal(await rejectionOf(incoming.keep({ ...elsewhere(file).track })), 'BAD_REQUEST');
  const taken = await incoming.verify();
  t.strictSame(Object.keys(taken).sort(), ['bytes', 'chunks', 'format', 'frames', 'id', 'loudness', 'tags']);
  t.strictSame(await incoming.verify(), taken);
  t.equal(taken.id, id);
  await incoming.keep(trackFrom(taken, 'Song'));
  t.equal(open(disk).stored.tracks.length, 1);
});

t.test('an error comes over as it was thrown, with its particulars', async (t) => {
  const { client } = connect();
  await t.rejects(client.quarantine(LARGE.track.id, LARGE.track), { name: 'TuttiError', code: 'TRACK_MISSING' });
  const { track, outline } = elsewhere(noise(500));
  await client.beginFetch(track, outline, 0);
  const refused = client.putChunk(track.id, 3, new Uint8Array(5));
  await t.rejects(refused, { code: 'BAD_CHUNK', info: { trackId: track.id, chunk: 3 } });
});

t.test('chunks that come while others are written go to the card together, a mebibyte to a sync', async (t) => {
  const { client, disk, calls } = connect();
  const { track, outline, count, chunk } = elsewhere(noise(2 << 20), {
    bytesMin: 1 << 18,
    bytesMax: 1 << 18,
    countAim: 1,
  });
  t.equal(count, 8);
  await client.beginFetch(track, outline, 0);
  calls.length = 0;
  const { syncs } = disk.counts;
  await Promise.all(Array.from({ length: count }, (_, index) => client.putChunk(track.id, index, chunk(index))));
  t.strictSame(calls, ['putChunks', 'putChunks', 'putChunks'], '1, then 4, then 3');
  t.equal(disk.counts.syncs - syncs, 3);
  await client.finishFetch(track.id);
});

t.test('a bad chunk spoils none of those beside it, and nothing but a read overtakes chunks that wait', async (t) => {
  const { client, calls } = connect();
  const source = elsewhere(noise(2_000));
  const { id } = source.track;
  await client.beginFetch(source.track, source.outline, 0);
  calls.length = 0;
  const puts = [0, 1, 2, 3].map((index) => client.putChunk(id, index, source.chunk(index === 2 ? 5 : index)));
  const read = client.readChunk(id, 0);
  const outline = client.outline(id);
  const kept = await Promise.allSettled(puts);
  t.strictSame(
    kept.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
  t.equal(await rejectionOf(puts[2]!), 'BAD_CHUNK');
  t.ok(isSame(await read, source.chunk(0)));
  t.ok(isSame((await outline).manifest, source.outline.manifest));
  t.strictSame(calls, ['putChunks', 'readChunk', 'putChunks', 'outline']);
  t.strictSame(indexesOf(await client.beginFetch(source.track, source.outline, 0)), [0, 1, 3]);
});
