/** J9: the first minute of a node that belongs to no house, and of a room that joins one. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { temporaryFolder, until } from '../../support/daemon.js';
import { keyFile, song, startNode, stateOf } from '../../support/three-nodes.js';
import { missingBrowser, startBrowser } from './support/chromium.js';
import { journey } from './support/journey.js';
import { button, shows } from './support/on-the-page.js';

// Half a minute on a machine that has time.
t.setTimeout(230_000);

const SONGS = 12;

await t.test('a first run', { skip: missingBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const folder = temporaryFolder(t);
  const extras = { env: { TUTTI_OUTPUT_DRIVER: 'virtual' } };
  const [kitchen, attic] = await Promise.all([
    startNode(t, folder, 'kitchen', [], extras),
    startNode(t, folder, 'attic', [], { env: { ...extras.env, TUTTI_OUTPUT_QUEUE_MS: 'long' } }),
  ]);
  const addresses = { kitchen: `http://kitchen.local:${kitchen.port}/`, attic: `http://attic.local:${attic.port}/` };
  const origins = [...Object.values(addresses).map((address) => new URL(address).origin), kitchen.url, attic.url];

  await t.test(
    'J9: a node without a house offers to start one, and music comes in without a reload [rows 12, 52]',
    (t) =>
      journey(t, { browser, origins }, async (open) => {
        const { page, press } = await open(addresses.kitchen);
        await page.getByRole('button', { name: 'Start a new house' }).waitFor();
        await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
        t.equal(await page.getByRole('button', { name: 'Play', exact: true }).count(), 0, 'nothing else can be done');
        t.equal(await page.locator('nav').count(), 0);
        await page.evaluate('window.mark = true');
        await press(page.getByRole('button', { name: 'Start a new house' }));
        await page.getByText('No music yet').first().waitFor();
        const files = Array.from({ length: SONGS }, (_, at) => ({
          name: `Song ${at + 1}.wav`,
          mimeType: 'audio/wav',
          buffer: Buffer.from(song(at + 1)),
        }));
        await page.locator('input[data-pick=files]').setInputFiles(files);
        await press(page.getByRole('button', { name: `Add all ${SONGS} to the queue` }));
        await press(button(page, 'Play'));
        await shows(page, 'Song 1');
        await until('it sounds', async () => (await stateOf(kitchen)).nodes[0]!.output.state === 'playing');
        t.equal(await page.evaluate('window.mark'), true, 'nothing was loaded anew');
      }),
  );

  await t.test('J9: who joins is told at the field what is wrong, and the key is seen nowhere [rows 12, 52]', (t) =>
    journey(t, { browser, origins, expected: [/status of (4|5)\d\d/] }, async (open) => {
      const { page, press } = await open(addresses.attic);
      const house = await open(`${addresses.kitchen}#/house`, {
        before: `
          window.filling = new Set();
          new MutationObserver(() => {
            for (const [text] of (document.body?.textContent ?? '').matchAll(/filling: [0-9]+ of [0-9]+ songs/g)) window.filling.add(text);
          }).observe(document, { subtree: true, childList: true, characterData: true });
        `,
      });
      await page.getByText('The configuration of the node has mistakes.').waitFor();
      const [address, key] = [page.getByLabel('Address of a node'), page.getByLabel('Key of the house')];
      const isWrong = async (field: typeof address, start: string) => {
        const id = (await field.getAttribute('aria-describedby'))!.split(' ').at(-1)!;
        await page.locator(`#${id}`).getByText(start).waitFor();
        t.equal(await field.getAttribute('aria-invalid'), 'true', start);
      };
      const join = async (to: string, by: string) => {
        await address.fill(to);
        await key.fill(by);
        await press(page.getByRole('button', { name: 'Join', exact: true }));
      };
      const right = readFileSync(keyFile(folder, 'kitchen'), 'utf8').trim();
      const peer = `127.0.0.1:${kitchen.peerPort}`;
      await join('', right);
      await isWrong(address, 'Enter the address');
      await join(peer, 'much too short');
      await isWrong(key, 'A key has 64 letters');
      await join(peer, '0'.repeat(64));
      await isWrong(key, 'The house at this address has another key.');
      t.equal(await address.inputValue(), peer, 'what was right is kept');
      await join('127.0.0.1:1', right);
      await isWrong(address, 'No node answers at this address.');
      await join(`127.0.0.1:${attic.peerPort}`, right);
      await until('its own address is refused', async () => (await address.getAttribute('aria-invalid')) === 'true');
      await join(peer, right);
      await page.getByRole('heading', { level: 1, name: 'Now' }).waitFor({ state: 'attached' });
      await until('it has all songs', async () =>
        (await stateOf(attic)).nodes.every(({ disk }) => disk?.tracksHeld === SONGS),
      );
      await house.page.getByText('All 2 rooms are there.').waitFor();
      const filling = await house.page.evaluate<readonly string[]>('[...window.filling]');
      t.ok(filling.length > 0 && filling.every((text) => text.endsWith(`of ${SONGS} songs`)), 'it is seen to fill', {
        filling,
      });
      const told = await page.evaluate(
        'location.href + document.title + JSON.stringify(history.state) + JSON.stringify({ ...localStorage })',
      );
      t.notMatch(told, right);
      for (const log of [kitchen.errors, attic.errors]) t.notMatch(log.join(''), right);
    }),
  );
});
