/** What many simulations came to, together. */
import { FAULT_KINDS } from './knobs.js';
import type { SeedResult } from './run-seed.js';

/** Sums over simulations. */
export class Totals {
  readonly failures: SeedResult[] = [];
  #seeds = 0;
  #simulatedMs = 0;
  #cpuMs = 0;
  #counts = {
    writes: 0,
    reads: 0,
    retries: 0,
    unanswered: 0,
    uploads: 0,
    heard: 0,
    slots: 0,
    terms: 0,
    restores: 0,
    stoppedLoudly: 0,
  };
  readonly #faults = new Map<string, number>(FAULT_KINDS.map((kind) => [kind, 0]));

  get seeds(): number {
    return this.#seeds;
  }

  /** Hours of a cluster's life. */
  get hours(): number {
    return this.#simulatedMs / 3_600_000;
  }

  /** How much faster than the world, on one processor core. */
  get speed(): number {
    return this.#cpuMs === 0 ? 0 : this.#simulatedMs / this.#cpuMs;
  }

  /** Kinds of fault that never happened: holes in the test. */
  get missing(): readonly string[] {
    return [...this.#faults].filter(([, count]) => count === 0).map(([kind]) => kind);
  }

  add(result: SeedResult): void {
    this.#seeds++;
    this.#simulatedMs += result.simulatedMs;
    this.#cpuMs += result.cpuMs;
    for (const [kind, count] of Object.entries(result.faults)) {
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
    }
    const counts = this.#counts;
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += Number(result[key]);
    if (result.violation !== null) this.failures.push(result);
  }

  /** For people, some lines. */
  text(): string {
    const { writes, reads, retries, unanswered, uploads, heard, slots, terms, restores, stoppedLoudly } = this.#counts;
    const kinds = [...this.#faults].map(([kind, count]) => `${kind} ${count}`);
    const rows: string[] = [];
    for (let at = 0; at < kinds.length; at += 6) rows.push(`  ${kinds.slice(at, at + 6).join(', ')}`);
    return [
      `${this.#seeds} seeds, ${this.failures.length} violations, ${this.hours.toFixed(1)} cluster-hours, ${this.speed.toFixed(0)} x real time per core`,
      `${writes} answered writes, ${reads} strong reads, ${retries} retries, ${unanswered} given up, ${uploads} uploads, ${heard} tracks heard, ${slots} slots, ${terms} terms, ${restores} snapshots taken in, ${stoppedLoudly} loud stops`,
      'faults that struck:',
      ...rows,
    ].join('\n');
  }
}
