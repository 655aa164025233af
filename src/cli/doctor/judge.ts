/**
 * What is to be thought of what was found: a function for each thing, facts in, a line of the report out. A new check is a new function
 * here and a line in {@link diagnose}.
 */
import type { Config } from '../../config/config.js';
import { ERRORS, isErrorCode } from '../../core/errors.js';
import type { State } from '../../http/schema.js';
import type { SoundCards } from '../../io/alsa/capabilities.js';
import { STORE_LIMITS, storeBytes } from '../../storage/limits.js';
import { counted, shownBytes } from '../text.js';
import { type Check, not, ok } from './check.js';
import { controls } from './controls.js';
import type { DiskFacts, Facts, PathFacts, PortFacts } from './facts.js';

/** The oldest Node that runs Tutti. */
const NODE_MIN = [20, 19] as const;
/** The log of a node, and then some music. Bytes. */
const LOG_BYTES = storeBytes(STORE_LIMITS);
const FREE_BYTES_GOOD = 1e9;
/** A command waits for a sync on more than half of the cards; from here on it is felt, and from there on it delays the music. Milliseconds. */
const SYNC_MS_FELT = 30;
const SYNC_MS_SLOW = 120;
/** What the rings and buffers of a player take, and some room. Bytes. */
const LOCKED_BYTES_GOOD = 16 << 20;

/** What happens to files there when the power fails, or what they cannot do. */
const BAD_FILE_SYSTEMS: Readonly<Record<string, string>> = {
  tmpfs: 'it is memory: everything is gone at the next start',
  ramfs: 'it is memory: everything is gone at the next start',
  overlay: 'it is laid over another one, and may be gone at the next start',
  nfs: 'it is on another machine, which need not keep what it has acknowledged',
  cifs: 'it is on another machine, which need not keep what it has acknowledged',
  vfat: 'it has no owners and keeps no promises when the power fails',
  exfat: 'it has no owners and keeps no promises when the power fails',
};

/** What the doctor knows beside what it has probed. */
export interface Surroundings {
  readonly config: Config;
  readonly sound: SoundCards;
  /** The view of the node that runs here; null where none answers. */
  readonly state: State | null;
}

/** The whole report, in the order in which a node needs things. */
export function diagnose(facts: Facts, { config, sound, state }: Surroundings): Check[] {
  const isRunning = state !== null;
  return [
    nodeVersion(facts.nodeVersion),
    ...configuration(config),
    dataDirectory(facts.dataDir, facts.user),
    ...(facts.disk === null ? [] : [fileSystem(facts.disk), freeSpace(facts.disk, isRunning), syncs(facts.disk)]),
    inbox(facts.inbox),
    clusterKey(facts.keyFile),
    ...facts.ports.map((port) => portOf(port, isRunning)),
    soundCards(sound, config.output.driver),
    realtime(facts),
    lockedMemory(facts),
    clock(facts.clock),
    ...controls(facts),
    ...runningNode(state),
  ];
}

/** What of the file and the environment does not count, a line each. */
export const configuration = ({ mistakes }: Pick<Config, 'mistakes'>): Check[] =>
  mistakes.map((mistake) =>
    not('fail', 'configuration', mistake, 'The node does without it. Correct it, then: systemctl restart tutti'),
  );

/** Whether this Node is new enough. */
export function nodeVersion(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isGood = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return isGood
    ? ok('Node.js', version)
    : not('fail', 'Node.js', version, `Tutti needs ${NODE_MIN.join('.')} or newer: Debian 13 has it.`);
}

/** Whether the node can keep its files there, as `user`. */
export function dataDirectory({ path, kind, isWritable, owner }: PathFacts, user: number): Check {
  const name = 'data directory';
  if (kind === 'missing') return not('note', name, `${path} is not there yet`, 'tutti run makes it, where it may.');
  if (kind !== 'directory') return not('fail', name, `${path} is no directory`, 'Name another: data_dir, or --data.');
  if (!isWritable) {
    return not(
      'fail',
      name,
      `${path} belongs to user ${owner}, and you may not write there`,
      'Run the doctor as the user of the node (sudo -u), or give it the directory: chown.',
    );
  }
  // The superuser may write anywhere; the node that runs as somebody else may not.
  if (user === 0 && owner !== 0) return ok(name, `${path}, of user ${owner}`);
  return ok(name, path);
}

/** Whether what is synced there stays there. */
export function fileSystem({ fileSystem: type }: DiskFacts): Check {
  const why = BAD_FILE_SYSTEMS[type];
  return why === undefined
    ? ok('file system', type)
    : not('warn', 'file system', `${type}: ${why}`, 'Put data_dir on a disk of this machine, best with ext4.');
}

/** Whether there is room for the log, and for music. A node that runs has its log already. */
export function freeSpace({ freeBytes }: DiskFacts, isRunning: boolean): Check {
  const found = `${shownBytes(freeBytes)} free`;
  if (freeBytes < LOG_BYTES && !isRunning) {
    return not('fail', 'space', found, `The log of a node alone takes ${shownBytes(LOG_BYTES)}: make room.`);
  }
  if (freeBytes >= FREE_BYTES_GOOD) return ok('space', found);
  return not('warn', 'space', found, 'Every track is on every card: make room, or take a larger card.');
}

/** Whether a durable write is quick enough for commands not to be felt late. */
export function syncs({ sync }: DiskFacts): Check {
  const name = 'durable writes';
  if (sync === null)
    return not('note', name, 'not measured: nothing may be written there', 'Run the doctor as the user of the node.');
  const found = `a page takes ${sync.p50Ms.toFixed(1)} ms, 99 % within ${sync.p99Ms.toFixed(1)} ms`;
  if (sync.p99Ms <= SYNC_MS_FELT) return ok(name, found);
  const advice = 'A card of class A1 or A2, or an SSD, answers sooner; a worn card is slow before it fails.';
  return not(sync.p99Ms <= SYNC_MS_SLOW ? 'note' : 'warn', name, `${found}: commands are felt to be late`, advice);
}

/** Whether who runs this can copy music into the inbox. */
export function inbox({ path, kind, isWritable }: PathFacts): Check {
  if (kind === 'missing') return not('note', 'inbox', `${path} is not there yet`, 'The node makes it when it runs.');
  if (kind !== 'directory')
    return not('fail', 'inbox', `${path} is no directory`, 'Move it away, or name another: inbox.dir.');
  if (isWritable) return ok('inbox', path);
  return not(
    'warn',
    'inbox',
    `${path}: you may not write there`,
    'Whoever copies music in needs to: join its group, or upload by tutti add.',
  );
}

/** Whether the key is there, and its owner's alone. */
export function clusterKey({ path, kind, mode }: PathFacts): Check {
  const name = 'cluster key';
  if (kind === 'missing')
    return not('note', name, 'there is none yet', 'tutti init makes it, tutti join takes it over.');
  if (kind === 'unreachable')
    return not('note', name, `${path} may not be looked at`, 'Run the doctor as the user of the node.');
  if (kind !== 'file') return not('fail', name, `${path} is no file`, 'Move it away.');
  const others = (mode ?? 0) & 0o077;
  const found = `${path}, mode ${(mode ?? 0).toString(8).padStart(4, '0')}`;
  return others === 0
    ? ok(name, found)
    : not(
        'warn',
        name,
        `${found}: others than its owner can read it`,
        `Whoever has the key is in the house: chmod 600 ${path}`,
      );
}

/** Whether the node can listen there, or does so already. */
export function portOf({ key, at, state }: PortFacts, isRunning: boolean): Check {
  if (state === 'free') return ok(key, `${at} is free`);
  if (state === 'EADDRINUSE') {
    return isRunning
      ? ok(key, `${at} is in use, and a node runs here`)
      : not(
          'fail',
          key,
          `${at} is taken by another program`,
          `End that, or set another port: ${key}. ss -lntp shows who has it.`,
        );
  }
  return not('fail', key, `${at}: ${state}`, `This machine cannot listen there: set ${key}.`);
}

/** Whether there is a card to play on that nobody else holds. */
export function soundCards({ devices, missing }: SoundCards, driver: Config['output']['driver']): Check {
  const name = 'sound card';
  if (driver === 'none') return ok(name, 'output.driver is "none": this node is silent, as it is set');
  if (driver === 'virtual') return ok(name, 'a simulated one');
  if (driver === 'speaker')
    return not(
      'note',
      name,
      'through the package speaker',
      'In step to tens of milliseconds only; output.driver = "alsa" does better.',
    );
  if (devices.length === 0) {
    return not(
      'warn',
      name,
      'none that plays',
      'tutti capabilities says how to bring one; without, the node is a silent member.',
    );
  }
  if (missing !== null)
    return not('fail', name, `${counted(devices.length, 'card')}, and alsa-lib cannot be called`, missing);
  const [first] = devices;
  const holder = first!.holder;
  if (holder === null || holder.program?.includes('node') === true || holder.program?.includes('tutti') === true) {
    return ok(name, `${first!.address} (${first!.kind})`);
  }
  return not(
    'warn',
    name,
    `${first!.address} is held by ${holder.program ?? `process ${holder.pid}`}`,
    'End that program, or name another card: output.device.',
  );
}

/** Whether the player may go before everything else. */
export function realtime({ limits, user }: Pick<Facts, 'limits' | 'user'>): Check {
  const name = 'real-time priority';
  if (user === 0 || limits.realtimePriority > 0)
    return ok(name, user === 0 ? 'the superuser may' : `up to ${limits.realtimePriority}`);
  return not(
    'warn',
    name,
    'not allowed (ulimit -r is 0): a busy machine may be heard',
    'LimitRTPRIO=50 in the systemd unit, or rtprio for this user in /etc/security/limits.conf.',
  );
}

/** Whether the player's buffers can be kept from being paged out. */
export function lockedMemory({ limits, user }: Pick<Facts, 'limits' | 'user'>): Check {
  const name = 'locked memory';
  const { lockedBytes } = limits;
  if (user === 0 || lockedBytes >= LOCKED_BYTES_GOOD)
    return ok(name, user === 0 ? 'the superuser may' : shownLimit(lockedBytes));
  return not(
    'note',
    name,
    `up to ${shownLimit(lockedBytes)} (ulimit -l)`,
    'LimitMEMLOCK=64M in the systemd unit keeps the buffers of the player from being paged out.',
  );
}

const shownLimit = (bytes: number): string =>
  bytes === Number.POSITIVE_INFINITY ? 'without a limit' : shownBytes(bytes);

/** Whether local time is one that nobody sets. */
export function clock(which: Facts['clock']): Check {
  return which === 'CLOCK_MONOTONIC_RAW'
    ? ok('clock', `${which}, which nothing sets`)
    : not(
        'warn',
        'clock',
        `${which}: NTP bends it`,
        'The package koffi does not load here; npm run setup says why. Rooms are less close without it.',
      );
}

/** That a node runs, and what it says of itself. */
export function runningNode(state: State | null): Check[] {
  if (state === null) return [not('note', 'node', 'none answers', 'tutti run starts it; --node names one elsewhere.')];
  const { node, cluster, alerts } = state;
  const role = cluster.role === 'waiting' ? 'it waits for tutti init or tutti join' : `it is a ${cluster.role}`;
  return [
    ok('node', `${node.name} (${node.version}) answers: ${role}`),
    ...alerts.map(({ code, severity }) => {
      const known = isErrorCode(code) ? ERRORS[code] : null;
      const verdict = severity === 'error' ? 'fail' : severity === 'warn' ? 'warn' : 'note';
      return not(
        verdict,
        'alert',
        `${code}: ${known?.title ?? 'a newer node knows what'}`,
        known?.advice ?? 'tutti status says more.',
      );
    }),
  ];
}
