/** What drivers, newcomers and snapshots say survives the way through bytes; other bytes are refused, within bounds. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { type BootId, type ClusterId, type Incarnation, type NodeId, slot } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { clusterTime, localTime } from '../../src/core/units.js';
import { TIMING_DEFAULT } from '../../src/paxos/configuration.js';
import { Sessions } from '../../src/paxos/sessions.js';
import {
  changeFor,
  decodeAdmitted,
  decodeKnock,
  encodeAdmitted,
  encodeKnock,
  type Knock,
} from '../../src/replication/admission.js';
import { membersAfter } from '../../src/replication/changes.js';
import { decodeFrame, encodeFrame, type Frame, HASH_BYTES } from '../../src/replication/frames.js';
import type { MemberChange } from '../../src/replication/replicated-log.js';
import { decodeSnapshot, encodeSnapshot } from '../../src/replication/snapshot-form.js';
import { codeOf } from '../contract/support.js';

const node = (name: string) => name as NodeId;
const member = (name: string) => ({
  node: node(name),
  incarnation: `${name} card` as Incarnation,
  address: '192.0.2.1:7420',
  name: `Zimmer ${name} ♫`,
});
const session = { node: node('a'), boot: 'b' as BootId, seq: 7 };
const CHANGES: readonly MemberChange[] = [
  { type: 'add', member: member('c') },
  { type: 'replace', old: node('b'), member: member('c') },
  { type: 'remove', node: node('b'), acceptLoss: true },
  { type: 'voters', voters: [node('a'), node('b')] },
];
const FRAMES: readonly Frame[] = [
  {
    type: 'forward',
    proposals: [
      { session, payload: Uint8Array.of(1, 2) },
      { session, payload: new Uint8Array(0) },
    ],
  },
  ...CHANGES.map((change) => ({ type: 'change', session, change }) as const),
  { type: 'change-answer', session, code: 'BUSY', detail: 'Wait.' },
  { type: 'snapshot-ask', least: slot(3), slot: slot(9), offset: 1_000 },
  {
    type: 'snapshot-part',
    slot: slot(9),
    total: 5,
    hash: new Uint8Array(HASH_BYTES),
    offset: 2,
    bytes: Uint8Array.of(3),
  },
  { type: 'distrusted', why: 'another card' },
  { type: 'out-of-trust' },
  { type: 'hash', slot: slot(9), hash: new Uint8Array(HASH_BYTES).fill(7) },
  { type: 'state-differs', slot: slot(9) },
  { type: 'told', bytes: Uint8Array.of(9, 8) },
  {
    type: 'time',
    claim: { localAt: localTime(7n), clusterAt: clusterTime(9n), driftPpm: -1.5, boundNs: 400, epoch: 3 },
  },
];
const KNOCKS: readonly Knock[] = [
  { member: member('c'), replace: null },
  { member: member('c'), replace: 'Küche' },
];
const CONFIGURATION = {
  id: 3,
  after: slot(12),
  timing: TIMING_DEFAULT,
  members: [
    { ...member('a'), voter: true },
    { ...member('b'), voter: false },
  ],
};
const CLUSTER = 'c' as ClusterId;
const SNAPSHOT = {
  cluster: CLUSTER,
  slot: slot(20),
  configuration: CONFIGURATION,
  lastStampNs: 5n,
  sessions: new Sessions(),
  state: Uint8Array.of(1, 2, 3),
};

t.test('each comes back as it was', (t) => {
  for (const frame of FRAMES) t.strictSame(decodeFrame(encodeFrame(frame)), frame, frame.type);
  for (const knock of KNOCKS) t.strictSame(decodeKnock(encodeKnock(knock)), knock);
  const admitted = { cluster: CLUSTER, configuration: CONFIGURATION };
  t.strictSame(decodeAdmitted(encodeAdmitted(admitted)), admitted);
  const { sessions, ...rest } = decodeSnapshot(encodeSnapshot(SNAPSHOT), CLUSTER);
  t.strictSame({ ...rest, sessions: sessions.encode() }, { ...SNAPSHOT, sessions: SNAPSHOT.sessions.encode() });
  t.end();
});

t.test('a snapshot of another cluster is refused', (t) => {
  t.equal(
    codeOf(() => decodeSnapshot(encodeSnapshot(SNAPSHOT), 'other' as ClusterId)),
    'BAD_SNAPSHOT',
  );
  t.equal(
    codeOf(() => decodeSnapshot(Uint8Array.of(1, 2), CLUSTER)),
    'BAD_SNAPSHOT',
  );
  t.end();
});

t.test('100,000 mutated frames, knocks and snapshots are read or refused', (t) => {
  // Nobody reads the stack of so many errors.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const prng = new Prng(1);
  const samples = [...FRAMES.map(encodeFrame), ...KNOCKS.map(encodeKnock), encodeSnapshot(SNAPSHOT)];
  let refused = 0;
  for (let n = 0; n < 100_000; n++) {
    const bytes = samples[n % samples.length]!.slice();
    for (let flips = 1 + prng.below(3); flips > 0; flips--) bytes[prng.below(bytes.length)] = prng.below(256);
    for (const decode of [decodeFrame, decodeKnock, decodeAdmitted]) {
      try {
        decode(bytes);
      } catch (error) {
        if (!(error instanceof TuttiError) || error.code !== 'BAD_FRAME') throw error;
        refused++;
      }
    }
    try {
      decodeSnapshot(bytes, CLUSTER);
    } catch (error) {
      if (!(error instanceof TuttiError) || error.code !== 'BAD_SNAPSHOT') throw error;
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  t.ok(refused > 200_000 && refused < 300_000, `${refused} refused`);
  t.end();
});

t.test('a change of members is worked out from who takes part now', (t) => {
  const after = (change: MemberChange) =>
    membersAfter(change, CONFIGURATION)
      ?.map(({ node, voter }) => (voter ? node.toUpperCase() : node))
      .join('') ?? null;
  t.equal(after({ type: 'add', member: member('c') }), 'Abc');
  t.equal(after({ type: 'add', member: member('b') }), null, 'it is in already');
  t.equal(
    codeOf(() => after({ type: 'add', member: { ...member('b'), incarnation: 'x' as Incarnation } })),
    'BAD_REQUEST',
  );
  t.equal(after({ type: 'replace', old: node('b'), member: member('c') }), 'Ac');
  t.equal(after({ type: 'replace', old: node('a'), member: member('c') }), 'Abc', 'who votes stays until it can go');
  t.equal(
    codeOf(() => after({ type: 'remove', node: node('x'), acceptLoss: false })),
    'NODE_NOT_FOUND',
  );
  t.equal(
    codeOf(() => after({ type: 'remove', node: node('a'), acceptLoss: false })),
    'BAD_REQUEST',
  );
  t.equal(after({ type: 'voters', voters: [node('a'), node('b')] }), 'AB');
  t.equal(after({ type: 'voters', voters: [node('a')] }), null);
  t.equal(
    codeOf(() => after({ type: 'voters', voters: [] })),
    'BAD_REQUEST',
  );
  t.end();
});

t.test('who knocks names the one to be replaced by name or id', (t) => {
  const change = (replace: string | null, name = 'c') =>
    changeFor({ member: member(name), replace }, CONFIGURATION, () => null);
  t.match(change(null), { type: 'add' });
  t.match(change('b'), { type: 'replace', old: 'b' });
  t.match(change('Zimmer b ♫'), { type: 'replace', old: 'b' });
  t.equal(
    codeOf(() => change('nobody')),
    'NODE_NOT_FOUND',
  );
  t.match(change('gone', 'b'), { type: 'add' }, 'it was let in before, and did not hear so');
  t.end();
});
