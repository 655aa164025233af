/** What systemd is told keeps the contract of ServiceNotify, over each kind of socket and through the program systemd-notify. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { SystemdNotify } from '../../../src/io/systemd/systemd-notify.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { runServiceNotifyContract, type ServiceNotifySetup } from '../../contract/service-notify.js';
import { passRealTime, processHandles, settled, until } from '../../contract/support.js';
import { listen } from './unix-datagrams.js';

const libc = loadLibc();
const noLibc = libc === undefined && 'koffi does not load on this machine';

const directory = mkdtempSync(join(tmpdir(), 'tutti-notify-'));
t.teardown(() => rmSync(directory, { recursive: true }));

let count = 0;

/** A service manager that listens, and a SystemdNotify that talks to it: through libc, or the program. */
function setup(init: { readonly kind: 'path' | 'abstract'; readonly through: 'libc' | 'program' }): ServiceNotifySetup {
  const socket = init.kind === 'path' ? join(directory, `socket-${count++}`) : `@tutti-${process.pid}-${count++}`;
  const manager = listen(libc!, socket);
  const told: string[] = [];
  const pass = () => {
    for (let message = manager.receive(); message !== undefined; message = manager.receive()) {
      // The program waits for its messages to be read, by one of its own.
      if (message !== 'BARRIER=1') told.push(message);
    }
    return passRealTime();
  };
  const log = new FakeLog();
  const notify = new SystemdNotify({ log, libc: init.through === 'libc' ? libc : undefined }, { socket });
  return { notify, told: () => told, pass, close: () => manager.close() };
}

if (noLibc) {
  t.test('SystemdNotify', { skip: noLibc }, () => {});
} else {
  await runServiceNotifyContract(t, 'SystemdNotify on a socket of the file system', () =>
    setup({ kind: 'path', through: 'libc' }),
  );
  await runServiceNotifyContract(t, 'SystemdNotify on an abstract socket', () =>
    setup({ kind: 'abstract', through: 'libc' }),
  );
  const hasProgram = spawnSync('systemd-notify', ['--version']).status === 0;
  if (hasProgram) {
    await runServiceNotifyContract(t, 'SystemdNotify through the program', () =>
      setup({ kind: 'path', through: 'program' }),
    );
  } else {
    t.test('SystemdNotify through the program', { skip: 'systemd-notify is not installed' }, () => {});
  }
}

t.test('without a service manager nobody is told, and nothing is said about it', (t) => {
  for (const socket of [undefined, '']) {
    const log = new FakeLog();
    const notify = new SystemdNotify({ log }, { socket });
    notify.ready();
    notify.status('playing');
    notify.alive();
    notify.stopping();
    t.same(log.entries, []);
  }
  t.end();
});

t.test('a service manager that does not listen is logged, and no trouble', { skip: noLibc }, async (t) => {
  const opened = () => [...processHandles(), ...readdirSync('/proc/self/fd')];
  const before = await settled(opened, passRealTime);
  const log = new FakeLog();
  new SystemdNotify({ log }, { socket: join(directory, 'nobody') }).ready();
  t.match(log.entries, [{ level: 'warn', fields: { message: 'READY=1' } }]);
  t.same(await settled(opened, passRealTime), before, 'nothing is left open');
});

t.test('where neither libc nor the program can tell, that is logged', async (t) => {
  const log = new FakeLog();
  const path = process.env.PATH;
  process.env.PATH = directory;
  const notify = new SystemdNotify({ log, libc: undefined }, { socket: 'vsock:2:1234' });
  process.env.PATH = path;
  notify.alive();
  await until(() => log.entries.length > 0, passRealTime, 'it is logged');
  t.match(log.entries, [{ level: 'warn', fields: { message: 'WATCHDOG=1', problem: /ENOENT/ } }]);
});

t.test('a path that does not fit a socket’s address is not cut short', { skip: noLibc }, async (t) => {
  const log = new FakeLog();
  const tooLong = `/${'x'.repeat(108)}`;
  const notify = new SystemdNotify({ log, libc }, { socket: tooLong });
  notify.alive();
  await until(() => log.entries.length > 0, passRealTime, 'the program is tried, and fails too');
  t.match(log.entries, [{ level: 'warn', fields: { problem: /systemd-notify|ENOENT/ } }]);
});
