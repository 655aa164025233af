/** The small readers and writers of text: arguments, times, sizes, tables, and finding what a person means. */
import fc from 'fast-check';
import t from 'tap';
import { readTime, readVolume } from '../../src/cli/arguments.js';
import { findItem, findTrack } from '../../src/cli/find.js';
import { shownBytes, shownTime, shownTitle, table } from '../../src/cli/text.js';
import { TuttiError } from '../../src/core/errors.js';
import type { QueueItem } from '../../src/http/schema.js';
import { makeTrack } from './fake-node.js';

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof TuttiError) return `${error.code}: ${error.detail}`;
    throw error;
  }
  return 'it was accepted';
}

t.test('times', (t) => {
  t.same(readTime('0'), { to: 0 });
  t.same(readTime('83'), { to: 83_000 });
  t.same(readTime('1:23'), { to: 83_000 });
  t.same(readTime('90:00'), { to: 5_400_000 }, 'minutes alone may be more than 59');
  t.same(readTime('1:02:03.25'), { to: 3_723_250 });
  t.same(readTime('+10'), { by: 10_000 });
  t.same(readTime('-0:30'), { by: -30_000 });
  for (const text of ['', '+', ':', '1:', ':30', '1:2:3:4', '1 :2', '1e3', '-', '1:60', '1:75:00', '3600001', '٣']) {
    t.match(
      refusal(() => readTime(text)),
      /^BAD_USAGE: TIME: found/,
      text,
    );
  }
  t.end();
});

t.test('a time that is shown is read back', (t) => {
  const property = fc.property(fc.integer({ min: 0, max: 3_600_000 }), (seconds) => {
    const target = readTime(shownTime(seconds * 1_000));
    return 'to' in target && target.to === seconds * 1_000;
  });
  fc.assert(property, { seed: 1, numRuns: 500 });
  t.end();
});

t.test('volumes', (t) => {
  t.same(readVolume('0'), { volume: 0 });
  t.same(readVolume('100%'), { volume: 100 });
  t.same(readVolume('+5'), { delta: 5 });
  t.same(readVolume('-100'), { delta: -100 });
  for (const text of ['', '101', '+101', '5.5', '1000', '--5', ' 5']) {
    t.match(
      refusal(() => readVolume(text)),
      /^BAD_USAGE: VOLUME: found/,
      text,
    );
  }
  t.end();
});

t.test('any argument is read or refused, never more', (t) => {
  const property = fc.property(fc.string({ unit: 'binary' }), (text) => {
    refusal(() => readTime(text));
    refusal(() => readVolume(text));
    refusal(() => findTrack([makeTrack('a', 'A')], text));
  });
  fc.assert(property, { seed: 1, numRuns: 500 });
  t.end();
});

t.test('lengths and sizes', (t) => {
  t.equal(shownTime(59_999), '0:59');
  t.equal(shownTime(3_600_000), '1:00:00');
  t.equal(shownTime(-5), '0:00');
  const sizes = [0, 999, 1_000, 9_949, 9_950, 999_499, 999_500, 33_057_404, 2e12, 3e18];
  t.same(sizes.map(shownBytes), [
    '0 B',
    '999 B',
    '1.0 kB',
    '9.9 kB',
    '10 kB',
    '999 kB',
    '1.0 MB',
    '33 MB',
    '2.0 TB',
    '3000 PB',
  ]);
  t.end();
});

t.test('titles', (t) => {
  t.equal(shownTitle('Naima.WAV'), 'Naima');
  t.equal(shownTitle('a.wav.wav'), 'a.wav', 'one ending, as people name files');
  t.equal(shownTitle('.wav'), '.wav', 'something must be left');
  t.end();
});

t.test('columns are as wide as their widest cell, counted in code points', (t) => {
  const columns = [
    { head: 'A', cell: (row: string[]) => row[0]! },
    { head: 'N', cell: (row: string[]) => row[1]!, align: 'right' as const },
  ];
  t.equal(
    table(
      columns,
      [
        ['𝄞𝄞', '1'],
        ['é', '100'],
      ],
      (text) => `<${text}>`,
    ),
    '<A     N>\n𝄞𝄞    1\né   100\n',
  );
  t.end();
});

const SO_WHAT = makeTrack('50a40001', 'So What');
const SO_WHAT_LOWER = makeTrack('50a40002', 'so what');
const BLUE = makeTrack('50a40003', 'Blue');
const HEX = makeTrack('beef', '50a40003');
const LIBRARY = [SO_WHAT, SO_WHAT_LOWER, BLUE];

t.test('a track is found by id, by eight digits of it, and by title', (t) => {
  t.equal(findTrack(LIBRARY, BLUE.id), BLUE);
  t.equal(findTrack(LIBRARY, '50A40003'), BLUE);
  t.equal(findTrack(LIBRARY, 'blue'), BLUE);
  t.equal(findTrack(LIBRARY, 'BLUE.wav'), BLUE);
  const composed = makeTrack('d', 'S\u00e9pia');
  t.equal(findTrack([composed], 'Se\u0301pia'), composed, 'however its accent was typed');
  t.end();
});

t.test('a title that is typed exactly goes before one that differs in case', (t) => {
  t.equal(findTrack(LIBRARY, 'so what'), SO_WHAT_LOWER);
  t.equal(findTrack(LIBRARY, 'So What'), SO_WHAT);
  t.end();
});

t.test('where several tracks fit, they are named and none is taken', (t) => {
  t.equal(
    refusal(() => findTrack(LIBRARY, 'SO WHAT')),
    'BAD_USAGE: "SO WHAT" fits 2 tracks: 50a40001 "So What", 50a40002 "so what"; right is one of these ids.',
  );
  t.match(
    refusal(() => findTrack([HEX, BLUE, makeTrack('50a400031', 'x')], '50A40003')),
    'fits 3 tracks',
  );
  const many = Array.from({ length: 12 }, (_, i) => makeTrack(`0000000${i.toString(16)}`, i % 2 === 0 ? 'A' : 'a'));
  t.match(
    refusal(() => findTrack(many, 'a.wav')),
    /fits 12 tracks: .*, and 2 more; right/,
  );
  t.end();
});

t.test('what nothing fits is not found, with the nearest title', (t) => {
  t.equal(
    refusal(() => findTrack(LIBRARY, 'bleu')),
    'TRACK_NOT_FOUND: No track has the id or title "bleu". Did you mean "Blue"?',
  );
  t.equal(
    refusal(() => findTrack(LIBRARY, '50a4000')),
    'TRACK_NOT_FOUND: No track has the id or title "50a4000".',
    'seven digits',
  );
  t.equal(
    refusal(() => findTrack([], '')),
    'TRACK_NOT_FOUND: No track has the id or title "".',
  );
  t.end();
});

t.test('a queue item is found by id, or by a title that is queued once', (t) => {
  const item = (seq: number, title: string): QueueItem => {
    const addedBy = { node: 'n', via: 'cli' as const };
    return { itemId: `i${seq}`, seq, trackId: 't', title, durationMs: 1, ready: true, addedBy };
  };
  const queue = [item(1, 'Blue'), item(2, 'So What'), item(3, 'blue')];
  t.equal(findItem(queue, 'i3').seq, 3);
  t.equal(findItem(queue, 'so what.wav').seq, 2);
  t.equal(
    refusal(() => findItem(queue, 'Blue')),
    'BAD_USAGE: "Blue" fits 2 items of the queue: i1 "Blue", i3 "blue"; right is one of these ids.',
  );
  t.match(
    refusal(() => findItem(queue, 'Naima')),
    /^ITEM_NOT_FOUND/,
  );
  t.end();
});
