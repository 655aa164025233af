/** Which driver a configuration comes to, on machines with cards and without. */
import t from 'tap';
import type { Config } from '../../src/config/config.js';
import { outputSetup } from '../../src/daemon/output-setup.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { NO_CARDS, PI_WITH_I2S_DAC, procOf } from '../io/alsa/asound-trees.js';

const OUTPUT: Config['output'] = {
  driver: 'auto',
  device: 'auto',
  channels: 'stereo',
  mixer: 'unmute',
  level: 'off',
  idleCloseS: 600,
  queueMs: 60,
  latencyUs: 0,
  volumeLimit: 100,
  virtual: { ppm: 80, capture: null, captureTimes: null },
};

/** What `output` comes to, and how often the log warns. */
function setUp(output: Partial<Config['output']>, machine: { cards?: boolean; missing?: string } = {}) {
  const log = new FakeLog();
  const proc = procOf(machine.cards === true ? PI_WITH_I2S_DAC : NO_CARDS);
  const setup = outputSetup({ log, proc, missing: () => machine.missing }, { ...OUTPUT, ...output });
  return { driver: setup.driver, device: setup.device, warnings: log.entries.map(({ fields }) => fields.why), setup };
}

t.test('auto is alsa where there is a card, and none elsewhere, with the reason', (t) => {
  t.match(setUp({}, { cards: true }), { driver: 'alsa', device: 'auto', warnings: [] });
  t.match(setUp({}), { driver: 'none', device: '', warnings: [/lists no card/] });
  t.match(setUp({}, { cards: true, missing: 'no alsa-lib' }), { driver: 'none', warnings: ['no alsa-lib'] });
  t.end();
});

t.test('whoever names a device means a card, even one that is not there yet', (t) => {
  t.match(setUp({ device: 'hw:CARD=DAC,DEV=0' }), { driver: 'alsa', device: 'hw:CARD=DAC,DEV=0', warnings: [] });
  t.end();
});

t.test('a driver that is named is taken as it is', (t) => {
  t.match(setUp({ driver: 'alsa' }), { driver: 'alsa', device: 'auto', warnings: [] });
  t.match(setUp({ driver: 'speaker' }), { driver: 'speaker', device: 'auto' });
  t.match(setUp({ driver: 'virtual' }), { driver: 'virtual', device: 'virtual' });
  t.match(setUp({ driver: 'none' }, { cards: true }), { driver: 'none', device: '', warnings: [] });
  t.end();
});

t.test('the rest passes through', (t) => {
  t.match(setUp({ mixer: 'keep' }).setup, {
    idleCloseS: 600,
    queueMs: 60,
    mixer: 'keep',
    virtual: { ppm: 80, capture: '', captureTimes: '' },
  });
  t.end();
});
