/** Cards whose crystals are off: the player stays with the timeline for minutes. */
import t from 'tap';
import { VirtualOutput, type VirtualOutputInit } from '../../src/io/virtual/virtual-output.js';
import type { Rig as RigType } from './rig.js';
import { Rig, segmentOf } from './rig.js';

/** Plays for `seconds`, and gives the largest error that the status showed after the first two seconds. */
function worstErrorUs(rig: RigType, seconds: number): number {
  const song = rig.track({
    rate: 8_000,
    channels: 1,
    seconds: seconds + 5,
    wave: (s) => 0.5 * Math.sin(2 * Math.PI * 100 * s),
  });
  rig.set([segmentOf(song, { item: 'a', start: 200 })]);
  rig.until(2_200);
  let worst = 0;
  for (let ms = 2_200; ms < 200 + seconds * 1_000; ms += 100) {
    rig.until(ms);
    worst = Math.max(worst, Math.abs(rig.status().errorUs));
  }
  return worst;
}

for (const { init, seconds, boundUs } of [
  { init: { ppm: 80 }, seconds: 120, boundUs: 10 },
  { init: { ppm: -60 }, seconds: 60, boundUs: 10 },
  { init: { ppm: -500 }, seconds: 60, boundUs: 30 },
  { init: { ppm: 490 }, seconds: 60, boundUs: 30 },
  { init: { ppm: 20, wanderPpm: 2, seed: 7 }, seconds: 120, boundUs: 20 },
] satisfies { init: VirtualOutputInit; seconds: number; boundUs: number }[]) {
  t.test(`a card of ${JSON.stringify(init)} stays within ${boundUs} us for ${seconds} s, without a snap`, (t) => {
    const rig = new Rig({ output: (time) => new VirtualOutput({ time }, { rate: 16_000, ...init }) });
    const worst = worstErrorUs(rig, seconds);
    t.ok(worst < boundUs, `worst error ${worst} us`);
    const { snaps, late, underruns, state, ppm } = rig.status();
    t.same({ snaps, late, underruns, state }, { snaps: 0, late: 0, underruns: 0, state: 'playing' });
    t.ok(Math.abs(ppm - init.ppm) < 10, `the status shows the crystal: ${ppm} ppm`);
    rig.stop();
    t.end();
  });
}

t.test('a card that keeps time is never corrected, whatever the rounding of its delay', (t) => {
  const rig = new Rig({ rate: 44_100 });
  const song = rig.track({ rate: 44_100, seconds: 20 });
  rig.set([segmentOf(song, { item: 'a', start: 203 })]);
  for (let ms = 300; ms < 20_000; ms += 50) {
    rig.until(ms);
    const { correctionPpm } = rig.status().card!;
    if (correctionPpm !== 0) t.fail(`corrected by ${correctionPpm} ppm at ${ms} ms`);
  }
  t.equal(rig.status().snaps, 0);
  rig.stop();
  t.end();
});

t.test('a song follows where the one before ended, though the servo has it a little off the timeline', (t) => {
  for (const ppm of [300, -300]) {
    const rig = new Rig({ ppm });
    const [first, second] = [
      rig.track({ rate: 44_100, seconds: 4, wave: () => 0.25 }),
      rig.track({ seconds: 1, wave: () => 0.25 }),
    ];
    const a = segmentOf(first, { item: 'a', start: 200 });
    rig.set([a, segmentOf(second, { item: 'b', start: a })]);
    rig.until(4_800);
    const { samples } = rig.played();
    const [from, to] = [rig.frameAt(1_000), rig.frameAt(4_700)];
    // Half a frame of place is the grid's; a frame of silence would be 0.25.
    t.ok(
      samples.slice(2 * from, 2 * to).every((sample) => Math.abs(sample - 0.25) < 0.1),
      `${ppm} ppm: no gap, no fade, no overlap`,
    );
    t.same([rig.status().late, rig.status().snaps], [0, 0]);
    rig.stop();
  }
  t.end();
});
