/**
 * Do three clocks close the round?
 *
 * Each pair of nodes measures the other on its own. From a to b, on to c, and back to a one must come to the instant where one began. How
 * far one does not is error that no single line can see: an unequal pair of ways, a stamp that is always late. It shows some of it, never
 * more than there is: errors that cancel around the triangle stay hidden.
 */
import type { LocalTime } from '../core/units.js';
import { type PeerLine, peerBoundAt, peerTimeAt } from './peer-line.js';

/** The lines around a triangle: of b's clock as a reads it, of c's as b does, of a's as c does. */
export interface Triangle {
  readonly ab: PeerLine;
  readonly bc: PeerLine;
  readonly ca: PeerLine;
}

/** How far the round does not close. */
export interface Closure {
  /** Nanoseconds by a's clock; may be negative. */
  readonly errorNs: number;
  /** What the three bounds allow, nanoseconds: an error above it means that one of them is wrong. */
  readonly boundNs: number;
}

/** Goes around from the instant `at` of a's clock. */
export function closureOf({ ab, bc, ca }: Triangle, at: LocalTime): Closure {
  const atB = peerTimeAt(ab, at);
  const atC = peerTimeAt(bc, atB);
  const back = peerTimeAt(ca, atC);
  return {
    errorNs: Number(back - at),
    boundNs: peerBoundAt(ab, at) + peerBoundAt(bc, atB) + peerBoundAt(ca, atC),
  };
}
