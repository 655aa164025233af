/** The front panel with serialport's mock binding, and, where socat is there, with a pair of real terminals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { SerialPanel } from '../../../src/io/serial/serial-panel.js';
import { loadSerialport, type SerialLine, type Serialport } from '../../../src/io/serial/serialport.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import { runPanelContract } from '../../contract/controls.js';
import { passRealTime, rejectionOf, runLifecycleContract, until } from '../../contract/support.js';

const PORT = '/dev/serial/by-id/panel';
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const found = loadSerialport();
const noPackage = 'missing' in found ? found.missing : false;

/** What of the mock binding is used. */
interface Mock {
  readonly binding: { reset(): void; createPort(path: string, options: { readonly record: boolean }): void };
  new (
    options: ConstructorParameters<Serialport['SerialPort']>[0],
  ): SerialLine & {
    readonly port?: { readonly recording: Uint8Array; emitData(bytes: Uint8Array): void };
  };
}

/** A panel on fake time, whose cable a test plugs in and pulls out. */
function mocked() {
  const { SerialPortMock } = createRequire(import.meta.url)('serialport') as { readonly SerialPortMock: Mock };
  SerialPortMock.binding.reset();
  const time = new FakeTime();
  const log = new FakeLog();
  const lines: InstanceType<Mock>[] = [];
  class SerialPort extends SerialPortMock {
    constructor(options: ConstructorParameters<Mock>[0]) {
      super(options);
      lines.push(this as InstanceType<Mock>);
    }
  }
  const panel = new SerialPanel({ time, log, load: () => ({ SerialPort }) }, { port: PORT, baud: 9_600 });
  let recorded = '';
  const last = () => lines.at(-1);
  return {
    time,
    log,
    panel,
    lines,
    plugIn: () => SerialPortMock.binding.createPort(PORT, { record: true }),
    pullOut: async () => {
      recorded += latin1(last()?.port?.recording);
      SerialPortMock.binding.reset();
      if (last()?.isOpen === true) last()?.close();
      await turn();
      await turn();
    },
    type: async (bytes: Uint8Array) => {
      last()?.port?.emitData(Buffer.from(bytes));
      await turn();
      await turn();
    },
    received: () =>
      `${recorded}${last()?.isOpen === true ? latin1(last()?.port?.recording) : ''}`.split('\n').slice(0, -1),
    pass: async () => {
      await turn();
      time.advance(20);
    },
  };
}

const latin1 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

await t.test('with the mock binding', { skip: noPackage }, async (t) => {
  await runPanelContract(t, 'SerialPanel', () => {
    const made = mocked();
    return { ...made, close: () => t.strictSame(made.time.running(), []) as unknown as undefined };
  });

  await runLifecycleContract(t, 'SerialPanel', () => {
    const made = mocked();
    made.plugIn();
    let calls = 0;
    return {
      start: async () => {
        await made.panel.start({ line: () => calls++, connected: () => calls++ });
        await made.pass();
        await made.pass();
      },
      stop: () => made.panel.stop(),
      provoke: async () => {
        if (made.lines.at(-1)?.isOpen === true) await made.type(Buffer.from('PLAY\n'));
      },
      calls: () => calls,
      hasHandlers: true,
      pass: made.pass,
      timers: () => made.time.running(),
      handles: () => [],
      close: () => {},
    };
  });

  t.test('a panel that is away is looked for after 1, 2, 4, 8, 16, and then every 30 seconds', async (t) => {
    const { time, log, panel, lines } = mocked();
    await panel.start({ line: () => {}, connected: () => {} });
    const triedAt: number[] = [];
    const begin = time.now();
    for (let tried = 0; triedAt.length < 8; ) {
      await turn();
      if (lines.length > tried) triedAt.push(Number((time.now() - begin) / 1_000_000_000n));
      tried = lines.length;
      time.advance(1_000);
    }
    t.strictSame(triedAt, [0, 1, 3, 7, 15, 31, 61, 91]);
    t.match(panel.trouble(), /Port does not exist/);
    t.equal(log.entries.filter(({ level }) => level === 'warn').length, 1, 'told once');
    await panel.stop();
    t.strictSame(time.running(), []);
  });

  t.test('one that comes and goes is looked for ever more seldom, one that stayed is looked for soon', async (t) => {
    const { time, panel, lines, plugIn, pullOut } = mocked();
    plugIn();
    await panel.start({ line: () => {}, connected: () => {} });
    await until(() => panel.trouble() === null, turn, 'it is connected');
    await pullOut();
    time.advance(1_000);
    await turn();
    t.equal(lines.length, 2);
    plugIn();
    time.advance(2_000);
    await until(() => panel.trouble() === null, turn, 'it is connected again');
    time.advance(5_000);
    await pullOut();
    t.equal(panel.trouble(), 'it was pulled out');
    time.advance(1_000);
    await turn();
    t.equal(lines.length, 4, 'after a second');
    await panel.stop();
  });

  t.test('a panel that takes nothing fills no memory, and gets the whole display when it does again', async (t) => {
    const { panel, lines, plugIn } = mocked();
    plugIn();
    let displays = 0;
    await panel.start({ line: () => {}, connected: () => displays++ });
    await until(() => displays === 1, turn, 'it is connected');
    for (let i = 0; i < 10_000; i++) panel.send(`line ${i}`);
    t.ok(lines.at(-1)!.writableLength < 5_000, `${lines.at(-1)!.writableLength} bytes wait`);
    await until(() => displays === 2, turn, 'the display is sent anew');
    await panel.stop();
  });
});

t.test('without the package there is no panel, and it is said', async (t) => {
  const load = () => ({ missing: 'the package serialport does not load (no binary)' });
  const panel = new SerialPanel({ time: new FakeTime(), log: new FakeLog(), load }, { port: PORT, baud: 9_600 });
  t.equal(await rejectionOf(panel.start({ line: () => {}, connected: () => {} })), 'NOT_FOUND');
  await panel.stop();
});

const noSocat = noPackage || (existsSync('/usr/bin/socat') ? false : 'no socat here: apt-get install socat');

await t.test('with a pair of terminals', { skip: noSocat }, async (t) => {
  await runPanelContract(t, 'SerialPanel', () => {
    const folder = t.testdir();
    const [near, far] = [join(folder, 'near'), join(folder, 'far')];
    let socat: ChildProcess | null = null;
    let end: number | null = null;
    let received = '';
    const read = () => {
      const bytes = Buffer.alloc(65_536);
      try {
        while (end !== null) received += bytes.toString('latin1', 0, readSync(end, bytes));
      } catch (error) {
        if (!['EAGAIN', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
      return received.split('\n').slice(0, -1);
    };
    const pullOut = async () => {
      read();
      if (end !== null) closeSync(end);
      end = null;
      if (socat === null) return;
      const exited = once(socat, 'exit');
      socat.kill();
      await exited;
      socat = null;
    };
    return {
      panel: new SerialPanel({ time: new SystemTime(), log: new FakeLog() }, { port: near, baud: 115_200 }),
      plugIn: async () => {
        const pty = (link: string) => `pty,rawer,link=${link}`;
        socat = spawn('socat', [pty(near), pty(far)], { stdio: 'ignore' });
        await until(() => existsSync(near) && existsSync(far), passRealTime, 'socat is ready');
        end = openSync(far, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
      },
      pullOut,
      type: async (bytes) => {
        // A terminal takes a few kilobytes at a time.
        for (let at = 0; at < bytes.length; ) {
          try {
            at += writeSync(end!, bytes, at, Math.min(1_024, bytes.length - at));
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
            await passRealTime();
          }
        }
      },
      received: read,
      pass: passRealTime,
      close: pullOut,
    };
  });
});
