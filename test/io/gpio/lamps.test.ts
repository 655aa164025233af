/** Lamps of every kind: at lines of the character device and of sysfs, and LED-class devices with and without a time of the kernel's. */

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { addTime, nanosFromMs } from '../../../src/core/units.js';
import { openLamp } from '../../../src/io/gpio/lamp-switch.js';
import { type LampWire, LedWire, LineWire, OnoffWire } from '../../../src/io/gpio/lamp-wires.js';
import { serveLeaseLamp, ThreadLeaseLamp } from '../../../src/io/gpio/lease-lamp.js';
import { SwitchedLamp } from '../../../src/io/gpio/switched-lamp.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import { runLampContract } from '../../contract/controls.js';
import { rejectionOf, until } from '../../contract/support.js';
import { FakeChip } from '../../support/fake-chip.js';
import { FakeOnoff } from '../../support/fake-onoff.js';

const DEVICE = '/dev/gpiochip0';
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** An LED-class device as a folder of files, which remember what was written last. */
function led(t: Test, init: { readonly triggers: string; readonly files?: readonly string[] }) {
  const sys = t.testdir();
  const folder = join(sys, 'class/leds/leader');
  mkdirSync(folder, { recursive: true });
  for (const file of ['brightness', ...(init.files ?? [])]) writeFileSync(join(folder, file), '0');
  writeFileSync(join(folder, 'trigger'), init.triggers);
  writeFileSync(join(folder, 'max_brightness'), '255\n');
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  return { sys, folder, read };
}

const TRANSIENT = { triggers: '[none] timer oneshot transient\n', files: ['duration', 'state', 'activate'] };

await runLampContract(t, 'SwitchedLamp at a line', () => {
  const time = new FakeTime();
  const chip = new FakeChip({ time });
  const wire = new LineWire({ calls: chip }, { device: DEVICE, line: 13, consumer: 'tutti status' });
  return {
    lamp: new SwitchedLamp({ wire, calls: chip, log: new FakeLog() }),
    lit: () => chip.isHigh(13),
    close: () => {
      t.equal(chip.open, 0, 'the line was let go');
    },
  };
});

await runLampContract(t, 'SwitchedLamp through onoff', () => {
  const onoff = new FakeOnoff(t.testdir());
  const wire = new OnoffWire({ onoff }, { sys: onoff.sys, base: 512, line: 13 });
  return {
    lamp: new SwitchedLamp({ wire, calls: undefined, log: new FakeLog() }),
    lit: () => onoff.isHigh(525),
    close: () => {
      t.equal(onoff.exported.size, 0, 'the line was given back');
    },
  };
});

await t.test('an LED without a time of the kernel’s is switched by its brightness', async (t) => {
  const { sys, read } = led(t, { triggers: 'none [mmc0] timer\n' });
  const time = new FakeTime();
  await runLampContract(t, 'SwitchedLamp of an LED', () => ({
    lamp: new SwitchedLamp({
      wire: new LedWire({ time }, { sys, name: 'leader' }),
      calls: undefined,
      log: new FakeLog(),
    }),
    lit: () => read('brightness').startsWith('255'),
    close: () => {},
  }));
  t.match(read('trigger'), /^none/, 'nothing else drives it');
});

t.test('an LED with a time of the kernel’s is wound up anew with each renewal, and let go dark', async (t) => {
  const { sys, folder, read } = led(t, TRANSIENT);
  const wire = new LedWire({ time: new FakeTime() }, { sys, name: 'leader' });
  const taken = await wire.take();
  t.strictSame(taken, { kind: 'transient', folder });
  t.match(read('trigger'), /^transient/);
  t.equal(read('state'), '1');
  const lamp = openLamp(taken, undefined);
  lamp.light(450.9);
  t.equal(read('duration'), '430', 'less by what the kernel may be late');
  t.equal(read('activate'), '1');
  lamp.dark();
  t.equal(read('activate'), '0');
  lamp.light(15);
  t.equal(read('activate'), '0', 'a moment is too short to be counted');
  lamp.close();
  wire.release();
  wire.release();
  t.match(read('trigger'), /^none/);
  t.equal(read('brightness'), '0');
});

t.test(
  'what a trigger brings may be writable only once udev has heard of it; else the brightness is what is left',
  {
    skip: process.getuid?.() === 0 && 'the superuser may write anywhere',
  },
  async (t) => {
    const { sys, folder } = led(t, TRANSIENT);
    const time = new FakeTime();
    chmodSync(join(folder, 'duration'), 0o444);
    const late = new LedWire({ time }, { sys, name: 'leader' }).take();
    await turn();
    chmodSync(join(folder, 'duration'), 0o644);
    time.advance(20);
    t.match(await late, { kind: 'transient' });
    chmodSync(join(folder, 'duration'), 0o444);
    const never = new LedWire({ time }, { sys, name: 'leader' }).take();
    for (let i = 0; i < 100; i++) {
      await turn();
      time.advance(20);
    }
    t.match(await never, { kind: 'file' });
  },
);

t.test('an LED that is not there is told, with those that are', async (t) => {
  const { sys } = led(t, { triggers: '[none]\n' });
  const time = new FakeTime();
  await t.rejects(new LedWire({ time }, { sys, name: 'lead' }).take(), { message: /no LED lead .*there are leader$/ });
  await t.rejects(new LedWire({ time }, { sys: join(sys, 'none'), name: 'lead' }).take(), {
    message: /there are none$/,
  });
});

/** The leader's lamp with the clock thread's end in this one. */
function leaseLamp(t: Test, wireOf: (chip: FakeChip) => LampWire = atLine) {
  const time = new FakeTime();
  const log = new FakeLog();
  const chip = new FakeChip({ time });
  const { port1, port2 } = new MessageChannel();
  serveLeaseLamp({ port: port2, time, calls: chip });
  const lamp = new ThreadLeaseLamp({ port: port1, wire: wireOf(chip), calls: chip, log });
  t.teardown(() => {
    port1.close();
    port2.close();
  });
  const isLit = () => chip.isHigh(26);
  /** Told, and heard at the other end. */
  const litFor = async (ms: number) => {
    lamp.litUntil(addTime(time.now(), nanosFromMs(ms)));
    await turn();
    await turn();
  };
  return { time, log, chip, lamp, isLit, litFor, port2 };
}

const atLine = (chip: FakeChip): LampWire =>
  new LineWire({ calls: chip }, { device: DEVICE, line: 26, consumer: 'tutti leader' });

t.test('the leader’s lamp shines from each renewal to the end of the lease, and stop puts it out', async (t) => {
  const { time, chip, lamp, isLit, litFor } = leaseLamp(t);
  await litFor(450);
  t.equal(isLit(), false, 'not before it was started');
  await lamp.start();
  t.equal(isLit(), false);
  await litFor(450);
  await until(isLit, turn, 'it is lit');
  time.advance(400);
  await litFor(450);
  time.advance(449);
  t.equal(isLit(), true, 'steadily');
  time.advance(1);
  t.equal(isLit(), false, 'by itself');
  await litFor(450);
  await until(isLit, turn, 'it is lit again');
  await litFor(-1);
  await until(() => !isLit(), turn, 'it is dark at once where the lease is lost');
  await litFor(450);
  await lamp.stop();
  t.equal(isLit(), false);
  t.equal(chip.open, 0);
  await lamp.stop();
  t.strictSame(time.running(), []);
});

t.test('a renewal that is still on its way when the process ends lights nothing', async (t) => {
  const { time, lamp, isLit } = leaseLamp(t);
  await lamp.start();
  const hooks = process.listeners('exit');
  lamp.litUntil(addTime(time.now(), nanosFromMs(450)));
  // What the process does when it exits, before the other thread has heard of the renewal.
  hooks.at(-1)!(0);
  for (let i = 0; i < 5; i++) await turn();
  t.equal(isLit(), false);
  await lamp.stop();
});

t.test('a lamp that fails is told once, and takes no thread with it', async (t) => {
  const { chip, log, lamp, litFor } = leaseLamp(t);
  await lamp.start();
  chip.isGone = true;
  await litFor(450);
  await until(() => lamp.trouble() !== null, turn, 'it is told');
  await litFor(450);
  t.match(lamp.trouble(), /gone/);
  t.equal(log.entries.filter(({ level }) => level === 'warn').length, 1);
  chip.isGone = false;
  await lamp.stop();
});

t.test('a lamp that cannot be had is told by its start', async (t) => {
  const { chip, lamp } = leaseLamp(t);
  chip.taken.set(26, 'led0');
  t.equal(await rejectionOf(lamp.start()), 'NOT_FOUND');
  await lamp.stop();
});

t.test('where the other thread has ended, stopping does not wait for it', async (t) => {
  const { lamp, isLit, litFor, port2 } = leaseLamp(t);
  await lamp.start();
  await litFor(450);
  await until(isLit, turn, 'it is lit');
  port2.close();
  await lamp.stop();
  t.equal(isLit(), false);
});
