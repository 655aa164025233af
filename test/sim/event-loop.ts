/**
 * EventLoop: lets true time pass, from event to event.
 *
 * Between two events nothing happens, so the clock jumps over it: an hour takes seconds. All that follows from one event, to the last promise
 * that it resolves, comes before the next, which makes a seed the same history at every run.
 */
import { addTime } from '../../src/core/units.js';
import type { FakeTime } from '../../src/ports/fake-time.js';

/** How often a question that costs something is asked, nanoseconds of true time. */
const QUESTION_NS = 20_000_000n;
/** How many events are handled before the process looks at anything else. */
const BATCH = 64;

/** What an event loop works with. */
export interface EventLoopComponents {
  readonly time: FakeTime;
  /** Nothing more is to happen: something wrong was found. */
  isOver(): boolean;
  /** Called after each event. */
  afterEvent(): void;
}

/** The only one who moves the clock of a simulation. */
export class EventLoop {
  readonly #parts: EventLoopComponents;

  constructor(components: EventLoopComponents) {
    this.#parts = components;
  }

  /** Resolves once so many milliseconds have passed; it is for somebody else to let them. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.time.after('wait', ms, resolve));
  }

  /** A question that costs something, asked once in `everyNs` (nanoseconds) and not after every event; false in between. */
  nowAndThen(question: () => boolean, everyNs = QUESTION_NS): () => boolean {
    const { time } = this.#parts;
    let askAgainNs = 0n;
    return () => {
      if (time.now() < askAgainNs) return false;
      askAgainNs = time.now() + everyNs;
      return question();
    };
  }

  /**
   * Lets time pass, event by event, until `done` or for so many milliseconds; resolves with whether it was done, or over. Promises that an
   * event resolves are followed to their ends before the next event: between two immediates Node empties its queue of them.
   */
  pass(ms: number, done: () => boolean = () => false): Promise<boolean> {
    const { time, isOver, afterEvent } = this.#parts;
    const until = addTime(time.now(), BigInt(Math.round(ms * 1e6)));
    return new Promise((resolve, reject) => {
      let hasEnded = false;
      let left = 0;
      const finish = (isDone: boolean) => {
        hasEnded = true;
        resolve(isDone);
      };
      const next = () => {
        if (hasEnded) return;
        if (--left === 0) schedule();
        try {
          if (isOver() || done()) finish(true);
          else if (time.advanceToNext(until)) afterEvent();
          else {
            time.advanceNs(until - time.now());
            finish(done());
          }
        } catch (error) {
          hasEnded = true;
          reject(error as Error);
        }
      };
      const schedule = () => {
        left = BATCH;
        for (let i = 0; i < BATCH; i++) setImmediate(next);
      };
      schedule();
    });
  }
}
