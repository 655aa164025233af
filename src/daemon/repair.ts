/**
 * `tutti repair`: looks at the log of a node that does not run.
 *
 * A damaged entry is not lost while other voters have it: they are asked when the node runs. A node that votes alone has nobody to ask;
 * its owner may give the entry up, and only its owner: nobody can tell whether it held anything that was answered.
 */
import type { RepairReport } from '../cli/components.js';
import type { Config } from '../config/config.js';
import { TuttiError } from '../core/errors.js';
import type { BootId } from '../core/ids.js';
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
    // Opening is a start like any other to those who compare the boots of cards.
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
  const { configuration, node, unknown } = store.recovered;
  const damage = store.verify().map(({ part, detail }) => `${part}: ${detail}`);
  const unknownSlots = unknown.map(({ slot }) => slot);
  if (!acceptLoss || unknownSlots.length === 0) return { damage, unknownSlots, lossAccepted: false };
  const others = votersOf(decodeConfiguration(configuration)).filter((voter) => voter !== node);
  if (others.length > 0) {
    throw new TuttiError('LOG_DAMAGED', `${others.length} other nodes vote, and may have what is damaged here`);
  }
  store.acceptLoss(unknownSlots);
  return { damage, unknownSlots, lossAccepted: true };
}
