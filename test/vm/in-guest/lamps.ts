/**
 * Runs on the emulated machine: `lamps.js line|led CHANGES`. Three nodes, each at the end of a cable with delay and jitter, change their leader
 * while their leader lamps are looked at; prints what was seen as a line of JSON.
 *
 * `line`: lamps at lines of the simulated chip. `led`: LEDs of the kernel, made by uleds, which it puts out by itself at the lease's end.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import t from 'tap';
import { temporaryFolder } from '../../support/daemon.js';
import { watchLamps } from '../../support/leader-lamps.js';
import { NODE_NAMES, type NodeName } from '../../support/three-nodes.js';
import { WiredHouse } from '../../support/wired-house.js';
import { LEADER_LED, lineFile } from '../lines.js';

/** Something above what leadership takes here: an emulated processor is slow. Milliseconds. */
const HEARTBEAT_MS = 1_000;
const ELECTION_MS = 5_000;
const DELAY = { ms: 10, jitterMs: 5 };
const LINES = [LEADER_LED, 13, 22];

const [kind, wanted] = process.argv.slice(2);
const isLine = kind === 'line';
const lampOf = (index: number) => (isLine ? `${LINES[index]}` : `leader-${index}`);
const fileOf = (index: number) =>
  isLine ? lineFile(LINES[index]!, 'value') : `/sys/class/leds/leader-${index}/brightness`;
const envOf = (index: number) => ({
  TUTTI_GPIO_DRIVER: isLine ? 'chardev' : 'none',
  TUTTI_GPIO_LEADER_LED: lampOf(index),
  TUTTI_GPIO_PLAY: '-1',
  TUTTI_GPIO_PAUSE: '-1',
  TUTTI_GPIO_SKIP: '-1',
  TUTTI_CLUSTER_HEARTBEAT_MS: `${HEARTBEAT_MS}`,
  TUTTI_CLUSTER_ELECTION_MS: `${ELECTION_MS}`,
});

/** An LED that is there for as long as its file is open: struct uleds_user_dev of linux/uleds.h. */
function makeLed(name: string): number {
  const file = openSync('/dev/uleds', 'r+');
  const device = Buffer.alloc(68);
  device.write(name);
  device.writeInt32LE(1, 64);
  writeSync(file, device);
  return file;
}

await t.test('leader lamps', async (t) => {
  const leds = isLine ? [] : NODE_NAMES.map((_, index) => makeLed(lampOf(index)));
  t.teardown(() => leds.forEach(closeSync));
  const house = await WiredHouse.start(t, temporaryFolder(t), envOf, { delay: DELAY });
  if ('missing' in house.wires) throw new Error(house.wires.missing);
  const files = Object.fromEntries(NODE_NAMES.map((name, index) => [name, openSync(fileOf(index), 'r')]));
  const byte = Buffer.alloc(1);
  const isLit = (name: NodeName) => readSync(files[name]!, byte, 0, 1, 0) === 1 && byte[0] === 0x31;
  const seen = await watchLamps(house, {
    changes: Number(wanted),
    isLit,
    envOf: (name) => envOf(NODE_NAMES.indexOf(name)),
  });
  process.stdout.write(`${JSON.stringify(seen)}\n`);
});
