/** The real files and the real HTTP below the command line. */
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EXIT } from '../../src/cli/exit-codes.js';
import { ANSWER_BYTES_MAX, type HttpError, nodeHttpTransport } from '../../src/cli/http-transport.js';
import { localFiles, systemComponents } from '../../src/cli/system.js';
import { TuttiError } from '../../src/core/errors.js';
import { FakeNode, type Prank } from './fake-node.js';
import { tutti } from './harness.js';

const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TuttiError) return `${error.code}: ${error.detail}`;
    throw error;
  }
  return 'it was accepted';
};

t.test('a result that nobody takes is no error, and one that cannot be written is said so', (t) => {
  const main = fileURLToPath(new URL('../../tutti/main.js', import.meta.url));
  const ran = (stdout: number) =>
    spawnSync(process.execPath, [main, 'completion', 'bash'], { stdio: ['ignore', stdout, 'pipe'], encoding: 'utf8' });
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = ran(full);
  closeSync(full);
  t.equal(status, EXIT.world);
  t.match(stderr, /^The disk refused to read or write\. The result cannot be written: ENOSPC[^\n]*\n$/);
  const script = `"$0" "$1" completion bash | :; echo "\${PIPESTATUS[0]}"`;
  const pipe = spawnSync('bash', ['-c', script, process.execPath, main], { encoding: 'utf8' });
  t.match(pipe, { stdout: `${EXIT.ok}\n`, stderr: '' });
  t.end();
});

t.test('a file is read whole, again at each call', async (t) => {
  const path = join(t.testdir(), 'a.wav');
  const bytes = Buffer.alloc(200_000, 7);
  writeFileSync(path, bytes);
  const file = await localFiles.open(path);
  t.equal(file.bytes, bytes.length);
  for (let pass = 1; pass <= 2; pass++) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.read()) chunks.push(chunk);
    t.ok(Buffer.concat(chunks).equals(bytes), `pass ${pass}`);
  }
});

t.test('a file that grows is sent as it was, one that shrinks is said so', async (t) => {
  const path = join(t.testdir(), 'a.wav');
  writeFileSync(path, 'RIFF');
  const file = await localFiles.open(path);
  writeFileSync(path, 'RIFF and more');
  let text = '';
  for await (const chunk of file.read()) text += Buffer.from(chunk).toString();
  t.equal(text, 'RIFF');
  truncateSync(path, 2);
  const drain = async () => {
    for await (const _ of file.read());
  };
  t.match(await refusalOf(drain()), /^INCOMPLETE_AUDIO: .*a\.wav became shorter while it was sent/);
  writeFileSync(path, '');
  const empty = await localFiles.open(path);
  t.equal(empty.bytes, 0);
  for await (const _ of empty.read()) t.fail('an empty file has no chunks');
});

t.test('what cannot be sent is refused with its reason', async (t) => {
  const directory = t.testdir({ 'secret.wav': 'x' });
  t.match(
    await refusalOf(localFiles.open(join(directory, 'none'))),
    /^BAD_USAGE: FILE: ".*none": there is none of this/,
  );
  t.match(await refusalOf(localFiles.open(directory)), /^BAD_USAGE: .* is not a file; right is a file/);
  const secret = join(directory, 'secret.wav');
  chmodSync(secret, 0o000);
  // Root may read everything.
  if (process.getuid?.() !== 0) t.match(await refusalOf(localFiles.open(secret)), /it may not be read by you/);
});

t.test('configuration files', async (t) => {
  const directory = t.testdir({ 'a.toml': 'name = "ä"' });
  t.equal(await localFiles.readText(join(directory, 'a.toml')), 'name = "ä"');
  t.equal(await localFiles.readText(join(directory, 'b.toml')), undefined);
  t.match(await refusalOf(localFiles.readText(directory)), /^BAD_USAGE: .*it is a directory/);
});

t.test('the components of a real process', async (t) => {
  const idle = () => Promise.resolve(0);
  const components = systemComponents({
    version: '1.2.3',
    run: idle,
    demo: idle,
    lampOff: () => Promise.resolve(0),
    repair: () => Promise.reject(new Error('this test repairs nothing')),
  });
  t.not(components.uniqueKey(), components.uniqueKey());
  const before = components.nowMs();
  await components.waitMs(5);
  t.ok(components.nowMs() >= before + 4);
  const over = new AbortController();
  const waiting = components.waitMs(3_600_000, over.signal);
  over.abort();
  await waiting;
  await components.waitMs(3_600_000, over.signal);
  t.equal(components.version, '1.2.3');
  t.ok(components.hostname.length > 0);
});

t.test('an uploaded file arrives byte by byte', async (t) => {
  const node = new FakeNode();
  await node.start();
  t.teardown(() => node.stop());
  const path = join(t.testdir(), 'a song.wav');
  const text = 'RIFF'.repeat(100_000);
  writeFileSync(path, text);
  const { exitCode, stdout } = await tutti(['add', path, '--node', node.url], { files: localFiles });
  t.equal(exitCode, 0);
  t.equal(stdout, 'Added: a song (3:07)\n');
  t.equal(node.requests[0]!.body, text);
  t.equal(node.requests[0]!.headers['content-length'], String(text.length));
});

t.test('an answer without end is cut off', async (t) => {
  const node = new FakeNode();
  await node.start();
  t.teardown(() => node.stop());
  const endless: Prank = (_request, response) => {
    const chunk = Buffer.alloc(1024 * 1024, 32);
    const more = () => {
      while (response.writable && response.write(chunk));
    };
    response.on('drain', more).on('error', () => undefined);
    more();
  };
  node.prank(endless);
  const request = { method: 'GET', url: new URL(`${node.url}/x`), headers: {}, silenceMs: 5_000 } as const;
  const error = await nodeHttpTransport(request).then(
    () => undefined,
    (reason: HttpError) => reason,
  );
  t.match(error, { failure: 'garbage', message: `the answer is longer than ${ANSWER_BYTES_MAX} bytes` });
});
