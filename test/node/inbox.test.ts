/** From the folder to the library: what becomes of files that people copy in. */
import t, { type Test } from 'tap';
import { type ErrorCode, TuttiError } from '../../src/core/errors.js';
import type { IncomingTrack } from '../../src/node/add-track.js';
import { InboxTaker } from '../../src/node/inbox.js';
import { LISTED_MAX } from '../../src/node/unfinished-copies.js';
import { Uploads } from '../../src/node/uploads.js';
import { FakeInbox } from '../../src/ports/fake-inbox.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { InboxClient, serveInbox } from '../../src/tracks/inbox-client.js';
import { NODE_ID, portPair, song } from '../support/house.js';

const DAY_MS = 24 * 3_600_000;
const LOOK_MS = 600_000;

/** Everything that was asked for has been done. */
const settled = async () => {
  for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A folder in memory, and a library of which the test says what it thinks of each file. */
function taker(t: Test) {
  const time = new FakeTime();
  const inbox = new FakeInbox();
  const [near, far] = portPair();
  serveInbox(inbox, far);
  const uploads = new Uploads({ time, changed: () => {} });
  const taken: { readonly fileName: string; readonly bytes: number }[] = [];
  const refusals = new Map<string, (ErrorCode | TuttiError)[]>();
  const addTrack = async ({ fileName, body, totalBytes }: IncomingTrack) => {
    let bytes = 0;
    for await (const piece of body) bytes += piece.length;
    const code = refusals.get(fileName)?.shift();
    if (code instanceof TuttiError) throw code;
    if (code !== undefined) throw new TuttiError(code, `because of ${fileName}`);
    t.equal(bytes, totalBytes, 'all of it came');
    taken.push({ fileName, bytes });
  };
  const client = new InboxClient({ port: near, log: new FakeLog() });
  const node = new InboxTaker(
    { inbox: client, time, log: new FakeLog(), uploads, addTrack, changed: () => {} },
    { self: NODE_ID },
  );
  t.teardown(() => node.stop());
  node.start();
  return { time, inbox, uploads, taken, refusals, node };
}

t.test('a file that is copied in becomes a track, and goes [row 15]', async (t) => {
  const { inbox, taken } = taker(t);
  const file = song(4_000);
  inbox.put('a.wav', file);
  await settled();
  t.strictSame(taken, [{ fileName: 'a.wav', bytes: file.length }]);
  t.strictSame(inbox.names(), []);
  t.equal(inbox.rejected.size, 0);
});

t.test('files are taken one after another', async (t) => {
  const { inbox, taken } = taker(t);
  await settled();
  for (const name of ['b.wav', 'a.wav', 'c.wav']) inbox.put(name, song(50));
  await settled();
  t.strictSame(
    taken.map(({ fileName }) => fileName),
    ['b.wav', 'a.wav', 'c.wav'],
  );
});

t.test('what is refused lies in rejected/, with what is wrong and what to do [row 15]', async (t) => {
  const { inbox, refusals } = taker(t);
  for (const code of ['UNSUPPORTED_AUDIO', 'TRACK_EXISTS', 'BAD_NAME', 'FILE_NOT_READABLE'] as const) {
    refusals.set(`${code}.wav`, [code]);
    inbox.put(`${code}.wav`, song(50));
  }
  await settled();
  t.strictSame(inbox.names(), []);
  t.match(inbox.rejected.get('UNSUPPORTED_AUDIO.wav'), /^UNSUPPORTED_AUDIO: .*\nbecause of .*\n\nWhat to do: ./s);
  t.match(inbox.rejected.get('TRACK_EXISTS.wav'), /^TRACK_EXISTS: /);
  t.match(inbox.rejected.get('FILE_NOT_READABLE.wav'), /chmod g\+r/);
  t.equal(inbox.rejected.size, 4);
});

t.test('a file that puts a lost track back goes like one that becomes a track', async (t) => {
  const { inbox, refusals } = taker(t);
  refusals.set('a.wav', [new TuttiError('TRACK_EXISTS', 'it was put back', { isPutBack: true })]);
  inbox.put('a.wav', song(50));
  await settled();
  t.strictSame(inbox.names(), []);
  t.equal(inbox.rejected.size, 0);
});

t.test('a half-copied file is listed with what is missing, and never taken in', async (t) => {
  const { inbox, uploads, taken } = taker(t);
  const file = song(1_000);
  inbox.put('a.wav', file.subarray(0, file.length / 2));
  await settled();
  t.match(uploads.list(), [
    { title: 'a', via: 'inbox', stage: 'receiving', receivedBytes: file.length / 2, totalBytes: file.length },
  ]);
  t.strictSame(taken, []);
  t.strictSame(inbox.names(), ['a.wav']);

  inbox.put('a.wav', file);
  await settled();
  t.strictSame(taken, [{ fileName: 'a.wav', bytes: file.length }]);
  t.strictSame(uploads.list(), [], 'it is not listed as incomplete any more');
});

t.test(
  'a file that somebody writes is listed as far as it has come, and taken when it is closed [row 15]',
  async (t) => {
    const { inbox, time, uploads, taken } = taker(t);
    const file = song(1_000);
    // All its bytes may be there before they are what they are to be.
    for (const length of [0, 10, 500, file.length]) {
      inbox.write('a.wav', file.subarray(0, length));
      await settled();
      t.match(uploads.list(), [{ title: 'a', stage: 'receiving', receivedBytes: length }]);
      t.equal(uploads.list()[0]!.totalBytes, length < 500 ? null : file.length);
    }
    time.advance(3 * DAY_MS);
    await settled();
    t.strictSame(taken, []);
    t.equal(inbox.rejected.size, 0, 'whoever writes may take their time');
    inbox.put('a.wav', file);
    await settled();
    t.strictSame(taken, [{ fileName: 'a.wav', bytes: file.length }]);
    t.strictSame(uploads.list(), []);
  },
);

t.test('what others write is nothing that this node takes in', async (t) => {
  const { inbox, uploads } = taker(t);
  inbox.put('half.wav', song(50).subarray(0, 100));
  inbox.write('slow.wav', song(50).subarray(0, 100));
  await settled();
  t.equal(uploads.list().length, 2);
  t.equal(uploads.isReceiving, false);
});

t.test('an interrupted copy goes a day after its last change, with the reason, also across restarts', async (t) => {
  const { inbox, time, uploads } = taker(t);
  const file = song(1_000);
  inbox.put('a.wav', file.subarray(0, 1_000));
  inbox.put('empty.wav', new Uint8Array(0));
  inbox.put('older.wav', file.subarray(0, 500), DAY_MS / 2);
  inbox.put('forgotten.wav', file.subarray(0, 500), 9 * DAY_MS);
  await settled();
  time.advance(LOOK_MS);
  await settled();
  t.strictSame(inbox.names(), ['a.wav', 'empty.wav', 'older.wav'], 'there may be more to come');
  time.advance(DAY_MS / 2);
  await settled();
  t.strictSame(inbox.names(), ['a.wav', 'empty.wav']);
  time.advance(DAY_MS / 2 - LOOK_MS);
  await settled();
  t.strictSame(inbox.names(), []);
  t.match(inbox.rejected.get('a.wav'), new RegExp(`INCOMPLETE_AUDIO.*promises ${file.length} bytes`, 's'));
  t.match(inbox.rejected.get('empty.wav'), /INCOMPLETE_AUDIO.*0 bytes/s);
  t.match(uploads.list(), [{ stage: 'failed', code: 'INCOMPLETE_AUDIO' }, { stage: 'failed' }]);
  t.strictSame(
    time.running().filter((name) => name.startsWith('inbox')),
    [],
    'nothing is waited for any more',
  );
});

t.test('an interrupted copy that somebody takes away is not listed any more', async (t) => {
  const { inbox, uploads, time } = taker(t);
  inbox.put('half.wav', song(50).subarray(0, 100));
  inbox.write('slow.wav', song(50).subarray(0, 100));
  await settled();
  t.equal(uploads.list().length, 2);
  inbox.take('half.wav');
  inbox.take('slow.wav');
  await settled();
  t.strictSame(uploads.list(), []);
  t.strictSame(time.running(), []);
});

t.test('of thousands of interrupted copies some are listed at a time', async (t) => {
  const { inbox, uploads } = taker(t);
  for (let i = 0; i < 100; i++) inbox.put(`${100 + i}.wav`, new Uint8Array(0));
  for (let i = 0; i < 20; i++) await settled();
  t.equal(uploads.list().length, LISTED_MAX);
  t.equal(uploads.list()[0]!.title, '100');
  inbox.take('100.wav');
  await settled();
  t.equal(uploads.list().length, LISTED_MAX, 'the next has its place');
  t.ok(uploads.list().some(({ title }) => title === String(100 + LISTED_MAX)));
});

t.test('a file that the folder does not let go of is a track once, and goes when it can', async (t) => {
  const { inbox, taken, refusals, time, node } = taker(t);
  inbox.protect(true);
  refusals.set('bad.wav', ['UNSUPPORTED_AUDIO']);
  inbox.put('a.wav', song(50));
  inbox.put('bad.wav', song(60));
  await settled();
  time.advance(DAY_MS);
  await settled();
  t.equal(taken.length, 1);
  t.strictSame(inbox.names(), ['a.wav', 'bad.wav']);
  t.strictSame(node.troubles(), ['INBOX_UNUSABLE']);
  inbox.protect(false);
  await settled();
  t.strictSame(inbox.names(), []);
  t.strictSame([...inbox.rejected.keys()], ['bad.wav']);
  t.strictSame(node.troubles(), []);
  t.equal(taken.length, 1);
});

t.test('a file that cannot be taken now stays, and is taken later', async (t) => {
  const { inbox, time, taken, refusals } = taker(t);
  refusals.set('a.wav', ['NO_QUORUM', 'DISK_FULL', 'OUTCOME_UNKNOWN']);
  inbox.put('a.wav', song(50));
  inbox.put('b.wav', song(60));
  await settled();
  t.strictSame(inbox.names(), ['a.wav']);
  t.match(taken, [{ fileName: 'b.wav' }], 'the others need not wait for it');
  for (const seconds of [5, 10, 20]) {
    t.equal(taken.length, 1);
    time.advance(seconds * 1_000);
    await settled();
  }
  t.match(taken, [{}, { fileName: 'a.wav' }]);
  t.strictSame(inbox.names(), []);
});

t.test('a file that changes while it is taken is not removed, and is taken as it is then', async (t) => {
  const { inbox, taken, refusals } = taker(t);
  inbox.put('a.wav', song(50, 1));
  // It is taken a turn later: by then it is another.
  inbox.put('a.wav', song(70, 2));
  await settled();
  t.equal(taken.at(-1)!.bytes, song(70).length);
  t.strictSame(inbox.names(), []);
  t.equal(refusals.size, 0);
});

t.test('a file that goes away is no trouble', async (t) => {
  const { inbox, taken } = taker(t);
  inbox.put('a.wav', song(50));
  inbox.take('a.wav');
  await settled();
  t.strictSame(taken, []);
  t.equal(inbox.rejected.size, 0);
});

t.test('stopping leaves what is not taken where it is, and no timer', async (t) => {
  const { inbox, time, node, refusals } = taker(t);
  refusals.set('a.wav', ['NO_QUORUM', 'NO_QUORUM']);
  inbox.put('a.wav', song(50));
  inbox.put('half.wav', song(50).subarray(0, 100));
  await settled();
  await node.stop();
  await node.stop();
  t.strictSame(inbox.names(), ['a.wav', 'half.wav']);
  t.strictSame(time.running(), []);
});
