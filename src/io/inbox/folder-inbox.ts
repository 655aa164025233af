/**
 * FolderInbox: a folder of this machine into which people copy music, by scp, sftp, rsync, cp, Samba, or from a stick.
 *
 * Nobody says when a copy is done: scp writes in place and truncates at the end, rsync renames, Samba sets the length first, a recorder
 * corrects its header last. So a file is at rest when its size and times have stood still for some seconds *and* nobody has it open for writing
 * (open-writers.ts). Where the second cannot be known it has to stand still for a minute. What remains is a writer that this process
 * cannot know of and that pauses for longer than that. What a file holds is for others to judge. Events are only hints to look; all is looked
 * at again every half minute, for hints that were lost.
 *
 * Files belong to whoever copied them. They are only ever named by the bytes that the folder lists, and opened without following links. One that is
 * accepted is first renamed aside, where nobody opens it any more; only if it is then still what was read, and nobody writes to it, it is
 * removed, and else put back. Calls block, so this lives in the thread of the track files.
 *
 * An idle node writes nothing: the folder is listed only when its own time of change has moved, because a listing may count as an access,
 * which file systems note.
 */
import { type FSWatcher, lstatSync, readdirSync, renameSync, unlinkSync, watch } from 'node:fs';
import { basename } from 'node:path';
import { assert } from '../../core/assert.js';
import type { Inbox, InboxEnd, InboxFile, InboxListener, InboxTrouble } from '../../ports/inbox.js';
import type { Log } from '../../ports/log.js';
import type { Time, Timer } from '../../ports/time.js';
import { isOnNetwork } from '../fs/file-systems.js';
import {
  freeName,
  hasSameBytes,
  isSame,
  isSystemError,
  joined,
  keyOf,
  makeFolder,
  moveBack,
  moveWithReason,
  readPiece,
  type Stamp,
  stampOf,
  withFile,
} from './folder-files.js';
import type { LookForWriters, OpenWriters } from './open-writers.js';

/** What stood still for so long is at rest, if nobody writes to it. Longer than the steps of 2 s in which FAT notes times. Milliseconds. */
const REST_MS = 2_500;
/** Likewise where it is not known whether somebody writes to it: networks and discs that hang come back within it. Milliseconds. */
const DOUBTFUL_REST_MS = 60_000;
/** A file that does not come to rest is told of so often. Milliseconds. */
const UNDER_WAY_MS = 10_000;
/** How soon files that are not at rest yet are looked at again, and how late those that have not moved for long. Milliseconds. */
const LOOK_MS = 250;
const LOOK_MS_MAX = 10_000;
/** How often all is looked at without any hint. Milliseconds. */
const RESCAN_MS = 30_000;
/** The folder's own folder for what was refused. */
const REJECTED = Buffer.from('rejected');
/** Names that begin with it are nobody's business: rsync and file managers copy under such. */
const DOT = 0x2e;
/** How the name of a file begins that is about to be removed. */
const ASIDE = Buffer.from('.tutti-taken.');
/** What a call says that came between two states of a file, or had no room just now. */
const PASSING: ReadonlySet<string> = new Set(['ENOENT', 'ELOOP', 'EAGAIN', 'EMFILE', 'ENFILE']);

/** A file in the folder, by its name's bytes. */
interface Seen {
  readonly key: string;
  readonly name: Buffer;
  stamp: Stamp;
  /** Since when it stands still, local milliseconds. */
  stillSinceMs: number;
  /** When it was told of last, or first seen; local milliseconds. */
  toldMs: number;
  /** What was told of it last. */
  told: InboxFile | null;
  /** It is still as it was when it was told of. */
  isTold: boolean;
  /** How it is to go, where the folder did not let go of it. */
  leave: (() => boolean) | null;
}

/** What an inbox watches with. */
export interface FolderInboxComponents {
  readonly time: Time;
  readonly log: Log;
  readonly lookForWriters: LookForWriters;
}

/** One folder. It is made where it is missing, and again where somebody takes it away. */
export class FolderInbox implements Inbox {
  readonly #time: Time;
  readonly #log: Log;
  readonly #lookForWriters: LookForWriters;
  readonly #folder: Buffer;
  /** By the name's bytes, written as latin1. */
  readonly #seen = new Map<string, Seen>();
  #listener: InboxListener | null = null;
  #rescans: Timer | null = null;
  #look: { readonly atMs: number; readonly timer: Timer } | null = null;
  /** Of the folder with this inode. */
  #watch: { readonly watcher: FSWatcher | null; readonly inode: bigint } | null = null;
  /** The listing that holds: of the folder as it was changed last, and since when that is known here. */
  #listing: {
    names: readonly Buffer[];
    readonly changedNs: bigint;
    readonly sinceMs: number;
    isSettled: boolean;
  } | null = null;
  #isOnNetwork = false;
  /** The folder, or a file in it, did not let itself be used, and that was said. */
  #isUnusable = false;
  /** Names of what is no regular file, as they were said. */
  #others: ReadonlySet<string> = new Set();
  #troubles: readonly InboxTrouble[] = [];

  constructor(components: FolderInboxComponents, init: { readonly folder: string }) {
    this.#time = components.time;
    this.#log = components.log;
    this.#lookForWriters = components.lookForWriters;
    this.#folder = Buffer.from(init.folder);
  }

  start(listener: InboxListener): Promise<void> {
    assert(this.#listener === null, 'an inbox is started once until it is stopped');
    this.#listener = listener;
    this.#rescans = this.#time.every('inbox.rescan', RESCAN_MS, () => this.#rescan());
    this.#inFolder(() => this.#bringBack());
    this.#rescan();
    return Promise.resolve();
  }

  accept(file: InboxFile): InboxEnd {
    return this.#end(file, (seen) => this.#remove(seen));
  }

  reject(file: InboxFile, reason: string): InboxEnd {
    return this.#end(file, ({ name }) => {
      moveWithReason(this.#path(name), this.#path(REJECTED), name, reason);
      return true;
    });
  }

  stop(): Promise<void> {
    this.#listener = null;
    this.#rescans?.cancel();
    this.#rescans = null;
    this.#look?.timer.cancel();
    this.#look = null;
    this.#unwatch();
    this.#seen.clear();
    this.#others = new Set();
    this.#troubles = [];
    this.#isUnusable = false;
    return Promise.resolve();
  }

  #path(name: Buffer): Buffer {
    return joined(this.#folder, name);
  }

  #nowMs(): number {
    return Number(this.#time.now()) / 1e6;
  }

  // ---- Looking ------------------------------------------------------------------------------------------------------------------

  /** Sees to it that there is a folder, and looks at everything. */
  #rescan(): void {
    this.#inFolder(() => {
      makeFolder(this.#folder);
      this.#lookNow();
    });
  }

  /** Looks after `delayMs`, or when it was going to if that is sooner. */
  #lookSoon(delayMs: number): void {
    if (this.#listener === null) return;
    const atMs = this.#nowMs() + delayMs;
    if (this.#look !== null && this.#look.atMs <= atMs) return;
    this.#look?.timer.cancel();
    const timer = this.#time.after('inbox.look', delayMs, () => {
      this.#look = null;
      this.#inFolder(() => this.#lookNow());
    });
    this.#look = { atMs, timer };
  }

  /** Looks at every file, tells of what there is to tell, and comes back for those that are not at rest. */
  #lookNow(): void {
    this.#watchThisFolder();
    const nowMs = this.#nowMs();
    const names = new Map(this.#names(nowMs).map((name) => [keyOf(name), name]));
    const others = [...names].filter(([key, name]) => !this.#lookAt(key, name, nowMs)).map(([, name]) => name);
    for (const key of this.#seen.keys()) if (!names.has(key)) this.#left(key);
    for (const seen of this.#seen.values()) {
      if (seen.leave !== null && this.#leave(seen, seen.leave) === 'gone') this.#listener?.left(seen.key);
    }
    for (const seen of this.#seen.values()) this.#tellOf(seen, nowMs);
    this.#noteOthers(others);
    this.#isUnusable = [...this.#seen.values()].some(({ leave }) => leave !== null);
    this.#tellTroubles();
  }

  /** Watches the folder that has the name now: another may have taken the place of the one that was watched. */
  #watchThisFolder(): void {
    const { ino: inode } = lstatSync(this.#folder, { bigint: true });
    if (this.#watch?.inode === inode) return;
    this.#unwatch();
    this.#watch = { watcher: this.#watcherOf(), inode };
    this.#isOnNetwork = isOnNetwork(this.#folder);
  }

  /** Null where the system has no room for another watch (inotify(7)): the rescan does without. */
  #watcherOf(): FSWatcher | null {
    const ownName = basename(this.#folder.toString('latin1'));
    const lookAnew = () => {
      if (this.#watch?.watcher === watcher) this.#unwatch();
      this.#lookSoon(LOOK_MS);
    };
    let watcher: FSWatcher;
    try {
      watcher = watch(this.#folder, { encoding: 'buffer' }, (event, name) => {
        // The folder itself was moved or removed, and one that takes its place may well have the same inode.
        if (event === 'rename' && name !== null && keyOf(name) === ownName) lookAnew();
        this.#lookSoon(LOOK_MS);
      });
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return null;
    }
    watcher.on('error', lookAnew);
    return watcher;
  }

  #unwatch(): void {
    this.#watch?.watcher?.close();
    this.#watch = null;
    this.#listing = null;
  }

  /** The names in the folder: listed anew only where something came or went. */
  #names(nowMs: number): readonly Buffer[] {
    const { mtimeNs: changedNs } = lstatSync(this.#folder, { bigint: true });
    if (this.#listing?.changedNs !== changedNs) {
      this.#listing = { names: [], changedNs, sinceMs: nowMs, isSettled: false };
    }
    const listing = this.#listing;
    if (!listing.isSettled) {
      listing.names = readdirSync(this.#folder, { encoding: 'buffer' }).filter((name) => name[0] !== DOT);
      // What changes within one step of the file system's clock shows no new time: so it is listed once more a while later.
      listing.isSettled = nowMs - listing.sinceMs >= REST_MS;
      if (!listing.isSettled) this.#lookSoon(REST_MS);
    }
    return listing.names;
  }

  /** Notes how a file is now. False for what is no regular file. */
  #lookAt(key: string, name: Buffer, nowMs: number): boolean {
    const stamp = stampOf(this.#path(name));
    const seen = this.#seen.get(key);
    if (stamp === null || stamp === 'other') {
      if (seen !== undefined) this.#left(key);
      return stamp === null;
    }
    if (seen === undefined) {
      const news = { told: null, isTold: false, leave: null };
      this.#seen.set(key, { key, name, stamp, stillSinceMs: nowMs, toldMs: nowMs, ...news });
    } else if (!isSame(seen.stamp, stamp)) {
      Object.assign(seen, { stamp, stillSinceMs: nowMs, isTold: false, leave: null });
    }
    return true;
  }

  #left(key: string): void {
    const isTold = this.#seen.get(key)?.told !== null;
    this.#seen.delete(key);
    if (isTold) this.#listener?.left(key);
  }

  // ---- Telling ------------------------------------------------------------------------------------------------------------------

  /** Tells of a file where there is news of it, and sees to it that one that is not at rest is looked at again. */
  #tellOf(seen: Seen, nowMs: number): void {
    if (seen.isTold && seen.told?.isUnderWay === false) return;
    const stillMs = nowMs - seen.stillSinceMs;
    const isStill = stillMs >= REST_MS;
    if (isStill && this.#isAtRest(seen, stillMs)) {
      this.#tell(seen, nowMs, false);
      return;
    }
    if (!seen.isTold && (isStill || nowMs - seen.toldMs >= UNDER_WAY_MS)) this.#tell(seen, nowMs, true);
    // What has not moved for long need not be looked at so soon: it may be open for days.
    this.#lookSoon(Math.min(Math.max(stillMs / 4, LOOK_MS), LOOK_MS_MAX));
  }

  #isAtRest(seen: Seen, stillMs: number): boolean {
    const writers = this.#writersOf(this.#path(seen.name), (stamp) => isSame(stamp, seen.stamp));
    return writers === 'none' || (writers === 'unknown' && stillMs >= DOUBTFUL_REST_MS);
  }

  /** Who writes to a file; "some" also where it is not as it was. */
  #writersOf(path: Buffer, isAsItWas: (stamp: Stamp) => boolean): OpenWriters {
    try {
      return withFile(path, (descriptor, stamp) => {
        if (!isAsItWas(stamp)) return 'some';
        return this.#isOnNetwork ? 'unknown' : this.#lookForWriters(descriptor);
      });
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return PASSING.has(error.code) ? 'some' : 'unknown';
    }
  }

  #tell(seen: Seen, nowMs: number, isUnderWay: boolean): void {
    const { key, name, stamp } = seen;
    const isAsTold = isUnderWay ? ({ inode }: Stamp) => inode === stamp.inode : (now: Stamp) => isSame(now, stamp);
    seen.told = {
      key,
      name: name.toString(),
      bytes: stamp.bytes,
      isUnderWay,
      stillMs: Math.max(0, this.#time.wallClockMs() - Number(stamp.changedNs / 1_000_000n)),
      read: (into, offset) => readPiece(this.#path(name), isAsTold, into, offset),
    };
    seen.isTold = true;
    seen.toldMs = nowMs;
    this.#listener?.seen(seen.told);
  }

  /** Says of each thing once that it is no file. */
  #noteOthers(names: readonly Buffer[]): void {
    const others = names.filter((name) => !name.equals(REJECTED));
    for (const name of others) {
      if (this.#others.has(keyOf(name))) continue;
      this.#log.warn('Something in the inbox is no file, and is left alone.', { name: name.toString() });
    }
    this.#others = new Set(others.map(keyOf));
  }

  #tellTroubles(): void {
    const troubles: InboxTrouble[] = [];
    if (this.#isUnusable) troubles.push('INBOX_UNUSABLE');
    if (this.#others.size > 0) troubles.push('INBOX_NOT_A_FILE');
    if (troubles.join() === this.#troubles.join()) return;
    this.#troubles = troubles;
    this.#listener?.troubled(troubles);
  }

  // ---- Letting go ---------------------------------------------------------------------------------------------------------------

  /** Has a file go that was told of as at rest and is still so. */
  #end(file: InboxFile, leave: (seen: Seen) => boolean): InboxEnd {
    const seen = this.#seen.get(file.key);
    if (seen === undefined || seen.told !== file || file.isUnderWay) return 'changed';
    const { stamp } = seen;
    const end = this.#leave(seen, () => {
      const now = stampOf(this.#path(seen.name));
      return now !== null && now !== 'other' && isSame(now, stamp) && leave(seen);
    });
    this.#tellTroubles();
    return end;
  }

  /** @param leave false where the file is not what it was */
  #leave(seen: Seen, leave: () => boolean): InboxEnd {
    seen.leave = null;
    try {
      if (!leave()) return 'changed';
      this.#seen.delete(seen.key);
      return 'gone';
    } catch (error) {
      if (!isSystemError(error)) throw error;
      seen.leave = leave;
      this.#cannotUse(error);
      return 'stays';
    }
  }

  /** Out of everybody's reach first: who would open it from now on does not find it, and who has it open is seen. */
  #remove({ name, stamp }: Seen): boolean {
    const aside = this.#path(freeName(this.#folder, Buffer.concat([ASIDE, name])));
    renameSync(this.#path(name), aside);
    let isRemoved = false;
    try {
      if (this.#writersOf(aside, (now) => hasSameBytes(now, stamp)) === 'some') return false;
      unlinkSync(aside);
      isRemoved = true;
    } finally {
      if (!isRemoved) moveBack(aside, this.#folder, name);
    }
    return true;
  }

  /** What was put aside when the power went is an ordinary file again. */
  #bringBack(): void {
    makeFolder(this.#folder);
    for (const name of readdirSync(this.#folder, { encoding: 'buffer' })) {
      if (!name.subarray(0, ASIDE.length).equals(ASIDE)) continue;
      moveBack(this.#path(name), this.#folder, name.subarray(ASIDE.length));
    }
  }

  /** The folder is somebody else's as well: what goes wrong with it is said once, and tried again. */
  #inFolder(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#unwatch();
      this.#cannotUse(error);
      this.#tellTroubles();
    }
  }

  #cannotUse(error: Error): void {
    if (!this.#isUnusable) this.#log.warn('The inbox cannot be used at present.', { why: error.message });
    this.#isUnusable = true;
  }
}
