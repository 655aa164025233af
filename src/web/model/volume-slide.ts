/** Moving a volume: nobody's ears are to be hurt by a slip. */

/** A single move goes up by no more than this; whoever wants more lets go and moves on. Per cent. */
export const RISE_MAX = 20;

/** Where the thumb comes to that was taken at `from` and pulled to `to`. Per cent. */
export const slid = (from: number, to: number): number => Math.max(0, Math.min(100, to, from + RISE_MAX));
