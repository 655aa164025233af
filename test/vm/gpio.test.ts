/** Buttons and lamps at a chip of the kernel's own, through both drivers: what a press does to what the card is given. */
import t, { type Test } from 'tap';
import { bringPrograms, noMachines } from './image.js';
import { kitchen, leads, transportIs } from './kitchen.js';
import { LEADER_LED, lineFile } from './lines.js';
import type { Machine } from './machine.js';
import { type Heard, Recording, TONE_HZ, toneWav } from './sound.js';

const OTHER_HZ = 1_499;
const HELD_S = 0.15;
/** What is so for so long is so: hundredths of a second. */
const LASTING = 10;

/** When a tone is heard for a while, or, of 0 Hz, none is heard any more: hundredths of a second. -1 for never. */
function since(heard: Heard, hz: number): number {
  if (hz !== 0) {
    // No longer than a while: an emulated processor is not always there in time for the card, and holes are not the node's.
    const isLoud = heard.isLoud(hz);
    return isLoud.findIndex((_, at) => at + LASTING <= isLoud.length && isLoud.slice(at, at + LASTING).every(Boolean));
  }
  const other = heard.isLoud(OTHER_HZ);
  const isLoud = heard.isLoud(TONE_HZ).map((isTone, at) => isTone || other[at]!);
  const quiet = isLoud.lastIndexOf(true) + 1;
  return quiet + LASTING <= isLoud.length ? quiet : -1;
}

async function pressEach(t: Test, machine: Machine): Promise<void> {
  await leads(machine);
  t.equal(await machine.must(`cat ${lineFile(LEADER_LED, 'value')}`), '1', 'the leader’s lamp is lit');
  await machine.must('tutti play tone && tutti queue clear && tutti queue add other && tutti stop');
  await transportIs(machine, 'stopped');
  for (const [button, line, hz, status] of [
    ['play', 5, TONE_HZ, 'playing'],
    ['skip', 16, OTHER_HZ, 'playing'],
    ['pause', 6, 0, 'paused'],
    ['play', 5, OTHER_HZ, 'playing'],
  ] as const) {
    const recording = await Recording.start(t, machine);
    await recording.until(50);
    const pull = lineFile(line, 'pull');
    const pressedAt = await machine.must(
      `${Recording.NOW}; echo pull-down >${pull}; sleep ${HELD_S}; echo pull-up >${pull}`,
    );
    const { transport } = await transportIs(machine, status);
    t.match(transport.changedBy, { via: 'button' });
    await recording.goOn(300);
    const heardAt = since(await recording.end(), hz);
    const isHeard = heardAt >= Number(pressedAt);
    const ms = 10 * (heardAt - Number(pressedAt));
    t.ok(isHeard, `${button}: ${hz === 0 ? 'silence' : `${hz} Hz`} is heard, after ${ms} ms`);
  }
}

bringPrograms();
await t.test('a chip of the kernel’s own', { skip: noMachines() }, async (t) => {
  const machine = await kitchen(t);
  await machine.mountCheckout();

  await t.test('buttons and lamps keep their contract through both drivers', async (t) => {
    await machine.must('systemctl stop tutti');
    const report = await machine.must('cd /checkout && node dist/test/io/gpio/simulated-chip.test.js');
    t.match(report, /^ok 1 - a simulated chip through chardev/m);
    t.match(report, /^ok 2 - a simulated chip through onoff/m);
    t.notMatch(report, /SKIP|^ *not ok/m);
    await machine.must('systemctl start tutti');
  });

  await t.test('a press on each button changes what is heard, through the character device', async (t) => {
    await leads(machine);
    t.equal((await machine.call('PUT', '/tracks/other.wav', toneWav(20, OTHER_HZ))).status, 201);
    await pressEach(t, machine);
    t.match(await machine.must('journalctl -b -u tutti -o cat | grep GPIO'), /"driver":"chardev"/);
  });

  await t.test('and through onoff, with the drop-in that it needs', async (t) => {
    // Its addon is compiled on the machine by whoever wants it: here it was on this side.
    await machine.must(`/root/tutti-*/install.sh --onoff >&2
      cp -R /checkout/node_modules/epoll/build /opt/tutti/node_modules/epoll/
      sed -i '1i gpio.driver = "onoff"' /etc/tutti/tutti.toml
      systemctl restart tutti`);
    await pressEach(t, machine);
    t.match(await machine.must('journalctl -b -u tutti -o cat | grep GPIO | tail -1'), /"driver":"onoff"/);
  });
});
