/**
 * The configuration, as it may stand in a file: every key with its default, bounds, unit and meaning, in one schema.
 *
 * The check, the names of the environment variables and docs/configuration.md are all read from here, so a new key is one new entry.
 * Beside what JSON Schema has, an entry may say: `unit`, what its number counts; `form`, what a text must look like, in words; and
 * `derived`, what an empty text stands for. "Key" everywhere means the dotted path, such as `output.virtual.ppm`.
 */
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { LATENCY_US } from '../core/latency.js';
import { OutputChannels } from '../core/output-channels.js';

/** No control characters: such a text could not be shown in a log line, and nobody means it. */
const PRINTABLE = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$';
/** The longest path that Linux takes: PATH_MAX less its NUL (limits.h). */
const PATH_CHARS_MAX = 4_095;
/** The longest host name that Linux takes: HOST_NAME_MAX (limits.h). A node's name is one by default. */
const NAME_CHARS_MAX = 64;
/** The last line of the Pi's GPIO (BCM2835 ARM Peripherals, chapter 6: lines 0 to 53). */
const GPIO_LINE_MAX = 53;
/** What ALSA, udev and sysfs call a device; none comes near this. Characters. */
const DEVICE_CHARS_MAX = 255;

/** One of a few words. */
const choice = <W extends string[]>(words: [...W], settings: { default: W[number]; description: string }) =>
  Type.Enum(words, settings);

const path = (settings: { default: string; derived?: string; description: string; minLength?: number }) =>
  Type.String({
    pattern: PRINTABLE,
    maxLength: PATH_CHARS_MAX,
    form: 'a path without control characters',
    ...settings,
  });

const gpioLine = (line: number, description: string) =>
  Type.Integer({ minimum: -1, maximum: GPIO_LINE_MAX, default: line, unit: 'BCM line, -1 for none', description });

/** The whole file. Tables become objects; every key is optional there and has its default here. */
export const ConfigSchema = Type.Object({
  name: Type.String({
    default: '',
    derived: 'the host name, up to its first dot',
    pattern: PRINTABLE,
    maxLength: NAME_CHARS_MAX,
    form: `at most ${NAME_CHARS_MAX} characters, none of them a control character`,
    description: 'What this node is called on the page, by the command line and by its peers.',
  }),
  data_dir: path({
    default: '/var/lib/tutti',
    minLength: 1,
    description: 'Where the node keeps its tracks, its log and its keys. No two nodes may share it.',
  }),
  resume_after_outage: choice(['paused', 'play'], {
    default: 'paused',
    description:
      'What the music does when the whole house was dark and comes back: it stands at its last mark, or goes on from there.',
  }),
  cluster: Type.Object({
    key_file: path({
      default: '',
      derived: 'data_dir/cluster.key',
      description:
        'The secret that the nodes share: 32 random bytes in hexadecimal, readable by its owner only (0600).',
    }),
    listen: Type.String({
      default: '0.0.0.0:7420',
      form: 'an address and a port such as "0.0.0.0:7420" or "[::]:7420"',
      description: 'Where peers reach this node: TCP for messages and tracks, and UDP on the same port for the clock.',
    }),
    advertise: Type.String({
      default: '',
      derived: 'the first address on the local network, with the port of cluster.listen',
      form: 'an address such as "192.168.1.20", or with a port such as "192.168.1.20:7420"',
      description: 'Where this node tells its peers to find it.',
    }),
    discovery: Type.Boolean({
      default: true,
      description:
        'Whether this node says on the local network, by multicast DNS, that it is there, and listens for others: for tutti find and the page. Never where it listens to this machine alone. Who is a member does not depend on it.',
    }),
    heartbeat_ms: Type.Integer({
      default: 100,
      minimum: 5,
      maximum: 10_000,
      unit: 'ms',
      description:
        'Between two heartbeats. Read where a cluster is formed and agreed from then on: a node that joins takes what it finds.',
    }),
    election_ms: Type.Integer({
      default: 500,
      minimum: 15,
      maximum: 60_000,
      unit: 'ms',
      description:
        'Silence after which a node counts as gone, at least three heartbeats. Agreed like cluster.heartbeat_ms.',
    }),
  }),
  http: Type.Object({
    listen: Type.String({
      default: '0.0.0.0:8080',
      form: 'an address and a port such as "0.0.0.0:8080" or "[::]:8080"',
      description: 'Where the page and the HTTP API are served. Port 0 takes any free one.',
    }),
    access: choice(['open', 'token'], {
      default: 'open',
      description:
        'Who may change what plays: everyone who reaches the node, or whoever has the token of http.token_file.',
    }),
    token_file: path({
      default: '',
      derived: 'data_dir/http.token',
      description: 'The token that http.access = "token" asks for.',
    }),
  }),
  output: Type.Object({
    driver: choice(['auto', 'alsa', 'speaker', 'virtual', 'none'], {
      default: 'auto',
      description:
        'How sound leaves the node. auto: alsa where there is a sound card when the node starts, or output.device names one, else none. speaker: through the npm package of that name, for laptops, in step to tens of milliseconds only. virtual: a simulated card.',
    }),
    device: Type.String({
      default: 'auto',
      minLength: 1,
      maxLength: DEVICE_CHARS_MAX,
      pattern: PRINTABLE,
      form: '"auto" or the name of an ALSA device such as "hw:CARD=sndrpihifiberry,DEV=0"',
      description:
        'Which sound card. auto: the first of I2S, USB, headphones, HDMI, looked up at each opening. `tutti capabilities` lists the names.',
    }),
    channels: Type.Enum(
      // The words are the replicated log's; here they get their place in the file.
      OutputChannels.anyOf.map((member) => member.const) as ['stereo', 'left', 'right', 'mono'],
      {
        default: 'stereo',
        description: 'Which sound of the stereo image this node gives: two nodes set to left and right make a pair.',
      },
    ),
    mixer: choice(['unmute', 'keep'], {
      default: 'unmute',
      description:
        "The card's own mixer, for alsa. unmute: playback switches on, hardware volume at 0 dB, at each opening. keep: as it stands.",
    }),
    level: choice(['off', 'track'], {
      default: 'off',
      description: 'track: every track is played at -18 LUFS by its agreed loudness, never so loud that it clips.',
    }),
    idle_close_s: Type.Integer({
      default: 600,
      minimum: 0,
      maximum: 86_400,
      unit: 's',
      description: 'Paused for this long, and for a second at least, the node lets the card go.',
    }),
    queue_ms: Type.Integer({
      default: 60,
      minimum: 20,
      maximum: 1_000,
      unit: 'ms',
      description:
        'Sound that is kept in the card. More rides out a busier machine; every command takes as much longer to be heard.',
    }),
    latency_us: Type.Integer({
      default: 0,
      minimum: LATENCY_US.least,
      maximum: LATENCY_US.most,
      unit: 'us',
      description: 'What the amplifier and the way to the ear add: the node plays earlier by as much.',
    }),
    volume_limit: Type.Integer({
      default: 100,
      minimum: 0,
      maximum: 100,
      unit: '%',
      description: 'The loudest that this node goes, whatever the volume says: for small speakers and small ears.',
    }),
    virtual: Type.Object({
      ppm: Type.Number({
        default: 0,
        minimum: -10_000,
        maximum: 10_000,
        unit: 'ppm',
        description: "How much faster than nominal the simulated card's crystal runs.",
      }),
      capture: path({
        default: '',
        derived: 'nothing is written',
        description: 'Write what the simulated card played to this WAV file.',
      }),
      capture_times: path({
        default: '',
        derived: 'nothing is written',
        description:
          'Write to this text file when that left the simulated card: lines of a frame and its instant, nanoseconds of CLOCK_MONOTONIC_RAW.',
      }),
    }),
  }),
  inbox: Type.Object({
    dir: path({
      default: '',
      derived: 'data_dir/inbox',
      description: 'WAV files that are copied into this directory become tracks; folders in it are not looked into.',
    }),
  }),
  gpio: Type.Object({
    driver: choice(['auto', 'onoff', 'chardev', 'none'], {
      default: 'auto',
      description: 'How buttons and LED are reached. auto: onoff where sysfs is writable, else chardev, else none.',
    }),
    play: gpioLine(5, 'The play button.'),
    pause: gpioLine(6, 'The pause button.'),
    skip: gpioLine(16, 'The skip button.'),
    leader_led: Type.Union(
      [
        Type.Integer({ minimum: -1, maximum: GPIO_LINE_MAX, unit: 'BCM line, -1 for none' }),
        Type.String({
          pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f/]+$',
          maxLength: DEVICE_CHARS_MAX,
          form: 'the name of an LED under /sys/class/leds such as "leader"',
        }),
      ],
      { default: 26, description: 'The LED that is lit on the one node that leads, and for nothing else.' },
    ),
    status_led: gpioLine(-1, 'A second LED, which blinks when a quorum is missing or a press is refused.'),
  }),
  panel: Type.Object({
    port: path({
      default: '',
      derived: 'no panel',
      description: 'The serial front panel, best by its stable name: /dev/serial/by-id/...',
    }),
    baud: Type.Integer({
      default: 115_200,
      minimum: 300,
      maximum: 4_000_000,
      unit: 'baud',
      description: 'The speed of the front panel.',
    }),
  }),
  clock: Type.Object({
    max_error_us: Type.Union([Type.Integer({ minimum: 10, maximum: 5_000, unit: 'us' }), Type.Literal('auto')], {
      default: 500,
      description:
        'The bound on the clock error below which a node may start to sound. auto: up to 5,000 where the link demands it.',
    }),
  }),
  log: Type.Object({
    level: choice(['debug', 'info', 'warn', 'error'], {
      default: 'info',
      description: 'The least important lines that still go to standard error.',
    }),
  }),
});
/** What a file means once every default is filled in: {@link readConfig} gives it its final form. */
export type ConfigValues = Static<typeof ConfigSchema>;

/** What this folder reads of a key's schema: JSON Schema's own keywords, and the three of ours. */
export interface KeySchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly KeySchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: string | number | boolean;
  readonly description?: string;
  readonly unit?: string;
  readonly form?: string;
  readonly derived?: string;
}

/** One key of the configuration. */
export interface ConfigKey {
  /** Dotted path: `http.listen`. */
  readonly path: string;
  /** Environment variable that sets it: `TUTTI_HTTP_LISTEN`. */
  readonly variable: string;
  readonly schema: TSchema & KeySchema;
}

/** Every key, in the order of the schema, tables before what is in them left out. */
export const CONFIG_KEYS: readonly ConfigKey[] = keysOf(ConfigSchema, '');

/** Every table: `http`, `output.virtual`, ... */
export const CONFIG_TABLES: readonly string[] = tablesOf(ConfigSchema, '');

/** Variables that begin with TUTTI_ and are not keys: the command line reads them to find its node. */
export const CLIENT_VARIABLES: readonly string[] = ['TUTTI_NODE', 'TUTTI_TOKEN'];

/**
 * Variables by which tests make a node's surroundings worse, and that nobody else has a use for: workers/log.ts and workers/intake.ts
 * read the first, the test card (test/card/tutti-card.c) the second; the third is a folder in which daemon/controls.ts looks for GPIO chips
 * in the place of / (test/gpio/fake-chip.c).
 */
export const TEST_VARIABLES: readonly string[] = [
  'TUTTI_TEST_SYNC_DELAY_MS',
  'TUTTI_CARD_CLOCK_OFFSET_NS',
  'TUTTI_TEST_GPIO_ROOT',
];

function keysOf(table: TObject, prefix: string): ConfigKey[] {
  return Object.entries(table.properties).flatMap(([name, schema]) =>
    isTable(schema)
      ? keysOf(schema, `${prefix}${name}.`)
      : [{ path: prefix + name, variable: variableOf(prefix + name), schema: schema as TSchema & KeySchema }],
  );
}

function tablesOf(table: TObject, prefix: string): string[] {
  return Object.entries(table.properties).flatMap(([name, schema]) =>
    isTable(schema) ? [prefix + name, ...tablesOf(schema, `${prefix}${name}.`)] : [],
  );
}

function isTable(schema: TSchema): schema is TObject {
  return Object.hasOwn(schema, 'properties');
}

function variableOf(path: string): string {
  return `TUTTI_${path.replaceAll('.', '_').toUpperCase()}`;
}
