import fc from 'fast-check';
import t from 'tap';
import { cleanTitle, distinctTitle, pathTitle, TITLE_LENGTH_MAX, titleKey } from '../../src/library/title.js';

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(fc.constantFrom('a', ' ', '.wav', '.WAV', '\n', '/', '_', '\ud800', '𝄞', '\u0085'), { maxLength: 250 })
    .map((parts) => parts.join('')),
);

t.test('a title loses ".wav" in any case, and as often as it is there [row 12]', (t) => {
  t.equal(cleanTitle('Song.wav'), 'Song');
  t.equal(cleanTitle('Song.WaV'), 'Song');
  t.equal(cleanTitle('Song.wav.WAV '), 'Song');
  t.equal(cleanTitle('Song .wav'), 'Song');
  t.equal(cleanTitle('wav'), 'wav');
  t.equal(cleanTitle('a.wave'), 'a.wave');
  t.equal(cleanTitle('.wav'), '');
  t.end();
});

t.test('control characters become single spaces, and none stands at an end', (t) => {
  t.equal(cleanTitle('\u0000 one\r\n\ttwo\u0085three\u2028four\u007f'), 'one two three four');
  t.equal(cleanTitle('\n\t'), '');
  t.end();
});

t.test('half a surrogate pair becomes the replacement character, a whole one stays', (t) => {
  t.equal(cleanTitle('a\ud834b 𝄞 \udd1e'), 'a\ufffdb 𝄞 \ufffd');
  t.end();
});

t.test('a long title is cut between letters, not within one', (t) => {
  t.equal(cleanTitle('𝄞'.repeat(TITLE_LENGTH_MAX + 5)), '𝄞'.repeat(TITLE_LENGTH_MAX));
  t.equal(cleanTitle(`${'x'.repeat(TITLE_LENGTH_MAX - 4)}.wavx`), 'x'.repeat(TITLE_LENGTH_MAX - 4));
  t.end();
});

t.test('whatever comes in, a clean title is a title, and cleaning it again changes nothing', (t) => {
  fc.assert(
    fc.property(anyText, (text) => {
      const title = cleanTitle(text);
      const bad = /[\p{Cc}\p{Cs}\u2028\u2029]|\.wav *$|^ | $| {2}/iu;
      return !bad.test(title) && cleanTitle(title) === title;
    }),
    { seed: 1, numRuns: 2_000 },
  );
  t.end();
});

t.test('keys are equal for titles that differ in ASCII case, or in "/" and "_", only', (t) => {
  t.equal(titleKey('AC/DC'), titleKey('ac_dc'));
  t.equal(pathTitle('a/b/c'), 'a_b_c');
  t.not(titleKey('Ärger'), titleKey('ärger'), 'letters whose case a Unicode version could change are left alone');
  t.equal(titleKey('TITLE I'), 'title i', 'a Turkish machine has no dotless i');
  t.end();
});

t.test('a title that is taken gets the least number that is free', (t) => {
  const taken = new Set(['song', 'song (2)'].map(titleKey));
  t.equal(
    distinctTitle('Song', (key) => taken.has(key)),
    'Song (3)',
  );
  t.equal(
    distinctTitle('Other', (key) => taken.has(key)),
    'Other',
  );
  const long = 'x'.repeat(TITLE_LENGTH_MAX);
  const other = distinctTitle(long, (key) => key === titleKey(long));
  t.equal(other, `${'x'.repeat(TITLE_LENGTH_MAX - 4)} (2)`);
  t.equal(cleanTitle(other), other);
  t.end();
});
