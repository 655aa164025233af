/** What the inbox does with single files and folders of a directory that belongs to others as well. Names are bytes, as the folder lists them. */
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { TuttiError } from '../../core/errors.js';

/** The folder is for its user and group, and what is made in it belongs to the same group (setgid): see inode(7). */
const FOLDER_MODE = 0o2770;
/** A reason is for everybody who may read the folder. */
const REASON_MODE = 0o664;
/** Names that a file gets beside one that is there. */
const NAMES_TRIED_MAX = 10_000;
/** NAME_MAX of Linux. */
const NAME_BYTES_MAX = 255;
/** What is longer behind the last dot is no ending. */
const ENDING_BYTES_MAX = 16;
/** Of the text beside a refused file. */
const TEXT_ENDING = '.txt';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOATIME } = constants;

/** What tells one state of a file from another. */
export interface Stamp {
  readonly inode: bigint;
  readonly bytes: number;
  /** When its bytes were written last. Whoever writes may set it as they like. */
  readonly writtenNs: bigint;
  /** When anything about it was changed last, its name too. Nobody can set it. */
  readonly changedNs: bigint;
}

const stampFrom = (stat: BigIntStats): Stamp => ({
  inode: stat.ino,
  bytes: Number(stat.size),
  writtenNs: stat.mtimeNs,
  changedNs: stat.ctimeNs,
});

/** Of a regular file; other: a link, a device, a directory; null where there is nothing any more. */
export function stampOf(path: Buffer): Stamp | 'other' | null {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return null;
  return stat.isFile() ? stampFrom(stat) : 'other';
}

/** The same file with the same bytes, under whatever name. */
export const hasSameBytes = (a: Stamp, b: Stamp): boolean =>
  a.inode === b.inode && a.bytes === b.bytes && a.writtenNs === b.writtenNs;

/** Nothing at all about it has changed. */
export const isSame = (a: Stamp, b: Stamp): boolean => hasSameBytes(a, b) && a.changedNs === b.changedNs;

/** What a listing and a map go by: each name's bytes once. */
export const keyOf = (name: Buffer): string => name.toString('latin1');

/** The path of `name` in `folder`. */
export const joined = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, Buffer.from('/'), name]);

/** True for what a call of the system says: the world's trouble, and not a mistake of ours. */
export const isSystemError = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && 'syscall' in error;

/** Calls `work` with a descriptor of a file, opened for reading and without following links, and with how the file is now. */
export function withFile<T>(path: Buffer, work: (descriptor: number, stamp: Stamp) => T): T {
  const descriptor = openToRead(path);
  try {
    return work(descriptor, stampFrom(fstatSync(descriptor, { bigint: true })));
  } finally {
    closeSync(descriptor);
  }
}

/** O_NOATIME, where the file is ours to open so (open(2)): reading must not write. O_NONBLOCK: a FIFO would wait for its other end. */
function openToRead(path: Buffer): number {
  const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  try {
    return openSync(path, flags | O_NOATIME);
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EPERM') throw error;
    return openSync(path, flags);
  }
}

/**
 * Reads from a file that has to be as `isAsTold` says; fewer bytes than `into` has only at the end.
 * @throws TuttiError NOT_FOUND, FILE_NOT_READABLE, DISK_FAILED
 */
export function readPiece(path: Buffer, isAsTold: (stamp: Stamp) => boolean, into: Uint8Array, offset: number): number {
  try {
    return withFile(path, (descriptor, stamp) => {
      if (!isAsTold(stamp)) throw gone(path);
      return readSync(descriptor, into, 0, into.length, offset);
    });
  } catch (error) {
    throw readError(error, path);
  }
}

function readError(error: unknown, path: Buffer): unknown {
  if (!isSystemError(error)) return error;
  if (error.code === 'ENOENT' || error.code === 'ELOOP') return gone(path);
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new TuttiError(
      'FILE_NOT_READABLE',
      `"${labelOf(path)}" may not be read by the group of the inbox`,
      {},
      error,
    );
  }
  return new TuttiError('DISK_FAILED', `${error.message}.`, {}, error);
}

const gone = (path: Buffer): TuttiError =>
  new TuttiError('NOT_FOUND', `"${labelOf(path)}" is not in the inbox any more as it was.`);

const labelOf = (path: Buffer): string => path.subarray(path.lastIndexOf('/') + 1).toString();

const isThere = (path: Buffer): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * A name in `folder` under which nothing lies, nor under that name with `more` behind it: `whole`, or shortened, or with a number before its
 * ending. Throws where all are taken.
 */
export function freeName(folder: Buffer, whole: Buffer, more = ''): Buffer {
  const dot = whole.lastIndexOf('.');
  const ending = dot > 0 && whole.length - dot <= ENDING_BYTES_MAX ? whole.subarray(dot) : Buffer.alloc(0);
  const stem = whole.subarray(0, whole.length - ending.length);
  for (let number = 1; number <= NAMES_TRIED_MAX; number++) {
    const end = Buffer.concat([Buffer.from(number === 1 ? '' : ` (${number})`), ending]);
    const name = Buffer.concat([stem.subarray(0, NAME_BYTES_MAX - end.length - more.length), end]);
    const path = joined(folder, name);
    if (!isThere(path) && !isThere(Buffer.concat([path, Buffer.from(more)]))) return name;
  }
  throw refusal('rename', `every name for "${whole}" is taken`);
}

/** Moves a file back to where it was, or beside what has come there meanwhile. */
export const moveBack = (from: Buffer, folder: Buffer, name: Buffer): void =>
  renameSync(from, joined(folder, freeName(folder, name)));

/** Moves a file into `folder`, with a text beside it. Where that fails the file is where it was, and no text is left. */
export function moveWithReason(from: Buffer, folder: Buffer, name: Buffer, reason: string): void {
  makeFolder(folder);
  if (!lstatSync(folder).isDirectory()) throw refusal('mkdir', `"${folder}" is not a folder`);
  const to = joined(folder, freeName(folder, name, TEXT_ENDING));
  const text = Buffer.concat([to, Buffer.from(TEXT_ENDING)]);
  // The reason first: on a full disk the file stays where it is, and is not somewhere else without a word.
  const descriptor = openSync(text, 'wx', REASON_MODE);
  try {
    try {
      writeSync(descriptor, `${reason}\n`);
    } finally {
      closeSync(descriptor);
    }
    renameSync(from, to);
  } catch (error) {
    unlinkSync(text);
    throw error;
  }
}

/** Makes a folder that is not there. Whose folder was there already keeps the mode that they gave it. */
export function makeFolder(path: Buffer): void {
  if (mkdirSync(path, { recursive: true }) === undefined) return;
  try {
    // Beside what the umask takes away, setgid does not come by mkdir(2).
    chmodSync(path, FOLDER_MODE);
  } catch (error) {
    // A service may be forbidden to set that bit (RestrictSUIDSGID=): systemd-tmpfiles makes these folders for it, and anew at each boot.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

const refusal = (syscall: string, text: string): Error => Object.assign(new Error(text), { syscall, code: 'EEXIST' });
