/** The leader's lamp while the leader changes, and changes, and changes. */
import t, { type Test } from 'tap';
import { bringPrograms, noMachines } from './image.js';
import { installed } from './installed.js';
import { Machine } from './machine.js';

/** 50 of each kind take an emulated processor an hour: so many are asked for by TUTTI_VM_LEADER_CHANGES. long/lamps.test.ts has 100 at preloaded chips. */
const CHANGES = Number(process.env.TUTTI_VM_LEADER_CHANGES ?? 6);

interface Seen {
  readonly changes: number;
  readonly looks: number;
  /** When two lamps shone: how the leader had ended, and for how long. */
  readonly overlaps: readonly { readonly way: string; readonly ms: number }[];
}

async function watch(t: Test, machine: Machine, kind: 'line' | 'led'): Promise<Seen> {
  const startedAt = performance.now();
  const said = await machine.must(
    `cd /checkout && TAP_TIMEOUT=3600 TUTTI_TEST_PATIENCE_MS=300000 node dist/test/vm/in-guest/lamps.js ${kind} ${CHANGES}`,
  );
  const seen = JSON.parse(/^\s*(\{"changes".*\})$/m.exec(said)![1]!) as Seen;
  t.comment(`${JSON.stringify(seen)} in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
  t.equal(seen.changes, CHANGES);
  return seen;
}

bringPrograms();
await t.test(`${CHANGES} changes of the leader among three nodes`, { skip: noMachines() }, async (t) => {
  const { image } = await installed(t);
  const machine = Machine.make(t, image);
  await machine.start();
  await machine.must('systemctl stop tutti');
  await machine.mountCheckout();

  await t.test('lamps that the kernel puts out: never do two shine', async (t) => {
    const { overlaps } = await watch(t, machine, 'led');
    t.same(overlaps, []);
  });

  await t.test('lamps at plain lines: two shine only while a process is stopped', async (t) => {
    const { overlaps } = await watch(t, machine, 'line');
    t.same(
      overlaps.filter(({ way }) => way !== 'SIGSTOP'),
      [],
    );
  });
});
