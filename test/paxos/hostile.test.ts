/** What can be decoded is still not believed: a peer that says anything at all neither ends a node nor makes it large. */
import t from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import { TuttiError } from '../../src/core/errors.js';
import { type BootId, nodeId, type Slot, slot as slotOf } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { type Ballot, NO_BALLOT, ROUND_MAX } from '../../src/paxos/ballot.js';
import { decodeMessage, encodeMessage } from '../../src/paxos/codec.js';
import type { Effects, PaxosEvent } from '../../src/paxos/effects.js';
import { type Entry, NOOP } from '../../src/paxos/entry.js';
import type { Message, Standing } from '../../src/paxos/message.js';
import { createPaxos, step } from '../../src/paxos/step.js';
import { configurationOf } from './world.js';

const NODES = ['n1', 'n2', 'n3'].map(nodeId);
const [A, B, C] = NODES as [Ballot['node'], Ballot['node'], Ballot['node']];
const ballot = (round: number, node = A): Ballot => ({ configId: 1, round, node });

/** One core, whose disk is at once. */
class Core {
  readonly state = createPaxos({
    self: B,
    seed: 1,
    nowMs: 0,
    recovered: {
      promised: NO_BALLOT,
      configuration: configurationOf(['n1', 'n2', 'n3']),
      base: slotOf(0),
      baseStampNs: 0n,
      accepted: [],
      unknown: [],
      chosenUpTo: slotOf(0),
      leaseMsMax: 0,
    },
  });
  nowMs = 1_000;

  do(event: PaxosEvent): Effects {
    const effects = step(this.state, event, this.nowMs);
    for (const { token } of effects.persist) this.do({ type: 'persisted', token });
    return effects;
  }

  hear(from: Ballot['node'], message: Message): Effects {
    return this.do({ type: 'message', from, message: decodeMessage(encodeMessage(message)) });
  }

  /** Time passes, and `peer` answers every heartbeat as one that stands like this; gives what was sent. */
  pass(ms: number, peer: Ballot['node'], standing: Standing): Message[] {
    const sent: Message[] = [];
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      this.nowMs += 25;
      const { sendNow, sendAfter } = this.do({ type: 'tick' });
      for (const { to, message } of [...sendNow, ...sendAfter]) {
        sent.push(message);
        if (to !== peer || message.type !== 'heartbeat') continue;
        const { round, sentAtMs } = message;
        const rest = { granted: null, matchedUpTo: slotOf(0), clock: null };
        this.hear(peer, { type: 'heartbeat-reply', standing, round, sentAtMs, ...rest });
      }
    }
    return sent;
  }
}

const standing = (parts: Partial<Standing>): Standing => ({
  configId: 1,
  promised: NO_BALLOT,
  following: null,
  leading: false,
  happy: false,
  chosenUpTo: slotOf(0),
  acceptedUpTo: slotOf(0),
  ...parts,
});

t.test('a peer that names the last of all rounds does not keep this node from leading with another', (t) => {
  const core = new Core();
  core.pass(2_000, A, standing({ promised: ballot(ROUND_MAX, A) }));
  const sent = core.pass(2_000, C, standing({}));
  const rounds = sent.flatMap((message) => (message.type === 'prepare' ? [message.ballot.round] : []));
  t.ok(rounds.length > 0 && Math.max(...rounds) < 100, `it asks for the lead in rounds ${rounds}`);
  t.end();
});

t.test('where no rounds are left this node asks for the lead no more, and goes on', (t) => {
  const core = new Core();
  for (let round = 2 ** 31; round < ROUND_MAX; round += 2 ** 31) {
    core.hear(A, { type: 'prepare', ballot: ballot(round), from: slotOf(1) });
  }
  core.hear(A, { type: 'prepare', ballot: ballot(ROUND_MAX), from: slotOf(1) });
  t.equal(core.state.promised.round, ROUND_MAX);
  core.nowMs += 10_000;
  const sent = core.pass(2_000, C, standing({}));
  t.notOk(sent.some(({ type }) => type === 'prepare'));
  t.end();
});

t.test('an accept far above all that is known here takes no memory: what lies between is asked for', (t) => {
  const core = new Core();
  const start = slotOf(3e7);
  const { sendNow, sendAfter } = core.hear(A, {
    type: 'accept',
    ballot: ballot(7),
    start,
    from: start,
    entries: [NOOP],
    chosenUpTo: slotOf(3e7 - 1),
  });
  t.equal(core.state.log.cells.length, 0);
  t.strictSame(sendAfter, []);
  t.match(sendNow, [{ to: A, message: { type: 'learn', from: 1 } }]);
  t.end();
});

t.test('a promise that names slots far above all that is known here does not count', (t) => {
  const core = new Core();
  const sent = core.pass(2_000, C, standing({}));
  const prepare = sent.find((message) => message.type === 'prepare');
  if (prepare === undefined || core.state.role.type !== 'candidate') {
    t.fail('it asks for the lead');
    t.end();
    return;
  }
  const slot = slotOf(Number.MAX_SAFE_INTEGER);
  core.hear(C, {
    type: 'promise',
    ballot: core.state.role.ballot,
    from: slotOf(1),
    accepted: [{ slot, ballot: ballot(1), entry: NOOP }],
    unknown: [],
    chosenUpTo: slotOf(0),
    more: false,
    next: slotOf(2),
    timeNs: null,
  });
  t.equal(core.state.role.type, 'candidate');
  t.end();
});

/** Agreement itself is broken: two values under one ballot, or in place of a chosen one. Such a node has to end, whoever did it. */
const AGREEMENT = /cannot hold two values|was chosen once|holds what was chosen|is above all before/;

/** A message whose parts are all in range, and some of them likely. */
function anything(prng: Prng): Message {
  const pick = <T>(...of: readonly T[]): T => of[prng.below(of.length)]!;
  const maybe = <T>(value: T): T | null => (prng.below(3) === 0 ? null : value);
  const slot = (): Slot =>
    slotOf(prng.below(8) > 0 ? prng.below(12) : pick(0, 1_030, 70_000, 3e7, Number.MAX_SAFE_INTEGER));
  const round = (): number => (prng.below(8) > 0 ? 1 + prng.below(9) : pick(0, 2 ** 31, 2 ** 40, ROUND_MAX));
  const any = (): Ballot => ({ configId: prng.below(8) > 0 ? 1 : pick(0, 2, 9), round: round(), node: pick(...NODES) });
  const entry = (): Entry =>
    pick<Entry>(NOOP, {
      type: 'command',
      session: { node: pick(...NODES), boot: 'b' as BootId, seq: prng.below(9) },
      stampNs: BigInt(1 + prng.below(90)),
      leadNs: 0n,
      payload: new Uint8Array(prng.below(4)),
    });
  const list = <T>(make: () => T): T[] => Array.from({ length: prng.below(4) }, make);
  const stands = (): Standing =>
    standing({
      configId: pick(1, 1, 1, 2),
      promised: any(),
      following: maybe(any()),
      leading: pick(true, false),
      happy: pick(true, false),
      chosenUpTo: slot(),
      acceptedUpTo: slot(),
    });
  const beat = { round: prng.below(50), sentAtMs: prng.below(5_000), clock: null };
  return pick<() => Message>(
    () => ({ type: 'heartbeat', standing: stands(), leaseMs: prng.below(900), ...beat }),
    () => ({ type: 'heartbeat-reply', standing: stands(), granted: maybe(any()), matchedUpTo: slot(), ...beat }),
    () => ({ type: 'prepare', ballot: any(), from: slot() }),
    () => ({
      type: 'promise',
      ballot: any(),
      from: slot(),
      accepted: list(() => ({ slot: slot(), ballot: any(), entry: entry() })),
      unknown: list(() => ({ slot: slot(), ballot: maybe(any()) })),
      chosenUpTo: slot(),
      more: pick(true, false),
      next: slot(),
      timeNs: null,
    }),
    () => ({ type: 'refusal', ballot: any(), promised: any() }),
    () => ({ type: 'accept', ballot: any(), start: slot(), from: slot(), entries: list(entry), chosenUpTo: slot() }),
    () => ({ type: 'accepted', ballot: any(), upTo: slot(), batch: 1 }),
    () => ({ type: 'gap', ballot: any(), upTo: slot() }),
    () => ({ type: 'chosen', ballot: any(), start: slot(), upTo: slot() }),
    () => ({ type: 'learn', from: slot() }),
    () => ({
      type: 'learned',
      from: slot(),
      entries: list(() => ({ ballot: any(), entry: entry() })),
      chosenUpTo: slot(),
    }),
    () => ({ type: 'behind', base: slot() }),
    () => ({ type: 'read', id: prng.below(9) }),
    () => ({ type: 'read-reply', id: prng.below(9), slot: maybe(slot()) }),
  )();
}

t.test('whatever two peers say, in frames that are whole or not, this node goes on and stays small', (t) => {
  let delivered = 0;
  let broken = 0;
  let led = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const prng = new Prng(seed);
    const core = new Core();
    for (let at = 0; at < 200; at++) {
      if (prng.below(4) === 0) core.nowMs += prng.below(100);
      if (prng.below(40) === 0) core.pass(400, prng.below(2) === 0 ? A : C, standing({}));
      const bytes = encodeMessage(anything(prng)).slice();
      if (prng.below(4) === 0) bytes[2 + prng.below(bytes.length - 2)]! ^= 1 << prng.below(8);
      try {
        const message = decodeMessage(bytes);
        delivered++;
        core.do({ type: 'message', from: prng.below(2) === 0 ? A : C, message });
        // What it says in its own role must go with what the others say.
        const { role } = core.state;
        if (role.type === 'candidate' && prng.below(2) === 0) {
          const promise = { type: 'promise', ballot: role.ballot, from: slotOf(core.state.chosenUpTo + 1) } as const;
          const rest = { accepted: [], unknown: [], chosenUpTo: slotOf(0), more: false, next: slotOf(0), timeNs: null };
          core.hear(A, { ...promise, ...rest });
        }
        if (core.state.role.type === 'leader') led++;
        core.do({ type: 'tick' });
      } catch (error) {
        if (error instanceof TuttiError && error.code === 'BAD_FRAME') continue;
        if (!(error instanceof InvariantError && AGREEMENT.test(error.message))) {
          t.fail(`seed ${seed}, message ${at}: ${error instanceof Error ? error.stack : error}`);
          t.end();
          return;
        }
        broken++;
        break;
      }
      if (core.state.log.cells.length > 100_000) t.fail(`seed ${seed}: ${core.state.log.cells.length} cells`);
    }
  }
  t.comment(`${delivered} messages, ${led} of them to a leader, ${broken} ends where agreement was broken`);
  t.ok(delivered > 20_000, `${delivered} messages were delivered`);
  t.ok(led > 100, `${led} of them to a leader`);
  t.end();
});
