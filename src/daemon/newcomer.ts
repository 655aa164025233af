/**
 * Newcomer: a daemon that wants to become a node, before it is one.
 *
 * What can be known to fail is looked at before anybody is asked: a node that was let in and then finds no room for its log would stand among
 * the members for good. And the ids under which it asks are kept on the disk until its store holds them: whatever goes wrong after it was
 * let in, the next try is the same member. They must be gone before the store is used, or a card that lost its store would come again
 * under ids that have promised something.
 */
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import { type Incarnation, nodeId } from '../core/ids.js';
import { randomId } from '../node/random-id.js';
import { readId, writeId } from '../paxos/codec.js';
import type { Disk } from '../ports/disk.js';
import type { Random } from '../ports/random.js';
import type { MemberIdentity } from '../replication/replicated-log.js';
import { type StoreLimits, storeBytes } from '../storage/limits.js';
import { writeDurably } from '../tracks/durable-write.js';

/** Below the data directory. */
const FILE = 'newcomer';
const VERSION = 1;
/** The file is far shorter. Bytes. */
const FILE_BYTES_MAX = 256;
const MEGA = 1e6;

type Ids = Pick<MemberIdentity, 'node' | 'incarnation'>;

/** The card of a node to be. */
export class Newcomer {
  readonly #disk: Disk;
  readonly #random: Random;
  readonly #limits: StoreLimits;

  /** @param init of the store that it will have */
  constructor(components: { readonly disk: Disk; readonly random: Random }, init: { readonly limits: StoreLimits }) {
    this.#disk = components.disk;
    this.#random = components.random;
    this.#limits = init.limits;
  }

  /** @throws TuttiError DISK_FULL where the disk has no room for a store */
  checkRoom(): void {
    const needed = storeBytes(this.#limits);
    const { freeBytes } = this.#disk.space();
    if (freeBytes >= needed) return;
    const [takes, free] = [Math.ceil(needed / MEGA), Math.floor(freeBytes / MEGA)];
    throw new TuttiError(
      'DISK_FULL',
      `the log of a node takes ${takes} MB, and the disk of the data directory has ${free} MB free`,
    );
  }

  /** As whom this daemon asks to be let in: the same at each call, over restarts too, until {@link forget}. @throws TuttiError DISK_FULL, DISK_FAILED */
  ids(): Ids {
    const known = this.#read();
    if (known !== null) return known;
    const ids = { node: nodeId(randomId(this.#random)), incarnation: randomId(this.#random) as Incarnation };
    const to = new ByteWriter();
    to.u8(VERSION);
    writeId(to, ids.node);
    writeId(to, ids.incarnation);
    writeDurably(this.#disk, `${FILE}.new`, '', FILE, to.take());
    return ids;
  }

  /** The ids are in a store now, durably. @throws TuttiError DISK_FAILED */
  forget(): void {
    if (!this.#disk.exists(FILE)) return;
    this.#disk.remove(FILE);
    this.#disk.syncDirectory('');
  }

  /** Null where there are none, or none that can be read. */
  #read(): Ids | null {
    if (!this.#disk.exists(FILE)) return null;
    const bytes = new Uint8Array(FILE_BYTES_MAX);
    const file = this.#disk.open(FILE, 'read');
    try {
      const from = new ByteReader(bytes.subarray(0, file.read(bytes, 0)));
      if (from.u8() !== VERSION) return null;
      const ids = { node: nodeId(readId(from)), incarnation: readId(from) as Incarnation };
      from.end();
      return ids;
    } catch (error) {
      if (error instanceof TuttiError && error.code === 'BAD_FRAME') return null;
      throw error;
    } finally {
      file.close();
    }
  }
}
