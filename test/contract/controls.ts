/** What every Buttons, Lamp and Panel keeps. */
import type { Test } from 'tap';
import type { LocalTime } from '../../src/core/units.js';
import {
  BUTTON_SETTLE_MS,
  type Button,
  type Buttons,
  type Lamp,
  PANEL_LINE_BYTES_MAX,
  type Panel,
} from '../../src/ports/controls.js';
import { type Pass, rejectionOf, until } from './support.js';

export interface ButtonsSetup {
  readonly buttons: Buttons;
  /** The contact closes. */
  down(button: Button): void | Promise<void>;
  /** The contact opens. */
  up(button: Button): void | Promise<void>;
  /** Waits until contacts have settled. Milliseconds. */
  wait(ms: number): void | Promise<void>;
  readonly pass: Pass;
  /** Buttons whose lines cannot be had. */
  missing(): Buttons;
  /** False where what a test presses with is let go by the start itself. */
  readonly canBeHeldAtStart?: boolean;
  close(): void | Promise<void>;
}

export const runButtonsContract = (
  t: Test,
  name: string,
  setup: () => ButtonsSetup | Promise<ButtonsSetup>,
): Promise<unknown> =>
  t.test(`${name} keeps the contract of Buttons`, async (t) => {
    const begin = async (t: Test, heldAtStart: readonly Button[] = []) => {
      const made = await setup();
      const presses: { readonly button: Button; readonly at: LocalTime }[] = [];
      for (const button of heldAtStart) await made.down(button);
      await made.buttons.start((button, at) => presses.push({ button, at }));
      t.teardown(async () => {
        await made.buttons.stop();
        await made.close();
      });
      /** A press as people do it. */
      const press = async (button: Button) => {
        await made.down(button);
        await made.wait(2 * BUTTON_SETTLE_MS);
        await made.up(button);
        await made.wait(2 * BUTTON_SETTLE_MS);
      };
      const pressed = () => presses.map(({ button }) => button);
      return { ...made, presses, pressed, press };
    };

    await t.test('each press is told once, by its button, in order of time', async (t) => {
      const { press, presses, pressed, pass } = await begin(t);
      const order = ['play', 'skip', 'pause', 'skip', 'skip'] as const;
      for (const button of order) await press(button);
      await until(() => presses.length >= order.length, pass, 'all presses are told');
      t.same(pressed(), order);
      t.ok(presses.every(({ at }, i) => i === 0 || at > presses[i - 1]!.at));
    });

    await t.test('bounces are not presses, neither of a press nor of a release', async (t) => {
      const { down, up, wait, press, presses, pressed, pass } = await begin(t);
      for (let i = 0; i < 5; i++) {
        await down('play');
        await up('play');
      }
      await down('play');
      await wait(2 * BUTTON_SETTLE_MS);
      for (let i = 0; i < 5; i++) {
        await up('play');
        await down('play');
      }
      await up('play');
      await wait(2 * BUTTON_SETTLE_MS);
      await press('skip');
      await until(() => pressed().includes('skip'), pass, 'the press after them is told');
      t.same(pressed(), ['play', 'skip']);
      t.equal(presses.length, 2);
    });

    await t.test('holding a button is one press, and others go on working', async (t) => {
      const { down, up, wait, press, pressed, pass } = await begin(t);
      await down('pause');
      await wait(20 * BUTTON_SETTLE_MS);
      await press('skip');
      await up('pause');
      await wait(2 * BUTTON_SETTLE_MS);
      await press('play');
      await until(() => pressed().includes('play'), pass, 'the last press is told');
      t.same(pressed(), ['pause', 'skip', 'play']);
    });

    await t.test('a button that is held at the start counts only when it is pressed anew', async (t) => {
      const { up, wait, press, pressed, pass, canBeHeldAtStart = true } = await begin(t, ['skip']);
      if (!canBeHeldAtStart) return;
      await wait(2 * BUTTON_SETTLE_MS);
      await press('play');
      await until(() => pressed().includes('play'), pass, 'another press is told');
      t.same(pressed(), ['play']);
      await up('skip');
      await wait(2 * BUTTON_SETTLE_MS);
      await press('skip');
      await until(() => pressed().includes('skip'), pass, 'the new press is told');
      t.same(pressed(), ['play', 'skip']);
    });

    await t.test('lines that cannot be had are said to be missing', async (t) => {
      const { missing } = await begin(t);
      const buttons = missing();
      t.equal(await rejectionOf(buttons.start(() => {})), 'NOT_FOUND');
      await buttons.stop();
    });
  });

export interface LampSetup {
  readonly lamp: Lamp;
  /** True while it shines. */
  lit(): boolean;
  close(): void | Promise<void>;
}

export const runLampContract = (t: Test, name: string, setup: () => LampSetup | Promise<LampSetup>): Promise<unknown> =>
  t.test(`${name} keeps the contract of Lamp: dark until started, then as it is set, dark after stop`, async (t) => {
    const { lamp, lit, close } = await setup();
    lamp.set(true);
    t.notOk(lit(), 'set is ignored before start');
    await lamp.start();
    t.notOk(lit(), 'starting does not light it');
    lamp.set(true);
    t.ok(lit());
    lamp.set(true);
    t.ok(lit());
    lamp.set(false);
    t.notOk(lit());
    lamp.set(true);
    await lamp.stop();
    t.notOk(lit(), 'stop switches it off');
    lamp.set(true);
    t.notOk(lit(), 'set is ignored after stop');
    await lamp.stop();
    await close();
  });

export interface PanelSetup {
  readonly panel: Panel;
  plugIn(): void | Promise<void>;
  pullOut(): void | Promise<void>;
  /** The panel sends bytes. */
  type(bytes: Uint8Array): void | Promise<void>;
  /** Lines that the panel got, without their ends. */
  received(): readonly string[];
  readonly pass: Pass;
  close(): void | Promise<void>;
}

export const runPanelContract = (
  t: Test,
  name: string,
  setup: () => PanelSetup | Promise<PanelSetup>,
): Promise<unknown> =>
  t.test(`${name} keeps the contract of Panel`, async (t) => {
    /** A started panel, and all that it called, such as `connected` and `line play`. */
    const begin = async (t: Test, init: { readonly plugged: boolean } = { plugged: true }) => {
      const made = await setup();
      const events: string[] = [];
      if (init.plugged) await made.plugIn();
      await made.panel.start({
        line: (text) => events.push(`line ${text}`),
        connected: () => events.push('connected'),
      });
      t.teardown(async () => {
        await made.panel.stop();
        await made.close();
      });
      const type = (text: string) => made.type(Buffer.from(text, 'latin1'));
      const connections = async (count: number) => {
        const isSo = () => events.filter((event) => event === 'connected').length === count;
        await until(isSo, made.pass, `connection ${count}`);
      };
      const lines = () => events.filter((event) => event !== 'connected').map((event) => event.slice(5));
      return { ...made, type, events, connections, lines };
    };

    await t.test('lines come without their ends, whatever the pieces in which they come', async (t) => {
      const { type, connections, lines, pass } = await begin(t);
      await connections(1);
      await type('play\npa');
      await type('use\r');
      await type('\nskip\r\n\nlast\n');
      await until(() => lines().length === 5, pass, 'five lines');
      t.same(lines(), ['play', 'pause', 'skip', '', 'last']);
    });

    await t.test('what is longer than allowed is dropped whole, and the next line is sound', async (t) => {
      const { type, connections, lines, pass } = await begin(t);
      await connections(1);
      const longest = 'x'.repeat(PANEL_LINE_BYTES_MAX);
      await type(`${longest}\r\n${longest}y\n${longest.repeat(50)}\nplay\n`);
      await until(() => lines().length === 2, pass, 'two lines');
      t.same(lines(), [longest, 'play']);
    });

    await t.test('noise becomes question marks', async (t) => {
      const { type, connections, lines, pass } = await begin(t);
      await connections(1);
      await type('a\xff\x00\x07b\rc\n');
      await until(() => lines().length === 1, pass, 'a line');
      t.same(lines(), ['a???b?c']);
    });

    await t.test('what is sent arrives as lines of printable ASCII, of bounded length', async (t) => {
      const { panel, received, connections, pass } = await begin(t);
      await connections(1);
      panel.send('Café ♫ 𝄞\n');
      panel.send('');
      panel.send('x'.repeat(PANEL_LINE_BYTES_MAX + 1));
      await until(() => received().length === 3, pass, 'three lines');
      t.same(received(), ['Caf? ? ??', '', 'x'.repeat(PANEL_LINE_BYTES_MAX)]);
    });

    await t.test('a panel that comes late, or comes back, is told of each time', async (t) => {
      const { panel, plugIn, pullOut, type, received, events, connections, lines, pass } = await begin(t, {
        plugged: false,
      });
      panel.send('nobody is there');
      t.same(events, []);
      await plugIn();
      await connections(1);
      await type('half of a li');
      await pullOut();
      panel.send('nobody is there any more');
      await plugIn();
      await connections(2);
      await type('whole\n');
      panel.send('hello');
      await until(() => lines().length === 1 && received().length === 1, pass, 'a line each way');
      t.same(lines(), ['whole']);
      t.same(received(), ['hello']);
    });
  });
