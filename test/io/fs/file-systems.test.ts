import { tmpdir } from 'node:os';
import t from 'tap';
import { fileSystemOf, isOnNetwork } from '../../../src/io/fs/file-systems.js';

t.test('a disk of this machine is no network', (t) => {
  t.equal(isOnNetwork(Buffer.from(tmpdir())), false);
  t.end();
});

t.test('what is none of the known ones is a number', (t) => {
  t.equal(fileSystemOf('/proc'), '0x9fa0');
  t.end();
});

t.test('of nothing there is no file system', (t) => {
  t.throws(() => fileSystemOf('/nowhere/at/all'), { code: 'ENOENT' });
  t.end();
});
