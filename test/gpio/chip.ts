/** The GPIO chip of fake-chip.c: made, pressed and looked at by a test, for a process of its own. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BYTES } from '../../src/io/gpio/line-abi.js';
import { loadLibc } from '../../src/io/libc/libc.js';

/** Tests run in the root of the repository. */
const SOURCE = join('test', 'gpio', 'fake-chip.c');
/** Lines of a Raspberry Pi's. */
const LINES = 54;
const RISING = 1;
const FALLING = 2;

/** The library that is preloaded, or what this machine lacks to make it: the reason with which a test is skipped. */
export function buildFakeChip(): { readonly library: string } | { readonly missing: string } {
  if (loadLibc() === undefined) return { missing: 'koffi does not load on this machine' };
  if (!existsSync('/usr/include/linux/gpio.h')) return { missing: 'no linux/gpio.h here: apt-get install libc6-dev' };
  const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const library = join(tmpdir(), `tutti-fake-chip-${hash}.so`);
  if (existsSync(library)) return { library };
  const own = `${library}.${process.pid}`;
  try {
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', own, SOURCE, '-ldl']);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { missing: 'no C compiler here: apt-get install gcc' };
    throw error;
  }
  renameSync(own, library);
  return { library };
}

/** A chip in an empty folder. */
export class PreloadedChip {
  readonly #folder: string;
  readonly #library: string;
  readonly #aheadNs: bigint;

  /**
   * @param init the folder is made; the library is that of {@link buildFakeChip}. `aheadNs`: how far the process's CLOCK_MONOTONIC is ahead of
   * this one's, where it has one of its own
   */
  constructor(init: { readonly folder: string; readonly library: string; readonly aheadNs?: bigint }) {
    const { folder, library, aheadNs = 0n } = init;
    this.#folder = folder;
    this.#aheadNs = aheadNs;
    this.#library = library;
    mkdirSync(join(folder, 'dev'), { recursive: true });
    mkdirSync(join(folder, 'sys/bus/gpio/devices/gpiochip0'), { recursive: true });
    if (existsSync(this.device)) return;
    writeFileSync(this.device, '');
    for (const name of ['grounded', 'lamps']) writeFileSync(join(folder, name), new Uint8Array(LINES));
    const lines = Array.from({ length: LINES }, (_, line) => join(folder, `line${line}`));
    execFileSync('mkfifo', lines);
  }

  /** The chip's character device. */
  get device(): string {
    return join(this.#folder, 'dev/gpiochip0');
  }

  /** What a process needs in its environment to have the chip. */
  get env(): Record<string, string> {
    return { LD_PRELOAD: this.#library, FAKE_GPIO_FOLDER: this.#folder, TUTTI_TEST_GPIO_ROOT: this.#folder };
  }

  /** Another program holds a line, or lets it go again. */
  take(line: number, holder: string | null): void {
    const file = join(this.#folder, `taken${line}`);
    if (holder === null) rmSync(file, { force: true });
    else writeFileSync(file, holder);
  }

  /** Connects a line to ground, as a button does, or lets it go. Gives the instant, by CLOCK_MONOTONIC, nanoseconds. */
  ground(line: number, isGrounded: boolean): bigint {
    this.#put('grounded', line, isGrounded ? 1 : 0);
    const at = process.hrtime.bigint();
    const event = new DataView(new ArrayBuffer(BYTES.event));
    event.setBigUint64(0, at + this.#aheadNs, true);
    event.setUint32(8, isGrounded ? RISING : FALLING, true);
    event.setUint32(12, line, true);
    let fifo: number;
    try {
      fifo = openSync(join(this.#folder, `line${line}`), constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      // Nobody has the line.
      if ((error as NodeJS.ErrnoException).code === 'ENXIO') return at;
      throw error;
    }
    writeSync(fifo, event);
    closeSync(fifo);
    return at;
  }

  /** Whether the lamp at a line shines. */
  isHigh(line: number): boolean {
    const file = openSync(join(this.#folder, 'lamps'), 'r');
    const byte = new Uint8Array(1);
    readSync(file, byte, 0, 1, line);
    closeSync(file);
    return byte[0] === 1;
  }

  #put(name: string, line: number, value: number): void {
    const file = openSync(join(this.#folder, name), 'r+');
    writeSync(file, Uint8Array.of(value), 0, 1, line);
    closeSync(file);
  }
}
