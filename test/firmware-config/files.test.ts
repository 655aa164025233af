/** What goes onto a Pi's boot partition is what its readers take: the firmware, cloud-init, Raspberry Pi OS, udev and a shell. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import t from 'tap';
import { parseConfig } from '../../src/config/config.js';
import { temporaryFolder } from '../support/daemon.js';

/** The firmware cuts off what is behind it. Characters. */
const CONFIG_TXT_COLUMNS_MAX = 98;
const read = (file: string) => readFileSync(join('firmware-config', file), 'utf8');

t.test('every line of tutti.txt is one that the firmware takes', (t) => {
  const lines = read('tutti.txt').split('\n');
  t.ok(lines.every((line) => line.length <= CONFIG_TXT_COLUMNS_MAX));
  // Comments stand on lines of their own, and what is commented out is as right as what is not.
  const active = lines
    .map((line) => line.replace(/^#(?=[a-z]+=)/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'));
  t.ok(active.length > 10);
  for (const line of active) t.match(line, /^(\[(all|pi[345])\]|(dtoverlay|dtparam|gpio|enable_uart)=[\w,=-]+)$/);
  t.equal(active.at(-1), '[all]', 'what follows the include is for every Pi');
  t.end();
});

t.test('the pins in tutti.txt are those of the settings, and none that a DAC HAT needs', (t) => {
  const { gpio } = parseConfig('', {}, { hostname: 'kitchen' });
  const text = read('tutti.txt');
  t.match(text, new RegExp(`^gpio=${gpio.play},${gpio.pause},${gpio.skip}=ip,pu$`, 'm'));
  t.match(text, new RegExp(`^gpio=${gpio.leaderLed}=op,dl$`, 'm'));
  t.match(text, new RegExp(`gpio-led,gpio=${gpio.leaderLed},label=leader,trigger=none`));
  const taken = [0, 1, 2, 3, 18, 19, 20, 21];
  for (const pin of [gpio.play, gpio.pause, gpio.skip, gpio.leaderLed]) t.notOk(taken.includes(Number(pin)));
  t.end();
});

t.test('custom.toml is what Raspberry Pi OS of Debian 12 reads', (t) => {
  const settings = parseToml(read('first-boot/bookworm/custom.toml'));
  t.match(settings, { config_version: 1, system: { hostname: String }, user: { name: 'pi' }, ssh: { enabled: true } });
  const addition = read('first-boot/bookworm/cmdline-addition.txt');
  t.equal(addition.trimEnd().split('\n').length, 1, 'cmdline.txt has one line');
  t.match(addition, /systemd\.run=\/boot\/firmware\/tutti-first-boot\.sh/);
  t.end();
});

const python = spawnSync('/usr/bin/python3', ['-c', 'import yaml']).status === 0;
t.test('user-data is YAML that cloud-init reads', { skip: python ? false : 'python3-yaml is not installed' }, (t) => {
  const text = read('first-boot/trixie/user-data');
  t.match(text, /^#cloud-config\n/);
  const script = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';
  const { stdout } = spawnSync('/usr/bin/python3', ['-c', script], { input: text, encoding: 'utf8' });
  t.match(JSON.parse(stdout), {
    hostname: 'kitchen',
    packages: ['nodejs'],
    users: [{ name: 'pi' }],
    runcmd: [['sh', '/boot/firmware/tutti-first-boot.sh']],
  });
  t.end();
});

const udevadm = spawnSync('udevadm', ['verify', '--help']).status === 0;
t.test('udev takes every rule', { skip: udevadm ? false : 'this udevadm has no verify' }, (t) => {
  const { status, stdout, stderr } = spawnSync('udevadm', ['verify', 'firmware-config/60-tutti.rules'], {
    encoding: 'utf8',
  });
  t.equal(status, 0, stdout + stderr);
  t.end();
});

t.test('every script is one that a shell takes', (t) => {
  for (const file of [
    'firmware-config/first-boot/tutti-first-boot.sh',
    'install.sh',
    'bin/tutti',
    'bin/tutti-join-from',
    'bin/tutti-lamps-off',
  ]) {
    t.equal(spawnSync('sh', ['-n', file]).status, 0, file);
  }
  t.end();
});

t.test('lamps are put out after a daemon that was killed, and not after one that ended in order', (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'bin'));
  cpSync('bin/tutti-lamps-off', join(folder, 'bin', 'tutti-lamps-off'));
  writeFileSync(join(folder, 'bin', 'node'), '#!/bin/sh\nrealpath "$@"\n', { mode: 0o755 });
  const program = join(folder, 'dist', 'tutti', 'lamps-off.js');
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, '');
  const after = (result: string) =>
    spawnSync(join(folder, 'bin', 'tutti-lamps-off'), { env: { PATH: process.env.PATH, SERVICE_RESULT: result } })
      .stdout;
  t.equal(String(after('success')), '');
  t.equal(String(after('watchdog')), `${program}\n`);
  t.equal(String(after('signal')), `${program}\n`);
  t.end();
});

/** A folder with tutti-join-from beside a `tutti` that notes its arguments, says `words` and ends with `status`. */
function joining(words: string, status: number) {
  const folder = temporaryFolder(t);
  cpSync('bin/tutti-join-from', join(folder, 'tutti-join-from'));
  const program = join(folder, 'tutti');
  writeFileSync(
    program,
    `#!/bin/sh\nfor word; do echo "$word"; done >"${folder}/asked"\necho '${words}'\nexit ${status}\n`,
  );
  chmodSync(program, 0o755);
  mkdirSync(join(folder, 'boot'));
  return (line: string) => {
    const file = join(folder, 'boot', 'tutti-join.txt');
    writeFileSync(file, `${line}\n`);
    const ran = spawnSync(join(folder, 'tutti-join-from'), [file], { cwd: join(folder, 'boot') });
    const asked = readFileSync(join(folder, 'asked'), 'utf8').trimEnd().split('\n');
    return { status: ran.status, asked, isThere: existsSync(file), others: readdirSync(join(folder, 'boot')) };
  };
}

t.test('what tutti-join.txt says is done once, and the key does not stay on the boot partition', (t) => {
  const works = joining('done', 0);
  t.match(works('init'), { status: 0, asked: ['init'], isThere: false });
  const line = ['join', '192.168.1.20:7420', '--key', 'ab'.repeat(32)];
  t.match(works(`tutti ${line.join(' ')}`), { status: 0, asked: line, isThere: false });
  t.match(works(line.slice(1).join(' ')), { status: 0, asked: line, isThere: false });
  t.match(works('* $(touch x); touch y'), { asked: ['join', '*', '$(touch', 'x);', 'touch', 'y'], others: [] });
  t.match(joining('NO_QUORUM', 3)('init'), { status: 3, isThere: true }, 'what may work later is tried again');
  t.match(joining('ALREADY_A_MEMBER: kitchen', 1)('init'), { status: 0, isThere: false });
  t.end();
});
