/**
 * Buttons and lamps at a chip of the kernel's own: gpio-sim, labelled as a Raspberry Pi's is, with both drivers. Only an emulated machine has one
 * (Debian does not build the module). Its lines are pulled by files, so a real chip, whose lines are pulled by fingers, is none.
 */
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { gpioFacts } from '../../../src/io/gpio/choose-driver.js';
import { gpioOf } from '../../../src/io/gpio/gpio.js';
import { lineCalls } from '../../../src/io/gpio/line-calls.js';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import type { Button } from '../../../src/ports/controls.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { runButtonsContract, runLampContract } from '../../contract/controls.js';
import { passRealTime } from '../../contract/support.js';

const ROOTS = { sys: '/sys', dev: '/dev' };
const LINES: Readonly<Record<Button, number>> = { play: 5, pause: 6, skip: 16 };
const STATUS_LED = 13;
/** No chip has it. */
const NO_LINE = 4_000;
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const libc = loadLibc();
const calls = libc && lineCalls(libc);
const facts = gpioFacts({ calls }, ROOTS);
const { header } = facts;
const folder = header && realpathSync(join('/sys/bus/gpio/devices', header.name));
const simulated = folder !== null && existsSync(join(folder, `sim_gpio${LINES.play}`));

for (const driver of ['chardev', 'onoff'] as const) {
  const skip = simulated ? (facts[driver] ?? false) : 'this machine has no simulated GPIO chip (gpio-sim)';
  await t.test(`a simulated chip through ${driver}`, { skip }, async (t) => {
    const time = new SystemTime();
    const line = (number: number, file: string) => join(folder!, `sim_gpio${number}`, file);
    const ground = (button: Button, isDown: boolean) =>
      writeFileSync(line(LINES[button], 'pull'), isDown ? 'pull-down' : 'pull-up');
    const at = (lines: Readonly<Record<Button, number>>) =>
      gpioOf({ time, log: new FakeLog(), calls }, { driver, ...lines, leaderLed: null, statusLed: STATUS_LED }, ROOTS);
    const allUp = () => {
      for (const button of Object.keys(LINES)) ground(button as Button, false);
    };
    allUp();
    await runButtonsContract(t, `LineButtons through ${driver}`, () => ({
      buttons: at(LINES).buttons!,
      down: (button) => ground(button, true),
      up: (button) => ground(button, false),
      wait,
      pass: passRealTime,
      missing: () => at({ play: NO_LINE, pause: NO_LINE + 1, skip: NO_LINE + 2 }).buttons!,
      // Asking the simulator for a pull-up lets go of what is pressed, as no finger does.
      ...(driver === 'chardev' && { canBeHeldAtStart: false }),
      close: allUp,
    }));
    await runLampContract(t, `SwitchedLamp through ${driver}`, () => ({
      lamp: at(LINES).statusLamp!,
      lit: () => readFileSync(line(STATUS_LED, 'value'), 'utf8').startsWith('1'),
      close: () => {},
    }));
  });
}
