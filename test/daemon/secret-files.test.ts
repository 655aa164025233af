/** Files that only their owner can read. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkKey, dropKey, keepKey, loadToken, makeKey, readKey, typedKey } from '../../src/daemon/secret-files.js';
import { temporaryFolder } from '../support/daemon.js';

t.test('a key is made once, for its owner only, and is another one each time', (t) => {
  const path = join(temporaryFolder(t), 'cluster.key');
  t.equal(readKey(path), null);
  t.equal(makeKey(path), true);
  const key = readKey(path)!;
  t.equal(key.length, 32);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.match(readFileSync(path, 'utf8'), /^[0-9a-f]{64}\n$/);
  t.equal(makeKey(path), false);
  t.strictSame(readKey(path), key);
  const other = join(temporaryFolder(t), 'cluster.key');
  makeKey(other);
  t.notSame(readKey(other), key);
  dropKey(other);
  t.equal(readKey(other), null);
  dropKey(other);
  t.end();
});

t.test('a key that was typed is kept, and never takes the place of another', (t) => {
  const path = join(temporaryFolder(t), 'cluster.key');
  const key = typedKey('AB'.repeat(32));
  checkKey(path, key);
  t.equal(keepKey(path, key), true);
  t.equal(keepKey(path, key), false);
  t.strictSame(readKey(path), key);
  const other = typedKey('cd'.repeat(32));
  t.throws(() => checkKey(path, other), { code: 'BAD_CONFIG', detail: /holds another key/ });
  t.throws(() => keepKey(path, other), { code: 'BAD_CONFIG' });
  t.strictSame(readKey(path), key);
  t.throws(() => typedKey('ab'), { code: 'BAD_REQUEST', detail: /key: found 2 characters; right is/ });
  t.end();
});

t.test('what is no key or cannot be had is told with the setting that names it', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'cluster.key');
  writeFileSync(path, 'too short');
  t.throws(() => readKey(path), { code: 'BAD_CONFIG', detail: /cluster\.key_file: .*found 9 characters/ });
  t.throws(() => makeKey(path), { code: 'BAD_CONFIG', detail: /found 9 characters/ });
  t.throws(() => readKey(folder), { code: 'BAD_CONFIG', detail: /cluster\.key_file/ });
  t.throws(() => makeKey(join(folder, 'none', 'key')), { code: 'BAD_CONFIG', detail: /ENOENT/ });
  t.throws(() => loadToken(join(folder, 'none', 'token')), { code: 'BAD_CONFIG', detail: /http\.token_file/ });
  writeFileSync(path, '\n');
  t.throws(() => loadToken(path), { code: 'BAD_CONFIG', detail: /it is empty/ });
  t.end();
});

t.test('a token is made once, and one that the owner wrote is taken', (t) => {
  const folder = temporaryFolder(t);
  const made = loadToken(join(folder, 'made'));
  t.match(made, /^[0-9a-f]{64}$/);
  t.equal(loadToken(join(folder, 'made')), made);
  writeFileSync(join(folder, 'own'), ' open sesame \n');
  t.equal(loadToken(join(folder, 'own')), 'open sesame');
  t.end();
});
