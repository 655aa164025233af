/** Trace: what happened in a simulation, a line each, for people; the same bytes at every run of a seed. */

/** Lines with the true time at which they were written. */
export class Trace {
  readonly #write: (line: string) => void;
  readonly #nowNs: () => bigint;

  constructor(components: { readonly write: (line: string) => void; readonly nowNs: () => bigint }) {
    this.#write = components.write;
    this.#nowNs = components.nowNs;
  }

  /** `who`: a machine, or a part of the world. */
  line(who: string, text: string): void {
    const us = this.#nowNs() / 1_000n;
    const seconds = `${us / 1_000_000n}.${String(us % 1_000_000n).padStart(6, '0')}`;
    this.#write(`${seconds.padStart(12)} ${who.padEnd(8)} ${text}`);
  }
}
