/** The real log keeps the contract of Log, as JSON for machines and as lines for people. */
import t from 'tap';
import { TuttiError } from '../../../src/core/errors.js';
import { createLog } from '../../../src/io/log/pino-log.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import type { LogLevel } from '../../../src/ports/log.js';
import { runLogContract } from '../../contract/log.js';

function recorded(init: { readonly level: LogLevel; readonly pretty: boolean }) {
  const written: string[] = [];
  const stream = { write: (line: string) => written.push(line) };
  return { log: createLog({ time: new FakeTime(), stream }, init), written };
}

await runLogContract(t, 'PinoLog', ({ debug }) => {
  const { log, written } = recorded({ level: debug ? 'debug' : 'info', pretty: false });
  const lines = () =>
    written.map((line) => {
      const { level, area = '', text, fields = {} } = JSON.parse(line);
      return { level, area, text, fields };
    });
  return { log, lines };
});

t.test('each line is one JSON object with the time in UTC, and ends in a line feed', (t) => {
  const { log, written } = recorded({ level: 'info', pretty: false });
  log.info('up', { port: 8080 });
  t.equal(written.length, 1);
  t.ok(written[0]!.endsWith('}\n'));
  t.same(JSON.parse(written[0]!), {
    level: 'info',
    time: '2024-01-01T00:00:00.000Z',
    text: 'up',
    fields: { port: 8080 },
  });
  t.end();
});

t.test('levels below the one that is set are left out', (t) => {
  const { log, written } = recorded({ level: 'error', pretty: false });
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level);
  t.same(
    written.map((line) => JSON.parse(line).level),
    ['error'],
  );
  t.end();
});

t.test('an error keeps its code, its particulars, its stack and its cause', (t) => {
  const { log, written } = recorded({ level: 'info', pretty: false });
  const error = new TuttiError('DISK_FULL', 'No room for "a".', { path: 'a' }, new Error('ENOSPC'));
  log.error('not stored', { error });
  t.match(JSON.parse(written[0]!).fields.error, {
    code: 'DISK_FULL',
    detail: 'No room for "a".',
    info: { path: 'a' },
    stack: /pino-log\.test[\s\S]*ENOSPC/,
  });
  t.end();
});

t.test('a person reads the time of day, the level, the area, the sentence and the fields', (t) => {
  const { log, written } = recorded({ level: 'debug', pretty: true });
  log.child('player').warn('The card ran dry.', { card: 'hw:0', frames: 480, why: 'two words', none: null });
  log.info('plain');
  log.error('bad', { error: new Error('broken card') });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with ESC
  const lines = written.map((line) => line.replace(/\x1b\[\d+m/g, ''));
  t.equal(lines[0], '00:00:00.000 WARN  player: The card ran dry. card=hw:0 frames=480 why="two words" none=null\n');
  t.equal(lines[1], '00:00:00.000 INFO  plain\n');
  t.match(lines[2], /^00:00:00\.000 ERROR bad error="broken card"\n {4}Error: broken card\n {8}at [^\n]+\n/);
  t.equal(written[0]!.includes('\x1b[33mWARN'), true, 'warnings are yellow');
  t.end();
});
