/** Bulk writes give way to the log's. */
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { waitForLog } from '../../src/workers/log-pace.js';

/** A counter with so many commits under way. */
function commits(count: number) {
  const shared = new SharedArrayBuffer(4);
  const counter = new Int32Array(shared);
  counter[0] = count;
  return { shared, counter };
}

t.test('with nothing under way there is nothing to wait for', (t) => {
  const { shared } = commits(0);
  const asked: number[] = [];
  waitForLog(shared, () => asked.push(0))();
  t.equal(asked.length, 1, 'the clock is not even looked at again');
  t.end();
});

t.test('whoever writes goes on as soon as the log has written', async (t) => {
  const { shared, counter } = commits(2);
  // Another thread answers both commits while this one blocks.
  const script = `const { workerData } = require('node:worker_threads');
    const counter = new Int32Array(workerData);
    Atomics.wait(counter, 0, 2, 20);
    Atomics.sub(counter, 0, 1);
    if (Atomics.sub(counter, 0, 1) === 1) Atomics.notify(counter, 0);`;
  const worker = new Worker(script, { eval: true, workerData: shared });
  const over = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve) => worker.once('online', resolve));
  let readings = 0;
  // By this clock no time passes: it would wait for ever were it not woken.
  waitForLog(shared, () => readings++ && 0)();
  t.equal(Atomics.load(counter, 0), 0);
  await over;
});

t.test('a log that is always busy keeps nobody waiting for ever', (t) => {
  const { shared, counter } = commits(1);
  const readings: number[] = [];
  let now = 5_000;
  const pace = waitForLog(shared, () => {
    readings.push(now);
    return now;
  });
  pace();
  t.equal(counter[0], 1, 'it timed out');
  now = 5_000;
  // What is under way changes all the time, and time passes.
  const busy = waitForLog(shared, () => {
    now += 40;
    return now;
  });
  busy();
  t.ok(now <= 5_200, `${now}`);
  t.end();
});
