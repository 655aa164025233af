/** The log's thread: a real store on a real disk, behind a channel. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type BootId, type ClusterId, type Incarnation, type NodeId, slot } from '../../src/core/ids.js';
import type { StoreStanding } from '../../src/replication/log-store.js';
import type { StoreInit, StoreWork } from '../../src/storage/store.js';
import { spawnLog } from '../../src/workers/spawn-log.js';
import { rejectionOf } from '../contract/support.js';

const LIMITS = { segmentBytes: 1 << 20, segments: 4, ringPages: 64, superblockGapBytes: 128 << 10, ballastBytes: 0 };
const NODE = 'a'.repeat(32) as NodeId;
const INIT: StoreInit = {
  cluster: 'c'.repeat(32) as ClusterId,
  node: NODE,
  incarnation: 'd'.repeat(32) as Incarnation,
  bootId: 'e'.repeat(32) as BootId,
  configuration: Uint8Array.of(1),
  leaseMs: 450,
};
const boot = (digit: string) => digit.repeat(32) as BootId;
const work = (at: number, entry = Uint8Array.of(at)): StoreWork => ({
  promised: null,
  configuration: null,
  leaseMs: null,
  records: [{ slot: slot(at), ballot: { configId: 1, round: 1, node: NODE }, chosen: false, entry }],
  chosenUpTo: slot(at - 1),
  cards: null,
});

function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tutti-log-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

const never = (error: Error) => {
  throw error;
};

t.test('how many commits are under way stands where other threads can see it', async (t) => {
  const log = spawnLog(directory(t), never, { limits: LIMITS });
  await log.format(INIT);
  await log.open(boot('1'), never);
  const underWay = new Int32Array(log.commits);
  t.equal(underWay[0], 0);
  let answered = 0;
  await new Promise<void>((resolve) => {
    for (let at = 1; at <= 3; at++) {
      log.commit(work(at), () => {
        answered += 1;
        t.equal(Atomics.load(underWay, 0), 3 - answered);
        if (answered === 3) resolve();
      });
    }
    t.equal(Atomics.load(underWay, 0), 3);
    t.not(log.waitsFor, null, 'the oldest of them is known');
  });
  t.equal(Atomics.load(underWay, 0), 0);
  t.equal(log.waitsFor, null);
  await log.close();
});

t.test('what was committed is there after a restart; what waited together went down together', async (t) => {
  const path = directory(t);
  const log = spawnLog(path, never, { limits: LIMITS });
  t.equal(await log.inspect(), 'empty');
  await log.format(INIT);
  t.equal(await log.inspect(), 'formatted');
  t.match(await log.open(boot('1'), never), { node: NODE, accepted: [], lastBatch: 0 });
  const standings: StoreStanding[] = [];
  await new Promise<void>((resolve) => {
    for (let at = 1; at <= 20; at++) {
      log.commit(work(at), (standing) => {
        standings.push(standing);
        if (at === 20) resolve();
      });
    }
  });
  t.equal(standings.length, 20);
  t.ok(standings.at(-1)!.batch < 20, `${standings.at(-1)!.batch} batches for 20 works`);
  await new Promise<void>((resolve) => log.saveSnapshot(slot(10), Uint8Array.of(7, 8, 9), () => resolve()));
  await log.close();
  await log.close();

  const again = spawnLog(path, never, { limits: LIMITS });
  const { base, accepted, boots } = await again.open(boot('2'), never);
  t.equal(base, 10);
  t.strictSame(
    accepted.map(({ slot, entry }) => [slot, ...entry]),
    Array.from({ length: 10 }, (_, at) => [at + 11, at + 11]),
  );
  t.strictSame(boots, [INIT.bootId, boot('1'), boot('2')]);
  const bytes = await new Promise((resolve) => again.readSnapshot(resolve));
  t.strictSame(bytes, Uint8Array.of(7, 8, 9));
  const refused = await new Promise<Error | null>((resolve) => again.saveSnapshot(slot(9), Uint8Array.of(1), resolve));
  t.match(refused, { code: 'BAD_SNAPSHOT' }, 'an older one is refused, and the log goes on');
  await new Promise<void>((resolve) => again.commit(work(21), () => resolve()));
  await again.close();
});

t.test('what cannot be opened or made is said to the one who asked', async (t) => {
  const path = directory(t);
  const log = spawnLog(path, never, { limits: LIMITS });
  t.equal(await rejectionOf(log.open(boot('1'), never)), 'NOT_FOUND');
  await log.format(INIT);
  t.equal(await rejectionOf(log.format(INIT)), 'ALREADY_A_MEMBER');
  await log.close();
});

t.test('a thread that broke ends everything: nobody is told that his work is durable', async (t) => {
  const path = directory(t);
  const log = spawnLog(path, never, { limits: LIMITS });
  await log.format(INIT);
  const failed = new Promise<Error>((resolve) => {
    void log.open(boot('1'), resolve).then(() => {
      // Larger than a segment: the store asserts.
      log.commit(work(1, new Uint8Array(2 << 20)), () => t.fail('this is not durable'));
      log.commit(work(2), () => t.fail('nor is this'));
    });
  });
  t.match(await failed, { name: 'InvariantError' });
  await log.close();
});

t.test('a thread that ends before a store was open is heard of too', async (t) => {
  const path = directory(t);
  const died = new Promise<Error>((resolve) => {
    const log = spawnLog(join(path, 'missing'), resolve, { limits: LIMITS });
    void log.format(INIT).catch(() => {});
    log.died(new Error('as if the thread had ended'));
  });
  t.match(await died, { message: 'as if the thread had ended' });
});
