/** What is heard at an instant: arithmetic over what was agreed. */
import t from 'tap';
import { isSameMoment, type Moment, momentOf, songOf, steady } from '../../../src/web/model/position.js';
import { item, playing, STOPPED } from './views.js';

const queue = [item('i1', 10_000), item('i2', 20_000), item('i3', 5_000)];
const agreed = (positionMs: number, repeat: 'off' | 'all' | 'one' = 'off') => ({
  transport: playing(queue[0]!, positionMs),
  repeat,
  queue,
});
const shown = ({ itemId, positionMs, index }: Moment) => [itemId, positionMs, index];

t.test('a song moves on by itself, and the next follows without a word from the node', (t) => {
  t.same(shown(momentOf(agreed(4_000), 1_000)), ['i1', 5_000, 0]);
  t.same(shown(momentOf(agreed(4_000), 6_000)), ['i2', 0, 1]);
  t.same(shown(momentOf(agreed(4_000), 27_000)), ['i3', 1_000, 2]);
  t.equal(momentOf(agreed(4_000), 6_000).title, 'Song i2');
  t.end();
});

t.test('at the end of the queue there is silence', (t) => {
  t.match(momentOf(agreed(4_000), 31_000), { status: 'stopped', itemId: null, title: null });
  t.end();
});

t.test('before its start the position stands still', (t) => {
  t.same(shown(momentOf(agreed(4_000), -80)), ['i1', 4_000, 0]);
  const held = momentOf(agreed(4_000), -80);
  t.equal(held.startsInMs, 80);
  t.notOk(isSameMoment(held, momentOf(agreed(4_000), 0)), 'it begins to move then');
  t.ok(isSameMoment(held, momentOf(agreed(4_000), -30)), 'and stands still before');
  t.end();
});

t.test('a paused song stays where it is, within the song', (t) => {
  const transport = playing(queue[0]!, 12_000, { status: 'paused' });
  t.match(momentOf({ transport, repeat: 'off', queue }, 99_000), { status: 'paused', positionMs: 10_000 });
  t.end();
});

t.test('repeat brings a song, or all of them, round again', (t) => {
  t.same(shown(momentOf(agreed(4_000, 'one'), 26_500)), ['i1', 500, 0]);
  t.same(shown(momentOf(agreed(4_000, 'all'), 32_000)), ['i1', 1_000, 3]);
  t.end();
});

t.test('nothing plays where nothing is current, and a length that is not known is no end', (t) => {
  t.match(momentOf({ transport: STOPPED, repeat: 'off', queue }, 1), { status: 'stopped', durationMs: 0 });
  const endless = playing(item('i9', 0), 0);
  t.match(momentOf({ transport: endless, repeat: 'one', queue }, 5_000), { itemId: 'i9', positionMs: 0 });
  t.end();
});

t.test('a song that goes on is the same song', (t) => {
  const song = songOf(momentOf(agreed(0), 0));
  t.equal(songOf(momentOf(agreed(0), 5_000), song), song);
  t.not(songOf(momentOf(agreed(0), 15_000), song), song);
  t.match(songOf(null), { status: 'stopped', title: null });
  t.ok(isSameMoment(momentOf(agreed(1), 0), momentOf(agreed(0), 1)));
  t.notOk(isSameMoment(momentOf(agreed(1), 0), momentOf(agreed(0), 2)));
  t.notOk(isSameMoment(null, momentOf(agreed(0), 2)));
  t.ok(isSameMoment(null, null));
  t.end();
});

t.test('a correction of the clock does not turn time back, a seek does', (t) => {
  const at = (positionMs: number): Moment => ({ ...momentOf(agreed(0), 0), positionMs });
  t.equal(steady(at(5_000), at(4_900)).positionMs, 5_000);
  t.equal(steady(at(5_000), at(1_000)).positionMs, 1_000);
  t.equal(steady(null, at(4_900)).positionMs, 4_900);
  t.equal(steady({ ...at(5_000), itemId: 'i7' }, at(4_900)).positionMs, 4_900);
  t.end();
});
