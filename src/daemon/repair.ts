/**
 * `tutti repair`: looks at the log of a node that does not run.
 *
 * A damaged entry or snapshot is not lost while other voters have it: they are asked when the node runs. A node that votes alone has nobody
 * to ask; its owner may give up what is damaged, and only its owner: nobody can tell whether it held anything that was answered.
 */
import type { RepairReport } from '../cli/components.js';
import type { Config } from '../config/config.js';
import { TuttiError } from '../core/errors.js';
import type { BootId, Slot } from '../core/ids.js';
import { lockDirectory } from '../io/fs/directory-lock.js';
import { NodeDisk } from '../io/fs/node-disk.js';
import { SystemRandom } from '../io/random/system-random.js';
import { randomId } from '../node/random-id.js';
import { decodeConfiguration } from '../paxos/codec.js';
import { votersOf } from '../paxos/configuration.js';
import { STORE_LIMITS, Store } from '../storage/store.js';

/** @throws TuttiError NOT_A_MEMBER, DATA_DIR_IN_USE, STORE_UNREADABLE, DISK_FAILED; LOG_DAMAGED where loss is accepted that others can mend */
export async function repairStore(
  { dataDir }: Config,
  { acceptLoss }: { readonly acceptLoss: boolean },
): Promise<RepairReport> {
  const unlock = lockDirectory(dataDir);
  try {
    const disk = new NodeDisk({ root: dataDir });
    if (Store.inspect(disk) === 'empty') {
      throw new TuttiError('NOT_A_MEMBER', `${dataDir} holds no log: this node belongs to no cluster yet`);
    }
    // Opening is a start like any other to those who compare the boots of cards: it notes itself, and mends what it can.
    const store = Store.open(disk, { bootId: randomId(new SystemRandom()) as BootId }, STORE_LIMITS);
    try {
      return await Promise.resolve(examine(store, acceptLoss));
    } finally {
      store.close();
    }
  } finally {
    unlock();
  }
}

function examine(store: Store, acceptLoss: boolean): RepairReport {
  const { node, unknown, repairs } = store.recovered;
  const configuration = decodeConfiguration(store.recovered.configuration);
  const damage = store.verify().map(({ part, detail }) => `${part}: ${detail}`);
  const unknownSlots = unknown.map(({ slot }) => slot);
  const snapshot = snapshotOf(store, configuration.after);
  const others = configuration.members.filter((member) => member.node !== node).length;
  const report = { damage, mended: repairs, unknownSlots, snapshot, others, lossAccepted: false };
  if (!acceptLoss || (unknownSlots.length === 0 && snapshot === null)) return report;
  const voters = votersOf(configuration).filter((voter) => voter !== node);
  if (voters.length > 0) {
    throw new TuttiError('LOG_DAMAGED', `${voters.length} other nodes vote, and may have what is damaged here`);
  }
  // With nothing to begin with, what else is damaged makes no difference any more.
  if (snapshot?.missing === null) return report;
  if (unknownSlots.length > 0) store.acceptLoss(unknownSlots);
  if (snapshot !== null) store.giveUpSnapshot();
  return { ...report, lossAccepted: true };
}

/** @param entered the slot that began the configuration: without that in its log a node takes no part in its votes */
function snapshotOf(store: Store, entered: Slot): RepairReport['snapshot'] {
  const damaged = store.damagedSnapshot;
  const first = damaged?.missing?.[0];
  return damaged !== null && first !== undefined && first <= entered ? { ...damaged, missing: null } : damaged;
}
