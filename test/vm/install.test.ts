/** The archive, and a Debian 13 that knows nothing of Tutti and has no network. */
import t from 'tap';
import { bringPrograms, noMachines } from './image.js';
import { installed } from './installed.js';
import { Machine } from './machine.js';

bringPrograms();
await t.test('the archive installs, and the doctor finds what it needs', { skip: noMachines() }, async (t) => {
  const { image, report } = await installed(t);
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

  const machine = Machine.make(t, image);
  await machine.start();
  t.match(await machine.must('udevadm verify /etc/udev/rules.d/60-tutti.rules'), /Fail: +0/);
  await machine.until('the node waits for a house', 'systemctl show tutti -p StatusText | grep "waits for tutti init"');
  t.equal(await machine.must('systemctl --failed --no-legend --plain'), '', 'no service has failed');
  const security = await machine.must('systemd-analyze security tutti.service | tail -1');
  t.comment(security);
  t.ok(Number(/: (\d+\.\d+) /.exec(security)?.[1]) <= 2, 'it is exposed by 2.0 at most');
});
