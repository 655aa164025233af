/** What a node writes to its card: nothing while it is idle, one batch for each item and each five minutes while it plays. */
import t from 'tap';
import { bringPrograms, noMachines } from './image.js';
import { kitchen, leads, outputIs, type State } from './kitchen.js';
import type { Machine } from './machine.js';

const IDLE_S = 60;
/** Of the batch of five minutes there is one or none in it, and some items of 20 s. */
const PLAYING_S = 50;
const ITEM_S = 20;

interface Written {
  readonly requests: number;
  readonly bytes: number;
  /** How often the disk was told to have all of it for good. */
  readonly flushes: number;
}

/** What the node's disk is told to write in so many seconds: Documentation/block/stat.rst of the kernel, in sectors of 512 bytes. */
async function writtenIn(machine: Machine, seconds: number): Promise<Written> {
  const count = "awk '{ print $5, $7, $16 }' /sys/block/vdb/stat";
  const lines = (await machine.must(`sync; ${count}; sleep ${seconds}; ${count}`)).split('\n');
  const [before, after] = lines.map((line) => line.split(' ').map(Number));
  const [requests, sectors, flushes] = after!.map((figure, i) => figure - before![i]!);
  return { requests: requests!, bytes: 512 * sectors!, flushes: flushes! };
}

const appliedSlot = async (machine: Machine): Promise<number> =>
  ((await machine.call('GET', '/state')).json as State).cluster.appliedSlot;

bringPrograms();
await t.test('what a node writes to its card', { skip: noMachines() }, async (t) => {
  const machine = await kitchen(t);
  await leads(machine);
  // What it wrote before it was frozen reaches the disk, and what it notes at its first beat.
  await machine.must('sync; sleep 15; sync');

  const idle = await writtenIn(machine, IDLE_S);
  t.same(idle, { requests: 0, bytes: 0, flushes: 0 }, `nothing in ${IDLE_S} s of idleness`);

  await machine.run('tutti play');
  await outputIs(machine, 'playing');
  await machine.must('sleep 5');
  const before = await appliedSlot(machine);
  const { requests, bytes, flushes } = await writtenIn(machine, PLAYING_S);
  const entries = (await appliedSlot(machine)) - before;
  t.comment(
    `${PLAYING_S} s of items of ${ITEM_S} s: ${entries} entries, ${requests} writes, ${bytes} bytes, ${flushes} flushes`,
  );
  t.ok(entries > 0, 'items have come and gone');
  t.ok(entries <= Math.ceil(PLAYING_S / ITEM_S) + 1, 'an entry for each item, and one for the five minutes');
  // Each batch is written and synced, and then noted in the superblock; and with both the file system syncs its journal.
  t.ok(flushes <= 4 * entries, 'a batch for each of them');
});
