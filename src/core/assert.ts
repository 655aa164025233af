/**
 * Assertions are for mistakes of our own making. They end the process loudly: systemd starts it again, and recovery is tested, while
 * going on with a broken invariant is not. What the world does wrong is a {@link TuttiError} instead.
 */

/** A broken invariant: a bug in Tutti, never the fault of a caller, a disk or a network. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Ends the calculation unless `condition` holds. @throws InvariantError */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${invariant}`);
}

/** Marks a place that no value of a tagged union can reach; the compiler proves it. @throws InvariantError */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value: ${JSON.stringify(value)}`);
}
