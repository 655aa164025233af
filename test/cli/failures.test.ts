/** What goes wrong: which exit code, which words, and what is sent twice. */
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { EXIT_CODES, exitCodeOf } from '../../src/cli/exit-codes.js';
import { nodeHttpTransport } from '../../src/cli/http-transport.js';
import { ERRORS, type ErrorCode } from '../../src/core/errors.js';
import { answer, FakeNode, hangUp, makeTrack, type Prank, refuse } from './fake-node.js';
import { filesOf, type Settings, tutti } from './harness.js';

async function house(t: Test) {
  const node = new FakeNode();
  await node.start();
  t.teardown(() => node.stop());
  node.tracks = [makeTrack('b1ce', 'Blue in Green')];
  node.play(node.enqueue(node.tracks[0]!)[0]!, 0);
  const ask = (line: string, settings: Settings = {}) => tutti([...line.split(' '), '--node', node.url], settings);
  return { node, ask };
}

/** A port at which nothing listens any more. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// ---- Exit codes ----------------------------------------------------------------------------------------------------------------

t.test('every code of the catalogue has an exit code of the table', (t) => {
  const known = EXIT_CODES.map((row) => row.code);
  for (const code of Object.keys(ERRORS) as ErrorCode[]) t.ok(known.includes(exitCodeOf(code)), code);
  t.equal(exitCodeOf('TRACK_NOT_FOUND'), 1);
  t.equal(exitCodeOf('BAD_CONFIG'), 2);
  t.equal(exitCodeOf('NODE_UNREACHABLE'), 3);
  t.equal(exitCodeOf('NO_QUORUM'), 3);
  t.equal(exitCodeOf('INTERNAL'), 70);
  t.end();
});

t.test('what a node refuses is said with code, detail and advice, and decides the exit code', async (t) => {
  const { node, ask } = await house(t);
  const cases: [Prank, number, string][] = [
    [refuse('ITEM_CHANGED', 'Another item is current: i2.'), 1, 'ITEM_CHANGED: Another item is current: i2.'],
    [refuse('NO_QUORUM', '1 of 3 voters online, 2 needed.'), 3, 'NO_QUORUM: 1 of 3 voters online, 2 needed.'],
    [refuse('INTERNAL', 'A bug.'), 70, 'INTERNAL: A bug.'],
  ];
  for (const [prank, exitCode, words] of cases) {
    node.prank(prank);
    const ran = await ask('pause');
    t.equal(ran.exitCode, exitCode);
    t.equal(ran.stdout, '');
    const code = words.split(':', 1)[0] as ErrorCode;
    t.ok(ran.stderr.startsWith(`${words}\n${ERRORS[code].advice}\n`), words);
  }
});

t.test('with --json the error is one line of JSON on standard error', async (t) => {
  const { node, ask } = await house(t);
  node.prank(refuse('TRACK_PLAYING', 'It plays.', { trackId: 'x', nested: { a: 1 }, names: ['a'] }));
  const { stdout, stderr } = await ask('pause --json');
  t.equal(stdout, '');
  const { title, status, advice } = ERRORS.TRACK_PLAYING;
  const problem = { code: 'TRACK_PLAYING', title, status, detail: 'It plays.', advice, trackId: 'x', names: ['a'] };
  t.same(JSON.parse(stderr), problem);
  t.match(JSON.parse((await tutti(['seek', 'now', '--json'])).stderr), { code: 'BAD_USAGE', status: 400 });
  t.match(JSON.parse((await tutti(['seek', '--json'])).stderr), { code: 'BAD_USAGE', usage: /tutti seek/ });
});

t.test('a code from the future is told apart by its HTTP status', async (t) => {
  const { node, ask } = await house(t);
  const future = (status: number) =>
    answer(
      status,
      JSON.stringify({ type: '', title: 't', status, detail: 'Too new.', code: 'BRAND_NEW', advice: 'a' }),
    );
  node.prank(future(409));
  const refused = await ask('pause');
  t.equal(refused.exitCode, 1);
  t.match(refused.stderr, 'BAD_REQUEST: BRAND_NEW: Too new.');
  node.prank(future(503));
  t.equal((await ask('pause')).exitCode, 3);
});

t.test('an answer that makes no sense is BAD_ANSWER, whatever it is', async (t) => {
  const { node, ask } = await house(t);
  const cases: [Prank, RegExp][] = [
    [answer(200, '<html>It works!</html>'), /gives an answer of another form: "<html>It works!<\/html>"/],
    [answer(200, '{"tracks":[{}],"tracksRev":1}'), /gives an answer of another form at \/tracks\/0/],
    [answer(404, 'Not found'), /says 404 without saying why: "Not found"/],
    [answer(500, '{"code":1}'), /says 500 without saying why/],
    [answer(302, ''), /another form/],
    [(_request, response) => response.writeHead(204).end(), /another form: ""/],
  ];
  for (const [prank, words] of cases) {
    node.prank(prank);
    const { exitCode, stderr, stdout } = await ask('ls');
    t.equal(exitCode, 3);
    t.equal(stdout, '');
    t.match(stderr, /^BAD_ANSWER: What answers at http:\/\/127\.0\.0\.1:\d+ /);
    t.match(stderr, words);
  }
});

t.test('what does not speak HTTP is BAD_ANSWER too', async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('SSH-2.0-OpenSSH_9.2\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { exitCode, stderr } = await tutti(['ls', '--node', `127.0.0.1:${(server.address() as AddressInfo).port}`]);
  t.equal(exitCode, 3);
  t.match(stderr, /^BAD_ANSWER: What answers at .* does not speak HTTP/);
});

t.test('no node at the address is NODE_UNREACHABLE', async (t) => {
  const port = await freePort();
  const { exitCode, stderr } = await tutti(['pause', '--node', `127.0.0.1:${port}`]);
  t.equal(exitCode, 3);
  t.match(stderr, `NODE_UNREACHABLE: No node answers at http://127.0.0.1:${port}: connect ECONNREFUSED`);
});

t.test('a mistake of our own is INTERNAL, with what it takes to report it', async (t) => {
  const { exitCode, stderr } = await tutti(['demo'], { demo: () => Promise.reject(new RangeError('oh no')) });
  t.equal(exitCode, 70);
  t.match(stderr, /^INTERNAL: oh no\nPlease report it .*\nRangeError: oh no\n {4}at /);
  t.equal((await tutti(['demo'], { demo: () => Promise.reject('a text') })).exitCode, 70);
});

// ---- Broken connections --------------------------------------------------------------------------------------------------------

t.test('a write whose connection broke is sent once more, with the same key', async (t) => {
  const { node, ask } = await house(t);
  node.prank(hangUp);
  t.equal((await ask('pause')).exitCode, 0);
  t.same(
    node.requests.map(({ path, headers }) => [path, headers['idempotency-key']]),
    [
      ['/transport/pause', 'key-1'],
      ['/transport/pause', 'key-1'],
    ],
  );
});

t.test('a read whose connection broke is sent once more', async (t) => {
  const { node, ask } = await house(t);
  node.prank(hangUp);
  t.equal((await ask('ls')).exitCode, 0);
  node.prank(hangUp, hangUp);
  const { exitCode, stderr } = await ask('ls');
  t.equal(exitCode, 3);
  t.match(stderr, 'NODE_UNREACHABLE');
});

t.test('a write that stays without an answer is OUTCOME_UNKNOWN, never "failed"', async (t) => {
  const { node, ask } = await house(t);
  node.prank(hangUp, hangUp);
  const { exitCode, stderr } = await ask('pause');
  t.equal(exitCode, 3);
  t.match(stderr, /^OUTCOME_UNKNOWN: http:\/\/127\.0\.0\.1:\d+ took the request and gave no answer: /);
  t.equal(node.requests.length, 2, 'once more, and no oftener');
});

t.test('an answer that breaks off in the middle counts as none', async (t) => {
  const { node, ask } = await house(t);
  const breakOff: Prank = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"tra', () => response.destroy());
  };
  node.prank(breakOff);
  t.equal((await ask('ls')).exitCode, 0);
  t.equal(node.requests.length, 2);
});

t.test('a node that says nothing is given up after a while: a read is unreachable, a write unknown', async (t) => {
  const { node, ask } = await house(t);
  const silent: Prank = () => undefined;
  const impatient: Settings = { http: (request) => nodeHttpTransport({ ...request, silenceMs: 50 }) };
  node.prank(silent);
  t.match((await ask('ls', impatient)).stderr, /^NODE_UNREACHABLE: .*no answer within 0.05 s/);
  node.prank(silent);
  t.match((await ask('pause', impatient)).stderr, /^OUTCOME_UNKNOWN: .*no answer within 0.05 s/);
  t.equal(node.requests.length, 2, 'and not asked again');
});

// ---- Uploads -------------------------------------------------------------------------------------------------------------------

const SONGS = filesOf({ '/music/a.wav': 'RIFFa', '/music/b.wav': 'RIFFbb', 'ü & ?.wav': 'x', 'empty.wav': '' });

t.test('add sends files one after another, with their length and names', async (t) => {
  const { node } = await house(t);
  const argv = ['add', '/music/a.wav', 'ü & ?.wav', 'empty.wav', '--node', node.url];
  const { exitCode, stdout } = await tutti(argv, { files: SONGS });
  t.equal(exitCode, 0);
  t.equal(stdout, 'Added: a (3:07)\nAdded: ü & ? (3:07)\nAdded: empty (3:07)\n');
  t.same(
    node.requests.map(({ method, path, headers, body }) => [method, path, headers['content-length'], body]),
    [
      ['PUT', '/tracks/a.wav', '5', 'RIFFa'],
      ['PUT', `/tracks/${encodeURIComponent('ü & ?.wav')}`, '1', 'x'],
      ['PUT', '/tracks/empty.wav', '0', ''],
    ],
  );
  t.match(node.requests[0]!.headers, { 'content-type': 'audio/wav', 'idempotency-key': 'key-1', 'tutti-via': 'cli' });
  t.notOk('transfer-encoding' in node.requests[0]!.headers);
});

t.test('a file that the library has counts as done', async (t) => {
  const { node, ask } = await house(t);
  node.prank(refuse('TRACK_EXISTS', 'The library has these bytes as "A".', { trackId: 'aa' }));
  const { exitCode, stdout, stderr } = await ask('add /music/a.wav', { files: SONGS });
  t.equal(exitCode, 0);
  t.equal(stdout, 'Already there: The library has these bytes as "A".\n');
  t.equal(stderr, '');
  node.prank(refuse('TRACK_EXISTS', 'The library has it.', { trackId: 'aa' }));
  const json = await ask('add /music/a.wav /music/b.wav --json', { files: SONGS });
  const [first, second] = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(first, { file: '/music/a.wav', added: false, code: 'TRACK_EXISTS', trackId: 'aa' });
  t.match(second, { file: '/music/b.wav', added: true, track: { title: 'b' } });
});

t.test('a refused file does not keep the others from being sent, and decides the exit code', async (t) => {
  const { node, ask } = await house(t);
  node.prank(refuse('UNSUPPORTED_AUDIO', 'It is an MP3.'));
  const { exitCode, stdout, stderr } = await ask('add /music/a.wav /music/b.wav', { files: SONGS });
  t.equal(exitCode, 1);
  t.equal(stdout, 'Added: b (3:07)\n');
  t.match(stderr, '/music/a.wav: UNSUPPORTED_AUDIO: It is an MP3.\n');
  node.prank(refuse('UNSUPPORTED_AUDIO', 'It is an MP3.'));
  t.match(JSON.parse((await ask('add /music/a.wav /music/b.wav --json', { files: SONGS })).stderr), {
    code: 'UNSUPPORTED_AUDIO',
    about: '/music/a.wav',
  });
});

t.test('where the next file would meet the same, it is not sent', async (t) => {
  const { node, ask } = await house(t);
  node.prank(refuse('DISK_FULL', 'No room.'));
  const { exitCode, stderr } = await ask('add /music/a.wav /music/b.wav', { files: SONGS });
  t.equal(exitCode, 3);
  t.match(stderr, 'DISK_FULL: No room.');
  t.equal(node.requests.length, 1);
});

t.test('a file that is not there comes to light before anything is sent', async (t) => {
  const { node, ask } = await house(t);
  const { exitCode, stderr } = await ask('add /music/a.wav nothere.wav', { files: SONGS });
  t.equal(exitCode, 2);
  t.match(stderr, 'BAD_USAGE: FILE: "nothere.wav"');
  t.equal(node.requests.length, 0);
});

t.test('an upload whose connection broke is sent again from its beginning', async (t) => {
  const { node, ask } = await house(t);
  node.prank(hangUp);
  const { exitCode, stderr } = await ask('add /music/b.wav', { files: SONGS, isTerminal: true });
  t.equal(exitCode, 0);
  t.equal(stderr.split('3 B of 6 B').length - 1, 2, 'and the progress begins anew with it');
  t.same(
    node.requests.map(({ body, headers }) => [body, headers['idempotency-key']]),
    [
      ['RIFFbb', 'key-2'],
      ['RIFFbb', 'key-2'],
    ],
  );
});

t.test('a file that cannot be read to its end is said so, and not tried again', async (t) => {
  const { node, ask } = await house(t);
  let reads = 0;
  const files = {
    ...SONGS,
    open: () =>
      Promise.resolve({
        bytes: 10,
        async *read() {
          reads++;
          yield await Promise.resolve(Buffer.from('RIFF'));
          throw new Error('EIO: i/o error, read');
        },
      }),
  };
  const { exitCode, stderr } = await ask('add a.wav', { files });
  t.equal(exitCode, 3);
  t.match(stderr, 'DISK_FAILED: The file could not be read to its end: EIO: i/o error, read.');
  t.equal(reads, 1);
  t.equal(node.tracks.length, 1, 'nothing was added');
});

t.test('an answer that comes before the whole file was sent counts', async (t) => {
  const server = http.createServer((_request, response) => {
    const { status, title, advice } = ERRORS.UNAUTHORIZED;
    const problem = { type: '', title, status, detail: 'A token is needed.', code: 'UNAUTHORIZED', advice };
    response.writeHead(status).end(JSON.stringify(problem));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  let isClosed = false;
  const endless = {
    ...SONGS,
    open: () =>
      Promise.resolve({
        bytes: 1e12,
        async *read() {
          try {
            for (;;) yield await Promise.resolve(Buffer.alloc(65_536));
          } finally {
            isClosed = true;
          }
        },
      }),
  };
  const argv = ['add', 'big.wav', '--node', `127.0.0.1:${(server.address() as AddressInfo).port}`];
  const { exitCode, stderr } = await tutti(argv, { files: endless });
  t.equal(exitCode, 1);
  t.match(stderr, 'UNAUTHORIZED: A token is needed.');
  t.ok(isClosed, 'the file is let go');
});

t.test('while the nodes take a file in, the progress shows how many hold it', async (t) => {
  const { node, ask } = await house(t);
  let looks = 0;
  let release = () => {};
  const answered = new Promise<void>((resolve) => {
    release = resolve;
  });
  node.prank((request, response) => {
    const upload = {
      id: String(request.headers['tutti-upload']),
      title: 'a',
      via: 'http' as const,
      receivedBytes: 5,
      totalBytes: 5,
      stage: 'replicating' as const,
      code: null,
      trackId: null,
      needed: 2,
      progress: { kitchen: 5, attic: 3 },
    };
    node.state = { uploads: [upload] };
    void answered.then(() => {
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end(JSON.stringify(makeTrack('feed', 'a')));
    });
  });
  const waitMs = () => {
    looks += 1;
    if (looks > 50) release();
    return new Promise<void>((resolve) => setTimeout(resolve, 1));
  };
  const { stdout, stderr } = await ask('add /music/a.wav', { files: SONGS, isTerminal: true, waitMs });
  t.match(stderr, '\ra [############............] on 1 of the 2 nodes that it takes'.replace('\r', '\r\u001b[K'));
  t.equal(stdout, 'Added: a (3:07)\n');
});

t.test('the progress shows how much is sent, on a terminal only', async (t) => {
  const { ask } = await house(t);
  const { stderr } = await ask('add /music/a.wav', { files: SONGS, isTerminal: true });
  t.equal(
    stderr,
    [
      '\r\u001b[Ka [#########...............] 2 B of 5 B',
      '\r\u001b[Ka [########################] sent, waiting for the nodes',
      '\r\u001b[K',
    ].join(''),
  );
  t.equal((await ask('add /music/b.wav', { files: SONGS })).stderr, '');
});
