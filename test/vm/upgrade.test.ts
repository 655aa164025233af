/** Installed as the commit before had it, upgraded to what is here, taken off, and installed again: what stays and what goes. */
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../support/daemon.js';
import { buildEarlier } from '../support/earlier-build.js';
import { bringPrograms, image, noMachines } from './image.js';
import { archiveOf } from './installed.js';
import { leads, PID } from './kitchen.js';
import { Machine } from './machine.js';
import { toneWav } from './sound.js';

const EARLIER = process.env.TUTTI_UPGRADE_FROM ?? 'HEAD~1';

bringPrograms();
const folder = temporaryFolder(t);
const why = noMachines();
const earlier = why === false ? buildEarlier(folder, EARLIER) : { missing: why };
const skip = 'missing' in earlier && earlier.missing;
await t.test('an installation and those after it', { skip }, async (t) => {
  const [before, now] = [archiveOf(t, join(folder, 'earlier')), archiveOf(t)];
  const machine = Machine.make(t, await image());
  await machine.start();
  const install = async (archive: string, name: string) => {
    await machine.copy([archive], `/root/${name}.tar.gz`);
    await machine.must(`mkdir ${name} && tar -xzf ${name}.tar.gz -C ${name} && ${name}/tutti-*/install.sh`);
  };
  const titles = () => machine.must('tutti ls');

  await install(before, 'before');
  t.comment(`installed first: what ${EARLIER} is`);
  await machine.run('tutti init');
  await leads(machine);
  t.equal((await machine.call('PUT', '/tracks/tone.wav', toneWav(3))).status, 201);
  await machine.must('echo \'name = "larder"\' >>/etc/tutti/tutti.toml');

  await t.test('an upgrade keeps the house, its music and its settings', async (t) => {
    const pid = await machine.must(PID);
    await install(now, 'now');
    await leads(machine);
    t.not(await machine.must(PID), pid, 'another process runs');
    t.match(await titles(), /tone/);
    t.match(await machine.must('cat /etc/tutti/tutti.toml'), /larder/);
    t.equal(await machine.must('ls -d /opt/tutti-* | wc -l'), '1', 'the release before is gone');
    t.equal(
      await machine.must('sha256sum </opt/tutti/dist/tutti/main.js'),
      await machine.must('sha256sum <now/tutti-*/dist/tutti/main.js'),
    );
  });

  await t.test('taken off, it leaves music, settings and the node’s memory, and nothing else', async (t) => {
    await machine.must('/opt/tutti/install.sh --uninstall');
    const left = await machine.must(
      'find / -xdev -iname "*tutti*" -not -path "/root/*" -not -path "/proc/*" -not -path "/var/log/*" -not -path "/sys/*"; find /var/lib/tutti -mindepth 1 -maxdepth 1',
    );
    t.comment(left);
    t.notMatch(left, /^\/(opt|usr|etc\/systemd|etc\/udev|run)\//m);
    t.match(left, /^\/etc\/tutti\/tutti\.toml$/m);
    t.match(await machine.must('ls /var/lib/tutti/tracks'), /\.wav/);
    t.equal((await machine.run('systemctl list-unit-files --no-legend "tutti*"')).stdout, '');
  });

  await t.test('and installed again it is who it was', async (t) => {
    await machine.must('now/tutti-*/install.sh');
    await leads(machine);
    t.match(await titles(), /tone/);
  });
});
