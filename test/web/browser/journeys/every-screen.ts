/** Every screen, as the rules of accessibility see it. What a rule cannot see is in the other journeys. */
import type { Test } from 'tap';
import { Daemon, temporaryFolder } from '../../../support/daemon.js';
import { violationsOn } from '../support/axe.js';
import { type Device, journey, type OpenInit, type Visit } from '../support/journey.js';
import { shows } from '../support/on-the-page.js';
import type { Place } from '../support/one-house.js';
import { TITLES } from '../support/page-house.js';

/** Pixels. */
const DESK_WIDTH_MIN = 1_024;
const REGIONS = ['now', 'queue', 'library', 'house', 'sync'] as const;
const HEADINGS = { now: 'Now', queue: 'Queue', library: 'Library', house: 'House', sync: 'Sync' } as const;

/** How people have set up their browsers. A page in 320 pixels is one on a desk that is enlarged four times. */
const LOOKS: readonly { readonly look: string; readonly device: Device; readonly traits: OpenInit['traits'] }[] = [
  { look: 'light', device: 'phone', traits: { colorScheme: 'light' } },
  { look: 'dark', device: 'desk', traits: { colorScheme: 'dark' } },
  { look: 'forced colours', device: 'desk', traits: { forcedColors: 'active' } },
  { look: '320 pixels', device: 'phone', traits: { viewport: { width: 320, height: 640 } } },
];

/** Goes from region to region as a reader does, and looks at each. */
export async function lookAtAll(t: Pick<Test, 'same'>, { page }: Visit): Promise<void> {
  // A desk shows all but the last at once.
  const isDesk = (page.viewportSize()?.width ?? 0) >= DESK_WIDTH_MIN;
  for (const region of isDesk ? (['now', 'sync'] as const) : REGIONS) {
    await page.evaluate(`location.hash = '#/${region}'`);
    await page.getByRole('heading', { level: 1, name: HEADINGS[region] }).waitFor();
    t.same(await violationsOn(page), [], region);
    const overflow = await page.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
    t.same(Math.max(0, overflow), 0, `${region}: nothing has to be scrolled sideways`);
  }
}

/** All of them in a house that is well, and where there is none. */
export async function everyScreen(t: Test, { browser, house }: Place): Promise<void> {
  const init = { browser, origins: house.origins };

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
}
