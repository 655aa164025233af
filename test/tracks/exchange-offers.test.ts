/** Files that are to be on several cards before they are tracks: who is told, who attests, and what is left when that is over. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { slot } from '../../src/core/ids.js';
import type { Holder } from '../../src/library/track.js';
import { LINGER_MS, OFFER_LAPSE_MS } from '../../src/tracks/exchange-limits.js';
import { rejectionOf } from '../contract/support.js';
import { CHUNK_BYTES, House, holdersOf, isRight, settled, short } from './exchange-house.js';

t.test('a file is offered, fetched and attested before there is a track; then the offer ends', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  const [a, b, c] = house.stations;
  await house.start();
  await house.allUp();
  house.hold(a!, file);
  const offer = a!.exchange.offer(file.track);
  const most: Record<string, number> = {};
  let seenOnTheWay = 0;
  let holders: readonly Holder[] = [];
  void offer
    .until((all) => all.length >= 3)
    .then((all) => {
      holders = all;
    });
  await house.until(() => {
    for (const { node, chunks } of offer.progress()) most[node[0]!] = Math.max(most[node[0]!] ?? 0, chunks);
    if (offer.progress().some(({ chunks, isHeld }) => chunks > 0 && !isHeld)) seenOnTheWay++;
    return holders.length > 0;
  }, 'all hold it');
  t.same(holders.map(({ node }) => node[0]).toSorted(), ['a', 'b', 'c']);
  for (const { node, incarnation } of holders) t.equal(String(incarnation), node, 'each under its incarnation');
  t.same(most, { b: file.plan.count, c: file.plan.count });
  t.ok(seenOnTheWay > 0, 'and who offers it sees it come');
  t.ok(
    offer.progress().every(({ isHeld }) => isHeld),
    'and the progress says so',
  );
  // They held it when they said so.
  for (const station of [b!, c!]) t.ok(isRight(station, file));
  offer.stop('open');
  offer.stop('void');
  house.want(file);
  for (let step = 0; step < 100; step++) await house.pass((2 * LINGER_MS) / 100);
  for (const { events } of [b!, c!]) t.same(events, ['started', `arrived ${short(file)}`]);
  t.equal(await rejectionOf(offer.until(() => true)), 'TRACK_NOT_HELD');
});

t.test('nobody attests what is not whole, read back and in its place', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile();
  const [a, b] = house.stations;
  await house.start();
  await house.allUp();
  house.hold(a!, file);
  b!.files.delayMs = 20;
  const offer = a!.exchange.offer(file.track);
  let early = 0;
  const enough = (all: readonly Holder[]) => {
    if (all.length > 1 && !b!.card.held.has(file.track.id)) early++;
    return all.length > 1;
  };
  const done = offer.until(enough);
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  await house.until(() => isDone, 'b holds it');
  t.equal(early, 0);
});

t.test('who waits for holders may give up, and an offer that is stopped is waited for in vain', async (t) => {
  const house = new House(t, 'a');
  const file = house.newFile();
  const [a] = house.stations;
  await house.start();
  await house.allUp();
  house.hold(a!, file);
  const offer = a!.exchange.offer(file.track);
  const controller = new AbortController();
  const one = offer.until((all) => all.length > 1, controller.signal);
  const other = offer.until((all) => all.length > 1);
  t.same(
    (await offer.until((all) => all.length > 0)).map(({ node }) => node[0]),
    ['a'],
    'this node counts',
  );
  controller.abort(new TuttiError('NO_QUORUM'));
  t.equal(await rejectionOf(one), 'NO_QUORUM');
  offer.stop('void');
  t.equal(await rejectionOf(other), 'TRACK_NOT_HELD');
  t.equal(await rejectionOf(offer.until(() => true, AbortSignal.abort(new TuttiError('BUSY')))), 'BUSY');
});

t.test('two nodes may offer the same file', async (t) => {
  const house = new House(t, 'abcd');
  const file = house.newFile();
  const [a, b, c, d] = house.stations;
  await house.start();
  await house.allUp();
  for (const station of [a!, b!]) house.hold(station, file);
  const offers = [a!, b!].map(({ exchange }) => exchange.offer(file.track));
  await house.until(() => c!.exchange.arriving().length > 0, 'others have begun');
  offers[0]!.stop('void');
  await house.until(() => house.isEverywhere(file), 'the other one’s still stands', 1_000);
  offers[1]!.stop('open');
  for (let step = 0; step < 100; step++) await house.pass((2 * LINGER_MS) / 100);
  for (const { events } of [c!, d!]) t.same(events, ['started', `arrived ${short(file)}`]);
});

t.test('a file that is taken in by two nodes at once has its place at both, whoever is first', async (t) => {
  for (const chunks of [1, 10, 20, 21]) {
    const house = new House(t, 'abc');
    const file = house.newFile();
    const [a, b, c] = house.stations;
    await house.start();
    await house.allUp();
    house.hold(a!, file);
    b!.files.delayMs = 3;
    const offer = a!.exchange.offer(file.track);
    await house.until(() => (b!.exchange.arriving()[0]?.chunks ?? 0) >= chunks, 'b fetches what is uploaded to it too');
    house.hold(b!, file);
    const other = b!.exchange.offer(file.track);
    t.equal(
      (
        await settled(
          house,
          other.until((all) => all.length >= 2),
        )
      ).length >= 2,
      true,
    );
    await house.until(() => house.isEverywhere(file), 'all hold it');
    offer.stop('open');
    other.stop('open');
    house.want(file);
    for (let step = 0; step < 50; step++) await house.pass(100);
    for (const station of [a!, b!, c!]) {
      t.ok(isRight(station, file));
      t.equal(station.card.arriving.size, 0);
      t.notOk(station.events.some((event) => event.startsWith('withdrawn')));
    }
  }
});

t.test('an offer reaches those who did not hear it, and who come later', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile();
  const [a, b, c] = house.stations;
  await house.start(a!, b!);
  await house.pass(100);
  house.hold(a!, file);
  house.meddle = (_from, _to, message) => (message.type === 'offer' ? null : message);
  a!.exchange.offer(file.track);
  await house.pass(100);
  house.meddle = (_from, _to, message) => message;
  await house.until(() => house.isEverywhere(file, [a!, b!]), 'it is said again');
  await house.start(c!);
  await house.until(() => house.isEverywhere(file), 'and to who comes');
});

t.test('an offer that is given up does not touch what the library has', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b, c] = house.stations;
  for (const station of [a!, b!]) house.hold(station, file);
  c!.files.delayMs = 10;
  await house.start();
  await house.allUp();
  const offer = a!.exchange.offer(file.track);
  house.want(file);
  await house.until(() => (c!.exchange.arriving()[0]?.chunks ?? 0) > 10, 'it has begun');
  offer.stop('void');
  let least = 10;
  await house.until(() => {
    least = Math.min(least, c!.exchange.arriving()[0]?.chunks ?? least);
    return house.isEverywhere(file);
  }, 'it goes on');
  t.equal(least, 10, 'and did not begin anew');
  for (let step = 0; step < 110; step++) await house.pass(LINGER_MS / 100);
  for (const { events } of house.stations) t.notOk(events.some((event) => event.startsWith('released')));
});

t.test('an offer that is given up leaves nothing on other cards', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b, c] = house.stations;
  await house.start();
  await house.allUp();
  house.hold(a!, file);
  c!.files.delayMs = 50;
  const offer = a!.exchange.offer(file.track);
  await house.until(() => b!.card.held.has(file.track.id), 'b has it, and c not yet');
  t.ok(c!.card.arriving.has(file.track.id));
  offer.stop('void');
  await house.until(() => !c!.card.arriving.has(file.track.id), 'what c has of it goes at once');
  t.same(b!.events, ['started', `arrived ${short(file)}`], 'b said that it holds it, and keeps it for a while');
  for (let step = 0; step < 110; step++) await house.pass(LINGER_MS / 100);
  t.same(b!.events.slice(2), [`released ${short(file)}`]);
});

t.test(
  'a word that was taken back counts for nothing, is offered the file anew, and counts again once it is given anew',
  async (t) => {
    const house = new House(t, 'ab');
    const file = house.newFile();
    const [a, b] = house.stations;
    for (const station of house.stations) house.hold(station, file);
    await house.start();
    await house.until(() => holdersOf(a!, file) === 'ab', 'a knows');
    house.retractedIn.set(b!.id, slot(7));
    t.equal(holdersOf(a!, file), 'a');
    let offers = 0;
    house.meddle = (from, _to, message) => {
      if (from === a!.id && message.type === 'offer') offers++;
      return message;
    };
    const offer = a!.exchange.offer(file.track);
    const isHeld = () => offer.progress().map((peer) => peer.isHeld);
    await house.until(() => offers > 0, 'it is offered to b');
    t.same(isHeld(), [false]);
    b!.exchange.retracted(slot(7));
    await house.until(() => holdersOf(a!, file) === 'ab', 'b says so anew');
    t.same(isHeld(), [true]);
    t.match(a!.exchange.holders(file.track.id), [{ node: a!.id }, { node: b!.id, sinceSlot: 7 }]);
  },
);

t.test(
  'a file that was released is not said to be held before it is known what became of it, whatever is wanted meanwhile',
  async (t) => {
    const house = new House(t, 'ab');
    const file = house.newFile();
    const { id } = file.track;
    const [a, b] = house.stations;
    for (const station of house.stations) house.hold(station, file);
    await house.start();
    await house.until(() => holdersOf(a!, file) === 'ab', 'a knows');
    b!.exchange.unwant(id);
    await house.until(() => b!.releases.length === 1, 'it may go');
    const [release] = b!.releases;
    t.ok(b!.exchange.isReleased(id, release!));
    const offer = a!.exchange.offer(file.track);
    await house.until(() => b!.exchange.isWanted(id), 'b hears that it is wanted');
    t.notOk(b!.exchange.isReleased(id, release!), 'it is not to be removed now');
    for (const step of ['offered', 'added', 'removed again', 'offered still']) {
      if (step === 'added') b!.exchange.want(file.track);
      if (step === 'removed again') b!.exchange.unwant(id);
      for (let k = 0; k < 30; k++) await house.pass(1_000);
      t.equal(holdersOf(a!, file), 'a', step);
    }
    b!.exchange.stays(id, release!);
    await house.until(() => holdersOf(a!, file) === 'ab', 'it was still there');
    offer.stop('void');
    await house.until(() => !b!.exchange.isWanted(id), 'b hears that it is not');
    b!.exchange.unwant(id);
    await house.until(() => b!.releases.length === 2, 'it may go once more');
    t.notOk(b!.exchange.isReleased(id, release!), 'but not by what was said the first time');
    b!.exchange.stays(id, release!);
    t.ok(b!.exchange.isReleased(id, b!.releases[1]!), 'nor does it stay by that');
    b!.exchange.stays(id, b!.releases[1]!);
    await house.until(() => b!.releases.length === 3, 'what stays and nobody wants is released again');
    b!.card.held.delete(id);
    b!.exchange.dropped(id);
    t.notOk(b!.exchange.isReleased(id, b!.releases[2]!));
    b!.exchange.want(file.track);
    await house.until(() => b!.card.held.has(id), 'and one that is gone is fetched');
  },
);

t.test('files that are removed one by one are released together', async (t) => {
  const house = new House(t, 'a');
  const files = [1, 2, 3, 4].map(() => house.newFile());
  const [a] = house.stations;
  for (const file of files) house.hold(a!, file);
  await house.start();
  for (const file of files) {
    a!.exchange.unwant(file.track.id);
    await house.pass(1_500);
  }
  await house.until(() => a!.releases.flatMap(({ ids }) => ids).length === 4, 'all may go');
  t.ok(a!.releases.length <= 2, 'the first perhaps, and those that were removed until it went');
});

t.test('what is offered and wanted a moment later by agreement is fetched once', async (t) => {
  const house = new House(t, 'abc');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b, c] = house.stations;
  await house.start();
  await house.allUp();
  house.hold(a!, file);
  c!.files.delayMs = 50;
  const offer = a!.exchange.offer(file.track);
  await house.until(() => b!.card.held.has(file.track.id), 'b has it, and c not yet');
  offer.stop('open');
  const had = c!.exchange.arriving()[0]!.chunks;
  for (let step = 0; step < 20; step++) await house.pass(100);
  house.want(file);
  let least = Number.POSITIVE_INFINITY;
  await house.until(() => {
    least = Math.min(least, c!.exchange.arriving()[0]?.chunks ?? least);
    return house.isEverywhere(file);
  }, 'c has it');
  t.ok(had > 0 && least >= had, `it went on from ${had} chunks`);
});

t.test(
  'a file that comes between the end of its offer and the agreement is said to be held once it is agreed',
  async (t) => {
    const house = new House(t, 'ab');
    const file = house.newFile();
    const [a, b] = house.stations;
    await house.start();
    await house.allUp();
    house.hold(a!, file);
    b!.files.delayMs = 200;
    const offer = a!.exchange.offer(file.track);
    await house.until(() => offer.progress().some(({ chunks }) => chunks === file.plan.count), 'b reads it back');
    t.notOk(b!.card.held.has(file.track.id));
    offer.stop('open');
    await house.until(() => b!.card.held.has(file.track.id), 'it is in its place');
    await house.pass(100);
    t.notOk(house.isEverywhere(file), 'nobody wanted it');
    house.want(file);
    await house.until(() => house.isEverywhere(file), 'all know', 500);
  },
);

t.test('an offer of a node that is gone for good is forgotten, with what came of it', async (t) => {
  const house = new House(t, 'ab');
  const file = house.newFile({ bytes: 60 * CHUNK_BYTES });
  const [a, b] = house.stations;
  await house.start();
  await house.allUp();
  house.hold(a!, file);
  a!.files.delayMs = 10;
  a!.exchange.offer(file.track);
  await house.until(() => (b!.exchange.arriving()[0]?.chunks ?? 0) > 5, 'it has begun');
  house.kill(a!);
  for (let step = 0; step < 120; step++) await house.pass((OFFER_LAPSE_MS + LINGER_MS) / 100);
  t.equal(b!.card.arriving.size, 0);
  t.same(b!.exchange.arriving(), []);
});

t.test('parts of files that no library has are removed after a while', async (t) => {
  const house = new House(t, 'ab');
  const [stray, wanted] = [house.newFile(), house.newFile()];
  const [a, b] = house.stations;
  house.hold(a!, wanted);
  for (const file of [stray, wanted]) {
    await b!.files.beginFetch(file.track, file.outline, CHUNK_BYTES);
    await b!.files.putChunk(file.track.id, 3, file.chunk(3));
  }
  await house.start();
  house.want(wanted);
  await house.until(() => house.isEverywhere(wanted), 'the one that is wanted is completed');
  t.ok(b!.card.arriving.has(stray.track.id), 'the library may not be known yet');
  for (let step = 0; step < 110; step++) await house.pass(LINGER_MS / 100);
  t.equal(b!.card.arriving.size, 0);
});
