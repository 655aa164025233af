import fc from 'fast-check';
import t from 'tap';
import { playbackDevices } from '../../../src/io/alsa/proc-cards.js';
import { procFiles } from '../../../src/io/alsa/proc-files.js';
import { NO_CARDS, PI_WITH_DIGI, PI_WITH_I2S_DAC, procOf, type Tree, USB_CARDS } from './asound-trees.js';

t.test("a Pi's cards, each with its kind, its stable name and its numbers", (t) => {
  const devices = playbackDevices(procOf(PI_WITH_I2S_DAC));
  t.same(
    devices.map(({ address, hw, kind, interface: out }) => [address, hw, kind, out]),
    [
      ['hw:CARD=Headphones,DEV=0', 'hw:0,0', 'headphones', 'analog'],
      // Its own device takes only IEC 958 subframes.
      ['sysdefault:CARD=vc4hdmi0', 'hw:1,0', 'hdmi', 'digital'],
      ['hw:CARD=sndrpihifiberry,DEV=0', 'hw:2,0', 'i2s', 'analog'],
    ],
  );
  t.same(devices[2], {
    address: 'hw:CARD=sndrpihifiberry,DEV=0',
    hw: 'hw:2,0',
    kind: 'i2s',
    interface: 'analog',
    card: { number: 2, id: 'sndrpihifiberry', driver: 'RPi-simple', name: 'snd_rpi_hifiberry_dac' },
    device: { number: 0, id: 'HifiBerry DAC HiFi pcm5102a-hifi-0', name: 'HifiBerry DAC HiFi pcm5102a-hifi-0' },
    monitorFile: '/proc/asound/card2/pcm0p/sub0/hw_params',
    usb: null,
    holder: { pid: 1234, program: 'tutti' },
    playing: { format: 'S32_LE', channels: 2, rate: 44100 },
  });
  t.same([devices[0]!.holder, devices[0]!.playing], [null, null], 'a closed device is held by nobody');
  t.end();
});

t.test('an S/PDIF transmitter on the header is digital', (t) => {
  t.same(
    playbackDevices(procOf(PI_WITH_DIGI)).map(({ kind, interface: out }) => [kind, out]),
    [['i2s', 'digital']],
  );
  t.end();
});

t.test('of a USB card, formats, rates, sync and speed are known; its capture side is no business of ours', (t) => {
  const devices = playbackDevices(procOf(USB_CARDS));
  const dac = devices.find(({ card }) => card.id === 'D50s')!;
  t.same(dac.usb, {
    id: '152a:8750',
    speed: 'high',
    streamFile: '/proc/asound/card1/stream0',
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
    streamFile: '/proc/asound/card3/stream0',
    modes: [{ formats: ['S16_LE'], bits: null, channels: 2, rates: [8000, 48000], continuous: true, sync: 'adaptive' }],
  });
  t.end();
});

t.test('every device of a card is listed, by number', (t) => {
  t.same(
    playbackDevices(procOf(USB_CARDS)).map(({ address, kind }) => [address, kind]),
    [
      ['hw:CARD=PCH,DEV=0', 'other'],
      ['hw:CARD=PCH,DEV=3', 'hdmi'],
      ['hw:CARD=PCH,DEV=10', 'hdmi'],
      ['hw:CARD=D50s,DEV=0', 'usb'],
      ['hw:CARD=Headset,DEV=0', 'usb'],
    ],
  );
  t.end();
});

t.test('no card, and no /proc/asound at all', (t) => {
  t.same(playbackDevices(procOf(NO_CARDS)), []);
  t.same(playbackDevices(procOf({})), []);
  t.end();
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

t.test('the real /proc is read where it is there', (t) => {
  t.equal(procFiles.text('/proc/self/comm')?.trim().length !== 0, true);
  t.ok(procFiles.names('/proc/self').includes('comm'));
  t.equal(procFiles.text('/proc/none'), undefined);
  t.same(procFiles.names('/proc/none'), []);
  t.end();
});
