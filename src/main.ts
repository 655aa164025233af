#!/usr/bin/env node
/**
 * `tutti`: where everything is put together.
 *
 * The command line decides what is wanted (cli/); for `tutti run` this file makes the adapters, gives them to those who know only ports,
 * starts all in order, and ends all in reverse when a signal comes. Nothing else in the program knows about signals or exit codes.
 *
 * A mistake of ours, in any thread, is told loudly and ends the process with code 70: the service manager starts it again.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { demo } from './cli/demo.js';
import { EXIT } from './cli/exit-codes.js';
import { runCli } from './cli/run-cli.js';
import { systemComponents } from './cli/system.js';
import type { Config } from './config/config.js';
import { TuttiError } from './core/errors.js';
import { type BootId, clusterId } from './core/ids.js';
import { HttpServer } from './http/server.js';
import { lockDirectory } from './io/fs/directory-lock.js';
import { NodeDisk } from './io/fs/node-disk.js';
import { createLog } from './io/log/pino-log.js';
import { SystemRandom } from './io/random/system-random.js';
import { SystemdNotify } from './io/systemd/systemd-notify.js';
import { SystemTime } from './io/time/system-time.js';
import { loadIdentity, randomId } from './node/identity.js';
import { Node } from './node/node.js';
import { Player } from './player/player.js';
import type { OutputSetup } from './player/threads.js';
import type { Log } from './ports/log.js';
import type { Random } from './ports/random.js';
import type { ServiceNotify } from './ports/service-notify.js';
import type { Time, Timer } from './ports/time.js';
import { MemoryLog } from './replication/memory-log.js';
import { TrackClient } from './tracks/track-client.js';
import { spawnPlayerThreads } from './workers/spawn.js';
import { spawnIntake } from './workers/spawn-intake.js';

/** How long an orderly end may take. A fade, a mark and closing files take half a second; what takes longer hangs. Milliseconds. */
const STOP_MS_MAX = 5_000;

const packageFile = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string };

/** A part of the running daemon. */
interface Part {
  stop(): Promise<void>;
}

/** Runs the daemon until a signal ends it; gives the exit code. @throws TuttiError where it cannot start */
async function run(config: Config): Promise<number> {
  const time = new SystemTime();
  const log = createLog(
    { time, stream: process.stderr },
    { level: config.log.level, pretty: process.stderr.isTTY === true },
  );
  const fatal = dieLoudly(log);
  const notify = new SystemdNotify({ log });
  const ending = endingSignal();
  const parts: Part[] = [];
  try {
    const url = await startAll(config, { time, log, fatal, started: (part) => parts.unshift(part) });
    const watchdog = startWatchdog(time, notify);
    parts.unshift(watchdog);
    process.stdout.write(`Tutti serves ${url}\n`);
    notify.ready();
    notify.status(`serves ${url}`);
    const signal = await ending.signal;
    log.info('Ending.', { signal });
    notify.stopping();
    return EXIT.ok;
  } finally {
    const force = forceEndLater(log, time);
    for (const part of parts) await part.stop();
    ending.forget();
    force.cancel();
  }
}

interface Root {
  readonly time: Time;
  readonly log: Log;
  readonly fatal: (error: unknown) => void;
  /** Called for each part that has to be stopped in the end, in the order of starting. */
  readonly started: (part: Part) => void;
}

/** @returns the URL under which the node is reached. */
async function startAll(config: Config, { time, log, fatal, started }: Root): Promise<string> {
  const random = new SystemRandom();
  makeDataDirectory(config.dataDir);
  const unlock = lockDirectory(config.dataDir);
  started({ stop: () => Promise.resolve(unlock()) });
  const identity = loadIdentity(new NodeDisk({ root: config.dataDir }), random);

  const intake = spawnIntake(config.dataDir, fatal);
  started({ stop: () => intake.end() });

  const consensus: MemoryLog = new MemoryLog({ time }, { node: identity.node, leadMs: () => node.leadMs });
  const playout = new Player(
    { spawn: spawnPlayerThreads(time), log: log.child('player'), failed: fatal },
    { dataDir: config.dataDir, output: outputSetup(config, log) },
  );
  const publicHost = reachableHost(config);
  const { channels, latencyUs, queueMs, volumeLimit, level } = config.output;
  const node: Node = new Node(
    { time, random, log: log.child('node'), consensus, files: new TrackClient({ port: intake.port }), playout },
    {
      id: identity.node,
      incarnation: identity.incarnation,
      bootId: randomId(random) as BootId,
      clusterId: clusterId(randomId(random)),
      name: config.name,
      version,
      address: `${publicHost}:${config.cluster.listen.port}`,
      sound: { channels, latencyUs, queueMs, volumeLimit, level },
    },
  );
  started(node);
  await node.start();

  const { host, port } = config.http.listen;
  const token = config.http.access === 'token' ? loadToken(config.http.tokenFile, random) : null;
  const http = new HttpServer(
    { node, time, log: log.child('http') },
    { host, port, addresses: () => [host, publicHost, ...ownAddresses()], publicHost, token },
  );
  started(http);
  const url = await http.start();
  await node.announce(url);
  return url;
}

function makeDataDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
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

/** How sound leaves the node. There is no ALSA yet: `auto` finds no card. @throws TuttiError BAD_CONFIG */
function outputSetup({ output }: Config, log: Log): OutputSetup {
  const { driver, device, idleCloseS, queueMs, virtual } = output;
  if (driver === 'alsa' || driver === 'speaker') {
    throw new TuttiError(
      'BAD_CONFIG',
      `output.driver: this version has no driver "${driver}" yet; right is virtual, none or auto`,
    );
  }
  if (driver === 'auto') log.info('This version knows no sound card yet: the node is silent.', { driver: 'none' });
  return {
    driver: driver === 'auto' ? 'none' : driver,
    device: driver === 'virtual' ? 'virtual' : device === 'auto' ? '' : device,
    idleCloseS,
    queueMs,
    virtual: { ppm: virtual.ppm, capture: virtual.capture ?? '' },
  };
}

/** Addresses of this machine, as they are at the moment. */
const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address));

/** The host by which others find this node. */
function reachableHost({ cluster, http }: Config): string {
  if (!['0.0.0.0', '::'].includes(http.listen.host)) return http.listen.host;
  if (cluster.advertise !== null) return cluster.advertise.host;
  const outward = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  return outward?.address ?? '127.0.0.1';
}

/** The token that writes need; made where there is none. @throws TuttiError BAD_CONFIG */
function loadToken(path: string, random: Random): string {
  try {
    const token = `${randomId(random)}${randomId(random)}`;
    writeFileSync(path, `${token}\n`, { flag: 'wx', mode: 0o600 });
    chmodSync(path, 0o600);
    return token;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw badToken(path, error);
  }
  const token = readFileSync(path, 'utf8').trim();
  if (token === '') throw badToken(path, new Error('it is empty'));
  return token;
}

const badToken = (path: string, cause: unknown): TuttiError =>
  new TuttiError(
    'BAD_CONFIG',
    `http.token_file: ${path}: ${cause instanceof Error ? cause.message : cause}`,
    {},
    cause,
  );

/** Tells the service manager that the main thread is alive, twice as often as it asks for (sd_watchdog_enabled(3)). */
function startWatchdog(time: Time, notify: ServiceNotify): Part {
  const periodUs = Number(process.env.WATCHDOG_USEC);
  const forUs = process.env.WATCHDOG_PID === undefined || process.env.WATCHDOG_PID === String(process.pid);
  if (!forUs || !(periodUs > 0)) return { stop: () => Promise.resolve() };
  const timer = time.every('systemd.watchdog', periodUs / 2_000, () => notify.alive());
  return { stop: () => Promise.resolve(timer.cancel()) };
}

/** The first SIGTERM or SIGINT; the second ends the process at once. */
function endingSignal(): { readonly signal: Promise<NodeJS.Signals>; forget(): void } {
  const { promise, resolve } = withResolvers<NodeJS.Signals>();
  let asked = false;
  const handler = (signal: NodeJS.Signals, number: number) => {
    if (asked) process.exit(128 + number);
    asked = true;
    resolve(signal);
  };
  process.on('SIGTERM', handler).on('SIGINT', handler);
  return { signal: promise, forget: () => process.off('SIGTERM', handler).off('SIGINT', handler) };
}

function withResolvers<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((given) => {
    resolve = given;
  });
  return { promise, resolve };
}

/** An end that hangs is ended. */
const forceEndLater = (log: Log, time: Time): Timer =>
  time.after('main.force-end', STOP_MS_MAX, () => {
    const resources = process.getActiveResourcesInfo();
    log.error('The end hangs: ending anyway.', { afterMs: STOP_MS_MAX, timers: time.running(), resources });
    process.exit(EXIT.internal);
  });

/** Whatever nobody has caught, in any thread, is a mistake of ours. */
function dieLoudly(log: Log): (error: unknown) => void {
  const fatal = (error: unknown) => {
    log.error('Tutti has made a mistake and ends.', { error });
    process.exit(EXIT.internal);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  return fatal;
}

const own = systemComponents({
  version,
  run,
  demo: () =>
    demo({
      ...own,
      time: new SystemTime(),
      mainFile: fileURLToPath(import.meta.url),
      untilEnough: process.stdout.isTTY ? () => endingSignal().signal.then(() => {}) : undefined,
    }),
});
process.exitCode = await runCli(process.argv.slice(2), own);
