/** The kernel's randomness keeps the contract of Random. */
import t from 'tap';
import { SystemRandom } from '../../../src/io/random/system-random.js';
import { runRandomContract } from '../../contract/random.js';

await runRandomContract(t, 'SystemRandom', () => new SystemRandom());
