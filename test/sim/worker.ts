/** Worker: runs simulations that its parent names, one after another, and says what came of each. */
import type { SeedName } from './run-seed.js';
import { runSeed } from './run-seed.js';

// Refusals are part of everyday life there: working out where each came from costs more than the rest of it. A replay shows the stacks.
Error.stackTraceLimit = 0;

process.on('message', (name: SeedName) => {
  void runSeed(name).then(
    (result) => {
      // The parent may have heard enough.
      if (process.connected) process.send!(result);
    },
    (error: unknown) => {
      // The simulator itself is at fault.
      console.error(`seed ${name.seed} of ${name.profile}:`, error);
      process.exit(1);
    },
  );
});
