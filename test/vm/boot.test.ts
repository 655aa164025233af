/** systemd, and a node that it starts at boot with no more rights than it needs: what is heard of it. */
import t from 'tap';
import { bringPrograms, noMachines } from './image.js';
import { kitchen, leads, outputIs, PID, transportIs } from './kitchen.js';
import { listen } from './sound.js';

bringPrograms();
await t.test('a node and its machine', { skip: noMachines() }, async (t) => {
  const machine = await kitchen(t);

  await t.test('it starts at boot, and says READY when it serves', async (t) => {
    await leads(machine);
    t.comment(await machine.must('systemd-analyze; systemd-analyze blame | head -5'));
    t.match(
      await machine.must('journalctl -b -u tutti -o cat'),
      /Tutti serves http.*\n(.*\n)*Started tutti/,
      'systemd took it for started after it had said where it serves',
    );
    t.equal(await machine.must('systemctl is-active tutti'), 'active');
    t.equal(await machine.must('systemctl --failed --no-legend --plain'), '', 'no service has failed');
  });

  await t.test('through koffi, ALSA and SCHED_FIFO the card gets the song', async (t) => {
    await machine.run('tutti play');
    await transportIs(machine, 'playing');
    await outputIs(machine, 'playing');
    const isLoud = (await listen(t, machine, 10)).isLoud();
    const [first, last] = [isLoud.indexOf(true), isLoud.lastIndexOf(true)];
    const holes = isLoud.slice(first, last).filter((is) => !is).length;
    t.comment(`${((last - first) / 100).toFixed(1)} s of the tone, ${holes} hundredths without`);
    t.ok(first >= 0, 'the tone is heard');
    t.ok(last - first - holes > 200, 'for seconds');

    const status = await machine.must(`cat /proc/$(${PID})/status`);
    t.match(status, /^CapEff:\t0000000010000000$/m, 'CAP_LEASE alone');
    t.match(status, /^NoNewPrivs:\t1$/m);
    const threads = await machine.must(`ps -L -o cls=,rtprio= -p $(${PID}) | sort | uniq -c`);
    t.comment(threads);
    t.match(threads, /FF +15/, 'the player’s thread goes before everything else');
  });
});
