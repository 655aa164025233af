/** FakeAudioOutput plays what it is given at its crystal's pace, and remembers what left it when. */
import t from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { FakeAudioOutput, leftAt } from '../../src/ports/fake-audio-output.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { codeOf } from '../contract/support.js';

const CD = { rate: 48_000, channels: 2, bits: 16 };

/** Frames whose left sample counts up from `first`, and whose right one is its negative. */
const ramp = (first: number, count: number): Int32Array =>
  Int32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 1 : -1) * (first + (i >> 1)));

t.test('frames leave at the rate from the first write on, and are kept as they were', (t) => {
  const time = new FakeTime();
  const card = new FakeAudioOutput({ time }, { bufferFrames: 1_000 });
  t.same(card.open(CD), { ...CD, bufferFrames: 1_000, periodFrames: 1_024 });
  t.equal(card.write(ramp(0, 480), 480), 480);
  const startedAt = time.now();
  time.advance(5);
  t.same(card.status(), { state: 'running', delayFrames: 240, at: time.now(), writableFrames: 760 });
  t.equal(card.write(ramp(480, 2_000), 2_000), 760, 'it takes what fits');
  time.advance(10);
  card.status();
  const [run] = card.runs;
  t.equal(run!.startedAt, startedAt);
  t.same(run!.samples, [...ramp(0, 720)]);
  t.equal(leftAt(run!, 720) - startedAt, 15_000_000n);
  t.end();
});

t.test('a fast crystal plays fast', (t) => {
  const time = new FakeTime();
  const card = new FakeAudioOutput({ time }, { ppm: 1_000, bufferFrames: 100_000 });
  card.open(CD);
  card.write(ramp(0, 96_000), 96_000);
  time.advance(1_000);
  t.equal(card.status().delayFrames, 96_000 - 48_048);
  t.end();
});

t.test('a queue that ran dry takes nothing until recover, and then begins another run', (t) => {
  const time = new FakeTime();
  const card = new FakeAudioOutput({ time });
  card.open(CD);
  card.write(ramp(0, 48), 48);
  time.advance(1);
  t.match(card.status(), { state: 'underrun', delayFrames: 0, writableFrames: 0 });
  t.equal(card.write(ramp(0, 48), 48), 0);
  card.recover();
  time.advance(7);
  t.match(card.status(), { state: 'running', delayFrames: 0, writableFrames: 4_096 });
  t.equal(card.write(ramp(48, 48), 48), 48);
  time.advance(0.5);
  card.recover();
  t.equal(card.status().delayFrames, 0, 'recover empties the queue');
  t.same(
    card.runs.map((run) => run.samples),
    [[...ramp(0, 48)], [...ramp(48, 24)]],
  );
  t.equal(card.runs[1]!.startedAt - card.runs[0]!.startedAt, 8_000_000n);
  t.end();
});

t.test('a card that is pulled out is lost, cannot be opened, and can once it is back', (t) => {
  const time = new FakeTime();
  const card = new FakeAudioOutput({ time }, { rate: 44_100 });
  t.equal(card.open(CD).rate, 44_100, 'it has the one rate that it has');
  card.write(ramp(0, 100), 100);
  card.pullOut('unplugged');
  t.match(card.status(), { state: 'lost', delayFrames: 0, writableFrames: 0 });
  t.equal(card.write(ramp(0, 1), 1), 0);
  card.recover();
  t.equal(card.status().state, 'lost');
  card.close();
  t.equal(
    codeOf(() => card.open(CD)),
    'OUTPUT_UNAVAILABLE',
  );
  card.plugIn();
  card.open(CD);
  t.equal(card.status().state, 'running');
  t.end();
});

t.test('closing twice is fine, and using a closed card is a mistake of ours', (t) => {
  const card = new FakeAudioOutput({ time: new FakeTime() });
  card.close();
  card.open(CD);
  t.throws(() => card.open(CD), InvariantError);
  t.throws(() => card.write(new Int32Array(3), 2), InvariantError, 'fewer samples than said');
  card.close();
  card.close();
  t.throws(() => card.write(ramp(0, 1), 1), InvariantError);
  t.throws(() => card.status(), InvariantError);
  t.end();
});
