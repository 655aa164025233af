/** A card of its own for a node: an ext4 file system in a file, which only the node's process sees, so that a test can spoil it from below. */
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { type Daemon, until } from './daemon.js';
import { run } from './wav-files.js';

const BLOCK_BYTES = 4_096;

export class CardImage {
  /** The command in which a daemon has to run, see {@link DaemonInit.within}. */
  readonly within: readonly string[];
  readonly #image: string;
  readonly #folder: string;

  private constructor(image: string, folder: string) {
    this.#image = image;
    this.#folder = folder;
    // Each becomes the next, so the process that is started is the daemon; the mount ends with it.
    this.within = ['unshare', '--mount', 'sh', '-c', 'mount -o loop "$0" "$1" && shift && exec "$@"', image, folder];
  }

  /** False where such a card can be made, else why not. */
  static missing(): string | false {
    if (process.getuid?.() !== 0) return 'a card of its own is made by root only';
    for (const program of ['mkfs.ext4', 'debugfs', 'losetup']) {
      if (spawnSync(program, ['-V']).error !== undefined)
        return `${program} is not installed (apt-get install e2fsprogs mount)`;
    }
    if (spawnSync('losetup', ['--find']).status !== 0) return 'there is no loop device here';
    return spawnSync('unshare', ['--mount', 'true']).status === 0 ? false : 'mount namespaces are not allowed here';
  }

  /** Makes an empty one of `bytes` bytes in the file `image`, to be seen at `folder`. */
  static make(image: string, folder: string, bytes: number): CardImage {
    run('truncate', ['-s', String(bytes), image]);
    run('mkfs.ext4', ['-q', '-F', '-b', String(BLOCK_BYTES), '-m', '0', image]);
    mkdirSync(folder, { recursive: true });
    return new CardImage(image, folder);
  }

  /** Where the test sees what the daemon sees at the card's place, while it runs. */
  seenBy(daemon: Daemon): string {
    return `/proc/${daemon.process.pid}/root${this.#folder}`;
  }

  /** Waits until nobody has it mounted any more: a moment after its daemon has ended. */
  async released(): Promise<void> {
    await until('the card is released', () => run('losetup', ['-j', this.#image]).length === 0);
  }

  /** Flips the highest bit of one byte of a file, below the file system. Only while it is `released`. `path`: within the card. */
  flip(path: string, offset: number): void {
    const found = run('debugfs', ['-R', `bmap ${path} ${Math.floor(offset / BLOCK_BYTES)}`, this.#image]);
    const block = Number(Buffer.from(found).toString().trim());
    if (!(block > 0)) throw new Error(`debugfs found no block of ${path} at ${offset}: ${Buffer.from(found)}`);
    flipByte(this.#image, block * BLOCK_BYTES + (offset % BLOCK_BYTES));
  }
}

/** Flips the highest bit of one byte of a file, durably. */
export function flipByte(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  byte[0]! ^= 0x80;
  writeSync(file, byte, 0, 1, offset);
  fsyncSync(file);
  closeSync(file);
}
