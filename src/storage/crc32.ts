/**
 * CRC-32 of ISO 3309 (zlib's, PNG's), four bytes a step: a commit is checked in microseconds.
 *
 * It finds what disks do by mistake: every burst of up to 32 bits, others with a chance of 1 in 4 billion. It is no proof against anybody
 * who writes to the card on purpose.
 *
 * Further reading: R. N. Williams, "A Painless Guide to CRC Error Detection Algorithms", 1993; M. Kounavis, F. Berry, "Novel
 * Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008 (slicing).
 */

/** The polynomial, its bits reversed. */
const POLYNOMIAL = 0xedb88320;

/** `TABLE[256 * k + b]`: what byte `b` does to the remainder when `k` zero bytes follow. */
const TABLE = new Uint32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  TABLE[byte] = remainder;
}
for (let at = 256; at < TABLE.length; at++) {
  const before = TABLE[at - 256]!;
  TABLE[at] = (before >>> 8) ^ TABLE[before & 0xff]!;
}

/** The CRC-32 of `bytes`, 0 to 2^32 - 1; going on from `before`, that of what was before them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let remainder = ~before;
  let at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    remainder ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    remainder =
      TABLE[768 + (remainder & 0xff)]! ^
      TABLE[512 + ((remainder >>> 8) & 0xff)]! ^
      TABLE[256 + ((remainder >>> 16) & 0xff)]! ^
      TABLE[remainder >>> 24]!;
  }
  for (; at < bytes.length; at++) remainder = (remainder >>> 8) ^ TABLE[(remainder ^ bytes[at]!) & 0xff]!;
  return ~remainder >>> 0;
}
