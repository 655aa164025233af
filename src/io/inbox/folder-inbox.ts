/**
 * FolderInbox: a folder of this machine into which people copy music, by scp, sftp, rsync, cp, or from a stick.
 *
 * Nobody says when a copy is done: scp writes in place and truncates at the end, rsync renames, and a watcher of Node's never sees a file
 * being closed. So an event is only a hint to look, and a file has come to rest once its size and time of change have stood still for a
 * second. What it holds is for others to judge. All is looked at again every half minute, for hints that were lost.
 *
 * Files are only ever named by the bytes that the folder lists, opened without following links, and compared by inode, size and time before
 * they are taken away: they belong to whoever copied them. Calls block, so this lives in the thread of the track files.
 *
 * An idle node writes nothing: the folder is listed only when its own time of change has moved, because a listing may count as an access,
 * which file systems note.
 */
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  type FSWatcher,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import type { Inbox, InboxFile } from '../../ports/inbox.js';
import type { Log } from '../../ports/log.js';
import type { Time, Timer } from '../../ports/time.js';

/** A file whose size and time stood still for so long is at rest. Milliseconds. */
const REST_MS = 1_000;
/** How often files that are not at rest yet are looked at. Milliseconds. */
const LOOK_MS = 250;
/** How often all is looked at without any hint. Milliseconds. */
const RESCAN_MS = 30_000;
/** The folder's own folder for what was refused. */
const REJECTED = 'rejected';
/** The folder is for its user and group, and what is made in it belongs to the same group (setgid): see inode(7). */
const FOLDER_MODE = 0o2770;
/** A reason is for everybody who may read the folder. */
const REASON_MODE = 0o664;
/** Names that a refused file gets beside one that is there. */
const NAMES_TRIED_MAX = 1_000;
/** Of the text beside a refused file; there has to be room for it, and for a number, in a name of 255 bytes (NAME_MAX of Linux). */
const TEXT_ENDING = Buffer.from('.txt');
const REFUSED_NAME_BYTES_MAX = 240;
/** Names that begin with it are nobody's business: rsync and file managers copy under such. */
const DOT = 0x2e;

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOATIME } = constants;

/** What tells one state of a file from another. */
interface Stamp {
  readonly inode: bigint;
  readonly bytes: number;
  readonly changedNs: bigint;
}

/** A file in the folder, by its name's bytes. */
interface Seen {
  readonly name: Buffer;
  stamp: Stamp;
  /** Since when it stands still, local milliseconds. */
  stillSinceMs: number;
  /** Told of as it is. */
  isTold: boolean;
}

/** What an inbox watches with. */
export interface FolderInboxComponents {
  readonly time: Time;
  readonly log: Log;
}

/** One folder. It is made where it is missing, and again where somebody takes it away. */
export class FolderInbox implements Inbox {
  readonly #time: Time;
  readonly #log: Log;
  readonly #folder: Buffer;
  /** By the name's bytes, written as latin1. */
  readonly #seen = new Map<string, Seen>();
  /** Which state of which file an arrival told of. */
  readonly #told = new WeakMap<InboxFile, { readonly name: Buffer; readonly stamp: Stamp }>();
  #arrived: ((file: InboxFile) => void) | null = null;
  #watcher: FSWatcher | null = null;
  /** The listing that holds: of the folder as it was changed last, and since when that is known here. */
  #listing: { readonly changedNs: bigint; readonly sinceMs: number; isSettled: boolean } | null = null;
  #timers: Timer[] = [];
  #look: Timer | null = null;
  /** Something is wrong with the folder, and was said. */
  #isTroubled = false;

  constructor(components: FolderInboxComponents, init: { readonly folder: string }) {
    this.#time = components.time;
    this.#log = components.log;
    this.#folder = Buffer.from(init.folder);
  }

  start(arrived: (file: InboxFile) => void): Promise<void> {
    assert(this.#arrived === null, 'an inbox is started once until it is stopped');
    this.#arrived = arrived;
    this.#timers = [this.#time.every('inbox.rescan', RESCAN_MS, () => this.#rescan())];
    this.#rescan();
    return Promise.resolve();
  }

  accept(file: InboxFile): boolean {
    const told = this.#unchanged(file);
    if (told === null) return false;
    return this.#inFolder(() => {
      unlinkSync(this.#path(told.name));
      this.#seen.delete(keyOf(told.name));
      return true;
    }, false);
  }

  reject(file: InboxFile, reason: string): void {
    const told = this.#unchanged(file);
    if (told === null) return;
    this.#inFolder(() => {
      const folder = this.#path(Buffer.from(REJECTED));
      makeFolder(folder);
      const name = freeName(folder, told.name);
      // The reason first: on a full disk the file stays where it is, and is not somewhere else without a word.
      writeFileSync(joined(folder, Buffer.concat([name, TEXT_ENDING])), `${reason}\n`, { mode: REASON_MODE });
      renameSync(this.#path(told.name), joined(folder, name));
      this.#seen.delete(keyOf(told.name));
    }, undefined);
  }

  stop(): Promise<void> {
    this.#arrived = null;
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    this.#look?.cancel();
    this.#look = null;
    this.#watcher?.close();
    this.#watcher = null;
    this.#seen.clear();
    this.#listing = null;
    return Promise.resolve();
  }

  #path(name: Buffer): Buffer {
    return joined(this.#folder, name);
  }

  /** Sees to it that there is a folder and somebody who watches it, and looks at everything. */
  #rescan(): void {
    this.#inFolder(() => {
      makeFolder(this.#folder);
      this.#watcher ??= this.#watch();
      this.#lookNow();
      this.#isTroubled = false;
    }, undefined);
  }

  #watch(): FSWatcher {
    const watcher = watch(this.#folder, { encoding: 'buffer' }, () => this.#lookSoon());
    // The folder was taken away, or the system has no room for another watch: the rescan does without.
    watcher.on('error', () => {
      watcher.close();
      if (this.#watcher === watcher) this.#watcher = null;
    });
    return watcher;
  }

  #lookSoon(): void {
    if (this.#arrived === null || this.#look !== null) return;
    this.#look = this.#time.after('inbox.look', LOOK_MS, () => {
      this.#look = null;
      this.#inFolder(() => this.#lookNow(), undefined);
    });
  }

  /** Looks at every file, tells of those that have come to rest, and comes back for the others. */
  #lookNow(): void {
    const nowMs = Number(this.#time.now()) / 1e6;
    const names = this.#names(nowMs);
    for (const [key, name] of names) this.#lookAt(key, name, nowMs);
    let isWaiting = false;
    for (const [key, seen] of this.#seen) {
      if (!names.has(key)) this.#seen.delete(key);
      else if (seen.isTold) continue;
      else if (nowMs - seen.stillSinceMs >= REST_MS) this.#tell(seen);
      else isWaiting = true;
    }
    if (isWaiting) this.#lookSoon();
  }

  /** The names in the folder: listed anew only where something came or went. */
  #names(nowMs: number): ReadonlyMap<string, Buffer> {
    const { mtimeNs } = lstatSync(this.#folder, { bigint: true });
    if (this.#listing?.changedNs !== mtimeNs) this.#listing = { changedNs: mtimeNs, sinceMs: nowMs, isSettled: false };
    const listing = this.#listing;
    if (listing.isSettled) return new Map([...this.#seen].map(([key, { name }]) => [key, name]));
    const names = readdirSync(this.#folder, { encoding: 'buffer' }).filter((name) => name[0] !== DOT);
    // What changes within one tick of the file system's clock shows no new time: so it is listed once more a while later.
    listing.isSettled = nowMs - listing.sinceMs >= REST_MS;
    if (!listing.isSettled) this.#lookSoon();
    return new Map(names.map((name) => [keyOf(name), name]));
  }

  #lookAt(key: string, name: Buffer, nowMs: number): void {
    const stamp = this.#stampOf(name);
    const seen = this.#seen.get(key);
    if (stamp === null) this.#seen.delete(key);
    else if (seen === undefined) this.#seen.set(key, { name, stamp, stillSinceMs: nowMs, isTold: false });
    else if (!isSame(seen.stamp, stamp)) Object.assign(seen, { stamp, stillSinceMs: nowMs, isTold: false });
  }

  /** Of a regular file; null for a link, a device, a directory, and where there is nothing any more. */
  #stampOf(name: Buffer): Stamp | null {
    const stat = lstatSync(this.#path(name), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return null;
    return { inode: stat.ino, bytes: Number(stat.size), changedNs: stat.mtimeNs };
  }

  #tell(seen: Seen): void {
    seen.isTold = true;
    const { name, stamp } = seen;
    const file: InboxFile = {
      name: name.toString(),
      bytes: stamp.bytes,
      read: (into, offset) => this.#read(name, stamp, into, offset),
    };
    this.#told.set(file, { name, stamp });
    this.#arrived?.(file);
  }

  #read(name: Buffer, stamp: Stamp, into: Uint8Array, offset: number): number {
    let descriptor: number;
    try {
      descriptor = openToRead(this.#path(name));
    } catch (error) {
      throw readError(error, name);
    }
    try {
      const stat = fstatSync(descriptor, { bigint: true });
      if (!isSame(stamp, { inode: stat.ino, bytes: Number(stat.size), changedNs: stat.mtimeNs })) throw gone(name);
      return readSync(descriptor, into, 0, into.length, offset);
    } catch (error) {
      throw error instanceof TuttiError ? error : readError(error, name);
    } finally {
      closeSync(descriptor);
    }
  }

  /** What an arrival told of, where it is still so. */
  #unchanged(file: InboxFile): { readonly name: Buffer; readonly stamp: Stamp } | null {
    const told = this.#told.get(file);
    if (told === undefined) return null;
    const stamp = this.#inFolder(() => this.#stampOf(told.name), null);
    return stamp !== null && isSame(stamp, told.stamp) ? told : null;
  }

  /** The folder is somebody else's as well: what goes wrong with it is said once, and tried again. */
  #inFolder<T>(work: () => T, otherwise: T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error) || !('syscall' in error)) throw error;
      this.#watcher?.close();
      this.#watcher = null;
      this.#listing = null;
      if (!this.#isTroubled) this.#log.warn('The inbox cannot be used at present.', { why: error.message });
      this.#isTroubled = true;
      return otherwise;
    }
  }
}

const keyOf = (name: Buffer): string => name.toString('latin1');
const joined = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, Buffer.from('/'), name]);

const isSame = (a: Stamp, b: Stamp): boolean =>
  a.inode === b.inode && a.bytes === b.bytes && a.changedNs === b.changedNs;

/** O_NOATIME, where the file is ours to open so (open(2)): reading must not write. O_NONBLOCK: a FIFO would wait for its other end. */
function openToRead(path: Buffer): number {
  const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  try {
    return openSync(path, flags | O_NOATIME);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EPERM') throw error;
    return openSync(path, flags);
  }
}

function readError(error: unknown, name: Buffer): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (error.code === 'ENOENT' || error.code === 'ELOOP') return gone(name);
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new TuttiError('FILE_NOT_READABLE', `"${name}" may not be read by the group of the inbox`, {}, error);
  }
  return new TuttiError('DISK_FAILED', `${error.message}.`, {}, error);
}

const gone = (name: Buffer): TuttiError =>
  new TuttiError('NOT_FOUND', `"${name}" is not in the inbox any more as it was.`);

/** A name in `folder` that nothing has: `name` itself, or with a number before its ending. */
function freeName(folder: Buffer, whole: Buffer): Buffer {
  const name = whole.subarray(0, REFUSED_NAME_BYTES_MAX);
  const dot = name.lastIndexOf('.');
  const at = dot > 0 ? dot : name.length;
  for (let number = 1; number < NAMES_TRIED_MAX; number++) {
    const mark = Buffer.from(number === 1 ? '' : ` (${number})`);
    const tried = Buffer.concat([name.subarray(0, at), mark, name.subarray(at)]);
    if (!existsSync(joined(folder, tried))) return tried;
  }
  return name;
}

/** Makes a folder that is not there. Whose folder was there already keeps the mode that they gave it. */
function makeFolder(path: Buffer): void {
  // Beside what the umask takes away, setgid does not come by mkdir(2).
  if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, FOLDER_MODE);
}
