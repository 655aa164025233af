import t from 'tap';
import { InvariantError } from '../../../src/core/assert.js';
import { TuttiError } from '../../../src/core/errors.js';
import { ChosenOutput } from '../../../src/io/alsa/chosen-output.js';
import { ABSENT, type AudioOutput } from '../../../src/ports/audio-output.js';
import { FakeAudioOutput } from '../../../src/ports/fake-audio-output.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import { runAudioOutputContract } from '../../contract/audio-output.js';
import { NO_CARDS, PI_WITH_I2S_DAC, procOf, type Tree, USB_CARDS } from './asound-trees.js';

const REQUEST = { rate: 48_000, channels: 2, bits: 24 };

/** A machine whose cards are those of `tree`; `broken` are those that cannot be opened. */
function machine(device: string) {
  const time = new FakeTime();
  const world: { tree: Tree; broken: string[] } = { tree: NO_CARDS, broken: [] };
  const tried: string[] = [];
  const output = (name: string): AudioOutput => {
    const fake = new FakeAudioOutput({ time });
    const open: AudioOutput['open'] = (request) => {
      tried.push(name);
      if (world.broken.includes(name)) throw new TuttiError('OUTPUT_UNAVAILABLE', `${name} is busy.`);
      return fake.open(request);
    };
    return {
      open,
      write: (samples, frameCount) => fake.write(samples, frameCount),
      status: () => fake.status(),
      recover: () => fake.recover(),
      close: () => fake.close(),
    };
  };
  const proc = {
    text: (path: string) => procOf(world.tree).text(path),
    names: (path: string) => procOf(world.tree).names(path),
  };
  const chosen = new ChosenOutput(
    { log: new FakeLog(), proc, alsa: { missing: 'none in this test' }, output },
    { device, mixer: 'unmute' },
  );
  return { chosen, time, world, tried };
}

void runAudioOutputContract(t, 'ChosenOutput', () => {
  const { chosen, time } = machine('kitchen');
  return { output: chosen, pass: () => time.advance(1) };
});

t.test('auto is looked up at each opening', (t) => {
  const { chosen, world, tried } = machine('auto');
  t.throws(() => chosen.open(REQUEST), { code: 'OUTPUT_UNAVAILABLE', detail: /no sound card/, info: ABSENT });
  t.equal(chosen.device, 'auto');
  world.tree = PI_WITH_I2S_DAC;
  chosen.open(REQUEST);
  t.equal(chosen.device, 'hw:CARD=sndrpihifiberry,DEV=0');
  chosen.close();
  world.tree = USB_CARDS;
  chosen.open(REQUEST);
  t.equal(chosen.device, 'hw:CARD=Headset,DEV=0');
  t.same(tried, ['hw:CARD=sndrpihifiberry,DEV=0', 'hw:CARD=Headset,DEV=0']);
  t.end();
});

t.test('of several cards of a kind, the first that opens; where none does, what all of them said', (t) => {
  const { chosen, world, tried } = machine('auto');
  world.tree = USB_CARDS;
  world.broken = ['hw:CARD=Headset,DEV=0'];
  chosen.open(REQUEST);
  t.same([chosen.device, tried.length], ['hw:CARD=D50s,DEV=0', 2]);
  chosen.close();
  world.broken.push('hw:CARD=D50s,DEV=0');
  t.throws(() => chosen.open(REQUEST), {
    code: 'OUTPUT_UNAVAILABLE',
    detail: 'hw:CARD=Headset,DEV=0 is busy. hw:CARD=D50s,DEV=0 is busy.',
    info: {},
  });
  t.end();
});

t.test('a device that is named is tried whatever the kernel lists', (t) => {
  const { chosen, tried } = machine('kitchen');
  chosen.open(REQUEST);
  t.same([chosen.device, tried], ['kitchen', ['kitchen']]);
  t.throws(() => chosen.open(REQUEST), InvariantError);
  t.end();
});
