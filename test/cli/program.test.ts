import t, { type Test } from 'tap';
import type { Config } from '../../src/config/config.js';
import type { State } from '../../src/http/schema.js';
import { FakeNode, KITCHEN, makeTrack, STOPPED } from './fake-node.js';
import { filesOf, type Settings, tutti } from './harness.js';

const BLUE = makeTrack('b1ce0001', 'Blue in Green', { artist: 'Bill Evans' });
const SOWHAT = makeTrack('50a40002', 'So What', { durationMs: 3_723_000, sampleRate: 48_000, bits: 24, channels: 1 });

const UPLOAD: State['uploads'][number] = {
  id: 'u',
  title: '',
  via: 'http',
  receivedBytes: 1,
  totalBytes: 2,
  stage: 'receiving',
  code: null,
  trackId: null,
  needed: 2,
  progress: {},
};

/** A node with two tracks, both queued, the first one playing at 1:23; and `ask`, which runs a command against it. */
async function house(t: Test) {
  const node = new FakeNode();
  await node.start();
  t.teardown(() => node.stop());
  node.tracks = [BLUE, SOWHAT];
  const [blue] = node.enqueue(BLUE, SOWHAT);
  node.play(blue!, 81_000);
  const ask = (line: string, settings: Settings = {}) => tutti([...line.split(' '), '--node', node.url], settings);
  return { node, ask };
}

t.test('ls lists the tracks in aligned columns, without .wav', async (t) => {
  const { node, ask } = await house(t);
  node.tracks.push(makeTrack('c0ffee', 'Ölflecken 東京.wav', { bytes: 950, durationMs: 999 }));
  const { exitCode, stdout, stderr } = await ask('ls');
  t.equal(exitCode, 0);
  t.equal(stderr, '');
  t.equal(
    stdout,
    [
      'TITLE          ARTIST       LENGTH      RATE  BITS  CH   SIZE  ID',
      'Blue in Green  Bill Evans     3:07  44.1 kHz    16   2  33 MB  b1ce0001',
      'So What                    1:02:03    48 kHz    24   1  33 MB  50a40002',
      'Ölflecken 東京                  0:00  44.1 kHz    16   2  950 B  c0ffee00',
      '',
    ].join('\n'),
  );
});

t.test('ls says lost where the size would stand of a track that no node has any more', async (t) => {
  const { node, ask } = await house(t);
  node.tracks = [{ ...BLUE, lost: true }];
  t.match((await ask('ls')).stdout, / lost +/);
});

t.test('ls --json gives what the node said, as one line', async (t) => {
  const { ask } = await house(t);
  const { stdout } = await ask('ls --json');
  t.same(JSON.parse(stdout), { tracksRev: 1, tracks: [BLUE, SOWHAT] });
  t.equal(stdout.split('\n').length, 2);
});

t.test('an empty library and an empty queue say what to do', async (t) => {
  const { node, ask } = await house(t);
  node.tracks = [];
  node.queue = [];
  t.match((await ask('ls')).stdout, 'The library is empty: tutti add FILE...');
  t.match((await ask('queue')).stdout, 'The queue is empty: tutti queue add TRACK...');
});

t.test('rm removes the track that is named', async (t) => {
  const { node, ask } = await house(t);
  t.equal((await ask('rm b1ce0001')).stdout, 'Removed: Blue in Green\n');
  t.same(node.writes, [`DELETE /tracks/${BLUE.id}`]);
  t.same(JSON.parse((await ask('rm 50a40002 --json')).stdout), { slot: 7, track: SOWHAT });
});

t.test('queue shows what comes next, with the ids that its commands take', async (t) => {
  const { node, ask } = await house(t);
  node.queue[1] = { ...node.queue[1]!, ready: false };
  const { stdout } = await ask('queue');
  t.equal(
    stdout,
    [
      'ITEM  TITLE           LENGTH  FROM',
      'i1    Blue in Green     3:07  cli',
      'i2    So What        1:02:03  cli   not here yet',
      '',
    ].join('\n'),
  );
  t.equal(JSON.parse((await ask('queue --json')).stdout).items.length, 2);
});

t.test('queue add names tracks by title, with or without .wav, in one entry', async (t) => {
  const { node, ask } = await house(t);
  const typed = ['queue', 'add', 'so what.WAV', 'Blue in Green', '--node', node.url];
  const { stdout } = await tutti(typed);
  t.equal(stdout, 'Queued: So What\nQueued: Blue in Green\n');
  t.same(JSON.parse(node.requests.at(-1)!.body), { trackIds: [SOWHAT.id, BLUE.id] });
  t.same(JSON.parse((await ask('queue add 50a40002 --next --json')).stdout), { slot: 7, itemIds: ['i5'] });
  t.same(JSON.parse(node.requests.at(-1)!.body), { trackIds: [SOWHAT.id], next: true });
});

t.test('queue add with one unknown track adds none', async (t) => {
  const { node, ask } = await house(t);
  const { exitCode, stderr } = await ask('queue add b1ce0001 Sowhat');
  t.equal(exitCode, 1);
  t.match(stderr, 'TRACK_NOT_FOUND: No track has the id or title "Sowhat". Did you mean "So What"?');
  t.same(node.writes, []);
});

t.test('queue rm and queue mv name items', async (t) => {
  const { node, ask } = await house(t);
  t.equal((await ask('queue rm i2')).stdout, 'Removed from the queue: So What\n');
  t.equal((await ask('queue mv i2 i1')).stdout, 'Moved before Blue in Green: So What\n');
  t.equal((await ask('queue mv i1 end')).stdout, 'Moved to the end: Blue in Green\n');
  t.same(node.writes, [
    'DELETE /queue/i2',
    'POST /queue/i2/move {"beforeItemId":"i1"}',
    'POST /queue/i1/move {"beforeItemId":null}',
  ]);
  const unknown = await ask('queue rm i9');
  t.equal(unknown.exitCode, 1);
  t.match(unknown.stderr, 'ITEM_NOT_FOUND: The queue has no item with the id or title "i9".');
});

t.test('queue shuffle shows the new order, queue clear an empty queue', async (t) => {
  const { node, ask } = await house(t);
  t.match((await ask('queue shuffle')).stdout, /i2 .*\ni1 /);
  t.equal((await ask('queue clear')).stdout, 'The queue is empty.\n');
  t.same(node.writes, ['POST /queue/shuffle', 'DELETE /queue']);
});

t.test('play goes on, play TRACK plays that one', async (t) => {
  const { node, ask } = await house(t);
  t.equal((await ask('play')).stdout, 'Playing: Blue in Green, 1:21 of 3:07\n');
  t.equal((await ask('play 50a40002')).exitCode, 0);
  t.same(node.writes, ['POST /transport/play {}', `POST /transport/play {"trackId":"${SOWHAT.id}"}`]);
  t.equal(JSON.parse((await ask('play --json')).stdout).itemId, 'i1');
});

t.test('pause and stop', async (t) => {
  const { node, ask } = await house(t);
  t.equal((await ask('pause')).stdout, 'Paused: Blue in Green, 1:21 of 3:07\n');
  t.equal((await ask('stop')).stdout, 'Stopped.\n');
  t.same(node.writes, ['POST /transport/pause {}', 'POST /transport/stop {}']);
});

t.test('skip and previous name the item that was current', async (t) => {
  const { node, ask } = await house(t);
  await ask('skip');
  await ask('previous');
  t.same(node.writes, ['POST /transport/skip {"expectItem":"i1"}', 'POST /transport/previous {"expectItem":"i1"}']);
  node.transport = STOPPED;
  await ask('skip');
  t.equal(node.writes.at(-1), 'POST /transport/skip {}', 'where none is current, the node says so');
});

t.test('seek goes to a time, or on and back from where the song is now', async (t) => {
  const { node, ask } = await house(t);
  for (const time of ['83', '1:23', '1:02:03', '1:23.5', '+10', '-10', '-1:00', '-5:00']) await ask(`seek ${time}`);
  const positions = node.writes.map((write) => JSON.parse(write.replace('POST /transport/seek ', '')).positionMs);
  // The item was at 81 s two seconds of cluster time before the node answered.
  t.same(positions, [83_000, 83_000, 3_723_000, 83_500, 93_000, 73_000, 23_000, 0]);
  node.transport = { ...node.transport, status: 'paused' };
  await ask('seek +10');
  t.match(node.writes.at(-1), '"positionMs":91000', 'what is paused stays where it is');
  t.match(node.writes.at(-1), '"expectItem":"i1"');
  node.play(node.queue[0]!, 5_000);
  node.transport = { ...node.transport, startAtNs: '6500000000' };
  await ask('seek +10');
  t.match(node.writes.at(-1), '"positionMs":15500', 'what is still to start has moved since it started');
});

t.test('repeat sets a mode', async (t) => {
  const { node, ask } = await house(t);
  t.equal((await ask('repeat ALL')).stdout, 'Repeat: all\n');
  t.same(node.writes, ['POST /transport/mode {"repeat":"all"}']);
});

t.test('volume is shown, set and changed; mute is apart', async (t) => {
  const { node, ask } = await house(t);
  t.equal((await ask('volume')).stdout, 'Volume: 80 %\n');
  t.equal((await ask('volume 40')).stdout, 'Volume: 40 %\n');
  t.equal((await ask('volume +5')).stdout, 'Volume: 45 %\n');
  t.equal((await ask('volume -15')).stdout, 'Volume: 30 %\n');
  t.equal((await ask('mute')).stdout, 'Volume: 30 %, muted\n');
  t.same(JSON.parse((await ask('unmute --json')).stdout), { volume: 30, muted: false });
  t.same(node.writes, [
    'PUT /volume {"volume":40}',
    'PUT /volume {"delta":5}',
    'PUT /volume {"delta":-15}',
    'PUT /volume {"muted":true}',
    'PUT /volume {"muted":false}',
  ]);
});

t.test('status shows what plays and how the nodes are', async (t) => {
  const { node, ask } = await house(t);
  const { stdout, exitCode } = await ask('status');
  t.equal(exitCode, 0);
  t.equal(
    stdout,
    [
      `Node     kitchen (0.1.0) at ${node.url}, leads`,
      'Cluster  1 of 1 voter online, kitchen leads',
      'Music    Playing: Blue in Green, 1:23 of 3:07',
      'Queue    2 items, repeat off',
      'Volume   80 %',
      'Library  2 tracks',
      '',
      'NODE     ROLE    ONLINE  CLOCK         SOUND              FREE  TRACKS',
      'kitchen  leader  yes     within 12 us  virtual: playing  12 GB       2',
      '',
    ].join('\n'),
  );
});

t.test('status says what is wrong', async (t) => {
  const { node, ask } = await house(t);
  node.transport = STOPPED;
  node.state = {
    cluster: {
      id: 'c'.repeat(32),
      leader: null,
      leaderSinceNs: null,
      quorum: false,
      voters: 3,
      votersOnline: 1,
      needed: 2,
      role: 'follower',
      appliedSlot: 1,
      timeNs: '1',
    },
    nodes: [
      {
        ...KITCHEN,
        leader: false,
        online: false,
        clock: { ...KITCHEN.clock, locked: false },
        output: { ...KITCHEN.output, state: 'silent', reason: 'NO_CLOCK' },
        disk: { ...KITCHEN.disk, tracksMissing: { count: 2, first: [] } },
      },
      { ...KITCHEN, name: 'attic', leader: false, clock: { ...KITCHEN.clock, holdover: true } },
    ],
    alerts: [
      { code: 'NO_QUORUM', severity: 'error', nodeId: null, trackId: null, sinceNs: '1' },
      { code: 'TRACK_MISSING', severity: 'warn', nodeId: KITCHEN.id, trackId: BLUE.id, sinceNs: '1' },
      { code: 'FROM_THE_FUTURE', severity: 'info', nodeId: null, trackId: null, sinceNs: '1' },
    ],
    uploads: [
      { ...UPLOAD, title: 'Naima.wav' },
      { ...UPLOAD, title: 'Tune Up', totalBytes: null },
      { ...UPLOAD, title: 'Four', stage: 'failed', code: 'UNSUPPORTED_AUDIO' },
      { ...UPLOAD, title: 'Nardis', stage: 'failed' },
      { ...UPLOAD, title: 'Solar', stage: 'done' },
    ],
  };
  const { stdout } = await ask('status');
  t.match(stdout, 'Cluster  no quorum: 1 of 3 voters online, 2 needed\n');
  t.match(stdout, 'Music    Stopped.\n');
  t.match(stdout, 'Upload   Naima: receiving, 1 B of 2 B\n');
  t.match(stdout, 'Upload   Tune Up: receiving, 1 B\n');
  t.match(stdout, 'Upload   Four: failed (UNSUPPORTED_AUDIO)\n');
  t.match(stdout, 'Upload   Nardis: failed\n');
  t.notMatch(stdout, 'Solar', 'what is done is in the library');
  t.match(stdout, 'error    This node cannot reach a majority of the cluster.\n');
  t.match(stdout, 'warn     This node has no copy of the track yet. (kitchen, Blue in Green)\n');
  t.match(stdout, 'info     FROM_THE_FUTURE\n');
  t.match(stdout, /kitchen {2}voter {2}no {6}no lock {14}virtual: silent \(NO_CLOCK\) {2}12 GB {2}2, 2 missing\n/);
  t.match(stdout, /attic .* within 12 us, alone /);
});

t.test('status says that strangers were turned away, and nothing of connections that just ended', async (t) => {
  const { node, ask } = await house(t);
  const self = { id: KITCHEN.id, name: 'kitchen', version: '0.1.0', webBuild: '', access: 'open' } as const;
  node.state = { node: { ...self, closed: { broken: 4, silent: 1 } } };
  t.notMatch((await ask('status')).stdout, /Strangers/);
  node.state = { node: { ...self, closed: { broken: 4, handshake: 12, 'bad-frame': 1 } } };
  t.match(
    (await ask('status')).stdout,
    /^Strangers +13 connections turned away since the start: 12 without the key, 1 not in the form of a peer$/m,
  );
});

t.test('status of a node without a cluster', async (t) => {
  const { node, ask } = await house(t);
  const cluster = JSON.parse((await ask('status --json')).stdout).cluster;
  node.state = { cluster: { ...cluster, id: null, role: 'waiting' }, nodes: [] };
  const { stdout } = await ask('status');
  t.match(stdout, ', waits\nCluster  none yet: tutti init forms one, tutti join lets this node join one\n');
  t.notMatch(stdout, 'NODE  ');
});

t.test('control characters in a title cannot reach the terminal', async (t) => {
  const { node, ask } = await house(t);
  node.tracks = [makeTrack('e5c', 'a\u001b[2Jb', { artist: '\u0007' })];
  t.notMatch((await ask('ls')).stdout.replaceAll('\n', ''), /\p{Cc}/u);
});

t.test('head lines are bold on a terminal, unless NO_COLOR is set', async (t) => {
  const { ask } = await house(t);
  t.ok((await ask('ls', { isTerminal: true })).stdout.startsWith('\u001b[1mTITLE '));
  t.match((await ask('ls', { isTerminal: true, env: { NO_COLOR: '1' } })).stdout, /^TITLE/);
  t.match((await ask('ls', { isTerminal: true, env: { TERM: 'dumb' } })).stdout, /^TITLE/);
  t.match((await ask('ls')).stdout, /^TITLE/);
});

t.test(
  'every request says that it comes from the command line, every write has a key, and the token goes along',
  async (t) => {
    const { node, ask } = await house(t);
    await ask('skip', { env: { TUTTI_TOKEN: 'from-env' } });
    await ask('skip --token typed', { env: { TUTTI_TOKEN: 'from-env' } });
    await ask('skip', { env: { TUTTI_TOKEN: '' } });
    t.same(
      node.requests.map(({ method, headers }) => [
        method,
        headers['tutti-via'],
        headers['idempotency-key'],
        headers.authorization,
      ]),
      [
        ['GET', 'cli', undefined, 'Bearer from-env'],
        ['POST', 'cli', 'key-1', 'Bearer from-env'],
        ['GET', 'cli', undefined, 'Bearer typed'],
        ['POST', 'cli', 'key-1', 'Bearer typed'],
        ['GET', 'cli', undefined, undefined],
        ['POST', 'cli', 'key-1', undefined],
      ],
    );
    t.notOk(node.requests.some(({ headers }) => 'origin' in headers));
  },
);

t.test('the node is the one of --node, else of TUTTI_NODE', async (t) => {
  const { node } = await house(t);
  const host = node.url.replace('http://', '');
  t.equal((await tutti(['ls'], { env: { TUTTI_NODE: host } })).exitCode, 0, 'without http:// too');
  t.equal((await tutti(['ls', '--node', node.url], { env: { TUTTI_NODE: 'http://127.0.0.1:1' } })).exitCode, 0);
});

// ---- On this machine -------------------------------------------------------------------------------------------------------------

t.test('run reads the configuration and hands it to the daemon', async (t) => {
  const seen: Config[] = [];
  const run = (config: Config) => Promise.resolve(seen.push(config));
  const files = filesOf({ '/etc/tutti/tutti.toml': 'name = "attic"', 'my.toml': 'name = "mine"\ndata_dir = "/a"' });
  t.equal((await tutti(['run'], { run, files })).exitCode, 1, "the exit code is the daemon's");
  await tutti(['run', '--config', 'my.toml', '--data', '/b'], { run, files, env: { TUTTI_DATA_DIR: '/c' } });
  await tutti(['run'], { run });
  t.same(
    seen.map(({ name, dataDir }) => [name, dataDir]),
    [
      ['attic', '/var/lib/tutti'],
      ['mine', '/b'],
      ['laptop', '/var/lib/tutti'],
    ],
  );
});

t.test('run with a wrong configuration says everything that is wrong, and does not start', async (t) => {
  const files = filesOf({ 'my.toml': 'nmae = "x"\n[http]\nlisten = "y"\n' });
  const { exitCode, stderr, stdout } = await tutti(['run', '--config', 'my.toml'], { files });
  t.equal(exitCode, 2);
  t.equal(stdout, '');
  t.match(stderr, /^BAD_CONFIG: 2 problems:\n- nmae \(line 1\): .*did you mean name\?\n- http\.listen: found "y"/);
  const missing = await tutti(['run', '--config', 'none.toml']);
  t.equal(missing.exitCode, 2);
  t.match(missing.stderr, 'BAD_USAGE: --config: there is no file "none.toml"; right is a TOML file.');
});

t.test('demo is handed on', async (t) => {
  const asked: object[] = [];
  const demo = (options: object) => {
    asked.push(options);
    return Promise.resolve(0);
  };
  t.equal((await tutti(['demo'], { demo })).exitCode, 0);
  t.equal((await tutti(['demo', '--nodes', '5', '--json'], { demo })).exitCode, 0);
  t.same(asked, [
    { nodes: 3, json: false },
    { nodes: 5, json: true },
  ]);
  t.equal((await tutti(['demo'], { demo: () => Promise.resolve(3) })).exitCode, 3);
});

t.test('who lets a node join sees how far it fills, on a terminal only', async (t) => {
  const { node, ask } = await house(t);
  const missing = [2, 1, 0];
  const waitMs = () => {
    const count = missing.shift() ?? 0;
    const disk = { ...KITCHEN.disk!, tracksHeld: 3 - count, tracksMissing: { count, first: [] } };
    node.state = { nodes: [{ ...KITCHEN, disk }] };
    return Promise.resolve();
  };
  await waitMs();
  const { stdout, stderr } = await ask('join attic.local', { isTerminal: true, waitMs });
  t.match(stderr, 'filling [########................] 1 of 3 tracks; Ctrl-C leaves it to itself');
  t.match(stderr, 'filling [################........] 2 of 3 tracks');
  t.ok(stderr.endsWith('\r\u001b[K'), 'and is wiped');
  t.match(stdout, /^Joined the cluster c+\.\nIt holds all 3 tracks of the house\.\n$/);

  missing.push(2, 1, 0);
  await waitMs();
  t.equal((await ask('join attic.local', { waitMs })).stderr, '');
  t.equal((await ask('join attic.local --json', { waitMs, isTerminal: true })).stdout.split('\n').length, 2);
});

t.test('[row 7] a result is on standard output once, and nothing else is', async (t) => {
  const { ask } = await house(t);
  const { stdout, stderr } = await ask('add song.wav', { files: filesOf({ 'song.wav': 'RIFF' }), isTerminal: true });
  t.equal(stdout, 'Added: song (3:07)\n');
  t.match(stderr, /song \[#+\.*\]/, 'the progress is on standard error');
  t.ok(stderr.endsWith('\r\u001b[K'), 'and is wiped when the result is printed');
});

t.test('[row 12] no title is shown with .wav, and every title is taken with and without it', async (t) => {
  const { node, ask } = await house(t);
  node.tracks = [makeTrack('abc', 'naima.wav')];
  const item = node.enqueue(node.tracks[0]!)[0]!;
  node.play(item, 0);
  for (const line of [
    'ls',
    'queue',
    'status',
    'play',
    'play naima',
    'play NAIMA.WAV',
    'queue add naima.wav',
    'rm naima',
  ]) {
    const { exitCode, stdout } = await ask(line);
    t.equal(exitCode, 0, line);
    t.notMatch(stdout, /\.wav/i, line);
  }
});

t.test('[row 55] add, ls, queue, play, pause, skip and status work with --json', async (t) => {
  const { ask } = await house(t);
  const files = filesOf({ 'song.wav': 'RIFF' });
  for (const line of ['add song.wav', 'ls', 'queue', 'play', 'pause', 'skip', 'status']) {
    const { exitCode, stdout, stderr } = await ask(`${line} --json`, { files });
    t.equal(exitCode, 0, line);
    t.equal(stderr, '', line);
    t.type(JSON.parse(stdout), 'object', line);
  }
});
