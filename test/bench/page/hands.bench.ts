/** The page under hands: how soon each control shows that it was pressed on a slow processor, and how a large upload is seen to go. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type Ends, temporaryFolder } from '../../support/daemon.js';
import { plainWav } from '../../support/wav-files.js';
import { missingBrowser, startBrowser } from '../../web/browser/support/chromium.js';
import { WATCH_UPLOADS } from '../../web/browser/support/in-the-page.js';
import { DEVICES } from '../../web/browser/support/journey.js';
import { button, shows } from '../../web/browser/support/on-the-page.js';
import { PageHouse, TITLES } from '../../web/browser/support/page-house.js';
import { median } from '../consensus/statistics.js';
import { atLeast, atMost, type Row, type Suite, skipped } from '../row.js';
import { withEnds } from '../with-ends.js';
import { type Line, opened } from './looking.js';

const SLOW: Line = { bytesPerS: 3_000_000, latencyMs: 10, slowdown: 6 };
/** Wi-Fi, at which a file of an album takes some seconds. */
const WIFI: Line = { bytesPerS: 10_000_000, latencyMs: 5, slowdown: 1 };
const ROUNDS = 3;
/** What an upload may take before something is wrong. */
const UPLOAD_MS_MAX = 120_000;
const FILE_BYTES = 60_000_000;
const FILE = 'Long';

/** `interactionMs`: the longest that an interaction took until what came of it was drawn (Event Timing, W3C). */
const WATCH_INTERACTIONS = `
  window.interactionMs = 0;
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries()) {
      if (interactionId > 0) window.interactionMs = Math.max(window.interactionMs, duration);
    }
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
`;

/** `longTasks`: how many of 50 ms and more there were. */
const WATCH_TASKS = `
  window.longTasks = 0;
  new PerformanceObserver((list) => { window.longTasks += list.getEntries().length; }).observe({ type: 'longtask' });
`;

const settle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The slowest of the controls of a phone, and how long it took, mostly. */
async function controls(page: Page): Promise<Row> {
  const link = (name: string): Locator => page.locator('.nav-foot').getByRole('link', { name });
  const targets: Readonly<Record<string, Locator>> = {
    pause: button(page, 'Pause'),
    play: button(page, 'Play'),
    louder: button(page, 'Louder'),
    quieter: button(page, 'Quieter'),
    mute: button(page, 'Mute'),
    'sound again': button(page, 'Unmute'),
    shuffle: button(page, 'Shuffle'),
    skip: button(page, 'Skip'),
    position: page.locator('.seek-range'),
    menu: page.locator('.top .round'),
    'close the menu': page.locator('.top .round'),
    queue: link('Queue'),
    library: link('Library'),
    house: link('House'),
    now: link('Now'),
  };
  const took: { name: string; ms: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, target] of Object.entries(targets)) {
      await target.waitFor();
      await page.evaluate('window.interactionMs = 0');
      await target.tap();
      await settle(1_000);
      took.push({ name, ms: await page.evaluate<number>('interactionMs') });
    }
  }
  const mostly = Object.keys(targets).map((name) => ({
    name,
    ms: median(took.filter((one) => one.name === name).map(({ ms }) => ms)),
  }));
  const { name, ms } = mostly.reduce((a, b) => (b.ms > a.ms ? b : a));
  return atMost(200, { what: `the slowest control, slow processor: ${name}`, figure: ms, unit: 'ms' });
}

async function upload(bench: Ends, page: Page, heapBytes: () => Promise<number>): Promise<Row[]> {
  const file = join(temporaryFolder(bench), `${FILE}.wav`);
  writeFileSync(file, plainWav({}, new Uint8Array(FILE_BYTES)));
  await page.locator('input[type=file]').first().setInputFiles(file);
  const texts = () =>
    page.evaluate<readonly { text: string; atMs: number }[]>(`uploadTexts[${JSON.stringify(FILE)}] ?? []`);
  const heaps: number[] = [];
  const giveUpAt = performance.now() + UPLOAD_MS_MAX;
  while (!(await texts()).some(({ text }) => text.includes('Ready'))) {
    if (performance.now() > giveUpAt) throw new Error(`the upload came to ${(await texts()).at(-1)?.text}`);
    heaps.push(await heapBytes());
    await settle(200);
  }
  const moving = (await texts()).filter(({ text }) => /of [0-9.]+ MB/.test(text));
  const seconds = (moving.at(-1)!.atMs - moving[0]!.atMs) / 1_000;
  return [
    atLeast(4, { what: 'an upload is seen to go on, each second', figure: moving.length / seconds, unit: '' }),
    atMost(10, { what: "the page's memory meanwhile, at most", figure: Math.max(...heaps) / 1e6, unit: 'MB' }),
    atMost(0, { what: 'tasks of 50 ms and more meanwhile', figure: await page.evaluate('longTasks'), unit: '' }),
  ];
}

async function run(): Promise<Row[]> {
  if (missingBrowser !== false) return [skipped('the page under hands', missingBrowser)];
  return withEnds(async (bench) => {
    const browser = await startBrowser(bench);
    const house = await PageHouse.start(bench);
    await house.beginPlaying([0, 1, 2, 3, 4, 0, 1, 2]);
    const init = { device: DEVICES.phone };
    const phone = await opened(browser, house.address('kitchen'), { ...init, line: SLOW, before: WATCH_INTERACTIONS });
    await shows(phone.page, TITLES[0]);
    await settle(3_000);
    const rows = [await controls(phone.page)];
    await phone.close();
    await house.begin([]);
    const address = `${house.address('kitchen')}#/library`;
    const desk = await opened(browser, address, { line: WIFI, before: WATCH_UPLOADS });
    await desk.page.locator('input[type=file]').first().waitFor({ state: 'attached' });
    await settle(2_000);
    await desk.page.evaluate(WATCH_TASKS);
    const heap = async () => {
      const { usedSize } = await desk.session.send('Runtime.getHeapUsage');
      return usedSize;
    };
    rows.push(...(await upload(bench, desk.page, heap)));
    await desk.close();
    return rows;
  });
}

const suite: Suite = { name: 'page-hands', run };
export default suite;
