/** What alsa-lib says of the test cards, and the kernel of recorded ones. */
import { join } from 'node:path';
import t from 'tap';
import { loadAlsa } from '../../../src/io/alsa/alsa-library.js';
import { soundCards } from '../../../src/io/alsa/capabilities.js';
import { PcmQueries } from '../../../src/io/alsa/pcm-limits.js';
import { buildTestCard, CardControl, useCards, writeCardConfig } from '../../card/card.js';
import { codeOf } from '../../contract/support.js';
import { NO_CARDS, procOf, USB_CARDS } from './asound-trees.js';

const loading = loadAlsa();
const card = await buildTestCard();
const skip = loading.missing ?? ('missing' in card && card.missing);

t.test('test cards, asked through alsa-lib', { skip }, async (t) => {
  if ('missing' in card || loading.alsa === undefined) throw new Error('skipped');
  const control = join(t.testdir(), 'control');
  const config = writeCardConfig(card, {
    path: join(t.testdirName, 'asound.conf'),
    cards: {
      dac: { formats: ['S16_LE', 'S32_LE'], rates: [44_100, 96_000], channels: [2], control },
      voice: { formats: ['S24_3LE'], channels: [1, 2, 8] },
      unseen: {},
    },
    extra: [
      'pcm.dac.hint { show on description "A test card\nof two rates" }',
      'pcm.voice.hint { show on description "Another" }',
      'pcm.unseen.hint.show off',
      // As on every desktop: a converter that is no place to play to.
      'pcm.lavrate { type null hint { show on description "Rate converter" } }',
    ].join('\n'),
  });
  useCards(config);
  const queries = new PcmQueries({ alsa: loading.alsa });

  await t.test('formats, rates per format, channels and queue', (t) => {
    const dac = queries.limits('dac');
    t.same(dac.formats, [
      { name: 'S16_LE', bits: 16, rates: [44_100, 96_000] },
      { name: 'S32_LE', bits: 32, rates: [44_100, 96_000] },
    ]);
    t.same(
      [dac.rate, dac.channels],
      [
        { min: 44_100, max: 96_000 },
        { min: 2, max: 2 },
      ],
    );
    t.ok(dac.bufferFrames!.min > 0 && dac.bufferFrames!.max >= 16_384, JSON.stringify(dac));
    t.ok(dac.periodFrames!.min > 0 && dac.periodFrames!.max < dac.bufferFrames!.max);

    const voice = queries.limits('voice');
    t.same(voice.channels, { min: 1, max: 8 });
    t.same(
      voice.formats.map(({ name, bits }) => [name, bits]),
      [['S24_3LE', 24]],
    );
    t.ok([8_000, 48_000, 192_000].every((rate) => voice.formats[0]!.rates.includes(rate)));
    t.notOk(voice.formats[0]!.rates.includes(384_000));
    t.end();
  });

  await t.test('a plug shows what the card behind it takes', (t) => {
    t.same(queries.limits('plug:dac').formats, queries.limits('dac').formats);
    t.end();
  });

  await t.test('names of the configuration are listed with their hint', (t) => {
    const { devices, named, missing } = soundCards({ proc: procOf(NO_CARDS), alsa: loading });
    t.same([devices, missing], [[], null]);
    t.same(
      named.map(({ name, description, source, limits }) => [name, description, source, limits?.formats.length]),
      [
        ['dac', 'A test card, of two rates', 'alsa-lib', 2],
        ['voice', 'Another', 'alsa-lib', 1],
      ],
      'and neither what its owner hides, nor what leads to no card',
    );
    t.end();
  });

  await t.test('what cannot be opened says why', (t) => {
    t.equal(
      codeOf(() => queries.limits('nowhere')),
      'OUTPUT_UNAVAILABLE',
    );
    const hand = new CardControl(control);
    hand.pullOut();
    t.match(
      soundCards({ proc: procOf(NO_CARDS), alsa: loading }).named.find(({ name }) => name === 'dac'),
      { limits: null, source: null, unavailable: 'No such device' },
    );
    hand.close();
    t.end();
  });

  await t.test('a card of the list that is not there today: the kernel has to do', (t) => {
    const [headset, dac, hdmi] = soundCards({ proc: procOf(USB_CARDS), alsa: loading }).devices;
    t.match(dac, {
      address: 'hw:CARD=D50s,DEV=0',
      source: '/proc/asound',
      unavailable: 'No such',
      limits: {
        formats: [
          { name: 'S32_LE', bits: 32, rates: [44_100, 48_000, 88_200, 96_000] },
          { name: 'S16_LE', bits: 16, rates: [44_100] },
          { name: 'S24_3LE', bits: 24, rates: [44_100] },
        ],
        rate: { min: 44_100, max: 96_000 },
        channels: { min: 2, max: 2 },
        bufferFrames: null,
      },
    });
    t.match(headset!.limits!.formats, [
      { name: 'S16_LE', bits: null, rates: [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] },
    ]);
    t.same([hdmi!.limits, hdmi!.source], [null, null]);
    t.end();
  });
});

t.test('without alsa-lib the kernel has to do', (t) => {
  const { devices, named, missing } = soundCards({ proc: procOf(USB_CARDS), alsa: { missing: 'none here' } });
  t.same([missing, named], ['none here', []]);
  t.match(devices[0], { source: '/proc/asound', unavailable: 'alsa-lib cannot be called' });
  t.end();
});
