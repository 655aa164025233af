import t from 'tap';
import { clusterTime, NS_PER_S } from '../../src/core/units.js';
import { checkPlayback } from '../../src/playback/invariants.js';
import { EMPTY_PLAYBACK, type Playback, SEQ_LIMIT, TAIL_SEGMENTS_MAX } from '../../src/playback/model.js';
import {
  durationNs,
  endOfCurrent,
  foldTo,
  framesIn,
  msOf,
  positionAt,
  queueVersionAt,
  segments,
} from '../../src/playback/timeline.js';
import { pause, play, setRepeat, skip } from '../../src/playback/transport.js';
import { asked, historyIds, ids, ms, queued, seconds, song, sound } from './songs.js';

const playing = (...tracks: Parameters<typeof queued>) => play(queued(...tracks), asked(0, 0));

t.test('a length is rounded to the nearest nanosecond', (t) => {
  t.equal(durationNs(48_000, 48_000), NS_PER_S);
  t.equal(durationNs(1, 44_100), 22_676n, '22675.7');
  t.equal(durationNs(2, 44_100), 45_351n, '45351.47');
  t.equal(durationNs(1, 192_000), 5_208n, '5208.3');
  t.equal(durationNs(1, 128_000), 7_813n, '7812.5: halves go up');
  t.equal(durationNs(1, 64_000), 15_625n, 'exactly');
  t.equal(framesIn(22_675n, 44_100), 0);
  t.equal(framesIn(22_676n, 44_100), 1);
  t.equal(msOf(47_999, 48_000), 999);
  t.end();
});

t.test('songs follow one another without a gap or an overlap [row 24]', (t) => {
  t.equal(sound(playing(seconds(10), seconds(5), seconds(1))), 'i1:0-10000 i2:10000-15000 i3:15000-16000');
  const odd = playing(song(44_101, 44_100), song(7, 11_025), song(1, 192_000), song(48_000));
  const all = segments(odd, ms(0), 10);
  for (let k = 1; k < all.length; k++) t.equal(all[k]!.startAt, all[k - 1]!.endAt);
  t.equal(all.at(-1)!.endAt, durationNs(44_101, 44_100) + durationNs(7, 11_025) + 5_208n + NS_PER_S);
  t.end();
});

t.test('the end of a song is computed, and the next one is current at that nanosecond [row 23]', (t) => {
  const house = playing(seconds(10), seconds(5));
  t.equal(endOfCurrent(house), 10n * NS_PER_S);
  const before = positionAt(house, clusterTime(10n * NS_PER_S - 1n))!;
  t.equal(before.item.id, 'i1');
  t.equal(before.frame, 479_999);
  t.same(positionAt(house, ms(10_000)), { item: house.queue[1], frame: 0 });
  t.equal(ids(foldTo(house, ms(10_000))), 'i2');
  t.equal(historyIds(foldTo(house, ms(10_000))), 'i1');
  t.end();
});

t.test('after the last song the queue is empty and the transport stopped, since its end', (t) => {
  const over = foldTo(playing(seconds(1), seconds(2)), ms(60_000));
  t.same(over.transport, { status: 'stopped' });
  t.equal(over.effectiveAt, ms(3_000));
  t.equal(ids(over), '');
  t.equal(historyIds(over), 'i1 i2');
  t.equal(positionAt(over, ms(70_000)), null);
  t.equal(endOfCurrent(over), null);
  t.equal(sound(over, 60_000), '');
  t.end();
});

t.test('repeat all: what ends comes round again as a new item [row 72]', (t) => {
  const house = setRepeat(playing(seconds(1), seconds(2)), asked(1), 'all');
  t.equal(sound(house, 500, 5), 'i1:0-1000 i2:1000-3000 i3:3000-4000 i4:4000-6000 i5:6000-7000');
  const later = foldTo(house, ms(3_500));
  t.equal(ids(later), 'i3 i4');
  t.equal(historyIds(later), 'i1 i2');
  t.equal(later.nextSeq, 5);
  t.end();
});

t.test('repeat one: the item starts over under its own name, and the history stays [row 72]', (t) => {
  const house = setRepeat(playing(seconds(1), seconds(2)), asked(1), 'one');
  t.equal(sound(house, 0, 3), 'i1:0-1000 i1:1000-2000 i1:2000-3000');
  const later = foldTo(house, ms(7_250));
  t.equal(ids(later), 'i1 i2');
  t.equal(historyIds(later), '');
  t.equal(positionAt(later, ms(7_250))!.frame, 12_000);
  t.equal(later.queueVersion, house.queueVersion + 7);
  t.end();
});

t.test('years of repeat are a division, not a loop', (t) => {
  const years = clusterTime(20n * 365n * 86_400n * NS_PER_S);
  const all = setRepeat(playing(seconds(1), seconds(2)), asked(1), 'all');
  const folded = foldTo(all, years);
  checkPlayback(folded);
  // 20 years are 210,240,000 rounds of 3 s: as many pairs of items were made.
  t.equal(ids(folded), 'i420480001 i420480002');
  t.equal(queueVersionAt(all, years), all.queueVersion + 420_480_000);
  t.equal(historyIds(folded).split(' ').length, 50);
  t.equal(folded.history.at(-1)!.id, 'i420480000');
  const one = setRepeat(playing(song(1, 192_000)), asked(0.001), 'one');
  t.equal(foldTo(one, years).transport.status, 'playing');
  t.end();
});

t.test('where the numbers for items run out, repeat all ends like repeat off', (t) => {
  const house: Playback = { ...setRepeat(playing(seconds(1), seconds(2)), asked(1), 'all'), nextSeq: SEQ_LIMIT - 3 };
  t.equal(segments(house, ms(0), 100).length, 5);
  const last = foldTo(house, ms(6_500));
  checkPlayback(last);
  t.equal(ids(last), `i${SEQ_LIMIT - 1}`);
  t.equal(last.nextSeq, SEQ_LIMIT);
  const over = foldTo(last, ms(8_000));
  checkPlayback(over);
  t.same(over.transport, { status: 'stopped' });
  t.same({ ...foldTo(house, ms(1_000_000)), tail: over.tail }, over);
  t.end();
});

t.test('a position before the fact takes effect is the one it begins at', (t) => {
  const house = play(queued(seconds(10)), asked(1_000));
  t.equal(positionAt(house, ms(1_000))!.frame, 0);
  t.equal(positionAt(house, ms(1_100))!.frame, 0);
  t.equal(positionAt(house, ms(1_200))!.frame, 4_800);
  t.end();
});

t.test('while paused every node stands at the same frame, whenever it looks [row 36]', (t) => {
  const house = pause(playing(seconds(10)), asked(1_000));
  for (const instant of [1_000, 5_000, 1e9]) t.equal(positionAt(house, ms(instant))!.frame, 52_800);
  t.equal(sound(house, 0), 'i1:0-1100/');
  t.equal(sound(house, 1_100), '');
  t.end();
});

t.test('the tail is bounded where tracks of a frame buzz along', (t) => {
  const grains = playing(...Array.from({ length: 500 }, () => song(48)), seconds(5));
  const house = pause(foldTo(grains, ms(200)), asked(200));
  checkPlayback(house);
  t.equal(house.tail.length, 2 * TAIL_SEGMENTS_MAX, 'as many before the command as after it');
  t.equal(foldTo(grains, ms(200)).tail.at(-1)!.endAt, ms(200), 'the latest of what is over');
  t.end();
});

t.test('folding to an instant that is past changes nothing', (t) => {
  const house = skip(playing(seconds(10), seconds(5)), asked(5_000));
  t.equal(foldTo(house, ms(1)), house);
  t.equal(foldTo(EMPTY_PLAYBACK, ms(1)), EMPTY_PLAYBACK);
  t.end();
});

t.test('broken playbacks are told from good ones', (t) => {
  const good = pause(playing(seconds(10), seconds(5)), asked(1_000));
  checkPlayback(good);
  const [first, second] = good.queue;
  const [segment] = good.tail;
  const broken: Partial<Playback>[] = [
    { queue: Array.from({ length: 5_001 }, () => first!) },
    { history: Array.from({ length: 51 }, () => first!) },
    { nextSeq: 0 },
    { nextSeq: SEQ_LIMIT + 1 },
    { nextSeq: 2 },
    { queue: [first!, first!] },
    { queue: [{ ...first!, seq: 0 }] },
    { queue: [{ ...first!, frames: 0 }] },
    { queue: [{ ...first!, sampleRate: 0 }] },
    { queue: [{ ...first!, seq: 2 }] },
    { queue: [second!, first!] },
    { queue: [] },
    { transport: { status: 'paused', itemId: first!.id, frame: first!.frames } },
    { transport: { status: 'paused', itemId: first!.id, frame: -1 } },
    { transport: { status: 'playing', itemId: first!.id, startFrame: 0, startedAt: ms(0) } },
    { tail: Array.from({ length: 129 }, () => segment!) },
    { tail: [{ ...segment!, endAt: segment!.startAt }] },
    { tail: [segment!, segment!] },
    { tail: [{ ...segment!, endAt: ms(9_000) }] },
  ];
  for (const change of broken) t.throws(() => checkPlayback({ ...good, ...change }), { name: 'InvariantError' });
  t.end();
});
