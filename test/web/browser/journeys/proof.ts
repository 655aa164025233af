/** Journeys of whoever wants to know for sure, J8, and of whoever has no pointer and no eyes for the page, J10. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import type { Sync } from '../../../../src/http/schema.js';
import { runTutti, until } from '../../../support/daemon.js';
import { song, stateOf } from '../../../support/three-nodes.js';
import { heardOn, LISTEN } from '../support/ears.js';
import { COUNT_SYNC, COUNT_TIMERS, COVER } from '../support/in-the-page.js';
import { journey } from '../support/journey.js';
import { button, shows } from '../support/on-the-page.js';
import type { Place } from '../support/one-house.js';
import { TITLES } from '../support/page-house.js';

/** Seconds in which all rooms have sounded, before there is something to prove. */
const SECONDS = 4;
/** So many seconds without sound, and what nodes tell each other of the last ones has come. */
const SILENT = 3;
/** Where the figures come from. */
const SYNC = '**/api/v1/sync';
/** A figure of the page is rounded to as much. Microseconds. */
const ROUNDED_US = 1;

/** Microseconds of a figure as the page writes it. */
function usOf(text: string): number {
  const [, figure, unit] = /([0-9.,]+)\s*(µs|ms|s)\b/.exec(text) ?? [];
  const scale = { µs: 1, ms: 1_000, s: 1_000_000 }[unit ?? ''];
  return Number(figure?.replaceAll(',', '')) * (scale ?? Number.NaN);
}

/** What has the focus, as a screen reader would call it. */
const focused = (page: Page): Promise<string> =>
  page.locator(':focus').evaluate((element) => element.getAttribute('aria-label') ?? element.textContent.trim());

/** All of them. */
export async function proof(t: Test, { browser, house }: Place): Promise<void> {
  const init = { browser, origins: house.origins };

  await t.test('J8: the sync screen says what the command line says, and gives it out as a file [rows 25, 52]', (t) =>
    journey(t, init, async (open) => {
      await house.beginPlaying([0]);
      const syncOf = async (): Promise<Sync> => (await house.daemons.kitchen.call('GET', '/sync')).json;
      await until(
        'there is something to compare',
        async () => {
          const { pairs } = await syncOf();
          return pairs.length === 3 && pairs.every(({ seconds }) => seconds >= SECONDS);
        },
        syncOf,
      );
      // What is over does not change any more.
      await house.daemons.kitchen.call('POST', '/transport/pause');
      await until('the rooms have been silent for a while', async () =>
        (await syncOf()).nodes.every(({ playoutErrorUs }) => playoutErrorUs.slice(-SILENT).every((us) => us === null)),
      );
      const { page, press } = await open(`${house.address('kitchen')}#/sync`);
      await page.getByRole('table', { name: 'Each two rooms' }).waitFor();
      await press(button(page, 'Hold'));
      await page.getByText('Held: the figures stand still.').waitFor();
      const download = page.waitForEvent('download');
      await press(button(page, 'Download as JSON'));
      const file = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as Sync;
      const { stdout } = await runTutti('sync-report', '--json', '--node', house.daemons.kitchen.url);
      const report = JSON.parse(stdout) as Sync;
      t.same(file.pairs, report.pairs, 'the file has the figures of the report');
      t.same(file.spread, report.spread);
      const rows = page.getByRole('table', { name: 'Each two rooms' }).locator('tbody tr');
      t.equal(await rows.count(), report.pairs.length);
      for (const [at, { p50Us, p95Us, p99Us, maxUs }] of report.pairs.entries()) {
        const cells = (await rows.nth(at).locator('td').allTextContents()).slice(1).map(usOf);
        for (const [column, us] of [p50Us, p95Us, p99Us, maxUs].entries()) {
          t.ok(Math.abs(cells[column]! - us!) <= Math.max(ROUNDED_US, us! / 100), `${cells[column]} is ${us}`);
        }
      }
      const columns = await page.getByRole('table', { name: 'In figures' }).locator('thead th').allTextContents();
      t.same(
        columns,
        report.nodes.map(({ name }) => name),
      );
      for (const title of ['Clock off by', 'Known to within', 'Drift of the clock', 'Rate of the card', 'Ran dry']) {
        t.equal(await page.getByRole('rowheader', { name: title }).count(), 1, title);
      }
      await page
        .getByText(/The whole height is ±[0-9.]+ (µs|ms|s)\./)
        .first()
        .waitFor();
    }),
  );

  await t.test(
    'J8: on a desk the rooms are seen in step under what plays, while it plays and is seen [rows 25, 52]',
    (t) =>
      journey(t, init, async (open) => {
        await house.beginPlaying();
        const { page, press } = await open(house.address('kitchen'), {
          before: COUNT_TIMERS + COUNT_SYNC + COVER,
          hasFakeClock: true,
        });
        const asked = () => page.waitForRequest(SYNC);
        await page.getByRole('figure', { name: 'The last two minutes' }).waitFor();
        await asked();
        await asked();
        const names = await page.locator('.chart-names li').allTextContents();
        t.same(names.sort(), ['attic', 'hall', 'kitchen']);

        await press(button(page, 'Pause'));
        await button(page, 'Play').waitFor();
        // Once more, for the last seconds.
        await page.clock.runFor('00:02');
        const asks = () => page.evaluate<number>('syncAsks');
        const before = await asks();
        await page.clock.runFor('00:05');
        t.equal(await asks(), before, 'what is silent has nothing new');
        const behind = await open(house.address('hall'), { before: `window.startsHidden = true; ${COVER}` });
        const seen = behind.page.waitForRequest(SYNC);
        await behind.page.evaluate("look('visible')");
        await seen;

        await press(button(page, 'Play'));
        await asked();
        await page.evaluate("look('hidden')");
        await page.clock.fastForward('00:15');
        await until('no timer is left', async () => (await page.evaluate('timers')) === 0);
      }),
  );

  await t.test(
    'J10: all of it is done by keys, what happens is said, and the focus stays where it is [rows 51, 52]',
    (t) =>
      journey(t, init, async (open) => {
        await house.begin([0, 1, 2]);
        const { page } = await open(house.address('kitchen'), { before: LISTEN });
        const key = (name: string) => page.keyboard.press(name);
        const isSaid = (wanted: string) =>
          until(
            `it is said: ${wanted}`,
            async () => (await heardOn(page)).some(({ role, text }) => role === 'status' && text === wanted),
            () => page.evaluate('window.heard'),
          );
        await button(page, 'Play').waitFor();
        await key('Tab');
        t.equal(await focused(page), 'Skip to the music', 'what comes first leads past the rest');

        await key('k');
        await house.settled('plays', ({ transport }) => transport.status === 'playing');
        await shows(page, TITLES[0]);
        await key('n');
        await shows(page, TITLES[1]);
        await isSaid(`Now playing ${TITLES[1]}`);
        await key('+');
        await house.settled('is louder', ({ volume }) => volume === 55);
        await key('k');
        await house.settled('has paused', ({ transport }) => transport.status === 'paused');

        await key('2');
        await until('the queue is at its head', async () => (await page.locator('h1').textContent()) === 'Queue');
        await until('the focus is on its heading', async () => (await focused(page)) === 'Queue');
        await key('/');
        await until('the focus is in the search', async () => (await focused(page)) === 'Search the library');
        await page.keyboard.type(`${TITLES[3]} k`);
        t.equal((await stateOf(house.daemons.kitchen)).transport.status, 'paused', 'what is typed presses nothing');
        await page.getByRole('searchbox').fill(TITLES[3]);
        const row = page.getByRole('list', { name: 'Library' }).locator('.row-main');
        await until('one song is found', async () => (await row.count()) === 1);
        await row.focus();
        await key('Enter');
        await isSaid(`${TITLES[3]} added to the queue`);
        t.match(await focused(page), TITLES[3], 'the focus is on its row');

        const chooser = page.waitForEvent('filechooser');
        await page.getByRole('button', { name: 'Add music' }).focus();
        await key('Enter');
        await (await chooser).setFiles({ name: 'By keys.wav', mimeType: 'audio/wav', buffer: Buffer.from(song(900)) });
        await isSaid('1 of 1 ready');
        await page.getByRole('button', { name: 'Add all 1 to the queue' }).focus();
        await key('Enter');
        await house.settled('has queued it', ({ queue }) => queue.at(-1)?.title === 'By keys');
        t.same(
          (await heardOn(page)).filter(({ role }) => role === 'alert'),
          [],
        );
      }),
  );
}
