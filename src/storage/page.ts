/** Pages: the unit in which a store writes, reads back and loses. */
import { TuttiError } from '../core/errors.js';
import type { DiskFile } from '../ports/disk.js';
import { CHUNK_BYTES, PAGE_BYTES } from './limits.js';

/** What stands for a page that cannot be read. Nothing that a store writes looks so, and it is not the zeros of a page never written. */
const UNREADABLE = 0xff;

/** Pages that `bytes` bytes take. */
export const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES);

/** Bytes that the pages of `bytes` bytes take. */
export const paddedBytes = (bytes: number): number => pagesOf(bytes) * PAGE_BYTES;

/** A view for the numbers of fixed width in `bytes`. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Puts a whole number from 0 to 2^53 - 1 in eight bytes, the lowest first. */
export function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** What {@link setU64} put there; above 2^53 - 1 where something else did. */
export const getU64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);

/** True where every byte is zero: what no store ever wrote to. */
export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** True where both hold the same. */
export const isSameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/**
 * Fills `into` from the medium, past the cache. What cannot be read, or lies behind the file's end, is filled with a pattern that is
 * neither valid nor zero: a page that is lost must not stop the reading of the others. `offset` is a page's start.
 */
export function readPages(file: DiskFile, into: Uint8Array, offset: number): void {
  try {
    const count = file.readUncached(into, offset);
    into.fill(UNREADABLE, count);
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error;
    if (into.length <= PAGE_BYTES) {
      into.fill(UNREADABLE);
      return;
    }
    for (let at = 0; at < into.length; at += PAGE_BYTES) {
      readPages(file, into.subarray(at, Math.min(at + PAGE_BYTES, into.length)), offset + at);
    }
  }
}

/** Writes `bytes` bytes of one value from `from` on: real writes, so that later ones only overwrite, and change nothing but contents. */
export function fillFile(
  file: DiskFile,
  init: { readonly from: number; readonly bytes: number; readonly value: number },
) {
  const { from, bytes, value } = init;
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, bytes)).fill(value);
  for (let at = from; at < bytes; at += chunk.length) file.write(chunk.subarray(0, bytes - at), at);
}

/** {@link fillFile}'s value for what was lost and had to be made anew: it must not be taken for never written. */
export const LOST_VALUE = UNREADABLE;
