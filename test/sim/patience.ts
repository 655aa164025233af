/** Patience: nobody waits for ever. A node that died answers nothing, and its promises never settle. */
import { TuttiError } from '../../src/core/errors.js';
import type { Time } from '../../src/ports/time.js';

/** What was asked for, why it was refused, or null where no answer came within `ms`. */
export async function patiently<T>(time: Time, ms: number, answer: Promise<T>): Promise<T | TuttiError | null> {
  let giveUp = () => {};
  const patience = new Promise<null>((resolve) => {
    giveUp = () => resolve(null);
  });
  const timer = time.after('patience', ms, giveUp);
  try {
    return await Promise.race([answer, patience]);
  } catch (error) {
    if (error instanceof TuttiError) return error;
    throw error;
  } finally {
    timer.cancel();
  }
}
