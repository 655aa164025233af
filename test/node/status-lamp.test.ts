import t from 'tap';
import { StatusLamp } from '../../src/node/status-lamp.js';
import { FakeLamp } from '../../src/ports/fake-controls.js';
import { FakeTime } from '../../src/ports/fake-time.js';

async function start() {
  const time = new FakeTime();
  const lamp = new FakeLamp();
  const status = new StatusLamp({ time, lamp });
  await status.start();
  /** How the lamp looks, every `stepMs` for as long: # lit, . dark. */
  const watch = (forMs: number, stepMs: number) => {
    let seen = '';
    for (let at = 0; at < forMs; at += stepMs) {
      seen += lamp.lit ? '#' : '.';
      time.advance(stepMs);
    }
    return seen;
  };
  return { time, lamp, status, watch };
}

t.test('all is well: dark', async (t) => {
  const { status, watch, time } = await start();
  t.equal(watch(5_000, 500), '..........');
  await status.stop();
  t.strictSame(time.running(), []);
});

t.test('cut off: it blinks slowly, at once and for as long as it lasts', async (t) => {
  const { status, watch } = await start();
  status.setCutOff(true);
  status.setCutOff(true);
  t.equal(watch(4_000, 500), '#.#.#.#.');
  status.setCutOff(false);
  t.equal(watch(2_000, 500), '....');
  await status.stop();
});

t.test('a refused press: it blinks fast for two seconds, then as before', async (t) => {
  const { status, watch } = await start();
  status.refused();
  t.equal(watch(2_000, 100), '#.#.#.#.#.#.#.#.#.#.');
  t.equal(watch(1_000, 100), '..........');
  status.setCutOff(true);
  watch(250, 250);
  status.refused();
  t.equal(watch(2_000, 100), '#.#.#.#.#.#.#.#.#.#.');
  t.equal(watch(2_000, 500), '#.#.');
  await status.stop();
});

t.test('another refusal begins anew; stopping ends it dark, whatever it was at', async (t) => {
  const { time, lamp, status, watch } = await start();
  status.refused();
  watch(1_500, 100);
  status.refused();
  t.equal(watch(2_100, 100), '#.#.#.#.#.#.#.#.#.#..');
  status.refused();
  await status.stop();
  await status.stop();
  status.refused();
  status.setCutOff(true);
  t.equal(lamp.lit, false);
  t.strictSame(time.running(), []);
});
