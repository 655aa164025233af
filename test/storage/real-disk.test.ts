/** A store on a disk of this machine: read past its cache, and killed in the middle of its work. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { slot as slotOf } from '../../src/core/ids.js';
import { NodeDisk } from '../../src/io/fs/node-disk.js';
import { Store, type StoreLimits } from '../../src/storage/store.js';
import { accept, boot, freshStore, record, records, SMALL, textOf, work } from './support.js';

const LIMITS: StoreLimits = { ...SMALL, segmentBytes: 64 << 10, ringPages: 64, ballastBytes: 1 << 20 };
/** How often a process is killed. */
const KILLS = 5;

const VICTIM = process.env.TUTTI_TEST_STORE;
if (VICTIM === undefined) {
  t.test('a store on a real disk keeps what it returned for, read past the cache', (t) => {
    const root = mkdtempSync(join(tmpdir(), 'tutti-store-'));
    t.teardown(() => rmSync(root, { recursive: true }));
    const disk = new NodeDisk({ root });
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    let store = freshStore(disk, LIMITS);
    t.comment(`reads get past the cache: ${store.uncached}`);
    for (let slot = 1; slot <= 100; slot++) {
      store.commit([accept(record(slot, 1, { bytes: 300 }))]);
      if (store.fill > 0.5) store.saveSnapshot(slotOf(slot - 3), new Uint8Array(100_000).fill(slot));
    }
    t.same(store.verify(), []);
    store.commit([
      work({ promised: { configId: 1, round: 8, node: store.recovered.node }, records: records(101, 120, 2) }),
    ]);
    store.close();
    t.equal(descriptors(), before, 'no descriptor is left open');
    store = Store.open(disk, { bootId: boot(1) }, LIMITS);
    const { recovered } = store;
    t.same(recovered.repairs, []);
    t.equal(recovered.promised.round, 8);
    t.equal(recovered.base + recovered.accepted.length, 120);
    t.equal(store.readSnapshot()[0], recovered.base + 3);
    store.close();
    t.equal(descriptors(), before);
    t.end();
  });

  t.test('a process that is killed while it commits loses nothing that it said it had', async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'tutti-store-'));
    t.teardown(() => rmSync(root, { recursive: true }));
    const disk = new NodeDisk({ root });
    freshStore(disk, LIMITS).close();
    let acknowledged = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const said = await killedAfter(root, acknowledged + 40 * kill);
      t.ok(said > acknowledged, `it had committed ${said}`);
      const store = Store.open(disk, { bootId: boot(kill) }, LIMITS);
      const { base, accepted, unknown, promised } = store.recovered;
      const last = base + accepted.length;
      t.ok(last >= said && last <= said + 2, `slot ${last} is there; ${said} was said`);
      t.same(unknown, []);
      t.ok(promised.round >= said);
      t.same(
        accepted.map(textOf),
        accepted.map(({ slot }) => textOf(record(slot, slot))),
      );
      t.same(store.verify(), []);
      store.close();
      acknowledged = last;
    }
  });
} else {
  // The victim: commits one slot after another, and says so, until it is killed.
  const store = Store.open(new NodeDisk({ root: VICTIM }), { bootId: boot(process.pid) }, LIMITS);
  const { base, accepted } = store.recovered;
  for (let slot = base + accepted.length + 1; ; slot++) {
    store.commit([accept(record(slot, slot))]);
    process.stdout.write(`${slot}\n`);
    if (store.fill > 0.5) store.saveSnapshot(slotOf(slot - 1), new Uint8Array(10_000));
    // Output of a pipe that is written to at once; a turn of the event loop is not needed, and none is taken.
  }
}

/** Lets a process commit until it has said `until`, and kills it; gives the last slot that it said. */
function killedAfter(root: string, until: number): Promise<number> {
  const env = { ...process.env, TUTTI_TEST_STORE: root };
  const victim = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const last = () => Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1));
  return new Promise((resolve) => {
    victim.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (last() >= until) victim.kill('SIGKILL');
    });
    victim.on('close', () => resolve(last()));
  });
}
