/** The journey of whoever comes with a folder of large files: three of 60 MB among twelve. */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { temporaryFolder } from '../../../support/daemon.js';
import { song } from '../../../support/three-nodes.js';
import { plainWav } from '../../../support/wav-files.js';
import { WATCH_UPLOADS } from '../support/in-the-page.js';
import { journey, refusedWith } from '../support/journey.js';
import type { Place } from '../support/one-house.js';
import { TITLES } from '../support/page-house.js';

const BIG_BYTES = 60_000_000;
const HEAP_BYTES_MAX = 10_000_000;
const PATIENCE_MS = 240_000;

/** A WAV of silence but for its first samples, which takes no room on the disk. */
function writeBig(path: string, seed: number): void {
  const head = plainWav({}, new Uint8Array(BIG_BYTES)).subarray(0, 44);
  const file = openSync(path, 'w');
  writeSync(file, head);
  writeSync(file, Uint8Array.of(seed, 1, seed, 2));
  ftruncateSync(file, head.length + BIG_BYTES);
  closeSync(file);
}

/** A folder of twelve: what is music comes in, in order, and the page stays small meanwhile. */
export async function bigAlbum(t: Test, { browser, house }: Place): Promise<void> {
  const folder = join(temporaryFolder(t), 'Album');
  mkdirSync(folder);
  const big = ['01 Long', '02 Longer', '10 Longest'];
  const small = ['03 a', '04 b', '05 c', '06 d', '07 e', '08 f'];
  for (const [at, name] of big.entries()) writeBig(join(folder, `${name}.wav`), at + 1);
  for (const [at, name] of small.entries()) writeFileSync(join(folder, `${name}.wav`), song(300 + at));
  writeFileSync(join(folder, '11 Again.wav'), song(1));
  writeFileSync(join(folder, '12 No music.wav'), new Uint8Array(5_000).fill(0xff));
  writeFileSync(join(folder, '13 Half.wav'), song(400).subarray(0, 100_000));

  const init = { browser, origins: house.origins, expected: [409, 415, 422].map(refusedWith) };
  await t.test('J2: of a folder with large files what is music comes in, in order [rows 7, 11, 12, 52]', (t) =>
    journey(t, init, async (open) => {
      await house.begin([]);
      const { page } = await open(`${house.address('kitchen')}#/library`, { before: WATCH_UPLOADS });
      await page.locator('input[data-pick=folder]').setInputFiles(folder);
      const addAll = page.getByRole('button', { name: 'Add all 10 to the queue' });
      await addAll.waitFor({ timeout: PATIENCE_MS });
      for (const name of big) {
        const texts = await page.evaluate<readonly { readonly text: string }[]>(`uploadTexts[${JSON.stringify(name)}]`);
        const counted = new Set(texts.map(({ text }) => text).filter((text) => /of [0-9.]+ MB/.test(text)));
        t.ok(counted.size >= 4, `${name} is seen on its way`, { texts });
        const cards = texts.findIndex(({ text }) => /on [0-9] of [0-9]/.test(text));
        const ready = texts.findIndex(({ text }) => text.includes('Ready'));
        t.ok(cards >= 0 && cards < ready, `${name} is seen to reach the other cards before it is ready`, { texts });
      }
      const session = await page.context().newCDPSession(page);
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      t.ok(usedSize <= HEAP_BYTES_MAX, `the page has ${usedSize} bytes of memory in use`);
      await addAll.click();
      const inOrder = [...big.slice(0, 2), ...small, big[2], TITLES[0]];
      await house.settled(
        'has queued the album',
        ({ queue }) => queue.map(({ title }) => title).join() === inOrder.join(),
      );
    }),
  );
}
