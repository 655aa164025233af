import fc from 'fast-check';
import { stringify } from 'smol-toml';
import t from 'tap';
import { type Config, parseConfig, readConfig } from '../../src/config/config.js';
import { CONFIG_KEYS, CONFIG_TABLES } from '../../src/config/schema.js';
import { TuttiError } from '../../src/core/errors.js';

const MACHINE = { hostname: 'kitchen' };
const parse = (text: string, env: Record<string, string> = {}): Config => parseConfig(text, env, MACHINE);

/** The problems of a configuration that is refused, or the mistakes of one that is not. */
function problemsOf(text: string, env: Record<string, string> = {}, hostname = 'kitchen'): readonly string[] {
  try {
    const { mistakes } = parseConfig(text, env, { hostname });
    if (mistakes.length > 0) return mistakes;
  } catch (error) {
    if (error instanceof TuttiError && error.code === 'BAD_CONFIG') return error.info.problems as readonly string[];
    throw error;
  }
  throw new Error('it was accepted');
}

t.test('an empty file gives the documented defaults', (t) => {
  t.same(parse(''), {
    name: 'kitchen',
    dataDir: '/var/lib/tutti',
    resumeAfterOutage: 'paused',
    cluster: {
      keyFile: '/var/lib/tutti/cluster.key',
      listen: { host: '0.0.0.0', port: 7420 },
      advertise: null,
      discovery: true,
      heartbeatMs: 100,
      electionMs: 500,
    },
    http: { listen: { host: '0.0.0.0', port: 8080 }, access: 'open', tokenFile: '/var/lib/tutti/http.token' },
    output: {
      driver: 'auto',
      device: 'auto',
      channels: 'stereo',
      mixer: 'unmute',
      level: 'off',
      idleCloseS: 600,
      queueMs: 60,
      latencyUs: 0,
      volumeLimit: 100,
      virtual: { ppm: 0, capture: null, captureTimes: null },
    },
    inbox: { dir: '/var/lib/tutti/inbox' },
    gpio: { driver: 'auto', play: 5, pause: 6, skip: 16, leaderLed: 26, statusLed: null },
    panel: { port: null, baud: 115200 },
    clock: { maxErrorUs: 500 },
    log: { level: 'info' },
    mistakes: [],
  });
  t.end();
});

t.test('every key of a file arrives where the program looks for it', (t) => {
  const config = parse(`
name = "attic"
data_dir = "/srv/music/"
resume_after_outage = "play"
[cluster]
key_file = "/etc/tutti/key"
listen = "[::1]:7421"
advertise = "192.168.1.20"
discovery = false
heartbeat_ms = 30
election_ms = 200
[http]
listen = "127.0.0.1:8081"
access = "token"
[output]
driver = "virtual"
device = "hw:CARD=sndrpihifiberry,DEV=0"
channels = "left"
mixer = "keep"
level = "track"
idle_close_s = 0
queue_ms = 250
latency_us = -250
volume_limit = 70
[output.virtual]
ppm = -12.5
capture = "/tmp/out.wav"
capture_times = "/tmp/out.times"
[gpio]
driver = "none"
play = -1
leader_led = "leader"
status_led = 27
[panel]
port = "/dev/serial/by-id/usb-1"
baud = 9600
[clock]
max_error_us = "auto"
[log]
level = "debug"
`);
  t.same(config, {
    name: 'attic',
    dataDir: '/srv/music/',
    resumeAfterOutage: 'play',
    cluster: {
      keyFile: '/etc/tutti/key',
      listen: { host: '::1', port: 7421 },
      advertise: { host: '192.168.1.20', port: 7421 },
      discovery: false,
      heartbeatMs: 30,
      electionMs: 200,
    },
    http: { listen: { host: '127.0.0.1', port: 8081 }, access: 'token', tokenFile: '/srv/music/http.token' },
    output: {
      driver: 'virtual',
      device: 'hw:CARD=sndrpihifiberry,DEV=0',
      channels: 'left',
      mixer: 'keep',
      level: 'track',
      idleCloseS: 0,
      queueMs: 250,
      latencyUs: -250,
      volumeLimit: 70,
      virtual: { ppm: -12.5, capture: '/tmp/out.wav', captureTimes: '/tmp/out.times' },
    },
    inbox: { dir: '/srv/music/inbox' },
    gpio: { driver: 'none', play: null, pause: 6, skip: 16, leaderLed: 'leader', statusLed: 27 },
    panel: { port: '/dev/serial/by-id/usb-1', baud: 9600 },
    clock: { maxErrorUs: 'auto' },
    log: { level: 'debug' },
    mistakes: [],
  });
  t.end();
});

t.test('the result is frozen, all the way down', (t) => {
  const config = parse('');
  t.throws(() => Object.assign(config, { name: 'other' }), TypeError);
  t.throws(() => Object.assign(config.output.virtual, { ppm: 1 }), TypeError);
  t.throws(() => Object.assign(config.http.listen, { port: 1 }), TypeError);
  t.end();
});

t.test('all problems are named at once, each with its line and what would be right', (t) => {
  const problems = problemsOf(`nmae = "kitchen"
[http]
listen = "nowhere"
access = "maybe"
[output]
volume_limit = 120
channels = 2
[output.virtual]
ppm = nan
`);
  t.same(problems, [
    'nmae (line 1): there is no such key; did you mean name?',
    'http.access (line 4): found "maybe"; right is "open" or "token"',
    'output.volume_limit (line 6): found 120; right is a whole number from 0 to 100 (%)',
    'output.channels (line 7): found 2; right is "stereo", "left", "right" or "mono"',
    'output.virtual.ppm (line 9): found NaN; right is a number from -10000 to 10000 (ppm)',
    'http.listen: found "nowhere"; right is an address and a port such as "0.0.0.0:8080" or "[::]:8080", the port at most 65535',
  ]);
  t.end();
});

t.test('the detail of the error lists the problems; a single one stands alone', (t) => {
  const detailOf = (text: string): string => {
    try {
      parse(text);
    } catch (error) {
      return (error as TuttiError).detail;
    }
    return 'it was accepted';
  };
  t.equal(detailOf('http.access = 1'), 'http.access (line 1): found 1; right is "open" or "token"');
  t.match(detailOf('http.access = 1\nlog.level = "loud"'), /^2 problems:\n- http\.access .*\n- log\.level /);
  t.end();
});

t.test('with a mistake that it can do without the node starts, as if the key were not written', (t) => {
  const text = '[output]\nvolume_limit = 120\ndevice = "hw:1"\n[panel]\nboud = 9600';
  const { mistakes, output, panel } = parse(text);
  t.match(mistakes, [
    /^output\.volume_limit \(line 2\): found 120/,
    /^panel\.boud \(line 5\): there is no such key; did you mean panel\.baud\?/,
  ]);
  t.match(output, { volumeLimit: 100, device: 'hw:1' }, 'what is right counts');
  t.equal(panel.baud, 115_200);
  t.end();
});

t.test('a button or an LED with a mistake is not there', (t) => {
  const { gpio, mistakes } = parse('[gpio]\nplay = 99\nstatus_led = 26');
  t.equal(mistakes.length, 2);
  t.match(gpio, { driver: 'auto', play: null, pause: 6, skip: 16, leaderLed: 26, statusLed: null });
  const { gpio: overridden } = parse('[gpio]\nleader_led = 12', { TUTTI_GPIO_LEADER_LED: '99' });
  t.equal(overridden.leaderLed, null, 'nor is what the file says then');
  t.end();
});

t.test('where it is not said which button or LED is meant there is none', (t) => {
  for (const text of ['gpio = false', '[gpio]\ndriver = "off"', '[gpio]\nskpi = 20', '[gpio.led]\nleader = 12']) {
    const { gpio, mistakes } = parse(text);
    t.equal(mistakes.length, 1);
    t.equal(gpio.driver, 'none', text);
  }
  t.equal(parse('', { TUTTI_GPIO_LED: '12' }).gpio.driver, 'none');
  t.end();
});

t.test('a node that would be another one, or elsewhere, does not start', (t) => {
  for (const text of [
    'name = 1',
    'data_dir = ""',
    '[clutser]\nlisten = "0.0.0.0:1"',
    '[http]\nx = 1',
    '[server]\naccess = "token"',
    'listen = "127.0.0.1:9000"',
    '[gpoi]\nleader_led = 12',
  ]) {
    t.throws(() => parse(text), { code: 'BAD_CONFIG' }, text);
  }
  for (const name of ['TUTTI_CLUSTER_LISTN', 'TUTTI_CLUSTER_SECRET', 'TUTTI_HTTP_TOKEN', 'TUTTI_TEAPOT_COLOUR']) {
    t.throws(() => parse('', { [name]: 'x' }), { code: 'BAD_CONFIG' }, name);
  }
  t.end();
});

t.test('what is no TOML is refused with line and column', (t) => {
  t.same(problemsOf('name = "kitchen"\npanel = \n'), ['line 2, column 9: not TOML: invalid value']);
  t.match(problemsOf('a = 1\na = 2')[0], /^line 2, column 1: not TOML: trying to redefine/);
  t.match(problemsOf(`deep = ${'['.repeat(2_000)}`)[0], /not TOML/);
  t.end();
});

t.test('a node counts as gone after three heartbeats at the soonest', (t) => {
  t.equal(parse('[cluster]\nheartbeat_ms = 100\nelection_ms = 300').cluster.electionMs, 300);
  t.same(problemsOf('[cluster]\nheartbeat_ms = 100\nelection_ms = 299'), [
    'cluster.election_ms: 299 is too soon after cluster.heartbeat_ms = 100; right is at least 300',
  ]);
  t.end();
});

t.test('values of the wrong kind are described', (t) => {
  const found = (value: string) => problemsOf(`log.level = ${value}`)[0]!.replace(/^.*found (.*); right.*$/, '$1');
  t.equal(found('[1]'), 'a list');
  t.equal(found('{ a = 1 }'), 'a table');
  t.equal(found('1979-05-27'), 'a date');
  t.equal(found('true'), 'true');
  t.equal(found('"a\\nb"'), '"a\\nb"');
  t.equal(found(`"${'x'.repeat(100)}"`), `"${'x'.repeat(60)}..."`);
  t.same(problemsOf('output = 5'), ['output (line 1): found 5; right is a table']);
  t.same(problemsOf('output = 1979-05-27'), ['output (line 1): found a date; right is a table']);
  t.end();
});

t.test('an unknown key is answered with the one that was meant', (t) => {
  const meant = (text: string) => /did you mean (\S+)\?/.exec(problemsOf(text)[0]!)?.[1];
  t.equal(meant('[output]\nvolume_limt = 50'), 'output.volume_limit', 'a letter is missing');
  t.equal(meant('[http]\nlsiten = "x"'), 'http.listen', 'two letters are swapped');
  t.equal(meant('volume_limit = 50'), 'output.volume_limit', 'it stands in the wrong table');
  t.equal(meant('[ouput]\ndriver = "none"'), 'output', 'the table is misspelt');
  t.equal(meant('teapot = 1'), undefined, 'nothing is near');
  t.end();
});

t.test('unknown keys named like parts of objects are only unknown keys', (t) => {
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
    t.match(problemsOf(`${name} = 1`)[0], `${name} (line 1): there is no such key`);
    t.match(problemsOf(`[http]\n${name} = 1`)[0], `http.${name} (line 2): there is no such key`);
  }
  t.end();
});

t.test('the environment goes before the file', (t) => {
  const text = '[http]\nlisten = "0.0.0.0:9000"\n[output]\nvolume_limit = 30';
  const config = parse(text, {
    TUTTI_HTTP_LISTEN: '127.0.0.1:9001',
    TUTTI_OUTPUT_VIRTUAL_PPM: '+12.5',
    TUTTI_DATA_DIR: '/tmp/n1',
    TUTTI_GPIO_LEADER_LED: '17',
    TUTTI_CLOCK_MAX_ERROR_US: 'auto',
    TUTTI_NAME: '42',
  });
  t.same(config.http.listen, { host: '127.0.0.1', port: 9001 });
  t.equal(config.output.virtual.ppm, 12.5);
  t.equal(config.output.volumeLimit, 30, 'what it does not name stays as the file has it');
  t.equal(config.inbox.dir, '/tmp/n1/inbox', 'what is derived follows');
  t.equal(config.gpio.leaderLed, 17, 'a number where a number will do');
  t.equal(config.clock.maxErrorUs, 'auto');
  t.equal(config.name, '42', 'a text where only a text will do');
  t.equal(parse('', { TUTTI_GPIO_LEADER_LED: 'leader' }).gpio.leaderLed, 'leader');
  t.end();
});

t.test('every key can be set by a variable of its own', (t) => {
  const variables = CONFIG_KEYS.map((key) => key.variable);
  t.equal(new Set(variables).size, CONFIG_KEYS.length);
  const defaults = Object.fromEntries(CONFIG_KEYS.map((key) => [key.variable, String(key.schema.default)]));
  t.same(parse('', defaults), parse(''), 'the defaults, given as variables, are the defaults');
  t.end();
});

t.test('variables that begin with TUTTI_ are known ones, or refused', (t) => {
  t.same(problemsOf('', { TUTTI_HTPP_LISTEN: 'x', TUTTI_OUTPUT_VOLUME_LIMIT: 'loud', TUTTI_TEAPOT_COLOUR: '' }), [
    'environment variable TUTTI_HTPP_LISTEN: there is no such variable; did you mean TUTTI_HTTP_LISTEN?',
    'output.volume_limit (environment variable TUTTI_OUTPUT_VOLUME_LIMIT): found "loud"; right is a whole number from 0 to 100 (%)',
    'environment variable TUTTI_TEAPOT_COLOUR: there is no such variable',
  ]);
  t.doesNotThrow(() => parse('', { TUTTI_NODE: 'http://kitchen.local:8080', TUTTI_TOKEN: 'x', PATH: '/bin' }));
  t.doesNotThrow(() => parse('', { TUTTI_TEST_SYNC_DELAY_MS: '50' }), "the tests' own");
  t.doesNotThrow(() => parseConfig('', { TUTTI_NAME: undefined, TUTTI_TEAPOT: undefined }, MACHINE));
  t.end();
});

t.test('where other nodes could not find this one is no place to be', (t) => {
  t.strictSame(problemsOf('cluster.listen = "0.0.0.0:0"'), [
    'cluster.listen: port 0 is another one at each start; right is one that stays, such as 7420',
  ]);
  for (const address of ['0.0.0.0', '[::]:7420', 'kitchen.local:0']) {
    t.match(problemsOf(`cluster.advertise = "${address}"`), [/^cluster\.advertise: others reach no node at /], address);
  }
  t.equal(problemsOf('cluster.listen = "nowhere:x"').length, 1, 'what cannot be read is not judged as well');
  t.same(parse('cluster.advertise = "kitchen.local"').cluster.advertise, { host: 'kitchen.local', port: 7420 });
  t.end();
});

t.test('keys that contradict one another are refused', (t) => {
  t.same(problemsOf('gpio.play = 6\ngpio.status_led = 26'), [
    "gpio.pause: line 6 is gpio.play's already; right is a line of its own, or -1 for none",
    "gpio.status_led: line 26 is gpio.leader_led's already; right is a line of its own, or -1 for none",
  ]);
  t.doesNotThrow(() => parse('[gpio]\nplay = -1\npause = -1\nskip = -1\nleader_led = -1'), 'none is not a line');

  t.match(problemsOf('http.token_file = "/etc/token"')[0], /^http\.token_file: set, but http\.access is "open"/);
  t.equal(parse('[http]\naccess = "token"\ntoken_file = "/etc/token"').http.tokenFile, '/etc/token');

  const clash = /^http\.listen and cluster\.listen: both take port 7420/;
  t.match(problemsOf('http.listen = "0.0.0.0:7420"')[0], clash);
  t.match(problemsOf('http.listen = "127.0.0.1:7420"')[0], clash, 'all addresses include this one');
  t.match(problemsOf('http.listen = "[::]:7420"\ncluster.listen = "127.0.0.1:7420"')[0], clash);
  t.match(problemsOf('http.listen = "10.0.0.1:7420"\ncluster.listen = "10.0.0.1:7420"')[0], clash);
  t.doesNotThrow(() => parse('http.listen = "10.0.0.1:7420"\ncluster.listen = "10.0.0.2:7420"'));
  t.doesNotThrow(() => parse('http.listen = "127.0.0.1:0"'), 'any free one');
  t.end();
});

t.test('the name is the host name up to its first dot, where that will do', (t) => {
  t.equal(parseConfig('', {}, { hostname: 'attic.example.org' }).name, 'attic');
  for (const hostname of ['', '.local', 'a\u0007b', 'x'.repeat(65)]) {
    t.match(problemsOf('', {}, hostname)[0], /^name: not set, and the host name .* cannot serve/);
  }
  t.equal(parseConfig('name = "Küche"', {}, { hostname: '' }).name, 'Küche');
  t.match(problemsOf('name = "a\\u0007b"')[0], /^name \(line 1\): found "a\\u0007b"; right is at most 64 characters/);
  t.end();
});

t.test('the root of the file system can be the data directory', (t) => {
  t.equal(parse('data_dir = "/"').inbox.dir, '/inbox');
  t.match(problemsOf('data_dir = ""')[0], /^data_dir/);
  t.end();
});

// ---- Whatever is written ------------------------------------------------------------------------------------------------------

/** Ends with a Config or BAD_CONFIG; anything else that is thrown fails the property. */
function endsWell(read: () => Config): boolean {
  try {
    return Object.isFrozen(read());
  } catch (error) {
    if (error instanceof TuttiError && error.code === 'BAD_CONFIG') {
      return (error.info.problems as readonly string[]).every((problem) => problem.length > 0);
    }
    throw error;
  }
}

const anyValue = fc.oneof(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }), fc.double());

/** Trees that have real keys and tables in them, so that more than the first check is reached. */
const nearlyConfig = fc
  .dictionary(fc.constantFrom(...CONFIG_KEYS.map((key) => key.path), ...CONFIG_TABLES, 'nmae'), anyValue)
  .map((flat) => {
    const tree: Record<string, unknown> = {};
    for (const [path, value] of Object.entries(flat)) {
      const names = path.split('.');
      let table = tree;
      for (const name of names.slice(0, -1)) {
        const inner = table[name];
        table[name] = typeof inner === 'object' && inner !== null && Object.isExtensible(inner) ? inner : {};
        table = table[name] as Record<string, unknown>;
      }
      table[names.at(-1)!] = value;
    }
    return tree;
  });

t.test('any object gives a configuration or BAD_CONFIG', (t) => {
  const property = fc.property(fc.oneof(anyValue, nearlyConfig), (tree) =>
    endsWell(() => readConfig(tree, new Map(), {}, MACHINE)),
  );
  fc.assert(property, { seed: 1, numRuns: 2_000 });
  t.end();
});

t.test('any text gives a configuration or BAD_CONFIG', (t) => {
  const tomlLike = fc
    .array(
      fc.constantFrom('[', ']', '{', '}', '"', "'", '"""', '\n', '=', '.', 'http', 'listen', '1', ' ', '#', 'e5', '-'),
    )
    .map((parts) => parts.join(''));
  const property = fc.property(fc.oneof(fc.string({ unit: 'binary' }), tomlLike), (text) =>
    endsWell(() => parse(text)),
  );
  fc.assert(property, { seed: 1, numRuns: 3_000 });
  t.end();
});

t.test('any environment gives a configuration or BAD_CONFIG', (t) => {
  const name = fc.oneof(
    fc.constantFrom(...CONFIG_KEYS.map((key) => key.variable)),
    fc.string().map((s) => `TUTTI_${s}`),
  );
  const property = fc.property(fc.dictionary(name, fc.string()), (env) => endsWell(() => parse('', env)));
  fc.assert(property, { seed: 1, numRuns: 1_000 });
  t.end();
});

t.test('a file says the same as the object that it was written from', (t) => {
  const volume = fc.integer({ min: -10, max: 110 });
  const level = fc.constantFrom('debug', 'info', 'loud');
  const property = fc.property(volume, level, (volume_limit, level) => {
    const tree = { output: { volume_limit }, log: { level } };
    const { output, log: read, mistakes } = parse(stringify(tree));
    const isVolume = volume_limit >= 0 && volume_limit <= 100;
    return (
      output.volumeLimit === (isVolume ? volume_limit : 100) &&
      read.level === (level === 'loud' ? 'info' : level) &&
      mistakes.length === Number(!isVolume) + Number(level === 'loud')
    );
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
  t.end();
});

t.test('a switch is true or false, in the file and in the environment, and nothing else', (t) => {
  const machine = { hostname: 'kitchen' };
  const discovery = (text: string, env = {}) => parseConfig(text, env, machine).cluster.discovery;
  t.equal(discovery('[cluster]\ndiscovery = false'), false);
  t.equal(discovery('', { TUTTI_CLUSTER_DISCOVERY: 'false' }), false);
  t.equal(discovery('[cluster]\ndiscovery = false', { TUTTI_CLUSTER_DISCOVERY: 'true' }), true);
  for (const [text, env] of [
    ['[cluster]\ndiscovery = "no"', {}],
    ['[cluster]\ndiscovery = 0', {}],
    ['', { TUTTI_CLUSTER_DISCOVERY: '1' }],
  ] as const) {
    t.throws(() => discovery(text, env), { code: 'BAD_CONFIG', message: /cluster.discovery.*right is true or false/ });
  }
  t.end();
});
