/**
 * Which interval most clocks agree on, and who is outside of it.
 *
 * Each clock says "the truth is between low and high". Clocks that are right have the truth in common, so their intervals overlap; one that
 * lies, by mistake or not, has none of them with it. K. Marzullo and S. Owicki, "Maintaining the Time in a Distributed System" (PODC
 * 1983), sweep over the sorted ends; NTP selects by the same idea (RFC 5905, section 11.2.1).
 */
import { assert } from '../core/assert.js';

/** What one clock says. */
export interface Interval<T> {
  readonly of: T;
  readonly low: number;
  /** At least `low`. */
  readonly high: number;
}

/** What most agree on. */
export interface Majority<T> {
  /** The part that the most intervals have in common. */
  readonly low: number;
  readonly high: number;
  /** Whose intervals hold it. */
  readonly inside: readonly T[];
  /** Whose interval holds no point of it. Whoever is in neither touches it in part only. */
  readonly outside: readonly T[];
}

/**
 * The interval that lies in more of `intervals` than any other (the first of several such), with who is outside. Null where that is not
 * more than half of them: then nobody can say who is wrong.
 */
export function majorityOf<T>(intervals: readonly Interval<T>[]): Majority<T> | null {
  const ends: { readonly at: number; readonly opens: boolean }[] = [];
  for (const { low, high } of intervals) {
    assert(low <= high, `an interval runs upwards, not from ${low} to ${high}`);
    ends.push({ at: low, opens: true }, { at: high, opens: false });
  }
  // At one point, those that begin come before those that end: intervals that touch have that point in common.
  ends.sort((a, b) => a.at - b.at || Number(b.opens) - Number(a.opens));
  let open = 0;
  let most = 0;
  let low = 0;
  let high = 0;
  ends.forEach(({ at, opens }, index) => {
    open += opens ? 1 : -1;
    if (open <= most) return;
    most = open;
    low = at;
    // The next end closes this part: were it to open one, that part would hold more.
    high = ends[index + 1]!.at;
  });
  if (2 * most <= intervals.length) return null;
  return {
    low,
    high,
    inside: intervals.filter((one) => one.low <= low && one.high >= high).map((one) => one.of),
    outside: intervals.filter((one) => one.high < low || one.low > high).map((one) => one.of),
  };
}
