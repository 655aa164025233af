/** Whatever the contract allows a node to say is shown, and none of it becomes a part of the page itself. */
import fc from 'fast-check';
import type { Page } from 'playwright-core';
import t from 'tap';
import {
  Members,
  Queue,
  type StateEvent,
  StateEvent as StateEventSchema,
  Sync,
  TrackList,
} from '../../../src/http/schema.js';
import { anyOf } from '../support/contract-values.js';
import { missingBrowser, startBrowser } from './support/chromium.js';
import { journey } from './support/journey.js';
import { STILL_ADDRESS, STILL_VIEW, standStill } from './support/still-house.js';

// Seconds on a machine that has time.
t.setTimeout(230_000);

const RUNS = 40;

/** What a node answers to the calls of a page that it has told this view. */
const anyHouse = fc.record({
  view: anyOf(StateEventSchema) as fc.Arbitrary<StateEvent>,
  answers: fc.record({
    tracks: anyOf(TrackList),
    queue: anyOf(Queue),
    sync: anyOf(Sync),
    members: anyOf(Members),
  }),
  region: fc.constantFrom('now', 'queue', 'library', 'house', 'sync', 'setup'),
});

/** Counts what goes wrong in the page. */
const COUNT_MISTAKES = `
  window.mistakes = [];
  addEventListener('error', ({ message }) => mistakes.push(message));
  addEventListener('unhandledrejection', ({ reason }) => mistakes.push(String(reason)));
`;

/** Tells the page of the house, and gives what must not be: mistakes, words that are none, markup that is not the page's own. */
const lookAt = (page: Page, view: StateEvent, region: string): Promise<readonly string[]> =>
  page.evaluate(`(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    location.hash = '#/${region}';
    window.mistakes = [];
    tell('state', ${JSON.stringify(view)});
    await frame();
    await fetch('/api/v1/tracks');
    await frame();
    await frame();
    const found = [...mistakes];
    if (window.owned !== undefined) found.push('somebody owns the page');
    for (const element of document.querySelectorAll('#app *')) {
      if (/^(IMG|SCRIPT|IFRAME|OBJECT|EMBED|LINK|STYLE|BASE)$/i.test(element.tagName)) found.push(element.outerHTML);
      for (const { name, value } of element.attributes) {
        if (name.startsWith('on') || (/^(href|src|action)$/.test(name) && /^javascript:/i.test(value))) found.push(element.outerHTML);
      }
    }
    for (const word of ['undefined', 'NaN', '[object ', 'Infinity']) {
      if (document.body.innerText.includes(word)) found.push(word + ' in: ' + document.body.innerText);
    }
    return found;
  })()`);

await t.test('any house', { skip: missingBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const origins = [new URL(STILL_ADDRESS).origin];

  await t.test('whatever the contract allows is shown in every region, and stays text [row 52]', (t) =>
    journey(t, { browser, origins }, async (open) => {
      let answers: Readonly<Record<string, unknown>> = {};
      const { page } = await open(STILL_ADDRESS, {
        before: COUNT_MISTAKES,
        traits: { reducedMotion: 'reduce' },
        prepare: async (page) => {
          await standStill(page, STILL_VIEW);
          await page.route(/\/api\/v1\/(tracks|queue|sync|members)$/, (route) => {
            const name = new URL(route.request().url()).pathname.split('/').at(-1)!;
            const body = JSON.stringify(answers[name] ?? null);
            return name in answers ? route.fulfill({ contentType: 'application/json', body }) : route.fallback();
          });
        },
      });
      await page.locator('.room-line').first().waitFor();
      await fc.assert(
        fc.asyncProperty(anyHouse, async ({ view, answers: given, region }) => {
          answers = given;
          const found = await lookAt(page, view, region);
          if (found.length > 0) throw new Error(found.join('\n'));
        }),
        // Each look takes the browser a while: the first that is wrong is shown as it is.
        { numRuns: RUNS, endOnFailure: true },
      );
      t.pass(`${RUNS} houses`);
    }),
  );
});
