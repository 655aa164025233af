import t from 'tap';
import { itemId } from '../../src/core/ids.js';
import { shuffled } from '../../src/core/prng.js';
import { expectCurrent } from '../../src/playback/change.js';
import { EMPTY_PLAYBACK, type Playback, SEQ_LIMIT } from '../../src/playback/model.js';
import { addItems, clearQueue, forgetTrack, moveItem, removeItem, shuffleQueue } from '../../src/playback/queue.js';
import { foldTo } from '../../src/playback/timeline.js';
import { pause, play, setRepeat, skip } from '../../src/playback/transport.js';
import { asked, historyIds, ids, ms, queued, seconds, sound } from './songs.js';

const many = (count: number) => Array.from({ length: count }, () => seconds(1));
const playing = (...lengths: number[]): Playback => play(queued(...lengths.map(seconds)), asked(0, 0));
const i = (seq: number) => itemId(`i${seq}`);

t.test('items are added at the end, next, or before another, in their order', (t) => {
  const house = playing(10, 11, 12);
  const added = (place: Parameters<typeof addItems>[3]) =>
    ids(addItems(house, asked(1), [seconds(1), seconds(2)], place).playback);
  t.equal(added('end'), 'i1 i2 i3 i4 i5');
  t.equal(added('next'), 'i1 i4 i5 i2 i3');
  t.equal(added({ before: i(3) }), 'i1 i2 i4 i5 i3');
  t.same(addItems(house, asked(1), [seconds(1), seconds(2)], 'end').itemIds, ['i4', 'i5']);
  t.end();
});

t.test('when stopped the whole queue can be edited', (t) => {
  const stopped = queued(seconds(1), seconds(2));
  t.equal(ids(addItems(stopped, asked(1), many(1), 'next').playback), 'i3 i1 i2');
  t.equal(ids(addItems(stopped, asked(1), many(1), { before: i(1) }).playback), 'i3 i1 i2');
  t.equal(ids(moveItem(stopped, asked(1), i(1), null)), 'i2 i1');
  t.equal(ids(removeItem(stopped, asked(1), i(1))), 'i2');
  t.equal(ids(clearQueue(stopped, asked(1), false)), '');
  t.equal(ids(clearQueue(stopped, asked(1), true)), '');
  t.end();
});

t.test('nothing is put before the current item, and it does not move', (t) => {
  const house = playing(10, 11);
  t.throws(() => addItems(house, asked(1), many(1), { before: i(1) }), {
    code: 'ITEM_PLAYING',
    info: { itemId: 'i1' },
  });
  t.throws(() => moveItem(house, asked(1), i(1), null), { code: 'ITEM_PLAYING' });
  t.throws(() => moveItem(house, asked(1), i(2), i(1)), { code: 'ITEM_PLAYING' });
  t.end();
});

t.test('items that are not there are ITEM_NOT_FOUND', (t) => {
  const house = playing(10, 11);
  t.throws(() => addItems(house, asked(1), many(1), { before: i(9) }), {
    code: 'ITEM_NOT_FOUND',
    info: { itemId: 'i9' },
  });
  t.throws(() => moveItem(house, asked(1), i(9), null), { code: 'ITEM_NOT_FOUND' });
  t.throws(() => moveItem(house, asked(1), i(2), i(9)), { code: 'ITEM_NOT_FOUND' });
  t.throws(() => removeItem(house, asked(1), i(9)), { code: 'ITEM_NOT_FOUND' });
  t.end();
});

t.test('a queue takes 5,000 items and not one more', (t) => {
  const full = addItems(EMPTY_PLAYBACK, asked(1), many(5_000), 'end').playback;
  t.throws(() => addItems(full, asked(2), many(1), 'end'), { code: 'QUEUE_FULL', info: { room: 0, adding: 1 } });
  t.throws(() => addItems({ ...EMPTY_PLAYBACK, nextSeq: SEQ_LIMIT }, asked(2), many(1), 'end'), { code: 'QUEUE_FULL' });
  t.end();
});

t.test('items move up, down and to the end; where they stand already nothing changes', (t) => {
  const house = playing(1, 2, 3, 4, 5);
  t.equal(ids(moveItem(house, asked(1), i(5), i(2))), 'i1 i5 i2 i3 i4');
  t.equal(ids(moveItem(house, asked(1), i(2), i(5))), 'i1 i3 i4 i2 i5');
  t.equal(ids(moveItem(house, asked(1), i(2), null)), 'i1 i3 i4 i5 i2');
  t.equal(moveItem(house, asked(1), i(3), i(3)), house);
  t.equal(moveItem(house, asked(1), i(3), i(4)), house);
  t.equal(moveItem(house, asked(1), i(5), null), house);
  t.end();
});

t.test('removing the current item plays the next, and it does not come round again', (t) => {
  const all = setRepeat(playing(10, 5), asked(1), 'all');
  const house = removeItem(all, asked(1_000), i(1));
  t.equal(ids(house), 'i2');
  t.equal(historyIds(house), 'i1');
  t.equal(sound(house, 1_000, 2), 'i1:0-1100/ i2:1100-6100');
  const other = removeItem(all, asked(1_000), i(2));
  t.equal(historyIds(other), '', 'what never played is no history');
  t.equal(other.transport, all.transport);
  t.equal(removeItem(pause(playing(10), asked(1)), asked(2), i(1)).transport.status, 'stopped');
  t.end();
});

t.test('clearing keeps the current item, or ends it too', (t) => {
  const house = playing(10, 5, 5);
  t.equal(ids(clearQueue(house, asked(1_000), false)), 'i1');
  t.equal(sound(clearQueue(house, asked(1_000), false)), 'i1:0-10000');
  const silent = clearQueue(house, asked(1_000), true);
  t.equal(ids(silent), '');
  t.equal(historyIds(silent), 'i1');
  t.equal(silent.transport.status, 'stopped');
  t.equal(sound(silent, 1_000), 'i1:0-1100/');
  const alone = playing(10);
  t.equal(clearQueue(alone, asked(1), false), alone);
  t.end();
});

t.test('in the last moments of a song, what must not follow is silenced after the whole lead', (t) => {
  const tail = (again: string) => `i1:0-10000 ${again}:10000-10050/`;
  t.equal(sound(clearQueue(playing(10, 5), asked(9_950), true), 9_950), tail('i2'));
  t.equal(sound(removeItem(playing(10, 5), asked(9_950), i(1)), 9_950), 'i1:0-10000 i2:10000-15000', 'as a skip');
  const alone = (repeat: 'all' | 'one') => setRepeat(playing(10), asked(1), repeat);
  t.equal(sound(removeItem(alone('one'), asked(9_950), i(1)), 9_950), tail('i1'));
  t.equal(sound(removeItem(alone('all'), asked(9_950), i(1)), 9_950), tail('i2'));
  t.end();
});

t.test('shuffle is the same for a seed, another for another, and leaves the current item first [row 72]', (t) => {
  const house = playing(...Array.from({ length: 30 }, (_, k) => k + 1));
  const once = shuffleQueue(house, asked(1), 7);
  t.same(once.queue, [house.queue[0], ...shuffled(house.queue.slice(1), 7)]);
  t.not(ids(once), ids(shuffleQueue(house, asked(1), 8)));
  const stopped = queued(...many(30));
  t.same(shuffleQueue(stopped, asked(1), 7).queue, shuffled(stopped.queue, 7));
  const short = playing(1, 2);
  t.equal(shuffleQueue(short, asked(1), 7), short);
  t.end();
});

t.test('a queue command leaves what sounds alone, also while a skip is still ahead', (t) => {
  const skipping = skip(playing(10, 5, 5), asked(1_000));
  const edited = addItems(skipping, asked(1_050), [seconds(1)], 'next').playback;
  t.equal(sound(edited, 1_050), 'i1:0-1100/ i2:1100-6100 i4:6100-7100 i3:7100-12100');
  t.end();
});

t.test('a track that leaves the library leaves queue and history, but not while it sounds', (t) => {
  const [a, b] = [seconds(10), seconds(5)];
  const house = play(queued(a, b, a, b), asked(0, 0));
  t.throws(() => forgetTrack(house, asked(1), a.id), { code: 'TRACK_PLAYING', info: { trackId: a.id } });
  t.equal(ids(forgetTrack(house, asked(1), b.id)), 'i1 i3');
  const skipped = skip(house, asked(1_000));
  t.throws(
    () => forgetTrack(foldTo(skipped, ms(1_050)), asked(1_050), a.id),
    { code: 'TRACK_PLAYING' },
    'it sounds on',
  );
  const later = forgetTrack(foldTo(skipped, ms(1_200)), asked(1_200), a.id);
  t.equal(ids(later), 'i2 i4');
  t.equal(historyIds(later), '');
  const none = foldTo(skipped, ms(1_200));
  t.equal(forgetTrack(none, asked(1_200), seconds(77).id), none);
  t.end();
});

t.test('what the person saw as current is compared with the newest fact [row 22]', (t) => {
  const house = skip(playing(10, 5), asked(1_000));
  expectCurrent(house, undefined);
  expectCurrent(house, i(2));
  t.throws(() => expectCurrent(house, i(1)), {
    code: 'ITEM_CHANGED',
    info: { expectItem: 'i1', currentItem: 'i2' },
  });
  t.throws(() => expectCurrent(EMPTY_PLAYBACK, i(1)), { code: 'ITEM_CHANGED', info: { currentItem: null } });
  t.end();
});

t.test('every change of the queue moves its version, and no change does not', (t) => {
  const house = playing(10, 5, 5);
  const v = house.queueVersion;
  t.equal(addItems(house, asked(1), many(1), 'end').playback.queueVersion, v + 1);
  t.equal(removeItem(house, asked(1), i(2)).queueVersion, v + 1);
  t.equal(moveItem(house, asked(1), i(2), null).queueVersion, v + 1);
  t.equal(skip(house, asked(1)).queueVersion, v + 1);
  t.equal(pause(house, asked(1)).queueVersion, v);
  t.equal(foldTo(house, ms(12_000)).queueVersion, v + 1);
  t.equal(skip(house, asked(9_950)).queueVersion, v + 2, 'the end that some node has shown already counts too');
  t.end();
});
