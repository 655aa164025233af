/**
 * The configuration of a node: text and environment in, one frozen value out.
 *
 * It is read once, at the start, and handed down: nothing in the program looks a setting up by itself. What the file calls
 * `output.idle_close_s` is `config.output.idleCloseS` here; what is derived from other settings has been worked out, and what an
 * empty text or -1 says in the file ("none") is null.
 */
import { parse, TomlError } from 'smol-toml';
import { Value } from 'typebox/value';
import { TuttiError } from '../core/errors.js';
import type { OutputChannels } from '../core/output-channels.js';
import { checkEnvironment, checkFile, isVital, type Problem, rightFor, type Written } from './check.js';
import { type HostPort, parseHostPort } from './host-port.js';
import { keyLines } from './key-lines.js';
import { CONFIG_KEYS, ConfigSchema, type ConfigValues } from './schema.js';

/** All settings of one node, frozen to its depths. schema.ts says what each one means and which values it may have. */
export interface Config {
  /** Never empty. */
  readonly name: string;
  readonly dataDir: string;
  readonly resumeAfterOutage: 'paused' | 'play';
  readonly cluster: {
    readonly keyFile: string;
    readonly listen: HostPort;
    /** Null: the first address on the local network, which only the running node can know. */
    readonly advertise: HostPort | null;
    /** Whether it tells the local network of itself, and listens for others. */
    readonly discovery: boolean;
    /** Milliseconds; `electionMs` is at least three of it. Both count where a cluster is formed, and nowhere else. */
    readonly heartbeatMs: number;
    /** Milliseconds. */
    readonly electionMs: number;
  };
  readonly http: {
    readonly listen: HostPort;
    readonly access: 'open' | 'token';
    readonly tokenFile: string;
  };
  readonly output: {
    readonly driver: 'auto' | 'alsa' | 'speaker' | 'virtual' | 'none';
    /** "auto", or what ALSA calls the device. */
    readonly device: string;
    readonly channels: OutputChannels;
    readonly mixer: 'unmute' | 'keep';
    readonly level: 'off' | 'track';
    /** Seconds; 0: at once. */
    readonly idleCloseS: number;
    readonly queueMs: number;
    /** Microseconds. */
    readonly latencyUs: number;
    /** Per cent, 0 to 100. */
    readonly volumeLimit: number;
    readonly virtual: {
      /** Parts per million. */
      readonly ppm: number;
      /** Path of a WAV file; null: nothing is written. */
      readonly capture: string | null;
      /** Path of a text file; null: nothing is written. */
      readonly captureTimes: string | null;
    };
  };
  readonly inbox: { readonly dir: string };
  /** Lines are BCM numbers, all different; null: there is no such button or LED. */
  readonly gpio: {
    readonly driver: 'auto' | 'onoff' | 'chardev' | 'none';
    readonly play: number | null;
    readonly pause: number | null;
    readonly skip: number | null;
    /** A text names an LED under /sys/class/leds. */
    readonly leaderLed: number | string | null;
    readonly statusLed: number | null;
  };
  readonly panel: {
    /** Path of the serial port; null: there is no panel. */
    readonly port: string | null;
    /** Bits a second on the line. */
    readonly baud: number;
  };
  readonly clock: {
    /** Microseconds, or "auto". */
    readonly maxErrorUs: number | 'auto';
  };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
  /** What was wrong and can be done without, a clause each: such a key counts as not written, a button or LED as not there, and GPIO at large as none. */
  readonly mistakes: readonly string[];
}

/** Keys of `[gpio]` that name what hangs at a line of its own. */
const LINES = ['play', 'pause', 'skip', 'leader_led', 'status_led'] as const;
const LINE_KEYS: ReadonlySet<string> = new Set(LINES.map((name) => `gpio.${name}`));

/** Heartbeats that may be lost one after another before a node counts as gone. */
const HEARTBEATS_PER_ELECTION_MIN = 3;

/** What the machine says of itself, for what the configuration leaves open. */
export interface Machine {
  readonly hostname: string;
}

/**
 * Reads a configuration.
 *
 * @param text the file's TOML; empty where there is none
 * @param env the environment; a variable such as TUTTI_HTTP_LISTEN goes before the file, and any other that begins with TUTTI_ is
 *   refused, save TUTTI_NODE and TUTTI_TOKEN, which are the command line's
 * @throws TuttiError BAD_CONFIG where a node could not be the one that was meant, with all problems at once: a line each in `detail`, and as
 *   the list `info.problems`
 */
export function parseConfig(text: string, env: Readonly<Record<string, string | undefined>>, machine: Machine): Config {
  let tree: unknown;
  try {
    tree = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The library's message goes on with a drawing of the place; its first line says it all.
    const problem = error.message.split('\n', 1)[0]!.replace(/^Invalid TOML document: /, '');
    throw badConfig([`line ${error.line}, column ${error.column}: not TOML: ${problem}`], error);
  }
  return readConfig(tree, keyLines(text), env, machine);
}

/**
 * Reads a configuration that was parsed already; else like {@link parseConfig}.
 *
 * @param tree tables as objects
 * @param lines on which line of its file each key stands, for the messages
 */
export function readConfig(
  tree: unknown,
  lines: ReadonlyMap<string, number>,
  env: Readonly<Record<string, string | undefined>>,
  machine: Machine,
): Config {
  const written: Written = new Map();
  const problems = [...checkFile(tree, lines, written), ...checkEnvironment(env, written)];
  // A line that was not meant may drive what hangs there: it is left alone, and all of them where it is not said which.
  for (const { path } of problems) {
    if (LINE_KEYS.has(path)) written.set(path, -1);
    else if (path.split('.', 1)[0] === 'gpio') written.set('gpio.driver', 'none');
  }
  const config = resolve(withDefaults(written), machine, problems);
  const mistakes = problems.map(({ text }) => text);
  if (problems.some(isVital)) throw badConfig(mistakes);
  return deepFrozen({ ...config, mistakes });
}

function badConfig(problems: readonly string[], cause?: unknown): TuttiError {
  const detail = problems.length === 1 ? problems[0]! : `${problems.length} problems:\n- ${problems.join('\n- ')}`;
  return new TuttiError('BAD_CONFIG', detail, { problems }, cause);
}

/** The schema's default for every key that was not written. */
function withDefaults(written: Written): ConfigValues {
  const values: Record<string, unknown> = {};
  for (const { path, schema } of CONFIG_KEYS) {
    let table = values;
    const names = path.split('.');
    for (const name of names.slice(0, -1)) {
      table[name] ??= {};
      table = table[name] as Record<string, unknown>;
    }
    table[names.at(-1)!] = written.get(path) ?? schema.default;
  }
  return Value.Parse(ConfigSchema, values);
}

/** Works out what is derived, and adds to `problems` what one key alone does not show. */
function resolve(values: ConfigValues, machine: Machine, problems: Problem[]): Omit<Config, 'mistakes'> {
  const { cluster, http, output, inbox, gpio, panel, clock, log } = values;
  const inDataDir = (path: string, fileName: string) =>
    path === '' ? `${values.data_dir.replace(/\/+$/, '')}/${fileName}` : path;

  const clusterListen = readAddress('cluster.listen', cluster.listen, problems);
  const httpListen = readAddress('http.listen', http.listen, problems);
  if (samePort(clusterListen, httpListen)) {
    problems.push({
      path: 'http.listen',
      text: `http.listen and cluster.listen: both take port ${httpListen.port}; right are two ports, such as 8080 and 7420`,
    });
  }
  const advertised =
    cluster.advertise === '' ? null : readAddress('cluster.advertise', cluster.advertise, problems, clusterListen.port);
  checkFindable(clusterListen, advertised, problems);
  if (cluster.election_ms < HEARTBEATS_PER_ELECTION_MIN * cluster.heartbeat_ms) {
    problems.push({
      path: 'cluster.election_ms',
      text: `cluster.election_ms: ${cluster.election_ms} is too soon after cluster.heartbeat_ms = ${cluster.heartbeat_ms}; right is at least ${HEARTBEATS_PER_ELECTION_MIN * cluster.heartbeat_ms}`,
    });
  }
  if (http.access === 'open' && http.token_file !== '') {
    problems.push({
      path: 'http.token_file',
      text: 'http.token_file: set, but http.access is "open", so nothing would ask for the token; right is http.access = "token", or no token_file',
    });
  }
  const isTwice = twiceNamed(gpio, problems);
  const lineOf = <Name extends (typeof LINES)[number]>(name: Name) => (isTwice.has(name) ? null : orNull(gpio[name]));

  return {
    name: nodeName(values.name, machine, problems),
    dataDir: values.data_dir,
    resumeAfterOutage: values.resume_after_outage,
    cluster: {
      keyFile: inDataDir(cluster.key_file, 'cluster.key'),
      listen: clusterListen,
      advertise: advertised,
      discovery: cluster.discovery,
      heartbeatMs: cluster.heartbeat_ms,
      electionMs: cluster.election_ms,
    },
    http: { listen: httpListen, access: http.access, tokenFile: inDataDir(http.token_file, 'http.token') },
    output: {
      driver: output.driver,
      device: output.device,
      channels: output.channels,
      mixer: output.mixer,
      level: output.level,
      idleCloseS: output.idle_close_s,
      queueMs: output.queue_ms,
      latencyUs: output.latency_us,
      volumeLimit: output.volume_limit,
      virtual: {
        ppm: output.virtual.ppm,
        capture: orNull(output.virtual.capture),
        captureTimes: orNull(output.virtual.capture_times),
      },
    },
    inbox: { dir: inDataDir(inbox.dir, 'inbox') },
    gpio: {
      driver: gpio.driver,
      play: lineOf('play'),
      pause: lineOf('pause'),
      skip: lineOf('skip'),
      leaderLed: lineOf('leader_led'),
      statusLed: lineOf('status_led'),
    },
    panel: { port: orNull(panel.port), baud: panel.baud },
    clock: { maxErrorUs: clock.max_error_us },
    log: { level: log.level },
  };
}

/** The file's way to say "none": an empty text, or -1. */
function orNull<T extends string | number>(value: T): T | null {
  return value === '' || value === -1 ? null : value;
}

function readAddress(path: string, text: string, problems: Problem[], defaultPort?: number): HostPort {
  const address = parseHostPort(text, defaultPort);
  if (address !== undefined) return address;
  const key = CONFIG_KEYS.find((candidate) => candidate.path === path)!;
  problems.push({
    path,
    text: `${path}: found ${JSON.stringify(text)}; right is ${rightFor(key.schema)}, the port at most 65535`,
  });
  // Stands in until the problems are thrown, so that the other checks can go on. Port 0 clashes with nothing.
  return { host: '', port: 0 };
}

/** Others look for a node where it says that it is, also after its next start: on a port that stays, and at an address of one machine. */
function checkFindable(listen: HostPort, advertise: HostPort | null, problems: Problem[]): void {
  // An address that cannot be read has its own problem, and no host.
  if (listen.host !== '' && listen.port === 0) {
    problems.push({
      path: 'cluster.listen',
      text: 'cluster.listen: port 0 is another one at each start; right is one that stays, such as 7420',
    });
  } else if (advertise !== null && advertise.host !== '' && (advertise.port === 0 || isEverywhere(advertise.host))) {
    problems.push({
      path: 'cluster.advertise',
      text: 'cluster.advertise: others reach no node at port 0, nor at an address that stands for all; right is a name or an address of this node, such as kitchen.local',
    });
  }
}

const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** True where two listeners would get in each other's way: one port, on one address or on all of them. */
function samePort(a: HostPort, b: HostPort): boolean {
  return a.port !== 0 && a.port === b.port && (a.host === b.host || isEverywhere(a.host) || isEverywhere(b.host));
}

/** Keys whose line is another key's already: they count as not there. Adds to `problems`. */
function twiceNamed(gpio: ConfigValues['gpio'], problems: Problem[]): ReadonlySet<string> {
  const takenBy = new Map<number, string>();
  const twice = new Set<string>();
  for (const name of LINES) {
    const line = gpio[name];
    if (typeof line !== 'number' || line === -1) continue;
    const other = takenBy.get(line);
    if (other === undefined) takenBy.set(line, name);
    else {
      const path = `gpio.${name}`;
      const text = `${path}: line ${line} is gpio.${other}'s already; right is a line of its own, or -1 for none`;
      problems.push({ path, text });
      twice.add(name);
    }
  }
  return twice;
}

function nodeName(name: string, { hostname }: Machine, problems: Problem[]): string {
  if (name !== '') return name;
  const derived = hostname.split('.', 1)[0]!;
  const key = CONFIG_KEYS.find((candidate) => candidate.path === 'name')!;
  if (derived === '' || !Value.Check(key.schema, derived)) {
    problems.push({
      path: 'name',
      text: `name: not set, and the host name ${JSON.stringify(hostname)} cannot serve; right is a name of your own`,
    });
  }
  return derived;
}

function deepFrozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFrozen(inner);
  }
  return Object.freeze(value);
}
