/** What amplifier and way to the ear may add to a node, microseconds: it plays earlier by as much, or later by a negative one. */
export const LATENCY_US = { least: -1_000_000, most: 5_000_000 } as const;
