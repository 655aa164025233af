/** What becomes of files that lie on a card, or are to: bits that flip, folders into which people copy, a card that is full. */
import { once } from 'node:events';
import { readdirSync, statfsSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import type { Problem, State } from '../../src/http/schema.js';
import { wavPath } from '../../src/library/track-paths.js';
import { FREE_BYTES_MIN } from '../../src/tracks/track-store.js';
import { readCapture } from '../support/capture.js';
import { CardImage, flipByte } from '../support/card-image.js';
import { type Daemon, temporaryFolder, until } from '../support/daemon.js';
import {
  formHouse,
  keyFile,
  kill,
  NODE_NAMES,
  type NodeName,
  nodeNamed,
  startNode,
  stateOf,
} from '../support/three-nodes.js';
import { HEADER_BYTES, hasWhole, heardOfRamp, idOf, noiseWav, ramp } from '../support/track-files.js';
import { plainWav, run } from '../support/wav-files.js';
import { inboxSubtests } from './inbox.js';

/**
 * The song, 18.75 s in one channel. With all that is copied into the inbox it is below 1 MiB, which is what a node looks through 10 s after
 * its start; and the chunk in which a bit flips begins 13 s behind where the song is begun, further than a node reads ahead of one at this rate.
 */
const RAMP = { frames: 450_000, sampleRate: 24_000 };
const BEGUN_AT_MS = 3_400;
const samples = ramp(RAMP.frames).filter((_, i) => i % 2 === 0);
const song = plainWav({ sampleRate: RAMP.sampleRate, channels: 1 }, new Uint8Array(samples.buffer));
const id = idOf(song);
const FLIPPED_FRAME = 400_000;
/** The upper byte of that frame: heard, it would be a loud click. */
const FLIPPED_BYTE = HEADER_BYTES + 2 * FLIPPED_FRAME + 1;
/** Room for the store of a node, for what tracks leave free, and for a few of them. */
const CARD_BYTES = 288 << 20;

/** All of it, on a busy machine. Milliseconds. */
t.setTimeout(180_000);
const all = t;
const folder = temporaryFolder(t);
const noCard = CardImage.missing();
const card = noCard === false ? CardImage.make(join(folder, 'card.img'), join(folder, 'hall'), CARD_BYTES) : null;
const hallExtras = {
  ...(card && { within: card.within }),
  env: { TUTTI_CLUSTER_KEY_FILE: keyFile(folder, 'kitchen') },
};
const daemons = await formHouse(t, folder, { hall: hallExtras });
const dataDir = (name: NodeName) => (name === 'hall' && card !== null ? card.seenBy(daemons.hall) : join(folder, name));
const alertsOf = ({ alerts }: State) => alerts.map(({ code }) => code);
const hasLogged = (daemon: Daemon, text: string) => daemon.errors.join('').includes(text);

await t.test('a song is on every card, and on one of them a bit flips', async (t) => {
  t.equal((await daemons.kitchen.upload('song.wav', song)).status, 201);
  await until('all have it', () => NODE_NAMES.every((name) => hasWhole(dataDir(name), id)));
  await kill(daemons.attic);
  flipByte(join(dataDir('attic'), wavPath(id)), FLIPPED_BYTE);
  t.notOk(hasWhole(dataDir('attic'), id));
  daemons.attic = await startNode(all, folder, 'attic');
});

// While the attic's card is not looked through yet.
await inboxSubtests(t, { daemons, dataDir, folder });

await t.test(
  'a bit that has flipped is found by looking through the card, and repaired from a peer [row 5]',
  async (t) => {
    const { attic } = daemons;
    await until('it is found', () => hasLogged(attic, 'The card has lost something of a file.'));
    await until('it is whole again', () => hasWhole(dataDir('attic'), id) && hasLogged(attic, 'whole again'));
    t.strictSame(alertsOf(await stateOf(attic)), []);
  },
);

await t.test('a bit that has flipped below the file system is never heard, and repaired in time [row 5]', async (t) => {
  t.equal(await daemons.hall.end(), 0);
  if (card === null) {
    t.comment(`${noCard}: the bit is flipped in the file instead`);
    flipByte(join(folder, 'hall', wavPath(id)), FLIPPED_BYTE);
  } else {
    await card.released();
    card.flip(wavPath(id), FLIPPED_BYTE);
  }
  const capture = join(folder, 'played.wav');
  daemons.hall = await startNode(all, folder, 'hall', [], { ...hallExtras, capture });
  const { hall, kitchen, attic } = daemons;
  t.notOk(hasWhole(dataDir('hall'), id), 'what the card gives back is another file');
  await until('its clock is right', async () => {
    const { cluster, nodes } = await stateOf(hall);
    return cluster.quorum && nodes.find(({ name }) => name === 'hall')?.clock?.locked === true;
  });
  t.equal((await hall.call('POST', '/queue', { trackId: id })).status, 201);
  t.equal((await hall.call('POST', '/transport/play')).status, 200);
  t.equal((await hall.call('POST', '/transport/pause')).status, 200);
  t.equal((await hall.call('POST', '/transport/seek', { positionMs: BEGUN_AT_MS })).status, 200);
  await until('all is silent', async () => nodeNamed(await stateOf(hall), 'hall')!.output.state !== 'playing');
  t.equal((await hall.call('POST', '/transport/play')).status, 200);
  await until('it plays', async () => nodeNamed(await stateOf(hall), 'hall')!.output.state === 'playing');
  // Nobody can help for now: so the alert lasts until it is seen.
  const others = [kitchen, attic];
  for (const other of others) other.process.kill('SIGSTOP');
  await until(
    'it says so',
    async () => alertsOf(await stateOf(hall)).includes('TRACK_DAMAGED'),
    () => hall.errors,
  );
  for (const other of others) other.process.kill('SIGCONT');
  await until('it is repaired', async () => !alertsOf(await stateOf(hall)).includes('TRACK_DAMAGED'));
  t.ok(hasWhole(dataDir('hall'), id));
  await until('all of it was played', async () => (await stateOf(hall)).transport.status === 'stopped');
  t.equal(await hall.end(), 0);
  const heard = heardOfRamp(readCapture(capture), RAMP);
  t.ok(heard.at(-1)!.to > FLIPPED_FRAME, JSON.stringify(heard));
  for (const { offBy } of heard) t.ok(offBy < 480, `what it played was the song: off by ${offBy} frames at worst`);
});

/** Sends a file without saying how long it is. */
async function sendUnannounced(daemon: Daemon, name: string, file: Uint8Array): Promise<Problem> {
  const request = httpRequest(`${daemon.url}/api/v1/tracks/${name}`, { method: 'PUT', agent: false });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.on('error', () => {});
  for (let at = 0; at < file.length; at += 65_536) request.write(file.subarray(at, at + 65_536));
  request.end();
  const [response] = await answered;
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return JSON.parse(Buffer.concat(pieces).toString());
}

await t.test('a card that is full says so, and has nothing half done', { skip: noCard }, async (t) => {
  await card!.released();
  const hall = await startNode(all, folder, 'hall', [], hallExtras);
  daemons.hall = hall;
  await until('it is with the others', async () => (await stateOf(hall)).cluster.quorum);
  const place = dataDir('hall');
  const { bavail, bsize } = statfsSync(place);
  const room = 2_000_000;
  run('fallocate', ['-l', String(bavail * bsize - FREE_BYTES_MIN - room), join(place, 'somebody-elses')]);
  const before = readdirSync(join(place, 'tracks')).toSorted();
  const file = noiseWav(2 * room, 50);

  t.match(await hall.upload('big.wav', file), { status: 507, json: { code: 'DISK_FULL' } });
  t.match(await sendUnannounced(hall, 'longer.wav', file), { status: 507, code: 'DISK_FULL' });
  t.strictSame(readdirSync(join(place, 'tmp')), []);
  t.strictSame(readdirSync(join(place, 'tracks')).toSorted(), before);
  for (const daemon of Object.values(daemons))
    t.notOk((await stateOf(daemon)).tracks.some(({ id }) => id === idOf(file)));

  t.equal((await daemons.kitchen.upload('big.wav', file)).status, 201, 'the others have room, and are a majority');
  await until(
    'it says what it lacks',
    async () => nodeNamed(await stateOf(hall), 'hall')!.disk?.tracksMissing.count === 1,
  );
  t.strictSame(readdirSync(join(place, 'tracks')).toSorted(), before);
  t.equal((await hall.upload('small.wav', noiseWav(20_000, 51))).status, 201, 'what fits is taken');

  run('rm', [join(place, 'somebody-elses')]);
  t.equal(await hall.end(), 0);
  await card!.released();
  daemons.hall = await startNode(all, folder, 'hall', [], hallExtras);
  await until('with room it fetches what it lacked', () => hasWhole(dataDir('hall'), idOf(file)));
  for (const daemon of Object.values(daemons)) t.equal(await daemon.end(), 0);
});
