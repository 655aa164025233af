/** A line on the terminal that says how far an upload is; gone before the result is printed, so that the two never mix. */
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

/** What is being sent. */
export interface ProgressInit {
  /** Written to the terminal as it is: without control characters. */
  readonly name: string;
  readonly totalBytes: number;
}

/** The progress line of one file. Silent where the output is not a terminal. Call `end` before anything else is written. */
export class Progress {
  readonly #output: TextOutput;
  readonly #nowMs: () => number;
  readonly #name: string;
  readonly #totalBytes: number;
  #doneBytes = 0;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor({ output, nowMs }: { output: TextOutput; nowMs: () => number }, { name, totalBytes }: ProgressInit) {
    this.#output = output;
    this.#nowMs = nowMs;
    const letters = [...name];
    this.#name = letters.length > NAME_CELLS_MAX ? `${letters.slice(0, NAME_CELLS_MAX - 1).join('')}…` : name;
    this.#totalBytes = totalBytes;
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

  /** Wipes the line. */
  end(): void {
    if (this.#output.isTerminal) this.#output.write(WIPE);
  }

  #draw(): void {
    if (!this.#output.isTerminal) return;
    const isAll = this.#doneBytes >= this.#totalBytes;
    const nowMs = this.#nowMs();
    if (!isAll && nowMs - this.#drawnAtMs < REDRAW_MS) return;
    this.#drawnAtMs = nowMs;
    const filled = Math.floor((BAR_CELLS * this.#doneBytes) / Math.max(1, this.#totalBytes));
    const bar = '#'.repeat(filled).padEnd(BAR_CELLS, '.');
    const said = isAll
      ? 'sent, waiting for the nodes'
      : `${shownBytes(this.#doneBytes)} of ${shownBytes(this.#totalBytes)}`;
    this.#output.write(`${WIPE}${this.#name} [${bar}] ${said}`);
  }
}
