/** What nodes tell each other of files survives the way through bytes; other bytes are refused, within bounds. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { type Incarnation, type NodeId, slot, trackId } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import type { Track } from '../../src/library/track.js';
import { MESSAGE_BYTES_MAX } from '../../src/ports/peer-link.js';
import { MAIL_FIRST_BYTE } from '../../src/ports/peer-mail.js';
import {
  CHUNK_BYTES_MAX,
  CHUNKS_MAX,
  decodeMessage,
  encodeMessage,
  IDS_MAX,
  type Message,
} from '../../src/tracks/messages.js';
import { codeOf } from '../contract/support.js';

const ID = trackId('0123456789abcdef'.repeat(4));
const OTHER = trackId('f'.repeat(64));
const INCARNATION = 'a1'.repeat(16) as Incarnation;
const TRACK: Track = {
  id: ID,
  title: 'Für Elise ♫',
  fileName: 'für elise.wav',
  format: { sampleRate: 44_100, channels: 2, sample: 's16', dataOffset: 44, channelMask: 3 },
  bytes: 1_000_044,
  frames: 250_000,
  chunks: { bytes: 262_144, root: 'e'.repeat(64) },
  tags: { artist: 'L. v. B.', number: 1 },
  loudness: { integratedLufs: null, samplePeak: 0.25 },
  source: { node: 'b'.repeat(32) as NodeId, via: 'http' },
  holders: [],
  addedAt: 1_704_067_200_000,
};
const MESSAGES: readonly Message[] = [
  {
    type: 'holdings',
    incarnation: INCARNATION,
    revision: 2 ** 40,
    page: 3,
    isLast: true,
    ids: [ID, OTHER],
    sinceSlot: null,
  },
  { type: 'holdings', incarnation: INCARNATION, revision: 0, page: 0, isLast: false, ids: [], sinceSlot: slot(7) },
  { type: 'holdings-change', incarnation: INCARNATION, revision: 7, added: [ID], removed: [OTHER], sinceSlot: null },
  {
    type: 'holdings-change',
    incarnation: INCARNATION,
    revision: 8,
    added: [],
    removed: [],
    sinceSlot: slot(2 ** 53 - 1),
  },
  { type: 'holdings-ask' },
  { type: 'offer', track: TRACK },
  { type: 'offer-over', id: ID, fate: 'open' },
  { type: 'offer-over', id: ID, fate: 'void' },
  { type: 'outline-ask', id: ID },
  { type: 'outline', id: ID, manifest: new Uint8Array(64).fill(3), peaks: new Uint8Array(2_048).fill(4) },
  { type: 'outline', id: ID, manifest: new Uint8Array(32).fill(3), peaks: null },
  { type: 'outline-no', id: ID },
  { type: 'chunk-ask', id: ID, isDue: true, indexes: [0, 5, CHUNKS_MAX - 1] },
  { type: 'chunk', id: ID, index: 3, bytes: Uint8Array.of(1, 2, 3) },
  { type: 'chunk-no', id: ID, index: 9 },
  { type: 'chunk-bad', id: ID, index: 9 },
  { type: 'arriving', id: ID, chunks: Uint8Array.of(0xff, 1), coming: Uint8Array.of(0, 2) },
  { type: 'arriving', id: ID, chunks: new Uint8Array(0), coming: new Uint8Array(0) },
];

t.test('each comes back as it was, and is mail by its first byte', (t) => {
  for (const message of MESSAGES) {
    const bytes = encodeMessage(message);
    t.strictSame(decodeMessage(bytes), message, message.type);
    t.ok(bytes[0]! >= MAIL_FIRST_BYTE.least && bytes[0]! <= MAIL_FIRST_BYTE.most);
  }
  t.end();
});

t.test('the largest of each fit into a message of their channel', (t) => {
  const ids = Array.from({ length: IDS_MAX }, () => ID);
  const control: readonly Message[] = [
    {
      type: 'holdings-change',
      incarnation: INCARNATION,
      revision: 2 ** 53 - 1,
      added: ids,
      removed: ids,
      sinceSlot: slot(1),
    },
    { type: 'arriving', id: ID, chunks: new Uint8Array(CHUNKS_MAX / 8), coming: new Uint8Array(CHUNKS_MAX / 8) },
  ];
  const bulk: readonly Message[] = [
    { type: 'chunk', id: ID, index: CHUNKS_MAX - 1, bytes: new Uint8Array(CHUNK_BYTES_MAX) },
    { type: 'outline', id: ID, manifest: new Uint8Array(CHUNKS_MAX * 32), peaks: new Uint8Array(2_048) },
  ];
  for (const message of control) t.ok(encodeMessage(message).length <= MESSAGE_BYTES_MAX.control, message.type);
  for (const message of bulk) t.ok(encodeMessage(message).length <= MESSAGE_BYTES_MAX.bulk, message.type);
  for (const message of [...control, ...bulk]) {
    // Comparing the bytes spares tap from showing millions of numbers.
    const said = encodeMessage(message);
    t.ok(Buffer.from(encodeMessage(decodeMessage(said))).equals(said), message.type);
  }
  t.end();
});

t.test('what is too much is not sent', (t) => {
  const track = { ...TRACK, fileName: 'x'.repeat(20_000) };
  t.equal(
    codeOf(() => encodeMessage({ type: 'offer', track })),
    'BODY_TOO_LARGE',
  );
  t.strictSame(decodeMessage(encodeMessage(MESSAGES[0]!)), MESSAGES[0], 'and the next message is not harmed');
  t.end();
});

t.test('fields that a newer version gives a track pass', (t) => {
  const track = { ...TRACK, mood: 'calm' };
  t.strictSame(decodeMessage(encodeMessage({ type: 'offer', track })), { type: 'offer', track });
  t.end();
});

t.test('another version, another kind, a track that is none, and bytes that are left over are refused', (t) => {
  const refusal = (bytes: Uint8Array) => codeOf(() => decodeMessage(bytes));
  const ask = encodeMessage({ type: 'holdings-ask' });
  t.equal(refusal(Uint8Array.of(ask[0]!, 2)), 'BAD_FRAME');
  t.equal(refusal(Uint8Array.of(200, 1)), 'BAD_FRAME');
  t.equal(refusal(Uint8Array.of(...ask, 0)), 'BAD_FRAME');
  t.equal(refusal(new Uint8Array(0)), 'BAD_FRAME');
  const offer = (json: string) => Uint8Array.of(67, 1, json.length, ...Buffer.from(json));
  for (const json of ['', '{', 'null', '[]', '{"id":"x"}', '"\ud800"'])
    t.equal(refusal(offer(json)), 'BAD_FRAME', json);
  t.end();
});

t.test('100,000 random and mutated messages are read or refused, and no length is believed', (t) => {
  // Nobody reads the stack of so many errors.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const prng = new Prng(1);
  const samples = MESSAGES.map(encodeMessage);
  let [read, refused] = [0, 0];
  const decode = (bytes: Uint8Array) => {
    try {
      // What was read can be said again, in no more bytes: so it holds no more than came.
      const said = encodeMessage(decodeMessage(bytes));
      if (said.length > bytes.length) throw new Error(`${bytes.length} bytes became ${said.length}`);
      read++;
    } catch (error) {
      if (!(error instanceof TuttiError) || error.code !== 'BAD_FRAME') throw error;
      refused++;
    }
  };
  for (let n = 0; n < 80_000; n++) {
    const bytes = samples[n % samples.length]!.slice(0, 1 + prng.below(3_000));
    for (let flips = prng.below(4); flips > 0; flips--) bytes[prng.below(bytes.length)] = prng.below(256);
    decode(bytes);
  }
  for (let n = 0; n < 20_000; n++) {
    const bytes = Uint8Array.from({ length: 2 + prng.below(200) }, () => prng.below(256));
    bytes[0] = 64 + prng.below(14);
    bytes[1] = 1;
    decode(bytes);
  }
  Error.stackTraceLimit = stackTraceLimit;
  t.ok(read > 10_000 && refused > 10_000, `${read} read, ${refused} refused`);
  t.end();
});
