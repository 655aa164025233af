/**
 * A ring of samples between two threads: one writes, one reads, nobody waits.
 *
 * Both ends see the same SharedArrayBuffer: two counters, then the samples. Each counter has one writer and only ever rises (modulo
 * 2^32), so no lock is needed: samples are written before the counter that publishes them, and `Atomics` keep that order for the other
 * side. The capacity is a power of two, so that a counter that wraps still points at the right place.
 *
 * Further reading: L. Lamport, "Specifying Concurrent Program Modules" (TOPLAS 5, 1983), on queues with one writer per variable.
 */
import { assert } from '../core/assert.js';

const WRITTEN = 0;
const READ = 1;
/** Bytes before the samples: two counters of 32 bits, which keeps the samples on a multiple of 8. */
const HEADER_BYTES = 8;
/** Largest capacity: the difference of two counters must fit 31 bits. */
const CAPACITY_MAX = 2 ** 30;

/** A buffer for at least `samples` samples. */
export function allocateRing(samples: number): SharedArrayBuffer {
  assert(samples >= 1 && samples <= CAPACITY_MAX, `a ring holds 1 to 2^30 samples, not ${samples}`);
  const capacity = 2 ** Math.ceil(Math.log2(samples));
  return new SharedArrayBuffer(HEADER_BYTES + capacity * Float64Array.BYTES_PER_ELEMENT);
}

/** What both ends share: where the counters and samples are. */
class RingEnd {
  /** Samples that fit. */
  readonly capacity: number;
  protected readonly counters: Int32Array;
  protected readonly samples: Float64Array;

  /** @param buffer from {@link allocateRing} */
  constructor(buffer: SharedArrayBuffer) {
    this.counters = new Int32Array(buffer, 0, 2);
    this.samples = new Float64Array(buffer, HEADER_BYTES);
    this.capacity = this.samples.length;
  }

  /** Samples that are written and not yet read. */
  get buffered(): number {
    return (Atomics.load(this.counters, WRITTEN) - Atomics.load(this.counters, READ)) | 0;
  }
}

/** The one end that fills a ring. */
export class RingWriter extends RingEnd {
  /** Samples that fit now. */
  get free(): number {
    return this.capacity - this.buffered;
  }

  /** Appends the first `count` of `from`; there must be room for them. */
  write(from: Float64Array, count: number): void {
    assert(count <= this.free, 'a ring takes only what fits');
    const written = Atomics.load(this.counters, WRITTEN);
    const start = written & (this.capacity - 1);
    const first = Math.min(count, this.capacity - start);
    this.samples.set(from.subarray(0, first), start);
    if (first < count) this.samples.set(from.subarray(first, count), 0);
    Atomics.store(this.counters, WRITTEN, (written + count) | 0);
  }

  /** Empties the ring. Only while the other end is known not to touch it. */
  reset(): void {
    Atomics.store(this.counters, READ, 0);
    Atomics.store(this.counters, WRITTEN, 0);
  }
}

/** The one end that empties a ring. */
export class RingReader extends RingEnd {
  /** Moves the oldest `count` samples to `into`, from `start` on; they must be there. Allocates nothing. */
  read(into: Float64Array, start: number, count: number): void {
    assert(count <= this.buffered, 'a ring gives only what is there');
    const read = Atomics.load(this.counters, READ);
    const mask = this.capacity - 1;
    for (let i = 0; i < count; i++) into[start + i] = this.samples[(read + i) & mask]!;
    Atomics.store(this.counters, READ, (read + count) | 0);
  }

  /** Drops the oldest `count` samples; they must be there. */
  skip(count: number): void {
    assert(count <= this.buffered, 'a ring drops only what is there');
    Atomics.store(this.counters, READ, (Atomics.load(this.counters, READ) + count) | 0);
  }
}
