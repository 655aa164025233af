/** Tabs that nobody looks at: they must not be in the way of one that somebody does, nor cost anything. */
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { until } from '../../../support/daemon.js';
import { COUNT_TIMERS, COVER, TELL_MUCH, WATCH_STREAMS } from '../support/in-the-page.js';
import { journey } from '../support/journey.js';
import { button, hold, shows } from '../support/on-the-page.js';
import type { Place } from '../support/one-house.js';
import { TITLES } from '../support/page-house.js';

/** A browser has so many connections for one node. */
const CONNECTIONS = 6;
/** States of a stream. */
const OPEN = 1;
const CLOSED = 2;
/** Longer than a page that nobody sees keeps its stream; and an afternoon. */
const A_WHILE = '00:15';
const AN_AFTERNOON = '04:00:00';

const openStreams = (page: Page): Promise<number> =>
  page.evaluate('streams.filter(({ readyState }) => readyState !== EventSource.CLOSED).length');

/** All of them. */
export async function tabs(t: Test, { browser, house }: Place): Promise<void> {
  const init = { browser, origins: house.origins };

  await t.test(
    'idle: a tab that is covered lets its stream go, asks for nothing more, and is right at once when it is seen [rows 20, 52]',
    (t) =>
      journey(t, init, async (open) => {
        await house.beginPlaying();
        const { page } = await open(house.address('kitchen'), {
          before: COUNT_TIMERS + WATCH_STREAMS + COVER,
          hasFakeClock: true,
        });
        await shows(page, TITLES[0]);
        // The afternoon passes in the page alone: the house has to stand still meanwhile.
        await house.daemons.kitchen.call('POST', '/transport/pause');
        await button(page, 'Play').waitFor();
        t.equal(await openStreams(page), 1);
        await page.evaluate("look('hidden')");
        await page.clock.fastForward(A_WHILE);
        await until('its stream is closed', async () => (await openStreams(page)) === 0);
        await until('no timer is left', async () => (await page.evaluate('timers')) === 0);
        const requests: string[] = [];
        page.on('request', (request) => requests.push(request.url()));
        await page.clock.fastForward(AN_AFTERNOON);
        t.equal(await openStreams(page), 0);
        t.same(requests, [], 'it asks for nothing');
        t.equal(await page.evaluate('timers'), 0, 'nor waits for anything');

        await house.daemons.hall.call('POST', '/transport/skip');
        await house.settled('has skipped', ({ transport }) => transport.title === TITLES[1]);
        t.equal(await page.title(), `${TITLES[0]} - kitchen`, 'of that it has not heard');
        await page.evaluate("look('visible')");
        await shows(page, TITLES[1]);
      }),
  );

  await t.test('the seventh tab of a browser loads and works beside six that are covered [rows 20, 52]', (t) =>
    journey(t, init, async (open) => {
      await house.beginPlaying();
      await house.daemons.kitchen.call('POST', '/transport/pause');
      const first = await open(house.address('kitchen'), { before: WATCH_STREAMS + COVER, hasFakeClock: true });
      const covered = [first];
      while (covered.length < CONNECTIONS) {
        await covered.at(-1)!.page.evaluate("look('hidden')");
        covered.push(await open(house.address('kitchen'), { beside: first }));
      }
      await covered.at(-1)!.page.evaluate("look('hidden')");
      await first.page.clock.fastForward(A_WHILE);
      for (const { page } of covered) await until('all are closed', async () => (await openStreams(page)) === 0);
      const { page, press } = await open(house.address('kitchen'), { beside: first });
      await shows(page, TITLES[0]);
      await press(button(page, 'Skip'));
      await shows(page, TITLES[1]);
    }),
  );

  await t.test('a page that is long in coming does not keep all that it is told, but hears it anew [row 52]', (t) =>
    journey(t, init, async (open) => {
      await house.begin();
      const { page, press } = await open(house.address('kitchen'), { before: WATCH_STREAMS + TELL_MUCH });
      await press(button(page, 'Play'));
      await shows(page, TITLES[0]);
      const states = await page.evaluate<number[]>('streams.map(({ readyState }) => readyState)');
      t.same(states, [CLOSED, OPEN]);
    }),
  );

  await t.test('the colours that a reader has chosen are there before the page is [row 52]', (t) =>
    journey(t, init, async (open) => {
      await house.begin();
      let rest: Awaited<ReturnType<typeof hold>> | null = null;
      const visit = await open(house.address('kitchen'), {
        before: "if (location.protocol === 'http:') localStorage.setItem('tutti.theme', 'dark');",
        prepare: async (tab) => {
          rest = await hold(tab, '/assets/page-*.js');
        },
      });
      const theme = () => visit.page.evaluate<string | undefined>('document.documentElement.dataset.theme');
      await until('it is dark', async () => (await theme()) === 'dark');
      t.equal(await button(visit.page, 'Play').count(), 0, 'of the page nothing is here yet');
      rest!.letGo();
      await button(visit.page, 'Play').waitFor();
      t.equal(await theme(), 'dark');
    }),
  );

  await t.test('a tab that is opened behind another one opens no stream until it is seen [row 52]', (t) =>
    journey(t, init, async (open) => {
      await house.beginPlaying();
      const before = `window.startsHidden = true; ${WATCH_STREAMS}${COVER}`;
      const { page } = await open(house.address('kitchen'), { before });
      await page.locator('.strip').waitFor();
      t.equal(await page.evaluate('streams.length'), 0);
      await page.evaluate("look('visible')");
      await shows(page, TITLES[0]);
      t.equal(await openStreams(page), 1);
    }),
  );
}
