/**
 * Ring: the file of identifiers, one page for each batch, at the batch's sequence modulo the ring's size; never two in a page, since a
 * page is what one torn write takes with it.
 *
 * A page is written again only when the batch that it named is dead (store.ts counts). So what a page shows before its turn is known:
 * zeros, or the identifier one round older. Anything else means that something was there and is lost.
 *
 * Whoever writes a batch's identifier writes zeros to the page of the next one, under the same sync. Else a page that the card had spoilt in
 * the round since it was written, which nobody reads, would tell of a next batch as soon as the power cuts that one off.
 */
import type { Disk, DiskFile } from '../ports/disk.js';
import { type Identifier, readIdentifier, writeIdentifier } from './identifier.js';
import { CHUNK_BYTES, PAGE_BYTES } from './limits.js';
import { fillFile, isZero, LOST_VALUE, readPages } from './page.js';

/** What the page of a batch shows: its identifier; that none was ever written; or neither, being damaged. */
export type IdentifierFound = Identifier | 'absent' | 'damaged';

/** All that the ring says. */
export interface RingContents {
  /** Identifiers of live batches, in no order. */
  readonly live: readonly Identifier[];
  /** What the page of one batch shows. */
  readonly find: (sequence: number) => IdentifierFound;
}

const FILE = 'identifiers';

/** The ring of a store that is open. */
export class Ring {
  readonly #file: DiskFile;
  readonly #seal: number;
  readonly #pages: number;
  /** An identifier's page, and zeros for the one behind it. */
  readonly #pair = new Uint8Array(2 * PAGE_BYTES);
  readonly #page = this.#pair.subarray(0, PAGE_BYTES);
  readonly #blank = this.#pair.subarray(PAGE_BYTES);

  private constructor(file: DiskFile, init: { readonly seal: number; readonly pages: number }) {
    this.#file = file;
    this.#seal = init.seal;
    this.#pages = init.pages;
  }

  /** Makes the file in `folder`, every page written once. Not synced in its directory. */
  static format(disk: Disk, folder: string, pages: number): void {
    const file = disk.open(`${folder}/${FILE}`, 'create');
    fillFile(file, { from: 0, bytes: pages * PAGE_BYTES, value: 0 });
    file.sync();
    file.close();
  }

  /** Opens it. A file that is gone or short is made anew, as one whose pages were lost, and `repaired` says so. */
  static open(
    disk: Disk,
    folder: string,
    init: { readonly seal: number; readonly pages: number; readonly repaired: (what: string) => void },
  ): Ring {
    const file = disk.open(`${folder}/${FILE}`, 'create');
    const [size, bytes] = [file.size(), init.pages * PAGE_BYTES];
    if (size < bytes) {
      init.repaired(`the file ${FILE} had ${size} of ${bytes} bytes: the rest counts as lost`);
      fillFile(file, { from: size - (size % PAGE_BYTES), bytes, value: LOST_VALUE });
    }
    // What a process that was killed left in the cache is on the medium from here on, so that what is read holds.
    file.sync();
    if (size < bytes) disk.syncDirectory(folder);
    return new Ring(file, init);
  }

  /**
   * Writes the identifier of the last batch, and returns when it is durable. What the page of the next one told is gone.
   * @throws TuttiError DISK_FAILED
   */
  append(identifier: Identifier): void {
    const offset = this.#offsetOf(identifier.sequence);
    const next = this.#offsetOf(identifier.sequence + 1);
    writeIdentifier(this.#page, identifier, this.#seal);
    if (next > offset) this.#file.write(this.#pair, offset);
    else {
      this.#file.write(this.#page, offset);
      this.#file.write(this.#blank, next);
    }
    this.#file.sync();
  }

  /**
   * Writes what recovery found wanting, and returns when it is durable: identifiers of batches that are whole, and zeros where the page of
   * the batch `next`, which never was, is damaged. @throws TuttiError DISK_FAILED
   */
  mend(identifiers: readonly Identifier[], next: number): void {
    const isNextDamaged = this.read(next) === 'damaged';
    if (identifiers.length === 0 && !isNextDamaged) return;
    for (const identifier of identifiers) {
      writeIdentifier(this.#page, identifier, this.#seal);
      this.#file.write(this.#page, this.#offsetOf(identifier.sequence));
    }
    if (isNextDamaged) this.#file.write(this.#blank, this.#offsetOf(next));
    this.#file.sync();
  }

  /** What the medium says of every batch from `first` on, for one round of the ring. */
  readAll(first: number): RingContents {
    const found: (Identifier | undefined)[] = [];
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, this.#pages * PAGE_BYTES));
    while (found.length < this.#pages) {
      const part = chunk.subarray(0, (this.#pages - found.length) * PAGE_BYTES);
      readPages(this.#file, part, found.length * PAGE_BYTES);
      for (let at = 0; at < part.length; at += PAGE_BYTES) {
        found.push(this.#identifierAt(found.length, part.subarray(at, at + PAGE_BYTES), first));
      }
    }
    return {
      live: found.filter((identifier) => identifier !== undefined && identifier.sequence >= first) as Identifier[],
      find: (sequence) => {
        if (sequence < first || sequence >= first + this.#pages) return 'absent';
        const identifier = found[sequence % this.#pages];
        if (identifier?.sequence === sequence) return identifier;
        // What is none is looked at once more: a read that went astray is no damage. Nor does it show that nothing was ever written.
        const again = this.read(sequence);
        return again === 'absent' ? this.read(sequence) : again;
      },
    };
  }

  /** What the medium says of one batch. */
  read(sequence: number): IdentifierFound {
    const page = new Uint8Array(PAGE_BYTES);
    readPages(this.#file, page, this.#offsetOf(sequence));
    const identifier = this.#identifierAt(sequence % this.#pages, page, sequence);
    if (identifier === undefined) return isZero(page) ? 'absent' : 'damaged';
    // A page that names an earlier batch was never written for this one.
    return identifier.sequence === sequence ? identifier : 'absent';
  }

  /** Idempotent. */
  close(): void {
    this.#file.close();
  }

  #offsetOf(sequence: number): number {
    return (sequence % this.#pages) * PAGE_BYTES;
  }

  /** What a page says that is in its place, and of a batch that can be; any other is no better than a damaged one. */
  #identifierAt(index: number, page: Uint8Array, first: number): Identifier | undefined {
    const identifier = readIdentifier(page, this.#seal);
    const isInPlace = identifier !== undefined && identifier.sequence % this.#pages === index;
    return isInPlace && identifier.sequence < first + this.#pages ? identifier : undefined;
  }
}
