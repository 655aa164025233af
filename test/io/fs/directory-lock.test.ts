import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { lockDirectory } from '../../../src/io/fs/directory-lock.js';
import { loadLibc } from '../../../src/io/libc/libc.js';

const skip = loadLibc() === undefined && 'koffi has no binary for this machine';

t.test('a directory is locked once, until it is let go', { skip }, (t) => {
  const directory = t.testdir({});
  const unlock = lockDirectory(directory);
  t.throws(() => lockDirectory(directory), { code: 'DATA_DIR_IN_USE' });
  unlock();
  unlock();
  lockDirectory(directory)();
  t.end();
});

t.test('the lock goes with the process that had it, however that ended', { skip }, (t) => {
  const directory = t.testdir({});
  const module = fileURLToPath(new URL('../../../src/io/fs/directory-lock.js', import.meta.url));
  const script = `
    import { lockDirectory } from ${JSON.stringify(module)};
    lockDirectory(${JSON.stringify(directory)});
    process.kill(process.pid, 'SIGKILL');`;
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  t.equal(signal, 'SIGKILL');
  lockDirectory(directory)();
  t.end();
});

t.test('a directory that is not there is said to be so', (t) => {
  t.throws(() => lockDirectory(join(t.testdir({}), 'none')), { code: 'DISK_FAILED' });
  t.end();
});
