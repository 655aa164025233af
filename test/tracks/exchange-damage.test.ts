/** Whatever is wrong with cards, chunks and what peers say of them: nothing wrong is kept, and what is well somewhere is well everywhere. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { hasChunk } from '../../src/tracks/chunk-set.js';
import {
  FILE_AGAIN_MS,
  OUTLINE_WRONG_MS,
  REFUSED_MS,
  SUSPECT_MS,
  WINDOW_MAX,
} from '../../src/tracks/exchange-limits.js';
import { CHUNK_BYTES, House, holdersOf, isRight, short } from './exchange-house.js';

t.test('nodes that each have another half of a file make it whole', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile({ bytes: 10 * CHUNK_BYTES });
  const { id } = file.track;
  for (const [at, station] of house.stations.entries()) {
    await station.files.beginFetch(file.track, file.outline, CHUNK_BYTES);
    for (let index = at; index < 10; index += 2) await station.files.putChunk(id, index, file.chunk(index));
  }
  // The first words about that get lost.
  house.meddle = (_from, _to, message) => (message.type === 'arriving' ? null : message);
  await house.start();
  house.want(file);
  await house.pass(1_000);
  house.meddle = (_from, _to, message) => message;
  await house.until(() => house.isEverywhere(file), 'both have it');
  for (const station of house.stations) t.ok(isRight(station, file) && station.chunksSent === 5);
});

t.test('a file that was whole when the power went needs nobody to have its place', async (t) => {
  const house = new House(t, 'a');
  const file = house.newFile({ bytes: 2 * CHUNK_BYTES });
  const [a] = house.stations;
  await a!.files.beginFetch(file.track, file.outline, CHUNK_BYTES);
  for (const index of [0, 1]) await a!.files.putChunk(file.track.id, index, file.chunk(index));
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'it is held');
  t.same(a!.events, ['started', `arrived ${short(file)}`]);
});

t.test('hashes that cannot be read from the own card any more are had from a peer', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  house.hold(a!, file);
  await b!.files.beginFetch(file.track, file.outline, CHUNK_BYTES);
  await b!.files.putChunk(file.track.id, 3, file.chunk(3));
  b!.files.outline = () => Promise.reject(new TuttiError('DISK_FAILED'));
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'it is whole');
  t.equal(a!.chunksSent, file.plan.count - 1);
});

t.test('a file that rotted on all cards, elsewhere on each, is whole again', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  for (const [at, station] of house.stations.entries()) {
    house.hold(station, file);
    for (let index = at; index < file.plan.count; index += 3) station.card.damage(file.track.id, index);
  }
  await house.start();
  house.want(file);
  for (const { exchange } of house.stations) exchange.damaged(file.track.id, 3);
  await house.pass(1);
  for (const station of house.stations) house.kill(station);
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'each gave what it had');
  for (const station of house.stations) t.ok(isRight(station, file));
});

t.test('a file that is damaged before anybody wants it is repaired when somebody does', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  for (const station of house.stations) house.hold(station, file);
  a!.card.damage(file.track.id, 2);
  await house.start();
  a!.exchange.damaged(file.track.id, 3);
  await house.until(() => holdersOf(b!, file) === 'b', 'b hears of it');
  t.ok(a!.card.arriving.has(file.track.id));
  house.want(file);
  await house.until(() => house.isEverywhere(file) && isRight(a!, file), 'it is right again');
  t.equal(b!.chunksSent, 1);
});

t.test('wrong chunks of a peer are found, never kept and told to it; the right ones come from another', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  const [a, b, c] = house.stations;
  for (const station of [a!, b!]) house.hold(station, file);
  const bad: string[] = [];
  let isBroken = true;
  house.meddle = (from, to, message) => {
    if (message.type === 'chunk-bad') bad.push(`${from[0]} to ${to[0]}`);
    if (message.type !== 'chunk' || from !== a!.id || !isBroken) return message;
    // Not on its card: what it reads is right, and what it sends is not.
    const bytes = message.bytes.slice();
    bytes[3] = bytes[3]! ^ 4;
    return { ...message, bytes };
  };
  await house.start();
  house.want(file, c!);
  await house.until(() => c!.card.held.has(file.track.id), 'c has it');
  t.ok(isRight(c!, file));
  t.ok(bad.length >= 1 && bad.length <= 3 + 4, `${bad}`);
  t.ok(bad.every((text) => text === 'c to a'));
  t.ok(c!.log.entries.some(({ level, fields }) => level === 'warn' && fields.peer === a!.id));
  isBroken = false;
});

t.test('chunks that are too short or too long are wrong ones', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  const [a, b, c] = house.stations;
  for (const station of [a!, b!]) house.hold(station, file);
  house.meddle = (from, _to, message) => {
    if (message.type !== 'chunk' || from !== a!.id) return message;
    const length = message.index % 2 === 0 ? message.bytes.length - 1 : message.bytes.length + 1;
    return { ...message, bytes: new Uint8Array(length) };
  };
  await house.start();
  house.want(file, c!);
  await house.until(() => c!.card.held.has(file.track.id), 'c has it');
  t.ok(isRight(c!, file));
});

t.test('a file that rots on a card is withdrawn, and only what is wrong of it comes anew', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  const [a, b] = house.stations;
  for (const station of house.stations) house.hold(station, file);
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'all know');
  a!.card.damage(file.track.id, 3);
  a!.card.damage(file.track.id, 9);
  const before = house.stations.map(({ chunksSent }) => chunksSent).reduce((sum, count) => sum + count);
  const seen = new Set<string>();
  a!.exchange.damaged(file.track.id, 3);
  await house.until(() => {
    seen.add(holdersOf(b!, file));
    return isRight(a!, file) && house.isEverywhere(file);
  }, 'it is whole again, and all know');
  const after = house.stations.map(({ chunksSent }) => chunksSent).reduce((sum, count) => sum + count);
  t.equal(after - before, 2);
  t.ok(seen.has('bc'), 'meanwhile nobody counted on it');
  t.same(a!.events, ['started', `withdrawn ${short(file)}`, `arrived ${short(file)}`]);
});

t.test('a card that gave a rotten chunk is told, looks, and is repaired', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  const [a, b, c] = house.stations;
  for (const station of [a!, b!]) house.hold(station, file);
  for (let index = 0; index < 6; index++) a!.card.damage(file.track.id, index * 3);
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file) && isRight(a!, file) && isRight(c!, file), 'all have it, and right');
  t.same(a!.events, ['started', `withdrawn ${short(file)}`, `arrived ${short(file)}`]);
});

t.test('one that cries wolf costs a look, and no more', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  for (const station of house.stations) house.hold(station, file);
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'all know');
  const cry = () => {
    house.meddle = (_from, _to, message) =>
      message.type === 'holdings-change' ? { type: 'chunk-bad', id: file.track.id, index: 2 } : message;
  };
  cry();
  await house.pass(6_000);
  for (let step = 0; step < 100; step++) await house.pass(100);
  t.same([a!.events, b!.events], [['started'], ['started']], 'nothing was taken back');
  t.ok(isRight(a!, file) && isRight(b!, file));
  const looks = house.stations.map(({ files }) => files.chunksRead);
  t.ok(
    looks.every((count) => count >= 1 && count <= Math.ceil(16_000 / SUSPECT_MS)),
    `${looks} chunks were looked at`,
  );
});

t.test('one that asks for what there is none of changes nothing', async (t) => {
  const house = new House(t, 'abc');
  const [file, own] = [house.newFile(), house.newFile()];
  const [a, b, c] = house.stations;
  for (const one of [file, own]) house.hold(a!, one);
  house.meddle = (from, _to, message) =>
    message.type === 'chunk-ask' && from === b!.id
      ? { ...message, id: own.track.id, indexes: message.indexes.map((index) => index + own.plan.count) }
      : message;
  await house.start();
  house.want(file, b!, c!);
  // This one the library has not got yet, where it is held.
  house.want(own, c!);
  await house.until(() => isRight(c!, file) && isRight(c!, own), 'c has both');
  await house.pass(5_000);
  t.same(a!.events, ['started'], 'what a holds it holds');
  t.equal(b!.card.held.size, 0);
});

t.test('a peer whose chunks were wrong is asked again later, and then they are right', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  house.hold(a!, file);
  let [isBroken, wrong] = [true, 0];
  house.meddle = (_from, _to, message) => {
    if (message.type !== 'chunk' || !isBroken) return message;
    wrong++;
    return { ...message, bytes: message.bytes.map((byte) => byte ^ 1) };
  };
  await house.start();
  house.want(file);
  for (let step = 0; step < 500; step++) await house.pass(60);
  t.ok(wrong >= 3 && wrong <= 3 + 4, `${wrong} wrong chunks were taken`);
  isBroken = false;
  await house.until(() => isRight(b!, file), 'b has it', 2 * REFUSED_MS);
  t.same(a!.events, ['started'], 'a looked, and its card is well');
});

t.test('a chunk that rots while the file is on its way is fetched again, and only that', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b] = house.stations;
  house.hold(a!, file);
  b!.files.delayMs = 5;
  const kept: number[] = [];
  await house.start();
  house.want(file);
  await house.until(() => (b!.exchange.arriving()[0]?.chunks ?? 0) >= 30, 'half of it is there');
  const arriving = b!.card.arriving.get(file.track.id)!;
  const rotten = Array.from({ length: 60 }, (_, index) => index).find((index) => hasChunk(arriving.written, index))!;
  house.meddle = (_from, _to, message) => {
    if (message.type === 'chunk') kept.push(message.index);
    return message;
  };
  b!.card.damage(file.track.id, rotten);
  b!.exchange.damaged(file.track.id, rotten);
  await house.until(() => isRight(b!, file), 'b has it');
  const at = kept.indexOf(rotten);
  t.ok(at >= 0 && at < kept.length / 2, `it came before most of the others: ${at}`);
  t.ok(kept.filter((index) => index === rotten).length === 1);
  t.ok(a!.chunksSent <= 61 + WINDOW_MAX, `${a!.chunksSent} chunks of 60 were sent`);
});

t.test('a file that somebody deleted is fetched anew', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  const [a, , c] = house.stations;
  house.hold(a!, file);
  await house.start(a!);
  house.want(file);
  a!.card.held.delete(file.track.id);
  await house.start(house.stations[1]!);
  await house.until(() => a!.events.includes(`withdrawn ${short(file)}`), 'it is found out when b asks for it');
  t.equal(holdersOf(a!, file), '');
  house.hold(c!, file);
  await house.start(c!);
  await house.until(() => house.isEverywhere(file), 'c had it');
});

t.test('what has come of a file may vanish from the card: it begins anew', async (t) => {
  const house = new House(t, 'abcd');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b, c, d] = house.stations;
  for (const station of [a!, b!, c!]) house.hold(station, file);
  d!.files.delayMs = 5;
  await house.start();
  house.want(file);
  for (const chunks of [10, 20, 30]) {
    await house.until(() => (d!.exchange.arriving()[0]?.chunks ?? 0) >= chunks, `${chunks} chunks are there`);
    t.ok(d!.files.waitingBytes > CHUNK_BYTES, 'and several on their way to the card');
    d!.card.arriving.clear();
    await house.until(() => (d!.exchange.arriving()[0]?.chunks ?? 0) < chunks, 'that is noticed');
  }
  await house.until(() => house.isEverywhere(file), 'it has it');
  t.ok(isRight(d!, file));
});

t.test('a full card says so, spares the network, and goes on when there is room', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  house.hold(a!, file);
  b!.card.roomBytes = 5 * CHUNK_BYTES;
  await house.start();
  house.want(file);
  await house.until(() => b!.exchange.trouble()?.code === 'DISK_FULL', 'it is full');
  const before = a!.chunksSent;
  for (let step = 0; step < 100; step++) await house.pass(FILE_AGAIN_MS / 30);
  t.ok(a!.chunksSent - before <= 20, `${a!.chunksSent - before} chunks were given in vain in 100 s`);
  const warnings = b!.log.entries.filter(({ fields }) => fields.code === 'DISK_FULL').length;
  t.equal(warnings, 1, 'it is said once');
  b!.card.roomBytes = Number.POSITIVE_INFINITY;
  await house.until(() => house.isEverywhere(file), 'it goes on');
  t.equal(b!.exchange.trouble(), null);
  t.ok(isRight(b!, file));
});

t.test('where many files do not fit, few are tried', async (t) => {
  const house = new House(t, 'ab');
  const files = Array.from({ length: 100 }, () => house.newFile({ bytes: CHUNK_BYTES }));
  const [a, b] = house.stations;
  for (const file of files) house.hold(a!, file);
  b!.card.roomBytes = 0;
  await house.start();
  for (const file of files) house.want(file);
  let tried = 0;
  house.meddle = (_from, _to, message) => {
    if (message.type === 'outline-ask') tried++;
    return message;
  };
  for (let step = 0; step < 1_000; step++) await house.pass(20);
  t.ok(tried > 0 && tried <= 40, `${tried} were tried in 20 s`);
  b!.card.roomBytes = Number.POSITIVE_INFINITY;
  await house.until(() => files.every((file) => house.isEverywhere(file)), 'all come when there is room', 120_000);
});

t.test('a file that does not fit does not keep out one that does', async (t) => {
  const house = new House(t, 'ab');
  const [large, small] = [house.newFile({ bytes: 40 * CHUNK_BYTES }), house.newFile({ bytes: 3 * CHUNK_BYTES })];
  const [a, b] = house.stations;
  for (const file of [large, small]) house.hold(a!, file);
  const begin = b!.files.beginFetch.bind(b!.files);
  b!.files.beginFetch = (track, outline, chunkBytes) =>
    track.id === large.track.id ? Promise.reject(new TuttiError('DISK_FULL')) : begin(track, outline, chunkBytes);
  await house.start();
  house.want(large);
  house.want(small);
  await house.until(() => house.isEverywhere(small), 'the small one is there');
  t.equal(b!.card.held.size, 1);
});

t.test('a card that fails is tried again', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  house.hold(a!, file);
  await house.start();
  b!.card.isBroken = true;
  house.want(file);
  await house.until(() => b!.exchange.trouble()?.code === 'DISK_FAILED', 'it fails');
  b!.card.isBroken = false;
  await house.until(() => house.isEverywhere(file), 'it has it');
});

t.test('a card that spoils what it was given never has the file, until it does better', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  house.hold(a!, file);
  await house.start();
  const finish = b!.files.finishFetch.bind(b!.files);
  let spoilt = 0;
  b!.files.finishFetch = (id) => {
    if (spoilt++ === 0) b!.card.damage(id, 5);
    return finish(id);
  };
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'the second time it is right');
  t.ok(isRight(b!, file));
  t.equal(spoilt, 2);
  t.equal(a!.chunksSent, file.plan.count + 1, 'and only what was wrong came again');
  t.ok(b!.log.entries.some(({ level, fields }) => level === 'warn' && fields.code === 'TRACK_DAMAGED'));
});

t.test('a manifest that is not the agreed one is not believed, and another peer is asked', async (t) => {
  const house = new House(t, 'abc');
  const [file, other] = [house.newFile(), house.newFile()];
  const [a, b, c] = house.stations;
  for (const station of [a!, b!]) house.hold(station, file);
  let lies = 0;
  house.meddle = (from, _to, message) => {
    if (message.type !== 'outline' || from !== a!.id) return message;
    lies++;
    return { ...message, manifest: lies % 2 === 0 ? other.outline.manifest.subarray(32) : other.outline.manifest };
  };
  await house.start();
  for (let n = 0; n < 4; n++) house.want(file, c!);
  await house.until(() => c!.card.held.has(file.track.id), 'c has it');
  t.ok(isRight(c!, file));
  t.ok(lies <= 1);
});

t.test('for a track that names no chunks a manifest is believed until the file turns out wrong', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile({ hasRoot: false });
  const other = house.newFile();
  const [a, b, c] = house.stations;
  // Its card has another file under that name, chunk by chunk as it says.
  a!.card.hold({ ...other.track, id: file.track.id }, other.outline, other.bytes);
  b!.card.hold({ ...file.track, chunks: { bytes: CHUNK_BYTES, root: '' } }, file.outline, file.bytes);
  await house.start();
  house.want(file);
  await house.until(() => isRight(c!, file), 'c has it', 4 * OUTLINE_WRONG_MS);
  t.ok(isRight(b!, file));
});

t.test('a wrong manifest that was believed, and of which nobody has a chunk, is not believed for ever', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile({ hasRoot: false });
  const other = house.newFile();
  const [a, b, c] = house.stations;
  const held = { ...file.track, chunks: { bytes: CHUNK_BYTES, root: '' } };
  for (const { card } of [a!, b!]) card.hold(held, file.outline, file.bytes);
  // One lies, and then has nothing to give.
  house.meddle = (from, to, message) => {
    if (from !== a!.id || to !== c!.id) return message;
    if (message.type === 'outline') return { ...message, manifest: other.outline.manifest };
    return message.type === 'chunk' ? { type: 'chunk-no', id: message.id, index: message.index } : message;
  };
  await house.start();
  house.want(file);
  await house.until(() => isRight(c!, file), 'c has it', 4 * OUTLINE_WRONG_MS);
  t.same([a!.events, b!.events], [['started'], ['started']]);
});

t.test('what was offered with a wrong manifest comes by the one that is agreed', async (t) => {
  const house = new House(t, 'abc');
  const [file, other] = [house.newFile(), house.newFile()];
  const [a, b, c] = house.stations;
  for (const station of [a!, b!]) house.hold(station, file);
  await house.start();
  await house.allUp();
  const { root } = other.track.chunks!;
  a!.exchange.offer({ ...file.track, chunks: { bytes: CHUNK_BYTES, root } });
  house.meddle = (from, _to, message) =>
    message.type === 'outline' && from === a!.id ? { ...message, manifest: other.outline.manifest } : message;
  await house.until(() => c!.exchange.arriving().length > 0, 'c has begun');
  await house.pass(2_000);
  t.notOk(c!.card.held.has(file.track.id));
  house.want(file, b!, c!);
  await house.until(() => isRight(c!, file), 'c has it', 2 * OUTLINE_WRONG_MS);
});

t.test('a file whose outline is lost is had by others, and nobody doubts it', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  a!.card.hold(file.track, { ...file.outline, peaks: null }, file.bytes);
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'it is everywhere');
  t.same(a!.events, ['started']);
  t.ok(isRight(b!, file));
});

t.test('a card that cannot say how a file is checked is asked again, and the file is not doubted', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a] = house.stations;
  house.hold(a!, file);
  const outline = a!.files.outline.bind(a!.files);
  const failures = ['DISK_FULL', 'DISK_FAILED', 'BUSY'] as const;
  let asked = 0;
  a!.files.outline = (id) => {
    const code = failures[asked++];
    return code === undefined ? outline(id) : Promise.reject(new TuttiError(code));
  };
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'it is everywhere');
  t.equal(asked, 4);
  t.same(a!.events, ['started']);
});

t.test('a file that was left out at the start is looked at before anybody is asked for it', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const unwanted = house.newFile();
  const [a, b] = house.stations;
  for (const { track, outline, bytes } of [file, unwanted]) {
    a!.card.hold(track, outline, bytes);
    a!.card.leftOut.set(track.id, a!.card.held.get(track.id)!);
    a!.card.held.delete(track.id);
  }
  a!.card.damage(file.track.id, 3);
  b!.card.hold(file.track, file.outline, file.bytes);
  await house.start();
  house.want(file);
  await house.until(() => house.isEverywhere(file), 'it is whole');
  t.equal(b!.chunksSent, 1, 'only what is bad of it is fetched');
  t.same(a!.events, ['started', `arrived ${short(file)}`]);
  t.ok(a!.card.leftOut.has(unwanted.track.id), 'what nobody wants is left alone');

  const alone = new House(t, 'c');
  const [c] = alone.stations;
  c!.card.hold(file.track, file.outline, file.bytes);
  c!.card.leftOut.set(file.track.id, c!.card.held.get(file.track.id)!);
  c!.card.held.delete(file.track.id);
  await alone.start();
  alone.want(file);
  await alone.until(() => isRight(c!, file), 'no other node is needed');
  t.same(c!.events, ['started', `arrived ${short(file)}`]);
});
