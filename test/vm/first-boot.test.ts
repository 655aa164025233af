/** A card that was flashed, with files beside the system's own on its boot partition: it comes up as a node that nobody has logged in to. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { bringPrograms, image, noMachines } from './image.js';
import { archiveOf } from './installed.js';
import { leads } from './kitchen.js';
import { Machine } from './machine.js';

const BOOT = '/boot/firmware';

bringPrograms();
await t.test('a flashed card', { skip: noMachines() }, async (t) => {
  const machine = Machine.make(t, await image());
  await machine.start();
  await machine.copy([archiveOf(t), 'firmware-config/first-boot/tutti-first-boot.sh'], BOOT);
  await machine.must(`echo 'name = "larder"' >${BOOT}/tutti.toml; echo init >${BOOT}/tutti-join.txt; sync`);
  await machine.powerOff();

  await machine.runOnce([
    readFileSync('firmware-config/first-boot/bookworm/cmdline-addition.txt', 'utf8').trim(),
    'systemd.show_status=0',
  ]);
  await machine.start();
  t.match(await machine.must(`cat ${BOOT}/tutti-first-boot.log`), /done: tutti\.service starts/);
  await leads(machine);
  await machine.until('what was asked for is done', `[ ! -e ${BOOT}/tutti-join.txt ]`);
  t.match(await machine.must('tutti status'), /Node +larder/);
  t.match(await machine.must('id -nG pi'), /\btutti\b/, 'its first person may copy music in');
  t.equal(await machine.must('systemctl --failed --no-legend --plain'), '', 'no service has failed');
});
