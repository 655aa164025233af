/** What may happen to a node that plays: files come by scp, it is killed, it hangs, it is stopped. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../support/daemon.js';
import { bringPrograms, noMachines } from './image.js';
import { kitchen, leads, outputIs, PID } from './kitchen.js';
import { LEADER_LED, lineFile } from './lines.js';
import { isAnotherThan } from './restarted.js';
import { listen, Recording, toneWav } from './sound.js';

const LEADER_LAMP = lineFile(LEADER_LED, 'value');

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
    t.ok((await listen(t, machine, 3)).isLoud().includes(true), 'it is heard');
  });

  await t.test('killed, it is started again and plays on', async (t) => {
    const pid = await machine.must(PID);
    const startedAt = performance.now();
    await machine.must(`kill -9 ${pid}`);
    await machine.until('its lamp is put out', `grep -q 0 ${LEADER_LAMP}`);
    await machine.until('another runs', isAnotherThan(pid));
    await outputIs(machine, 'playing');
    t.comment(`from kill -9 to sound: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    t.ok((await listen(t, machine, 3)).isLoud().includes(true), 'it is heard');
  });

  await t.test('when its event loop hangs, the watchdog ends it, and it plays on', async (t) => {
    const pid = await machine.must(PID);
    const startedAt = performance.now();
    // The debugger of Node.js has it begin an endless loop.
    const words = '{ sleep 20; echo \'exec("for (;;);")\'; sleep 20; }';
    await machine.must(
      `kill -USR1 ${pid}; ${words} | timeout 60 node inspect -p ${pid} >/tmp/inspect.txt 2>&1 || true`,
    );
    await machine.until('another runs', isAnotherThan(pid));
    await outputIs(machine, 'playing');
    t.comment(`from the hang to sound: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    t.match(await machine.must('journalctl -b -u tutti -o cat'), /Watchdog timeout/);
    t.ok((await listen(t, machine, 3)).isLoud().includes(true), 'it is heard');
  });

  await t.test('stopped, it fades out, and its lamp is dark', async (t) => {
    await machine.until('its lamp is lit', `grep -q 1 ${LEADER_LAMP}`);
    const recording = await Recording.start(t, machine);
    await recording.until(200);
    const askedAt = Number(await machine.must(`${Recording.NOW}; systemctl stop tutti`));
    await recording.goOn(100);
    const heard = await recording.end();
    const isLoud = heard.isLoud();
    const end = isLoud.lastIndexOf(true) + 1;
    t.ok(isLoud.slice(0, askedAt).includes(true), 'it was heard until then');
    t.comment(`silent ${10 * (end - askedAt)} ms after it was asked for`);
    // The fade takes 5 ms; at full height the tone has steps of 0.048 of the full scale from sample to sample, and a cut one of up to 0.37.
    const step = Math.max(...heard.steps().slice(end - 2));
    t.ok(step < 0.05, `nothing clicks at the end: the largest step is ${step.toFixed(4)}`);
    t.ok(
      heard
        .loudness()
        .slice(end + 1)
        .every((loudness) => loudness < 0.001),
      'and then there is silence',
    );
    t.equal(await machine.must(`cat ${LEADER_LAMP}`), '0', 'its lamp is dark');
    // In time, or ended by force after 4.5 s: an emulated processor may take that long.
    t.comment(await machine.must('systemctl show tutti -p Result'));
  });
});
