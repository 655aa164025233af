import t from 'tap';
import { ChardevLines } from '../../../src/io/gpio/chardev-lines.js';
import { LineButtons } from '../../../src/io/gpio/line-buttons.js';
import { OnoffLines } from '../../../src/io/gpio/onoff-lines.js';
import type { Button } from '../../../src/ports/controls.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import { runButtonsContract } from '../../contract/controls.js';
import { rejectionOf, runLifecycleContract } from '../../contract/support.js';
import { FakeChip } from '../../support/fake-chip.js';
import { FakeOnoff } from '../../support/fake-onoff.js';

const LINES = new Map<Button, number>([
  ['play', 5],
  ['pause', 6],
  ['skip', 16],
]);
const DEVICE = '/dev/gpiochip0';
/** What sysfs adds to the numbers of the chip's lines. */
const BASE = 512;
/** Whoever waits for an edge has a turn. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const buttonsAt = (
  { time, log, chip }: { readonly time: FakeTime; readonly log: FakeLog; readonly chip: FakeChip },
  lines: ReadonlyMap<Button, number> = LINES,
) => new LineButtons({ time, log, lines: new ChardevLines({ time, calls: chip }, { device: DEVICE, lines }) });

function make() {
  const time = new FakeTime();
  const log = new FakeLog();
  const chip = new FakeChip({ time });
  const buttons = buttonsAt({ time, log, chip });
  const ground = async (button: Button, isDown: boolean) => {
    chip.ground(LINES.get(button)!, isDown);
    await turn();
  };
  const wait = async (ms: number) => {
    time.advance(ms);
    await turn();
  };
  return { time, log, chip, buttons, down: (b: Button) => ground(b, true), up: (b: Button) => ground(b, false), wait };
}

await runButtonsContract(t, 'LineButtons of the character device', () => {
  const made = make();
  const taken = new FakeChip({ time: made.time });
  for (const line of LINES.values()) taken.taken.set(line, 'somebody');
  return {
    ...made,
    pass: () => made.wait(0.25),
    missing: () => buttonsAt({ ...made, chip: taken }),
    close: () => {
      t.equal(made.chip.open, 0, 'every line was let go');
    },
  };
});

await runButtonsContract(t, 'LineButtons through onoff', () => {
  const time = new FakeTime();
  const log = new FakeLog();
  const onoff = new FakeOnoff(t.testdir());
  const refused = new FakeOnoff(onoff.sys);
  for (const line of LINES.values()) refused.refusals.set(BASE + line, Object.assign(new Error(), { code: 'EBUSY' }));
  const at = (of: FakeOnoff) =>
    new LineButtons({ time, log, lines: new OnoffLines({ time, onoff: of }, { base: BASE, lines: LINES }) });
  return {
    buttons: at(onoff),
    down: (button) => onoff.ground(BASE + LINES.get(button)!, true),
    up: (button) => onoff.ground(BASE + LINES.get(button)!, false),
    wait: (ms) => time.advance(ms),
    pass: () => time.advance(0.25),
    missing: () => at(refused),
    close: () => {
      t.equal(onoff.exported.size, 0, 'every line was given back');
      t.strictSame(time.running(), []);
    },
  };
});

t.test('what onoff cannot have is told by its line, and by what is wrong', async (t) => {
  const time = new FakeTime();
  const log = new FakeLog();
  const onoff = new FakeOnoff(t.testdir());
  const codes = { play: 'EBUSY', pause: 'EACCES', skip: 'EINVAL' } as const;
  for (const [button, code] of Object.entries(codes)) {
    onoff.refusals.set(BASE + LINES.get(button as Button)!, Object.assign(new Error(code), { code }));
  }
  const lines = new OnoffLines({ time, onoff }, { base: BASE, lines: LINES });
  const buttons = new LineButtons({ time, log, lines });
  await t.rejects(
    buttons.start(() => {}),
    { code: 'NOT_FOUND' },
  );
  t.equal(
    buttons.trouble(),
    'play: GPIO line 5 is in use; pause: GPIO line 6 may not be had by this user (EACCES); skip: GPIO line 16 is none of this chip',
  );
  onoff.refusals.clear();
  await buttons.start(() => {});
  t.equal(buttons.trouble(), null);
  onoff.fail(BASE + 5);
  t.match(buttons.trouble(), /play cannot be watched/);
  await buttons.stop();
});

await runLifecycleContract(t, 'LineButtons of the character device', () => {
  const made = make();
  let calls = 0;
  return {
    start: () => made.buttons.start(() => calls++),
    stop: () => made.buttons.stop(),
    provoke: async () => {
      await made.down('play');
      await made.wait(100);
      await made.up('play');
      await made.wait(100);
    },
    calls: () => calls,
    hasHandlers: true,
    pass: () => made.wait(1),
    timers: () => made.time.running(),
    handles: () => [],
    close: () => {},
  };
});

t.test('presses that came while the main thread was busy are told as they were, with their instants', async (t) => {
  const { time, chip, buttons } = make();
  const presses: string[] = [];
  const begin = time.now();
  await buttons.start((button, at) => presses.push(`${button} ${(at - begin) / 1_000_000n} ms`));
  // Nobody reads meanwhile: time passes without a turn of the event loop.
  for (const [line, pressedMs] of [
    [5, 100],
    [16, 150],
    [5, 300],
  ] as const) {
    time.advance(pressedMs - Number(time.now() - begin) / 1e6);
    chip.ground(line, true);
    time.advance(40);
    chip.ground(line, false);
  }
  time.advance(500);
  await turn();
  t.strictSame(presses, ['play 100 ms', 'skip 150 ms', 'play 300 ms']);
  await buttons.stop();
});

t.test('two buttons at once are two presses, in the order in which they closed', async (t) => {
  const { time, chip, buttons } = make();
  const presses: Button[] = [];
  await buttons.start((button) => presses.push(button));
  chip.ground(16, true);
  time.advance(0.01);
  chip.ground(5, true);
  await turn();
  t.strictSame(presses, ['skip', 'play']);
  await buttons.stop();
});

t.test('a line that is in use takes no other button with it, and is told', async (t) => {
  const { chip, buttons, down } = make();
  chip.taken.set(6, 'onewire@6');
  const presses: Button[] = [];
  await buttons.start((button) => presses.push(button));
  await down('pause');
  await down('skip');
  t.strictSame(presses, ['skip']);
  t.equal(buttons.trouble(), 'pause: line 6 of /dev/gpiochip0 is in use by onewire@6');
  await buttons.stop();
});

t.test('a line that the chip does not have, and one that was given twice, are told', async (t) => {
  const { time, log, chip } = make();
  const start = async (lines: [Button, number][]) => {
    const buttons = buttonsAt({ time, log, chip }, new Map(lines));
    const code = await rejectionOf(buttons.start(() => {}));
    const trouble = buttons.trouble();
    await buttons.stop();
    return { code, trouble };
  };
  t.strictSame(await start([['play', 99]]), {
    code: 'NOT_FOUND',
    trouble: 'play: there is no line 99 of /dev/gpiochip0',
  });
  const twice = await start([
    ['play', 5],
    ['skip', 5],
  ]);
  t.equal(twice.trouble, 'skip: line 5 of /dev/gpiochip0 is in use by tutti play');
});

t.test('a chip that goes away ends the presses and nothing else, and is told once', async (t) => {
  const { time, log, chip, buttons, down, wait } = make();
  await buttons.start(() => {});
  await down('play');
  chip.isGone = true;
  chip.wake();
  await wait(100);
  t.match(buttons.trouble(), /gone/);
  t.equal(log.entries.length, 1);
  chip.isGone = false;
  await buttons.stop();
  t.strictSame(time.running(), []);
});

t.test('a button that stays down is known to be, since its press or since the start', async (t) => {
  const { time, buttons, down, up, wait } = make();
  await down('skip');
  await buttons.start(() => {});
  const startedAt = time.now();
  await wait(1_000);
  await down('play');
  await wait(5_000);
  t.strictSame(
    [...buttons.held()],
    [
      ['play', startedAt + 1_000_000_000n],
      ['skip', startedAt],
    ],
  );
  await up('play');
  await wait(100);
  t.strictSame([...buttons.held().keys()], ['skip']);
  await buttons.stop();
});
