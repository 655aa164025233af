import t from 'tap';
import { itemId } from '../../src/core/ids.js';
import { EMPTY_PLAYBACK, HISTORY_ITEMS_MAX, type Playback, SEQ_LIMIT } from '../../src/playback/model.js';
import { addItems } from '../../src/playback/queue.js';
import { foldTo, queueVersionAt } from '../../src/playback/timeline.js';
import {
  interrupt,
  mark,
  pause,
  play,
  playItem,
  playTrack,
  previous,
  seek,
  setRepeat,
  skip,
  stop,
} from '../../src/playback/transport.js';
import { asked, historyIds, ids, ms, queued, seconds, song, sound } from './songs.js';

/** Items i1, i2, ... of these seconds, playing since 0. */
const playing = (...lengths: number[]): Playback => play(queued(...lengths.map(seconds)), asked(0, 0));
const paused = (...lengths: number[]): Playback => pause(playing(...lengths), asked(0, 0));
/** Commands see playbacks that are folded to their stamp. */
const since = (playback: Playback, stampMs: number) => foldTo(playback, ms(stampMs));

t.test('play starts the queue after the lead, and resumes at the frame where it stood', (t) => {
  const started = play(queued(seconds(10)), asked(1_000));
  t.equal(sound(started, 0), 'i1:1100-11100');
  const held = pause(since(started, 2_000), asked(2_000));
  t.same(held.transport, { status: 'paused', itemId: 'i1', frame: 48_000 });
  t.equal(sound(held, 0), 'i1:1100-2100/');
  t.equal(sound(play(since(held, 5_000), asked(5_000)), 4_000), 'i1:5100-14100');
  t.end();
});

t.test('play on an empty queue is QUEUE_EMPTY; playing already, it changes nothing', (t) => {
  t.throws(() => play(EMPTY_PLAYBACK, asked(0)), { code: 'QUEUE_EMPTY' });
  const house = playing(10);
  t.equal(play(house, asked(5)), house);
  t.end();
});

t.test('pause takes the position of the instant at which it takes effect', (t) => {
  const held = pause(playing(10, 5), asked(9_950));
  t.same(held.transport, { status: 'paused', itemId: 'i2', frame: 2_400 }, 'that may be in the next item');
  t.equal(historyIds(held), 'i1');
  t.equal(sound(held, 9_950), 'i1:0-10000 i2:10000-10050/');
  t.end();
});

t.test('pause changes nothing where nothing plays, or will by then', (t) => {
  const held = paused(10);
  t.equal(pause(held, asked(5)), held);
  t.equal(pause(EMPTY_PLAYBACK, asked(5)), EMPTY_PLAYBACK);
  const ending = playing(10);
  t.equal(pause(ending, asked(9_950)), ending, 'the last song ends by itself within the lead');
  t.end();
});

t.test('pause, resume, skip, seek: what is agreed but not yet in force does not change what sounds [row 21]', (t) => {
  const house = playing(10, 10);
  for (const change of [pause, skip, stop, (p: Playback) => seek(p, asked(3_000), 0)]) {
    const changed = change(house, asked(3_000));
    t.equal(sound(changed, 3_000, 1), 'i1:0-3100/', change.name);
    t.equal(changed.effectiveAt, ms(3_100));
  }
  t.end();
});

t.test('a command never takes effect before the one that was asked earlier', (t) => {
  const held = pause(playing(10), asked(1_000, 500));
  const resumed = play(held, asked(1_001, 10));
  t.equal(resumed.effectiveAt, ms(1_500));
  t.equal(sound(resumed, 1_001), 'i1:0-1500/ i1:1500-10000');
  t.end();
});

t.test('skip: the next item from its start; the skipped one is history', (t) => {
  const house = skip(since(playing(10, 5, 5), 4_000), asked(4_000));
  t.equal(sound(house, 4_000), 'i1:0-4100/ i2:4100-9100 i3:9100-14100');
  t.equal(historyIds(house), 'i1');
  t.end();
});

t.test('skip in the last moments of a song: the next one starts where it would have anyway', (t) => {
  const house = skip(playing(10, 5), asked(9_950));
  t.equal(sound(house, 9_950), 'i1:0-10000 i2:10000-15000');
  t.equal(house.effectiveAt, ms(10_000));
  t.equal(sound(skip(playing(10, 5), asked(9_900)), 9_900), 'i1:0-10000 i2:10000-15000', 'to the nanosecond');
  t.end();
});

t.test('skip of the last item: silence, stopped', (t) => {
  const house = skip(playing(10), asked(1_000));
  t.equal(house.transport.status, 'stopped');
  t.equal(ids(house), '');
  t.equal(sound(house, 1_000), 'i1:0-1100/');
  t.end();
});

t.test('skip while paused: the next item waits at its start', (t) => {
  const house = skip(paused(10, 5), asked(1_000));
  t.same(house.transport, { status: 'paused', itemId: 'i2', frame: 0 });
  t.equal(sound(house, 1_000), '');
  t.end();
});

t.test('skip under repeat one moves on; under repeat all the skipped one comes round again [row 72]', (t) => {
  const one = setRepeat(playing(10, 5), asked(1), 'one');
  t.equal(sound(skip(one, asked(1_000)), 1_000, 3), 'i1:0-1100/ i2:1100-6100 i2:6100-11100');
  t.equal(ids(skip(one, asked(1_000))), 'i2');
  const all = setRepeat(playing(10, 5), asked(1), 'all');
  t.equal(ids(skip(all, asked(1_000))), 'i2 i3');
  const last = { ...all, nextSeq: SEQ_LIMIT };
  t.equal(ids(skip(last, asked(1_000))), 'i2', 'unless there is no number left');
  const alone = setRepeat(playing(10), asked(1), 'all');
  t.equal(sound(skip(alone, asked(1_000)), 1_100, 1), 'i2:1100-11100', 'also when it is alone');
  t.end();
});

t.test('stop keeps the queue whole, and play starts it from the start of its head', (t) => {
  const stopped = stop(playing(10, 5), asked(3_000));
  t.equal(stopped.transport.status, 'stopped');
  t.equal(ids(stopped), 'i1 i2');
  t.equal(sound(stopped, 3_000), 'i1:0-3100/');
  t.equal(sound(play(since(stopped, 5_000), asked(5_000)), 5_000, 1), 'i1:5100-15100');
  const fromPause = stop(paused(10, 5), asked(3_000));
  t.equal(fromPause.transport.status, 'stopped');
  t.equal(ids(fromPause), 'i1 i2');
  t.equal(ids(stop(playing(10, 5), asked(9_950))), 'i2', 'what is current when it takes effect');
  t.equal(stop(stopped, asked(9_000)), stopped);
  t.end();
});

t.test('seek, skip and previous with nothing current are NOTHING_PLAYING', (t) => {
  const stopped = queued(seconds(10));
  for (const change of [skip, previous, (p: Playback) => seek(p, asked(0), 0)]) {
    t.throws(() => change(stopped, asked(0)), { code: 'NOTHING_PLAYING' });
  }
  t.end();
});

t.test('seek lands on the frame that is asked for, also while paused [row 27]', (t) => {
  const sought = seek(playing(10, 5), asked(1_000), 7_500);
  t.same(sought.transport, { status: 'playing', itemId: 'i1', startedAt: ms(1_100), startFrame: 360_000 });
  t.equal(sound(sought, 1_000), 'i1:0-1100/ i1:1100-3600 i2:3600-8600');
  t.same(seek(paused(10), asked(1_000), 7_500).transport, { status: 'paused', itemId: 'i1', frame: 360_000 });
  t.equal(
    sound(seek(playing(10, 5), asked(9_950), 9_000), 9_950),
    'i1:0-10000 i2:10000-10050/ i1:10050-11050 i2:11050-16050',
  );
  t.end();
});

t.test('seek at or beyond the end is BAD_POSITION, and says how long the item is', (t) => {
  const house = playing(10);
  t.equal(seek(house, asked(0), 9_999).transport.status, 'playing');
  for (const positionMs of [10_000, Number.MAX_SAFE_INTEGER]) {
    t.throws(() => seek(house, asked(0), positionMs), {
      code: 'BAD_POSITION',
      info: { positionMs, durationMs: 10_000 },
    });
  }
  t.end();
});

t.test('previous above 3 s goes back to the start of the item', (t) => {
  const house = since(skip(playing(10, 10), asked(0, 0)), 3_001);
  t.equal(sound(previous(house, asked(3_001)), 3_001, 2), 'i2:0-3101/ i2:3101-13101');
  t.equal(ids(previous(since(house, 3_000), asked(3_000, 0))), 'i3 i2', 'at 3 s it does not yet');
  t.end();
});

t.test('previous below 3 s brings the item before back, as a new one, and the current one waits [row 72]', (t) => {
  const house = previous(skip(playing(10, 5), asked(1_000)), asked(2_000));
  t.equal(ids(house), 'i3 i2');
  t.equal(house.queue[0]!.trackId, seconds(10).id);
  t.equal(historyIds(house), '');
  t.equal(sound(house, 2_000), 'i2:1100-2100/ i3:2100-12100 i2:12100-17100');
  const held = previous(skip(paused(10, 5), asked(1_000)), asked(2_000));
  t.same(held.transport, { status: 'paused', itemId: 'i3', frame: 0 });
  t.end();
});

t.test('previous without a history starts the item over', (t) => {
  t.equal(sound(previous(playing(10), asked(1_000)), 1_100), 'i1:1100-11100');
  t.same(previous(paused(10), asked(1_000)).transport, { status: 'paused', itemId: 'i1', frame: 0 });
  t.end();
});

t.test('previous under repeat all brings the last of the queue to the front', (t) => {
  const all = setRepeat(playing(10, 5, 5), asked(1), 'all');
  t.equal(ids(previous(all, asked(1_000))), 'i3 i1 i2');
  t.equal(ids(previous(setRepeat(playing(10), asked(1), 'all'), asked(1_000))), 'i1', 'alone, it starts over');
  t.end();
});

t.test('previous into a full queue, or without a number left, is QUEUE_FULL', (t) => {
  const house = skip(playing(10, 5), asked(0, 0));
  const full = addItems(
    house,
    asked(0),
    Array.from({ length: 4_999 }, () => seconds(1)),
    'end',
  ).playback;
  t.throws(() => previous(full, asked(1)), { code: 'QUEUE_FULL', info: { room: 0 } });
  t.throws(() => previous({ ...house, nextSeq: SEQ_LIMIT }, asked(1)), { code: 'QUEUE_FULL' });
  t.end();
});

t.test('play {trackId}: now, in front; what was current is history, the rest stays', (t) => {
  const { playback, itemIds } = playTrack(playing(10, 5), asked(1_000), seconds(3));
  t.same(itemIds, ['i3']);
  t.equal(ids(playback), 'i3 i2');
  t.equal(historyIds(playback), 'i1');
  t.equal(sound(playback, 1_000), 'i1:0-1100/ i3:1100-4100 i2:4100-9100');
  const stopped = playTrack(queued(seconds(10)), asked(1_000), seconds(3)).playback;
  t.equal(ids(stopped), 'i2 i1', 'when stopped nothing was current');
  t.equal(playTrack(paused(10), asked(1_000), seconds(3)).playback.transport.status, 'playing');
  t.end();
});

t.test('in the last moments of a song, what the timeline does not begin anyway has its whole lead', (t) => {
  const house = playing(10, 5, 4);
  const tail = 'i1:0-10000 i2:10000-10050/';
  const { playback } = playTrack(house, asked(9_950), seconds(3));
  t.equal(sound(playback, 9_950, 4), `${tail} i4:10050-13050 i2:13050-18050`, 'the next one stays next');
  t.equal(sound(playItem(house, asked(9_950), itemId('i3')), 9_950), `${tail} i3:10050-14050`);
  t.equal(sound(playItem(house, asked(9_950), itemId('i2')), 9_950, 2), 'i1:0-10000 i2:10000-15000', 'as a skip');
  const short = skip(playing(1, 2, 5), asked(0, 0));
  t.equal(sound(previous(short, asked(1_950)), 1_950, 3), 'i2:0-2000 i3:2000-2050/ i4:2050-3050');
  const one = setRepeat(playing(10, 5), asked(1), 'one');
  t.equal(sound(skip(one, asked(9_950)), 9_950, 3), 'i1:0-10000 i1:10000-10050/ i2:10050-15050');
  t.end();
});

t.test('what is over is kept for as long as a room may be behind, and no longer', (t) => {
  const house = pause(playing(10), asked(1_000, 0));
  t.equal(sound(house, 500), 'i1:0-1000/');
  t.equal(foldTo(house, ms(2_249)).tail.length, 1);
  t.same(foldTo(house, ms(2_250)).tail, []);
  t.end();
});

t.test('play {trackId} replaces the current item in a full queue, and is QUEUE_FULL when stopped', (t) => {
  const full = queued(...Array.from({ length: 5_000 }, () => seconds(1)));
  t.throws(() => playTrack(full, asked(1), seconds(1)), { code: 'QUEUE_FULL' });
  t.equal(playTrack(play(full, asked(1)), asked(2), seconds(1)).playback.queue.length, 5_000);
  t.end();
});

t.test('play {itemId}: what is before it is over, in order', (t) => {
  const house = playItem(playing(10, 5, 5, 2), asked(1_000), itemId('i3'));
  t.equal(ids(house), 'i3 i4');
  t.equal(historyIds(house), 'i1 i2');
  t.equal(sound(house, 1_000), 'i1:0-1100/ i3:1100-6100 i4:6100-8100');
  const held = paused(10, 5);
  t.equal(playItem(held, asked(1), itemId('i1')).transport.status, 'playing', 'the current one: as play');
  const sounding = playing(10);
  t.equal(playItem(sounding, asked(1), itemId('i1')), sounding);
  t.equal(ids(playItem(queued(seconds(1), seconds(2)), asked(1), itemId('i2'))), 'i2');
  t.throws(() => playItem(sounding, asked(1), itemId('i9')), { code: 'ITEM_NOT_FOUND', info: { itemId: 'i9' } });
  t.end();
});

t.test('the history remembers the last 50', (t) => {
  let house = playing(...Array.from({ length: 60 }, () => 1));
  for (let k = 0; k < 55; k++) house = skip(house, asked(k));
  t.equal(house.history.length, HISTORY_ITEMS_MAX);
  t.equal(house.history.at(-1)!.id, 'i55');
  t.equal(foldTo(playing(...Array.from({ length: 60 }, () => 1)), ms(58_500)).history[0]!.id, 'i9');
  t.end();
});

t.test('a mode that is set already is no change; a mark moves the mark only', (t) => {
  const house = playing(10);
  t.equal(setRepeat(house, asked(5), 'off'), house);
  t.equal(setRepeat(house, asked(5), 'one').markedAt, ms(5));
  t.same(mark(house, asked(7)), { ...house, markedAt: ms(7) });
  t.end();
});

t.test('an interrupted transport is paused at the mark, at once, and nothing of the queue is lost', (t) => {
  const house = mark(since(playing(10, 10, 10), 12_000), asked(12_000));
  const held = interrupt(house, asked(4 * 3_600_000));
  t.same(held.transport, { status: 'paused', itemId: 'i2', frame: 96_000 });
  t.equal(ids(held), 'i2 i3');
  t.equal(sound(held, 12_000), '');
  t.equal(held.effectiveAt, ms(4 * 3_600_000));
  t.ok(held.queueVersion >= queueVersionAt(house, ms(4 * 3_600_000)), 'and the version does not go down');
  t.equal(interrupt(held, asked(5 * 3_600_000)), held);
  t.end();
});

t.test('an interruption silences what would sound until a change that is still ahead', (t) => {
  const skipping = skip(playing(100, 10), asked(5_000, 8_000));
  const held = interrupt(skipping, asked(12_000));
  t.equal(sound(held, 12_000), '');
  t.equal(held.effectiveAt, ms(13_000));
  t.same(held.transport, { status: 'paused', itemId: 'i2', frame: 0 });
  t.end();
});

t.test('a song ends where its length says, whatever was done to it', (t) => {
  // 44.1 kHz: neither the pause nor the seek falls on a frame.
  let house = play(queued(song(44_100 * 10, 44_100), seconds(1)), asked(0, 0));
  house = pause(since(house, 1_234.567), asked(1_234.567, 0));
  const { transport } = house;
  t.same(transport, { status: 'paused', itemId: 'i1', frame: Math.floor(1.234567 * 44_100) });
  house = play(since(house, 2_000), asked(2_000, 0));
  const left = ((441_000 - 54_444) / 44_100) * 1_000;
  t.ok(Math.abs(Number(foldTo(house, ms(11_500)).effectiveAt) / 1e6 - (2_000 + left)) < 1e-5);
  t.end();
});
