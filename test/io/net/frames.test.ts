/** Frames and greetings: whole however they are cut, and whatever else comes is one typed error. */
import fc from 'fast-check';
import t from 'tap';
import { TuttiError } from '../../../src/core/errors.js';
import type { Incarnation } from '../../../src/core/ids.js';
import { Prng } from '../../../src/core/prng.js';
import {
  FrameReader,
  HEADER_BYTES,
  KIND,
  LIMITS_OF_GUEST,
  LIMITS_OF_HOST,
  LIMITS_OF_MEMBER,
  writeHeader,
} from '../../../src/io/net/frames.js';
import {
  decodeHello,
  decodeKnock,
  decodeRefusal,
  encodeHello,
  encodeKnock,
  encodeRefusal,
  type Hello,
  PROTOCOL_VERSION,
  versionOf,
} from '../../../src/io/net/greeting.js';
import { CARD_BYTES_MAX, MESSAGE_BYTES_MAX } from '../../../src/ports/peer-link.js';
import { codeOf } from '../../contract/support.js';
import { heldBytes } from '../../support/memory.js';
import { A, B, CLUSTER } from './rig.js';

const HELLO: Hello = {
  cluster: CLUSTER,
  node: A,
  to: B,
  incarnation: '1'.repeat(32) as Incarnation,
  session: '2'.repeat(32),
  channel: 'bulk',
  count: 300,
  address: 'küche.local:7420',
  card: Uint8Array.of(1, 2, 3),
};

function frame(kind: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + body.length);
  writeHeader(bytes, 0, kind as 1, body.length);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/** What a reader finds in chunks, copied, such as `4:0102`. */
function read(reader: FrameReader, chunks: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  for (const chunk of chunks) {
    reader.add(chunk);
    while (reader.next()) found.push(`${reader.kind}:${Buffer.from(reader.body).toString('hex')}`);
  }
  return found;
}

t.test('frames come out whole and in order, wherever the stream is cut', (t) => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(bodies, cuts, (sent, lengths) => {
      const stream = Buffer.concat(sent.map((body) => frame(KIND.message, body)));
      const chunks: Buffer[] = [];
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const length = lengths[cut % lengths.length]!;
        chunks.push(stream.subarray(at, at + length));
        at += length;
      }
      const found = read(new FrameReader(LIMITS_OF_MEMBER.control), chunks);
      t.same(
        found,
        sent.map((body) => `4:${Buffer.from(body).toString('hex')}`),
      );
    }),
    { seed: 1, numRuns: 300 },
  );
  t.end();
});

t.test('a body stays as it is when more comes', (t) => {
  const reader = new FrameReader(LIMITS_OF_MEMBER.control);
  reader.add(
    Buffer.concat([frame(KIND.message, Uint8Array.of(1)), frame(KIND.message, Uint8Array.of(2, 3)).subarray(0, 6)]),
  );
  t.ok(reader.next());
  const first = reader.body;
  t.notOk(reader.next());
  reader.add(Uint8Array.of(3));
  t.ok(reader.next());
  t.same([...first], [1]);
  t.same([...reader.body], [2, 3]);
  t.notOk(Buffer.isBuffer(first), 'and its slice is a copy');
  t.end();
});

t.test('a body that ends its memory may be moved away', (t) => {
  const reader = new FrameReader(LIMITS_OF_MEMBER.bulk);
  for (let round = 0; round < 3; round++) {
    reader.add(frame(KIND.message, Uint8Array.of(1, 2, round)));
    t.ok(reader.next());
    const { body } = reader;
    t.equal(body.byteOffset + body.length, body.buffer.byteLength);
    const moved = structuredClone(body, { transfer: [body.buffer as ArrayBuffer] });
    t.same([...moved], [1, 2, round]);
    t.notOk(reader.next());
  }
  t.end();
});

t.test('the largest body passes, one byte more is refused before anything is set aside for it', (t) => {
  for (const channel of ['control', 'bulk'] as const) {
    const limit = MESSAGE_BYTES_MAX[channel];
    const header = Buffer.alloc(HEADER_BYTES);
    writeHeader(header, 0, KIND.message, limit);
    const reader = new FrameReader(LIMITS_OF_MEMBER[channel]);
    t.same(read(reader, [header]), []);
    reader.add(new Uint8Array(limit));
    t.ok(reader.next());
    t.equal(reader.body.length, limit);
    writeHeader(header, 0, KIND.message, limit + 1);
    t.equal(
      codeOf(() => read(new FrameReader(LIMITS_OF_MEMBER[channel]), [header])),
      'BAD_FRAME',
    );
    writeHeader(header, 0, KIND.message, 0xffff_ffff);
    const before = heldBytes();
    t.equal(
      codeOf(() => read(new FrameReader(LIMITS_OF_MEMBER[channel]), [header])),
      'BAD_FRAME',
    );
    t.ok(heldBytes() - before < 1 << 20);
  }
  t.end();
});

t.test('a kind that may not come now is refused', (t) => {
  const allowed = [
    [LIMITS_OF_HOST, [KIND.hello, KIND.knock]],
    [LIMITS_OF_GUEST, [KIND.welcome, KIND.refusal, KIND.answer]],
    [LIMITS_OF_MEMBER.control, [KIND.message, KIND.ping]],
    [LIMITS_OF_MEMBER.bulk, [KIND.message, KIND.ping]],
  ] as const;
  for (const [limits, kinds] of allowed) {
    const passed: number[] = [];
    for (let kind = 0; kind < 256; kind++) {
      const code = codeOf(() => read(new FrameReader(limits), [frame(kind, new Uint8Array(0))]));
      if (code.startsWith('no error')) passed.push(kind);
      else t.equal(code, 'BAD_FRAME');
    }
    t.same(passed, kinds);
  }
  t.end();
});

t.test('greetings are read back as they were written', (t) => {
  t.same(decodeHello(encodeHello(HELLO)), HELLO);
  const full: Hello = { ...HELLO, channel: 'control', count: 2 ** 50, card: new Uint8Array(CARD_BYTES_MAX).fill(9) };
  t.same(decodeHello(encodeHello(full)), full);
  t.equal(versionOf(encodeHello(HELLO)), PROTOCOL_VERSION);
  t.same([...decodeKnock(encodeKnock(Uint8Array.of(4, 5)))], [4, 5]);
  const refusal = { version: 7, code: 'not-a-member', detail: 'Niemand kennt küche.' };
  t.same(decodeRefusal(encodeRefusal(refusal)), refusal);
  t.equal(decodeRefusal(encodeRefusal({ ...refusal, detail: 'a\u001b[2Jb\n' })).detail, 'a [2Jb ');
  t.equal(decodeRefusal(encodeRefusal({ ...refusal, detail: '€'.repeat(5_000) })).detail.length, 341, 'cut');
  t.end();
});

t.test('what comes before a version is known is the same in every version', (t) => {
  // These bytes are the contract with all versions to come.
  t.equal(Buffer.from(encodeHello(HELLO).subarray(0, 6)).toString('latin1'), 'Tutt\u0000\u0001');
  t.equal(Buffer.from(encodeKnock(new Uint8Array(0)).subarray(0, 6)).toString('latin1'), 'Tutt\u0000\u0001');
  t.equal(versionOf(Buffer.from('Tutt\u0012\u0034 whatever', 'latin1')), 0x1234);
  t.equal(Buffer.from(encodeRefusal({ version: 1, code: 'ab', detail: 'c' })).toString('hex'), '010261620163');
  t.equal(
    codeOf(() => versionOf(Buffer.from('GET / HTTP/1.1'))),
    'BAD_FRAME',
  );
  t.end();
});

const DECODERS: readonly ((body: Uint8Array) => unknown)[] = [
  (body) => versionOf(body) === PROTOCOL_VERSION && decodeHello(body),
  (body) => versionOf(body) === PROTOCOL_VERSION && decodeKnock(body),
  decodeRefusal,
];
const LIMITS = [LIMITS_OF_HOST, LIMITS_OF_GUEST, LIMITS_OF_MEMBER.control, LIMITS_OF_MEMBER.bulk];

/** Feeds bytes to a reader and a decoder; gives how many frames and greetings were understood. Anything but BAD_FRAME is thrown on. */
function feed(bytes: Uint8Array, which: number): number {
  let understood = 0;
  const attempt = (call: () => void) => {
    try {
      call();
      understood++;
    } catch (error) {
      if (!(error instanceof TuttiError && error.code === 'BAD_FRAME')) throw error;
    }
  };
  attempt(() => {
    const reader = new FrameReader(LIMITS[which % LIMITS.length]!);
    reader.add(bytes);
    while (reader.next()) for (const decode of DECODERS) attempt(() => decode(reader.body));
  });
  attempt(() => DECODERS[which % DECODERS.length]!(bytes));
  return understood;
}

t.test('100,000 random frames and 100,000 mutated ones give a typed error or nothing, in bounded memory', (t) => {
  const prng = new Prng(1);
  const seeds = [
    frame(KIND.hello, encodeHello(HELLO)),
    frame(KIND.knock, encodeKnock(Uint8Array.of(1, 2, 3, 4))),
    frame(KIND.refusal, encodeRefusal({ version: 1, code: 'not-a-member', detail: 'No.' })),
    frame(KIND.message, new Uint8Array(30)),
  ];
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  t.teardown(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  const before = heldBytes();
  let peak = 0;
  let understood = 0;
  for (let run = 0; run < 100_000; run++) {
    const random = new Uint8Array(prng.below(64));
    for (let at = 0; at < random.length; at++) random[at] = prng.u32();
    // Half of them with a kind that is known, or nothing would get behind the header.
    if (run % 2 === 0 && random.length > 4) random.set([0, 0, 0, prng.below(64), 1 + prng.below(7)]);
    understood += feed(random, run >> 2);
    const mutated = Uint8Array.from(seeds[run % seeds.length]!);
    for (let change = 0; change <= prng.below(3); change++) mutated[prng.below(mutated.length)] = prng.u32();
    understood += feed(run % 3 === 0 ? mutated.subarray(0, prng.below(mutated.length)) : mutated, run >> 2);
    if (run % 10_000 === 0) peak = Math.max(peak, heldBytes() - before);
  }
  t.ok(understood > 20_000, `${understood} were understood after all`);
  t.ok(peak < 8 << 20, `${peak} bytes at the peak`);
  t.end();
});
