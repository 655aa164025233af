/**
 * The plug is pulled in the middle of commands and uploads, again and again, on disks that outlive the machine: it comes back by itself each time, and
 * nothing that was acknowledged is gone.
 */
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import { plainWav } from '../support/wav-files.js';
import { bringPrograms, noMachines } from './image.js';
import { kitchen, leads, type State } from './kitchen.js';
import type { Machine } from './machine.js';

const CUTS = Number(process.env.TUTTI_VM_POWER_CUTS ?? 10);
/** The plug is pulled this long after the first command. Milliseconds. */
const CUT_MS = { min: 1_000, max: 8_000 } as const;
const SEED = 1;

/** A song that no other is like, of half a second. */
const songOf = (prng: Prng): Uint8Array =>
  plainWav(
    {},
    Uint8Array.from({ length: 4 * 22_050 }, () => prng.below(256)),
  );

/** What the node has acknowledged. */
interface Acknowledged {
  volume: number;
  /** Asked for and not answered: may be so or not. */
  asked: number;
  readonly tracks: string[];
}

/** Changes the volume and sends songs, one after the other, until the machine is gone. @returns how many answers came */
async function keepBusy(machine: Machine, cut: number, prng: Prng, known: Acknowledged): Promise<number> {
  let answers = 0;
  try {
    for (let at = 0; machine.isOn; at++) {
      if (at % 3 === 2) {
        const title = `song ${cut} ${at}`;
        const { status } = await machine.call('PUT', `/tracks/${encodeURIComponent(`${title}.wav`)}`, songOf(prng));
        if (status === 201) known.tracks.push(title);
      } else {
        known.asked = (known.volume + 1 + prng.below(90)) % 101;
        const { status } = await machine.call('PUT', '/volume', { volume: known.asked });
        if (status === 200) known.volume = known.asked;
      }
      answers += 1;
    }
  } catch (error) {
    // What was under way when the plug was pulled has no answer.
    if (machine.isOn) throw error;
  }
  return answers;
}

bringPrograms();
await t.test(`of ${CUTS} power cuts all are survived`, { skip: noMachines() }, async (t) => {
  const machine = await kitchen(t);
  const prng = new Prng(SEED);
  const known: Acknowledged = { volume: 100, asked: 100, tracks: ['tone'] };
  for (let cut = 1; cut <= CUTS; cut++) {
    await leads(machine);
    const busy = keepBusy(machine, cut, prng, known);
    await wait(CUT_MS.min + prng.below(CUT_MS.max - CUT_MS.min));
    await machine.pullThePlug();
    const answers = await busy;
    t.ok(answers > 0, `cut ${cut}: it was at work`);
    const startedAt = performance.now();
    await machine.start();
    await leads(machine);
    const backS = (performance.now() - startedAt) / 1_000;
    const state: State = (await machine.call('GET', '/state')).json;
    const titles = state.tracks.map(({ title }) => title);
    const lost = known.tracks.filter((title) => !titles.includes(title));
    t.same(lost, [], `cut ${cut}: every song of ${known.tracks.length} that was acknowledged is there`);
    t.ok([known.volume, known.asked].includes(state.volume), `cut ${cut}: the volume is what was asked for last`);
    t.same(state.alerts, [], `cut ${cut}: nothing needs attention`);
    // What was under way may have been agreed on all the same.
    [known.volume, known.asked] = [state.volume, state.volume];
    t.comment(
      `cut ${cut}: after ${answers} answers; ${titles.length} songs; leads ${backS.toFixed(0)} s after power-on`,
    );
  }
  t.ok(known.tracks.length > CUTS, 'songs had come in');
});
