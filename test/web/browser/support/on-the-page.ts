/** What a reader finds on the page, by the names that a screen reader would say. */
import type { Locator, Page, Route } from 'playwright-core';
import { until } from '../../../support/daemon.js';

/** A button by its whole name. Of several that look alike, the first that can be seen. */
export const button = (page: Page, name: string): Locator =>
  page.getByRole('button', { name, exact: true }).filter({ visible: true }).first();

/** What says that somebody asked for it and it has not come to be yet. */
export const isAsked = (target: Locator): Promise<boolean> =>
  target.evaluate((element) => element.classList.contains('asked'));

/** Waits until the page says that this song is the current one of that node. */
export const shows = (page: Page, title: string, node = 'kitchen'): Promise<boolean> =>
  until(`the page shows ${title}`, async () => (await page.title()) === `${title} - ${node}`);

/** Holds back the next call whose address ends so until it is let go. */
export async function hold(page: Page, path: string): Promise<{ readonly arrived: Promise<void>; letGo(): void }> {
  let letGo = () => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const pass = async (route: Route) => {
    arrive();
    await released;
    await route.continue();
  };
  await page.route(`**${path}`, pass, { times: 1 });
  return { arrived, letGo };
}

/** Ids of the items of the queue, in the order in which they are shown. */
export const queueOn = (page: Page): Promise<readonly string[]> =>
  page
    .getByRole('list', { name: 'Queue' })
    .locator('[data-key]')
    .evaluateAll((rows) =>
      rows
        .sort((a, b) => Number(a.getAttribute('aria-posinset')) - Number(b.getAttribute('aria-posinset')))
        .map((row) => row.dataset.key),
    );

/** A row of the queue by its place, from 0. */
export const queueRow = (page: Page, at: number): Locator =>
  page.getByRole('list', { name: 'Queue' }).locator(`[aria-posinset="${at + 1}"]`);

interface Point {
  readonly x: number;
  readonly y: number;
}

/** One finger, put down, moved and lifted. CSS pixels of the window. */
export async function touchDrag(page: Page, from: Point, to: Point): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: Point[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints });
  await send('touchStart', [from]);
  const STEPS = 8;
  for (let step = 1; step <= STEPS; step += 1) {
    const share = step / STEPS;
    await send('touchMove', [{ x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) }]);
  }
  await send('touchEnd', []);
}
