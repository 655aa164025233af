/** Two minutes of seeds: houses in which everything goes wrong that may, and nothing wrong is said or done. */
import { availableParallelism } from 'node:os';
import t from 'tap';
import { runAll } from './pool.js';
import { nameOf, replayCommand } from './run-seed.js';
import { Totals } from './totals.js';

/** How long seeds are begun, milliseconds. */
const RUN_MS = 110_000;
/** Seeds that are not solved: left out above, and each in sight as a test of its own. */
const OPEN: ReadonlyMap<number, string> = new Map([
  [
    132,
    'an identifier that was damaged a lap of the ring ago makes a card take for lost the batch that it was about to write; with another card that has truly lost one, nothing can be agreed',
  ],
]);

t.test('no seed shows a violation', async (t) => {
  const totals = new Totals();
  const endsAt = performance.now() + RUN_MS;
  let seed = 0;
  const nextSeed = () => {
    do seed++;
    while (OPEN.has(seed));
    return seed;
  };
  await runAll({
    jobs: Math.min(2, availableParallelism()),
    next: () => (performance.now() < endsAt ? nameOf(nextSeed()) : null),
    ended: (result) => {
      totals.add(result);
      return totals.failures.length === 0;
    },
  });
  for (const { name, violation } of totals.failures) {
    t.fail(`${violation!.checker}: ${violation!.text.slice(0, 500)}; again: ${replayCommand(name)}`);
  }
  for (const line of totals.text().split('\n')) t.comment(line);
  t.ok(totals.seeds > 30, `${totals.seeds} seeds`);
});

for (const [seed, why] of OPEN) {
  t.test(`seed ${seed}`, { skip: `open: ${why}` }, async (t) => {
    const totals = new Totals();
    const names = [nameOf(seed)];
    await runAll({
      jobs: 1,
      next: () => names.pop() ?? null,
      ended: (result) => {
        totals.add(result);
        return true;
      },
    });
    t.same(totals.failures, []);
  });
}
