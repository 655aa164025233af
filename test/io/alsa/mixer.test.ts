/** The mixer of a card, set for playing: through real alsa-lib, on a mixer of the test's own. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadAlsa } from '../../../src/io/alsa/alsa-library.js';
import { Mixers, mixerOf } from '../../../src/io/alsa/mixer.js';
import { buildTestMixer, useCards } from '../../card/card.js';

const loading = loadAlsa();
const mixer = await buildTestMixer();
const skip = loading.missing ?? ('missing' in mixer && mixer.missing);

/** The order of the values in the mixer's file. */
const CONTROLS = [
  'Master switch',
  'Master',
  'Digital',
  'Speaker',
  'Tone',
  'Headphone',
  'Line Out',
  'Mic switch',
  'Mic',
  'Capture',
];

t.test('switches go on and volumes to 0 dB, save for what brings other sound than ours', { skip }, (t) => {
  if ('missing' in mixer || loading.alsa === undefined) throw new Error('skipped');
  const directory = t.testdir({});
  const [config, state] = [join(directory, 'asound.conf'), join(directory, 'state')];
  writeFileSync(
    config,
    `ctl_type.tutti_mixer { lib "${mixer.library}" }\nctl.test { type tutti_mixer state "${state}" }\n`,
  );
  useCards({ env: { ALSA_CONFIG_PATH: config } });
  // As a card comes up: muted, all the way down, left and right apart.
  writeFileSync(
    state,
    new Int32Array(2 * CONTROLS.length).map((_, i) => (i === 5 ? 200 : 0)),
  );

  const mixers = new Mixers({ alsa: loading.alsa });
  t.same(mixers.unmute('test'), [
    { control: 'Master', isOn: true, decibels: 0 },
    { control: 'Speaker', isOn: false, decibels: -10 },
    { control: 'Tone', isOn: false, decibels: -0.25 },
    { control: 'Line Out', isOn: true, decibels: null },
    { control: 'Digital', isOn: false, decibels: 0 },
  ]);
  const values = new Int32Array(new Uint8Array(readFileSync(state)).buffer);
  t.same(
    Object.fromEntries(CONTROLS.map((name, i) => [name, [...values.subarray(2 * i, 2 * i + 2)]])),
    {
      'Master switch': [1, 1],
      Master: [100, 100],
      Digital: [207, 207],
      Speaker: [10, 10],
      Tone: [8, 8],
      Headphone: [0, 0],
      'Line Out': [1, 1],
      'Mic switch': [0, 0],
      Mic: [0, 0],
      Capture: [0, 0],
    },
    'what does not tell its decibels, and the microphone, stay as they were',
  );
  t.equal(mixers.unmute('nowhere'), 'No such file or directory');
  t.end();
});

t.test('the mixer that belongs to a device', (t) => {
  for (const [device, mixer] of [
    ['hw:CARD=sndrpihifiberry,DEV=0', 'hw:sndrpihifiberry'],
    ['plughw:CARD=DAC', 'hw:DAC'],
    ["plug:'dmix:CARD=DAC,DEV=0'", 'hw:DAC'],
    ['sysdefault:CARD=vc4hdmi0', 'hw:vc4hdmi0'],
    ['hw:1,0', 'hw:1'],
    ['plughw:DAC', 'hw:DAC'],
    ['kitchen', 'kitchen'],
    ['default', 'default'],
  ] as const) {
    t.equal(mixerOf(device), mixer, device);
  }
  t.end();
});
