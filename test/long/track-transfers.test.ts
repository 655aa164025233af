/** Files on their way from node to node, and what may happen to them there: links that end, nodes that are killed, a house without a quorum. */
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { Problem, TrackList } from '../../src/http/schema.js';
import { wavPath } from '../../src/library/track-paths.js';
import { WINDOW_MAX } from '../../src/tracks/exchange-limits.js';
import { type Daemon, temporaryFolder, until } from '../support/daemon.js';
import { ProxiedHouse } from '../support/proxied-house.js';
import { nodeNamed, stateOf, together } from '../support/three-nodes.js';
import { ArrivingFile, CHUNK_BYTES, hasWhole, idOf, noiseWav } from '../support/track-files.js';

/** Of each connection: a transfer lasts long enough to be met in its midst. */
const BYTES_PER_S = 4 << 20;
/** Chunks that may be lost on the way where a node ends: a window from each of two peers. */
const IN_FLIGHT = 2 * WINDOW_MAX;
/** What else nodes say meanwhile, and what encryption adds. Chunks. */
const TALK = 4;

/** All of it, on a busy machine. Milliseconds. */
t.setTimeout(200_000);
const folder = temporaryFolder(t);
const house = await ProxiedHouse.start(t, folder);
const { daemons } = house;

/** Chunks' worth of bytes that have travelled since `start`. */
const travelled = (start: number) => (house.passedBytes - start) / CHUNK_BYTES;
const shows = async (daemon: Daemon, id: string) =>
  ((await daemon.call('GET', '/tracks')).json as TrackList).tracks.some((track) => track.id === id);

/** Waits until the node has so many tenths of an arriving file. */
const hasTenths = (file: ArrivingFile, tenths: number) =>
  until(
    `${tenths} tenths are here`,
    () => file.goodChunks() >= (file.count * tenths) / 10,
    () => file.goodChunks(),
  );

await t.test('a node that lost its link at 60 % goes on from its last verified chunk [row 14]', async (t) => {
  const file = noiseWav(64 * CHUNK_BYTES, 1);
  const id = idOf(file);
  await house.kill('hall');
  t.equal((await daemons.kitchen.upload('a.wav', file)).status, 201);
  house.bytesPerS = BYTES_PER_S;
  await house.restart('hall');
  const arriving = new ArrivingFile(house.dataDir('hall'), file);
  await hasTenths(arriving, 6);
  house.cut();
  const here = arriving.goodChunks();
  t.ok(here < arriving.count, 'it is in the midst of it');
  t.notOk(existsSync(join(house.dataDir('hall'), wavPath(id))), 'and has it not in its place');
  house.mend();
  const start = house.passedBytes;
  await until('it has all', () => hasWhole(house.dataDir('hall'), id));
  const more = travelled(start);
  t.comment(`${here} of ${arriving.count} chunks were there; ${more.toFixed(1)} travelled afterwards`);
  t.ok(more <= arriving.count - here + IN_FLIGHT + TALK, 'what was there has not travelled again');

  const half = Math.floor(file.length * 0.6);
  const [first, rest] = await Promise.all(
    [`bytes=0-${half - 1}`, `bytes=${half}-`].map((range) =>
      daemons.hall.call('GET', `/tracks/${id}/audio`, undefined, { range }),
    ),
  );
  t.equal(rest!.status, 206);
  t.ok(Buffer.compare(Buffer.concat([first!.bytes, rest!.bytes]), file) === 0, 'so can a client of its own');
});

await t.test(
  'a node that is killed at every other tenth of what it fetches has it in the end, and it travelled once [rows 3, 14]',
  async (t) => {
    const file = noiseWav(60 * CHUNK_BYTES, 2);
    const id = idOf(file);
    await together(Object.values(daemons), 3);
    await house.kill('hall');
    house.bytesPerS = null;
    t.equal((await daemons.kitchen.upload('b.wav', file)).status, 201);
    house.bytesPerS = BYTES_PER_S;
    const arriving = new ArrivingFile(house.dataDir('hall'), file);
    const start = house.passedBytes;
    for (const tenth of [1, 3, 5, 7, 9]) {
      const before = new ArrivingFile(house.dataDir('hall'), file).goodChunks();
      t.ok(before >= arriving.goodChunks(), `${before} chunks have outlived the end`);
      const hall = await house.restart('hall');
      await hasTenths(arriving, tenth);
      const whole = existsSync(join(house.dataDir('hall'), wavPath(id)));
      t.notOk(whole, 'what is half here is in no place where anybody looks for a track');
      const asked = await hall.call('GET', `/tracks/${id}/audio`);
      t.ok(asked.status === 404 || asked.status === 503, `nobody is given any of it: ${asked.status}`);
      await house.kill('hall');
    }
    await house.restart('hall');
    await until('it has all', () => hasWhole(house.dataDir('hall'), id));
    const chunks = travelled(start);
    // 0.1 + 0.3 + ... + 0.9 + 1 of it, were it begun anew each time.
    t.comment(
      `${chunks.toFixed(1)} chunks have travelled, for ${arriving.count}; from the beginning each time it had been ${3.5 * arriving.count}`,
    );
    t.ok(chunks <= arriving.count + 5 * IN_FLIGHT + 6 * TALK);
    await until('nothing is left over', () => readdirSync(join(house.dataDir('hall'), 'tmp')).length === 0);
    t.match(nodeNamed(await stateOf(daemons.hall), 'hall')!.disk, { tracksMissing: { count: 0 } });
  },
);

/** Sends a file as far as it comes: whoever gets it is killed. */
function send(daemon: Daemon, name: string, file: Uint8Array) {
  const socket = connect(daemon.port, '127.0.0.1');
  const closed = once(socket, 'close').catch(() => {});
  socket.on('error', () => {});
  socket.write(`PUT /api/v1/tracks/${name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${file.length}\r\n\r\n`);
  return { socket, closed };
}

await t.test(
  'a node that is killed at the tenths between of an upload has told nobody anything, and the retry goes on [row 3]',
  async (t) => {
    const file = noiseWav(20 * CHUNK_BYTES, 3);
    const id = idOf(file);
    await together(Object.values(daemons), 3);
    const others = (['attic', 'hall'] as const).map((name) => new ArrivingFile(house.dataDir(name), file));
    const most = () => Math.max(...others.map((arriving) => arriving.goodChunks()));
    const start = house.passedBytes;
    // The first half of the way is that from the client, the second that to the other nodes.
    for (const tenth of [0, 2, 4, 6, 8]) {
      const { socket, closed } = send(daemons.kitchen, 'c.wav', file);
      const sent = tenth < 5 ? Math.floor((file.length * tenth) / 5) : file.length;
      socket.write(file.subarray(0, sent));
      let answer = '';
      socket.on('data', (text) => {
        answer += text;
      });
      if (tenth < 5) {
        await until('that much came', async () =>
          (await stateOf(daemons.kitchen)).uploads.some(
            ({ title, receivedBytes }) => title === 'c' && receivedBytes >= sent,
          ),
        );
      } else await until('others have that much', () => most() >= (others[0]!.count * (tenth - 4)) / 6);
      await house.kill('kitchen');
      socket.destroy();
      await closed;
      t.equal(answer, '', `tenth ${tenth}: nobody was told that it is safe`);
      for (const daemon of [daemons.attic, daemons.hall]) {
        t.notOk(await shows(daemon, id), 'no track, and nothing to be played');
        const queued = await daemon.call('POST', '/queue', { trackId: id });
        t.match((queued.json as Problem).code, /^(TRACK_NOT_FOUND|TRACK_NOT_READY|NO_QUORUM)$/);
      }
      await house.restart('kitchen');
      t.notOk(await shows(daemons.kitchen, id));
    }
    await together(Object.values(daemons), 3);
    const again = await daemons.kitchen.upload('c.wav', file);
    t.equal(again.status, 201, 'the retry works');
    await until('all have it', () =>
      (['kitchen', 'attic', 'hall'] as const).every((name) => hasWhole(house.dataDir(name), id)),
    );
    const chunks = travelled(start);
    t.comment(`${chunks.toFixed(1)} chunks have travelled, for twice ${others[0]!.count}`);
    t.ok(chunks <= 2 * others[0]!.count + 2 * 2 * IN_FLIGHT + 6 * TALK, 'and what was there has not travelled again');
  },
);

await t.test(
  'without a quorum an upload is refused, and kept: when the house is whole its retry is quick',
  async (t) => {
    const file = noiseWav(32 * CHUNK_BYTES, 4);
    const id = idOf(file);
    await house.kill('hall');
    const arriving = new ArrivingFile(house.dataDir('attic'), file);
    const answered = daemons.kitchen.upload('d.wav', file);
    await hasTenths(arriving, 6);
    await house.kill('attic');
    t.match(await answered, { status: 503, json: { code: 'NO_QUORUM' } });
    t.notOk(await shows(daemons.kitchen, id));
    t.match(
      await daemons.kitchen.upload('d.wav', file),
      { status: 503, json: { code: 'NO_QUORUM' } },
      'so is the next',
    );
    const here = arriving.goodChunks();
    const start = house.passedBytes;
    await house.restart('attic');
    await until('there is a quorum', async () => (await stateOf(daemons.kitchen)).cluster.quorum);
    t.equal((await daemons.kitchen.upload('d.wav', file)).status, 201);
    const chunks = travelled(start);
    t.comment(`${here} of ${arriving.count} chunks were there; ${chunks.toFixed(1)} travelled for the retry`);
    t.ok(chunks <= arriving.count - here + IN_FLIGHT + 2 * TALK);
    for (const name of ['kitchen', 'attic'] as const) t.ok(hasWhole(house.dataDir(name), id), `${name} has it`);
    await house.restart('hall');
    await until('hall has it', () => hasWhole(house.dataDir('hall'), id));
    for (const daemon of Object.values(daemons)) t.equal(await daemon.end(), 0);
  },
);
