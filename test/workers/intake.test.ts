/** The hash worker's thread: a real store on a real disk, behind a channel. */
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CHUNK_LIMITS } from '../../src/library/chunks.js';
import { TrackClient } from '../../src/tracks/track-client.js';
import { spawnIntake } from '../../src/workers/spawn-intake.js';
import { elsewhere, indexesOf, isSame, noise } from '../tracks/support.js';

function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tutti-intake-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

const never = (error: Error) => {
  throw error;
};

/** The thread, and a client of it that has opened the store. */
async function start(dataDir: string, commits = new SharedArrayBuffer(4)) {
  const thread = spawnIntake({ dataDir, inboxDir: join(dataDir, 'inbox'), commits }, never);
  const client = new TrackClient({ port: thread.port });
  return { client, stored: await client.open(), end: () => thread.end() };
}

t.test('a file is fetched across a restart, held, damaged on the disk, found and mended', async (t) => {
  const path = directory(t);
  const source = elsewhere(noise(1_000_000), CHUNK_LIMITS);
  const { track, outline } = source;
  const first = await start(path);
  t.strictSame(indexesOf(await first.client.beginFetch(track, outline, 0)), []);
  for (const index of [3, 1]) await first.client.putChunk(track.id, index, source.chunk(index));
  await first.end();
  const second = await start(path);
  t.strictSame(second.stored.arriving, [track.id]);
  t.strictSame(indexesOf(await second.client.beginFetch(track, outline, 0)), [1, 3]);
  for (const index of [0, 2]) await second.client.putChunk(track.id, index, source.chunk(index));
  await second.client.finishFetch(track.id);
  t.ok(isSame(await second.client.readChunk(track.id, 2), source.chunk(2)));
  t.strictSame((await second.client.scrubStep(1e9)).damaged, []);
  const file = openSync(join(path, 'tracks', `${track.id}.wav`), 'r+');
  writeSync(file, Uint8Array.of(source.file[600_000]! ^ 4), 0, 1, 600_000);
  closeSync(file);
  t.strictSame((await second.client.scrubStep(1e9)).damaged, [{ id: track.id, chunk: 2 }]);
  t.strictSame(indexesOf(await second.client.quarantine(track.id, track)), [0, 1, 3]);
  await second.client.putChunk(track.id, 2, source.chunk(2));
  await second.client.finishFetch(track.id);
  t.strictSame((await second.client.scrubStep(1e9)).damaged, []);
  t.strictSame(readdirSync(join(path, 'tmp')), []);
  await second.end();
  const third = await start(path);
  t.strictSame(third.stored, { tracks: [track], arriving: [], leftOut: [], problems: [], removedTemporaries: 0 });
  await third.end();
});

t.test('a file comes in also while the log is busy', async (t) => {
  const commits = new SharedArrayBuffer(4);
  const { client, end } = await start(directory(t), commits);
  const source = elsewhere(noise(300_000), CHUNK_LIMITS);
  await client.beginFetch(source.track, source.outline, 0);
  new Int32Array(commits)[0] = 1;
  for (let index = 0; index < source.count; index++) {
    await client.putChunk(source.track.id, index, source.chunk(index));
  }
  await client.finishFetch(source.track.id);
  t.equal((await client.held()).length, 1);
  await end();
});
