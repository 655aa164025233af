/** Byte ranges of a file (RFC 9110, section 14). */

/** A part of a file that is really there. */
export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Bytes from there on; at least 1. */
  readonly length: number;
}

/**
 * What the header `Range` asks of a file of `size` bytes: the whole file (null) where there is no such header, or one that a server may
 * pass over (another unit, several ranges, not well formed); 'unsatisfiable' where there are no such bytes.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null | 'unsatisfiable' {
  const match = /^bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))$/.exec(header ?? '');
  if (match === null) return null;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, length };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return null;
  return start >= size ? 'unsatisfiable' : { start, length: end - start + 1 };
}
