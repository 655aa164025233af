/** What every Log keeps. */
import type { Test } from 'tap';
import type { Log, LogLevel } from '../../src/ports/log.js';

/** A line as it came out, with what became of its fields in JSON. */
interface SeenLine {
  readonly level: LogLevel;
  readonly area: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LogSetup {
  readonly log: Log;
  lines(): readonly SeenLine[];
}

export const runLogContract = (
  t: Test,
  name: string,
  setup: (init: { readonly debug: boolean }) => LogSetup,
): Promise<unknown> =>
  t.test(`${name} keeps the contract of Log`, async (t) => {
    await t.test('each level comes out in order, with its text and fields', (t) => {
      const { log, lines } = setup({ debug: true });
      log.debug('one', { a: 1 });
      log.info('two', { b: 'x', c: [true, null] });
      log.warn('three');
      log.error('four', {});
      t.match(lines(), [
        { level: 'debug', area: '', text: 'one', fields: { a: 1 } },
        { level: 'info', area: '', text: 'two', fields: { b: 'x', c: [true, null] } },
        { level: 'warn', area: '', text: 'three', fields: {} },
        { level: 'error', area: '', text: 'four', fields: {} },
      ]);
      t.equal(lines().length, 4);
      t.end();
    });

    await t.test('debug text is worked out only where it is wanted', (t) => {
      const quiet = setup({ debug: false });
      quiet.log.debug(() => {
        throw new Error('worked out');
      });
      quiet.log.debug('not wanted');
      t.same(quiet.lines(), []);
      const loud = setup({ debug: true });
      loud.log.debug(() => 'wanted');
      t.match(loud.lines(), [{ level: 'debug', text: 'wanted' }]);
      t.end();
    });

    await t.test('a child is the same log under its area, and areas nest', (t) => {
      const { log, lines } = setup({ debug: false });
      const player = log.child('player');
      player.child('card').warn('late');
      player.info('opened');
      log.info('over');
      player.debug(() => {
        throw new Error('a child wants what its parent wants');
      });
      t.match(lines(), [
        { area: 'player.card', text: 'late' },
        { area: 'player', text: 'opened' },
        { area: '', text: 'over' },
      ]);
      t.end();
    });

    await t.test('percent signs, line feeds and fields with the names of a line’s parts do no harm', (t) => {
      const { log, lines } = setup({ debug: false });
      log.info('100 %s of %d\nsecond line', { level: 'error', text: 'mine', area: 'there', time: 7 });
      t.equal(lines().length, 1);
      t.match(lines()[0], {
        level: 'info',
        area: '',
        text: '100 %s of %d\nsecond line',
        fields: { level: 'error', text: 'mine', area: 'there', time: 7 },
      });
      t.end();
    });

    await t.test('errors, bigints, circles and what JSON has no form for are taken', (t) => {
      const { log, lines } = setup({ debug: false });
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      log.error('odd', { error: new Error('broken'), big: 1n << 70n, circle, nothing: undefined, call: () => 1 });
      t.equal(lines().length, 1);
      t.match(lines()[0]?.fields, { error: { message: 'broken' } });
      t.equal(String(lines()[0]?.fields.big), '1180591620717411303424');
      t.end();
    });
  });
