/** A GPIO chip without a kernel: lines that a test pulls down and looks at, behind the calls of the character device. */
import { TuttiError } from '../../src/core/errors.js';
import { type ChipInfo, LINE_FLAGS, type LineEdge, type LineWish } from '../../src/io/gpio/line-abi.js';
import type { LineCalls, LineWait } from '../../src/io/gpio/line-calls.js';
import type { Time } from '../../src/ports/time.js';

interface Held {
  readonly line: number;
  readonly wish: LineWish;
  readonly edges: LineEdge[];
  /** An output's; an input's follows from its line. */
  isActive: boolean;
}

/** How far CLOCK_MONOTONIC is from the clock that Tutti lives by. Nanoseconds. */
const MONOTONIC_AHEAD_NS = 123_456_789n;
/** The kernel keeps 16 events of a line, and drops the oldest. */
const EVENTS_KEPT = 16;

export class FakeChip implements LineCalls {
  readonly #time: Time;
  readonly #held = new Map<number, Held>();
  /** Lines that are at ground; what is pulled up is high otherwise. */
  readonly #grounded = new Set<number>();
  /** Levels that outputs had when they were let go: a Raspberry Pi keeps them. */
  readonly #kept = new Map<number, boolean>();
  readonly #waits = new Set<{ wake(): void }>();
  #lastDescriptor = 100;
  isGone = false;
  /** Lines of other programs. */
  readonly taken = new Map<number, string>();
  readonly info: ChipInfo;

  constructor(components: { readonly time: Time }, info: Partial<ChipInfo> = {}) {
    this.#time = components.time;
    this.info = { name: 'gpiochip0', label: 'pinctrl-bcm2711', lines: 58, ...info };
  }

  /** Descriptors that nobody has let go. */
  get open(): number {
    return this.#held.size;
  }

  /** Connects a line to ground, as a button does that is pressed; or lets it go. */
  ground(line: number, isGrounded: boolean): void {
    if (this.#grounded.has(line) === isGrounded) return;
    if (isGrounded) this.#grounded.add(line);
    else this.#grounded.delete(line);
    const edge = { isRising: isGrounded, monotonicNs: this.monotonicNs() };
    for (const held of this.#held.values()) {
      if (held.line !== line || (held.wish.flags & LINE_FLAGS.edgeRising) === 0n) continue;
      held.edges.push(edge);
      if (held.edges.length > EVENTS_KEPT) held.edges.shift();
    }
    this.wake();
  }

  /** Whether a lamp at the line shines. */
  isHigh(line: number): boolean {
    const held = [...this.#held.values()].find((of) => of.line === line);
    return held?.isActive ?? this.#kept.get(line) ?? false;
  }

  /** Everybody who waits for edges looks. */
  wake(): void {
    for (const wait of this.#waits) wait.wake();
  }

  chipInfo(): ChipInfo {
    return this.info;
  }

  holder(_device: string, line: number): string | null {
    const own = [...this.#held.values()].find((of) => of.line === line)?.wish.consumer;
    return this.taken.get(line) ?? own ?? null;
  }

  request(device: string, wish: LineWish): number {
    const { line } = wish;
    const holder = this.holder(device, line);
    if (holder !== null) throw new TuttiError('NOT_FOUND', `line ${line} of ${device} is in use by ${holder}`);
    if (line >= this.info.lines) throw new TuttiError('NOT_FOUND', `there is no line ${line} of ${device}`);
    const descriptor = ++this.#lastDescriptor;
    this.#held.set(descriptor, { line, wish, edges: [], isActive: false });
    return descriptor;
  }

  release(descriptor: number): void {
    const { line, isActive } = this.#of(descriptor);
    this.#kept.set(line, isActive);
    this.#held.delete(descriptor);
  }

  value(descriptor: number): boolean {
    const { line, wish, isActive } = this.#of(descriptor);
    return (wish.flags & LINE_FLAGS.input) === 0n ? isActive : this.#grounded.has(line);
  }

  setValue(descriptor: number, isActive: boolean): void {
    this.#of(descriptor).isActive = isActive;
  }

  edges(descriptor: number): LineEdge[] {
    return this.#of(descriptor).edges.splice(0);
  }

  waiting(descriptors: readonly number[]): LineWait {
    let isOver = false;
    let wake = () => {};
    const own = { wake: () => wake() };
    this.#waits.add(own);
    const hasNews = () =>
      isOver || this.isGone || descriptors.some((of) => (this.#held.get(of)?.edges.length ?? 0) > 0);
    return {
      next: async () => {
        while (!hasNews())
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        return isOver;
      },
      end: () => {
        isOver = true;
        wake();
      },
      close: () => this.#waits.delete(own),
    };
  }

  monotonicNs(): bigint {
    return this.#time.now() + MONOTONIC_AHEAD_NS;
  }

  #of(descriptor: number): Held {
    const held = this.#held.get(descriptor);
    if (this.isGone || held === undefined) throw new TuttiError('NOT_FOUND', 'the chip of the GPIO lines is gone');
    return held;
  }
}
