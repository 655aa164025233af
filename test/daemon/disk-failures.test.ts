/** Three ends by a failing disk within a minute are a circle; what is older, or of another disk, is not counted. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DiskFailures } from '../../src/daemon/disk-failures.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { temporaryFolder } from '../support/daemon.js';

t.test('three within a minute are a circle, which ends with the minute', (t) => {
  const time = new FakeTime({ startNs: 3_600_000_000_000n });
  const folder = temporaryFolder(t);
  // A process each.
  const failures = (dataDir = '/var/lib/tutti') => new DiskFailures({ time }, { folder, dataDir });
  for (const isCircle of [false, false, true]) {
    failures().note();
    t.equal(failures().isCircle, isCircle);
    time.advance(20_000);
  }
  t.equal(failures('/elsewhere').isCircle, false, 'of another disk nothing is known');
  t.equal(failures().isCircle, true);
  time.advance(1);
  t.equal(failures().isCircle, false, 'the first is a minute ago');
  t.end();
});

t.test('instants of an earlier boot, and a folder that is not there, count as nothing', (t) => {
  const folder = temporaryFolder(t);
  const late = new FakeTime({ startNs: 9_000_000_000_000n });
  for (let i = 0; i < 3; i++) new DiskFailures({ time: late }, { folder, dataDir: '/d' }).note();
  const early = new FakeTime({ startNs: 1_000_000_000n });
  t.equal(new DiskFailures({ time: early }, { folder, dataDir: '/d' }).isCircle, false);
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  const nowhere = new DiskFailures({ time: late }, { folder: file, dataDir: '/d' });
  nowhere.note();
  t.equal(nowhere.isCircle, false);
  t.end();
});
