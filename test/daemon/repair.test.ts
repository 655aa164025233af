/** `tutti repair` on real files. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Config, parseConfig } from '../../src/config/config.js';
import { type BootId, clusterId, type Incarnation, nodeId, slot } from '../../src/core/ids.js';
import { repairStore } from '../../src/daemon/repair.js';
import { lockDirectory } from '../../src/io/fs/directory-lock.js';
import { NodeDisk } from '../../src/io/fs/node-disk.js';
import { encodeConfiguration } from '../../src/paxos/codec.js';
import { TIMING_DEFAULT } from '../../src/paxos/configuration.js';
import { STORE_LIMITS, Store } from '../../src/storage/store.js';
import { temporaryFolder } from '../support/daemon.js';

const id = (letter: string): string => letter.repeat(32);
const member = (letter: string) => ({
  node: nodeId(id(letter)),
  incarnation: id(letter) as Incarnation,
  address: `${letter}:7420`,
  name: letter,
  voter: true,
});

const configOf = (dataDir: string): Config => parseConfig('', { TUTTI_DATA_DIR: dataDir }, { hostname: 'kitchen' });
const look = { acceptLoss: false };

/** A store of the first of `members`, with two entries in one batch each. */
function makeStore(t: Test, members: readonly string[]): { dataDir: string; mark: Uint8Array } {
  const dataDir = temporaryFolder(t);
  const disk = new NodeDisk({ root: dataDir });
  const self = member(members[0]!);
  const configuration = { id: 1, after: slot(0), members: members.map(member), timing: TIMING_DEFAULT };
  Store.format(
    disk,
    {
      cluster: clusterId(id('c')),
      node: self.node,
      incarnation: self.incarnation,
      bootId: id('b') as BootId,
      configuration: encodeConfiguration(configuration),
      leaseMs: 450,
    },
    STORE_LIMITS,
  );
  const store = Store.open(disk, { bootId: id('d') as BootId }, STORE_LIMITS);
  const mark = new TextEncoder().encode('an entry that will be damaged on the card');
  const ballot = { configId: 1, round: 1, node: self.node };
  for (const [at, entry] of [mark, new Uint8Array(100)].entries()) {
    const record = { slot: slot(at + 1), ballot, chosen: true, entry };
    const rest = { promised: ballot, configuration: null, leaseMs: null, cards: null };
    store.commit([{ ...rest, records: [record], chosenUpTo: slot(at + 1) }]);
  }
  store.close();
  return { dataDir, mark };
}

/** Flips a bit of `mark` wherever it stands below the store's folder. */
function damage(dataDir: string, mark: Uint8Array): void {
  const folder = join(dataDir, 'consensus');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (!existsSync(path) || readdirSafe(path)) continue;
    const bytes = readFileSync(path);
    const at = bytes.indexOf(mark);
    if (at < 0) continue;
    bytes[at]! ^= 1;
    writeFileSync(path, bytes);
  }
}

const readdirSafe = (path: string): boolean => {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
};

t.test('a log that is whole is found so, as often as one looks', async (t) => {
  const { dataDir } = makeStore(t, ['a']);
  for (let i = 0; i < 2; i++) {
    t.strictSame(await repairStore(configOf(dataDir), look), {
      damage: [],
      mended: [],
      unknownSlots: [],
      snapshot: null,
      others: 0,
      lossAccepted: false,
    });
  }
});

t.test('a node that votes alone gives damaged entries up where its owner accepts that', async (t) => {
  const { dataDir, mark } = makeStore(t, ['a']);
  damage(dataDir, mark);
  const report = await repairStore(configOf(dataDir), look);
  t.strictSame([report.unknownSlots, report.lossAccepted], [[1], false]);
  t.match(await repairStore(configOf(dataDir), { acceptLoss: true }), { unknownSlots: [1], lossAccepted: true });
  t.match(await repairStore(configOf(dataDir), look), { unknownSlots: [], lossAccepted: false });
});

/** Keeps a snapshot as of the last slot, and damages it; `jumps`: it is a peer's, for which the log never had the slots. */
function damageSnapshot(dataDir: string, init: { readonly jumps: boolean }): void {
  const disk = new NodeDisk({ root: dataDir });
  const store = Store.open(disk, { bootId: id('e') as BootId }, STORE_LIMITS);
  const state = new TextEncoder().encode('the state of the house');
  const { configuration } = store.recovered;
  if (init.jumps) store.installSnapshot(slot(2), state, { configuration, promised: null });
  else store.saveSnapshot(slot(2), state);
  store.close();
  damage(join(dataDir), state);
}

t.test('a damaged snapshot is made up for by the log, also for a node that is alone', async (t) => {
  const { dataDir } = makeStore(t, ['a']);
  damageSnapshot(dataDir, { jumps: false });
  const report = await repairStore(configOf(dataDir), look);
  t.match(report, { damage: [], mended: [/snapshot of slot 2 was damaged/], unknownSlots: [], snapshot: null });
});

t.test('a snapshot that the log makes up for in part is given up where that is accepted', async (t) => {
  const { dataDir, mark } = makeStore(t, ['a']);
  damageSnapshot(dataDir, { jumps: false });
  damage(dataDir, mark);
  const snapshot = { slot: 2, missing: [1] };
  t.match(await repairStore(configOf(dataDir), look), { snapshot, others: 0, lossAccepted: false });
  t.match(await repairStore(configOf(dataDir), { acceptLoss: true }), { snapshot, lossAccepted: true });
  t.match(await repairStore(configOf(dataDir), look), { unknownSlots: [], snapshot: null });
});

t.test('a snapshot without which nothing is left to begin with is not given up, and that is said', async (t) => {
  const { dataDir } = makeStore(t, ['a']);
  damageSnapshot(dataDir, { jumps: true });
  for (const acceptLoss of [false, true]) {
    const report = await repairStore(configOf(dataDir), { acceptLoss });
    t.match(report, { snapshot: { slot: 2, missing: null }, others: 0, lossAccepted: false });
  }
});

t.test('what others may have is not given up', async (t) => {
  const { dataDir, mark } = makeStore(t, ['a', 'e', 'f']);
  damage(dataDir, mark);
  await t.rejects(repairStore(configOf(dataDir), { acceptLoss: true }), {
    code: 'LOG_DAMAGED',
    detail: /2 other nodes/,
  });
  t.match(await repairStore(configOf(dataDir), look), { unknownSlots: [1] });
});

t.test('a folder without a log, and one that a node runs on, are told so', async (t) => {
  const dataDir = temporaryFolder(t);
  await t.rejects(repairStore(configOf(dataDir), look), { code: 'NOT_A_MEMBER' });
  const unlock = lockDirectory(dataDir);
  await t.rejects(repairStore(configOf(dataDir), look), { code: 'DATA_DIR_IN_USE' });
  unlock();
});
