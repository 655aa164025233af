/** A daemon that wants to become a node looks for room first, and is the same one at every try. */
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import { Newcomer } from '../../src/daemon/newcomer.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeRandom } from '../../src/ports/fake-random.js';
import { STORE_LIMITS, storeBytes } from '../../src/storage/limits.js';
import { codeOf } from '../contract/support.js';
import { LIMITS } from '../replication/cluster.js';

const random = new FakeRandom();
const newcomerOn = (disk: FakeDisk) => new Newcomer({ disk, random }, { limits: LIMITS });

t.test('a store takes what is looked for beforehand', (t) => {
  const disk = new FakeDisk();
  const newcomer = newcomerOn(disk);
  disk.setFreeBytes(storeBytes(LIMITS));
  newcomer.checkRoom();
  disk.setFreeBytes(storeBytes(LIMITS) - 1);
  t.equal(
    codeOf(() => newcomer.checkRoom()),
    'DISK_FULL',
  );
  const megabytes = storeBytes(STORE_LIMITS) / 1e6;
  t.ok(megabytes > 140 && megabytes < 155, `a real one takes ${megabytes} MB`);
  t.end();
});

t.test('its ids are the same at every try, until a store holds them', (t) => {
  const disk = new FakeDisk();
  const ids = newcomerOn(disk).ids();
  t.strictSame(newcomerOn(disk).ids(), ids);
  disk.crash(new Prng(1));
  t.strictSame(newcomerOn(disk).ids(), ids, 'after a power cut');
  newcomerOn(disk).forget();
  newcomerOn(disk).forget();
  disk.crash(new Prng(1));
  t.notSame(newcomerOn(disk).ids(), ids, 'a card that lost its store is another one');
  t.end();
});

t.test('a file that cannot be read is as good as none', (t) => {
  const disk = new FakeDisk();
  const ids = newcomerOn(disk).ids();
  const file = disk.open('newcomer', 'write');
  file.truncate(5);
  file.sync();
  file.close();
  t.notSame(newcomerOn(disk).ids(), ids);
  t.end();
});
