/**
 * A reading that is off its course slews: it runs faster or slower until it is back (cluster-clock.ts). Each look at it draws the line anew, and
 * the rate with it; a line by itself knows no end, and leads past the course when the next look is late, because the main thread is.
 * So whoever is told a line is told its end too.
 */
import type { ClockLine } from '../core/clock-line.js';
import { addTime } from '../core/units.js';
import { SLEW_OVER_NS, SLEW_PPM_MAX } from './cluster-limits.js';

/** What is slower than this is no slew, but what whole nanoseconds leave. Parts per million. */
const SLEW_PPM_MIN = 0.01;

/**
 * The line with the end of its slew: as long after it was drawn as it takes to make up for what it was off then, and no later.
 * @param offsetNs the reading less its course when the line was drawn; null where the course is known coarsely only, and runs as the local clock does
 */
export function withEndOfSlew(line: ClockLine, offsetNs: number | null): ClockLine {
  const slewPpm = offsetNs === null ? line.driftPpm : (-offsetNs * 1e6) / SLEW_OVER_NS;
  if (Math.abs(slewPpm) < SLEW_PPM_MIN) return line;
  // One that is further off than can be made up for in that time is not back yet then: it goes on beside its course.
  const thenPpm = line.driftPpm - Math.max(-SLEW_PPM_MAX, Math.min(SLEW_PPM_MAX, slewPpm));
  return { ...line, slew: { endsAt: addTime(line.localAt, BigInt(SLEW_OVER_NS)), thenPpm } };
}
