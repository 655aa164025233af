/** Lines on the terminal that say how far long work is; gone before the result is printed, so that the two never mix. */
import type { TextOutput } from './components.js';
import { shownBytes } from './text.js';

/** Time between two drawings, milliseconds: often enough to look alive, seldom enough for a slow serial console. */
const REDRAW_MS = 100;
/** Cells of the bar. */
const BAR_CELLS = 24;
/** Cells of the name before it is cut. */
const NAME_CELLS_MAX = 30;
/** Back to the first column, and everything after it wiped (ECMA-48: CR, EL). */
const WIPE = '\r\u001b[K';

/** One line: a name, a bar, and words. Silent where the output is not a terminal. Call `end` before anything else is written. */
export class ProgressLine {
  readonly #output: TextOutput;
  readonly #name: string;

  /** @param name is written to the terminal as it is: without control characters */
  constructor({ output }: { readonly output: TextOutput }, { name }: { readonly name: string }) {
    this.#output = output;
    const letters = [...name];
    this.#name = letters.length > NAME_CELLS_MAX ? `${letters.slice(0, NAME_CELLS_MAX - 1).join('')}…` : name;
  }

  /** True where somebody looks on. */
  get isSeen(): boolean {
    return this.#output.isTerminal;
  }

  /** Shows that `done` of `total` is done, in `words`. Nothing of nothing counts as nothing done. */
  show(done: number, total: number, words: string): void {
    if (!this.isSeen) return;
    const filled = Math.floor((BAR_CELLS * Math.min(done, total)) / Math.max(1, total));
    this.#output.write(`${WIPE}${this.#name} [${'#'.repeat(filled).padEnd(BAR_CELLS, '.')}] ${words}`);
  }

  /** Wipes the line. */
  end(): void {
    if (this.isSeen) this.#output.write(WIPE);
  }
}

/** How much of one file is sent, as its chunks pass. */
export class SendingProgress {
  readonly #line: ProgressLine;
  readonly #nowMs: () => number;
  readonly #totalBytes: number;
  #doneBytes = 0;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    { line, nowMs }: { readonly line: ProgressLine; readonly nowMs: () => number },
    { totalBytes }: { readonly totalBytes: number },
  ) {
    this.#line = line;
    this.#nowMs = nowMs;
    this.#totalBytes = totalBytes;
  }

  /** All of it has gone. */
  get isSent(): boolean {
    return this.#doneBytes >= this.#totalBytes;
  }

  /** The chunks of `source`, counted as they pass. A second call begins anew. */
  async *count(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    this.#doneBytes = 0;
    for await (const chunk of source) {
      yield chunk;
      this.#doneBytes += chunk.length;
      this.#draw();
    }
  }

  #draw(): void {
    const nowMs = this.#nowMs();
    if (!this.isSent && nowMs - this.#drawnAtMs < REDRAW_MS) return;
    this.#drawnAtMs = nowMs;
    const words = this.isSent
      ? 'sent, waiting for the nodes'
      : `${shownBytes(this.#doneBytes)} of ${shownBytes(this.#totalBytes)}`;
    this.#line.show(this.#doneBytes, this.#totalBytes, words);
  }
}
