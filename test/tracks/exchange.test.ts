/** Files find their way to every card, whatever happens on the way: the invariants of exchange.ts, with real exchanges on a fake network. */
import t from 'tap';
import { ASKS_WAITING_MAX, CHUNKS_QUEUED_MAX, WINDOW_MAX } from '../../src/tracks/exchange-limits.js';
import { rejectionOf } from '../contract/support.js';
import { CHUNK_BYTES, House, holdersOf, isRight, short } from './exchange-house.js';

t.test('a file that one node has comes to all whose library has it, mostly from one another', async (t) => {
  const house = new House(t, 'abcd');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, ...others] = house.stations;
  house.hold(a!, file);
  // To read a chunk takes so long that the first node is what all wait for.
  a!.files.delayMs = 25;
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'all have it');
  for (const station of others) {
    t.ok(isRight(station, file));
    t.same(station.events, ['started', `arrived ${short(file)}`]);
    t.same(station.exchange.arriving(), []);
    t.equal(station.card.arriving.size, 0);
  }
  t.ok(a!.chunksSent <= 2 * file.plan.count, `${a!.chunksSent} chunks of ${file.plan.count} left the first node`);
});

t.test('a library of many files comes to a newcomer in its order, a few at a time', async (t) => {
  const house = new House(t, 'abc');
  const files = Array.from({ length: 12 }, () => house.newFile());
  const [a, b, c] = house.stations;
  for (const file of files) for (const station of [a!, b!]) house.hold(station, file);
  await house.start();
  for (const file of files) house.want(file);
  let atOnce = 0;
  await house.until(() => {
    atOnce = Math.max(atOnce, c!.exchange.arriving().length);
    return files.every((file) => house.isEverywhere(file));
  }, 'c has them all');
  t.ok(atOnce >= 2 && atOnce <= 5, `${atOnce} at once`);
  const arrived = c!.events.slice(1).map((event) => event.slice(-4));
  const places = arrived.map((id) => files.findIndex((file) => short(file) === id));
  t.ok(
    places.every((place, at) => Math.abs(place - at) <= 3),
    `${places}`,
  );
  t.ok(
    Math.abs(a!.chunksSent - b!.chunksSent) < 0.3 * a!.chunksSent,
    `${a!.chunksSent} and ${b!.chunksSent} were given`,
  );
});

t.test('what is soon to be heard comes first, whatever the library’s order', async (t) => {
  const house = new House(t, 'ab');
  const files = Array.from({ length: 6 }, () => house.newFile());
  const [a, b] = house.stations;
  for (const file of files) house.hold(a!, file);
  a!.files.delayMs = 5;
  const asked: string[] = [];
  house.meddle = (_from, _to, message) => {
    if (message.type === 'chunk-ask') for (const index of message.indexes) asked.push(`${message.id} ${index}`);
    return message;
  };
  await house.start();
  for (const file of files) house.want(file);
  await house.until(() => asked.length > 4, 'the first files are on their way');
  const heard = [5, 4].flatMap((at) => [10, 11, 12].map((index) => ({ id: files[at]!.track.id, index })));
  asked.length = 0;
  b!.exchange.due(heard.map((chunk) => ({ ...chunk, atMs: house.nowMs() + 5_000 })));
  await house.until(() => files.every((file) => house.isEverywhere(file)), 'b has them all');
  const places = heard.map(({ id, index }) => asked.indexOf(`${id} ${index}`));
  t.same(
    places,
    places.toSorted((x, y) => x - y),
    'in their order',
  );
  t.ok(
    places[0]! >= 0 && places[2]! < 20,
    `the first ones at place ${places.slice(0, 3)}, as soon as b knows their file’s hashes`,
  );
  const [last] = places.slice(-1);
  t.ok(last! < 40, `the last of them at place ${last} of ${asked.length}`);
});

t.test('one that was killed in the middle goes on with what its card has', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b] = house.stations;
  house.hold(a!, file);
  a!.files.delayMs = 10;
  await house.start();
  house.want(file);
  await house.until(() => (b!.exchange.arriving()[0]?.chunks ?? 0) >= 30, 'half of it is there');
  house.kill(b!);
  const before = a!.chunksSent;
  await house.pass(500);
  await house.start(b!);
  house.want(file, b!);
  await house.until(() => house.isEverywhere(file), 'it has it');
  t.ok(isRight(b!, file));
  t.ok(a!.chunksSent - before <= 31, `${a!.chunksSent - before} more chunks were given`);
});

t.test('one that comes late is filled from all the others', async (t) => {
  const house = new House(t, 'abcd');
  const files = [house.newFile(), house.newFile()];
  const [a, b, c, d] = house.stations;
  for (const file of files) house.hold(a!, file);
  await house.start(a!, b!, c!);
  for (const file of files) house.want(file, a!, b!, c!);
  await house.until(() => files.every((file) => house.isEverywhere(file, [a!, b!, c!])), 'three have them');
  const before = [a!, b!, c!].map(({ chunksSent }) => chunksSent);
  await house.start(d!);
  for (const file of files) house.want(file, d!);
  await house.until(() => files.every((file) => house.isEverywhere(file)), 'the fourth has them');
  const given = [a!, b!, c!].map(({ chunksSent }, at) => chunksSent - before[at]!);
  t.ok(
    given.every((count) => count >= 5),
    `${given} were given`,
  );
});

t.test('a peer that goes away in the middle is done without', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b, c] = house.stations;
  for (const station of [a!, b!]) house.hold(station, file);
  for (const station of [a!, b!]) station.files.delayMs = 10;
  await house.start();
  house.want(file, c!);
  await house.until(() => (c!.exchange.arriving()[0]?.chunks ?? 0) >= 10, 'it has begun');
  house.kill(a!);
  await house.until(() => house.isEverywhere(file, [b!, c!]), 'the rest came from b');
  t.equal(holdersOf(c!, file), 'abc', 'what a said is true while it is away');
});

t.test('cut paths, resets and delays do no harm', async (t) => {
  const house = new House(t, 'abcd', { delayMs: 3, jitterMs: 20 });
  const files = Array.from({ length: 4 }, () => house.newFile());
  for (const [at, station] of house.stations.entries()) house.hold(station, files[at]!);
  await house.start();
  for (const file of files) house.want(file);
  const hosts = house.stations.map(({ host }) => host);
  for (let round = 0; round < 12; round++) {
    const [x, y] = [hosts[round % 4]!, hosts[(round * 3 + 1) % 4]!];
    if (round % 3 === 0) house.network.reset(x, y);
    if (round % 3 === 1) house.network.cut(x, y);
    if (round % 3 === 2) house.network.heal();
    for (let step = 0; step < 30; step++) await house.pass(5);
  }
  house.network.heal();
  await house.until(() => files.every((file) => house.isEverywhere(file)), 'all have all');
  for (const station of house.stations) for (const file of files) t.ok(isRight(station, file));
});

t.test('a third of all messages may get lost', async (t) => {
  const house = new House(t, 'abcd');
  const files = Array.from({ length: 4 }, () => house.newFile());
  for (const [at, station] of house.stations.entries()) house.hold(station, files[at]!);
  house.meddle = (_from, _to, message) => (house.chance(0.33) ? null : message);
  await house.start();
  for (const file of files) house.want(file);
  await house.until(() => files.every((file) => house.isEverywhere(file)), 'all have all, and know it', 600_000);
  for (const station of house.stations) for (const file of files) t.ok(isRight(station, file));
});

t.test('a track that is removed and added again in the middle comes whole', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b, c] = house.stations;
  for (const station of [a!, b!]) house.hold(station, file);
  c!.files.delayMs = 5;
  await house.start();
  house.want(file);
  for (const chunks of [10, 20]) {
    await house.until(() => (c!.exchange.arriving()[0]?.chunks ?? 0) >= chunks, `${chunks} chunks are there`);
    c!.exchange.unwant(file.track.id);
    c!.exchange.want(file.track);
  }
  await house.until(() => house.isEverywhere(file), 'it has it');
  t.ok(isRight(c!, file));
});

t.test('a track that is removed in the middle leaves nothing', async (t) => {
  const house = new House(t, 'abc');
  const [file, other] = [house.newFile({ bytes: 60 * CHUNK_BYTES }), house.newFile()];
  const [a, b, c] = house.stations;
  for (const one of [file, other]) house.hold(a!, one);
  for (const station of house.stations) station.files.delayMs = 7;
  await house.start();
  house.want(file);
  await house.until(() => (b!.exchange.arriving()[0]?.chunks ?? 0) >= 10, 'it has begun');
  const last = new Map<string, number>();
  house.meddle = (from, to, message) => {
    if (message.type === 'arriving' && message.id === file.track.id) last.set(`${from} ${to}`, message.chunks.length);
    return message;
  };
  await house.pass(200);
  for (const { exchange } of house.stations) exchange.unwant(file.track.id);
  house.want(other);
  await house.until(() => house.isEverywhere(other), 'the next one comes');
  for (const { card, exchange } of [b!, c!]) {
    t.notOk(card.held.has(file.track.id) || card.arriving.has(file.track.id));
    t.same(exchange.arriving(), []);
  }
  t.ok(last.size > 0);
  t.same([...new Set(last.values())], [0], 'and the others were told');
});

t.test('a track that is removed takes what was left of it before the start along', async (t) => {
  const house = new House(t, 'a');
  const file = house.newFile();
  const [a] = house.stations;
  await a!.files.beginFetch(file.track, file.outline, CHUNK_BYTES);
  await a!.files.putChunk(file.track.id, 3, file.chunk(3));
  await house.start();
  a!.exchange.unwant(file.track.id);
  await house.until(() => a!.card.arriving.size === 0, 'it is gone');
});

t.test('a track that is removed while its file is read back goes again', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  house.hold(a!, file);
  b!.files.delayMs = 30;
  await house.start();
  house.want(file);
  const isAllThere = () => b!.exchange.arriving()[0]?.chunks === file.plan.count;
  await house.until(isAllThere, 'all of it is there');
  b!.exchange.unwant(file.track.id);
  await house.until(() => b!.events.length === 3, 'it may go');
  t.same(b!.events.slice(1), [`arrived ${short(file)}`, `released ${short(file)}`]);
  b!.card.held.delete(file.track.id);
  b!.exchange.dropped(file.track.id);
  await house.until(() => holdersOf(a!, file) === 'a', 'and a hears that it is gone');
});

t.test('a node counts for what it holds under the incarnation that it has now', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  for (const station of house.stations) house.hold(station, file);
  let incarnation: string | null = null;
  house.meddle = (from, _to, message) =>
    incarnation !== null && from === b!.id && (message.type === 'holdings' || message.type === 'holdings-change')
      ? { ...message, incarnation: incarnation as typeof message.incarnation }
      : message;
  await house.start();
  await house.until(() => holdersOf(a!, file) === 'ab', 'a knows');
  incarnation = 'another card';
  house.network.reset(a!.host, b!.host);
  const seen = () => a!.exchange.holders(file.track.id).find(({ node }) => node === b!.id)?.incarnation;
  await house.until(() => seen() === 'another card', 'it says so anew');
  b!.card.held.delete(file.track.id);
  b!.exchange.dropped(file.track.id);
  await house.until(() => holdersOf(a!, file) === 'a', 'and takes it back');
  a!.exchange.forget(b!.id);
  t.equal(holdersOf(a!, file), 'a');
});

t.test('little waits in memory, however much is asked for', async (t) => {
  const house = new House(t, 'abcde', { delayMs: 30 });
  const files = Array.from({ length: 3 }, () => house.newFile({ bytes: 200 * CHUNK_BYTES }));
  const [a, ...others] = house.stations;
  for (const file of files) house.hold(a!, file);
  for (const { files } of others) files.delayMs = 3;
  let [waiting, inFlight] = [0, 0];
  await house.start();
  for (const file of files) house.want(file);
  await house.until(
    () => {
      for (const { files } of others) waiting = Math.max(waiting, files.waitingBytes);
      inFlight = Math.max(inFlight, a!.files.outstanding);
      return files.every((file) => house.isEverywhere(file));
    },
    'all have them',
    600_000,
  );
  t.ok(inFlight <= 1, `at most one read at a time: ${inFlight}`);
  for (const { queuedBytesMost } of house.stations) {
    // A message is a little more than its chunk; an outline comes besides.
    const most = CHUNKS_QUEUED_MAX * (CHUNK_BYTES + 50) + 3 * (200 * 32 + 2_200);
    t.ok(queuedBytesMost <= most, `${queuedBytesMost} bytes waited for one peer`);
  }
  t.ok(waiting <= 4 * 4 * CHUNK_BYTES, `${waiting} bytes waited for a card`);
});

t.test('what is on its way from a peer shrinks while control messages are late, and grows again', async (t) => {
  const house = new House(t, 'ab', { delayMs: 1, jitterMs: 1 });
  const file = house.newFile({ bytes: 900 * CHUNK_BYTES });
  const [a, b] = house.stations;
  house.hold(a!, file);
  a!.files.delayMs = 5;
  let [onTheirWay, most] = [0, 0];
  house.meddle = (_from, _to, message) => {
    if (message.type === 'chunk-ask') onTheirWay += message.indexes.length;
    if (message.type === 'chunk') onTheirWay--;
    most = Math.max(most, onTheirWay);
    return message;
  };
  const mostDuring = async (ms: number) => {
    most = onTheirWay;
    for (let step = 0; step < ms; step++) await house.pass(1);
    return most;
  };
  await house.start();
  house.want(file, b!);
  await house.until(() => (b!.exchange.arriving()[0]?.chunks ?? 0) > 20, 'it has begun');
  t.equal(await mostDuring(300), WINDOW_MAX);
  // Something fills the network: it may well be the chunks.
  house.network.setConditions({ delayMs: 15 });
  await mostDuring(1_500);
  t.equal(await mostDuring(500), 1, 'it goes on, with as little as there can be');
  house.network.setConditions({ delayMs: 1 });
  await mostDuring(500);
  t.equal(await mostDuring(300), WINDOW_MAX);
  t.ok(b!.exchange.arriving().length > 0, 'all that while');
});

t.test('a peer that asks for more than it may is not heard', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile({ bytes: 64 * CHUNK_BYTES });
  const [a, b] = house.stations;
  house.hold(a!, file);
  a!.files.delayMs = 1;
  await house.start();
  await house.until(() => holdersOf(b!, file) === 'a', 'they know one another');
  house.meddle = (from, _to, message) => {
    if (from !== b!.id || message.type !== 'holdings-change') return message;
    return { type: 'chunk-ask', id: file.track.id, isDue: false, indexes: [0, 1, 2, 3, 4, 5, 6, 7] };
  };
  // What it has to say it says as fast as it can.
  for (let n = 0; n < 20; n++) {
    b!.exchange.took(house.newFile().track.id);
    b!.exchange.dropped(file.track.id);
    house.time.advance(0.1);
  }
  for (let step = 0; step < 500; step++) await house.pass(2);
  t.ok(a!.chunksSent <= 20 + 2 * ASKS_WAITING_MAX, `${a!.chunksSent} chunks were given`);
  t.equal(b!.card.arriving.size, 0, 'and none was taken that was not asked for');
});

t.test('messages that make no sense are dropped, and said once', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  house.hold(a!, file);
  await house.start();
  await house.until(() => holdersOf(b!, file) === 'a', 'they know one another');
  for (let first = 64; first < 100; first++) a!.hub.mail.send(b!.id, 'control', Uint8Array.of(first, 9, 9));
  for (let first = 64; first < 100; first++) a!.hub.mail.send(b!.id, 'bulk', Uint8Array.of(first, 1, 9));
  await house.pass(50);
  t.equal(b!.log.entries.filter(({ level }) => level === 'warn').length, 1);
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'and all goes on');
});

t.test('a house where nothing is to be done is quiet', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  house.hold(house.stations[0]!, file);
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'all have it');
  await house.pass(10_000);
  let messages = 0;
  house.meddle = (_from, _to, message) => {
    messages++;
    return message;
  };
  for (let step = 0; step < 60; step++) await house.pass(1_000);
  t.ok(messages <= 3 * 2 * 13, `${messages} messages in a minute`);
  t.ok(house.stations.every(({ files }) => files.outstanding === 0));
});

t.test('after the end nothing runs and nobody is called', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  house.hold(house.stations[0]!, file);
  await house.start();
  house.want(file);
  await house.until(() => house.stations[1]!.exchange.arriving().length > 0, 'it has begun');
  const offer = house.stations[0]!.exchange.offer(file.track);
  const waiting = rejectionOf(offer.until(() => false));
  for (const { exchange, events } of house.stations) {
    exchange.stop();
    exchange.stop();
    events.length = 0;
  }
  t.equal(await waiting, 'TRACK_NOT_HELD');
  await house.pass(1_000);
  t.same(
    house.time.running().filter((name) => name.startsWith('tracks')),
    [],
  );
  t.same(
    house.stations.map(({ events }) => events),
    [[], []],
  );
});
