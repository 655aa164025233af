/** What the page says: every code of the nodes in every language, and nothing that is only half there. */
import t from 'tap';
import { ERRORS } from '../../../src/core/errors.js';
import { de } from '../../../src/web/text/de.js';
import { refusals as german } from '../../../src/web/text/de-refusals.js';
import { en, type Words } from '../../../src/web/text/en.js';
import { refusals as english, refusal } from '../../../src/web/text/en-refusals.js';
import { clock, formatOf } from '../../../src/web/text/format.js';
import { LANGUAGES, languageFor, OFFERED, wordsOf } from '../../../src/web/text/languages.js';
import { pseudo, stretched } from '../../../src/web/text/pseudo.js';
import { notYetKnown } from '../../../src/web/text/refusals.js';

const CODES = [...Object.keys(ERRORS), 'NO_ANSWER'].sort();

for (const [language, table] of Object.entries({ english, german })) {
  t.test(`every code of the catalogue is said in ${language}, and no other`, (t) => {
    t.same(Object.keys(table).sort(), CODES);
    for (const [code, [what, todo]] of Object.entries(table)) {
      t.match(what, /^\p{Lu}.*[.]$/u, `${code} is a sentence`);
      t.match(todo, /^$|.*[.]$/, `${code}: what to do is one, or nothing`);
      t.notMatch(what + todo, /[A-Z]{3,}_[A-Z]/, `${code} is in words`);
    }
    t.end();
  });
}

t.test('what a newer node says is shown as it is', (t) => {
  t.match(refusal('SOMETHING_NEW'), { what: /SOMETHING_NEW/, todo: '', isNews: false });
  t.match(refusal('toString'), { what: /toString/ });
  t.match(refusal('ITEM_CHANGED'), { isNews: true });
  t.same(notYetKnown('DISK_FULL'), { what: 'DISK_FULL', todo: '', isNews: false });
  t.end();
});

/** All texts of a catalogue by their names; functions are asked with plausible values. */
function textsOf(value: unknown, name = ''): [name: string, text: string][] {
  if (typeof value === 'string') return [[name, value]];
  if (typeof value === 'function') return textsOf(value(2, 3, 'c', 'd', 'e'), name);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsOf(inner, `${name}.${key}`));
}

const plain = ({ f: _f, refusal: _refusal, someSilent, missing, kinds, ...words }: Words) => ({
  ...words,
  kinds,
  silent: someSilent(['a', 'b']) + someSilent(['a']),
  missing: missing(['a', 'b'], 0) + missing(['a'], 2),
});

t.test('all languages say the same things, and nothing is left empty', (t) => {
  const names = textsOf(plain(en)).map(([name]) => name);
  for (const words of [de, pseudo])
    t.same(
      textsOf(plain(words)).map(([name]) => name),
      names,
    );
  const mayBeEmpty = ['.current.stopped'];
  for (const words of [en, de]) {
    for (const [name, text] of textsOf(plain(words))) {
      if (!mayBeEmpty.includes(name)) t.ok(text.length > 0, name);
      t.notMatch(text, /undefined|NaN|\[object/, `${words.lang}${name}`);
    }
  }
  t.end();
});

t.test('one is one and many are many', (t) => {
  t.equal(en.cleared(1), '1 song removed from the queue');
  t.equal(en.cleared(1_200), '1,200 songs removed from the queue');
  t.equal(de.cleared(1), '1 Stück aus der Warteschlange entfernt');
  t.equal(de.cleared(1_200), '1.200 Stücke aus der Warteschlange entfernt');
  t.equal(en.positionText(80_000, 185_000), '1 minute 20 of 3 minutes 5');
  t.equal(de.positionText(80_000, 45_000), '1 Minute 20 von 45 Sekunden');
  t.equal(en.details(96_000, 24, 1), '96 kHz, 24 bit, mono');
  t.equal(en.details(44_100, 16, 2), '44 kHz, 16 bit');
  t.equal(de.details(8_000, 8, 6), '8 kHz, 8 Bit, 6 Kanäle');
  t.end();
});

t.test('figures are short, and in the unit that fits', (t) => {
  const f = formatOf('en');
  t.same([3.87, 0.124, 12.4, 999, 1_500, 2_000_000, -4].map(f.span), [
    '3.9 µs',
    '0.1 µs',
    '12 µs',
    '999 µs',
    '1.5 ms',
    '2 s',
    '-4 µs',
  ]);
  t.same([0, 999, 1_000, 12_345_678, 3e12, 5e15].map(f.bytes), ['0 B', '999 B', '1 kB', '12 MB', '3 TB', '5,000 TB']);
  t.same([0, 59_999, 185_000, 3_723_000, -5].map(clock), ['0:00', '0:59', '3:05', '1:02:03', '0:00']);
  t.end();
});

t.test('a bound is never told better than it is', (t) => {
  t.equal(en.inStep(0.0027), 'In step, within 1 µs');
  t.equal(en.inStep(3.2), 'In step, within 4 µs');
  t.equal(de.inStep(3.2), 'Im Gleichlauf, auf 4 µs genau');
  t.equal(en.inStep(null), 'In step');
  t.end();
});

t.test("the reader's first language that there is, is taken", async (t) => {
  t.equal(languageFor(['', 'fr-FR', 'de-AT', 'en']), 'de');
  t.equal(languageFor(['zz']), 'en');
  t.equal(languageFor([]), 'en');
  t.notOk(
    OFFERED.some(([language]) => language === 'pseudo'),
    'nobody is offered what is no language',
  );
  const langs = await Promise.all(LANGUAGES.map(async (language) => (await wordsOf(language)).lang));
  t.same(langs, ['en', 'de', 'en']);
  t.match((await wordsOf('en')).refusal('QUEUE_EMPTY'), { what: 'The queue is empty.' });
});

t.test('the language of those who build the page is longer, with accents, and leaves figures alone', (t) => {
  t.equal(stretched('Queue'), 'Qüêüê~~');
  t.equal(stretched(''), '');
  t.equal(pseudo.f, en.f);
  t.match(pseudo.removed('x'), /~$/);
  t.same(pseudo.keys.length, en.keys.length);
  t.end();
});
