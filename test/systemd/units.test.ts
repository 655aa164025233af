/** What systemd/ holds is what systemd takes, without a word of complaint, and is as closed as was promised. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../support/daemon.js';

/** What `systemd-analyze security` may make of the shipped unit. */
const EXPOSURE_MAX = 2.0;

/** Of a program of systemd's that is missing here. */
const missing = (program: string) =>
  spawnSync(program, ['--version']).error === undefined ? false : `${program} is not installed`;

const run = (program: string, args: readonly string[]) => spawnSync(program, args, { encoding: 'utf8' });

/** The assignments of a unit file, in order. */
const assignments = (file: string): (readonly [key: string, value: string])[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);

/** A root folder with the unit, and something in the place of each program that it names. */
function rootWithUnit(t: Test): string {
  const root = temporaryFolder(t);
  const units = join(root, 'etc/systemd/system');
  mkdirSync(units, { recursive: true });
  cpSync('systemd/tutti.service', join(units, 'tutti.service'));
  for (const [key, value] of assignments('systemd/tutti.service')) {
    if (!key.startsWith('Exec')) continue;
    const program = join(root, value.replace(/^-/, '').split(' ')[0]!);
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, '', { mode: 0o755 });
  }
  return root;
}

const exposureOf = (root: string): number =>
  Number(
    /exposure level for tutti.service: ([\d.]+)/.exec(
      run('systemd-analyze', ['security', '--offline=true', `--root=${root}`, '--no-pager', 'tutti.service']).stdout,
    )?.[1],
  );

t.test(`the unit is exposed at most ${EXPOSURE_MAX} of 10`, { skip: missing('systemd-analyze') }, (t) => {
  const root = rootWithUnit(t);
  const exposure = exposureOf(root);
  t.comment(`systemd-analyze security: ${exposure.toFixed(1)}`);
  t.ok(exposure <= EXPOSURE_MAX, `${exposure} is at most ${EXPOSURE_MAX}`);
  const dropIns = join(root, 'etc/systemd/system/tutti.service.d');
  cpSync('systemd/tutti.service.d', dropIns, { recursive: true });
  const withSysfs = exposureOf(root);
  t.comment(`with the drop-in for sysfs: ${withSysfs.toFixed(1)}`);
  t.ok(withSysfs > exposure, 'the drop-in was read');
  t.end();
});

t.test('systemd understands every line of the unit', { skip: missing('systemd-analyze') }, (t) => {
  const { stdout, stderr } = run('systemd-analyze', [
    'verify',
    '--recursive-errors=no',
    '--man=no',
    `--root=${rootWithUnit(t)}`,
    'tutti.service',
  ]);
  t.equal(stdout + stderr, '');
  t.end();
});

t.test('the unit asks for what the daemon keeps', (t) => {
  const unit = new Map(assignments('systemd/tutti.service'));
  t.match(Object.fromEntries(unit), {
    Type: 'notify',
    WatchdogSec: '45',
    Restart: 'on-failure',
    RestartSec: '1',
    StartLimitIntervalSec: '0',
    TimeoutStopSec: '5',
  });
  t.notOk(/time-sync|network-online/.test(readFileSync('systemd/tutti.service', 'utf8')), 'it waits for no network');
  t.end();
});

t.test('the user, its groups and its folders come into being', { skip: missing('systemd-sysusers') }, (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, 'etc'));
  const sysusers = run('systemd-sysusers', [`--root=${root}`, join(process.cwd(), 'systemd/sysusers.d/tutti.conf')]);
  t.equal(sysusers.status, 0, sysusers.stderr);
  const groups = readFileSync(join(root, 'etc/group'), 'utf8');
  for (const group of ['audio', 'dialout', 'gpio']) t.match(groups, new RegExp(`^${group}:.*:tutti$`, 'm'));
  t.match(readFileSync(join(root, 'etc/passwd'), 'utf8'), /^tutti:.*:\/var\/lib\/tutti:.*nologin$/m);
  const skip = process.getuid?.() === 0 ? false : 'only the superuser gives folders away';
  t.test('members of the group may copy into the inbox', { skip }, (t) => {
    const tmpfiles = run('systemd-tmpfiles', [
      '--create',
      `--root=${root}`,
      join(process.cwd(), 'systemd/tmpfiles.d/tutti.conf'),
    ]);
    t.equal(tmpfiles.status, 0, tmpfiles.stderr);
    const modeOf = (path: string) => (statSync(join(root, 'var/lib/tutti', path)).mode & 0o7777).toString(8);
    t.same([modeOf('.'), modeOf('inbox'), modeOf('inbox/rejected')], ['750', '2770', '2770']);
    t.end();
  });
  t.end();
});
