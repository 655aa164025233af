/** A seed is a history: every run of it is the same, to the byte. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { drawKnobs, type ProfileName } from './knobs.js';
import { nameOf, runSeed } from './run-seed.js';

/** Faults that last this long make some thousands of lines. Milliseconds. */
const FAULTS_MS = 12_000;

async function traceOf(seed: number, profile: ProfileName): Promise<{ readonly lines: number; readonly hash: string }> {
  const hash = createHash('sha256');
  let lines = 0;
  await runSeed({ ...nameOf(seed, profile), faultsMs: FAULTS_MS }, (line) => {
    lines++;
    hash.update(`${line}\n`);
  });
  return { lines, hash: hash.digest('hex') };
}

for (const profile of ['elections', 'disk', 'cards', 'membership'] as const) {
  t.test(`a seed of ${profile} has the same trace twice, and another seed another`, async (t) => {
    const first = await traceOf(3, profile);
    t.ok(first.lines > 1_000, `${first.lines} lines`);
    t.same(await traceOf(3, profile), first);
    t.not((await traceOf(5, profile)).hash, first.hash);
  });
}

t.test('leaving a kind of fault out changes nothing else that is drawn', (t) => {
  const whole = drawKnobs(11, 'elections');
  const less = drawKnobs(11, 'elections', new Set(['pause'] as const));
  t.ok(whole.faults.has('pause'));
  t.same(less, { ...whole, faults: new Map([...whole.faults].filter(([kind]) => kind !== 'pause')) });
  t.end();
});
