import fc from 'fast-check';
import t from 'tap';
import { byChoice, type Choosable, devicesForAuto } from '../../../src/io/alsa/device-choice.js';
import { playbackDevices } from '../../../src/io/alsa/proc-cards.js';
import { NO_CARDS, PI_WITH_I2S_DAC, procOf, type Tree, USB_CARDS } from './asound-trees.js';

const chosen = (tree: Tree) => devicesForAuto(playbackDevices(procOf(tree)));
const device = (address: string, kind: Choosable['kind'], pid?: number): Choosable => ({
  address,
  kind,
  holder: pid === undefined ? null : { pid, program: null },
});

t.test('auto is I2S before USB before headphones before HDMI, and what else there is comes last', (t) => {
  const [hdmi, jack, usb, i2s, other] = [
    device('d', 'hdmi'),
    device('c', 'headphones'),
    device('b', 'usb'),
    device('a', 'i2s'),
    device('e', 'other'),
  ];
  t.same(devicesForAuto([other, hdmi, jack, usb, i2s]), ['a']);
  t.same(devicesForAuto([other, hdmi, jack, usb]), ['b']);
  t.same(devicesForAuto([other, hdmi, jack]), ['c']);
  t.same(devicesForAuto([other, hdmi]), ['d']);
  t.same(devicesForAuto([other]), ['e']);
  t.same(devicesForAuto([]), []);
  t.end();
});

t.test('machines as they are', (t) => {
  t.same(chosen(PI_WITH_I2S_DAC), ['hw:CARD=sndrpihifiberry,DEV=0'], 'taken as it is: the jack is no substitute');
  t.same(chosen(USB_CARDS), ['hw:CARD=Headset,DEV=0', 'hw:CARD=D50s,DEV=0'], 'the one that nobody holds first');
  t.same(chosen(NO_CARDS), []);
  t.end();
});

t.test('the choice depends on the order of the list only among equals, and loses nothing', (t) => {
  const kind = fc.constantFrom<Choosable['kind']>('i2s', 'usb', 'headphones', 'hdmi', 'other');
  const some = fc.array(
    fc.record({ address: fc.string(), kind, holder: fc.constantFrom(null, { pid: 1, program: '' }) }),
  );
  const ranks = (devices: readonly Choosable[]) => byChoice(devices).map((each) => [each.kind, each.holder]);
  const property = fc.property(some, (devices) => {
    t.same(ranks(devices.toReversed()), ranks(devices));
    t.same(new Set(byChoice(devices)), new Set(devices));
  });
  fc.assert(property, { seed: 1, numRuns: 50 });
  t.end();
});
