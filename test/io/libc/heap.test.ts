/** Memory that was freed goes back to the system. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { keepHeapSmall } from '../../../src/io/libc/heap.js';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { FakeTime } from '../../../src/ports/fake-time.js';

/** proc(5), VmRSS. */
const residentMb = () => Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_000;

t.test('what was freed goes back within half a minute, once nothing sounds', (t) => {
  const libc = loadLibc();
  if (libc === undefined) return void t.end();
  const time = new FakeTime();
  let isSounding = true;
  const timer = keepHeapSmall({ libc, time, isSounding: () => isSounding });
  const malloc = libc.bind('uintptr_t malloc(size_t bytes)');
  const free = libc.bind('void free(uintptr_t memory)');
  const memset = libc.bind('uintptr_t memset(uintptr_t memory, int byte, size_t bytes)');
  const blocks = Array.from({ length: 2_000 }, () => memset(malloc(64 * 1024), 1, 64 * 1024));
  // What stays in between keeps the holes in the heap.
  for (const [n, block] of blocks.entries()) if (n % 2 === 0) free(block);
  const before = residentMb();
  time.advance(30_000);
  t.ok(before - residentMb() < 10, 'while something sounds no lock is held for it');
  isSounding = false;
  time.advance(30_000);
  t.ok(before - residentMb() > 50, `of 65 MB ${(before - residentMb()).toFixed(0)} went back`);
  for (const [n, block] of blocks.entries()) if (n % 2 === 1) free(block);
  timer.cancel();
  t.same(time.running(), []);
  t.end();
});

t.test('without a C library nothing happens', (t) => {
  const time = new FakeTime();
  const timer = keepHeapSmall({ libc: undefined, time, isSounding: () => false });
  time.advance(30_000);
  timer.cancel();
  t.same(time.running(), []);
  t.end();
});
