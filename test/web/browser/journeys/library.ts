/** The journey of whoever comes with an album. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { DEMO_RATE, DEMO_TITLES, demoSamples, wavFile } from '../../../../src/cli/demo/music.js';
import { temporaryFolder, until } from '../../../support/daemon.js';
import { song, stateOf } from '../../../support/three-nodes.js';
import { heardOn, LISTEN } from '../support/ears.js';
import { WATCH_UPLOADS } from '../support/in-the-page.js';
import { DEVICE_NAMES, type Device, journey, refusedWith } from '../support/journey.js';
import { button } from '../support/on-the-page.js';
import type { Place } from '../support/one-house.js';
import { TITLES } from '../support/page-house.js';

/** Bytes a second that an uploading browser is given: enough for a song to be seen on its way. */
const SLOW = 1_500_000;
const MP3 = new Uint8Array([0xff, 0xfb, 0x90, 0x64, ...Array(4_000).fill(0)]);

/** What {@link WATCH_UPLOADS} has seen. */
interface Seen {
  /** Texts that the row of each title took on, with when. Milliseconds of the page's clock. */
  readonly texts: Readonly<Record<string, readonly { readonly text: string; readonly atMs: number }[]>>;
  readonly answers: readonly { readonly path: string; readonly status: number; readonly atMs: number }[];
}

const seenOn = (page: Page): Promise<Seen> => page.evaluate('({ texts: uploadTexts, answers: uploadAnswers })');

/** All that a reader can read, of which no text may be the name of a file. */
const fileNamesOn = (page: Page): Promise<readonly string[]> =>
  page.locator('body *').evaluateAll((elements) =>
    elements
      .filter(({ childElementCount }) => childElementCount === 0)
      .map(({ textContent }) => textContent)
      .filter((text) => /\.wav\b/i.test(text)),
  );

/** All of them, that of the album on each of these devices. */
export async function library(
  t: Test,
  { browser, house }: Place,
  devices: readonly Device[] = ['desk'],
): Promise<void> {
  const folder = temporaryFolder(t);
  const init = { browser, origins: house.origins };
  const fileOf = (directory: string, name: string, bytes: Uint8Array): string => {
    mkdirSync(join(folder, directory), { recursive: true });
    writeFileSync(join(folder, directory, name), bytes);
    return join(folder, directory, name);
  };

  for (const device of devices) {
    const turn = DEVICE_NAMES.indexOf(device);
    await t.test(
      `J2, ${device}: of an album what is music comes in, the rest is named with its reason, and all is queued in order [rows 7, 11, 12, 52]`,
      (t) =>
        journey(t, { ...init, expected: [409, 415, 422].map(refusedWith) }, async (open) => {
          await house.begin([]);
          const { page, press } = await open(`${house.address('kitchen')}#/library`, {
            device,
            before: LISTEN + WATCH_UPLOADS,
          });
          const music = DEMO_TITLES.map((title) =>
            wavFile(
              demoSamples(title).map((sample) => sample - turn),
              DEMO_RATE,
            ),
          );
          const names = [`10 Rain ${device}`, `2 Evening ${device}`, `1 Morning ${device}`];
          const files = [
            ...names.map((name, at) => fileOf(device, `${name}.wav`, music[at]!)),
            fileOf(device, `A copy ${device}.wav`, song(1)),
            fileOf(device, `Not one ${device}.wav`, MP3),
            fileOf(device, `Cut short ${device}.WAV`, music[0]!.subarray(0, 100_000)),
          ];
          const session = await page.context().newCDPSession(page);
          await session.send('Network.emulateNetworkConditions', {
            offline: false,
            latency: 0,
            downloadThroughput: -1,
            uploadThroughput: SLOW,
          });
          await page.locator('input[data-pick=files]').setInputFiles(files);
          const uploads = page.locator('.uploads li');
          await uploads
            .filter({ hasText: `1 Morning ${device}` })
            .getByText('Ready')
            .waitFor({ timeout: 120_000 });
          await page.getByRole('button', { name: 'Add all 4 to the queue' }).waitFor({ timeout: 120_000 });

          const { texts, answers } = await seenOn(page);
          for (const name of names) {
            const own = texts[name]!;
            const counted = own.filter(({ text }) => /of [0-9.]+ (kB|MB)/.test(text));
            t.ok(counted.length >= 4, `${name} is seen on its way`, { own });
            const answer = answers.find(({ path }) => decodeURIComponent(path).endsWith(`/${name}.wav`));
            t.equal(answer?.status, 201);
            const ready = own.find(({ text }) => text.includes('Ready'));
            t.ok(
              ready !== undefined && ready.atMs >= answer!.atMs,
              'it is ready when the node has said so, and not before',
            );
          }
          t.equal(await uploads.getByText(`Already in the library as ${TITLES[0]}`).count(), 1);
          t.match(
            await uploads.filter({ hasText: `Not one ${device}` }).textContent(),
            'This is not audio that Tutti plays.',
          );
          t.match(await uploads.filter({ hasText: `Cut short ${device}` }).textContent(), 'The file is cut short.');
          t.same(await fileNamesOn(page), []);

          await press(page.getByRole('button', { name: `Already in the library as ${TITLES[0]}` }));
          const found = page.getByRole('list', { name: 'Library' }).getByRole('listitem');
          await until('it leads to the song', async () => (await found.allTextContents()).join().includes(TITLES[0]));
          t.equal(await found.count(), 1);
          await page.getByRole('searchbox').fill('');

          await press(page.getByRole('button', { name: 'Add all 4 to the queue' }));
          const inOrder = [`1 Morning ${device}`, `2 Evening ${device}`, `10 Rain ${device}`, TITLES[0]];
          await house.settled(
            'has queued the album',
            ({ queue }) => queue.map(({ title }) => title).join() === inOrder.join(),
          );
          const said = (await heardOn(page)).map(({ text }) => text);
          t.ok(said.includes('4 of 6 ready'), 'how it went is said', { said });
          t.notOk(await page.locator('input[type=search]').inputValue(), 'nothing is written where a person types');
          await press(page.getByRole('button', { name: 'Clear the list' }));
          await page.getByRole('button', { name: 'Clear the list' }).waitFor({ state: 'detached' });
          t.equal(
            await uploads.filter({ hasText: device }).count(),
            0,
            'nor does it come back as that of another page',
          );
        }),
    );
  }

  await t.test('J2: whoever leaves in mid-upload is asked first, and nothing half-there is listed [rows 11, 52]', (t) =>
    journey(t, init, async (open) => {
      const { page } = await open(`${house.address('attic')}#/library`, { before: WATCH_UPLOADS });
      const session = await page.context().newCDPSession(page);
      await session.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: SLOW / 30,
      });
      await button(page, 'Add music').hover();
      const file = fileOf(
        'half',
        'Half.wav',
        wavFile(
          demoSamples(DEMO_TITLES[2]!).map((sample) => sample - 9),
          DEMO_RATE,
        ),
      );
      await page.locator('input[data-pick=files]').setInputFiles(file);
      const row = page.locator('.uploads li').filter({ hasText: 'Half' });
      await row.getByText(/ of /).waitFor();
      // Browsers ask only whoever has touched the page.
      await page.getByRole('searchbox').click();
      const asked = new Promise<string>((resolve) => {
        page.once('dialog', (dialog) => {
          resolve(dialog.type());
          void dialog.dismiss();
        });
      });
      await page.close({ runBeforeUnload: true });
      t.equal(await asked, 'beforeunload');
      t.ok(await row.isVisible(), 'whoever stays, stays');
      await row.getByRole('button', { name: 'Cancel Half' }).click();
      await row.waitFor({ state: 'detached' });
      const { tracks } = await stateOf(house.daemons.attic);
      t.notOk(tracks.some(({ title }) => title === 'Half'));
      let asksAgain = false;
      page.once('dialog', (dialog) => {
        asksAgain = true;
        void dialog.dismiss();
      });
      const closed = page.waitForEvent('close');
      await page.close({ runBeforeUnload: true });
      await closed;
      t.notOk(asksAgain, 'nobody is held back for nothing');
    }),
  );

  await t.test(
    'J2: what another node takes in is seen on its way here too, and then in the library [rows 11, 20]',
    (t) =>
      journey(t, init, async (open) => {
        const { page } = await open(`${house.address('hall')}#/library`);
        const other = await open(`${house.address('attic')}#/library`);
        const file = fileOf('other', 'From elsewhere.wav', song(77));
        await page.getByRole('list', { name: 'Library' }).getByText(TITLES[0]).waitFor();
        await other.page.locator('input[data-pick=files]').setInputFiles(file);
        await page.getByRole('list', { name: 'Library' }).getByText('From elsewhere').waitFor();
        await until('every card has it', async () =>
          (await house.states()).every(({ nodes }) => nodes.every(({ disk }) => disk?.tracksMissing.count === 0)),
        );
        await page.getByRole('searchbox').fill('elsew');
        await page.getByText('1 of ').waitFor();
        t.equal(await page.getByRole('list', { name: 'Library' }).getByRole('listitem').count(), 1);
      }),
  );
}
