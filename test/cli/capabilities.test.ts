/** What `tutti capabilities` shows, of machines whose cards nobody can open here: the kernel's list of them is recorded. */
import t from 'tap';
import { type SoundCards, soundCards } from '../../src/io/alsa/capabilities.js';
import type { PcmLimits } from '../../src/io/alsa/pcm-limits.js';
import { NO_CARDS, PI_WITH_I2S_DAC, procOf, type Tree, USB_CARDS } from '../io/alsa/asound-trees.js';
import { tutti } from './harness.js';

const MISSING = 'No alsa-lib in this test.';
const cardsOf = (tree: Tree): SoundCards => soundCards({ proc: procOf(tree), alsa: { missing: MISSING } });
const show = (cards: SoundCards, ...options: string[]) =>
  tutti(['capabilities', ...options], { soundCards: () => cards });

t.test('the table for people: the first choice of auto first', async (t) => {
  const { stdout } = await show(cardsOf(PI_WITH_I2S_DAC));
  t.equal(
    stdout.slice(0, stdout.indexOf('\n\n') + 1),
    [
      'DEVICE                         KIND        CARD                   NAME                                DRIVER           IN USE BY     PLAYING',
      'hw:CARD=sndrpihifiberry,DEV=0  i2s         snd_rpi_hifiberry_dac  HifiBerry DAC HiFi pcm5102a-hifi-0  RPi-simple       tutti (1234)  S32_LE, 2 ch, 44.1 kHz',
      'hw:CARD=Headphones,DEV=0       headphones  bcm2835 Headphones     bcm2835 Headphones                  bcm2835_headpho',
      'sysdefault:CARD=vc4hdmi0       hdmi        vc4-hdmi-0             MAI PCM i2s-hifi-0                  vc4-hdmi',
      '',
    ].join('\n'),
  );
  t.match(stdout, `Formats and rates are known of USB cards only. ${MISSING}\n`);
  t.match(stdout, '\nsysdefault:CARD=vc4hdmi0 (hw:1,0, digital)\n  monitor  /proc/asound/card1/pcm0p/sub0/hw_params\n');
});

t.test('of USB cards the kernel tells formats and rates', async (t) => {
  const { stdout } = await show(cardsOf(USB_CARDS));
  t.match(
    stdout,
    [
      '\nhw:CARD=D50s,DEV=0 (hw:1,0, usb, 152a:8750, high speed, async)',
      '  S32_LE          44.1, 48, 88.2, 96 kHz',
      '  S16_LE S24_3LE  44.1 kHz',
      '  channels        2',
      '  monitor         /proc/asound/card1/pcm0p/sub0/hw_params',
      '',
    ].join('\n'),
  );
  t.match(stdout, 'process 77');
});

/** A card that alsa-lib was asked about. */
const LIMITS: PcmLimits = {
  formats: [
    { name: 'S16_LE', bits: 16, rates: [44_100, 48_000] },
    { name: 'S32_LE', bits: 32, rates: [44_100, 48_000] },
    { name: 'S24_LE', bits: 24, rates: [192_000] },
    { name: 'SPECIAL', bits: null, rates: [] },
  ],
  rate: { min: 44_100, max: 192_000 },
  channels: { min: 2, max: 2 },
  bufferFrames: { min: 64, max: 131_072 },
  periodFrames: { min: 32, max: 65_536 },
};

t.test('what alsa-lib told, formats of the same rates on a line', async (t) => {
  const [device] = cardsOf(PI_WITH_I2S_DAC).devices;
  const asked = { limits: LIMITS, source: 'alsa-lib', unavailable: null } as const;
  const named = [
    { name: 'equal', description: 'Through an equalizer', ...asked },
    { name: 'broken', description: '', limits: null, source: null, unavailable: 'No such device' },
  ];
  const { stdout } = await show({ devices: [{ ...device!, ...asked }], named, missing: null });
  t.equal(
    stdout.slice(stdout.indexOf('\n\n') + 2),
    [
      'hw:CARD=sndrpihifiberry,DEV=0 (hw:2,0, analog)',
      '  S16_LE S32_LE  44.1, 48 kHz',
      '  S24_LE         192 kHz',
      '  SPECIAL        no common rate',
      '  channels       2',
      '  buffer         64 to 131072 frames',
      '  period         32 to 65536 frames',
      '  monitor        /proc/asound/card2/pcm0p/sub0/hw_params',
      '',
      'equal (Through an equalizer)',
      '  S16_LE S32_LE  44.1, 48 kHz',
      '  S24_LE         192 kHz',
      '  SPECIAL        no common rate',
      '  channels       2',
      '  buffer         64 to 131072 frames',
      '  period         32 to 65536 frames',
      '',
      'broken',
      '  not asked  No such device',
      '',
    ].join('\n'),
  );
});

t.test('JSON gives all of it', async (t) => {
  const cards = cardsOf(USB_CARDS);
  const { stdout, exitCode } = await show(cards, '--json');
  t.equal(exitCode, 0);
  t.same(JSON.parse(stdout), { devices: cards.devices, named: [] });
});

t.test('no card is an answer, not a failure, and says what to do', async (t) => {
  for (const tree of [NO_CARDS, {}]) {
    const cards = { ...cardsOf(tree), missing: null };
    const { exitCode, stdout } = await show(cards);
    t.equal(exitCode, 0);
    t.match(stdout, /^No sound card found.*\n.*dtoverlay=.*\n/);
    t.equal((await show(cards, '--json')).stdout, '{"devices":[],"named":[]}\n');
  }
});
