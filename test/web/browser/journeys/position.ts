/** The journey of whoever looks for a place in a song. */
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { until } from '../../../support/daemon.js';
import { offBy, type PositionSample, SAMPLE_POSITION, WATCH_STREAMS } from '../support/in-the-page.js';
import { DEVICE_NAMES, journey } from '../support/journey.js';
import { button, shows } from '../support/on-the-page.js';
import type { Place } from '../support/one-house.js';
import { TITLES } from '../support/page-house.js';

/** What the page may be off. Milliseconds. */
const OFF_MS_MAX = 100;
const SAMPLES_EACH = 5;

/** So many looks at a page that knows what the node knows, all within the song. */
async function look(page: Page): Promise<readonly PositionSample[]> {
  const samples: PositionSample[] = [];
  while (samples.length < SAMPLES_EACH) {
    samples.push(
      await until('the page knows what the node knows', () => page.evaluate<PositionSample | null>('sample()')),
    );
  }
  return samples;
}

/** The slider of the position. */
const slider = (page: Page) => page.getByRole('slider', { name: 'Position' });

/** The share of the song at which it is pressed: by finger or mouse, where it is. */
async function pressAt(page: Page, share: number, isTouch: boolean): Promise<void> {
  const box = (await slider(page).boundingBox())!;
  const [x, y] = [box.x + box.width * share, box.y + box.height / 2];
  if (isTouch) await page.touchscreen.tap(x, y);
  else await page.mouse.click(x, y);
}

/** All of them. */
export async function position(t: Test, { browser, house }: Place): Promise<void> {
  const init = { browser, origins: house.origins };
  await whereTheNodesAre(t, { browser, house }, [0.6, 0.2]);

  await t.test('J5: by keys it goes in steps of 5 s, and the thumb stays where it is wanted [row 28]', (t) =>
    journey(t, init, async (open) => {
      await house.beginPlaying([0]);
      const { page } = await open(house.address('hall'));
      await shows(page, TITLES[0], 'hall');
      await button(page, 'Pause').click();
      await house.settled('has paused', ({ transport }) => transport.status === 'paused');
      const at = (positionMs: number) =>
        house.settled(`is at ${positionMs} ms`, ({ transport }) => transport.positionMs === positionMs);
      await slider(page).focus();
      await page.keyboard.press('Home');
      await at(0);
      await page.keyboard.press('ArrowRight');
      await at(5_000);
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      await at(15_000);
      await page.keyboard.press('ArrowLeft');
      await at(10_000);
      await until(
        'the page says so',
        async () => (await slider(page).getAttribute('aria-valuetext')) === '10 seconds of 20 seconds',
      );
      t.equal(await slider(page).evaluate((element) => element === element.ownerDocument.activeElement), true);
    }),
  );

  await t.test('J5: the position of a song that plays never runs backwards, nor beyond the end [row 28]', (t) =>
    journey(t, init, async (open) => {
      await house.beginPlaying([0, 1]);
      const { page } = await open(house.address('kitchen'), { before: WATCH_STREAMS });
      await shows(page, TITLES[0]);
      await house.daemons.kitchen.call('POST', '/transport/seek', { positionMs: 18_000 });
      await until('the page knows', () => page.evaluate('told.transport.positionMs >= 18000'));
      // Every text that the label takes on, from now until the next song has begun.
      const texts = await page
        .locator('.seek-times span')
        .first()
        .evaluate(async (label) => {
          const seen: string[] = [label.textContent];
          const { MutationObserver } = label.ownerDocument.defaultView;
          await new Promise<void>((resolve) => {
            new MutationObserver(() => {
              if (seen.at(-1) !== label.textContent) seen.push(label.textContent);
              if (label.textContent === '0:02') resolve();
            }).observe(label, { subtree: true, characterData: true, childList: true });
          });
          return seen;
        });
      const seconds = texts.map((text) => Number(text.split(':')[1]));
      const turns = seconds.filter((second, at) => at > 0 && second < seconds[at - 1]!);
      t.same(turns, [0], 'it turns back to the beginning of the next song, and nowhere else');
      t.ok(Math.max(...seconds) <= 20, 'never beyond the end');
      t.match(await page.title(), TITLES[1]);
    }),
  );
}

/** Compares what the page shows with where the nodes are, before and after a pause and a seek to each of these shares of a song. */
export async function whereTheNodesAre(t: Test, { browser, house }: Place, shares: readonly number[]): Promise<void> {
  const init = { browser, origins: house.origins };
  const isAt = (share: number) => (state: { transport: { positionMs: number; durationMs: number } }) =>
    Math.abs(state.transport.positionMs / state.transport.durationMs - share) < 0.05;

  for (const device of DEVICE_NAMES) {
    await t.test(`J5, ${device}: the page is where the nodes are, through pauses and seeks [row 28]`, (t) =>
      journey(t, init, async (open) => {
        await house.beginPlaying([0]);
        const before = WATCH_STREAMS + SAMPLE_POSITION;
        const { page, press } = await open(house.address('kitchen'), { device, before });
        await shows(page, TITLES[0]);
        const samples = [...(await look(page))];
        for (const share of shares) {
          await press(button(page, 'Pause'));
          await house.settled('has paused', ({ transport }) => transport.status === 'paused');
          samples.push(...(await look(page)));
          await pressAt(page, share, device === 'phone');
          const states = await house.settled(`is at ${share}`, isAt(share));
          const [first, ...others] = states.map(({ transport }) => transport.positionMs);
          t.same(others, [first, first], 'all nodes at the same millisecond');
          samples.push(...(await look(page)));
          await press(button(page, 'Play'));
          await house.settled('plays', ({ transport }) => transport.status === 'playing');
          samples.push(...(await look(page)));
        }
        const worst = samples.reduce((a, b) => (offBy(b) > offBy(a) ? b : a));
        t.ok(offBy(worst) <= OFF_MS_MAX, `off by ${offBy(worst)} ms at most`, { worst });
        t.ok(samples.some(({ status }) => status === 'playing') && samples.some(({ status }) => status === 'paused'));
      }),
    );
  }
}
