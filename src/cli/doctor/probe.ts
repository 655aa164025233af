/** Finds out on this machine what the doctor judges. Everything is asked for as this user; nothing is left behind. */
import {
  accessSync,
  closeSync,
  constants,
  fdatasyncSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { type HostPort, hostPortText } from '../../config/host-port.js';
import { fileSystemOf } from '../../io/fs/file-systems.js';
import { chooseDriver, gpioFacts, gpioRoots } from '../../io/gpio/choose-driver.js';
import { ledFacts } from '../../io/gpio/lamp-wires.js';
import { type LineCalls, lineCalls } from '../../io/gpio/line-calls.js';
import { loadLibc } from '../../io/libc/libc.js';
import { loadSerialport } from '../../io/serial/serialport.js';
import { SystemTime } from '../../io/time/system-time.js';
import { PAGE_BYTES } from '../../storage/limits.js';
import type { DiskFacts, Facts, PathFacts, PortFacts } from './facts.js';

/** Pages that are written to see how long one takes: on a slow card two seconds. */
const PAGES = 50;

/** Asks this machine. */
export async function probe(config: Config): Promise<Facts> {
  const dataDir = pathFacts(config.dataDir);
  return {
    nodeVersion: process.version,
    user: process.getuid?.() ?? 0,
    dataDir,
    disk: dataDir.kind === 'directory' ? diskFacts(dataDir) : null,
    inbox: pathFacts(config.inbox.dir),
    keyFile: pathFacts(config.cluster.keyFile),
    ports: [
      await portFacts('http.listen', config.http.listen),
      await portFacts('cluster.listen', config.cluster.listen),
    ],
    limits: limits(),
    clock: new SystemTime().clock,
    gpio: lineFacts(config),
    panel: config.panel.port === null ? null : panelFacts(config.panel.port),
  };
}

function pathFacts(path: string): PathFacts {
  try {
    const stats = statSync(path);
    const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other';
    const rights = { isReadable: may(path, constants.R_OK), isWritable: may(path, constants.W_OK) };
    return { path, kind, mode: stats.mode & 0o777, owner: stats.uid, ...rights };
  } catch (error) {
    const kind = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'unreachable';
    return { path, kind, mode: null, owner: null, isReadable: false, isWritable: false };
  }
}

function may(path: string, what: number): boolean {
  try {
    accessSync(path, what);
    return true;
  } catch {
    return false;
  }
}

function diskFacts({ path, isWritable }: PathFacts): DiskFacts {
  const { bavail, bsize } = statfsSync(path);
  return {
    fileSystem: fileSystemOf(path),
    freeBytes: bavail * bsize,
    sync: isWritable ? measureSync(join(path, `doctor-${process.pid}.tmp`)) : null,
  };
}

/** As the log does: a page at a time, over what is there already. Null where the disk refuses. */
function measureSync(file: string): DiskFacts['sync'] {
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const tookMs: number[] = [];
  try {
    const descriptor = openSync(file, 'wx', 0o600);
    try {
      for (let i = 0; i <= PAGES; i++) {
        const startedAt = performance.now();
        writeSync(descriptor, page, 0, page.length, 0);
        fdatasyncSync(descriptor);
        // The first has the file's size to write as well.
        if (i > 0) tookMs.push(performance.now() - startedAt);
      }
    } finally {
      closeSync(descriptor);
      rmSync(file, { force: true });
    }
  } catch {
    return null;
  }
  tookMs.sort((a, b) => a - b);
  return { p50Ms: tookMs[PAGES >> 1]!, p99Ms: tookMs[Math.ceil(0.99 * PAGES) - 1]! };
}

function portFacts(key: string, at: HostPort): Promise<PortFacts> {
  return new Promise((resolve) => {
    const answer = (state: string) => resolve({ key, at: hostPortText(at), state });
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => answer(error.code ?? error.message));
    server.listen(at.port, at.host, () => server.close(() => answer('free')));
  });
}

/** From proc(5), which says the same as ulimit. */
function limits(): Facts['limits'] {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const soft = (name: string) => {
    const value = new RegExp(`^${name} +(\\S+)`, 'm').exec(text)?.[1] ?? '0';
    return value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  };
  return { realtimePriority: soft('Max realtime priority'), lockedBytes: soft('Max locked memory') };
}

function lineFacts({ gpio }: Config): Facts['gpio'] {
  const libc = loadLibc();
  const calls = libc && lineCalls(libc);
  const roots = gpioRoots(process.env);
  const facts = gpioFacts({ calls }, roots);
  const { play, pause, skip, leaderLed, statusLed } = gpio;
  const wanted = Object.entries({ play, pause, skip, leader_led: leaderLed, status_led: statusLed });
  const device = facts.chardev === null ? facts.header?.device : undefined;
  const isAsked = gpio.driver !== 'none' && calls !== undefined && device !== undefined;
  const lines = wanted.flatMap(([name, line]) =>
    isAsked && typeof line === 'number' ? [{ key: `gpio.${name}`, line, ...holderOf(calls, device, line) }] : [],
  );
  return {
    choice: chooseDriver(gpio.driver, facts),
    lines,
    led: typeof leaderLed === 'string' ? ledFacts({ sys: roots.sys, name: leaderLed }) : null,
  };
}

function holderOf(calls: LineCalls, device: string, line: number) {
  try {
    return { holder: calls.holder(device, line), isThere: true };
  } catch {
    return { holder: null, isThere: false };
  }
}

function panelFacts(port: string): NonNullable<Facts['panel']> {
  const found = loadSerialport();
  return { ...pathFacts(port), missing: 'missing' in found ? found.missing : null };
}
