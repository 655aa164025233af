/**
 * A node as a person has it: a whole emulated machine with Debian 13, Tutti from its archive, systemd and sshd. Nothing in it is a fake but the
 * hardware. Figures are printed; an emulated processor is some thirty times slower.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../support/daemon.js';
import { bringPrograms, image, noMachines } from './image.js';
import { Machine } from './machine.js';

const said = (t: Test, what: string, seconds: number) => t.comment(`${what}: ${seconds.toFixed(1)} s`);

bringPrograms();
const skip = noMachines();
if (skip !== false) t.test('a whole emulated machine', { skip }, () => {});
else {
  const releases = temporaryFolder(t);
  spawnSync(process.execPath, ['src/dev/release.mjs', releases, 'x64'], { stdio: ['ignore', 2, 2] });
  const [archive] = readdirSync(releases);
  const machine = Machine.make(t, image());

  await t.test('the archive installs on Debian 13 without a network, and the doctor finds what it needs', async (t) => {
    said(t, 'from power-on to sshd', await machine.start());
    await machine.copy([join(releases, archive!)], '/tmp/');
    const startedAt = performance.now();
    const report = await machine.must('cd /tmp && tar -xzf tutti-*.tar.gz && tutti-*/install.sh');
    said(t, 'installed, started and looked at', (performance.now() - startedAt) / 1_000);
    for (const line of report.split('\n')) t.comment(line);
    t.notMatch(report, /^fail/m);
    for (const name of [
      'Node.js',
      'file system',
      'inbox',
      'sound card',
      'real-time priority',
      'locked memory',
      'GPIO',
      'node',
    ]) {
      t.match(report, new RegExp(`^ok +${name}`, 'm'), `${name} is as it should be`);
    }
    t.match(await machine.must('udevadm verify /etc/udev/rules.d/60-tutti.rules'), /Fail: +0/);
  });
}
