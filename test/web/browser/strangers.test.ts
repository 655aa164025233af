/** What the page does with what is not meant well, or does not fit: hostile names, another's page in the same browser, tokens, other versions. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Daemon, temporaryFolder, until } from '../../support/daemon.js';
import { song, stateOf } from '../../support/three-nodes.js';
import { missingBrowser, startBrowser } from './support/chromium.js';
import { heardOn, LISTEN } from './support/ears.js';
import { journey, refusedWith } from './support/journey.js';
import { button, shows } from './support/on-the-page.js';

// Seconds on a machine that has time.
t.setTimeout(230_000);

/** Names of files as somebody may send them; a card takes names of 255 bytes. */
const NAMES = [
  '<img src=x onerror="window.owned=1">',
  '"><svg onload=window.owned=1>&lt;b&gt;',
  '👩‍👩‍👧‍👦 🏳️‍🌈 🎵',
  'أغنية المطبخ',
  '\u202Egnirts',
] as const;
const LONG = 'x'.repeat(300);

/** Runs in a stranger's page: what it can try at a node whose address it knows. Gives what it could read of it. */
const ATTACK = (node: string): string => `(async () => {
  const read = [];
  const note = async (how, promise) => {
    try {
      const answer = await promise;
      if (answer.type !== 'opaque') read.push(how);
    } catch {}
  };
  const api = '${node}api/v1';
  await note('state', fetch(api + '/state'));
  for (const path of ['/transport/pause', '/transport/stop', '/transport/skip']) {
    await note(path, fetch(api + path, { method: 'POST', mode: 'no-cors' }));
    await note(path, fetch(api + path, { method: 'POST', body: '{}' }));
    navigator.sendBeacon(api + path);
  }
  await note('volume', fetch(api + '/volume', { method: 'PUT', body: '{"volume":100}' }));
  await note('queue', fetch(api + '/queue', { method: 'DELETE' }));
  const stream = new EventSource(api + '/events');
  stream.onmessage = () => read.push('events');
  stream.addEventListener('state', () => read.push('events'));
  const sent = (target) => new Promise((resolve) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', action: api + '/transport/stop', target });
    document.body.append(form);
    const frame = document.createElement('iframe');
    frame.name = target;
    frame.onload = resolve;
    document.body.append(frame);
    form.submit();
  });
  await sent('answer');
  const frame = document.createElement('iframe');
  frame.src = '${node}';
  document.body.append(frame);
  await new Promise((resolve) => { frame.onload = resolve; });
  try { if (frame.contentDocument?.title) read.push('frame'); } catch {}
  stream.close();
  return read;
})()`;

await t.test('strangers', { skip: missingBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const folder = temporaryFolder(t);
  const daemon = await Daemon.start(t, { dataDir: join(folder, 'open') });
  const address = `http://kitchen.local:${daemon.port}/`;
  const origins = [new URL(address).origin, daemon.url];
  const { json } = await daemon.upload('Allemande.wav', song(1));
  const { id } = json as { id: string };
  await daemon.call('POST', '/queue', { trackIds: [id, id, id] });

  await t.test(
    'names are text, whatever is in them: on their way in, in the library and in the queue [rows 11, 52]',
    (t) =>
      journey(t, { browser, origins, expected: [refusedWith(422), refusedWith(400)] }, async (open) => {
        const { page } = await open(`${address}#/library`);
        await page.getByRole('list', { name: 'Library' }).getByText('Allemande').waitFor();
        const files = [...NAMES, LONG].map((name, at) => ({
          name: `${name}.wav`,
          mimeType: 'audio/wav',
          buffer: Buffer.from(song(100 + at)),
        }));
        await page.locator('input[data-pick=files]').setInputFiles(files);
        await page.getByRole('button', { name: `Add all ${NAMES.length} to the queue` }).click();
        const failed = page.locator('.uploads li').filter({ hasText: 'xxx' });
        t.match(await failed.textContent(), 'This name cannot be used.', 'what no card can keep is refused in words');
        await until('all are queued', async () => (await stateOf(daemon)).queueLength === 3 + NAMES.length);
        const state = await stateOf(daemon);
        const titles = state.tracks.map(({ title }) => title);
        for (const name of NAMES) t.ok(titles.includes(name), name);
        for (const list of ['Library', 'Queue']) {
          const rows = page.getByRole('list', { name: list });
          await until(`${list} shows them`, async () => {
            const text = (await rows.locator('.row-title').allTextContents()).join('\n');
            return NAMES.every((name) => text.includes(name));
          });
        }
        for (const { itemId, title } of state.queue.filter(({ title }) => title !== 'Allemande')) {
          await daemon.call('POST', '/transport/play', { itemId });
          await shows(page, title);
        }
        t.equal(await page.evaluate('typeof window.owned'), 'undefined', 'nothing was run');
        t.equal(await page.locator('img, #app script, iframe').count(), 0);
        await daemon.call('POST', '/transport/play', { trackId: id });
        await shows(page, 'Allemande');
      }),
  );

  await t.test("another's page in the same browser presses nothing and reads nothing [row 68]", async (t) => {
    await daemon.call('POST', '/transport/play');
    const before = await stateOf(daemon);
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>A stranger</title><body>');
    }).listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await once(server, 'listening');
    const context = await browser.newContext();
    t.teardown(() => context.close());
    const page = await context.newPage();
    await page.goto(`http://stranger.local:${(server.address() as AddressInfo).port}/`);
    t.same(await page.evaluate(ATTACK(address)), []);
    const { transport, volume, queueLength } = await stateOf(daemon);
    t.same(transport.changedBy, before.transport.changedBy, 'nobody has pressed anything');
    t.match({ volume, queueLength }, { volume: before.volume, queueLength: before.queueLength });
    server.closeAllConnections();
    await daemon.call('POST', '/transport/pause');
  });

  await t.test(
    'a page that is older than its node says so, and is loaded anew only when it is asked to [row 52]',
    (t) =>
      journey(t, { browser, origins }, async (open) => {
        const { page } = await open(address, {
          before: `
          if (location.protocol === 'http:' && sessionStorage.getItem('seen') === null) {
            sessionStorage.setItem('seen', 'once');
            document.addEventListener('readystatechange', () => { document.documentElement.dataset.build = 'old'; }, { once: true });
          }
        `,
        });
        await page.getByText('The node was updated.').waitFor();
        await page.evaluate('window.mark = true');
        await shows(page, 'Allemande');
        t.equal(await page.evaluate('window.mark'), true, 'it goes on meanwhile');
        await page.getByRole('button', { name: 'Reload' }).click();
        await until('it is the new page', async () => (await page.evaluate('typeof window.mark')) === 'undefined');
        await shows(page, 'Allemande');
        t.equal(await page.getByText('The node was updated.').count(), 0);
      }),
  );

  await t.test('a page that is newer than its node shows what that node knows [row 52]', (t) =>
    journey(t, { browser, origins, expected: [refusedWith(404)] }, async (open) => {
      const { page, press } = await open(address, {
        before: `
          window.EventSource = class extends EventSource {
            addEventListener(name, take) {
              super.addEventListener(name, (event) => {
                if (name !== 'state') return take(event);
                const { nearby, alerts, ...view } = JSON.parse(event.data);
                delete view.node.webBuild;
                delete view.node.access;
                delete view.node.closed;
                take({ type: name, data: JSON.stringify({ ...view, alerts: [{ code: 'OF_LONG_AGO', severity: 'warn', nodeId: null, trackId: null, sinceNs: '0' }] }) });
              });
            }
          };
        `,
        prepare: async (page) => {
          await page.route(/\/api\/v1\/(time|sync|members|tracks\/.*\/peaks)$/, (route) =>
            route.fulfill({ status: 404, contentType: 'application/problem+json', body: '{"code":"NOT_FOUND"}' }),
          );
        },
      });
      await shows(page, 'Allemande');
      await press(button(page, 'Play'));
      await button(page, 'Pause').waitFor();
      for (const region of ['house', 'sync', 'queue']) {
        await page.evaluate(`location.hash = '#/${region}'`);
        await page.locator(`.region-${region} h1`).waitFor();
      }
      t.notMatch(await page.locator('body').textContent(), /undefined|NaN|\[object/);
    }),
  );

  await t.test(
    'where a node wants a token, the page asks for it, and keeps it in this browser [rows 52, 68]',
    async (t) => {
      const dataDir = join(folder, 'locked');
      const locked = await Daemon.start(t, { dataDir, env: { TUTTI_HTTP_ACCESS: 'token' } });
      const token = readFileSync(join(dataDir, 'http.token'), 'utf8').trim();
      const lockedAddress = `http://kitchen.local:${locked.port}/`;
      await journey(
        t,
        { browser, origins: [new URL(lockedAddress).origin], expected: [refusedWith(401)] },
        async (open) => {
          const { page, press } = await open(lockedAddress, { before: LISTEN });
          const field = page.getByLabel('Token', { exact: true });
          const give = async (text: string) => {
            await field.fill(text);
            await page.keyboard.press('Enter');
            await field.waitFor({ state: 'detached' });
          };
          await press(button(page, 'Louder'));
          await field.waitFor();
          t.ok(
            (await heardOn(page)).some(({ role, text }) => role === 'alert' && /asks for its token/.test(text)),
            'why is said',
          );
          await give('a wrong one');
          await press(button(page, 'Louder'));
          await field.waitFor();
          const { volume } = await stateOf(locked);
          await give(token);
          await press(button(page, 'Louder'));
          await until('it is louder', async () => (await stateOf(locked)).volume === Math.min(100, volume + 5));
          await page.reload();
          await press(button(page, 'Quieter'));
          await until('it is quieter', async () => (await stateOf(locked)).volume === Math.min(100, volume + 5) - 5);
          t.notMatch(await page.evaluate('location.href + document.title + JSON.stringify(history.state)'), token);
        },
      );
    },
  );
});
