/**
 * Crash points: a script runs once on a disk that is copied before each of its changes. Each copy then loses power in many ways, and what
 * comes back is compared with what the store had returned for by then: nothing of that may be missing, nothing may be invented.
 */
import type { Test } from 'tap';
import type { BootId, Slot } from '../../src/core/ids.js';
import { slot as slotOf } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { compareBallots } from '../../src/paxos/ballot.js';
import { FakeDisk, PowerCut } from '../../src/ports/fake-disk.js';
import { Store, type StoreLimits, type StoreWork } from '../../src/storage/store.js';
import {
  accept,
  boot,
  committed,
  complaints,
  INIT,
  type InFlight,
  type Model,
  NEW_MODEL,
  record,
  SMALL,
  snapped,
  textOf,
} from '../storage/support.js';

/** Power cuts at each point, each leaving something else of what was not synced. */
const SAMPLES = 64;

/** A state of the disk, with what the store had returned for. */
interface Point {
  readonly disk: FakeDisk;
  readonly acknowledged: Model | null;
  readonly inFlight: InFlight | null;
}

/** A disk and a store on which a script runs, and which notes what must be there from now on. */
export class Run {
  readonly disk: FakeDisk;
  readonly limits: StoreLimits;
  readonly points: Point[] = [];
  #store: Store | undefined;
  /** Null before there is a store. */
  #model: Model | null = null;
  #inFlight: InFlight | null = null;
  #boots = 0;

  constructor(limits: StoreLimits) {
    this.limits = limits;
    this.disk = new FakeDisk({ onChange: () => this.#note() });
  }

  get store(): Store {
    return this.#store!;
  }

  get model(): Model {
    return this.#model!;
  }

  format(): void {
    this.#doing({ after: NEW_MODEL, records: [] }, () => Store.format(this.disk, INIT, this.limits));
    this.#model = NEW_MODEL;
  }

  open(): void {
    const bootId = boot(this.#boots++);
    this.#store = Store.open(this.disk, { bootId }, this.limits);
    const boots = this.model.boots.includes(bootId) ? this.model.boots : [...this.model.boots, bootId];
    this.#model = { ...this.model, boots };
  }

  /** An orderly restart. */
  reopen(): void {
    this.store.close();
    this.open();
  }

  /** The process is killed and comes back; the machine lives. */
  kill(): void {
    this.disk.killProcess();
    this.open();
  }

  /** The power fails and comes back; what was under way is lost or not. */
  crash(seed: number): void {
    this.disk.crash(new Prng(seed));
    this.open();
  }

  commit(...works: readonly StoreWork[]): void {
    const after = committed(this.model, works);
    this.#doing({ after, records: works.flatMap(({ records }) => records) }, () => this.store.commit(works));
    this.#model = { ...after, lastBatch: this.store.lastBatch };
  }

  save(slot: number, text = `state of ${slot}`): void {
    const bytes = new TextEncoder().encode(text);
    const after = snapped(this.model, slotOf(slot), bytes);
    this.#doing({ after, records: [] }, () => this.store.saveSnapshot(slotOf(slot), bytes));
    this.#model = after;
  }

  install(slot: number, init: { configuration: Uint8Array; promised: StoreWork['promised'] }): void {
    const bytes = new TextEncoder().encode(`peer's state of ${slot}`);
    const snapshot = snapped(this.model, slotOf(slot), bytes);
    const after = committed(snapshot, [{ ...accept(), ...init }]);
    this.#doing({ after, records: [] }, () => this.store.installSnapshot(slotOf(slot), bytes, init));
    this.#model = after;
  }

  /** Every start before `upTo` may be forgotten from now on. */
  forget(upTo: BootId): void {
    const boots = this.model.boots.slice(this.model.boots.indexOf(upTo));
    this.#model = { ...this.model, boots };
    this.store.forgetBoots(upTo);
  }

  #doing(inFlight: InFlight, body: () => void): void {
    this.#inFlight = inFlight;
    body();
    this.#inFlight = null;
  }

  #note(): void {
    this.points.push({ disk: this.disk.copy(), acknowledged: this.#model, inFlight: this.#inFlight });
  }
}

/** A script: what is done, and how large the store is. */
export interface Script {
  readonly name: string;
  readonly limits?: Partial<StoreLimits>;
  /** Points before this call are not looked at: it sets the scene. By default a store is formatted and open. */
  readonly before?: (run: Run) => void;
  readonly body: (run: Run) => void;
}

const setScene = (run: Run): void => {
  run.format();
  run.open();
};

/** Cuts the power at every change of a script, in {@link SAMPLES} ways, and once more while it recovers; gives what was wrong. */
export function torment(script: Script): { readonly points: number; readonly wrong: string[] } {
  const limits = { ...SMALL, ...script.limits };
  const run = new Run(limits);
  (script.before ?? setScene)(run);
  const first = run.points.length;
  script.body(run);
  const points = run.points.slice(first);
  const wrong: string[] = [];
  for (const [index, point] of points.entries()) {
    for (let seed = 0; seed < SAMPLES && wrong.length < 5; seed++) {
      for (const complaint of cutAt(point, limits, 1_000 * index + seed)) {
        wrong.push(`cut at ${index}, seed ${seed}: ${complaint}`);
      }
    }
  }
  return { points: points.length, wrong };
}

/** One power cut at a point, another one while it recovers from that, and then the store is used. */
function cutAt(point: Point, limits: StoreLimits, seed: number): string[] {
  const prng = new Prng(seed);
  const disk = point.disk.copy();
  if (seed % 4 === 1) {
    disk.killProcess();
    const wrong = cutAfterRestart(disk, limits, prng);
    if (wrong.length > 0) return wrong;
  }
  disk.crash(prng);
  const state = Store.inspect(disk);
  if (state === 'unreadable') return ['the store cannot be read'];
  if (state === 'empty') return point.acknowledged === null ? formatAgain(disk, limits) : ['the store is gone'];
  const bootId = boot(900);
  if (seed % 2 === 0) {
    disk.cutPowerAt(prng.below(RECOVERY_CHANGES));
    try {
      Store.open(disk, { bootId }, limits).close();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    disk.crash(prng);
  }
  const store = Store.open(disk, { bootId }, limits);
  const acknowledged = point.acknowledged ?? NEW_MODEL;
  const wrong = complaints(store, acknowledged, point.inFlight);
  return wrong.length > 0 ? wrong : useAgain(disk, store, limits);
}

/**
 * The process is killed while the machine lives, so that what it wrote is in the cache; it starts again, and tells the others what it has
 * found; then the power goes. What it told must still be there.
 */
function cutAfterRestart(disk: FakeDisk, limits: StoreLimits, prng: Prng): string[] {
  if (Store.inspect(disk) !== 'formatted') return [];
  const told = Store.open(disk, { bootId: boot(800) }, limits).recovered;
  const dark = disk.copy();
  dark.crash(prng);
  const { recovered } = Store.open(dark, { bootId: boot(801) }, limits);
  const [before, after] = [told, recovered].map(({ accepted }) => accepted.map(textOf).join());
  const isKept = before === after && compareBallots(told.promised, recovered.promised) === 0;
  return isKept ? [] : [`after a restart it told ${before}, and then has ${after}`];
}

/** Changes of an ordinary recovery: cuts are spread over somewhat more. */
const RECOVERY_CHANGES = 24;

function formatAgain(disk: FakeDisk, limits: StoreLimits): string[] {
  Store.format(disk, INIT, limits);
  return Store.inspect(disk) === 'formatted' ? [] : ['it cannot be formatted again'];
}

/** What is accepted after a recovery is there after the next. */
function useAgain(disk: FakeDisk, store: Store, limits: StoreLimits): string[] {
  const { recovered } = store;
  const highest = Math.max(recovered.base, 0, ...recovered.accepted.map(({ slot }) => slot));
  const another = record(highest + 1, recovered.promised.round + 1);
  if (store.fill >= 1) return [];
  store.commit([accept(another)]);
  disk.killProcess();
  const again = Store.open(disk, { bootId: boot(901) }, limits);
  const expected = [...recovered.accepted, another].map(({ slot }) => slot);
  const found = again.recovered.accepted.map(({ slot }) => slot);
  const same = expected.join() === found.join() && again.recovered.unknown.length === 0;
  return same ? [] : [`after one more commit ${found} instead of ${expected}`];
}

/** Ten times what a file takes. Milliseconds. */
const TIMEOUT_MS = 300_000;

/** Tests scripts, one after another, and says how many points there were. */
export function testScripts(t: Test, scripts: readonly Script[]): void {
  t.setTimeout(TIMEOUT_MS);
  let points = 0;
  for (const script of scripts) {
    t.test(`a power cut at any moment: ${script.name}`, (t) => {
      const result = torment(script);
      points += result.points;
      t.same(result.wrong, []);
      t.ok(result.points > 0, `${result.points} points, ${SAMPLES} power cuts each`);
      t.end();
    });
  }
  t.test('all points were visited', (t) => {
    t.comment(`${points} points of ${scripts.length} scripts, ${points * SAMPLES} power cuts`);
    t.end();
  });
}

/** A slot's number. */
export const at = (value: number): Slot => slotOf(value);
