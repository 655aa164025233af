/**
 * Writes the pages of docs/ that are tables of the program's own definitions: errors.md, configuration.md, cli.md, http.md, metrics.md.
 *
 *     node dist/src/dev/docs.js            writes them
 *     node dist/src/dev/docs.js --check    says which are not current, and ends with 1 if any is not
 *
 * A page that is made from the table that the program reads cannot say anything else than what the program does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { EXAMPLES } from '../cli/examples.js';
import { EXIT_CODES, exitCodeOf } from '../cli/exit-codes.js';
import { buildProgram } from '../cli/program.js';
import { systemComponents } from '../cli/system.js';
import { rightFor } from '../config/check.js';
import { CLIENT_VARIABLES, CONFIG_KEYS, CONFIG_TABLES, type ConfigKey } from '../config/schema.js';
import { ERRORS, type ErrorCode } from '../core/errors.js';
import { EVENT_GAP_MS, FULL_MS_MAX, PING_EVERY_MS, STREAMS_MAX, STREAMS_OF_ONE_MAX } from '../http/events.js';
import { JSON_BYTES_MAX, JSON_MS_MAX } from '../http/json-body.js';
import { METRICS } from '../http/metrics.js';
import { ANY_CALL, ANY_WRITE, pathOf } from '../http/openapi.js';
import { REFUSED_AT_ONCE, REFUSED_EVERY_MS } from '../http/refusal-limit.js';
import { EVENT_BYTES_MAX, EVENT_QUEUE_ITEMS } from '../http/state.js';
import { ROUTES } from '../http/table.js';
import { SLOW_BYTES, SLOW_MS, UPLOADS_OF_ONE_MAX } from '../http/upload.js';
import { INTAKES_MAX } from '../tracks/track-store.js';

/** The pages by their path in the repository. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/errors.md': errorsPage,
  'docs/configuration.md': configurationPage,
  'docs/cli.md': cliPage,
  'docs/http.md': httpPage,
  'docs/metrics.md': metricsPage,
};

/** Paths of the pages below `root` that differ from what they should be. */
export function stalePages(root: string): string[] {
  return Object.entries(PAGES)
    .filter(([path, render]) => textOf(join(root, path)) !== render())
    .map(([path]) => path);
}

const NOTICE = '<!-- Made by src/dev/docs.ts from the definitions in src/. Change those, not this page. -->';

const WHO = { caller: 'whoever asked', world: 'the world around the node', tutti: 'Tutti' } as const;

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, fault, title, advice }]) => [
    `<a id="${code.toLowerCase()}"></a>\`${code}\``,
    String(status),
    WHO[fault],
    String(exitCodeOf(code as ErrorCode)),
    title,
    advice,
  ]);
  return page([
    '# Errors',
    `Everything that can go wrong and is known, by its code. HTTP answers carry the code in an \`application/problem+json\` body (RFC 9457), with a
\`detail\` that says what exactly was wrong this time; the command line prints both, and ends with the exit code of the table. Branch on
codes, never on words: codes stay.`,
    markdownTable(['Code', 'HTTP status', 'Who has to act', 'Exit code', 'What is wrong', 'What to do'], rows),
  ]);
}

function configurationPage(): string {
  const tables = ['', ...CONFIG_TABLES].map((table) => ({
    table,
    keys: CONFIG_KEYS.filter(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('.'))) === table),
  }));
  return page([
    '# Configuration',
    `A node reads one TOML file at its start: \`/etc/tutti/tutti.toml\`, or what \`tutti run --config FILE\` names. Every key is optional, and
there need not be a file. Of a key that does not exist, a value of the wrong kind or a number out of bounds every one is named at once, with its line.
In \`[output]\`, \`[inbox]\`, \`[gpio]\`, \`[panel]\`, \`[clock]\` and \`[log]\` a mistake counts as not written: the node starts, says so in its log and in \`tutti doctor\`,
and BAD_CONFIG among its alerts. A button or LED with a mistake counts as not there, and after any other mistake in
\`[gpio]\` there is none at all: another line than was meant is left alone. With a mistake anywhere else, a name that is not known, or a file that is no
TOML the node does not start: it would be another one, in another house, or open to others than was meant.`,
    `Each key can be set by an environment variable, which goes before the file: \`TUTTI_\`, the table, the key, in capitals. Any other variable
that begins with \`TUTTI_\` is a mistake, save ${CLIENT_VARIABLES.map(code).join(' and ')}: these two are the command line's way to a node ([cli.md](cli.md)).`,
    `Beyond the bounds of each key:

- \`http.listen\` and \`cluster.listen\` are different ports.
- \`http.token_file\` is set only where \`http.access = "token"\`: else nothing would ask for the token, while the file says that something does.
- No two of the GPIO lines are the same. -1 means that there is no such button or LED.`,
    ...tables.flatMap(({ table, keys }) => [
      table === '' ? '## At the top of the file' : `## [${table}]`,
      markdownTable(['Key', 'Takes', 'Default', 'Variable', 'Meaning'], keys.map(keyRow)),
    ]),
  ]);
}

function keyRow({ path, variable, schema }: ConfigKey): string[] {
  const key = path.slice(path.lastIndexOf('.') + 1);
  const written = JSON.stringify(schema.default);
  const byDefault = schema.derived === undefined ? code(written) : `${code(written)}: ${schema.derived}`;
  return [code(key), rightFor(schema), byDefault, code(variable), schema.description ?? ''];
}

function cliPage(): string {
  const idle = () => Promise.resolve(0);
  const repair = () => Promise.reject(new Error('the pages repair nothing'));
  const own = systemComponents({ version: '', run: idle, demo: idle, repair, lampOff: idle });
  const program = buildProgram(own, { ended: () => undefined });
  return page([
    '# The command line',
    `\`tutti COMMAND\` asks a node over HTTP; \`run\`, \`demo\`, \`repair\`, \`lamp-off\`, \`capabilities\` and \`doctor\` work on this machine. Results go to standard output, errors and
everything else to standard error.`,
    `With \`--json\` each result is one line of JSON, as the node gave it, and an error is one line of JSON on standard error: \`code\`, \`title\`,
\`status\`, \`detail\`, \`advice\` and particulars such as \`trackId\`.`,
    `A track is named by its id, by the first eight or more digits of it, or by its title, with or without \`.wav\`, in capitals or not. Where
several fit, the error names them. \`tutti add\` takes a file that the library has already as done (exit code 0): what was wanted is the
case, and the same command can be given again after a break.`,
    `Every change carries an \`Idempotency-Key\`; where the connection breaks before the answer, it is sent once more with the same key, so that
nothing is done twice.`,
    '## Exit codes',
    markdownTable(
      ['Code', 'Meaning'],
      EXIT_CODES.map((row) => [String(row.code), row.meaning]),
    ),
    'The exit code of each error is in [errors.md](errors.md).',
    '## Options of every command',
    optionsTable(program),
    '## Commands',
    ...commandsOf(program, 'tutti').flatMap(commandSection),
  ]);
}

/** Questions that the metrics answer, each in PromQL, by what they are about. */
export const QUERIES: readonly { readonly asks: string; readonly promql: string }[] = [
  { asks: 'How far apart are the rooms, nearly always?', promql: 'max(tutti_sync_spread_seconds{stat="p99"})' },
  { asks: 'Which node knows the time worst?', promql: 'topk(1, tutti_clock_error_bound_seconds)' },
  { asks: 'Is some node silent that should sound?', promql: 'tutti_output_state{state="silent"} == 1' },
  {
    asks: 'Did a card run dry, or had the sound to be set anew, in the last hour?',
    promql: 'increase(tutti_output_underruns_total[1h]) + increase(tutti_output_snaps_total[1h]) > 0',
  },
  { asks: 'Is there no leader, or more than one?', promql: 'sum(tutti_leader) != 1' },
  { asks: 'How often did the leader change today?', promql: 'max(increase(tutti_leader_changes_total[1d]))' },
  {
    asks: 'How long does a commit take, 99 % of them?',
    promql: 'histogram_quantile(0.99, sum by (le) (rate(tutti_commit_duration_seconds_bucket[5m])))',
  },
  {
    asks: 'Which node lags behind the log?',
    promql: 'max(tutti_chosen_slot) - on() group_right() tutti_applied_slot > 10',
  },
  { asks: 'Which node lacks files?', promql: 'tutti_tracks_missing > 0' },
  { asks: 'Which card loses what was written to it?', promql: 'increase(tutti_damages_found_total[30d]) > 0' },
  {
    asks: 'When will a card be full, at the pace of this week?',
    promql: 'predict_linear(tutti_disk_free_bytes[7d], 30 * 86400) < 64 * 1024 * 1024',
  },
  { asks: 'Is any node refused, and why?', promql: 'sum by (code) (rate(tutti_http_refusals_total[5m])) > 0' },
  { asks: 'What needs attention?', promql: 'max by (code, severity, instance) (tutti_alerts) > 0' },
  { asks: 'Is a main thread too busy?', promql: 'rate(tutti_event_loop_active_seconds_total[1m]) > 0.8' },
];

function metricsPage(): string {
  const section = (about: string, metrics: (typeof METRICS)[string]) => [
    `## ${about}`,
    markdownTable(
      ['Metric', 'Type', 'Labels', 'Meaning'],
      metrics.map((metric) => [
        code(metric.name),
        metric.type,
        'labels' in metric ? metric.labels.map(code).join(' ') : '',
        metric.help,
      ]),
    ),
  ];
  return page([
    '# Metrics',
    `Every node tells Prometheus at \`/metrics\` what it knows and counts. It costs nothing while nobody asks. Ask each node; what is said is of the
node itself, save the spread, which every node works out of what all tell. Counters begin at 0 when the process starts. What is not known has no
sample: a node that waits for \`tutti init\` shows the last section only. No label holds a title, an id or an address.`,
    ...Object.entries(METRICS).flatMap(([about, metrics]) => section(about, metrics)),
    '## Questions, in PromQL',
    markdownTable(
      ['Question', 'Query'],
      QUERIES.map(({ asks, promql }) => [asks, code(promql)]),
    ),
  ]);
}

function httpPage(): string {
  const codes = (list: readonly ErrorCode[]) =>
    list.map((name) => `[\`${name}\`](errors.md#${name.toLowerCase()})`).join(', ');
  return page([
    '# HTTP',
    `Every node answers every call; a follower passes changes on to the leader. \`GET /api/v1/openapi.json\` is the contract with all forms, made from
the same table as this page. Errors are \`application/problem+json\` (RFC 9457) with a \`code\`: [errors.md](errors.md). A path that is there and takes
another method is answered with 405 and \`Allow\`.`,
    '## Who may do what',
    `Reading is for everyone who reaches the node, and needs no quorum. A change needs

- a \`Host\` that is this node: its name, \`NAME.local\`, a name or address of its machine, or what \`cluster.advertise\` says. A page could else point a
  name of its own at the node's address;
- an \`Origin\` that is absent, or this very host and port: no page of another site can press play. There are no CORS headers, so no such page can read either;
- where \`http.access = "token"\`: \`Authorization: Bearer TOKEN\`.

Only calls that were refused for one of these count against a limit: ${REFUSED_AT_ONCE} for each address, and one more in each ${REFUSED_EVERY_MS / 1_000} s. Over it the answer to such calls
is 429 \`TOO_MANY_REFUSED\` with \`Retry-After\`, and no token from there is looked at until then.`,
    '## Changes',
    `Each answers with \`Tutti-Slot\`, the place in the log that holds it, also where it is refused: a view whose \`appliedSlot\` is that or more takes it
into account. With an \`Idempotency-Key\` a repeat within ten minutes of cluster time has the first one's outcome; \`Tutti-First-Sent\` says when the first was sent.
\`expectItem\` names the item that the person saw. \`NO_QUORUM\` (no majority can be reached, or an election is under way) means that nothing was done, \`OUTCOME_UNKNOWN\` that it was sent and may yet take effect.`,
    '## Limits',
    markdownTable(
      ['What', 'Limit', 'Over it'],
      [
        ['A JSON body', `${JSON_BYTES_MAX} bytes, ${JSON_MS_MAX / 1_000} s`, codes(['BODY_TOO_LARGE', 'TOO_SLOW'])],
        ['Uploads at a time', `${INTAKES_MAX}, ${UPLOADS_OF_ONE_MAX} of them from one address`, codes(['BUSY'])],
        [
          'What an upload has to bring',
          `${SLOW_BYTES} bytes in any ${SLOW_MS / 1_000} s that the node waits for it`,
          codes(['TOO_SLOW']),
        ],
        ['Event streams at a time', `${STREAMS_MAX}, ${STREAMS_OF_ONE_MAX} of them from one address`, codes(['BUSY'])],
        [
          'A watcher that takes nothing',
          `${FULL_MS_MAX / 1_000} s`,
          'its stream is ended; it hears the newest when it is back',
        ],
        [
          'An event `state`',
          `${EVENT_BYTES_MAX} bytes, ${EVENT_QUEUE_ITEMS} items of the queue, one in ${EVENT_GAP_MS} ms`,
          'the whole queue comes as an event `queue`',
        ],
      ],
    ),
    '## Events',
    `\`GET /api/v1/events\` is a stream of server-sent events: first \`state\`, the view without its tracks, and again whenever it changes; \`queue\`, the whole of
a queue that is longer than \`state\` shows; \`tracks\`, what changed in the library since the revision \`since\`, and, where \`rev\` is the same, who holds which track now; \`ping\` every ${PING_EVERY_MS / 1_000} s with the time. Who comes back is
told the newest state, never the past.`,
    '## The page',
    `\`GET /\` is the page, which every node serves of its own and other nodes' music alike, and its files stand beside it: compressed when they were built,
those with a hash in their names for good. The document names its build, as \`node.webBuild\` does: a page that finds another there offers to be
loaded anew. Its policy (CSP) lets it run and fetch nothing but what this node serves, and ask the other nodes that were known then for a sign of life.`,
    '## Health',
    markdownTable(
      ['Call', 'Answer', 'Means'],
      [
        [
          '`GET /healthz`',
          '200 `{"status":"ok","code":null}`',
          'The process answers. No answer within seconds: restart it, as its watchdog does.',
        ],
        ['`GET /readyz`', '200 `{"status":"ok","code":null}`', 'Changes can be agreed here.'],
        [
          '',
          '503 `{"status":"not ready","code":"..."}`',
          `They cannot: ${codes(['NOT_A_MEMBER', 'NO_QUORUM', 'NODE_REMOVED', 'DISK_FAILED'])}, or why joining has not worked yet. What was agreed plays on, and every read is answered: no reason to restart it.`,
        ],
      ],
    ),
    '## Calls',
    `Every call may answer ${codes(ANY_CALL)}. Every change also ${codes(ANY_WRITE)}.`,
    markdownTable(
      ['Call', 'Does', 'Answers', 'May also answer'],
      ROUTES.map((route) => [
        code(`${route.method} ${pathOf(route)}`),
        route.summary,
        [route.answer.status, ...Object.keys(route.also ?? {})].join(', '),
        codes(route.refuses ?? []),
      ]),
    ),
  ]);
}

interface NamedCommand {
  readonly name: string;
  readonly command: Command;
}

function commandsOf(parent: Command, parentName: string): NamedCommand[] {
  return parent.commands.flatMap((command) => {
    const name = `${parentName} ${command.name()}`;
    return [{ name, command }, ...commandsOf(command, name)];
  });
}

function commandSection({ name, command }: NamedCommand): string[] {
  const usage = command
    .usage()
    .replace(/ ?\[command\]/, '')
    .replace(/^\[options\] ?/, '');
  const examples = EXAMPLES[name.split(' ').slice(1).join(' ')];
  const takes = [
    ...command.registeredArguments.map((argument) => [
      code(argument.name()),
      [argument.description, argument.argChoices?.join(', ') ?? ''].filter((part) => part !== '').join(': '),
    ]),
    ...command.options.map((option) => [code(option.flags), option.description]),
  ];
  return [
    `### ${`${name} ${usage}`.trim()}`.replace(/[<>]/g, (bracket) => `\\${bracket}`),
    command.description(),
    ...(takes.length === 0 ? [] : [markdownTable(['Takes', ''], takes)]),
    ...(examples === undefined ? [] : [`\`\`\`\n${examples.join('\n')}\n\`\`\``]),
  ];
}

function optionsTable(command: Command): string {
  return markdownTable(
    ['Option', ''],
    command.options.map((option) => [code(option.flags), option.description]),
  );
}

const page = (parts: readonly string[]): string => `${[NOTICE, ...parts].join('\n\n')}\n`;

const code = (text: string): string => `\`${text}\``;

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function main(argv: readonly string[]): number {
  const stale = stalePages('.');
  if (argv.includes('--check')) {
    for (const path of stale) console.error(`${path} is not current: run node dist/src/dev/docs.js`);
    return stale.length === 0 ? 0 : 1;
  }
  for (const path of stale) {
    writeFileSync(path, PAGES[path]!());
    console.log(`wrote ${path}`);
  }
  return 0;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = main(process.argv.slice(2));
}
