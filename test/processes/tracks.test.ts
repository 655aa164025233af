/** The library of a house of three, as its clients and its disks see it: real daemons, real sockets, real disks. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { TrackId } from '../../src/core/ids.js';
import type { Problem, Track, TrackList } from '../../src/http/schema.js';
import { readCapture } from '../support/capture.js';
import { type Daemon, temporaryFolder, until } from '../support/daemon.js';
import {
  formHouse,
  joinNode,
  keyFile,
  kill,
  NODE_NAMES,
  type NodeName,
  nodeNamed,
  startNode,
  stateOf,
  together,
} from '../support/three-nodes.js';
import {
  CHUNK_BYTES,
  hasWhole,
  heardOfRamp,
  idOf,
  noiseWav,
  ramp,
  wavOfSamples,
  writtenFiles,
} from '../support/track-files.js';

/** All of it, on a busy machine. Milliseconds. */
t.setTimeout(180_000);
/** What lasts longer than one subtest ends with this. */
const all = t;
const folder = temporaryFolder(t);
const house = await formHouse(t, folder);
const { kitchen, attic } = house;
const dataDir = (name: string) => join(folder, name);
const running = () => Object.values(house) as Daemon[];
const listOf = async (daemon: Daemon): Promise<readonly Track[]> =>
  ((await daemon.call('GET', '/tracks')).json as TrackList).tracks;

/** Waits until each of these nodes has all of these files whole on its disk, and says so. */
const everywhere = (names: readonly string[], ids: readonly TrackId[]) =>
  until(`${ids.length} files are whole on ${names.join(', ')}`, () =>
    names.every((name) => ids.every((id) => hasWhole(dataDir(name), id))),
  );

/** Waits until the same list is shown by these, in which everybody of them holds everything; gives it. */
const oneList = (daemons: readonly Daemon[]) =>
  until('all show one list', async () => {
    const lists = await Promise.all(daemons.map(listOf));
    const [first] = lists;
    const plain = lists.map((tracks) => JSON.stringify(tracks.map(({ holders: _, ...track }) => track)));
    const areAllHeld = lists.every((tracks) => tracks.every(({ holders }) => holders.length >= daemons.length));
    return new Set(plain).size === 1 && areAllHeld ? first : null;
  });

await t.test(
  'an upload is answered once a majority has it; then all have the same bytes [rows 1, 2, 13, 42]',
  async (t) => {
    const files = [noiseWav(3_000_000, 1), noiseWav(400_000, 2), noiseWav(CHUNK_BYTES, 3)];
    for (const [i, file] of files.entries()) {
      const daemon = running()[i]!;
      const { status, json } = await daemon.upload(`song ${9 - i}.wav`, file);
      t.equal(status, 201);
      t.equal((json as Track).id, idOf(file));
      const holding = NODE_NAMES.filter((name) => hasWhole(dataDir(name), idOf(file)));
      t.ok(holding.length >= 2, `${holding.join(', ')} had it when it was answered`);
    }
    await everywhere(NODE_NAMES, files.map(idOf));
    const list = await oneList(running());
    t.strictSame(list.map(({ title }) => title).toSorted(), ['song 7', 'song 8', 'song 9']);
    for (const daemon of running()) {
      for (const file of files) {
        const { status, bytes } = await daemon.call('GET', `/tracks/${idOf(file)}/audio`);
        t.equal(status, 200);
        t.ok(Buffer.compare(bytes, file) === 0, 'byte for byte');
      }
    }
    const state = await stateOf(kitchen);
    t.match(nodeNamed(state, 'kitchen')!.disk, { tracksHeld: 3, tracksMissing: { count: 0 } });
  },
);

await t.test('what is on its way is no track yet [row 3]', async (t) => {
  const file = noiseWav(2_000_000, 4);
  const socket = connect(kitchen.port, '127.0.0.1');
  socket.write(`PUT /api/v1/tracks/slow.wav HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${file.length}\r\n\r\n`);
  for (let tenth = 0; tenth < 10; tenth++) {
    const from = Math.floor((file.length * tenth) / 10);
    socket.write(file.subarray(from, Math.floor((file.length * (tenth + 1)) / 10) - (tenth === 9 ? 1 : 0)));
    await until('that much of it is here', async () =>
      (await stateOf(kitchen)).uploads.some(
        ({ title, stage, receivedBytes }) => title === 'slow' && stage === 'receiving' && receivedBytes > from,
      ),
    );
    for (const name of ['slow', idOf(file)]) {
      const refused = await kitchen.call('POST', '/queue', { trackId: name });
      t.ok(['TRACK_NOT_READY', 'TRACK_NOT_FOUND'].includes((refused.json as Problem).code), `tenth ${tenth}: ${name}`);
    }
    t.match(await kitchen.call('POST', '/queue', { trackId: 'slow' }), {
      status: 409,
      json: { code: 'TRACK_NOT_READY' },
    });
    for (const daemon of running()) t.notOk((await listOf(daemon)).some(({ title }) => title === 'slow'));
  }
  const answered = once(socket, 'data') as Promise<[Buffer]>;
  socket.write(file.subarray(-1));
  t.match((await answered)[0].toString(), /^HTTP\/1\.1 201 /);
  t.equal((await kitchen.call('POST', '/queue', { trackId: 'slow' })).status, 201);
  socket.destroy();
  await kitchen.call('DELETE', '/queue');
});

/** Sends a file over a connection that is kept. */
async function put(agent: Agent, daemon: Daemon, name: string, file: Uint8Array) {
  const request = httpRequest(`${daemon.url}/api/v1/tracks/${encodeURIComponent(name)}`, { method: 'PUT', agent });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end(file);
  const [response] = await answered;
  const { socket } = response;
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode, socket, json: JSON.parse(Buffer.concat(pieces).toString()) as Problem & Track };
}

await t.test(
  'the same bytes are not taken twice, by any node; other bytes under the same title are [row 4]',
  async (t) => {
    const file = noiseWav(1_000_000, 5);
    const first: Track = (await kitchen.upload('Zoë.wav', file)).json;
    await everywhere(NODE_NAMES, [first.id as TrackId]);
    await oneList(running());
    const slot = (await stateOf(kitchen)).cluster.appliedSlot;
    const before = NODE_NAMES.map((name) => writtenFiles(dataDir(name)));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set();
    for (const daemon of running()) {
      const again = await put(agent, daemon, 'another name.wav', file);
      t.match(again, { status: 409, json: { code: 'TRACK_EXISTS', trackId: first.id, detail: /Zoë/ } });
      sockets.add(again.socket);
    }
    const last = await put(agent, attic, 'another name.wav', file);
    t.equal(last.status, 409);
    agent.destroy();
    t.strictSame(
      NODE_NAMES.map((name) => writtenFiles(dataDir(name))),
      before,
      'not a byte was written on any disk',
    );
    t.equal((await stateOf(kitchen)).cluster.appliedSlot, slot, 'there is no entry for it');

    const other = await put(agent, attic, 'Zoë.wav', noiseWav(1_000_000, 6));
    t.match(other, { status: 201 });
    t.not(other.json.id, first.id);
    t.not(other.json.title, first.title, 'people can tell them apart');
    agent.destroy();
  },
);

/** Sends each of eight files to another node than the one before, all at once. */
const eightAtOnce = (targets: readonly Daemon[], files: readonly Uint8Array[]) =>
  Promise.allSettled(files.map((file, i) => targets[i % targets.length]!.upload(`client ${i}.wav`, file)));

await t.test('eight clients, eight files, three nodes at once: all have all [row 6]', async (t) => {
  const files = Array.from({ length: 8 }, (_, i) => noiseWav(1_000_000, 100 + i));
  const answers = await eightAtOnce(running(), files);
  t.strictSame(
    answers.map((answer) => answer.status === 'fulfilled' && answer.value.status),
    files.map(() => 201),
  );
  await everywhere(NODE_NAMES, files.map(idOf));
  await oneList(running());
});

await t.test(
  'eight clients, and a node is killed in their midst: what was answered is there, and a retry elsewhere brings the rest [rows 6, 42]',
  async (t) => {
    const files = Array.from({ length: 8 }, (_, i) => noiseWav(1_000_000, 200 + i));
    const sent = eightAtOnce(running(), files);
    await until('files come in', async () => {
      const uploads = (await stateOf(house.hall)).uploads.filter(({ title }) => title.startsWith('client'));
      return uploads.some(({ receivedBytes, stage }) => receivedBytes > 0 && stage !== 'done');
    });
    await kill(house.hall);
    const live: readonly NodeName[] = ['kitchen', 'attic'];
    const answers = await sent;
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'fulfilled' && answer.value.status === 201) continue;
      const again = await house[live[i % 2]!].upload(`client ${i}.wav`, files[i]!);
      // A track already: its answer was lost with the node, and nothing else.
      t.ok([201, 409].includes(again.status), `the retry of client ${i}: ${again.status}`);
    }
    await everywhere(live, files.map(idOf));
    const list = await oneList(live.map((name) => house[name]));
    for (const file of files) t.ok(list.some(({ id }) => id === idOf(file)));
    t.match(
      list.map(({ lost }) => lost),
      list.map(() => false),
    );
  },
);

/** Nodes say for some seconds that they do not hold it any more before they remove a file: so whether it went is looked at last. */
const removed = idOf(noiseWav(3_000_000, 1));

await t.test('a track is removed while a node is off, which hears of it when it is back [row 17]', async (t) => {
  t.ok(hasWhole(dataDir('hall'), removed), 'hall is off, and has it');
  const queued = await kitchen.call('POST', '/queue', { trackId: removed });
  t.equal((await kitchen.call('POST', '/transport/play')).status, 200);
  t.match(await kitchen.call('DELETE', `/tracks/${removed}`), { status: 409, json: { code: 'TRACK_PLAYING' } });
  t.equal(queued.status, 201);
  await kitchen.call('POST', '/transport/stop');
  await until(
    'it sounds no more, and is removed',
    async () => (await attic.call('DELETE', `/tracks/${removed}`)).status === 200,
  );
  house.hall = await startNode(all, folder, 'hall');
  await together(running(), 3);
  const list = await oneList(running());
  t.notOk(list.some(({ id }) => id === removed));
  await everywhere(
    NODE_NAMES,
    list.map(({ id }) => id as TrackId),
  );
});

/** How long the newcomer's card takes for each sync: it is filling itself yet while it plays. Milliseconds. */
const SLOW_SYNC_MS = 50;
const LONG_SONG_FRAMES = 5_000_000;

await t.test(
  'a new node fills itself, and plays what is still arriving: what is due comes first [row 42]',
  async (t) => {
    const song = wavOfSamples(ramp(LONG_SONG_FRAMES));
    t.equal((await kitchen.upload('long.wav', song)).status, 201);
    t.equal((await kitchen.call('POST', '/queue', { trackId: idOf(song) })).status, 201);
    t.equal((await kitchen.call('POST', '/transport/play')).status, 200);
    t.equal((await kitchen.call('POST', '/transport/seek', { positionMs: 30_000 })).status, 200);
    const capture = join(folder, 'played.wav');
    const key = readFileSync(keyFile(folder, 'kitchen'), 'utf8');
    const place = { key, address: `127.0.0.1:${attic.peerPort}` };
    const env = { TUTTI_TEST_SYNC_DELAY_MS: String(SLOW_SYNC_MS) };
    const slow = await joinNode(t, folder, 'cellar', place, { capture, env });
    await until(
      'it sounds, and has not got the file',
      async () => {
        const { output, disk } = nodeNamed(await stateOf(slow), 'cellar') ?? {};
        return output?.state === 'playing' && disk?.tracksMissing.first.includes(idOf(song));
      },
      () => slow.errors,
    );
    t.notOk(hasWhole(dataDir('cellar'), idOf(song)));
    t.equal((await kitchen.call('POST', '/transport/pause')).status, 200);
    t.equal(await slow.end(), 0);

    const cellar = await startNode(t, folder, 'cellar');
    const list = await oneList(running());
    await everywhere(
      ['cellar'],
      list.map(({ id }) => id as TrackId),
    );
    await until(
      'it lacks nothing',
      async () => nodeNamed(await stateOf(cellar), 'cellar')!.disk?.tracksMissing.count === 0,
    );
    t.equal(await cellar.end(), 0);
    const heard = heardOfRamp(readCapture(capture), { frames: LONG_SONG_FRAMES, sampleRate: 48_000 });
    t.ok(heard.length > 0 && heard.every(({ from }) => from > 30 * 48_000), JSON.stringify(heard));
    for (const { offBy } of heard) t.ok(offBy < 480, `what it played was the song: off by ${offBy} frames at worst`);
  },
);

await t.test('what was removed is gone from every disk, also from one that was off [row 17]', async (t) => {
  await until('it is gone', () =>
    NODE_NAMES.every((name) => !readdirSync(join(dataDir(name), 'tracks')).some((file) => file.startsWith(removed))),
  );
  const list = await oneList(running());
  for (const name of NODE_NAMES) {
    const there = readdirSync(join(dataDir(name), 'tracks')).filter((file) => file.endsWith('.wav'));
    t.strictSame(there.toSorted(), list.map(({ id }) => `${id}.wav`).toSorted(), 'all others are there, and no more');
  }
  for (const daemon of running()) t.equal(await daemon.end(), 0);
});
