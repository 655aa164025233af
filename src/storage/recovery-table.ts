/**
 * Recovery table: what becomes of a batch after what was found of it, as data.
 *
 * A commit writes the batch, syncs, writes its identifier, syncs, and only then is acknowledged; the next batch begins after that. So of
 * all batches only the last can lack its identifier without any fault of the medium, and whatever has an identifier was whole once.
 * Every rule follows from these two sentences and one more: a damaged slot is *unknown*, never empty.
 */

/** What was found where the batch should be. */
export type BodyFound =
  /** Whole, and in the chain of batches. */
  | 'good'
  /** Whole, but not the one that its identifier, or a neighbour's hash, names: a write that never reached its place. */
  | 'foreign'
  /** Damaged, or not to be found. */
  | 'bad';

/** What was found where its identifier should be. */
export type IdentifierSeen =
  /** It names the batch. */
  | 'valid'
  /** Something was there, and cannot be read. */
  | 'damaged'
  /** The page was never written for this batch. */
  | 'absent';

/** What becomes of it. */
export type Verdict =
  /** Its records count. */
  | 'keep'
  /** Likewise, once its identifier was written anew: until then it may not be said to anybody that it is here. */
  | 'keep and identify'
  /** The slots and ballots that its identifier names are unknown, save those records of it that are whole. */
  | 'unknown'
  /** It held nobody knows what: every slot that no later batch covers, and that was not known to be chosen before, is unknown. */
  | 'gap'
  /** It was never acknowledged: it was not there. */
  | 'drop';

/** A row; null fits anything. */
export interface RecoveryRow {
  readonly body: readonly BodyFound[] | null;
  readonly identifier: readonly IdentifierSeen[] | null;
  /** True where a later batch, or the superblock, shows that this one was finished. */
  readonly finished: boolean | null;
  readonly verdict: Verdict;
  readonly why: string;
}

/** Exactly one row fits each combination. */
export const RECOVERY_TABLE: readonly RecoveryRow[] = [
  {
    body: ['good'],
    identifier: ['valid'],
    finished: null,
    verdict: 'keep',
    why: 'Nothing is wrong.',
  },
  {
    body: ['good'],
    identifier: ['damaged', 'absent'],
    finished: null,
    verdict: 'keep and identify',
    why: 'The power went before or in the second write, or the page was damaged since. Either way the records are what they were.',
  },
  {
    body: ['foreign', 'bad'],
    identifier: ['valid'],
    finished: null,
    verdict: 'unknown',
    why: 'It was whole before its identifier was written, so it may have been acknowledged.',
  },
  {
    body: ['foreign', 'bad'],
    identifier: ['damaged'],
    finished: null,
    verdict: 'gap',
    why: 'Its identifier was begun, so it was whole: no power cut alone tears both.',
  },
  {
    body: ['foreign', 'bad'],
    identifier: ['absent'],
    finished: true,
    verdict: 'gap',
    why: 'It was finished, so both were there, and both are lost.',
  },
  {
    body: ['foreign'],
    identifier: ['absent'],
    finished: false,
    verdict: 'gap',
    why: 'Only a neighbour can show a batch to be foreign, and nothing explains a last one that is.',
  },
  {
    body: ['bad'],
    identifier: ['absent'],
    finished: false,
    verdict: 'drop',
    why: 'Its first sync never returned: the ordinary power cut.',
  },
];

/** The one row that fits. */
export function judgeBatch(body: BodyFound, identifier: IdentifierSeen, finished: boolean): RecoveryRow {
  return RECOVERY_TABLE.find(
    (row) =>
      (row.body === null || row.body.includes(body)) &&
      (row.identifier === null || row.identifier.includes(identifier)) &&
      (row.finished === null || row.finished === finished),
  )!;
}
