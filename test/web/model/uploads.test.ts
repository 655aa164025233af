/** Files on their way in: nothing is ready before the node says so. */
import t from 'tap';
import type { Upload } from '../../../src/http/schema.js';
import { beginning, leftMs, observed } from '../../../src/web/model/upload-estimate.js';
import { canBeRetried, isOver, type OwnUpload, summaryOf, uploadRows } from '../../../src/web/model/upload-list.js';

const own = (id: string, extra: Partial<OwnUpload> = {}): OwnUpload => ({
  id,
  title: id,
  stage: 'sending',
  sentBytes: 100,
  totalBytes: 100,
  code: null,
  trackId: null,
  ...extra,
});

const told = (id: string, extra: Partial<Upload> = {}): Upload => ({
  id,
  title: id,
  via: 'http',
  receivedBytes: 100,
  totalBytes: 100,
  stage: 'replicating',
  code: null,
  trackId: null,
  needed: 2,
  progress: {},
  ...extra,
});

t.test('all bytes sent is not ready: the row says on how many cards it is', (t) => {
  const [row] = uploadRows([own('a', { stage: 'checking' })], [told('a', { progress: { n1: 100, n2: 99 } })]);
  t.match(row, { stage: 'checking', held: 1, needed: 2, from: 'here' });
  t.equal(isOver(row!), false);
  t.match(uploadRows([own('a')], [])[0], { held: 0, needed: 0 });
  t.match(uploadRows([own('a')], [told('a', { needed: 0 })])[0], { held: 0, needed: 0 });
  t.end();
});

t.test(
  "others' uploads are in the same list, once, and what this page has taken off its list is not one of them",
  (t) => {
    const rows = uploadRows(
      [own('a'), own('d', { stage: 'gone' })],
      [
        told('a'),
        told('d', { stage: 'done' }),
        told('b', { via: 'inbox', stage: 'receiving', totalBytes: null, receivedBytes: 7 }),
        told('c', { stage: 'failed', code: 'TRACK_EXISTS', trackId: 't9' }),
      ],
    );
    t.same(
      rows.map(({ id, from, stage }) => [id, from, stage]),
      [
        ['a', 'here', 'sending'],
        ['d', 'here', 'gone'],
        ['b', 'inbox', 'sending'],
        ['c', 'http', 'exists'],
      ],
    );
    t.match(rows[2], { sentBytes: 7, totalBytes: 0 });
    t.end();
  },
);

t.test('a summary leaves out what was called off, and counts a duplicate as there', (t) => {
  const list = [own('a', { stage: 'done' }), own('b', { stage: 'exists' }), own('c', { stage: 'gone' })];
  t.same(summaryOf(list), { count: 2, ready: 2, isOver: true, sentBytes: 200, totalBytes: 200 });
  t.equal(summaryOf([...list, own('d')]).isOver, false);
  t.end();
});

t.test('what fails by the file itself is not offered once more', (t) => {
  t.equal(canBeRetried({ stage: 'failed', code: 'UNSUPPORTED_AUDIO' }), false);
  t.equal(canBeRetried({ stage: 'failed', code: 'NO_QUORUM' }), true);
  t.equal(canBeRetried({ stage: 'failed', code: null }), true);
  t.equal(canBeRetried({ stage: 'done', code: null }), false);
  t.end();
});

t.test('the time that is left follows the pace of the last seconds', (t) => {
  let estimate = beginning(0);
  t.equal(leftMs(estimate, 1_000), null);
  for (let ms = 250; ms <= 4_000; ms += 250) estimate = observed(estimate, ms * 1_000, ms);
  t.ok(Math.abs(leftMs(estimate, 1e6)! - 1_000) < 1);
  const before = estimate;
  estimate = observed(estimate, estimate.bytes + 1, estimate.atMs + 10);
  t.equal(estimate, before, 'too soon to say anything');
  for (let ms = 4_250; ms <= 14_000; ms += 250) estimate = observed(estimate, 4e6 + (ms - 4_000) * 100, ms);
  t.ok(Math.abs(estimate.bytesPerS! - 100_000) < 40_000, 'a tenth of the pace');
  estimate = observed(estimate, estimate.bytes, estimate.atMs + 60_000);
  t.ok(estimate.bytesPerS! < 100);
  t.equal(leftMs({ atMs: 0, bytes: 0, bytesPerS: 0 }, 5), null);
  t.end();
});
