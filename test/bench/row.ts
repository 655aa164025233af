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
  /** Why nothing was measured; the figure means nothing then. */
  readonly skipped?: string;
}

/** What the command line may say to the suites. */
export interface Options {
  /** How long an idle cluster is watched, minutes. */
  readonly idleMinutes: number;
  /** How long rooms that play are listened to, minutes. */
  readonly syncMinutes: number;
}

/** A group of benchmarks: the default export of a `NAME.bench.ts`. */
export interface Suite {
  /** Suites that belong together share what is before the first `-`. */
  readonly name: string;
  run(options: Options): Promise<Row[]>;
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

/** What a row beside a peer is made of. */
type Compared = Pick<Row, 'what' | 'figure' | 'unit'> & { readonly peer: NonNullable<Row['peer']> };

/** A row that is judged by its ratio to a peer, which must be at least `least`. */
export function timesPeer(least: number, row: Compared): Row {
  const ratio = row.figure / row.peer.figure;
  return { ...row, ratio, toReach: `>= ${least} x peer`, met: ratio >= least };
}

/** A row that is judged by its ratio to a peer, which may be at most `most`. */
export function atMostTimesPeer(most: number, row: Compared): Row {
  const ratio = row.figure / row.peer.figure;
  return { ...row, ratio, toReach: `<= ${most} x peer`, met: ratio <= most };
}

/** A row that is not judged. */
export const forInformation = (row: Pick<Row, 'what' | 'figure' | 'unit'>): Row => ({ ...row, met: true });

/** A row of what could not be measured here, and why. */
export const skipped = (what: string, why: string): Row => ({ what, figure: 0, unit: '', met: true, skipped: why });
