/**
 * What the journeys through the page are worth: a page with one mistake in it, of the kinds that such pages are known for, fails on one of them.
 *
 * For each mistake the page is built anew with one place changed, and this file is run once more, in a process of its own, with the journey
 * that has to find it: there the browser is given the changed scripts instead of the node's.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext } from 'playwright-core';
import t, { type Test } from 'tap';
import { build } from 'vite';
import { until } from '../support/daemon.js';
import { kill } from '../support/three-nodes.js';
import { library } from '../web/browser/journeys/library.js';
import { whereTheNodesAre } from '../web/browser/journeys/position.js';
import { queue } from '../web/browser/journeys/queue.js';
import { tabs } from '../web/browser/journeys/tabs.js';
import { transport } from '../web/browser/journeys/transport.js';
import { missingBrowser, startBrowser } from '../web/browser/support/chromium.js';
import { WATCH_STREAMS } from '../web/browser/support/in-the-page.js';
import { journey, NO_ANSWER } from '../web/browser/support/journey.js';
import type { Place } from '../web/browser/support/one-house.js';
import { PageHouse } from '../web/browser/support/page-house.js';

t.setTimeout(590_000);

/** More than the page waits for a word of its node, in words of its node: one comes every 3 s. */
const PINGS = 5;

/** A page at which nothing happens keeps the stream that it has. */
const aStreamStays = (t: Test, { browser, house }: Place): Promise<void> =>
  journey(t, { browser, origins: house.origins }, async (open) => {
    await house.begin();
    const { page } = await open(house.address('kitchen'), { before: WATCH_STREAMS });
    await until('there is a stream', () => page.evaluate<boolean>('streams.length > 0'));
    await page.evaluate("window.pings = 0; streams[0].addEventListener('ping', () => { window.pings += 1; })");
    await until('the node was heard, or the stream was given up', () =>
      page.evaluate<boolean>(`pings >= ${PINGS} || streams.length > 1`),
    );
    t.equal(await page.evaluate('streams.length'), 1, 'the stream that was opened is the only one');
  });

/** A room that is away is said to be, and drawn so, whatever colour it has. */
const awayIsNoColour = async (t: Test, { browser, house }: Place): Promise<void> => {
  await t.test('a room that is away', (t) =>
    journey(t, { browser, origins: house.origins, expected: [NO_ANSWER] }, async (open) => {
      const { page } = await open(house.address('kitchen'));
      const line = page.locator('.room-line').filter({ hasText: 'attic' });
      const shape = () => line.locator('.head').evaluate((head) => head.innerHTML);
      await line.locator('.head-idle').waitFor();
      const before = await shape();
      await kill(house.daemons.attic);
      await line.locator('.head-away').waitFor();
      t.not(await shape(), before, 'has another head');
      t.match(await line.textContent(), /away/, 'is said to be away');
    }),
  );
};

interface Mutant {
  /** Below src/web. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Finds it: of these journeys those whose names hold `part`. */
  readonly travel: (t: Test, place: Place) => Promise<void>;
  readonly part: string;
  /** What is said where it is found: a journey that fails for another reason has not found it. */
  readonly found: RegExp;
}

/** A page with nothing changed, which shows that it is the mistakes that are found. */
const UNCHANGED = 'nothing is changed';

const MUTANTS: Readonly<Record<string, Mutant>> = {
  [UNCHANGED]: {
    file: 'page.tsx',
    from: 'app.start()',
    to: 'app.start()',
    travel: transport,
    part: 'J1, desk: play, skip and pause',
    found: /^$/,
  },
  'the words of the node are not counted': {
    file: 'world/event-stream.ts',
    from: "'tracks', 'ping', 'error'",
    to: "'tracks', 'error'",
    travel: aStreamStays,
    part: '',
    found: /the stream that was opened is the only one/,
  },
  'what was asked for is forgotten at the next event': {
    file: 'app/store.ts',
    from: 'this.pending.value = stillPending(this.pending.value, slot, nowMs());',
    to: 'this.pending.value = stillPending([], slot, nowMs());',
    travel: transport,
    part: 'J1, desk: a skip that no node',
    found: /what else the node says is no answer to it/,
  },
  'the position goes by the clock on the wall': {
    file: 'world/timers.ts',
    from: 'performance.now();',
    to: 'Date.now();',
    travel: (t, place) => whereTheNodesAre(t, place, [0.6]),
    part: 'J5, desk',
    found: /off by [0-9.]+ ms at most/,
  },
  'keys are made as only a secure context can': {
    file: 'world/api.ts',
    from: "Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');",
    to: 'crypto.randomUUID();',
    travel: transport,
    part: 'J1, desk: play, skip and pause',
    found: /until every node sounds/,
  },
  'items are moved by their places': {
    file: 'app/actions.ts',
    from: 'body: { beforeItemId } }, elsewhere',
    to: 'body: { position: 1 } }, elsewhere',
    travel: queue,
    part: 'J3, by menu:',
    found: /every node has the new order/,
  },
  'a page that nobody sees keeps its stream': {
    file: 'model/link.ts',
    from: 'link.hiddenMs !== null && nowMs >= link.hiddenMs + HIDDEN_MS_MAX',
    to: 'false',
    travel: tabs,
    part: 'idle:',
    found: /its stream is closed/,
  },
  'a song is ready when its bytes are sent': {
    file: 'app/uploads.ts',
    from: "sentBytes >= file.size ? 'checking' : 'sending'",
    to: "sentBytes >= file.size ? 'done' : 'sending'",
    travel: library,
    part: 'J2, desk',
    found: /it is ready when the node has said so/,
  },
  'a room is away by its colour alone': {
    file: 'view/frame/house-strip.tsx',
    from: "{kind === 'silent' && why !== '' ? why : words.kinds[kind]}",
    to: '',
    travel: awayIsNoColour,
    part: '',
    found: /is said to be away/,
  },
  'rooms are told apart by their colours alone': {
    file: 'view/parts/note-head.tsx',
    from: '<path d="M-6 0h12v4h-12z" />',
    to: '<ellipse rx="5.6" ry="3.9" transform="rotate(-22)" />',
    travel: awayIsNoColour,
    part: '',
    found: /has another head/,
  },
  'titles are markup': {
    file: 'view/queue/queue-region.tsx',
    from: '<bdi dir="auto">{app.titleOf(item.trackId, item.title)}</bdi>',
    to: '<bdi dir="auto" dangerouslySetInnerHTML={{ __html: item.title }} />',
    travel: transport,
    part: 'J1, desk: play, skip and pause',
    found: /TrustedHTML/,
  },
};

/** Says to the process that takes a journey which one, and where the changed page is. */
const { TUTTI_MUTANT: mutantName, TUTTI_MUTANT_PAGE: mutantPage } = process.env;

const SOURCE = fileURLToPath(new URL('../../../src/web/', import.meta.url));
/** The page as it is built, which the nodes serve. */
const SERVED = fileURLToPath(new URL('../../web/', import.meta.url));

/** Builds the page with the one place changed. @returns the folder */
async function buildMutant({ file, from, to }: Mutant): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'tutti-mutant-'));
  let isChanged = false;
  await build({
    configFile: false,
    root: SOURCE,
    logLevel: 'silent',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    plugins: [
      {
        name: 'mutant',
        enforce: 'pre',
        transform: (code, id) => {
          if (id !== join(SOURCE, file)) return null;
          isChanged = code.includes(from);
          return code.replace(from, to);
        },
      },
    ],
    build: { outDir, target: 'es2022', modulePreload: false, cssCodeSplit: false, minify: false },
  });
  if (!isChanged) throw new Error(`${file} has no ${from}`);
  return outDir;
}

/** The script that a document begins with. */
const entryOf = (folder: string): string =>
  /src="\/(assets\/[^"]+\.js)"/.exec(readFileSync(join(folder, 'index.html'), 'utf8'))![1]!;

/** What the document fetches ahead has another name in a changed page, and is fetched by that. */
const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** The same browser, in which the node's scripts are those of `folder`. */
function withScripts(browser: Browser, folder: string): Browser {
  const entry = entryOf(SERVED);
  const newContext = async (...init: Parameters<Browser['newContext']>): Promise<BrowserContext> => {
    const context = await browser.newContext(...init);
    await context.route(/\/assets\/.*\.js$/, (route) => {
      const path = new URL(route.request().url()).pathname.slice(1);
      // Under its own name too: parts of the page ask for their beginning by that.
      const body = path === entry ? `import '/${entryOf(folder)}';` : textOf(join(folder, path));
      return route.fulfill({ contentType: 'text/javascript', body });
    });
    return context;
  };
  return new Proxy(browser, {
    get: (target, name) => {
      if (name === 'newContext') return newContext;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** `t`, which takes only those subtests whose names hold `part`. */
const onlyPart = (t: Test, part: string): Test =>
  new Proxy(t, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'test') return value.bind(target);
      return (title: string, ...rest: unknown[]) => (title.includes(part) ? value.call(target, title, ...rest) : null);
    },
  });

/** Takes one journey with the page of `folder`. */
async function takeJourney({ travel, part }: Mutant, folder: string): Promise<void> {
  const browser = withScripts(await startBrowser(t), folder);
  const house = await PageHouse.start(t);
  await travel(onlyPart(t, part), { browser, house });
}

/** How a journey ends that is taken with the page of `folder`. @returns what failed, and all that it says of that */
async function failuresWith(name: string, folder: string): Promise<{ code: number; failures: string; said: string }> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    env: { ...process.env, TUTTI_MUTANT: name, TUTTI_MUTANT_PAGE: folder, TAP: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const [code] = (await once(child, 'close')) as [number];
  // What comes before is of what went well.
  const said = /^\s*not ok .*/ms.exec(text)?.[0] ?? '';
  return { code, failures: said.match(/^\s*not ok .*$/gm)?.join('\n') ?? '', said };
}

if (mutantName !== undefined) {
  await takeJourney(MUTANTS[mutantName]!, mutantPage ?? '');
} else {
  await t.test('mistakes of pages', { skip: missingBrowser }, async (t) => {
    for (const [name, mutant] of Object.entries(MUTANTS)) {
      await t.test(name === UNCHANGED ? `all is well where ${name}` : `it is found out where ${name}`, async (t) => {
        const folder = await buildMutant(mutant);
        t.teardown(() => rmSync(folder, { recursive: true, force: true }));
        const { code, failures, said } = await failuresWith(name, folder);
        if (name === UNCHANGED) t.same({ code, failures }, { code: 0, failures: '' });
        else {
          t.not(code, 0);
          t.match(said, mutant.found, 'by what was to find it', { failures });
        }
      });
    }
  });
}
