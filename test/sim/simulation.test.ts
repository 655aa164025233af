/** A minute and a half of seeds: houses in which everything goes wrong that may, and nothing wrong is said or done. */
import { availableParallelism } from 'node:os';
import t from 'tap';
import { runAll } from './pool.js';
import { nameOf, replayCommand } from './run-seed.js';
import { Totals } from './totals.js';

/** How long seeds are begun, milliseconds. */
const RUN_MS = 90_000;

t.test('no seed shows a violation', async (t) => {
  const totals = new Totals();
  const endsAt = performance.now() + RUN_MS;
  let seed = 0;
  await runAll({
    jobs: Math.min(2, availableParallelism()),
    next: () => (performance.now() < endsAt ? nameOf(++seed) : null),
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
