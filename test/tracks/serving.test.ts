/** Peers are given what they ask for: what is soon to be heard first, else in turn, and never much at once. */
import t from 'tap';
import { type NodeId, nodeId, trackId } from '../../src/core/ids.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { PeerMail } from '../../src/ports/peer-mail.js';
import { ASKS_WAITING_MAX } from '../../src/tracks/exchange-limits.js';
import { FakeChunkFiles } from '../../src/tracks/fake-chunk-files.js';
import { decodeMessage } from '../../src/tracks/messages.js';
import { Serving } from '../../src/tracks/serving.js';
import { chunkedFile } from '../support/chunked-file.js';

const [A, B, C] = ['a', 'b', 'c'].map((name) => nodeId(name)) as [NodeId, NodeId, NodeId];
const CHUNK_BYTES = 1_024;
const FILE = chunkedFile({ seed: 1, bytes: 40 * CHUNK_BYTES, chunkBytes: CHUNK_BYTES });
const { id } = FILE.track;

/** A node that serves, whose network takes what the test lets it take. */
class Rig {
  readonly files = new FakeChunkFiles({ time: new FakeTime() });
  /** Such as `a 3`, `a outline`, `a no 3`. */
  readonly given: string[] = [];
  readonly queued = new Map<NodeId, number>();
  readonly unreadable: string[] = [];
  readonly serving: Serving;
  isOpen = true;

  constructor({ chunkBytes = CHUNK_BYTES } = {}) {
    this.files.card.hold(FILE.track, FILE.outline, FILE.bytes);
    const mail: PeerMail = {
      start: () => {},
      stop: () => {},
      roundTripMs: () => null,
      queuedBytes: (to) => this.queued.get(to) ?? 0,
      send: (to, channel, bytes) => {
        const message = decodeMessage(bytes);
        if (channel === 'bulk' && !this.isOpen) this.queued.set(to, (this.queued.get(to) ?? 0) + chunkBytes);
        const what = 'index' in message ? `${message.type === 'chunk' ? '' : 'no '}${message.index}` : message.type;
        this.given.push(`${to} ${what}`);
        return true;
      },
    };
    this.serving = new Serving({
      mail,
      files: this.files,
      chunkBytes: () => chunkBytes,
      unreadable: (_, { code }) => this.unreadable.push(code),
      changed: () => void this.serving.look(),
    });
    for (const peer of [A, B, C]) this.serving.peerUp(peer);
  }

  ask(peer: NodeId, ...indexes: readonly number[]): void {
    for (const index of indexes) this.serving.asked(peer, { id, index, isDue: false });
  }

  async settle(): Promise<string[]> {
    const isBlocked = this.serving.look();
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    const given = this.given.splice(0);
    return isBlocked ? [...given, 'blocked'] : given;
  }
}

t.test('peers are served in turn, each in its order', async (t) => {
  const rig = new Rig();
  rig.ask(A, 1, 2, 3);
  rig.ask(B, 7, 5);
  rig.ask(C, 9);
  t.same(await rig.settle(), ['a 1', 'b 7', 'c 9', 'a 2', 'b 5', 'a 3']);
});

t.test('what is soon to be heard goes before all else, and an outline before that', async (t) => {
  const rig = new Rig();
  rig.ask(A, 1, 2);
  rig.ask(B, 3);
  rig.serving.asked(C, { id, index: 8, isDue: true });
  rig.serving.asked(C, { id, index: 9, isDue: true });
  rig.serving.asked(B, { id, index: null, isDue: false });
  t.same(await rig.settle(), ['b outline', 'c 8', 'c 9', 'a 1', 'b 3', 'a 2']);
});

t.test('the network is given two chunks for a peer, and the next when it has taken one', async (t) => {
  const rig = new Rig();
  rig.isOpen = false;
  rig.ask(A, 1, 2, 3, 4);
  rig.ask(B, 5);
  t.same(await rig.settle(), ['a 1', 'b 5', 'a 2']);
  t.same(await rig.settle(), ['blocked']);
  rig.queued.set(A, CHUNK_BYTES);
  t.same(await rig.settle(), ['a 3']);
});

t.test('of all peers together no more waits in the network than is meant for it', async (t) => {
  const rig = new Rig({ chunkBytes: 4 << 20 });
  rig.isOpen = false;
  for (const peer of [A, B, C]) rig.ask(peer, 1, 2, 3);
  t.equal((await rig.settle()).length, 4, 'four of 4 MiB');
  rig.queued.clear();
  t.equal((await rig.settle()).length, 4);
});

t.test('one chunk is read at a time', async (t) => {
  const rig = new Rig();
  for (const peer of [A, B, C]) rig.ask(peer, 1, 2);
  rig.serving.look();
  rig.serving.look();
  t.equal(rig.files.outstanding, 1);
});

t.test('a chunk that is asked for twice is given once, and too many asks are not heard', async (t) => {
  const rig = new Rig();
  rig.ask(A, 1, 1, 2, 1);
  rig.serving.asked(A, { id, index: 2, isDue: true });
  t.same(await rig.settle(), ['a 2', 'a 1'], 'the last word counts');
  rig.ask(A, ...Array.from({ length: 30 }, (_, index) => index));
  t.equal((await rig.settle()).length, ASKS_WAITING_MAX);
});

t.test('who is gone is given nothing, and comes back with nothing waiting', async (t) => {
  const rig = new Rig();
  rig.ask(A, 1, 2);
  rig.ask(B, 3);
  rig.serving.look();
  rig.serving.peerDown(A);
  t.same(await rig.settle(), ['b 3']);
  rig.ask(A, 4);
  t.same(await rig.settle(), []);
  rig.serving.peerUp(A);
  t.same(await rig.settle(), []);
});

t.test('what is not here is said', async (t) => {
  const rig = new Rig();
  const other = trackId('0'.repeat(64));
  rig.serving.asked(A, { id: other, index: 3, isDue: false });
  rig.serving.asked(A, { id: other, index: null, isDue: false });
  t.same(await rig.settle(), ['a outline-no', 'a no 3']);
  rig.files.card.isBroken = true;
  rig.ask(B, 1);
  t.same(await rig.settle(), ['b no 1']);
  t.same(rig.unreadable, ['TRACK_MISSING', 'TRACK_MISSING', 'DISK_FAILED']);
});
