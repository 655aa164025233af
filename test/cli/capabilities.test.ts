import fc from 'fast-check';
import t from 'tap';
import { playbackDevices } from '../../src/cli/capabilities.js';
import { NO_CARDS, PI_WITH_I2S_DAC, procOf, type Tree, USB_CARDS } from './asound-trees.js';
import { tutti } from './harness.js';

const shown = async (tree: Tree) => (await tutti(['capabilities'], { proc: procOf(tree) })).stdout;

t.test("a Pi's cards stand in the order in which auto chooses: I2S, headphones, HDMI", (t) => {
  const devices = playbackDevices(procOf(PI_WITH_I2S_DAC));
  t.same(
    devices.map(({ address, kind }) => [address, kind]),
    [
      ['hw:CARD=sndrpihifiberry,DEV=0', 'i2s'],
      ['hw:CARD=Headphones,DEV=0', 'headphones'],
      ['hw:CARD=vc4hdmi0,DEV=0', 'hdmi'],
    ],
  );
  t.same(devices[0], {
    address: 'hw:CARD=sndrpihifiberry,DEV=0',
    kind: 'i2s',
    card: { number: 2, id: 'sndrpihifiberry', driver: 'RPi-simple', name: 'snd_rpi_hifiberry_dac' },
    device: { number: 0, id: 'HifiBerry DAC HiFi pcm5102a-hifi-0', name: 'HifiBerry DAC HiFi pcm5102a-hifi-0' },
    usb: null,
    holder: { pid: 1234, program: 'tutti' },
    playing: { format: 'S32_LE', channels: 2, rate: 44100 },
  });
  t.same([devices[1]!.holder, devices[1]!.playing], [null, null], 'a closed device is held by nobody');
  t.end();
});

t.test('of a USB card, formats, rates, sync and speed are known; its capture side is no business of ours', (t) => {
  const devices = playbackDevices(procOf(USB_CARDS));
  const dac = devices.find(({ card }) => card.id === 'D50s')!;
  t.same(dac.usb, {
    id: '152a:8750',
    speed: 'high',
    modes: [
      {
        formats: ['S32_LE'],
        bits: 32,
        channels: 2,
        rates: [44100, 48000, 88200, 96000],
        continuous: false,
        sync: 'async',
      },
      { formats: ['S16_LE', 'S24_3LE'], bits: 24, channels: 2, rates: [44100], continuous: false, sync: 'async' },
    ],
  });
  t.same(dac.holder, { pid: 77, program: null }, 'a process that may not be looked at has no name');
  t.equal(dac.playing, null, 'hw_params may be missing at that moment');

  const headset = devices.find(({ card }) => card.id === 'Headset')!;
  t.equal(headset.card.name, 'USB Headset - Pro');
  t.same(headset.usb, {
    id: null,
    speed: 'full',
    modes: [{ formats: ['S16_LE'], bits: null, channels: 2, rates: [8000, 48000], continuous: true, sync: 'adaptive' }],
  });
  t.end();
});

t.test('every device of a card is listed, by number', (t) => {
  t.same(
    playbackDevices(procOf(USB_CARDS)).map(({ address, kind }) => [address, kind]),
    [
      ['hw:CARD=D50s,DEV=0', 'usb'],
      ['hw:CARD=Headset,DEV=0', 'usb'],
      ['hw:CARD=PCH,DEV=3', 'hdmi'],
      ['hw:CARD=PCH,DEV=10', 'hdmi'],
      ['hw:CARD=PCH,DEV=0', 'other'],
    ],
  );
  t.end();
});

t.test('the table for people', async (t) => {
  t.equal(
    await shown(PI_WITH_I2S_DAC),
    [
      'DEVICE                         KIND        CARD                   NAME                                DRIVER           IN USE BY     PLAYING',
      'hw:CARD=sndrpihifiberry,DEV=0  i2s         snd_rpi_hifiberry_dac  HifiBerry DAC HiFi pcm5102a-hifi-0  RPi-simple       tutti (1234)  S32_LE, 2 ch, 44.1 kHz',
      'hw:CARD=Headphones,DEV=0       headphones  bcm2835 Headphones     bcm2835 Headphones                  bcm2835_headpho',
      'hw:CARD=vc4hdmi0,DEV=0         hdmi        vc4-hdmi-0             MAI PCM i2s-hifi-0                  vc4-hdmi',
      '',
    ].join('\n'),
  );
  const usb = await shown(USB_CARDS);
  t.match(
    usb,
    [
      '\nhw:CARD=D50s,DEV=0 (USB 152a:8750, high speed)',
      '  S32_LE, 2 ch          32 bits, 44.1, 48, 88.2, 96 kHz, async',
      '  S16_LE S24_3LE, 2 ch  24 bits, 44.1 kHz, async',
      '',
      'hw:CARD=Headset,DEV=0 (full speed)',
      '  S16_LE, 2 ch  8 kHz to 48 kHz, adaptive',
      '',
    ].join('\n'),
  );
  t.match(usb, 'process 77');
});

t.test('JSON gives all of it', async (t) => {
  const proc = procOf(USB_CARDS);
  const { stdout, exitCode } = await tutti(['capabilities', '--json'], { proc });
  t.equal(exitCode, 0);
  t.same(JSON.parse(stdout), { devices: playbackDevices(proc) });
});

t.test('no card is an answer, not a failure', async (t) => {
  for (const tree of [NO_CARDS, {}]) {
    const { exitCode, stdout } = await tutti(['capabilities'], { proc: procOf(tree) });
    t.equal(exitCode, 0);
    t.match(stdout, /^No sound card found/);
    t.equal((await tutti(['capabilities', '--json'], { proc: procOf(tree) })).stdout, '{"devices":[]}\n');
  }
});

t.test('other sync types, and files that are missing or cut short, still give an answer', (t) => {
  const streamWith = (endpoint: string) => ({
    ...USB_CARDS,
    '/proc/asound/card3/stream0': `x\n\nPlayback:\n  Interface 1\n    Altset 1\n    Endpoint: ${endpoint}\n`,
  });
  const modeOf = (tree: Tree) => playbackDevices(procOf(tree)).find(({ card }) => card.id === 'Headset')?.usb?.modes[0];
  t.equal(modeOf(streamWith('0x01 (1 OUT) (SYNC)'))?.sync, 'sync');
  t.equal(modeOf(streamWith('0x01 (1 OUT) (NONE)'))?.sync, 'none');
  t.same(modeOf(streamWith('')), { formats: [], bits: null, channels: 0, rates: [], continuous: false, sync: 'none' });

  const whole = Object.entries(USB_CARDS);
  const property = fc.property(fc.nat(whole.length - 1), fc.nat(800), (index, length) => {
    const cut = Object.fromEntries(whole.map(([path, text], i) => [path, i === index ? text.slice(0, length) : text]));
    return playbackDevices(procOf(cut)).every(({ address }) => address.startsWith('hw:CARD='));
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
  t.end();
});
