/** What a benchmark measured, and against what: one row of the table that `npm run bench` prints. */
export interface Row {
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  /** The same quantity of somebody else's program, or of a plain twin of ours, measured in the same run on the same machine. */
  readonly peer?: { readonly name: string; readonly figure: number };
  /** Figure / peer's figure: it means the same on every machine. */
  readonly ratio?: number;
  /** The target in words, such as `>= 100`; a row without one is for information. */
  readonly toReach?: string;
  /** False where the target was missed: the run fails. */
  readonly met: boolean;
}

/** A group of benchmarks: the default export of a `NAME.bench.ts`. */
export interface Suite {
  readonly name: string;
  run(): Promise<Row[]>;
}

/** A row whose figure must be at least `least`. */
export const atLeast = (least: number, row: Omit<Row, 'toReach' | 'met'>): Row => ({
  ...row,
  toReach: `>= ${least}`,
  met: row.figure >= least,
});

/** A row whose figure may be at most `most`. */
export const atMost = (most: number, row: Omit<Row, 'toReach' | 'met'>): Row => ({
  ...row,
  toReach: `<= ${most}`,
  met: row.figure <= most,
});

/** A row that is judged by its ratio to a peer, which must be at least `least`. */
export function timesPeer(
  least: number,
  row: Pick<Row, 'what' | 'figure' | 'unit'> & { readonly peer: NonNullable<Row['peer']> },
): Row {
  const ratio = row.figure / row.peer.figure;
  return { ...row, ratio, toReach: `>= ${least} x peer`, met: ratio >= least };
}
