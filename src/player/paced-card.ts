/**
 * An open sound card with the line of its clock: what is written next leaves when?
 *
 * The frames that went in are counted here, so that a delay becomes a position. An underrun sets the count to zero and keeps the rate:
 * a crystal does not change because a thread was late.
 */
import { CardLine } from '../audio/card-line.js';
import { addTime, type LocalTime } from '../core/units.js';
import type { AudioOutput, OutputFormat, OutputRequest, OutputStatus } from '../ports/audio-output.js';
import type { Time } from '../ports/time.js';
import { nanosOfFrames } from './schedule.js';

/** The card, which is open from the construction to `close`. */
export class PacedCard {
  /** What it was asked for; it may have given another rate. */
  readonly asked: OutputRequest;
  readonly format: OutputFormat;
  readonly line: CardLine;
  readonly openedAt: LocalTime;
  readonly #output: AudioOutput;
  readonly #time: Time;
  #status: OutputStatus;
  /** Frames since it was opened or recovered, and those of them that were written after {@link #status}. */
  #written = 0;
  #writtenSince = 0;

  /**
   * @param knownPpm by rate: what the line of this card said when it was open last
   * @throws TuttiError OUTPUT_UNAVAILABLE
   */
  constructor(
    components: { readonly output: AudioOutput; readonly time: Time },
    init: { readonly request: OutputRequest; readonly knownPpm: ReadonlyMap<number, number> },
  ) {
    this.#output = components.output;
    this.#time = components.time;
    this.asked = init.request;
    this.format = this.#output.open(init.request);
    this.line = new CardLine(this.format.rate, init.knownPpm.get(this.format.rate));
    this.openedAt = this.#time.now();
    this.#status = this.#output.status();
  }

  /** Asks the card how it stands. */
  poll(): OutputStatus['state'] {
    this.#status = this.#output.status();
    this.#writtenSince = 0;
    const { state, at, delayFrames, uncertaintyNs = 0 } = this.#status;
    if (state === 'running') this.line.take({ at, delayFrames, uncertaintyNs }, this.#written, this.#time.now());
    return state;
  }

  /** What the card said when it was lost; undefined where it said nothing. */
  get lossReason(): string | undefined {
    return this.#status.reason;
  }

  /** Frames that wait in its queue. */
  get queuedFrames(): number {
    return this.#status.delayFrames + this.#writtenSince;
  }

  /** Frames that it would take. */
  get freeFrames(): number {
    return this.#status.writableFrames - this.#writtenSince;
  }

  /** When the frame that is written next will leave. Before the card has begun: when it would, had it begun by now. */
  nextLeavesAt(): LocalTime {
    const byLine = this.line.leavesAt(this.#written);
    return byLine ?? addTime(this.#status.at, nanosOfFrames(this.queuedFrames, this.format.rate));
  }

  /** Queues frames. False where the card did not take them all: it ran dry at this very moment, and the next poll says so. */
  write(samples: Int32Array, frames: number): boolean {
    const taken = this.#output.write(samples, frames);
    this.#written += taken;
    this.#writtenSince += taken;
    return taken === frames;
  }

  /** After an underrun: the queue is empty, and positions count anew. */
  recover(): void {
    this.#output.recover();
    this.#written = 0;
    this.line.restart();
    this.poll();
  }

  close(): void {
    this.#output.close();
  }
}
