/** Instants of the contract: nanoseconds of cluster time in decimal digits, more than a number holds. Differences are small enough for one. */

/** `later` less `earlier`, milliseconds. Both are decimal nanoseconds. */
export const msBetween = (earlier: string | bigint, later: string | bigint): number =>
  Number(BigInt(later) - BigInt(earlier)) / 1e6;
