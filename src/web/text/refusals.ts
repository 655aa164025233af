/** What is said of a code of the error catalogue, and what the reader can do about it. Each language has all of them. */
import type { ErrorCode } from '../../core/errors.js';

/** A code of the nodes, or that no answer came at all. */
export type RefusalCode = ErrorCode | 'NO_ANSWER';

/** What is wrong, in one sentence, and what to do, in another; the second may be empty. */
export type Refusals = Readonly<Record<RefusalCode, readonly [what: string, todo: string]>>;

/** A code in words. */
export interface Refused {
  readonly what: string;
  readonly todo: string;
  /** Nothing is wrong: somebody was quicker, or it was so already. */
  readonly isNews: boolean;
}

const NEWS: readonly string[] = ['ITEM_CHANGED', 'ITEM_NOT_FOUND', 'TRACK_EXISTS', 'NOTHING_PLAYING'];

/** Looks codes up in a table. A code that is not there is from a newer node: `unknown` says so. */
export function refusalsOf(table: Refusals, unknown: (code: string) => string): (code: string) => Refused {
  return (code) => {
    const row = Object.hasOwn(table, code) ? table[code as RefusalCode] : undefined;
    const [what, todo] = row ?? [unknown(code), ''];
    return { what, todo, isNews: NEWS.includes(code) };
  };
}

/** Before the words are here: the code, which the catalogue's page explains. */
export const notYetKnown = (code: string): Refused => ({ what: code, todo: '', isNews: NEWS.includes(code) });
