/** Files on their way in: those of this page, and what the node says of all of them. */
import type { Upload } from '../../http/schema.js';

/**
 * waiting: two others are under way. sending: bytes move. checking: all are sent, and the node has not answered. gone: cancelled, or taken off
 * the list; the node tells of it for a while yet, and it must not be taken for somebody else's.
 */
export type UploadStage = 'waiting' | 'sending' | 'checking' | 'done' | 'exists' | 'failed' | 'gone';

/** A file that this page sends. */
export interface OwnUpload {
  /** The name under which the node tells of its progress. */
  readonly id: string;
  readonly title: string;
  readonly stage: UploadStage;
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** Why it failed: a code of the catalogue. */
  readonly code: string | null;
  /** The track that came of it, or that was there already. */
  readonly trackId: string | null;
}

/** A row of the list. */
export interface UploadRow extends OwnUpload {
  /** Whose it is: `here` is this page. */
  readonly from: 'here' | 'http' | 'inbox';
  /** On how many cards it is whole, and on how many it has to be; 0 of 0 before that is known. */
  readonly held: number;
  readonly needed: number;
}

/** This page's uploads in their order, then those of others. What the node knows of ours is added. */
export function uploadRows(own: readonly OwnUpload[], told: readonly Upload[]): readonly UploadRow[] {
  const byId = new Map(told.map((upload) => [upload.id, upload]));
  const ours = own.map((upload): UploadRow => ({ ...upload, from: 'here', ...cardsOf(byId.get(upload.id)) }));
  const mine = new Set(own.map(({ id }) => id));
  const others = told.filter(({ id }) => !mine.has(id)).map(rowOf);
  return [...ours, ...others];
}

const STAGES = { receiving: 'sending', replicating: 'checking', done: 'done', failed: 'failed' } as const;

function rowOf(upload: Upload): UploadRow {
  const { id, title, via, stage, receivedBytes, totalBytes, code, trackId } = upload;
  const row = { id, title, from: via, code, trackId, sentBytes: receivedBytes, totalBytes: totalBytes ?? 0 };
  return { ...row, stage: code === 'TRACK_EXISTS' ? 'exists' : STAGES[stage], ...cardsOf(upload) };
}

/** Whole on so many cards: a card that has all bytes is counted. */
function cardsOf(upload: Upload | undefined): Pick<UploadRow, 'held' | 'needed'> {
  if (upload === undefined || upload.needed === 0) return { held: 0, needed: 0 };
  const { progress, totalBytes, receivedBytes, needed } = upload;
  const whole = totalBytes ?? receivedBytes;
  return { held: Object.values(progress).filter((bytes) => bytes >= whole && whole > 0).length, needed };
}

/** It has come to its end, one way or the other. */
export const isOver = ({ stage }: Pick<OwnUpload, 'stage'>): boolean =>
  ['done', 'exists', 'failed', 'gone'].includes(stage);

/** Of these the file itself is the cause: sent again it would fail again. */
const OF_THE_FILE: readonly string[] = ['UNSUPPORTED_AUDIO', 'INCOMPLETE_AUDIO', 'BAD_NAME'];

/** It was not taken, and may be another time. */
export const canBeRetried = ({ stage, code }: Pick<OwnUpload, 'stage' | 'code'>): boolean =>
  stage === 'failed' && !OF_THE_FILE.includes(code ?? '');

/** What came of all that were sent together. */
export function summaryOf(own: readonly OwnUpload[]) {
  const wanted = own.filter(({ stage }) => stage !== 'gone');
  const sum = (of: (upload: OwnUpload) => number) => wanted.reduce((total, upload) => total + of(upload), 0);
  return {
    count: wanted.length,
    ready: wanted.filter(({ stage }) => stage === 'done' || stage === 'exists').length,
    isOver: wanted.every(isOver),
    sentBytes: sum(({ sentBytes }) => sentBytes),
    totalBytes: sum(({ totalBytes }) => totalBytes),
  };
}
