import t from 'tap';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { slowDisk } from '../../src/workers/slow-disk.js';

t.test('without the variable a disk is as it was', (t) => {
  const disk = new FakeDisk();
  const { open } = disk;
  t.equal(slowDisk(disk, {}), disk);
  t.equal(slowDisk(disk, { TUTTI_TEST_SYNC_DELAY_MS: '' }).open, open);
  t.end();
});

t.test('with it every sync takes as much longer, and still syncs', (t) => {
  const disk = slowDisk(new FakeDisk(), { TUTTI_TEST_SYNC_DELAY_MS: '30' });
  const file = disk.open('f', 'create');
  file.write(Uint8Array.of(1, 2, 3), 0);
  const startedAt = performance.now();
  file.sync();
  t.ok(performance.now() - startedAt >= 29, 'at least: it cannot be early');
  const into = new Uint8Array(3);
  t.equal(disk.open('f', 'read').read(into, 0), 3);
  file.close();
  t.throws(() => file.sync(), 'it is the sync of the file itself');
  t.end();
});

t.test('what is no delay is refused', (t) => {
  for (const text of ['soon', '-1', '10001', 'NaN']) {
    t.throws(() => slowDisk(new FakeDisk(), { TUTTI_TEST_SYNC_DELAY_MS: text }), { code: 'BAD_CONFIG' }, text);
  }
  t.end();
});
