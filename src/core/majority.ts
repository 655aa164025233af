/** Majorities: any two of the same whole have a member in common, which is what agreement and the safety of files rest on. */

/** The fewest of `count` that are more than half of them; 1 of none. */
export const majorityOf = (count: number): number => Math.floor(count / 2) + 1;
