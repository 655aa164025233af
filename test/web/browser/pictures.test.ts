/**
 * What the page looks like: pictures of a house that stands still, with fonts of their own, compared with those that somebody has looked at.
 *
 * `TUTTI_PICTURES=write npm test -- web/browser/pictures` draws them anew, and the two of the README with them: a change of the page's looks
 * needs its new pictures in the same commit. Other versions of the browser or of the fonts draw a little differently; so pictures are
 * compared where those are the ones that drew them, and skipped elsewhere.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import t from 'tap';
import type { StateEvent } from '../../../src/http/schema.js';
import { missingBrowser, startBrowser } from './support/chromium.js';
import { type Device, journey, type OpenInit } from './support/journey.js';
import { CUT_OFF_VIEW, STILL_ADDRESS, STILL_VIEW, standStill, WAITING_VIEW } from './support/still-house.js';

// Seconds on a machine that has time.
t.setTimeout(230_000);

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const FOLDER = join(ROOT, 'test/web/browser/pictures');
const FONTS = join(ROOT, 'test/web/browser/support/fonts.conf');
/** Names the program that drew the pictures. */
const DRAWN_BY = join(FOLDER, 'drawn-by.txt');
const isWriting = process.env.TUTTI_PICTURES === 'write';

/** What pixels may differ by before they count, as pixelmatch measures it; and how many may. */
const THRESHOLD = 0.1;
const SHARE_MAX = 0.001;

interface Picture {
  readonly name: string;
  readonly region: 'now' | 'queue' | 'library' | 'house' | 'sync' | 'setup';
  readonly device: Device;
  readonly traits?: OpenInit['traits'];
  readonly view?: StateEvent;
  /** Language of the page: that of nobody shows texts that have no room, and those that are not in the catalogue. */
  readonly language?: string;
  /** Where it is shown to others, below the root. */
  readonly shownAs?: string;
}

const PICTURES: readonly Picture[] = [
  { name: 'phone-now', region: 'now', device: 'phone', shownAs: 'docs/page-phone.png' },
  { name: 'phone-queue', region: 'queue', device: 'phone' },
  { name: 'phone-library', region: 'library', device: 'phone' },
  { name: 'phone-house', region: 'house', device: 'phone' },
  { name: 'desk-now', region: 'now', device: 'desk', shownAs: 'docs/page-desk.png' },
  { name: 'desk-sync', region: 'sync', device: 'desk' },
  { name: 'desk-dark', region: 'now', device: 'desk', traits: { colorScheme: 'dark' } },
  { name: 'phone-dark', region: 'now', device: 'phone', traits: { colorScheme: 'dark' } },
  { name: 'phone-forced-colours', region: 'now', device: 'phone', traits: { forcedColors: 'active' } },
  { name: 'phone-cut-off', region: 'now', device: 'phone', view: CUT_OFF_VIEW },
  { name: 'desk-cut-off', region: 'house', device: 'desk', view: CUT_OFF_VIEW },
  { name: 'phone-setup', region: 'setup', device: 'phone', view: WAITING_VIEW },
  { name: 'phone-long-words', region: 'now', device: 'phone', language: 'pseudo' },
];

/** After all that a page may believe of the time when it is stopped. */
const LATER_NS = '700000000000';

/** The view as it is told at another moment. */
const heldFrom = (view: StateEvent, atNs: string): StateEvent => ({
  ...view,
  cluster: { ...view.cluster, timeNs: atNs },
  transport: { ...view.transport, atNs },
});

await t.test('pictures', { skip: missingBrowser }, async (t) => {
  const browser = await startBrowser(t, { FONTCONFIG_FILE: FONTS });
  const version = `Chromium ${browser.version().split('.')[0]}`;
  mkdirSync(FOLDER, { recursive: true });
  const drawnBy = existsSync(DRAWN_BY) ? readFileSync(DRAWN_BY, 'utf8').trim() : '';
  const isOther = !isWriting && drawnBy !== version;
  if (isWriting) writeFileSync(DRAWN_BY, `${version}\n`);

  for (const picture of PICTURES) {
    const { name, region, device, traits, view = STILL_VIEW, language, shownAs } = picture;
    await t.test(
      `the picture ${name}`,
      { skip: isOther && `they were drawn by ${drawnBy}, and this is ${version}` },
      (t) =>
        journey(t, { browser, origins: [new URL(STILL_ADDRESS).origin] }, async (open) => {
          const { page } = await open(`${STILL_ADDRESS}#/${region}`, {
            device,
            traits: { reducedMotion: 'reduce', colorScheme: 'light', ...traits },
            ...(language !== undefined && {
              before: `if (location.protocol === 'http:') localStorage.setItem('tutti.language', '${language}')`,
            }),
            prepare: (page) => standStill(page, view),
          });
          await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
          if (view.cluster.id !== null) await page.locator('.room-line').first().waitFor();
          await page.waitForLoadState('networkidle');
          await page.clock.pauseAt(60_000);
          // What went on until then depends on the machine: the view holds anew from here, and is drawn.
          await page.evaluate(`tell('state', ${JSON.stringify(heldFrom(view, LATER_NS))})`);
          await page.clock.runFor(100);
          const bytes = await page.screenshot({ caret: 'hide' });
          const file = join(FOLDER, `${name}.png`);
          if (isWriting) {
            writeFileSync(file, bytes);
            if (shownAs !== undefined) writeFileSync(join(ROOT, shownAs), bytes);
            return;
          }
          const [now, seen] = [PNG.sync.read(bytes), PNG.sync.read(readFileSync(file))];
          t.same([now.width, now.height], [seen.width, seen.height]);
          const differing = pixelmatch(now.data, seen.data, null, now.width, now.height, { threshold: THRESHOLD });
          const share = differing / (now.width * now.height);
          if (share > SHARE_MAX) writeFileSync(join(ROOT, 'dist', `${name}.png`), bytes);
          t.ok(share <= SHARE_MAX, `${(100 * share).toFixed(2)} % of it differ; see dist/${name}.png`);
        }),
    );
  }
});
