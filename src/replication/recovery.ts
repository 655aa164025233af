/** Recovery: from what a disk held to what consensus goes on from. */
import { TuttiError } from '../core/errors.js';
import { decodeConfiguration, decodeEntry } from '../paxos/codec.js';
import type { Recovered } from '../paxos/effects.js';
import type { AcceptedEntry, UnknownSlot } from '../paxos/entry.js';
import type { Log } from '../ports/log.js';
import type { LogStore, StoreRecovered } from './log-store.js';
import { decodeSnapshot, type Snapshot } from './snapshot-form.js';

/**
 * The snapshot that is on the disk; null where it cannot be read and others may have a good one.
 * @throws TuttiError BAD_SNAPSHOT where nobody can have one
 */
export function readSnapshot(
  { store, log }: { readonly store: Pick<LogStore, 'readSnapshot'>; readonly log: Log },
  { cluster, configuration }: StoreRecovered,
): Promise<Snapshot | null> {
  return new Promise((resolve, reject) => {
    store.readSnapshot((bytes, error) => {
      try {
        if (bytes === null) throw error ?? new TuttiError('BAD_SNAPSHOT');
        resolve(decodeSnapshot(bytes, cluster));
      } catch (wrong) {
        const hasOthers = decodeConfiguration(configuration).members.length > 1;
        if (!hasOthers || !(wrong instanceof TuttiError)) {
          reject(wrong);
          return;
        }
        log.error('the snapshot on this disk cannot be read: a peer has to send its own', { detail: wrong.detail });
        resolve(null);
      }
    });
  });
}

/** What the core has to know of what was found on the disk. */
export function recoveredFor(recovered: StoreRecovered, snapshot: Snapshot | null): Recovered {
  const accepted: AcceptedEntry[] = [];
  const unknown: UnknownSlot[] = [...recovered.unknown];
  for (const { slot, ballot, entry } of recovered.accepted) {
    try {
      accepted.push({ slot, ballot, entry: decodeEntry(entry) });
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      // Whole by its checksum, and yet nothing that can be read: to consensus, damaged like any other.
      unknown.push({ slot, ballot });
    }
  }
  const stored = decodeConfiguration(recovered.configuration);
  const isNewer = snapshot !== null && snapshot.configuration.id > stored.id;
  return {
    promised: recovered.promised,
    configuration: isNewer ? snapshot.configuration : stored,
    base: recovered.base,
    baseStampNs: snapshot?.lastStampNs ?? 0n,
    accepted,
    unknown,
    chosenUpTo: recovered.chosenUpTo,
    leaseMsMax: recovered.leaseMsMax,
  };
}
