/** The journey of whoever wants to hear a song sooner. */
import type { Locator, Page } from 'playwright-core';
import type { Test } from 'tap';
import { until } from '../../../support/daemon.js';
import { heardOn, LISTEN } from '../support/ears.js';
import { journey, refusedWith, type Visit } from '../support/journey.js';
import { hold, queueOn, queueRow, touchDrag } from '../support/on-the-page.js';
import type { Place } from '../support/one-house.js';
import { TITLES } from '../support/page-house.js';

/** Eight items, of which the seventh is to become the second. Places from 0. */
const SONGS = [0, 1, 2, 3, 4, 0, 1, 2];
const FROM = 6;
const TO = 1;

const middleOf = async (target: Locator): Promise<{ readonly x: number; readonly y: number }> => {
  const { x, y, width, height } = (await target.boundingBox())!;
  return { x: x + width / 2, y: y + height / 2 };
};

const grip = (page: Page, at: number) => queueRow(page, at).getByRole('button', { name: /^Move / });
const title = (page: Page, at: number) => queueRow(page, at).locator('.row-main');
const chooses = async ({ page, press }: Visit, at: number, entry: string) => {
  await press(title(page, at));
  await press(page.getByRole('menuitem', { name: entry, exact: true }));
};

/** All of them. */
export async function queue(t: Test, { browser, house }: Place): Promise<void> {
  const init = { browser, origins: house.origins };
  /** All of the queue, as all nodes have it. */
  const order = async (): Promise<readonly string[]> => {
    const [first, ...others] = (await house.states()).map(({ queue }) => queue.map(({ itemId }) => itemId));
    if (others.some((other) => other.join() !== first!.join())) return [];
    return first!;
  };
  const isMoved = async (before: readonly string[], requests: readonly string[] = []) => {
    const wanted = before.filter((_, at) => at !== FROM);
    wanted.splice(TO, 0, before[FROM]!);
    let seen: readonly string[] = [];
    await until(
      'every node has the new order',
      async () => {
        seen = await order();
        return seen.join() === wanted.join();
      },
      () => ({ places: seen.map((itemId) => before.indexOf(itemId)), requests }),
    );
    return wanted;
  };

  const WAYS: readonly { readonly by: string; readonly device: 'phone' | 'desk'; move(visit: Visit): Promise<void> }[] =
    [
      {
        by: 'mouse',
        device: 'desk',
        move: async ({ page }) => {
          // Once it stands still.
          await grip(page, FROM).hover();
          const [from, to] = [await middleOf(grip(page, FROM)), await middleOf(grip(page, TO))];
          await page.mouse.down();
          await page.mouse.move(from.x, from.y - 20);
          await page.mouse.move(to.x, to.y, { steps: 8 });
          await page.mouse.up();
        },
      },
      {
        by: 'finger',
        device: 'phone',
        move: async ({ page }) => {
          const [from, to] = [await middleOf(grip(page, FROM)), await middleOf(grip(page, TO))];
          await touchDrag(page, from, to);
        },
      },
      { by: 'menu', device: 'phone', move: (visit) => chooses(visit, FROM, 'Play next') },
      {
        by: 'menu, by keys',
        device: 'desk',
        move: async ({ page }) => {
          await title(page, FROM).focus();
          await page.keyboard.press('Enter');
          await page.keyboard.press('ArrowDown');
          await page.keyboard.press('Enter');
        },
      },
    ];

  for (const { by, device, move } of WAYS) {
    await t.test(
      `J3, by ${by}: the seventh song becomes the second, by one request that names both, on every page [rows 20, 52]`,
      (t) =>
        journey(t, init, async (open) => {
          await house.beginPlaying(SONGS);
          await house.daemons.kitchen.call('POST', '/transport/pause');
          const before = await order();
          const visit = await open(`${house.address('kitchen')}#/queue`, { device, before: LISTEN });
          const other = await open(`${house.address('hall')}#/queue`);
          const { page } = visit;
          await until('the queue is shown', async () => (await queueOn(page)).join() === before.join());
          const requests: string[] = [];
          page.on('request', (request) => {
            if (request.method() !== 'GET') requests.push(`${new URL(request.url()).pathname} ${request.postData()}`);
          });
          await move(visit);
          const wanted = await isMoved(before, requests);
          // The nodes may have done it before the browser tells this test what it has asked for.
          await until('the request is told of', () => requests.length > 0);
          await until('both pages show it', async () =>
            (await Promise.all([queueOn(page), queueOn(other.page)])).every((shown) => shown.join() === wanted.join()),
          );
          t.same(requests, [`/api/v1/queue/${before[FROM]}/move {"beforeItemId":"${before[TO]}"}`]);
          t.ok(
            (await heardOn(page)).some(
              ({ role, text }) => role === 'status' && text === `${TITLES[SONGS[FROM]!]}, 2 of 8`,
            ),
            'where it is now is said',
          );
        }),
    );
  }

  await t.test('J3, by arrow keys: a song goes up place by place, and keeps the focus [rows 20, 52]', (t) =>
    journey(t, init, async (open) => {
      await house.beginPlaying(SONGS);
      await house.daemons.kitchen.call('POST', '/transport/pause');
      const before = await order();
      const { page } = await open(`${house.address('kitchen')}#/queue`);
      await until('the queue is shown', async () => (await queueOn(page)).join() === before.join());
      await title(page, FROM).focus();
      for (let at = FROM; at > TO; at -= 1) await page.keyboard.press('Alt+ArrowUp');
      await isMoved(before);
      const focused = () => page.locator(':focus').evaluate((element) => element.closest('[data-key]')?.dataset.key);
      await until('the focus went along', async () => (await focused()) === before[FROM]);
      await page.keyboard.press('Alt+ArrowUp');
      t.equal((await order())[0], before[0], 'what plays keeps its place');
      await page.keyboard.press('Delete');
      await until('it is gone', async () => (await order()).length === SONGS.length - 1);
      await page.getByRole('button', { name: 'Undo' }).click();
      await until('it is back', async () => (await order()).length === SONGS.length);
      const tracks = (await house.states())[0]!.queue.map(({ title }) => title);
      t.equal(tracks[TO], TITLES[SONGS[FROM]!], 'in its place');
    }),
  );

  await t.test(
    'J3: where somebody else was quicker, the order is that of the house, and it is said without alarm [rows 20, 52]',
    (t) =>
      journey(t, { ...init, expected: [refusedWith(404)] }, async (open) => {
        await house.beginPlaying(SONGS);
        await house.daemons.kitchen.call('POST', '/transport/pause');
        const before = await order();
        const visit = await open(`${house.address('kitchen')}#/queue`, { before: LISTEN });
        const { page } = visit;
        await until('the queue is shown', async () => (await queueOn(page)).join() === before.join());
        const request = await hold(page, `/queue/${before[FROM]}/move`);
        await chooses(visit, FROM, 'Play next');
        await request.arrived;
        await house.daemons.hall.call('DELETE', `/queue/${before[TO]}`);
        const wanted = before.filter((id) => id !== before[TO]);
        await until('it is gone', async () => (await order()).join() === wanted.join());
        request.letGo();
        await until('the page has the order of the house', async () => (await queueOn(page)).join() === wanted.join());
        await until('it is said', async () => (await heardOn(page)).some(({ text }) => /changed elsewhere/.test(text)));
        t.same(
          (await heardOn(page)).filter(({ role }) => role === 'alert'),
          [],
        );
      }),
  );
}
