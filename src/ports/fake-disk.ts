/**
 * FakeDisk: a disk in memory that keeps apart what a program sees and what the medium holds.
 *
 * Every file has two contents (what reads give, and what a power cut leaves), and so has every directory. A write, a new size, a new
 * or removed name changes the first; `sync` and `syncDirectory` bring the second up to it, and nothing else does. `crash` then plays
 * the worst that the contract of Disk allows: of each page of 4 KiB that was not synced the medium has the old contents, the new,
 * those of a write in between, or a mixture by sectors of 512 bytes, each page on its own; sizes and names likewise, save that a
 * rename is whole, and that what was done to one name is lost from some point on (a file system's journal keeps that order).
 *
 * A test cuts the power at the k-th change (`cutPowerAt`): the change does not happen and every call throws {@link PowerCut}, also in
 * clean-up code, until `crash`. Running a script for all k with a few seeds each visits every state that recovery can meet.
 * A failed sync loses pages for good while reads go on giving the new contents, as Linux does it.
 *
 * Further reading: Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014); Rebello et al., "Can Applications Recover
 * from fsync Failures?" (ATC 2020).
 */
import { assert } from '../core/assert.js';
import { type ErrorCode, TuttiError } from '../core/errors.js';
import { Prng } from '../core/prng.js';
import { type Disk, type DiskEntry, type DiskFile, pathSegments } from './disk.js';

/** What the page cache writes at once. Bytes. */
export const PAGE_BYTES = 4_096;
/** What the medium writes whole or not at all. Bytes. */
export const SECTOR_BYTES = 512;
/** How many contents of a page between two syncs are kept for `crash` to choose from: the latest ones. */
const PAGE_VERSIONS_MAX = 8;
/** Room of a disk unless a test says otherwise: a 32 GB card. Bytes. */
const TOTAL_BYTES_DEFAULT = 32e9;

/** Calls that change the disk: those that are counted, and at which power can be cut. */
export type DiskChange =
  | 'create'
  | 'write'
  | 'allocate'
  | 'truncate'
  | 'sync'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'syncDirectory';
/** Calls that can be made to fail. */
export type DiskOperation = DiskChange | 'open' | 'read' | 'list';

/** A change that is about to happen: what `onChange` gets. */
export interface DiskChangeInfo {
  /** Place among all changes since the disk was made, from 0. */
  readonly index: number;
  readonly change: DiskChange;
  readonly path: string;
}

/** How much was done to the disk. */
export interface DiskCounts {
  readonly writes: number;
  readonly writtenBytes: number;
  readonly syncs: number;
  readonly directorySyncs: number;
}

/** The power is off: nothing more happens until {@link FakeDisk.crash}. Not a TuttiError, so that nobody handles it by mistake. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** What a test may set beforehand. */
export interface FakeDiskInit {
  /** Seed of what a failed write or sync leaves behind. 1 by default. */
  readonly seed?: number;
  /** Called before each change; may throw, and the change does not happen. */
  readonly onChange?: (info: DiskChangeInfo) => void;
}

/** Contents of a page. Never changed in place: a write makes a new one. */
type Page = Uint8Array;
const ZEROS: Page = new Uint8Array(PAGE_BYTES);
/** So many pages are made at once: memory for each alone would cost more than all that is done with it. */
const PAGES_AT_ONCE = 16;

interface FileNode {
  readonly kind: 'file';
  /** What reads give. A page that is not there is a hole of zeros. */
  pages: Map<number, Page>;
  size: number;
  /** What the medium holds for certain. */
  durablePages: Map<number, Page>;
  durableSize: number;
  /** Contents that each page had since the last sync, the latest last: any of them may have reached the medium. */
  unsyncedPages: Map<number, Page[]>;
  /** Sizes since the last sync, the latest last. */
  unsyncedSizes: number[];
  /** Pages that cannot be read until they are written again. */
  broken: Set<number>;
}

interface DirectoryNode {
  readonly kind: 'directory';
  entries: Map<string, Node>;
  durableEntries: Map<string, Node>;
}

type Node = FileNode | DirectoryNode;

/** A name and what it stands for; `node` is undefined where it is removed. */
interface NameChange {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: Node | undefined;
}

/** Names that change together or not at all. The last one is that which makes it durable when its directory is synced. */
type NameTransaction = readonly NameChange[];

const newFile = (): FileNode => ({
  kind: 'file',
  pages: new Map(),
  size: 0,
  durablePages: new Map(),
  durableSize: 0,
  unsyncedPages: new Map(),
  unsyncedSizes: [],
  broken: new Set(),
});

const newDirectory = (): DirectoryNode => ({ kind: 'directory', entries: new Map(), durableEntries: new Map() });

const failure = (code: ErrorCode, path: string, what: string): TuttiError =>
  new TuttiError(code, `${what}: "${path}".`, { path });

/** A disk in memory, empty at first. */
export class FakeDisk implements Disk {
  #root = newDirectory();
  /** Changes of names that are not known to be durable, in order. */
  #pendingNames: NameTransaction[] = [];
  readonly #onChange: ((info: DiskChangeInfo) => void) | undefined;
  readonly #prng: Prng;
  /** Rises with every crash: files that were opened before are not valid any more. */
  #generation = 0;
  #changes = 0;
  #cutAt = Number.POSITIVE_INFINITY;
  #powered = true;
  readonly #failures: { readonly operation: DiskOperation; readonly code: ErrorCode }[] = [];
  #counts = { writes: 0, writtenBytes: 0, syncs: 0, directorySyncs: 0 };
  #otherBytes = 0;
  #misdirections = { after: 0, times: 0 };

  constructor(init: FakeDiskInit = {}) {
    this.#prng = new Prng(init.seed ?? 1);
    this.#onChange = init.onChange;
  }

  open(path: string, mode: 'read' | 'write' | 'create' | 'exclusive'): DiskFile {
    this.#begin('open', path);
    const found = this.#find(path);
    if (found === undefined) {
      if (mode === 'read' || mode === 'write') throw failure('NOT_FOUND', path, 'There is no such file');
      const { directory, name } = this.#place(path);
      this.#beginChange('create', path);
      const file = newFile();
      this.#changeNames([{ directory, name, node: file }]);
      return this.#openFile(file, path, true);
    }
    if (mode === 'exclusive') throw failure('FILE_EXISTS', path, 'This name is taken');
    if (found.kind === 'directory') throw failure('DISK_FAILED', path, 'A directory cannot be opened as a file');
    return this.#openFile(found, path, mode !== 'read');
  }

  list(path: string): readonly DiskEntry[] {
    this.#begin('list', path);
    const { entries } = this.#directory(path);
    const names = [...entries.keys()].sort();
    return names.map((name) => {
      const node = entries.get(name)!;
      return { name, kind: node.kind, size: node.kind === 'file' ? node.size : 0 };
    });
  }

  exists(path: string): boolean {
    this.#checkPower();
    return this.#find(path) !== undefined;
  }

  makeDirectory(path: string): void {
    this.#checkPower();
    let directory = this.#root;
    for (const name of pathSegments(path)) {
      let node = directory.entries.get(name);
      if (node === undefined) {
        this.#beginChange('makeDirectory', path);
        node = newDirectory();
        this.#changeNames([{ directory, name, node }]);
      }
      if (node.kind === 'file') throw failure('FILE_EXISTS', path, `"${name}" is a file, not a directory`);
      directory = node;
    }
  }

  rename(from: string, to: string): void {
    this.#checkPower();
    const source = this.#find(from);
    if (source === undefined) throw failure('NOT_FOUND', from, 'There is nothing to rename');
    const target = this.#find(to);
    const left = this.#place(from);
    const entered = this.#place(to);
    const blocked =
      target !== undefined && (target.kind !== source.kind || (target.kind === 'directory' && target.entries.size > 0));
    if (blocked || `${to}/`.startsWith(`${from}/`) !== (to === from)) {
      throw failure('DISK_FAILED', to, `"${from}" cannot take this place`);
    }
    this.#beginChange('rename', to);
    if (source === target) return;
    this.#changeNames([
      { directory: left.directory, name: left.name, node: undefined },
      { directory: entered.directory, name: entered.name, node: source },
    ]);
  }

  remove(path: string): void {
    this.#checkPower();
    const found = this.#find(path);
    if (found === undefined) return;
    if (found.kind === 'directory') throw failure('DISK_FAILED', path, 'A directory cannot be removed as a file');
    this.#beginChange('remove', path);
    const { directory, name } = this.#place(path);
    this.#changeNames([{ directory, name, node: undefined }]);
  }

  syncDirectory(path: string): void {
    this.#checkPower();
    const directory = this.#directory(path);
    const pending = this.#pendingNames;
    const settled = this.#transactionsOf(directory);
    this.#beginChange('syncDirectory', path, () => this.#settleNames(settled, this.#prng));
    this.#pendingNames = pending.filter((transaction) => !settled.has(transaction));
    for (const transaction of pending) if (settled.has(transaction)) commitNames(transaction);
    this.#counts.directorySyncs++;
  }

  space(): { readonly freeBytes: number; readonly totalBytes: number } {
    this.#checkPower();
    const freeBytes = TOTAL_BYTES_DEFAULT - this.#otherBytes - this.#usedBytes();
    return { freeBytes: Math.max(0, freeBytes), totalBytes: TOTAL_BYTES_DEFAULT };
  }

  /** How many changes there were so far: the index of the next one. */
  get changes(): number {
    return this.#changes;
  }

  /** How much was done since the disk was made. */
  get counts(): DiskCounts {
    return { ...this.#counts };
  }

  /** Lets other programs' files take what is free, but for `bytes`. Whole pages count: overwriting in place needs no room. */
  setFreeBytes(bytes: number): void {
    this.#otherBytes = TOTAL_BYTES_DEFAULT - this.#usedBytes() - bytes;
  }

  /**
   * The next `times` calls of `operation` fail with `code`. A write that fails leaves a part of it behind; a sync that fails leaves
   * some pages on the medium and forgets the others, which reads still show and later syncs never write.
   */
  failNext(operation: DiskOperation, init: { readonly times?: number; readonly code?: ErrorCode } = {}): void {
    for (let i = 0; i < (init.times ?? 1); i++) this.#failures.push({ operation, code: init.code ?? 'DISK_FAILED' });
  }

  /** The power goes just before the change with this index, so that changes 0 to `index - 1` have happened. */
  cutPowerAt(index: number): void {
    this.#cutAt = index;
  }

  /**
   * The medium loses one bit of a file, unnoticed: bit 0 (the least) to 7 of the byte at `offset`, now and after a crash. Where the page
   * is `cached`, only `readUncached` shows it before the crash.
   */
  flipBit(path: string, offset: number, bit: number, init: { readonly cached?: boolean } = {}): void {
    const file = this.#fileAt(path, offset);
    const index = Math.floor(offset / PAGE_BYTES);
    for (const pages of init.cached === true ? [file.durablePages] : [file.pages, file.durablePages]) {
      const page = Uint8Array.from(pages.get(index) ?? ZEROS);
      page[offset % PAGE_BYTES]! ^= 1 << bit;
      pages.set(index, page);
    }
  }

  /** The medium loses all of a file from `size` on, unnoticed, now and after a crash. */
  cutShort(path: string, size: number): void {
    const file = this.#fileAt(path, size);
    truncateFile(file, size);
    syncFile(file);
  }

  /** The medium loses a file, now and after a crash. False where what a crash would leave of its name is not certain: it is there as before. */
  lose(path: string): boolean {
    const { directory, name } = this.#place(path);
    const isOpen = this.#pendingNames.some((changes) =>
      changes.some((change) => change.directory === directory && change.name === name),
    );
    if (isOpen || directory.entries.get(name)?.kind !== 'file') return false;
    directory.entries.delete(name);
    directory.durableEntries.delete(name);
    return true;
  }

  /** The page at `offset` of a file cannot be read any more (DISK_FAILED), now and after a crash, until it is written again. */
  breakPage(path: string, offset: number): void {
    this.#fileAt(path, offset).broken.add(Math.floor(offset / PAGE_BYTES));
  }

  /** After `after` more reads of any file, `times` of them give, unnoticed, what stands one page further on. */
  misdirectReads(times: number, after = 0): void {
    this.#misdirections = { after, times };
  }

  /**
   * Another disk with all that is on this one, also what was not synced: a card that was cloned, or an image to restore later. Files that
   * are open here are not open there; planned failures and cuts stay here.
   */
  copy(init: FakeDiskInit = {}): FakeDisk {
    const copy = new FakeDisk(init);
    const copies = new Map<Node, Node>();
    copy.#root = copyDirectory(this.#root, copies);
    copy.#pendingNames = this.#pendingNames.map((transaction) =>
      transaction.map(({ directory, name, node }) => ({
        directory: copyDirectory(directory, copies),
        name,
        node: node && copyNode(node, copies),
      })),
    );
    copy.#otherBytes = this.#otherBytes;
    return copy;
  }

  /**
   * What a file would hold after a power cut now, whatever became of all that was not synced. Null where there may be no such file, or where
   * its contents would depend on chance.
   */
  certain(path: string): Uint8Array | null {
    let node: Node | undefined = this.#root;
    for (const name of pathSegments(path)) {
      if (node?.kind !== 'directory') return null;
      const directory: DirectoryNode = node;
      node = directory.durableEntries.get(name);
      const isDoubtful = this.#pendingNames.some((changes) =>
        changes.some((change) => change.directory === directory && change.name === name && change.node !== node),
      );
      if (isDoubtful) return null;
    }
    if (node?.kind !== 'file' || node.unsyncedPages.size > 0 || node.unsyncedSizes.length > 0) return null;
    const bytes = new Uint8Array(node.durableSize);
    const { durablePages } = node;
    readFile(
      { ...node, size: node.durableSize },
      { into: bytes, offset: 0, pageAt: (index) => durablePages.get(index) },
    );
    return bytes;
  }

  /** Everything is gone: a card that was formatted anew. */
  wipe(): void {
    this.#root = newDirectory();
    this.#pendingNames = [];
    this.killProcess();
  }

  /** The process dies and the machine lives on (kill -9): nothing is lost, and files that were open are not valid any more. */
  killProcess(): void {
    this.#generation++;
    this.#failures.length = 0;
    this.#cutAt = Number.POSITIVE_INFINITY;
    this.#powered = true;
  }

  /** The power fails and comes back: what was not synced is there, or not, or in parts, as `prng` draws it. */
  crash(prng: Prng): void {
    this.#settleNames(new Set(this.#pendingNames), prng);
    assert(this.#pendingNames.length === 0, 'a crash decides every name');
    const decided = new Set<Node>();
    const decide = (node: Node): void => {
      if (decided.has(node)) return;
      decided.add(node);
      if (node.kind === 'file') crashFile(node, prng);
      else {
        node.entries = new Map(node.durableEntries);
        // By name, not in the order of the map: the same seed gives the same crash whatever the history of the directory.
        for (const name of [...node.entries.keys()].sort()) decide(node.entries.get(name)!);
      }
    };
    decide(this.#root);
    this.killProcess();
  }

  #openFile(file: FileNode, path: string, writable: boolean): DiskFile {
    const generation = this.#generation;
    let isOpen = true;
    const check = (toWrite: boolean): void => {
      assert(isOpen, `"${path}" is used after close`);
      assert(generation === this.#generation, `"${path}" was opened before the crash`);
      assert(writable || !toWrite, `"${path}" is open for reading only`);
    };
    return {
      read: (into, offset) => {
        check(false);
        assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a whole number from 0');
        this.#begin('read', path);
        return this.#read(file, path, { into, offset, pageAt: (index) => file.pages.get(index) });
      },
      readUncached: (into, offset) => {
        check(false);
        assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a whole number from 0');
        this.#begin('read', path);
        const pageAt = (index: number) => (file.unsyncedPages.has(index) ? file.pages : file.durablePages).get(index);
        return this.#read(file, path, { into, offset, pageAt });
      },
      uncached: () => 'direct',
      write: (bytes, offset) => {
        check(true);
        assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a whole number from 0');
        const partLength = () => this.#prng.below(bytes.length + 1);
        this.#beginChange('write', path, () => writeFile(file, bytes.subarray(0, partLength()), offset));
        const fitting = this.#fittingBytes(file, offset, bytes.length);
        writeFile(file, bytes.subarray(0, fitting), offset);
        this.#counts.writes++;
        this.#counts.writtenBytes += fitting;
        if (fitting < bytes.length) throw failure('DISK_FULL', path, 'The disk has no room to write');
      },
      truncate: (size) => {
        check(true);
        assert(Number.isSafeInteger(size) && size >= 0, 'a size is a whole number from 0');
        this.#beginChange('truncate', path);
        truncateFile(file, size);
      },
      allocate: (size) => {
        check(true);
        assert(Number.isSafeInteger(size) && size >= 0, 'a size is a whole number from 0');
        this.#beginChange('allocate', path);
        if (this.#fittingBytes(file, 0, size) < size)
          throw failure('DISK_FULL', path, 'The disk has no room to reserve');
        allocateFile(file, size);
      },
      sync: () => {
        check(false);
        this.#beginChange('sync', path, () => failSync(file, this.#prng));
        syncFile(file);
        this.#counts.syncs++;
      },
      size: () => {
        check(false);
        this.#checkPower();
        return file.size;
      },
      close: () => {
        isOpen = false;
      },
    };
  }

  /** Reads pages as `pageAt` has them, or the next ones where the read goes astray. */
  #read(
    file: FileNode,
    path: string,
    init: {
      readonly into: Uint8Array;
      readonly offset: number;
      readonly pageAt: (index: number) => Page | undefined;
    },
  ): number {
    const { into, offset, pageAt } = init;
    for (const index of file.broken) {
      const from = index * PAGE_BYTES;
      const isAsked = offset < from + PAGE_BYTES && from < offset + into.length;
      if (isAsked) throw failure('DISK_FAILED', path, `Page ${index} cannot be read`);
    }
    const { after, times } = this.#misdirections;
    if (after > 0 || times === 0) {
      this.#misdirections = { after: Math.max(0, after - 1), times };
      return readFile(file, init);
    }
    this.#misdirections = { after: 0, times: times - 1 };
    return readFile(file, { into, offset, pageAt: (index) => pageAt(index + 1) });
  }

  #fileAt(path: string, offset: number): FileNode {
    const file = this.#find(path);
    assert(file?.kind === 'file' && offset < file.size, `"${path}" is a file with a byte at ${offset}`);
    return file;
  }

  #checkPower(): void {
    if (!this.#powered) throw new PowerCut('the power is off');
  }

  /** Before any call: fails it where a test said so. */
  #begin(operation: DiskOperation, path: string, leaveBehind?: () => void): void {
    this.#checkPower();
    const at = this.#failures.findIndex((planned) => planned.operation === operation);
    if (at < 0) return;
    const [planned] = this.#failures.splice(at, 1);
    leaveBehind?.();
    throw failure(planned!.code, path, `The disk refused to ${operation}`);
  }

  /** Before a change: counts it, cuts the power where it is due, fails it (with what then remains of it) where a test said so. */
  #beginChange(change: DiskChange, path: string, leaveBehind?: () => void): void {
    this.#checkPower();
    if (this.#changes >= this.#cutAt) {
      this.#powered = false;
      this.#checkPower();
    }
    const index = this.#changes++;
    this.#onChange?.({ index, change, path });
    this.#begin(change, path, leaveBehind);
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of pathSegments(path)) {
      if (node?.kind !== 'directory') return undefined;
      node = node.entries.get(name);
    }
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.#find(path);
    if (node?.kind !== 'directory') throw failure('NOT_FOUND', path, 'There is no such directory');
    return node;
  }

  /** The directory and the name that a path ends in. */
  #place(path: string): { directory: DirectoryNode; name: string } {
    const segments = pathSegments(path);
    const name = segments.at(-1);
    if (name === undefined) throw failure('DISK_FAILED', path, 'The root is no file');
    return { directory: this.#directory(segments.slice(0, -1).join('/')), name };
  }

  #changeNames(transaction: NameTransaction): void {
    for (const { directory, name, node } of transaction) setName(directory.entries, name, node);
    this.#pendingNames.push(transaction);
  }

  /** What syncing `directory` makes durable: what came into it or went, and what was done to the same names before. */
  #transactionsOf(directory: DirectoryNode): Set<NameTransaction> {
    const settled = new Set<NameTransaction>();
    const names = new NameSet();
    for (const transaction of this.#pendingNames.toReversed()) {
      if (transaction.at(-1)!.directory !== directory && !names.hasAny(transaction)) continue;
      settled.add(transaction);
      names.addAll(transaction);
    }
    return settled;
  }

  /** Decides by `prng` which of `transactions` reached the medium; whatever follows on a name whose change was lost is lost too. */
  #settleNames(transactions: ReadonlySet<NameTransaction>, prng: Prng): void {
    const lost = new NameSet();
    for (const transaction of this.#pendingNames) {
      if (!transactions.has(transaction)) continue;
      if (prng.below(2) === 0 || lost.hasAny(transaction)) lost.addAll(transaction);
      else commitNames(transaction);
    }
    this.#pendingNames = this.#pendingNames.filter((transaction) => !transactions.has(transaction));
  }

  /** Files that have a name. */
  *#files(directory: DirectoryNode = this.#root): Generator<FileNode> {
    for (const node of directory.entries.values()) {
      if (node.kind === 'file') yield node;
      else yield* this.#files(node);
    }
  }

  #usedBytes(): number {
    let pages = 0;
    for (const file of this.#files()) pages += file.pages.size;
    return pages * PAGE_BYTES;
  }

  /** How many of `length` bytes at `offset` find room: pages that the file has already need none. */
  #fittingBytes(file: FileNode, offset: number, length: number): number {
    const end = offset + length;
    let freePages: number | undefined;
    for (let index = Math.floor(offset / PAGE_BYTES); index * PAGE_BYTES < end; index++) {
      if (file.pages.has(index)) continue;
      freePages ??= Math.floor(this.space().freeBytes / PAGE_BYTES);
      if (freePages-- <= 0) return Math.max(0, index * PAGE_BYTES - offset);
    }
    return length;
  }
}

/** Names in directories. */
class NameSet {
  readonly #names = new Map<DirectoryNode, Set<string>>();

  hasAny(transaction: NameTransaction): boolean {
    return transaction.some(({ directory, name }) => this.#names.get(directory)?.has(name) ?? false);
  }

  addAll(transaction: NameTransaction): void {
    for (const { directory, name } of transaction) {
      const names = this.#names.get(directory) ?? new Set();
      this.#names.set(directory, names.add(name));
    }
  }
}

function setName(entries: Map<string, Node>, name: string, node: Node | undefined): void {
  if (node === undefined) entries.delete(name);
  else entries.set(name, node);
}

function commitNames(transaction: NameTransaction): void {
  for (const { directory, name, node } of transaction) setName(directory.durableEntries, name, node);
}

function copyNode(node: Node, copies: Map<Node, Node>): Node {
  return node.kind === 'file' ? copyFile(node, copies) : copyDirectory(node, copies);
}

function copyDirectory(directory: DirectoryNode, copies: Map<Node, Node>): DirectoryNode {
  const made = copies.get(directory);
  if (made?.kind === 'directory') return made;
  const copy = newDirectory();
  copies.set(directory, copy);
  for (const [name, node] of directory.entries) copy.entries.set(name, copyNode(node, copies));
  for (const [name, node] of directory.durableEntries) copy.durableEntries.set(name, copyNode(node, copies));
  return copy;
}

/** Pages are never changed in place, so that both may hold the same ones. */
function copyFile(file: FileNode, copies: Map<Node, Node>): FileNode {
  const made = copies.get(file);
  if (made?.kind === 'file') return made;
  const copy: FileNode = {
    ...file,
    pages: new Map(file.pages),
    durablePages: new Map(file.durablePages),
    unsyncedPages: new Map([...file.unsyncedPages].map(([index, versions]) => [index, [...versions]])),
    unsyncedSizes: [...file.unsyncedSizes],
    broken: new Set(file.broken),
  };
  copies.set(file, copy);
  return copy;
}

function readFile(
  file: FileNode,
  { into, offset, pageAt }: { into: Uint8Array; offset: number; pageAt: (index: number) => Page | undefined },
): number {
  const count = Math.max(0, Math.min(into.length, file.size - offset));
  for (let done = 0; done < count; ) {
    const at = offset + done;
    const from = at % PAGE_BYTES;
    const length = Math.min(PAGE_BYTES - from, count - done);
    const page = pageAt(Math.floor(at / PAGE_BYTES)) ?? ZEROS;
    into.set(page.subarray(from, from + length), done);
    done += length;
  }
  return count;
}

function writeFile(file: FileNode, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    const at = offset + done;
    const index = Math.floor(at / PAGE_BYTES);
    const from = at % PAGE_BYTES;
    const part = bytes.subarray(done, done + PAGE_BYTES - from);
    const page = pageWith(file.pages.get(index) ?? ZEROS, part, from);
    file.pages.set(index, page);
    file.broken.delete(index);
    keepVersion(file, index, page);
    done += part.length;
  }
  if (bytes.length > 0) setSize(file, Math.max(file.size, offset + bytes.length));
}

/** `page` with `part` at `from`. Pages of zeros are all the same one, so that files that were filled with them cost nothing. */
function pageWith(page: Page, part: Uint8Array, from: number): Page {
  if (part.length === PAGE_BYTES && Buffer.compare(part, ZEROS) === 0) return ZEROS;
  const changed = newPage();
  if (part.length < PAGE_BYTES) changed.set(page);
  changed.set(part, from);
  return changed;
}

/** Memory of which the next pages are made. */
let unused = new Uint8Array(0);

function newPage(): Page {
  if (unused.length === 0) unused = new Uint8Array(PAGES_AT_ONCE * PAGE_BYTES);
  const page = unused.subarray(0, PAGE_BYTES);
  unused = unused.subarray(PAGE_BYTES);
  return page;
}

function allocateFile(file: FileNode, size: number): void {
  for (let index = 0; index * PAGE_BYTES < size; index++) {
    if (file.pages.has(index)) continue;
    file.pages.set(index, ZEROS);
    keepVersion(file, index, ZEROS);
  }
  setSize(file, Math.max(file.size, size));
}

function truncateFile(file: FileNode, size: number): void {
  for (const [index, page] of file.pages) {
    const kept = size - index * PAGE_BYTES;
    if (kept >= PAGE_BYTES) continue;
    const cut = kept > 0 ? Uint8Array.from(page).fill(0, kept) : ZEROS;
    if (kept > 0) file.pages.set(index, cut);
    else file.pages.delete(index);
    keepVersion(file, index, cut);
  }
  setSize(file, size);
}

function keepVersion(file: FileNode, index: number, page: Page): void {
  const versions = file.unsyncedPages.get(index) ?? [];
  versions.push(page);
  if (versions.length > PAGE_VERSIONS_MAX) versions.shift();
  file.unsyncedPages.set(index, versions);
}

function setSize(file: FileNode, size: number): void {
  if (size === file.size) return;
  file.size = size;
  file.unsyncedSizes.push(size);
}

function syncFile(file: FileNode): void {
  for (const index of file.unsyncedPages.keys()) {
    const page = file.pages.get(index);
    if (page === undefined) file.durablePages.delete(index);
    else file.durablePages.set(index, page);
  }
  file.unsyncedPages.clear();
  if (file.unsyncedSizes.length > 0) file.durableSize = file.size;
  file.unsyncedSizes = [];
}

/** Some pages get to the medium; the others are taken for written although they are not. */
function failSync(file: FileNode, prng: Prng): void {
  drawDurable(file, prng);
  file.unsyncedPages.clear();
  file.unsyncedSizes = [];
}

function crashFile(file: FileNode, prng: Prng): void {
  drawDurable(file, prng);
  file.unsyncedPages.clear();
  file.unsyncedSizes = [];
  file.pages = new Map(file.durablePages);
  file.size = file.durableSize;
  // What lies behind the end is not part of the file: growing it again gives zeros.
  truncateFile(file, file.size);
  syncFile(file);
}

/** Draws what the medium holds of everything that was not synced. */
function drawDurable(file: FileNode, prng: Prng): void {
  for (const index of [...file.unsyncedPages.keys()].sort((a, b) => a - b)) {
    file.durablePages.set(index, drawPage(file, index, prng));
  }
  if (file.unsyncedSizes.length > 0) file.durableSize = drawSize(file, prng);
}

function drawPage(file: FileNode, index: number, prng: Prng): Page {
  const versions = [file.durablePages.get(index) ?? ZEROS, ...file.unsyncedPages.get(index)!];
  const draw = () => versions[prng.below(versions.length)]!;
  const isTorn = prng.below(4) === 0;
  if (!isTorn) return draw();
  const page = new Uint8Array(PAGE_BYTES);
  for (let at = 0; at < PAGE_BYTES; at += SECTOR_BYTES) page.set(draw().subarray(at, at + SECTOR_BYTES), at);
  return page;
}

/** One of the sizes that the file had, or, since pages are written one by one, a page's end on the way there. */
function drawSize(file: FileNode, prng: Prng): number {
  const sizes = [file.durableSize, ...file.unsyncedSizes];
  const size = sizes[prng.below(sizes.length)]!;
  const firstEnd = Math.floor(file.durableSize / PAGE_BYTES) + 1;
  const ends = Math.ceil(size / PAGE_BYTES) - firstEnd;
  if (ends < 1 || prng.below(2) === 0) return size;
  return (firstEnd + prng.below(ends)) * PAGE_BYTES;
}
