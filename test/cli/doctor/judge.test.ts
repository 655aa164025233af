/** What the doctor thinks of what it finds: each judgement, by its verdict and what it says to do. */
import t from 'tap';
import type { Check } from '../../../src/cli/doctor/check.js';
import * as controls from '../../../src/cli/doctor/controls.js';
import type { PathFacts } from '../../../src/cli/doctor/facts.js';
import * as judge from '../../../src/cli/doctor/judge.js';
import type { SoundCards } from '../../../src/io/alsa/capabilities.js';
import type { DriverChoice } from '../../../src/io/gpio/choose-driver.js';

const folder: PathFacts = { path: '/d', kind: 'directory', mode: 0o750, owner: 7, isReadable: true, isWritable: true };
const missing: PathFacts = {
  path: '/d',
  kind: 'missing',
  mode: null,
  owner: null,
  isReadable: false,
  isWritable: false,
};
const key: PathFacts = { ...folder, path: '/d/cluster.key', kind: 'file', mode: 0o600 };
const disk = { fileSystem: 'ext4', freeBytes: 20e9, sync: { p50Ms: 2, p99Ms: 9 } };
const card = { address: 'hw:CARD=dac,DEV=0', kind: 'i2s', holder: null };
const sound = (init: object): SoundCards =>
  ({ devices: [card], named: [], missing: null, ...init }) as unknown as SoundCards;
const limits = (realtimePriority: number, lockedBytes: number, user = 1_000) => ({
  limits: { realtimePriority, lockedBytes },
  user,
});

const chosen = (driver: DriverChoice['driver'], why: string, isTrouble = false) => ({
  choice: { driver, why, isTrouble },
});
const line = { key: 'gpio.leader_led', line: 26, holder: null, isThere: true };

/** A judgement, its verdict, and a part of what is found or advised. */
const CASES: readonly (readonly [Check, Check['verdict'], RegExp?])[] = [
  [judge.nodeVersion('v20.19.0'), 'ok'],
  [judge.nodeVersion('v24.1.0'), 'ok'],
  [judge.nodeVersion('v20.18.3'), 'fail', /20\.19/],
  [judge.nodeVersion('v18.20.0'), 'fail'],
  [judge.configuration({ mistakes: ['gpio.play: found 99'] })[0]!, 'fail', /found 99.*restart/s],
  [judge.dataDirectory(folder, 7), 'ok'],
  [judge.dataDirectory(folder, 0), 'ok', /user 7/],
  [judge.dataDirectory(missing, 7), 'note', /tutti run makes it/],
  [judge.dataDirectory(key, 7), 'fail', /no directory/],
  [judge.dataDirectory({ ...folder, isWritable: false }, 8), 'fail', /belongs to user 7.*sudo -u/],
  [judge.fileSystem(disk), 'ok'],
  [judge.fileSystem({ ...disk, fileSystem: 'tmpfs' }), 'warn', /gone at the next start/],
  [judge.fileSystem({ ...disk, fileSystem: 'vfat' }), 'warn', /ext4/],
  [judge.freeSpace(disk, false), 'ok', /20 GB free/],
  [judge.freeSpace({ ...disk, freeBytes: 5e8 }, false), 'warn', /make room/],
  [judge.freeSpace({ ...disk, freeBytes: 1e6 }, false), 'fail', /log of a node alone/],
  [judge.freeSpace({ ...disk, freeBytes: 1e6 }, true), 'warn', /make room/],
  [judge.syncs(disk), 'ok', /2\.0 ms, 99 % within 9\.0 ms/],
  [judge.syncs({ ...disk, sync: { p50Ms: 20, p99Ms: 60 } }), 'note', /felt to be late/],
  [judge.syncs({ ...disk, sync: { p50Ms: 80, p99Ms: 400 } }), 'warn', /class A1/],
  [judge.syncs({ ...disk, sync: null }), 'note', /not measured/],
  [judge.inbox(folder), 'ok'],
  [judge.inbox(missing), 'note'],
  [judge.inbox(key), 'fail', /inbox\.dir/],
  [judge.inbox({ ...folder, isWritable: false }), 'warn', /tutti add/],
  [judge.clusterKey(key), 'ok', /mode 0600/],
  [judge.clusterKey({ ...key, mode: 0o640 }), 'warn', /0640.*chmod 600 \/d\/cluster\.key/],
  [judge.clusterKey(missing), 'note', /tutti init/],
  [judge.clusterKey({ ...missing, kind: 'unreachable' }), 'note', /as the user of the node/],
  [judge.clusterKey(folder), 'fail'],
  [judge.portOf({ key: 'http.listen', at: '0.0.0.0:8080', state: 'free' }, false), 'ok'],
  [judge.portOf({ key: 'http.listen', at: '0.0.0.0:8080', state: 'EADDRINUSE' }, true), 'ok', /a node runs here/],
  [
    judge.portOf({ key: 'http.listen', at: '0.0.0.0:8080', state: 'EADDRINUSE' }, false),
    'fail',
    /another program.*ss -lntp/,
  ],
  [judge.portOf({ key: 'http.listen', at: '0.0.0.0:80', state: 'EACCES' }, false), 'fail', /set http\.listen/],
  [judge.soundCards(sound({}), 'auto'), 'ok', /hw:CARD=dac,DEV=0 \(i2s\)/],
  [judge.soundCards(sound({ devices: [] }), 'auto'), 'warn', /silent member/],
  [judge.soundCards(sound({ devices: [] }), 'none'), 'ok'],
  [judge.soundCards(sound({ devices: [] }), 'virtual'), 'ok'],
  [judge.soundCards(sound({}), 'speaker'), 'note', /tens of milliseconds/],
  [judge.soundCards(sound({ missing: 'apt-get install libasound2' }), 'alsa'), 'fail', /alsa-lib cannot.*apt-get/],
  [
    judge.soundCards(sound({ devices: [{ ...card, holder: { pid: 9, program: 'pulseaudio' } }] }), 'auto'),
    'warn',
    /pulseaudio/,
  ],
  [judge.soundCards(sound({ devices: [{ ...card, holder: { pid: 9, program: 'node' } }] }), 'auto'), 'ok'],
  [judge.realtime(limits(50, 0)), 'ok'],
  [judge.realtime(limits(0, 0)), 'warn', /LimitRTPRIO=50/],
  [judge.realtime(limits(0, 0, 0)), 'ok', /superuser/],
  [judge.lockedMemory(limits(0, Number.POSITIVE_INFINITY)), 'ok', /without a limit/],
  [judge.lockedMemory(limits(0, 65_536)), 'note', /66 kB.*LimitMEMLOCK/],
  [judge.clock('CLOCK_MONOTONIC_RAW'), 'ok'],
  [judge.clock('CLOCK_MONOTONIC'), 'warn', /koffi/],
  [controls.gpio(chosen('chardev', 'gpiochip0 through chardev; no onoff: sysfs is read-only')), 'ok', /gpiochip0/],
  [controls.gpio(chosen('none', 'no chardev: not for this user', true)), 'warn', /not for this user.*-aG gpio/],
  [controls.gpio(chosen('none', 'this machine has no GPIO chip')), 'note'],
  [controls.gpio(chosen('none', 'gpio.driver is "none"')), 'ok'],
  [controls.gpioLine({ ...line, holder: 'led0' })!, 'warn', /line 26 is in use by led0.*gpio\.leader_led/],
  [controls.gpioLine({ ...line, holder: '' })!, 'warn', /gives no name/],
  [controls.gpioLine({ ...line, isThere: false })!, 'warn', /no line 26.*BCM/],
  [controls.led({ name: 'leader', missing: null, isTimed: true }), 'ok', /kernel/],
  [controls.led({ name: 'leader', missing: null, isTimed: false }), 'note', /ledtrig-transient/],
  [controls.led({ name: 'leader', missing: 'there is no LED leader', isTimed: false }), 'warn', /gpio-led/],
  [controls.panel({ ...folder, kind: 'other', path: '/dev/ttyUSB0', missing: null }), 'ok'],
  [controls.panel({ ...folder, kind: 'other', isWritable: false, missing: null }), 'warn', /dialout/],
  [controls.panel({ ...missing, missing: null }), 'warn', /by-id/],
  [controls.panel({ ...missing, missing: 'the package serialport does not load' }), 'warn', /npm run setup/],
];

for (const [check, verdict, words] of CASES) {
  t.test(`${check.name}: ${check.found} is ${verdict}`, (t) => {
    t.equal(check.verdict, verdict);
    t.equal(check.advice === null, verdict === 'ok', 'there is advice exactly where something is to be done');
    if (words !== undefined) t.match(`${check.found} ${check.advice ?? ''}`, words);
    t.end();
  });
}

t.test('a line that is free, or that the node has already, is not worth a line', (t) => {
  t.equal(controls.gpioLine(line), null);
  t.equal(controls.gpioLine({ ...line, holder: 'tutti leader' }), null);
  t.end();
});
