/**
 * SimDisk: a FakeDisk that can be copied, that now and then reads from the wrong place, as worn cards do, and that knows where the last batch
 * of a log stands: bits that flip anywhere on a card hardly ever meet the two places at which the latest agreement is kept.
 */
import { Prng } from '../../src/core/prng.js';
import type { Disk, DiskFile } from '../../src/ports/disk.js';
import { FakeDisk, type FakeDiskInit, PAGE_BYTES } from '../../src/ports/fake-disk.js';

/** What is written first with every batch, and then beside it: see storage/store.ts. */
const BODIES = /^consensus\/log-[0-9]+$/;
const IDENTIFIERS = 'consensus/identifiers';
/** Where the first record of a batch stands, behind the header and its length: with the header alone damaged, records are saved. Bytes. */
const RECORD_AT = 44;
/** From there, and from the start of an identifier: no bit here is without meaning. Bytes. */
const MEANT_BYTES = 24;

/** Where something was written and synced. */
interface Place {
  readonly path: string;
  readonly offset: number;
}

/** One disk. */
export class SimDisk extends FakeDisk {
  readonly #prng: Prng;
  #misdirected = 0;
  #lastBody: Place | null = null;
  #lastIdentifier: Place | null = null;

  constructor(init: FakeDiskInit & { readonly seed: number }) {
    super(init);
    this.#prng = new Prng(init.seed);
  }

  /** One of the next `within` reads gives another page of the file than the one that was asked for. */
  misdirectOneOf(within: number): void {
    this.#misdirected = 1 + this.#prng.below(within);
  }

  /** Flips a bit of the last batch that is durable, and one of its identifier where `both` are to be lost; false where there is none. */
  loseLastBatch(both: boolean): boolean {
    const [body, identifier] = [this.#lastBody, this.#lastIdentifier];
    if (body === null || identifier === null) return false;
    this.#flipAt(body, RECORD_AT);
    if (both) this.#flipAt(identifier, 0);
    return true;
  }

  #flipAt({ path, offset }: Place, from: number): void {
    this.flipBit(path, offset + from + this.#prng.below(MEANT_BYTES), this.#prng.below(8));
  }

  override open(path: string, mode: 'read' | 'write' | 'create' | 'exclusive'): DiskFile {
    const file = super.open(path, mode);
    let written: Place | null = null;
    return {
      ...file,
      read: (into, offset) => file.read(into, this.#misdirect(file, offset)),
      readUncached: (into, offset) => file.readUncached(into, this.#misdirect(file, offset)),
      write: (bytes, offset) => {
        file.write(bytes, offset);
        written = { path, offset };
      },
      sync: () => {
        file.sync();
        if (written === null) return;
        if (BODIES.test(path)) this.#lastBody = written;
        else if (path === IDENTIFIERS) this.#lastIdentifier = written;
      },
    };
  }

  #misdirect(file: DiskFile, offset: number): number {
    if (this.#misdirected === 0 || --this.#misdirected > 0) return offset;
    const pages = Math.floor(file.size() / PAGE_BYTES);
    return pages < 2 ? offset : (offset % PAGE_BYTES) + PAGE_BYTES * this.#prng.below(pages);
  }
}

/** Every file below a directory, by name. */
export function filesBelow(disk: Disk, folder = ''): { readonly path: string; readonly size: number }[] {
  return disk.list(folder).flatMap(({ name, kind, size }) => {
    const path = folder === '' ? name : `${folder}/${name}`;
    return kind === 'directory' ? filesBelow(disk, path) : [{ path, size }];
  });
}

/** Bytes of a file. */
export function sizeOf(disk: Disk, path: string): number {
  const file = disk.open(path, 'read');
  const size = file.size();
  file.close();
  return size;
}

/** Writes all that `from` holds to `to`, which is empty, and syncs it: an image of a card that is not in use. */
export function copyDisk(from: Disk, to: Disk): void {
  const folders = new Set(['']);
  for (const { path, size } of filesBelow(from)) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    to.makeDirectory(folder);
    for (let part = folder; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('/')))) folders.add(part);
    const source = from.open(path, 'read');
    const target = to.open(path, 'create');
    const bytes = new Uint8Array(size);
    source.read(bytes, 0);
    if (size > 0) target.write(bytes, 0);
    target.sync();
    source.close();
    target.close();
  }
  for (const folder of folders) to.syncDirectory(folder);
}
