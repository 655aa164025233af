/**
 * Sampler: looks at what nobody reports: clocks, leases and cards at set times, and leases after every event while more than one leads.
 */
import type { FakeTime } from '../../src/ports/fake-time.js';
import type { CardsInDoubt } from './cards-in-doubt.js';
import type { Machine } from './machine.js';
import type { Trace } from './trace.js';
import { placed, type TrackLedger } from './track-ledger.js';
import type { Witness } from './witness.js';

/** Clocks, leases and cards in doubt are looked at this often, milliseconds of true time; a prime, to keep no step with heartbeats. */
const SAMPLE_MS = 113;
/** How often it is looked whether every file is what its name says, milliseconds. */
const FILES_LOOK_MS = 4_999;

/** What a sampler works with. */
export interface SamplerComponents {
  readonly time: FakeTime;
  readonly machines: readonly Machine[];
  readonly ledger: TrackLedger;
  readonly cards: CardsInDoubt;
  readonly witness: Witness;
  /** Null where nobody reads it. */
  readonly trace: Trace | null;
}

/** Shows the checkers what it finds. */
export class Sampler {
  readonly #parts: SamplerComponents;
  /** Who leads now, by what machines say of themselves. */
  readonly #leaders = new Set<Machine>();
  #terms = 0;

  constructor(components: SamplerComponents) {
    this.#parts = components;
  }

  /** Times that somebody became leader. */
  get terms(): number {
    return this.#terms;
  }

  /** It begins to look. */
  start(): void {
    const { time } = this.#parts;
    time.every('sample', SAMPLE_MS, () => this.#sample());
    time.every('files', FILES_LOOK_MS, () => this.#lookAtFiles());
  }

  /** Leadership, quorum or members changed at a machine. */
  statusChanged(machine: Machine): void {
    const leads = machine.isUp && machine.status()?.role === 'leader';
    if (leads === this.#leaders.has(machine)) return;
    if (leads) {
      this.#leaders.add(machine);
      this.#terms++;
    } else this.#leaders.delete(machine);
    this.#parts.trace?.line(machine.name, leads ? 'leads' : 'leads no more');
  }

  /** Something has happened: with two leaders, one of them must be without its lease at every instant. */
  afterEvent(): void {
    if (this.#leaders.size > 1) this.#lookAtLeases();
  }

  #sample(): void {
    const { machines, cards, witness } = this.#parts;
    for (const machine of machines) {
      const clock = machine.clock();
      if (clock !== null) witness.observe(clock);
    }
    this.#lookAtLeases();
    cards.look();
  }

  #lookAtLeases(): void {
    const { machines, witness } = this.#parts;
    const holders = machines.filter((machine) => machine.holdsLease()).map(({ name }) => name);
    witness.observe({ type: 'lease', holders });
  }

  /** Looks at what lies in its place on every card. */
  #lookAtFiles(): void {
    const { machines, ledger, witness } = this.#parts;
    for (const machine of machines) {
      const { processId: process } = machine;
      if (process === null) continue;
      for (const { id, found } of placed(machine.disk)) {
        if (!machine.holds(id) || ledger.isExcused(machine, id)) continue;
        witness.observe({ type: 'seen', process, how: 'holds', track: id, found });
      }
    }
  }
}
