/** How fast files are scrubbed. */
import fc from 'fast-check';
import t from 'tap';
import { mayScrub, SCRUB_BYTES_PER_S_MAX, SCRUB_ROUND_MS_MAX, scrubPauseMs } from '../../src/tracks/scrub-pace.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** How long a round takes of a node that may scrub for `share` of each hour only. Milliseconds. */
function roundMs(bytesTotal: number, stepBytes: number, share = 1): number {
  let atMs = 0;
  for (let bytesDone = 0; bytesDone < bytesTotal; ) {
    const readBytes = Math.min(stepBytes, bytesTotal - bytesDone);
    bytesDone += readBytes;
    atMs += scrubPauseMs({ readBytes, bytesDone, bytesTotal }, atMs);
    const hourMs = atMs % (DAY_MS / 24);
    if (hourMs > (DAY_MS / 24) * share) atMs += DAY_MS / 24 - hourMs;
  }
  return atMs;
}

t.test('every byte is looked at within 14 days, also where there is much, and where half of the time is lost', (t) => {
  for (const share of [1, 0.5]) {
    for (const bytes of [3e9, 32e9, 256e9, 500e9]) {
      const ms = roundMs(bytes, 4 << 20, share);
      t.ok(ms <= SCRUB_ROUND_MS_MAX, `${bytes / 1e9} GB: ${ms / DAY_MS} days`);
      if (share === 1) t.ok(ms > 5 * DAY_MS, 'and not in a hurry');
    }
  }
  t.end();
});

t.test('never is more than a megabyte read in a second, and never is it forgotten', (t) => {
  const standing = fc.record({
    readBytes: fc.nat(64 << 20),
    bytesDone: fc.nat(1e12),
    more: fc.nat(1e12),
    ms: fc.nat(100 * DAY_MS),
  });
  fc.assert(
    fc.property(standing, ({ readBytes, bytesDone, more, ms }) => {
      const pauseMs = scrubPauseMs({ readBytes, bytesDone, bytesTotal: bytesDone + more }, ms);
      const leastMs = (readBytes / SCRUB_BYTES_PER_S_MAX) * 1_000;
      t.ok(pauseMs >= leastMs && pauseMs <= Math.max(leastMs, DAY_MS / 24), `${pauseMs}`);
    }),
  );
  t.equal(scrubPauseMs({ readBytes: 0, bytesDone: 0, bytesTotal: 0 }, 0), DAY_MS / 24, 'nothing yet: look later');
  t.end();
});

t.test('a round that has fallen behind hurries', (t) => {
  const half = { readBytes: 1e6, bytesDone: 5e9, bytesTotal: 10e9 };
  t.ok(scrubPauseMs(half, 6 * DAY_MS) < scrubPauseMs(half, 3 * DAY_MS));
  t.equal(scrubPauseMs(half, 8 * DAY_MS), 1_000);
  t.end();
});

t.test('music that is playing needs a busy disk for itself', (t) => {
  const cases = [true, false].flatMap((isPlaying) => [true, false].map((isDiskBusy) => ({ isPlaying, isDiskBusy })));
  t.strictSame(cases.map(mayScrub), [false, true, true, true]);
  t.end();
});
