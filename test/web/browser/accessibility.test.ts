/** Every screen in every state, as the rules of accessibility see it. What a rule cannot see is in the journeys. */
import t from 'tap';
import { Daemon, temporaryFolder } from '../../support/daemon.js';
import { kill } from '../../support/three-nodes.js';
import { violationsOn } from './support/axe.js';
import { missingBrowser, startBrowser } from './support/chromium.js';
import { type Device, journey, NO_ANSWER, type OpenInit, refusedWith, type Visit } from './support/journey.js';
import { shows } from './support/on-the-page.js';
import { PageHouse, TITLES } from './support/page-house.js';

// A minute or two on a machine that has time.
t.setTimeout(230_000);

const REGIONS = ['now', 'queue', 'library', 'house', 'sync'] as const;
const HEADINGS = { now: 'Now', queue: 'Queue', library: 'Library', house: 'House', sync: 'Sync' } as const;

/** How people have set up their browsers. A page in 320 pixels is one on a desk that is enlarged four times. */
const LOOKS: readonly { readonly look: string; readonly device: Device; readonly traits: OpenInit['traits'] }[] = [
  { look: 'light', device: 'phone', traits: { colorScheme: 'light' } },
  { look: 'dark', device: 'desk', traits: { colorScheme: 'dark' } },
  { look: 'forced colours', device: 'desk', traits: { forcedColors: 'active' } },
  { look: '320 pixels', device: 'phone', traits: { viewport: { width: 320, height: 640 } } },
];

await t.test('every screen, by the rules', { skip: missingBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const house = await PageHouse.start(t);
  const init = { browser, origins: house.origins };
  /** Goes from region to region as a reader does, and looks at each. */
  const lookAtAll = async (t: { same(found: unknown, wanted: unknown, what: string): unknown }, { page }: Visit) => {
    for (const region of REGIONS) {
      await page.evaluate(`location.hash = '#/${region}'`);
      await page.getByRole('heading', { level: 1, name: HEADINGS[region] }).waitFor();
      t.same(await violationsOn(page), [], region);
      const overflow = await page.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
      t.same(Math.max(0, overflow), 0, `${region}: nothing has to be scrolled sideways`);
    }
  };

  for (const { look, device, traits } of LOOKS) {
    await t.test(`playing, ${look}: no rule is broken on any screen [row 52]`, (t) =>
      journey(t, init, async (open) => {
        await house.beginPlaying();
        const visit = await open(house.address('kitchen'), { device, traits: { reducedMotion: 'reduce', ...traits } });
        await shows(visit.page, TITLES[0]);
        await lookAtAll(t, visit);
      }),
    );
  }

  await t.test('what opens over the page breaks no rule either [row 52]', (t) =>
    journey(t, init, async (open) => {
      await house.begin([0, 1]);
      const { page } = await open(`${house.address('kitchen')}#/library`, { traits: { reducedMotion: 'reduce' } });
      await page.getByRole('button', { name: 'More for Bourree' }).click();
      await page.getByRole('menu').waitFor();
      t.same(await violationsOn(page), [], 'a menu of a row');
      await page.getByRole('menuitem', { name: 'Rename' }).click();
      await page.getByRole('dialog').waitFor();
      t.same(await violationsOn(page), [], 'a dialog');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Menu', exact: true }).click();
      t.same(await violationsOn(page), [], 'the menu of the page');
    }),
  );

  await t.test('a house without music, and a node without a house, break no rule [row 52]', async (t) => {
    const daemon = await Daemon.start(t, { dataDir: temporaryFolder(t), first: [] });
    const address = `http://kitchen.local:${daemon.port}`;
    await journey(t, { browser, origins: [address] }, async (open) => {
      const visit = await open(`${address}/`, { traits: { reducedMotion: 'reduce' } });
      await visit.page.getByRole('button', { name: 'Start a new house' }).waitFor();
      t.same(await violationsOn(visit.page), [], 'set-up');
      await visit.page.getByRole('button', { name: 'Start a new house' }).click();
      await visit.page.getByText('No music yet').waitFor();
      await lookAtAll(t, visit);
    });
  });

  await t.test('cut off from the others a page breaks no rule [row 50]', (t) =>
    journey(t, { ...init, expected: [NO_ANSWER, refusedWith(503)] }, async (open) => {
      await house.beginPlaying();
      const visit = await open(house.address('kitchen'), { traits: { reducedMotion: 'reduce' } });
      await shows(visit.page, TITLES[0]);
      await Promise.all([kill(house.daemons.attic), kill(house.daemons.hall)]);
      await visit.page
        .getByText(/^Cut off: /)
        .first()
        .waitFor();
      await lookAtAll(t, visit);
    }),
  );

  await t.test('without a word of its node a page breaks no rule [row 50]', (t) =>
    journey(t, { ...init, expected: [NO_ANSWER, refusedWith(503)] }, async (open) => {
      const { page } = await open(house.address('kitchen'), { traits: { reducedMotion: 'reduce' } });
      await page.locator('.room-line').first().waitFor();
      await kill(house.daemons.kitchen);
      await page
        .getByText(/^No word from kitchen/)
        .first()
        .waitFor();
      t.same(await violationsOn(page), []);
    }),
  );
});
