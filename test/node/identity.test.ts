import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import { loadIdentity } from '../../src/node/identity.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeRandom } from '../../src/ports/fake-random.js';

t.test('a node is made once and keeps its identity, a power cut included', (t) => {
  const disk = new FakeDisk();
  const made = loadIdentity(disk, new FakeRandom(1));
  t.match(made, { node: /^[0-9a-f]{32}$/, incarnation: /^[0-9a-f]{32}$/ });
  t.not(made.node, made.incarnation);
  disk.crash(new Prng(1));
  t.strictSame(loadIdentity(disk, new FakeRandom(2)), made);
  t.end();
});

t.test('an identity that cannot be read is told and not replaced', (t) => {
  for (const text of ['', '{', 'null', '{"node":"x","incarnation":1}']) {
    const disk = new FakeDisk();
    const file = disk.open('node.json', 'create');
    file.write(new TextEncoder().encode(text), 0);
    file.close();
    t.throws(() => loadIdentity(disk, new FakeRandom(1)), { code: 'DISK_FAILED' }, text);
  }
  t.end();
});
