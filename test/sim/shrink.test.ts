/** A failing simulation is made as small as it goes. */
import t from 'tap';
import type { FaultKind } from './knobs.js';
import { nameOf, replayCommand, type SeedName } from './run-seed.js';
import { shrink } from './shrink.js';

const KINDS: readonly FaultKind[] = ['loss', 'pause', 'kill', 'power'];

t.test('only the kinds of fault that it takes are left, for as long as it takes', async (t) => {
  const tried: SeedName[] = [];
  const small = await shrink(nameOf(7, 'mixed'), {
    kinds: KINDS,
    faultsMs: 160_000,
    failedAtMs: 100_000,
    fails: async (name) => {
      tried.push(name);
      return !name.without.includes('kill') && !name.without.includes('power') && (name.faultsMs ?? 160_000) >= 30_000;
    },
  });
  t.same(small, { seed: 7, profile: 'mixed', without: ['loss', 'pause'], faultsMs: 50_000 });
  t.ok(tried.length < 12, 'in a few runs');
  t.equal(
    replayCommand(small),
    'npm run sim -- --seed 7 --profile mixed --without loss,pause --faults-ms 50000',
    'with the command that runs it again',
  );
});

t.test('what fails only as it is stays as it is', async (t) => {
  const name = nameOf(7, 'mixed');
  const small = await shrink(name, { kinds: KINDS, faultsMs: 160_000, failedAtMs: 100_000, fails: async () => false });
  t.same(small, name);
  t.equal(replayCommand(small), 'npm run sim -- --seed 7 --profile mixed');
});
