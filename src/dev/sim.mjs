/** `npm run sim`: the seeded simulator of the cluster. It comes with consensus. */
import { say } from './lib.mjs';

say('tutti: the simulator is not built yet: it comes with the consensus that it tests. Nothing was run.');
process.exitCode = 1;
