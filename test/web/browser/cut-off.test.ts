/** The journeys of whoever stands in a room whose node is cut off, or dead. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { until } from '../../support/daemon.js';
import { kill, type NodeName, stateOf, together } from '../../support/three-nodes.js';
import { lookAtAll } from './journeys/every-screen.js';
import { violationsOn } from './support/axe.js';
import { missingBrowser, startBrowser } from './support/chromium.js';
import { heardOn, LISTEN } from './support/ears.js';
import { HOLD_VIEWS } from './support/in-the-page.js';
import { journey, NO_ANSWER, refusedWith } from './support/journey.js';
import { button, isAsked, shows } from './support/on-the-page.js';
import { PageHouse, TITLES } from './support/page-house.js';

// A minute or two on a machine that has time.
t.setTimeout(230_000);

/** A page that was loaded anew has lost it. */
const MARK = 'window.mark = "the same page"';
const isTheSamePage = (page: Page): Promise<boolean> => page.evaluate('window.mark === "the same page"');

/** What the slider says of the position. */
const position = (page: Page): Promise<string | null> =>
  page.getByRole('slider', { name: 'Position' }).getAttribute('aria-valuetext');

/** Waits until the position has moved. */
async function goesOn(page: Page): Promise<void> {
  const before = await position(page);
  await until('the position has moved on', async () => (await position(page)) !== before);
}

await t.test('when the line is cut', { skip: missingBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const house = await PageHouse.start(t);
  const init = { browser, origins: house.origins, expected: [NO_ANSWER, refusedWith(503)] };
  const whole = () => together(Object.values(house.daemons), 3);
  const restart = async (...names: readonly NodeName[]) => {
    for (const name of names) await house.restart(name);
    await whole();
  };

  await t.test(
    'J6: cut off from the others a page says so, plays on, and lets nothing be pressed that cannot be [rows 50, 52]',
    (t) =>
      journey(t, init, async (open) => {
        await house.beginPlaying();
        const visit = await open(house.address('kitchen'), {
          before: LISTEN + HOLD_VIEWS,
          traits: { reducedMotion: 'reduce' },
        });
        const { page } = visit;
        await shows(page, TITLES[0]);
        await page.evaluate(MARK);
        const { changedBy } = (await stateOf(house.daemons.kitchen)).transport;
        // Not within an election, of which the page knows.
        await until('the page believes that it can press', async () => {
          await page.evaluate('holdViews()');
          if ((await button(page, 'Skip').getAttribute('aria-disabled')) === 'false') return true;
          await page.evaluate('giveViews()');
          return false;
        });
        await Promise.all([kill(house.daemons.attic), kill(house.daemons.hall)]);
        await until('the node has noticed', async () => !(await stateOf(house.daemons.kitchen)).cluster.quorum);

        // The page does not know yet.
        await button(page, 'Skip').click();
        const isSaid = async (start: string) =>
          (await heardOn(page)).some(({ role, text }) => role === 'alert' && text.startsWith(start));
        await until('the refusal is read out', () => isSaid('This room cannot reach most of the others.'));
        t.notOk(await isAsked(button(page, 'Skip')), 'the button is as before');

        await page.evaluate('giveViews()');
        const banner = page
          .locator('.banner')
          .getByText('Cut off: kitchen sees 1 of 3. Music plays on; changes must wait.');
        await banner.waitFor();
        await goesOn(page);
        await until(
          'who is away is said in a word',
          async () => (await page.locator('.room-line').filter({ hasText: 'away' }).count()) === 2,
        );
        for (const name of ['Skip', 'Pause', 'Louder', 'Shuffle']) {
          t.equal(await button(page, name).getAttribute('aria-disabled'), 'true', name);
        }
        await button(page, 'Skip').focus();
        t.ok(await button(page, 'Skip').evaluate((element) => element === element.ownerDocument.activeElement));
        await page.keyboard.press('Enter');
        await until('the reason is read out', () => isSaid('Changes must wait'));
        await page.keyboard.press('Enter');
        await until(
          'and again to whoever presses again',
          async () => (await heardOn(page)).filter(({ text }) => text.startsWith('Changes must wait')).length === 2,
        );
        await page.getByRole('list', { name: 'Queue' }).getByText(TITLES[2]).waitFor();
        await page.getByRole('list', { name: 'Library' }).getByText(TITLES[4]).waitFor();

        await lookAtAll(t, visit);
        await page.evaluate("location.hash = '#/now'");

        await restart('attic', 'hall');
        await banner.waitFor({ state: 'detached' });
        t.ok(await isTheSamePage(page), 'nothing was loaded anew');
        // The first of the others to come back is seen before a leader is found.
        await until(
          'it can be pressed again',
          async () => (await button(page, 'Skip').getAttribute('aria-disabled')) === 'false',
        );
        const after = (await stateOf(house.daemons.kitchen)).transport.changedBy;
        t.same(after, changedBy, 'no press came true late');
      }),
  );

  const BREAKS: readonly {
    readonly how: string;
    readonly down: () => Promise<void> | void;
    readonly up: () => Promise<void> | void;
  }[] = [
    { how: 'killed', down: () => kill(house.daemons.kitchen), up: () => restart('kitchen') },
    {
      how: 'frozen',
      down: () => void house.daemons.kitchen.process.kill('SIGSTOP'),
      up: () => void house.daemons.kitchen.process.kill('SIGCONT'),
    },
  ];
  for (const { how, down, up } of BREAKS) {
    await t.test(
      `J7: the page of a node that is ${how} says for how long, where else to go, and is right again by itself [rows 20, 50]`,
      (t) =>
        journey(t, init, async (open) => {
          await whole();
          await house.beginPlaying();
          const { page } = await open(house.address('kitchen'), { before: LISTEN });
          await shows(page, TITLES[0]);
          await page.evaluate(MARK);
          const search = page.getByRole('searchbox');
          await search.fill('Cour');
          await down();
          const banner = page.getByText(/^No word from kitchen for [0-9]+ s\./);
          await banner.waitFor();
          const [first] = /[0-9]+/.exec((await banner.textContent())!)!;
          await until('it counts', async () => Number(/[0-9]+/.exec((await banner.textContent())!)) > Number(first));
          t.equal(await page.locator('main.stale').count(), 1, 'what it shows is muted');
          t.same(await violationsOn(page), [], 'and can be read');
          t.equal(await button(page, 'Skip').getAttribute('aria-disabled'), 'true');
          await goesOn(page);
          for (const name of ['attic', 'hall'] as const) {
            const href = await page.getByRole('link', { name, exact: true }).getAttribute('href');
            t.match(href, house.daemons[name].url, `the way to ${name}`);
          }
          await house.daemons.attic.call('POST', '/transport/pause');
          await up();
          await banner.waitFor({ state: 'detached' });
          await button(page, 'Play').waitFor();
          t.ok(await isTheSamePage(page), 'nothing was loaded anew');
          t.equal(await search.inputValue(), 'Cour', 'what was typed is still there');
          const heard = (await heardOn(page)).map(({ text }) => text);
          t.ok(
            heard.includes('There is no line to the node.') && heard.includes('kitchen is back.'),
            'for the ears too',
            {
              heard,
            },
          );
        }),
    );
  }
});
