/**
 * The character device's calls through koffi, poll(2) in Node's pool and all, at a chip that a preloaded library plays (test/gpio/fake-chip.c):
 * this file runs itself once more with it. Where the machine has a real chip of a Raspberry Pi's header, tutti doctor looks at that.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ChardevLines } from '../../../src/io/gpio/chardev-lines.js';
import { gpioFacts } from '../../../src/io/gpio/choose-driver.js';
import { LineWire } from '../../../src/io/gpio/lamp-wires.js';
import { LineButtons } from '../../../src/io/gpio/line-buttons.js';
import { lineCalls } from '../../../src/io/gpio/line-calls.js';
import { SwitchedLamp } from '../../../src/io/gpio/switched-lamp.js';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import type { Button } from '../../../src/ports/controls.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { runButtonsContract, runLampContract } from '../../contract/controls.js';
import { codeOf, passRealTime, processHandles, runLifecycleContract } from '../../contract/support.js';
import { buildFakeChip, PreloadedChip } from '../../gpio/chip.js';

const LINES = new Map<Button, number>([
  ['play', 5],
  ['pause', 6],
  ['skip', 16],
]);
const LED = 26;
const self = fileURLToPath(import.meta.url);
const folder = process.env.FAKE_GPIO_FOLDER;
const library = process.env.LD_PRELOAD ?? '';

if (folder === undefined) {
  const built = buildFakeChip();
  const skip = 'missing' in built && built.missing;
  await t.test('with a chip that is preloaded', { skip }, async (t) => {
    if ('missing' in built) return;
    const chip = new PreloadedChip({ folder: t.testdir(), library: built.library });
    await t.spawn(process.execPath, ['--enable-source-maps', self], { env: { ...process.env, ...chip.env } });
  });
} else if (process.argv.includes('--exit')) {
  // Node joins its pool at the end of the process, in which the wait is under way.
  const { time, log, calls, device } = components(new PreloadedChip({ folder, library }));
  const buttons = new LineButtons({ time, log, lines: new ChardevLines({ time, calls }, { device, lines: LINES }) });
  const lamp = new SwitchedLamp({ wire: lampWire(calls, device), calls, log });
  await buttons.start(() => {});
  await lamp.start();
  lamp.set(true);
  process.send?.('lit');
  process.once('message', () => process.exit(3));
} else {
  const chip = new PreloadedChip({ folder, library });
  const { time, log, calls, device } = components(chip);
  const buttonsAt = (lines: ReadonlyMap<Button, number>) =>
    new LineButtons({ time, log, lines: new ChardevLines({ time, calls }, { device, lines }) });
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const down = (button: Button) => void chip.ground(LINES.get(button)!, true);
  const up = (button: Button) => void chip.ground(LINES.get(button)!, false);
  const allUp = () => {
    for (const button of LINES.keys()) up(button);
  };

  await runButtonsContract(t, 'LineButtons', () => ({
    buttons: buttonsAt(LINES),
    down,
    up,
    wait,
    pass: passRealTime,
    missing: () => buttonsAt(new Map([['play', 99]])),
    close: allUp,
  }));

  await runLifecycleContract(t, 'LineButtons', () => {
    const buttons = buttonsAt(LINES);
    let calls = 0;
    return {
      start: () => buttons.start(() => calls++),
      stop: () => buttons.stop(),
      provoke: async () => {
        down('play');
        await wait(60);
        up('play');
        await wait(60);
      },
      calls: () => calls,
      hasHandlers: true,
      pass: passRealTime,
      timers: () => time.running(),
      handles: processHandles,
      close: allUp,
    };
  });

  await runLampContract(t, 'SwitchedLamp at a line', () => ({
    lamp: new SwitchedLamp({ wire: lampWire(calls, device), calls, log }),
    lit: () => chip.isHigh(LED),
    close: () => {},
  }));

  t.test('the chip is found, and says what it is', (t) => {
    const roots = { sys: `${folder}/sys`, dev: `${folder}/dev` };
    const { header, chardev, onoff } = gpioFacts({ calls }, roots);
    t.match(header, { name: 'gpiochip0', label: 'pinctrl-bcm2711', base: null });
    t.equal(chardev, null);
    t.match(onoff, /sysfs has no GPIO/);
    t.end();
  });

  t.test('what a refusal says: who has the line, that there is none, that there is no chip', (t) => {
    const wish = { flags: 0n, consumer: 'test' };
    const refusal = (line: number, at = device) => {
      try {
        return String(calls.request(at, { ...wish, line }));
      } catch (error) {
        return (error as Error).message.replaceAll(device, 'CHIP');
      }
    };
    chip.take(17, 'onewire@11');
    t.equal(refusal(17), 'NOT_FOUND: line 17 of CHIP is in use by onewire@11');
    chip.take(17, null);
    t.equal(refusal(54), 'NOT_FOUND: there is no line 54 of CHIP, or it cannot do this');
    t.equal(refusal(17, '/dev/gpiochip-none'), 'NOT_FOUND: /dev/gpiochip-none: it cannot be opened (ENOENT)');
    const input = calls.request(device, { ...wish, line: 17, flags: 4n });
    t.equal(
      codeOf(() => calls.setValue(input, true)),
      'NOT_FOUND',
    );
    calls.release(input);
    t.end();
  });

  t.test('a process that exits in mid-wait ends at once, and its lamp is dark', async (t) => {
    const child = fork(self, ['--exit'], { execArgv: ['--enable-source-maps'] });
    // tap sends messages of its own.
    for (let word = ''; word !== 'lit'; ) [word] = (await once(child, 'message')) as [string];
    t.equal(chip.isHigh(LED), true);
    child.send('exit');
    const [code] = (await once(child, 'exit')) as [number];
    t.equal(code, 3);
    t.equal(chip.isHigh(LED), false);
  });
}

function components(chip: PreloadedChip) {
  const libc = loadLibc()!;
  return { time: new SystemTime({ libc }), log: new FakeLog(), calls: lineCalls(libc), device: chip.device };
}

function lampWire(calls: ReturnType<typeof lineCalls>, device: string) {
  return new LineWire({ calls }, { device, line: LED, consumer: 'test lamp' });
}
