/** What may happen to a node that plays: files come by scp, it is killed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../support/daemon.js';
import { bringPrograms, noMachines } from './image.js';
import { kitchen, leads, outputIs, PID } from './kitchen.js';
import { isAnotherThan } from './restarted.js';
import { heard, recordWhile, toneWav } from './sound.js';

const LEADER_LED = '/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio26/value';

bringPrograms();
await t.test('a node at work', { skip: noMachines() }, async (t) => {
  const machine = await kitchen(t);
  await leads(machine);

  await t.test('a song that comes by scp is played, and what is none is put aside with the reason', async (t) => {
    const folder = temporaryFolder(t);
    const [song, junk] = [join(folder, 'song.wav'), join(folder, 'notes.wav')];
    writeFileSync(song, toneWav(12));
    writeFileSync(junk, 'milk, bread, butter\n');
    const startedAt = performance.now();
    await machine.copy([song, junk], '/var/lib/tutti/inbox/', 'pi');
    await machine.until('the song is in the library', 'tutti ls | grep -q song');
    t.comment(`from scp to the library: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    await machine.until('the other was refused', 'ls /var/lib/tutti/inbox/rejected/notes.wav.txt');
    t.equal(await machine.must('ls /var/lib/tutti/inbox'), 'rejected', 'nothing else is left there');
    await machine.run('tutti play song');
    await outputIs(machine, 'playing');
    t.ok(Math.max(...heard(await recordWhile(t, machine, 3, 'true')).loudness) > 0.2, 'it is heard');
  });

  await t.test('killed, it is started again and plays on', async (t) => {
    const pid = await machine.must(PID);
    const startedAt = performance.now();
    await machine.must(`kill -9 ${pid}`);
    await machine.until('its lamp is put out', `grep -q 0 ${LEADER_LED}`);
    await machine.until('another runs', isAnotherThan(pid));
    await outputIs(machine, 'playing');
    t.comment(`from kill -9 to sound: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    t.ok(Math.max(...heard(await recordWhile(t, machine, 3, 'true')).loudness) > 0.2, 'it is heard');
  });
});
