/** TappedStore: stands between a replica and its store, and tells what is durable. Both sides are the real code and do not notice. */
import type { LogStore, StoreRecovered, StoreStanding } from '../../src/replication/log-store.js';
import type { Observation, ProcessId } from './checkers/observation.js';

/** Who is told. */
export interface StoreObserver {
  readonly process: ProcessId;
  observe(observation: Observation): void;
  /** Null where nobody reads it. */
  readonly trace: ((text: string) => void) | null;
}

/** A store that is watched. */
export function tapped(store: LogStore, { process, observe, trace }: StoreObserver): LogStore {
  return {
    inspect: () => store.inspect(),
    format: (init) => store.format(init),
    open: async (boot, failed): Promise<StoreRecovered> => {
      const recovered = await store.open(boot, failed);
      const { promised, base, accepted, unknown, chosenUpTo, repairs } = recovered;
      const lost = unknown.map(({ slot }) => slot);
      observe({ type: 'recovered', process, promised, accepted, unknown: lost, base, chosenUpTo });
      trace?.(
        `recovers: base ${base}, ${accepted.length} accepted, ${unknown.length} unknown, chosen up to ${chosenUpTo}${repairs.map((text) => `; ${text}`).join('')}`,
      );
      return recovered;
    },
    commit: (work, done) =>
      store.commit(work, (standing: StoreStanding) => {
        const accepted = work.records.map(({ slot, ballot }) => ({ slot, ballot }));
        observe({ type: 'durable', process, promised: work.promised, accepted });
        trace?.(
          `batch ${standing.batch} is durable: ${slotsText(accepted)}${work.promised === null ? '' : ', a promise'}`,
        );
        done(standing);
      }),
    forgetBoots: (upTo) => store.forgetBoots(upTo),
    saveSnapshot: (slot, bytes, done) =>
      store.saveSnapshot(slot, bytes, (refused) => {
        if (refused === null) observe({ type: 'installed', process, base: slot });
        const what = `a snapshot as of slot ${slot}, ${bytes.length} bytes`;
        trace?.(refused === null ? `keeps ${what}` : `cannot keep ${what}: ${refused.message}`);
        done(refused);
      }),
    installSnapshot: (slot, bytes, meta, done) =>
      store.installSnapshot(slot, bytes, meta, (refused) => {
        if (refused === null) observe({ type: 'installed', process, base: slot });
        trace?.(`installs a snapshot as of slot ${slot}: ${refused?.message ?? 'done'}`);
        done(refused);
      }),
    readSnapshot: (done) => store.readSnapshot(done),
    acceptLoss: (slots, done) => store.acceptLoss(slots, done),
    scrub: (done) => store.scrub(done),
    close: () => store.close(),
  };
}

function slotsText(accepted: readonly { readonly slot: number }[]): string {
  const [first, last] = [accepted[0], accepted.at(-1)];
  if (first === undefined || last === undefined) return 'no slots';
  return first === last ? `slot ${first.slot}` : `slots ${first.slot} to ${last.slot}`;
}
