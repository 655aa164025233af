/**
 * `tutti run`: the daemon, put together.
 *
 * Here the adapters are made and given to those who know only ports; all is started in order, and ended in reverse when a signal comes.
 * Nothing else in the program knows of signals or exit codes.
 *
 * A mistake of ours, in any thread, and a disk that failed under the log are told loudly and end the process: the service manager
 * starts it again, and what the disk holds is then all that counts.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FirstStart } from '../cli/components.js';
import { EXIT, exitCodeOf } from '../cli/exit-codes.js';
import type { Config } from '../config/config.js';
import { TuttiError } from '../core/errors.js';
import { HttpServer } from '../http/server.js';
import { lockDirectory } from '../io/fs/directory-lock.js';
import { keepHeapSmall } from '../io/libc/heap.js';
import { loadLibc } from '../io/libc/libc.js';
import { createLog } from '../io/log/pino-log.js';
import { SystemRandom } from '../io/random/system-random.js';
import { SystemdNotify } from '../io/systemd/systemd-notify.js';
import { SystemTime } from '../io/time/system-time.js';
import { House } from '../node/house.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import { webFolder } from '../program-files.js';
import { httpHost, ownAddresses, watchUrl } from './addresses.js';
import { CardAndWire } from './card-and-wire.js';
import { hardwareOf } from './controls.js';
import { DiskFailures } from './disk-failures.js';
import { keepAnnounced, neighboursFor } from './neighbourhood.js';
import { loadToken } from './secret-files.js';
import { serviceStatus } from './service-status.js';
import { endingSignal } from './signals.js';
import { type Vital, Watchdog, watchdogTimeoutMs } from './watchdog.js';
import { readWebFolder } from './web-folder.js';

/**
 * How long an orderly end may take. A fade, a mark and closing files take half a second; what takes longer hangs. Less than the unit's
 * TimeoutStopSec=5, so that the log says what it was. Milliseconds.
 */
const STOP_MS_MAX = 4_500;

/** A part of the running daemon. */
interface Part {
  stop(): Promise<void>;
}

/** What the daemon's parts are started with. */
interface Root {
  readonly time: Time;
  readonly log: Log;
  readonly fatal: (error: unknown) => void;
  readonly failures: DiskFailures;
  /** Called for each part that has to be stopped in the end, in the order of starting. */
  readonly started: (part: Part) => void;
}

/** What a daemon is told beside its configuration. */
export interface DaemonInit {
  readonly first: FirstStart;
  /** Of this software. */
  readonly version: string;
}

/** Runs the daemon until a signal ends it; gives the exit code. @throws TuttiError where it cannot start */
export async function runDaemon(config: Config, init: DaemonInit): Promise<number> {
  const time = new SystemTime();
  const log = createLog(
    { time, stream: process.stderr },
    { level: config.log.level, pretty: process.stderr.isTTY === true },
  );
  const folder = process.env.RUNTIME_DIRECTORY ?? tmpdir();
  const failures = new DiskFailures({ time }, { folder, dataDir: config.dataDir });
  const fatal = dieLoudly(log, failures);
  const notify = new SystemdNotify({ log });
  const ending = endingSignal();
  const parts: Part[] = [];
  const starting = startAll(config, init, { time, log, fatal, failures, started: (part) => parts.unshift(part) });
  try {
    const running = await Promise.race([starting, ending.signal.then(() => null)]);
    if (running === null) {
      log.info('Ending before all has started.', { signal: await ending.signal });
      return EXIT.ok;
    }
    const { url, house, vitals } = running;
    process.stdout.write(`Tutti serves ${url()}\n`);
    notify.ready();
    const watchdog = new Watchdog(
      { time, log, notify, vitals, status: () => serviceStatus(house, url()) },
      { timeoutMs: watchdogTimeoutMs(process.env, process.pid) },
    );
    watchdog.start();
    parts.unshift({ stop: () => Promise.resolve(watchdog.stop()) });
    const signal = await ending.signal;
    log.info('Ending.', { signal });
    notify.stopping();
    return EXIT.ok;
  } finally {
    const force = forceEndLater(log, time);
    for (const part of parts.splice(0)) await part.stop();
    // A start that was given up may have come to another part meanwhile.
    await starting.catch(() => {});
    for (const part of parts.splice(0)) await part.stop();
    ending.forget();
    force.cancel();
  }
}

/** What runs once all has started. */
interface Running {
  /** Under which the node is reached. */
  readonly url: () => string;
  readonly house: House;
  /** What may hang by itself. */
  readonly vitals: () => readonly Vital[];
}

async function startAll(config: Config, { first, version }: DaemonInit, root: Root): Promise<Running> {
  const { time, log, fatal, failures, started } = root;
  const heap = keepHeapSmall({
    libc: loadLibc(),
    time,
    isSounding: () => house.node?.outputStatus().state === 'playing',
  });
  started({ stop: () => Promise.resolve(heap.cancel()) });
  const isDiskless = failures.isCircle;
  if (!isDiskless) {
    makeDataDirectory(config.dataDir);
    const unlock = lockDirectory(config.dataDir);
    started({ stop: () => Promise.resolve(unlock()) });
  }
  // What HTTP needs is read first: a node that cannot serve shall not take part either.
  const token = config.http.access === 'token' ? loadToken(config.http.tokenFile) : null;

  const random = new SystemRandom();
  const hardware = hardwareOf({ time, log: log.child('controls') }, config);
  for (const mistake of config.mistakes)
    log.warn('The configuration has a mistake: the node does without it.', { mistake });
  const badConfig = config.mistakes.length > 0 ? (['BAD_CONFIG'] as const) : [];
  const machineTroubles = () => [...controls.troubles(), ...badConfig];
  const ground = new CardAndWire({ time, log, random, fatal, hardware, machineTroubles }, { config, version });
  started(ground);
  const house = new House({ ground, time, log: log.child('house'), machineTroubles }, { name: config.name, version });
  started(house);
  const controls = hardware.controlsOf(house);
  started(controls);
  await controls.start();
  if (isDiskless) {
    log.error('The disk has failed three times within a minute: the node starts without it, and takes no part.');
    house.standAside(
      new TuttiError('DISK_FAILED', `the disk of ${config.dataDir} has failed three times within a minute`),
    );
  } else {
    await house.start().catch((error: unknown) => {
      noteIfDisk(failures, error);
      throw error;
    });
    if (house.node === null && first.init) await house.form();
  }

  const neighbours = neighboursFor({ time, log: log.child('mdns'), random }, config);
  const { host, port } = config.http.listen;
  const http = new HttpServer(
    { house, time, log: log.child('http') },
    {
      host,
      port,
      addresses: () => [host, httpHost(config), ...ownAddresses()],
      publicHost: () => httpHost(config),
      token,
      web: readWebFolder(fileURLToPath(webFolder())),
      ...(neighbours !== null && { nearby: () => neighbours.list() }),
    },
  );
  started(http);
  const url = await http.start();
  house.announce(url);
  if (neighbours !== null) started(neighbours);
  const sayAnew = neighbours === null ? () => {} : keepAnnounced(neighbours, house, () => http.url(), config);
  const watch = watchUrl(
    time,
    () => http.url(),
    (moved) => {
      log.info('Others find this node at another address now.', { url: moved });
      house.announce(moved);
      sayAnew();
    },
  );
  started({ stop: () => Promise.resolve(watch.cancel()) });
  const running: Running = { url: () => http.url(), house, vitals: () => ground.vitals() };
  if (isDiskless) return running;
  if (house.node === null && first.join.length > 0) house.joinWhenPossible({ addresses: first.join, key: null });
  if (house.node === null && first.join.length === 0) {
    log.info('This node belongs to no cluster yet: it waits for tutti init or tutti join.');
  }
  return running;
}

function makeDataDirectory(path: string): void {
  try {
    makeWithParents(resolve(path));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TuttiError(
      'DISK_FAILED',
      `the data directory cannot be made: ${why}; --data DIR or data_dir names another`,
      {},
      error,
    );
  }
}

/** One by one: Node.js tries for ever to make all at once where the kernel says ENOENT to the first, as it does below /proc. */
function makeWithParents(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  if (!existsSync(dirname(path))) makeWithParents(dirname(path));
  mkdirSync(path);
}

function noteIfDisk(failures: DiskFailures, error: unknown): void {
  if (error instanceof TuttiError && error.code === 'DISK_FAILED') failures.note();
}

/** An end that hangs is ended. */
const forceEndLater = (log: Log, time: Time): Timer =>
  time.after('main.force-end', STOP_MS_MAX, () => {
    const resources = process.getActiveResourcesInfo();
    log.error('The end hangs: ending anyway.', { afterMs: STOP_MS_MAX, timers: time.running(), resources });
    process.exit(EXIT.internal);
  });

/** Ends the process, loudly: for whatever nobody has caught in any thread, which is a mistake of ours, and for a disk that failed. */
function dieLoudly(log: Log, failures: DiskFailures): (error: unknown) => void {
  const fatal = (error: unknown) => {
    noteIfDisk(failures, error);
    const isKnown = error instanceof TuttiError;
    log.error(isKnown ? 'The node cannot go on, and ends.' : 'Tutti has made a mistake and ends.', { error });
    process.exit(isKnown ? exitCodeOf(error.code) : EXIT.internal);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  return fatal;
}
