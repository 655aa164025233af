/** Journeys of whoever wants to hear something else. */
import type { Test } from 'tap';
import { until } from '../../../support/daemon.js';
import { heardOn, LISTEN } from '../support/ears.js';
import { DEVICE_NAMES, journey, refusedWith } from '../support/journey.js';
import { button, hold, isAsked, shows } from '../support/on-the-page.js';
import type { Place } from '../support/one-house.js';
import { TITLES } from '../support/page-house.js';

/** All of them. */
export async function transport(t: Test, { browser, house }: Place): Promise<void> {
  const init = { browser, origins: house.origins };

  for (const device of DEVICE_NAMES) {
    await t.test(
      `J1, ${device}: play, skip and pause of a page are done by every node, and every card sounds [rows 25, 51, 52, 53]`,
      (t) =>
        journey(t, init, async (open) => {
          await house.begin();
          const { page, press } = await open(house.address('attic'), { device });
          await press(button(page, 'Play'));
          await house.settled(
            'sounds',
            ({ transport, nodes }) =>
              transport.title === TITLES[0] && nodes.every(({ output }) => output.state === 'playing'),
          );
          await shows(page, TITLES[0], 'attic');
          await press(button(page, 'Skip'));
          await house.settled('has skipped one song', ({ transport }) => transport.title === TITLES[1]);
          await shows(page, TITLES[1], 'attic');
          await press(button(page, 'Pause'));
          await house.settled('has paused', ({ transport }) => transport.status === 'paused');
          await button(page, 'Play').waitFor();
        }),
    );

    await t.test(
      `J1, ${device}: a skip that no node has heard of yet is shown as asked for, and the old song as what plays [row 52]`,
      (t) =>
        journey(t, init, async (open) => {
          await house.beginPlaying();
          const { page, press } = await open(house.address('kitchen'), { device });
          await shows(page, TITLES[0]);
          const skip = await hold(page, '/transport/skip');
          await press(button(page, 'Skip'));
          await skip.arrived;
          await until('the button is shown as pressed', () => isAsked(button(page, 'Skip')));
          t.equal(await page.title(), `${TITLES[0]} - kitchen`);
          t.equal((await house.states())[0]!.transport.title, TITLES[0]);
          await house.daemons.hall.call('PUT', '/volume', { volume: 30 });
          await page.getByText('30 %', { exact: true }).first().waitFor();
          t.ok(await isAsked(button(page, 'Skip')), 'what else the node says is no answer to it');
          skip.letGo();
          await shows(page, TITLES[1]);
          await until('the button is as before', async () => !(await isAsked(button(page, 'Skip'))));
        }),
    );

    await t.test(`J1, ${device}: louder and quieter go by five, and are heard in the whole house [row 52]`, (t) =>
      journey(t, init, async (open) => {
        await house.begin();
        const { page, press } = await open(house.address('kitchen'), { device });
        await press(button(page, 'Louder'));
        await house.settled('is louder', ({ volume }) => volume === 55);
        await press(button(page, 'Quieter'));
        await press(button(page, 'Quieter'));
        await house.settled('is quieter', ({ volume }) => volume === 45);
        await page.getByText('45 %', { exact: true }).first().waitFor();
      }),
    );
  }

  await twoSkips(t, { browser, house }, 5);
}

/** Two people press Skip at once, so many times. */
export async function twoSkips(t: Test, { browser, house }: Place, rounds: number): Promise<void> {
  const init = { browser, origins: house.origins };
  await t.test(
    'J4: two who skip the same song on two nodes skip one song, and the slower one is told so without alarm [rows 20, 52]',
    (t) =>
      journey(t, { ...init, expected: [refusedWith(409)] }, async (open) => {
        const songs = Array.from({ length: rounds + 1 }, (_, at) => at % TITLES.length);
        await house.beginPlaying(songs);
        const titleAt = (place: number) => TITLES[songs[place]!]!;
        const visits = await Promise.all([
          open(house.address('kitchen'), { before: LISTEN }),
          open(house.address('hall'), { before: LISTEN }),
        ]);
        const nodes = ['kitchen', 'hall'] as const;
        const answers: number[][] = [[], []];
        visits.forEach(({ page }, at) => {
          page.on('response', (response) => {
            if (response.url().endsWith('/transport/skip')) answers[at]!.push(response.status());
          });
        });
        for (let place = 0; place < rounds; place += 1) {
          await Promise.all(visits.map(({ page }, at) => shows(page, titleAt(place), nodes[at])));
          // Neither is heard before both have pressed.
          const skips = await Promise.all(visits.map(({ page }) => hold(page, '/transport/skip')));
          await Promise.all(visits.map(({ page, press }) => press(button(page, 'Skip'))));
          await Promise.all(skips.map(({ arrived }) => arrived));
          for (const { letGo } of skips) letGo();
          await until(
            'both were answered',
            () => answers.every(({ length }) => length === place + 1),
            () => answers,
          );
        }
        await house.settled(
          'has skipped as many songs as there were',
          ({ transport, queueLength }) => transport.title === titleAt(rounds) && queueLength === 1,
        );
        const pairs = answers[0]!.map((status, place) => [status, answers[1]![place]].sort());
        t.same(pairs, Array(rounds).fill([200, 409]), 'each time one was first');
        for (const [at, { page }] of visits.entries()) {
          const heard = await heardOn(page);
          t.same(
            heard.filter(({ role }) => role === 'alert'),
            [],
            'no alarm',
          );
          const wasToldSo = heard.some(({ text }) => text.startsWith('Already skipped'));
          t.equal(wasToldSo, answers[at]!.includes(409), 'whoever came too late was told');
        }
      }),
  );
}
