/** What tutti doctor says of one thing. */

/** ok: as it should be. note: nothing is wrong, and somebody may want to know. warn: it works worse than it could. fail: it does not work. */
export type Verdict = 'ok' | 'note' | 'warn' | 'fail';

/** One line of the doctor's report. */
export interface Check {
  /** What was looked at, in a word or two. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found. */
  readonly found: string;
  /** What to do; null where nothing has to be done. */
  readonly advice: string | null;
}

/** As it should be. */
export const ok = (name: string, found: string): Check => ({ name, verdict: 'ok', found, advice: null });

/** Anything else, with what to do about it. */
export const not = (verdict: Exclude<Verdict, 'ok'>, name: string, found: string, advice: string): Check => ({
  name,
  verdict,
  found,
  advice,
});
