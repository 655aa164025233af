/** What the journeys are worth: what no page may do is found out when one does it. */
import t, { type Test } from 'tap';
import { Daemon, temporaryFolder } from '../../support/daemon.js';
import { missingBrowser, startBrowser } from './support/chromium.js';
import { journey, type Visit } from './support/journey.js';

// Seconds on a machine that has time.
t.setTimeout(230_000);

await t.test('what nobody may see', { skip: missingBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const daemon = await Daemon.start(t, { dataDir: temporaryFolder(t) });
  const address = `http://kitchen.local:${daemon.port}`;

  /** What a journey complains of, on which the page is made to run this. */
  const complaintsAbout = async (code: string): Promise<string> => {
    let complaints: unknown;
    const listener = { ...t, same: (found: unknown) => (complaints = found), teardown: t.teardown.bind(t) };
    await journey(listener as unknown as Test, { browser, origins: [address] }, async (open) => {
      const { page }: Visit = await open(`${address}/`);
      await page.evaluate(code);
      // A message of the browser's comes before the answer to a later question.
      await page.evaluate('new Promise((resolve) => setTimeout(resolve, 100))');
    });
    return String(complaints);
  };

  t.equal(await complaintsAbout('1 + 1'), '', 'a page that does what it is for');
  t.match(await complaintsAbout("console.debug('a word')"), /console debug: a word/);
  t.match(await complaintsAbout("setTimeout(() => { throw new Error('ours') })"), /throws: Error: ours/);
  t.match(await complaintsAbout("void Promise.reject(new Error('unheard'))"), /throws: Error: unheard/);
  t.match(await complaintsAbout("fetch('http://stranger.local/').catch(() => {})"), /stranger\.local/);
  t.match(
    await complaintsAbout("try { document.body.innerHTML = '<b>' } catch {}"),
    /TrustedHTML/,
    'its policy is strict, and breaking it is seen',
  );
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${address}/`);
  t.equal(await page.evaluate('isSecureContext'), false, 'names of nodes are no secure context, as in a house');
  await context.close();
});
