/**
 * The page against its targets: how soon it is seen on a good and on a weak line, what it costs while it is looked at, how soon a press shows, how
 * far its bar is from the nodes, and how soon it says that a node is silent. In Chromium, with real nodes on this machine; on the weak profile
 * (400 kB/s, 60 ms, a processor a sixth as fast) as on a good line figures depend on the machine, and the targets are those of a calm one.
 */
import type { Browser } from 'playwright-core';
import { kill, together } from '../../support/three-nodes.js';
import { missingBrowser, startBrowser } from '../../web/browser/support/chromium.js';
import { offBy, type PositionSample, SAMPLE_POSITION, WATCH_STREAMS } from '../../web/browser/support/in-the-page.js';
import { DEVICES } from '../../web/browser/support/journey.js';
import { button, shows } from '../../web/browser/support/on-the-page.js';
import { PageHouse, TITLES } from '../../web/browser/support/page-house.js';
import { median, percentile } from '../consensus/statistics.js';
import { processorSOf } from '../processes.js';
import { atMost, forInformation, type Row, type Suite, skipped } from '../row.js';
import { withEnds } from '../with-ends.js';
import { serveBarePages } from './bare-page.js';
import { type Line, libraryOf, NOTE, opened, untilSeen, type Work, workOf } from './looking.js';

/** Where pages are looked at. */
interface Place {
  readonly browser: Browser;
  readonly house: PageHouse;
  /** Address of the pages that have nothing in them. */
  readonly bare: string;
}

const GOOD: Line = { bytesPerS: 3_000_000, latencyMs: 10, slowdown: 1 };
const WEAK: Line = { bytesPerS: 400_000, latencyMs: 60, slowdown: 6 };
const LOOKS = 5;
const PRESSES = 20;
const EVENTS = 5;
const TRACKS = 2_000;
const PAGES = 10;
const WATCH_S = 10;

/** What is measured beside a bare page in the same moments: on a machine on which that one is late, or takes much, so is any. */
const besideBare = (most: number, row: Pick<Row, 'what' | 'figure' | 'unit'>, bare: number): Row =>
  atMost(most, { ...row, peer: { name: 'a bare page', figure: bare }, ratio: row.figure / bare });

const beside = (row: Pick<Row, 'what' | 'figure' | 'unit'>, bare: number): Row => ({
  ...forInformation(row),
  peer: { name: 'a bare page', figure: bare },
  ratio: row.figure / bare,
});

const PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null";

/** When something is seen of a page that is opened, and of a bare one, milliseconds: the first paint, and the song with its position. */
async function firstSight(
  { browser, house, bare }: Place,
  line: Line,
): Promise<{ paintMs: number; songMs: number; bareMs: number }> {
  const [paints, songs, bares]: [number[], number[], number[]] = [[], [], []];
  for (let look = 0; look < LOOKS; look += 1) {
    const { page, close } = await opened(browser, house.address('kitchen'), {
      line,
      device: DEVICES.phone,
      before: NOTE,
    });
    songs.push(await untilSeen('the song is shown', () => page.evaluate<number | null>('songShownMs')));
    paints.push(await page.evaluate<number>(PAINT));
    await close();
    const other = await opened(browser, `${bare}/`, { line, device: DEVICES.phone });
    bares.push(await untilSeen('the bare page is painted', () => other.page.evaluate<number | null>(PAINT)));
    await other.close();
  }
  return { paintMs: median(paints), songMs: median(songs), bareMs: median(bares) };
}

async function sight(place: Place): Promise<Row[]> {
  const { house } = place;
  await house.beginPlaying([0, 1, 2, 3, 4]);
  await house.daemons.kitchen.call('POST', '/transport/pause');
  const [good, weak] = [await firstSight(place, GOOD), await firstSight(place, WEAK)];
  return [
    besideBare(150, { what: 'first paint, good line', figure: good.paintMs, unit: 'ms' }, good.bareMs),
    besideBare(350, { what: 'first paint, weak line', figure: weak.paintMs, unit: 'ms' }, weak.bareMs),
    besideBare(700, { what: 'song and position, weak line', figure: weak.songMs, unit: 'ms' }, weak.bareMs),
  ];
}

async function longLibrary({ browser, house }: Place): Promise<Row[]> {
  const { page, close } = await opened(browser, house.address('kitchen'), {
    line: { ...GOOD, slowdown: 6 },
    device: DEVICES.phone,
    before: NOTE,
    library: libraryOf(TRACKS),
  });
  await button(page, 'Play').waitFor();
  const firstMs = await page.evaluate<number>(`(async () => {
    await libraryHere;
    const beganMs = performance.now();
    location.hash = '#/library';
    while (document.querySelectorAll('.region-library .row').length === 0) await new Promise(requestAnimationFrame);
    return performance.now() - beganMs;
  })()`);
  const eventsMs: number[] = [];
  for (let volume = 40; volume < 40 + EVENTS; volume += 1) {
    await page.evaluate('forgetEvents()');
    await house.daemons.kitchen.call('PUT', '/volume', { volume });
    eventsMs.push(await untilSeen('an event was taken in', () => page.evaluate<number | null>('newestEventMs()')));
  }
  await close();
  return [
    atMost(200, { what: `first draw of ${TRACKS} tracks, slow processor`, figure: firstMs, unit: 'ms' }),
    atMost(20, { what: 'one event after that', figure: median(eventsMs), unit: 'ms' }),
    forInformation({ what: 'one event after that, at most', figure: Math.max(...eventsMs), unit: 'ms' }),
  ];
}

/** What a page goes on doing when all that it fetches is here. */
const calm = () => new Promise((resolve) => setTimeout(resolve, 3_000));

async function bareWork({ browser, bare }: Place, path: string): Promise<Work> {
  const { session, close } = await opened(browser, `${bare}/${path}`, { device: DEVICES.phone });
  await calm();
  const work = await workOf(session, WATCH_S);
  await close();
  return work;
}

async function cost(place: Place): Promise<Row[]> {
  const { browser, house } = place;
  const [barePlaying, barePaused] = [await bareWork(place, 'playing'), await bareWork(place, 'paused')];
  const { page, session, close } = await opened(browser, house.address('kitchen'), {
    device: DEVICES.phone,
    before: NOTE,
  });
  await house.beginPlaying([0, 1]);
  await shows(page, TITLES[0]);
  await calm();
  const playing = await workOf(session, WATCH_S);
  await house.daemons.kitchen.call('POST', '/transport/pause');
  await button(page, 'Play').waitFor();
  await calm();
  const paused = await workOf(session, WATCH_S);
  const [shift, jumped] = await page.evaluate<[number, string[]]>('[layoutShift, [...jumped]]');
  const { pid } = house.daemons.kitchen.process;
  const nodeShare = async () => {
    const before = processorSOf(pid!);
    await new Promise((resolve) => setTimeout(resolve, 1_000 * WATCH_S));
    return (100 * (processorSOf(pid!) - before)) / WATCH_S;
  };
  await close();
  await house.beginPlaying([0, 1]);
  const desk = await opened(browser, house.address('kitchen'), { device: DEVICES.desk });
  await calm();
  const onDesk = await workOf(desk.session, WATCH_S);
  await desk.close();
  await house.daemons.kitchen.call('POST', '/transport/pause');
  const alone = await nodeShare();
  const others = [];
  for (let count = 0; count < PAGES; count += 1) others.push(await opened(browser, house.address('kitchen'), {}));
  for (const { page } of others) await button(page, 'Play').waitFor();
  const watched = await nodeShare();
  for (const { close } of others) await close();
  // The targets are of what the page does. All of the main thread holds a browser's own frames as well, of which a bare page that moves one
  // animation has more than the target: that is for information.
  return [
    besideBare(
      5,
      { what: 'script, style, layout each second, playing', figure: playing.ownMs, unit: 'ms' },
      barePlaying.ownMs,
    ),
    besideBare(
      5,
      { what: 'the same on a desk, with the strip of the rooms', figure: onDesk.ownMs, unit: 'ms' },
      barePlaying.ownMs,
    ),
    besideBare(
      0.5,
      { what: 'script, style, layout each second, paused', figure: paused.ownMs, unit: 'ms' },
      barePaused.ownMs,
    ),
    beside(
      { what: 'all of the main thread each second, playing', figure: playing.allMs, unit: 'ms' },
      barePlaying.allMs,
    ),
    beside({ what: 'all of the main thread each second, paused', figure: paused.allMs, unit: 'ms' }, barePaused.allMs),
    atMost(0, { what: ['layout shift after the first data', ...jumped].join(' '), figure: shift, unit: '' }),
    atMost(1, {
      what: `a node's cost of ${PAGES} idle pages, of one core`,
      figure: Math.max(0, watched - alone),
      unit: '%',
    }),
  ];
}

async function presses({ browser, house }: Place): Promise<Row[]> {
  await house.beginPlaying(Array.from({ length: PRESSES + 1 }, (_, at) => at % TITLES.length));
  const { page, close } = await opened(browser, house.address('attic'), { device: DEVICES.phone });
  await shows(page, TITLES[0], 'attic');
  const [pressed, settled]: [number[], number[]] = [[], []];
  for (let press = 1; press <= PRESSES; press += 1) {
    const before = (await house.states())[0]!.transport.itemId;
    const beganMs = performance.now();
    const shown = page.evaluate<number>(`(async () => {
      const skip = document.querySelector('[aria-label=Skip]');
      const beganMs = performance.now();
      skip.click();
      while (!skip.classList.contains('asked')) await new Promise(requestAnimationFrame);
      return performance.now() - beganMs;
    })()`);
    await untilSeen('all nodes have skipped', async () =>
      (await house.states()).every(({ transport }) => transport.itemId !== before),
    );
    settled.push(performance.now() - beganMs);
    pressed.push(await shown);
    await shows(page, TITLES[press % TITLES.length]!, 'attic');
  }
  await close();
  return [
    atMost(50, { what: 'from a press until it is shown, p95', figure: percentile(pressed, 0.95), unit: 'ms' }),
    atMost(400, { what: 'from a press until all nodes have it, p95', figure: percentile(settled, 0.95), unit: 'ms' }),
  ];
}

async function position({ browser, house }: Place): Promise<Row[]> {
  await house.beginPlaying([0, 1]);
  const { page, close } = await opened(browser, house.address('kitchen'), { before: WATCH_STREAMS + SAMPLE_POSITION });
  await shows(page, TITLES[0]);
  const off: number[] = [];
  const SAMPLES = 60;
  while (off.length < SAMPLES) {
    const sample = await page.evaluate<PositionSample | null>('sample()');
    if (sample !== null) off.push(offBy(sample));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await close();
  return [
    atMost(100, { what: 'the bar, off the nodes, at most', figure: Math.max(...off), unit: 'ms' }),
    atMost(30, { what: 'the bar, off the nodes, p95', figure: percentile(off, 0.95), unit: 'ms' }),
  ];
}

async function silence({ browser, house }: Place): Promise<Row[]> {
  const { kitchen } = house.daemons;
  const { page, close } = await opened(browser, house.address('kitchen'), {});
  const word = page.getByText(/^No word from kitchen for/);
  const whole = () => together(Object.values(house.daemons), 3);
  const seconds = async (what: () => unknown, state: 'visible' | 'detached') => {
    const beganMs = performance.now();
    await what();
    await word.waitFor({ state });
    return (performance.now() - beganMs) / 1_000;
  };
  await shows(page, TITLES[0]);
  const frozenS = await seconds(() => kitchen.process.kill('SIGSTOP'), 'visible');
  const backS = await seconds(() => kitchen.process.kill('SIGCONT'), 'detached');
  await whole();
  const killedS = await seconds(() => kill(kitchen), 'visible');
  await house.restart('kitchen');
  await word.waitFor({ state: 'detached' });
  await whole();
  await close();
  return [
    atMost(11, { what: 'until a frozen node is said to be silent', figure: frozenS, unit: 's' }),
    atMost(4, { what: 'until a killed node is said to be silent', figure: killedS, unit: 's' }),
    atMost(2, { what: 'until the page is right again', figure: backS, unit: 's' }),
  ];
}

async function run(): Promise<Row[]> {
  if (missingBrowser !== false) return [skipped('the page', missingBrowser)];
  return withEnds(async (bench) => {
    const browser = await startBrowser(bench);
    const place = { browser, house: await PageHouse.start(bench), bare: await serveBarePages(bench) };
    const rows: Row[] = [];
    for (const measure of [sight, longLibrary, cost, presses, position, silence]) rows.push(...(await measure(place)));
    return rows;
  });
}

const suite: Suite = { name: 'page', run };
export default suite;
