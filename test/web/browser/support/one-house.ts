/** Journeys that share a browser and a house: either takes longer to start than most journeys last, and no journey needs a new one. */
import type { Browser } from 'playwright-core';
import t, { type Test } from 'tap';
import { missingBrowser, startBrowser } from './chromium.js';
import { PageHouse } from './page-house.js';

/** Where journeys go. */
export interface Place {
  readonly browser: Browser;
  /** Of three rooms, all well. */
  readonly house: PageHouse;
}

/** What takes its journeys through a place, one after another, and leaves it as well as it was. */
type Travel = (t: Test, place: Place) => Promise<void>;

/** Takes all of these through one place; `timeoutMs`: for all together, on a machine that is busy. */
export async function throughOneHouse(travels: Readonly<Record<string, Travel>>, timeoutMs = 230_000): Promise<void> {
  t.setTimeout(timeoutMs);
  await t.test('a house', { skip: missingBrowser }, async (t) => {
    const browser = await startBrowser(t);
    const house = await PageHouse.start(t);
    for (const [what, travel] of Object.entries(travels)) {
      await t.test(what, (t) => travel(t, { browser, house }));
    }
  });
}
