import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { allocateRing, RingReader, RingWriter } from '../../src/player/ring.js';

const RUNS = { seed: 1, numRuns: 300 };

t.test('whatever is done in whatever order, a ring gives what a queue gives', (t) => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), count: fc.nat(20) }),
    fc.record({ do: fc.constant('read' as const), count: fc.nat(20) }),
    fc.record({ do: fc.constant('skip' as const), count: fc.nat(20) }),
    fc.record({ do: fc.constant('reset' as const), count: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 33 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const buffer = allocateRing(size);
      const [writer, reader] = [new RingWriter(buffer), new RingReader(buffer)];
      const queue: number[] = [];
      let next = 0;
      for (const { do: what, count } of steps) {
        if (what === 'write') {
          const fits = Math.min(count, writer.free);
          const samples = Float64Array.from({ length: fits }, () => next++);
          writer.write(samples, fits);
          queue.push(...samples);
        } else if (what === 'reset') {
          writer.reset();
          queue.length = 0;
        } else {
          const there = Math.min(count, reader.buffered);
          const into = new Float64Array(there + 1).fill(-1);
          if (what === 'read') reader.read(into, 1, there);
          else reader.skip(there);
          const expected = queue.splice(0, there);
          if (what === 'read' && `${[...into]}` !== `${[-1, ...expected]}`) return false;
        }
        if (reader.buffered !== queue.length || writer.free !== writer.capacity - queue.length) return false;
      }
      return writer.capacity >= size;
    }),
    RUNS,
  );
  t.end();
});

t.test('it works on when its counters wrap', (t) => {
  const buffer = allocateRing(8);
  new Int32Array(buffer, 0, 2).fill(0x7fff_fffc);
  const [writer, reader] = [new RingWriter(buffer), new RingReader(buffer)];
  const into = new Float64Array(6);
  for (let i = 0; i < 5; i++) {
    writer.write(Float64Array.of(i, i + 1, i + 2, i + 3, i + 4, i + 5), 6);
    t.same([reader.buffered, writer.free], [6, 2]);
    reader.read(into, 0, 6);
    t.same([...into], [i, i + 1, i + 2, i + 3, i + 4, i + 5]);
  }
  t.end();
});

t.test('more than fits, or more than is there, is a mistake of ours', (t) => {
  const buffer = allocateRing(4);
  t.throws(() => new RingWriter(buffer).write(new Float64Array(5), 5), InvariantError);
  t.throws(() => new RingReader(buffer).read(new Float64Array(1), 0, 1), InvariantError);
  t.throws(() => new RingReader(buffer).skip(1), InvariantError);
  t.throws(() => allocateRing(0), InvariantError);
  t.throws(() => allocateRing(2 ** 31), InvariantError);
  t.end();
});

t.test('from thread to thread nothing is lost, doubled or seen too early', async (t) => {
  const total = 200_000;
  const buffer = allocateRing(1_024);
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(workerData.module).then(({ RingWriter }) => {
      const writer = new RingWriter(workerData.buffer);
      const chunk = new Float64Array(97);
      for (let next = 0; next < workerData.total; ) {
        const count = Math.min(chunk.length, writer.free, workerData.total - next);
        for (let i = 0; i < count; i++) chunk[i] = next + i;
        writer.write(chunk, count);
        next += count;
      }
    });`;
  const module = new URL('../../src/player/ring.js', import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { buffer, total, module } });
  const reader = new RingReader(buffer);
  const into = new Float64Array(1_024);
  let expected = 0;
  while (expected < total) {
    const count = reader.buffered;
    if (count === 0) await new Promise((resolve) => setImmediate(resolve));
    reader.read(into, 0, count);
    for (let i = 0; i < count; i++) if (into[i] !== expected + i) t.fail(`${into[i]} in place of ${expected + i}`);
    expected += count;
  }
  t.equal(reader.buffered, 0);
  await new Promise((resolve) => worker.once('exit', resolve));
});
