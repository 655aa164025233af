/** What the benchmark of the page looks with. */
import type { Browser, BrowserContextOptions, CDPSession, Page } from 'playwright-core';
import type { TrackList } from '../../../src/http/schema.js';
import { track } from '../../web/model/views.js';

/** A line to the node, and how many times slower the reader's processor is than this one. */
export interface Line {
  readonly bytesPerS: number;
  readonly latencyMs: number;
  readonly slowdown: number;
}

/** How a page is opened. */
export interface Look {
  readonly line?: Line;
  readonly device?: BrowserContextOptions;
  /** Code that runs before any of the page's own. */
  readonly before?: string;
  /** Given to the page instead of the house's own. */
  readonly library?: TrackList['tracks'];
}

/** Notes what a benchmark asks for: when the song was shown, how far things jumped after that, what an event of the view took. */
export const NOTE = `
  window.songShownMs = null;
  window.layoutShift = 0;
  window.jumped = new Set();
  const look = () => {
    const title = document.querySelector('.song-title bdi');
    const time = document.querySelector('.seek-times span');
    if (title?.textContent && time?.textContent) window.songShownMs = performance.now();
    else requestAnimationFrame(look);
  };
  // Whoever asks for a frame sooner has the browser draw an empty one first, and sees the page later for it.
  document.addEventListener('DOMContentLoaded', look);
  new PerformanceObserver((list) => {
    for (const { value, startTime, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput || songShownMs === null || startTime <= songShownMs) continue;
      window.layoutShift += value;
      for (const { node } of sources) jumped.add((node?.parentElement ?? node)?.className ?? '');
    }
  }).observe({ type: 'layout-shift', buffered: true });
  let resolveLibrary;
  window.libraryHere = new Promise((resolve) => { resolveLibrary = resolve; });
  const { fetch } = window;
  window.fetch = async (...how) => {
    const answer = await fetch(...how);
    if (String(how[0]).endsWith('/tracks')) setTimeout(resolveLibrary, 500);
    return answer;
  };
  let newest = null;
  window.newestEventMs = () => newest;
  window.forgetEvents = () => { newest = null; };
  const Native = window.EventSource;
  window.EventSource = class extends Native {
    addEventListener(name, take, ...how) {
      if (name !== 'state') return super.addEventListener(name, take, ...how);
      super.addEventListener(name, (event) => {
        const beganMs = performance.now();
        take(event);
        queueMicrotask(() => queueMicrotask(() => {
          document.body.getBoundingClientRect();
          newest = performance.now() - beganMs;
        }));
      }, ...how);
    }
  };
`;

/** Rest is less than this share of one core, over this time. */
const REST_SHARE = 0.05;
const REST_MS = 500;

/**
 * Waits until the browser itself has done with a window that it has just opened: for a second it makes pages of its own then, of its address
 * line, and takes all of two cores for them. Who looks at a node's page has had a browser before.
 */
async function atRest(browser: Browser): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  const look = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return new Map(processInfo.map(({ id, cpuTime }) => [id, cpuTime]));
  };
  let before = await look();
  await untilSeen('the browser is at rest', async () => {
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    const now = await look();
    const processorS = Array.from(now, ([id, cpuTime]) => cpuTime - (before.get(id) ?? 0)).reduce((a, b) => a + b, 0);
    before = now;
    return processorS < (REST_SHARE * REST_MS) / 1_000;
  });
  await session.detach();
}

/** Opens a page in a window of its own. */
export async function opened(
  browser: Browser,
  address: string,
  { line, device = {}, before = '', library }: Look,
): Promise<{ readonly page: Page; readonly session: CDPSession; close(): Promise<void> }> {
  const context = await browser.newContext({ ...device });
  await context.addInitScript(`if (location.protocol === 'http:') { ${before} }`);
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await atRest(browser);
  if (line !== undefined) {
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: line.latencyMs,
      downloadThroughput: line.bytesPerS,
      uploadThroughput: line.bytesPerS,
    });
    await session.send('Emulation.setCPUThrottlingRate', { rate: line.slowdown });
  }
  if (library !== undefined) {
    await page.route('**/api/v1/tracks', async (route) => {
      const url = new URL('api/v1/state', address);
      url.hostname = '127.0.0.1';
      const { tracksRev } = (await (await fetch(url)).json()) as TrackList;
      await route.fulfill({ json: { tracksRev, tracks: library } satisfies TrackList });
    });
  }
  await page.goto(address);
  return { page, session, close: () => context.close() };
}

/** What a page has its main thread do, milliseconds of processor time each second. */
export interface Work {
  /** Its own: script, style and layout. */
  readonly ownMs: number;
  /** With whatever the browser does there for it: frames, garbage, messages. */
  readonly allMs: number;
}

const OWN = ['ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'];

/** Watches the main thread of a page for so long. */
export async function workOf(session: CDPSession, seconds: number): Promise<Work> {
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const look = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const sum = (names: readonly string[]) =>
      metrics.reduce((all, { name, value }) => (names.includes(name) ? all + 1_000 * value : all), 0);
    return { ownMs: sum(OWN), allMs: sum(['TaskDuration']) };
  };
  const before = await look();
  await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
  const after = await look();
  return { ownMs: (after.ownMs - before.ownMs) / seconds, allMs: (after.allMs - before.allMs) / seconds };
}

/** A library of so many songs. */
export const libraryOf = (count: number): TrackList['tracks'] =>
  Array.from({ length: count }, (_, at) => track(`t${at}`, { title: `Song number ${at}`, artist: `Band ${at % 50}` }));

/** Waits, looking every few milliseconds, since the figure is how long it took. */
export async function untilSeen<T>(what: string, look: () => Promise<T | null | false>): Promise<T> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== false) return seen;
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
