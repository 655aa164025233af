/** What the page makes of what it is told in pieces: the queue, the library, the rooms, the outline of a song. */
import t from 'tap';
import { msBetween } from '../../../src/web/model/instants.js';
import { columnsShown, regionOf } from '../../../src/web/model/region.js';
import { apartUs, headOffset, roomsOf } from '../../../src/web/model/rooms.js';
import { NO_TRACKS, tableOf, withChanges } from '../../../src/web/model/track-table.js';
import { slid } from '../../../src/web/model/volume-slide.js';
import { barPath, barsOf } from '../../../src/web/model/waveform.js';
import { wholeQueue } from '../../../src/web/model/whole-queue.js';
import { item, node, track } from './views.js';

t.test('instants that no number holds are told apart to the microsecond', (t) => {
  t.equal(msBetween('9007199254740993000', '9007199254740994500'), 0.0015);
  t.equal(msBetween(5_000_000n, '3000000'), -2);
  t.end();
});

t.test('a short queue is whole by itself, a long one with what was told of it', (t) => {
  const items = Array.from({ length: 60 }, (_, at) => item(`i${at + 1}`));
  const view = (from: number, queueVersion: number) => ({
    queue: items.slice(from, from + 51),
    queueLength: 60 - from,
    queueVersion,
  });
  t.same(wholeQueue({ queue: items.slice(0, 3), queueLength: 3, queueVersion: 1 }, null), {
    items: items.slice(0, 3),
    isWhole: true,
  });
  t.match(wholeQueue(view(0, 7), null), { isWhole: false, items: { length: 51 } });
  t.match(wholeQueue(view(0, 7), { rev: 7, items }), { isWhole: true, items: { length: 60 } });
  t.match(
    wholeQueue(view(2, 9), { rev: 7, items }),
    { isWhole: true, items: { length: 58 } },
    'two songs have ended since',
  );
  t.match(wholeQueue(view(0, 9), { rev: 7, items: [item('i99')] }), { isWhole: false });
  t.end();
});

t.test('the library follows differences, and asks where one is missing', (t) => {
  const one = tableOf({ tracksRev: 3, tracks: [track('a'), track('b')] });
  const change = { rev: 4, since: 3, added: [track('c')], changed: [track('a', { title: 'Anew' })], removed: ['b'] };
  const two = withChanges(one, change)!;
  t.equal(two.rev, 4);
  t.same(
    [...two.byId.values()].map(({ title }) => title),
    ['Anew', 'Song c'],
  );
  t.equal(withChanges(two, change), two, 'twice is once');
  const held = { rev: 4, since: 4, added: [], changed: [track('c', { holders: ['id-hall'] })], removed: [] };
  t.same(withChanges(two, held)!.byId.get('c')!.holders, ['id-hall'], 'who holds a track changes within a revision');
  t.equal(withChanges(one, held), null);
  t.equal(withChanges(NO_TRACKS, change), null);
  t.equal(one.byId.size, 2, 'what was known is untouched');
  t.end();
});

t.test('each room is playing, idle, silent with a reason, or away', (t) => {
  const state = {
    node: { id: 'id-hall' },
    nodes: [
      node('kitchen', { leader: true }, { errorUs: -2 }),
      node('hall', {}, { state: 'silent', reason: 'NO_CLOCK' }),
      node('attic', {}, { state: 'closed' }),
      node('bath', { online: false }, { state: 'idle' }),
      node('loft', {}, { state: null }),
    ],
  } as Parameters<typeof roomsOf>[0];
  t.same(
    roomsOf(state).map(({ name, kind, reason, leads, isHere }) => [name, kind, reason, leads, isHere]),
    [
      ['kitchen', 'playing', null, true, false],
      ['hall', 'silent', 'NO_CLOCK', false, true],
      ['attic', 'idle', null, false, false],
      ['bath', 'away', null, false, false],
      ['loft', 'away', null, false, false],
    ],
  );
  t.equal(apartUs(roomsOf(state)), null, 'one room alone is in step with nobody');
  const two = { ...state, nodes: [node('a', {}, { errorUs: -3 }), node('b', {}, { errorUs: 4 })] };
  t.equal(apartUs(roomsOf(two)), 7);
  t.end();
});

t.test('heads stand aside by what they are early, and never leave the staff', (t) => {
  t.equal(headOffset(null), 0);
  t.equal(headOffset(1_000), 1);
  t.equal(headOffset(-500), -0.5);
  t.equal(headOffset(1e9), 2);
  t.equal(headOffset(-1e9), -2);
  t.end();
});

t.test('bars are the loudest of what they stand for', (t) => {
  const peaks = Uint8Array.from({ length: 2_048 }, (_, at) => (at === 1_000 ? 255 : 51));
  const bars = barsOf(peaks, 100);
  t.equal(bars.length, 100);
  t.equal(Math.max(...bars), 1);
  t.equal(bars[0], 0.2);
  t.equal(bars.filter((bar) => bar === 1).length, 1);
  t.same(barsOf(new Uint8Array(), 9), []);
  t.same(barsOf(Uint8Array.of(255, 0), 9), [1, 0], 'no more than there is');
  t.same(barsOf(peaks, -1), []);
  t.equal(barPath([1, 0], { pitch: 3, height: 10, heightMin: 2 }), 'M1.5 0v10M4.5 4v2');
  t.end();
});

t.test('a volume is pulled down at once, and up by a step that hurts nobody', (t) => {
  t.equal(slid(80, 10), 10);
  t.equal(slid(10, 25), 25);
  t.equal(slid(10, 90), 30);
  t.equal(slid(95, 130), 100);
  t.equal(slid(5, -9), 0);
  t.end();
});

t.test('regions have addresses; what is not known is what plays now', (t) => {
  t.equal(regionOf('#/sync'), 'sync');
  t.equal(regionOf(''), 'now');
  t.equal(regionOf('#/nowhere'), 'now');
  t.same(columnsShown('queue', 'phone'), [['queue']]);
  t.same(columnsShown('queue', 'middle'), [['now'], ['queue']]);
  t.same(columnsShown('library', 'middle'), [['library']]);
  t.same(columnsShown('house', 'wide'), [['library'], ['now', 'sync-strip', 'house'], ['queue']]);
  t.same(columnsShown('sync', 'wide'), [['sync']]);
  t.end();
});
