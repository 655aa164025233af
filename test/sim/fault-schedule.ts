/**
 * FaultSchedule: when faults strike, and that they end.
 *
 * Each kind has a stream of its own for its times and for what it does, so that leaving one out changes nothing of the others. What a fault
 * has broken for a while is mended at the latest when all faults are over, for only then progress can be asked for.
 */
import type { Prng } from '../../src/core/prng.js';
import type { FakeNetwork } from '../../src/ports/fake-network.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import type { Atlas } from './atlas.js';
import type { House } from './house.js';
import { type FaultKind, type Knobs, strikesMessages } from './knobs.js';
import type { Machine } from './machine.js';
import { around, streamOf } from './streams.js';

/** What a schedule works with. */
export interface FaultScheduleComponents {
  readonly time: FakeTime;
  readonly network: FakeNetwork;
  readonly house: House;
  readonly atlas: Atlas;
}

/** The faults of one simulation, in time. */
export class FaultSchedule {
  readonly #parts: FaultScheduleComponents;
  readonly #seed: number;
  readonly #knobs: Knobs;
  readonly #counts = new Map<FaultKind, number>();
  /** Things that end when the faults do. */
  readonly #untils = new Set<() => void>();
  #atNextUpload: ((machine: Machine) => void) | null = null;
  #isOn = false;

  constructor(components: FaultScheduleComponents, init: { readonly seed: number; readonly knobs: Knobs }) {
    this.#parts = components;
    this.#seed = init.seed;
    this.#knobs = init.knobs;
  }

  /** How often each kind truly happened. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** It happened. */
  count(kind: FaultKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** Part of the messages that this kind strikes now, 0 to 1. */
  share(kind: FaultKind): number {
    return this.#isOn ? (this.#knobs.faults.get(kind) ?? 0) : 0;
  }

  /** Calls back in so many milliseconds of true time, unless the faults are over by then: then at once. */
  until(ms: number, callback: () => void): void {
    const end = () => {
      if (!this.#untils.delete(end)) return;
      timer.cancel();
      callback();
    };
    const timer = this.#parts.time.after('until', ms, end);
    this.#untils.add(end);
  }

  /** Calls back once, when somebody begins to send a file to a machine. */
  atNextUpload(callback: (machine: Machine) => void): void {
    this.#atNextUpload = callback;
  }

  /** Somebody begins to send a file there. */
  uploading(machine: Machine): void {
    const callback = this.#atNextUpload;
    this.#atNextUpload = null;
    if (this.#isOn) callback?.(machine);
  }

  /** Faults begin; `strike` injects one instance of a kind. */
  start(strike: (kind: FaultKind, prng: Prng) => void): void {
    this.#isOn = true;
    for (const [kind, meanMs] of this.#knobs.faults) {
      if (strikesMessages(kind)) continue;
      const prng = streamOf(this.#seed, kind);
      const next = () => {
        this.#parts.time.after(kind, 1 + around(prng, meanMs), () => {
          if (!this.#isOn) return;
          strike(kind, prng);
          next();
        });
      };
      next();
    }
  }

  /** Faults are over: everything that was broken is mended, every machine is on. */
  stop(): void {
    const { time, network, house, atlas } = this.#parts;
    const { machines } = house;
    this.#isOn = false;
    const slow = new Set(machines.filter(({ slowness }) => slowness > 1));
    for (const end of [...this.#untils]) end();
    network.heal();
    for (const machine of machines) {
      // What a slow disk was asked for is still to come; what lies hidden on a card is found out when it is read anew.
      const isSlow = machine.stalledUntilNs > time.now() || slow.has(machine);
      const isDoubtful = atlas.isInDoubt(machine.number) || machine.needsPowerCycle;
      if (machine.isOn && (isSlow || isDoubtful)) machine.cutPower();
      machine.stalledUntilNs = 0n;
      machine.slowness = 1;
      machine.spoils = 0;
      // A cut that is planned for one of its next writes would come in the midst of what must go well now.
      machine.disk.cutPowerAt(Number.POSITIVE_INFINITY);
      machine.disk.setFreeBytes(1e9);
      machine.resume();
      machine.start();
    }
    for (const a of machines) for (const b of machines) if (a.number < b.number) network.reset(a.host, b.host);
  }
}
