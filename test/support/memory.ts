/** How much memory is held, as opposed to not yet collected: tests of bounds need the one without the other. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of objects and buffers that are still reachable. */
export function heldBytes(): number {
  // Buffers that the first collection found dead are given back, at the latest, by the second.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
