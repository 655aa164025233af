/**
 * LineCalls: GPIO lines through the kernel's character device.
 *
 * Edges are waited for by poll(2) in Node's pool of threads. Node's own event loop takes no descriptor of this kind: libuv watches those that it
 * knows how to read, and shows its poll handle to nobody. A read there would wait in the pool too, but could not be ended: close(2)
 * does not wake it. A worker thread would cost a heap of its own and could not be ended any sooner. So one of four pool threads waits
 * on the lines and on an eventfd(2) that ends the wait; look-ups of names and files of the command line get by with the other three. Node joins its pool when the
 * process exits, hence the eventfd is written then too, and no wait is longer than a second.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { TuttiError } from '../../core/errors.js';
import type { Libc } from '../libc/libc.js';
import {
  BYTES,
  CALLS,
  type ChipInfo,
  type LineEdge,
  type LineWish,
  lineInfoFor,
  lineRequestFor,
  lineValues,
  readChipInfo,
  readConsumer,
  readEdges,
  readLineDescriptor,
  readLineValue,
} from './line-abi.js';

/** Kernel calls for lines of chips. Failures are TuttiErrors with the code NOT_FOUND and a sentence that says why. */
export interface LineCalls {
  /** What a chip says of itself. `device` is its path: /dev/gpiochip0. */
  chipInfo(device: string): ChipInfo;
  /** Who has a line; null where nobody does. */
  holder(device: string, line: number): string | null;
  /** Takes a line, and gives the descriptor that stands for it. */
  request(device: string, wish: LineWish): number;
  /** Lets a line go. */
  release(descriptor: number): void;
  /** True where the line is active. */
  value(descriptor: number): boolean;
  /** Makes an output active, or not. From any thread. */
  setValue(descriptor: number, isActive: boolean): void;
  /** The edges that nobody has read yet, the oldest first. */
  edges(descriptor: number): LineEdge[];
  /** Waits until there are edges to be read, or {@link LineWait.end} is called. One wait at a time. */
  waiting(descriptors: readonly number[]): LineWait;
  /** CLOCK_MONOTONIC, nanoseconds. */
  monotonicNs(): bigint;
}

/** Waiting for edges of some lines. */
export interface LineWait {
  /** Resolves when there may be edges; true where there will be none any more since waiting was ended. */
  next(): Promise<boolean>;
  /** Idempotent. */
  end(): void;
  /** Lets go of what waiting took: when the last `next` has resolved. */
  close(): void;
}

/** Events of a line that one read takes: the kernel keeps 16. */
const EVENTS_AT_ONCE = 16;
/** No wait in the pool is longer: see above. Milliseconds. */
const WAIT_MS_MAX = 1_000;
/** From fcntl.h. */
const F_SETFL = 4;
/** From poll.h. */
const POLLIN = 1;
/** From eventfd(2), the same numbers as for open(2). */
const EFD_CLOEXEC = 0o2000000;
/** One struct pollfd, as 32-bit words: the descriptor, and two halves of 16 bits. */
const POLL_WORDS = 2;
/** From errno-base.h. */
const EACCES = 13;
const EBUSY = 16;
const EINVAL = 22;
const EPERM = 1;

/** The calls of this machine. */
export function lineCalls(libc: Libc): LineCalls {
  const ioctl = libc.bind('int ioctl(int fd, unsigned long request, void *argument)');
  const fcntl = libc.bind('int fcntl(int fd, int command, int flags)');
  const call = (descriptor: number, request: number, argument: Uint8Array): Uint8Array => {
    if (ioctl(descriptor, request, argument) === 0) return argument;
    throw new TuttiError('NOT_FOUND', `the GPIO lines fail: errno ${libc.errno()}`);
  };
  const withChip = <T>(device: string, use: (chip: number) => T): T => {
    const chip = openChip(device);
    try {
      return use(chip);
    } finally {
      closeSync(chip);
    }
  };
  return {
    chipInfo: (device) =>
      withChip(device, (chip) => readChipInfo(call(chip, CALLS.chipInfo, new Uint8Array(BYTES.chipInfo)))),
    holder: (device, line) => withChip(device, (chip) => readConsumer(call(chip, CALLS.lineInfo, lineInfoFor(line)))),
    request: (device, wish) =>
      withChip(device, (chip) => {
        const asked = lineRequestFor(wish);
        if (ioctl(chip, CALLS.getLine, asked) !== 0) {
          const errno = libc.errno();
          const info = lineInfoFor(wish.line);
          const holder = ioctl(chip, CALLS.lineInfo, info) === 0 ? readConsumer(info) : null;
          throw new TuttiError('NOT_FOUND', refusalOf({ device, line: wish.line, errno, holder }));
        }
        const descriptor = readLineDescriptor(asked);
        fcntl(descriptor, F_SETFL, constants.O_NONBLOCK);
        return descriptor;
      }),
    release: closeSync,
    value: (descriptor) => readLineValue(call(descriptor, CALLS.getValues, lineValues(false))),
    setValue: (descriptor, isActive) => void call(descriptor, CALLS.setValues, lineValues(isActive)),
    edges: readAllEdges,
    waiting: (descriptors) => new PollWait(libc, descriptors),
    monotonicNs: () => process.hrtime.bigint(),
  };
}

/** poll(2) in Node's pool. */
class PollWait implements LineWait {
  readonly #poll: (...values: readonly unknown[]) => Promise<number>;
  readonly #asked: Int32Array;
  readonly #ending: number;
  readonly #end = () => this.end();
  #isOver = false;

  constructor(libc: Libc, descriptors: readonly number[]) {
    this.#poll = libc.bindPooled('int poll(void *fds, unsigned long count, int timeout)');
    this.#ending = libc.bind('int eventfd(unsigned int count, int flags)')(0, EFD_CLOEXEC);
    this.#asked = Int32Array.from([this.#ending, ...descriptors].flatMap((descriptor) => [descriptor, POLLIN]));
    process.on('exit', this.#end);
  }

  async next(): Promise<boolean> {
    for (;;) {
      const found = await this.#poll(this.#asked, this.#asked.length / POLL_WORDS, WAIT_MS_MAX);
      // Below zero: a signal came in between.
      if (this.#isOver || found !== 0) return this.#isOver;
    }
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    writeSync(this.#ending, BigUint64Array.of(1n));
  }

  close(): void {
    process.off('exit', this.#end);
    closeSync(this.#ending);
  }
}

function openChip(device: string): number {
  try {
    return openSync(device, constants.O_RDWR);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const isNotAllowed = code === 'EACCES' || code === 'EPERM';
    const why = isNotAllowed
      ? 'this user may not open it; the group gpio may'
      : `it cannot be opened (${String(code)})`;
    throw new TuttiError('NOT_FOUND', `${device}: ${why}`, {}, error);
  }
}

function readAllEdges(descriptor: number): LineEdge[] {
  const bytes = new Uint8Array(EVENTS_AT_ONCE * BYTES.event);
  const edges: LineEdge[] = [];
  for (;;) {
    try {
      const count = readSync(descriptor, bytes);
      edges.push(...readEdges(bytes.subarray(0, count)));
      if (count < bytes.length) return edges;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EAGAIN') return edges;
      throw new TuttiError('NOT_FOUND', `the chip of the GPIO lines is gone (${String(code)})`, {}, error);
    }
  }
}

function refusalOf(refused: {
  readonly device: string;
  readonly line: number;
  readonly errno: number;
  readonly holder: string | null;
}): string {
  const { device, line, errno, holder } = refused;
  const where = `line ${line} of ${device}`;
  if (errno === EBUSY) return `${where} is in use${holder === null ? '' : ` by ${holder}`}`;
  if (errno === EINVAL) return `there is no ${where}, or it cannot do this`;
  if (errno === EACCES || errno === EPERM) return `${where}: this user may not have it`;
  return `${where} cannot be had: errno ${errno}`;
}
