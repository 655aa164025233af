/**
 * Lines of buttons through the character device: pulled up by the chip, active while they are at ground.
 *
 * The kernel stamps every edge and keeps some, so a press is neither late nor lost while the main thread is busy. Its own debouncing
 * would tell a press only when the bouncing is over.
 */
import { TuttiError } from '../../core/errors.js';
import { localTime } from '../../core/units.js';
import type { Button } from '../../ports/controls.js';
import type { Time } from '../../ports/time.js';
import { LINE_FLAGS } from './line-abi.js';
import type { ButtonLines, LineHandlers } from './line-buttons.js';
import type { LineCalls, LineWait } from './line-calls.js';

const FLAGS =
  LINE_FLAGS.input | LINE_FLAGS.activeLow | LINE_FLAGS.biasPullUp | LINE_FLAGS.edgeRising | LINE_FLAGS.edgeFalling;

/** Where the buttons are. */
export interface ChardevLinesInit {
  /** The chip's path: /dev/gpiochip0. */
  readonly device: string;
  /** The line of each button that there is. */
  readonly lines: ReadonlyMap<Button, number>;
}

/** {@link ButtonLines} of the character device. */
export class ChardevLines implements ButtonLines {
  readonly buttons: readonly Button[];
  readonly #time: Time;
  readonly #calls: LineCalls;
  readonly #init: ChardevLinesInit;
  readonly #descriptors = new Map<Button, number>();
  #handlers: LineHandlers | null = null;
  #wait: LineWait | null = null;
  #listening: Promise<void> = Promise.resolve();

  constructor(components: { readonly time: Time; readonly calls: LineCalls }, init: ChardevLinesInit) {
    this.#time = components.time;
    this.#calls = components.calls;
    this.#init = init;
    this.buttons = [...init.lines.keys()];
  }

  take(button: Button): void {
    const { device, lines } = this.#init;
    const wish = { line: lines.get(button)!, flags: FLAGS, consumer: `tutti ${button}` };
    this.#descriptors.set(button, this.#calls.request(device, wish));
  }

  isDown(button: Button): boolean {
    const descriptor = this.#descriptors.get(button);
    if (descriptor === undefined) throw new TuttiError('NOT_FOUND', `the line of ${button} was let go`);
    return this.#calls.value(descriptor);
  }

  listen(handlers: LineHandlers): void {
    this.#handlers = handlers;
    this.#wait = this.#calls.waiting([...this.#descriptors.values()]);
    this.#listening = this.#listen(this.#wait, handlers);
  }

  catchUp(): void {
    // Both clocks count nanoseconds; NTP slews one of them, by nothing that matters in the life of an edge.
    const aheadNs = this.#time.now() - this.#calls.monotonicNs();
    const edges = [...this.#descriptors].flatMap(([button, descriptor]) =>
      this.#calls.edges(descriptor).map((edge) => ({ button, ...edge })),
    );
    edges.sort((a, b) => Number(a.monotonicNs - b.monotonicNs));
    for (const { button, isRising, monotonicNs } of edges) {
      this.#handlers?.edge(button, isRising, localTime(monotonicNs + aheadNs));
    }
  }

  async release(): Promise<void> {
    this.#handlers = null;
    this.#wait?.end();
    await this.#listening;
    this.#wait?.close();
    this.#wait = null;
    for (const descriptor of this.#descriptors.values()) this.#calls.release(descriptor);
    this.#descriptors.clear();
  }

  async #listen(wait: LineWait, handlers: LineHandlers): Promise<void> {
    try {
      while (!(await wait.next())) this.catchUp();
    } catch (error) {
      handlers.failed(error);
    }
  }
}
