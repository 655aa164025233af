/** Idle means idle: what three nodes of which nobody wants anything write to their disk. */
import { setTimeout as wait } from 'node:timers/promises';
import { atMost, type Options, type Row, type Suite, skipped } from '../row.js';
import { leaderOf } from './contestant.js';
import { oneByOne } from './load.js';
import { type DeviceCounters, makeLoopDisk } from './loop-disk.js';
import { startHouse } from './tutti-house.js';

/** Commands before the silence: the log is in use. */
const COMMANDS = 200;
/** From the last command to the first count. ext4 writes its journal out every 5 s (ext4(5), commit=). Milliseconds. */
const SETTLE_MS = 5_000;

/** What was written in `minutes` after the last command, or why that cannot be known here. */
async function idleWrites(minutes: number): Promise<DeviceCounters | { readonly missing: string }> {
  const disk = makeLoopDisk();
  if ('missing' in disk) return disk;
  try {
    const house = await startHouse({ folder: disk.folder });
    try {
      const leader = await leaderOf(house);
      await oneByOne(leader.port, (n) => leader.writeRequest(n), COMMANDS);
      await wait(SETTLE_MS);
      // What the last command left in the journal is not the silence's.
      disk.sync();
      const before = disk.counters();
      await wait(minutes * 60_000);
      const { flushes } = disk.counters();
      // What waits in memory counts too; this sync does not.
      disk.sync();
      const { writtenBytes } = disk.counters();
      return { writtenBytes: writtenBytes - before.writtenBytes, flushes: flushes - before.flushes };
    } finally {
      await house.stop();
    }
  } finally {
    disk.remove();
  }
}

async function run({ idleMinutes }: Options): Promise<Row[]> {
  const what = `three idle nodes on a file system of their own, ${idleMinutes} min`;
  const written = await idleWrites(idleMinutes);
  if ('missing' in written) return [skipped(what, written.missing)];
  return [
    atMost(0, { what: `${what}: written`, figure: written.writtenBytes, unit: 'B' }),
    atMost(0, { what: `${what}: syncs that reached the device`, figure: written.flushes, unit: '' }),
  ];
}

const suite: Suite = { name: 'consensus-idle', run };
export default suite;
