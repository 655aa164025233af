import t from 'tap';
import { type BootId, nodeId, slot as slotOf } from '../../src/core/ids.js';
import { type Ballot, ballotText, NO_BALLOT } from '../../src/paxos/ballot.js';
import { isMember, isVoter, votersOf } from '../../src/paxos/configuration.js';
import type { Effects, PaxosEvent, Recovered } from '../../src/paxos/effects.js';
import { type CommandEntry, type Entry, entryBytes, NOOP, sameEntry } from '../../src/paxos/entry.js';
import { DISK_STALL_MS, WINDOW_SLOTS } from '../../src/paxos/limits.js';
import type { Heartbeat, HeartbeatReply, Message, Standing } from '../../src/paxos/message.js';
import { cellAt, dropAbove, emptyLog, firstUnknown, lastSlot, setCell } from '../../src/paxos/slot-log.js';
import { createPaxos, holdsLease, statusOf, step } from '../../src/paxos/step.js';
import { configurationOf, memberOf, TIMING, World } from './world.js';

const [n1, n2, n3] = [nodeId('n1'), nodeId('n2'), nodeId('n3')];
const ballot = (round: number, node = n1, configId = 1): Ballot => ({ configId, round, node });
const command = (text: string, stampNs = 1n): CommandEntry => ({
  type: 'command',
  session: { node: n1, boot: 'b' as BootId, seq: 1 },
  stampNs,
  leadNs: 0n,
  payload: Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
});

/** One node alone with the core: what it is told comes from the test. */
class Bench {
  readonly #state;
  nowMs = 1_000;

  constructor(recovered: Partial<Recovered> = {}, self = n1) {
    this.#state = createPaxos({
      self,
      seed: 1,
      nowMs: this.nowMs,
      recovered: {
        promised: NO_BALLOT,
        configuration: configurationOf(['n1', 'n2', 'n3']),
        base: slotOf(0),
        baseStampNs: 0n,
        accepted: [],
        unknown: [],
        chosenUpTo: slotOf(0),
        leaseMsMax: 0,
        ...recovered,
      },
    });
  }

  get state() {
    return this.#state;
  }

  get status() {
    return statusOf(this.#state);
  }

  do(happening: PaxosEvent): Effects {
    return step(this.#state, happening, this.nowMs);
  }

  hear(from: typeof n1, message: Message): Effects {
    return this.do({ type: 'message', from, message });
  }
}

const heartbeat = (following: Ballot | null): Heartbeat => ({
  type: 'heartbeat',
  standing: {
    configId: 1,
    promised: following ?? NO_BALLOT,
    following,
    leading: following !== null,
    happy: following !== null,
    chosenUpTo: slotOf(0),
    acceptedUpTo: slotOf(0),
  },
  round: 1,
  sentAtMs: 0,
  leaseMs: TIMING.leaseMs,
  clock: null,
});

/** A world in which n1 leads and serves, and all is quiet. */
function led(names: readonly string[] = ['n1', 'n2', 'n3'], timing = TIMING): World {
  const world = new World(configurationOf(names, timing));
  world.campaign(n1);
  settle(world);
  return world;
}

function settle(world: World): void {
  for (;;) {
    for (const { id, pending } of world.up) while (pending.length > 0) world.sync(id);
    const envelope = world.bag[0];
    if (!envelope) return;
    world.deliver(envelope);
  }
}

function run(world: World, ms: number): void {
  for (let passed = 0; passed < ms; passed += 25) {
    world.pass(25);
    for (const { id } of world.up) world.feed(id, { type: 'tick' });
    settle(world);
  }
}

t.test('entries are the same where all of them is', (t) => {
  const next = configurationOf(['n1', 'n2']);
  const stop: Entry = { type: 'stop-sign', next, session: null };
  const [session, member] = [command('a').session, next.members[0]!];
  const entries: Entry[] = [
    NOOP,
    command('a'),
    command('b'),
    command('ab'),
    command('a', 2n),
    { ...command('a'), leadNs: 5n },
    { ...command('a'), session: { ...session, seq: 2 } },
    { ...command('a'), session: { ...session, node: n2 } },
    { ...command('a'), session: { ...session, boot: 'c' as BootId } },
    stop,
    { ...stop, session },
    { ...stop, next: { ...next, id: 2 } },
    { ...stop, next: { ...next, after: slotOf(3) } },
    { ...stop, next: { ...next, members: [member] } },
    ...(['heartbeatMs', 'electionMs', 'leaseMs'] as const).map(
      (span): Entry => ({ ...stop, next: { ...next, timing: { ...next.timing, [span]: 7 } } }),
    ),
    ...[{ node: n3 }, { incarnation: 'x' }, { voter: false }, { address: 'x' }, { name: 'x' }].map(
      (change): Entry => ({
        ...stop,
        next: { ...next, members: [{ ...member, ...change } as typeof member, next.members[1]!] },
      }),
    ),
  ];
  for (const [i, a] of entries.entries()) {
    for (const [j, b] of entries.entries()) if (sameEntry(a, structuredClone(b)) !== (i === j)) t.fail(`${i} and ${j}`);
  }
  t.ok(entryBytes(command('abc')) > entryBytes(NOOP) && entryBytes(stop) > entryBytes(NOOP), 'and have their sizes');
  t.end();
});

t.test('a configuration says who votes, and a ballot prints itself', (t) => {
  const configuration = configurationOf(['n2', '(n3)', 'n1']);
  t.same(votersOf(configuration), [n1, n2], 'by id');
  t.ok(isVoter(configuration, n2) && !isVoter(configuration, n3) && isMember(configuration, n3));
  t.notOk(isMember(configuration, nodeId('n4')));
  t.equal(ballotText(ballot(7, n2, 3)), '3.7.n2');
  t.equal(ballotText(NO_BALLOT), 'none');
  t.end();
});

t.test('a log keeps empty, accepted and unknown slots apart', (t) => {
  const log = emptyLog(slotOf(2));
  setCell(log, slotOf(5), { kind: 'unknown', ballot: null });
  t.equal(cellAt(log, slotOf(3)), undefined);
  t.equal(firstUnknown(log, slotOf(2)), 5);
  t.equal(firstUnknown(log, slotOf(5)), null);
  dropAbove(log, slotOf(4));
  t.equal(lastSlot(log), 4);
  dropAbove(log, slotOf(1));
  t.equal(lastSlot(log), 2, 'the snapshot stays');
  t.throws(() => setCell(log, slotOf(2), { kind: 'unknown', ballot: null }), /above the snapshot/);
  t.end();
});

t.test('a node that starts is bound by all that its disk names', (t) => {
  const promisedOf = (recovered: Partial<Recovered>) => ballotText(new Bench(recovered).state.promised);
  const accepted = [{ slot: slotOf(1), ballot: ballot(3, n2), entry: NOOP }];
  t.equal(promisedOf({ promised: ballot(2) }), '1.2.n1');
  t.equal(promisedOf({ promised: ballot(2), accepted }), '1.3.n2', 'an entry was promised too');
  t.equal(
    promisedOf({ accepted, unknown: [{ slot: slotOf(2), ballot: ballot(5, n3) }] }),
    '1.5.n3',
    'a damaged one as well',
  );
  t.equal(promisedOf({ base: slotOf(4), chosenUpTo: slotOf(4), unknown: [{ slot: slotOf(2), ballot: null }] }), 'none');
  t.throws(() => new Bench({ base: slotOf(2) }), /snapshot is chosen/);
  t.end();
});

t.test('a promise of much comes in parts, and nothing of it is lost', (t) => {
  const world = led(['n1', 'n2', 'n3'], { ...TIMING, leaseMs: 0 });
  const large = 'x'.repeat(100_000);
  for (let index = 0; index < 8; index++) world.propose(n1, [`${index}${large}`]);
  for (const envelope of [...world.bag]) if (envelope.to === n2) world.deliver(envelope);
  while (world.node(n2).pending.length > 0) world.sync(n2);
  world.bag = [];
  world.crash(n1);
  let parts = 0;
  world.look = (_, happening) => {
    if (happening.type === 'message' && happening.message.type === 'promise') parts++;
  };
  world.campaign(n3);
  settle(world);
  t.equal(parts, 3, 'of 256 KiB or a little more');
  t.equal(world.oracle.chosenUpTo, 10, 'the eight large ones, and two first commands');
  t.end();
});

t.test('the window bounds what is under way', (t) => {
  const world = led();
  const chosen = world.oracle.chosenUpTo;
  world.propose(
    n1,
    Array.from({ length: WINDOW_SLOTS + 3 }, (_, index) => String(index)),
  );
  t.equal(world.declined, 3, 'the rest is declined');
  world.reconfigure(n1, ['n1', 'n2']);
  t.equal(world.declined, 4, 'a change of members as well');
  settle(world);
  t.equal(world.oracle.chosenUpTo, chosen + WINDOW_SLOTS);
  t.end();
});

t.test('a lost accept costs one resend, not one for each accept that follows', (t) => {
  const world = led();
  world.propose(n1, ['0']);
  world.bag = world.bag.filter(({ to }) => to !== n2);
  for (let index = 1; index < 200; index++) world.propose(n1, [String(index)]);
  let accepts = 0;
  world.look = ({ id }, happening) => {
    if (id === n2 && happening.type === 'message' && happening.message.type === 'accept') accepts++;
  };
  settle(world);
  t.equal(world.node(n2).appliedUpTo, world.oracle.chosenUpTo);
  t.ok(accepts < 410, `${accepts} accepts for 200 commands`);
  t.end();
});

t.test('a card that is not trusted neither leads nor counts', (t) => {
  const world = led();
  world.feed(n1, { type: 'trust', node: n3, trusted: false });
  world.cut.add('n2>n1').add('n1>n2');
  world.propose(n1, ['a']);
  const before = world.oracle.appliedUpTo;
  settle(world);
  t.equal(world.oracle.appliedUpTo, before, 'the answer of n3 chooses nothing');
  world.feed(n1, { type: 'trust', node: n3, trusted: true });
  settle(world);
  t.equal(world.oracle.appliedUpTo, before + 1, 'until it is trusted again');
  world.feed(n1, { type: 'trust', node: n1, trusted: false });
  t.equal(statusOf(world.node(n1).state!).role, 'follower', 'a leader steps down');
  world.campaign(n1);
  t.equal(statusOf(world.node(n1).state!).role, 'follower', 'and does not come back');
  t.end();
});

t.test('a leader whose disk stands still steps down', (t) => {
  const world = led();
  run(world, 200);
  world.propose(n1, ['a']);
  const roleAfter = (ms: number) => {
    // Its own writes stay where they are; heartbeats go on.
    for (let passed = 0; passed < ms; passed += 50) {
      world.pass(50);
      for (const { id } of world.up) world.feed(id, { type: 'tick' });
      while (world.bag[0]) world.deliver(world.bag[0]);
    }
    return statusOf(world.node(n1).state!).role;
  };
  t.equal(roleAfter(DISK_STALL_MS - 100), 'leader');
  t.equal(roleAfter(200), 'follower');
  t.end();
});

t.test('a lost connection is silence from that moment on, for those who follow', (t) => {
  const world = led();
  run(world, 300);
  world.crash(n1);
  const leaderOf = (id: typeof n1) => statusOf(world.node(id).state!).leader;
  t.not(leaderOf(n2), null);
  world.feed(n2, { type: 'link', peer: n1, up: false });
  t.equal(leaderOf(n2), null, 'it does not wait to be sure');
  t.not(leaderOf(n3), null, 'as one does whose connection seems to be there');
  run(world, 1_000);
  t.equal(world.up.filter(({ state }) => state!.role.type === 'leader').length, 1);
  const greeting = new Bench().do({ type: 'link', peer: n2, up: true }).sendNow;
  t.same(
    greeting.map(({ to, message }) => [to, message.type]),
    [[n2, 'heartbeat']],
    'a new one is greeted',
  );
  t.same(new Bench().do({ type: 'link', peer: nodeId('n9'), up: true }).sendNow, [], 'but no stranger');
  t.end();
});

t.test('a late prepare does not end the lease that was granted to its very ballot', (t) => {
  const bench = new Bench({}, n3);
  const granted = (effects: Effects) =>
    effects.sendNow.flatMap(({ message }) => (message.type === 'heartbeat-reply' ? [message.granted] : []));
  t.same(granted(bench.hear(n1, heartbeat(ballot(2)))), [ballot(2)], 'n1 leads and is granted the lease');
  bench.hear(n1, { type: 'prepare', ballot: ballot(2), from: slotOf(1) });
  bench.nowMs += 100;
  const { sendAfter } = bench.hear(n2, { type: 'prepare', ballot: ballot(3, n2), from: slotOf(1) });
  t.same(sendAfter, [], 'so n2 gets no promise while it runs');
  bench.nowMs += TIMING.leaseMs;
  t.equal(bench.hear(n2, { type: 'prepare', ballot: ballot(3, n2), from: slotOf(1) }).sendAfter.length, 1, 'but later');
  t.end();
});

t.test('an old leader’s heartbeat or accept does not turn a follower away from the new one', (t) => {
  const bench = new Bench({}, n3);
  bench.hear(n2, heartbeat(ballot(5, n2)));
  bench.nowMs += 100;
  bench.hear(n1, heartbeat(ballot(4)));
  t.same(bench.state.following, ballot(5, n2));
  t.equal(bench.state.leaderHeardAtMs, 1_000, 'nor does it count as a word of the new one');
  const entries = [command('a')];
  bench.hear(n1, {
    type: 'accept',
    ballot: ballot(4),
    start: slotOf(1),
    from: slotOf(1),
    entries,
    chosenUpTo: slotOf(0),
  });
  t.same(bench.state.following, ballot(5, n2));
  t.end();
});

t.test('an answer to a heartbeat of the process before confirms no read', (t) => {
  const world = led();
  const { state } = world.node(n1);
  world.read(n1, 1);
  world.bag = [];
  const { role, round } = state!;
  const reply: HeartbeatReply = {
    ...heartbeat(null),
    type: 'heartbeat-reply',
    standing: { ...heartbeat(null).standing, promised: state!.promised, following: state!.following },
    granted: null,
    matchedUpTo: slotOf(1),
    round: round + 1_000,
  };
  world.feed(n1, { type: 'message', from: n2, message: reply });
  t.equal(world.readsAnswered, 0);
  world.feed(n1, { type: 'message', from: n2, message: { ...reply, round } });
  t.equal(world.readsAnswered, 1, 'one of its own does');
  t.equal(role.type, 'leader');
  t.end();
});

t.test('a leader puts no-ops where a member has lost something above all that was proposed', (t) => {
  const world = led();
  const leader = world.node(n1).state!;
  const next = leader.chosenUpTo + 1;
  const standing = { ...heartbeat(null).standing, acceptedUpTo: slotOf(next + 2) };
  const reply = (of: Standing): HeartbeatReply => ({
    ...heartbeat(null),
    type: 'heartbeat-reply',
    standing: of,
    granted: null,
    matchedUpTo: slotOf(1),
  });
  world.feed(n1, { type: 'message', from: n2, message: reply({ ...standing, configId: 2 }) });
  t.equal(
    lastSlot(leader.log),
    next - 1,
    'what stands in the slots of another configuration is no concern of this one',
  );
  world.feed(n1, { type: 'message', from: n2, message: reply(standing) });
  t.equal(lastSlot(leader.log), next + 2);
  world.feed(n1, { type: 'message', from: n3, message: reply(standing) });
  t.equal(lastSlot(leader.log), next + 2, 'once is enough');
  settle(world);
  for (const { state } of world.up) {
    t.same(
      [0, 1, 2]
        .map((more) => cellAt(state!.log, slotOf(next + more)))
        .map((cell) => cell?.kind === 'accepted' && cell.entry),
      [NOOP, NOOP, NOOP],
    );
    t.equal(state!.chosenUpTo, next + 2);
  }
  world.feed(n1, { type: 'message', from: n2, message: reply({ ...standing, acceptedUpTo: slotOf(1e12) }) });
  t.equal(lastSlot(leader.log), next + 2, 'nobody holds that much');
  const far = slotOf(next + WINDOW_SLOTS + 10);
  world.feed(n1, { type: 'message', from: n2, message: reply({ ...standing, acceptedUpTo: far }) });
  t.equal(lastSlot(leader.log), leader.chosenUpTo + WINDOW_SLOTS, 'and no more at once than is ever under way');
  t.end();
});

t.test('what strangers and forgers say is not heard', (t) => {
  const bench = new Bench();
  const accept = {
    type: 'accept',
    start: slotOf(1),
    from: slotOf(1),
    entries: [command('x')],
    chosenUpTo: slotOf(0),
  } as const;
  t.same(bench.hear(nodeId('n9'), { ...accept, ballot: ballot(1, nodeId('n9')) }).persist, [], 'no member');
  t.same(bench.hear(n2, { ...accept, ballot: ballot(1, n3) }).persist, [], 'another’s ballot');
  t.same(bench.hear(n2, { type: 'prepare', ballot: ballot(1, n3), from: slotOf(1) }).persist, [], 'in a prepare too');
  t.same(bench.hear(n1, heartbeat(ballot(1))).sendNow, [], 'itself');
  t.equal(bench.hear(n2, { type: 'read', id: 1 }).sendNow.length, 1, 'one who does not lead says so to a read');
  t.end();
});

t.test('a tick that comes late starts no campaign and shows no lease', (t) => {
  const world = led();
  run(world, 300);
  const [leader, follower] = [world.node(n1), world.node(n2)];
  t.ok(holdsLease(leader.state!, world.localMs(leader)));
  world.pass(3_000);
  world.feed(n1, { type: 'tick' });
  world.feed(n2, { type: 'tick' });
  t.notOk(holdsLease(leader.state!, world.localMs(leader)));
  t.equal(leader.state!.role.type, 'leader', 'it asks the others before it gives up');
  t.equal(follower.state!.role.type, 'follower');
  run(world, 300);
  t.ok(holdsLease(leader.state!, world.localMs(leader)), 'they answer');
  t.throws(() => step(leader.state!, { type: 'tick' }, 0), /backwards/);
  t.end();
});

t.test('a leader that is late again and again finds out all the same that nobody answers', (t) => {
  const world = led();
  run(world, 300);
  const { state } = world.node(n1);
  for (let at = 0; at < 40 && state!.role.type === 'leader'; at++) {
    world.pass(at % 9 === 8 ? 260 : 50);
    world.feed(n1, { type: 'tick' });
    world.bag = [];
  }
  t.equal(state!.role.type, 'follower');
  t.end();
});

t.test('to accept under a new ballot is a promise that goes to the superblock', (t) => {
  const bench = new Bench({}, n3);
  const accept = (slot: number) =>
    bench.hear(n1, {
      type: 'accept',
      ballot: ballot(2),
      start: slotOf(1),
      from: slotOf(slot),
      entries: [command(`${slot}`)],
      chosenUpTo: slotOf(0),
    }).persist[0]?.promised;
  t.same(accept(1), ballot(2));
  t.same(accept(2), null, 'once');
  t.end();
});

t.test('an accept of nothing new promises nothing: a prepare that comes late is answered from the disk', (t) => {
  const accepted = [{ slot: slotOf(1), ballot: ballot(1), entry: command('a') }];
  const bench = new Bench({ accepted, chosenUpTo: slotOf(1), promised: ballot(1) }, n3);
  const { persist } = bench.hear(n2, {
    type: 'accept',
    ballot: ballot(2, n2),
    start: slotOf(1),
    from: slotOf(1),
    entries: [command('a')],
    chosenUpTo: slotOf(1),
  });
  t.same(persist, [], 'what is known to be chosen is not written again');
  const prepared = bench.hear(n2, { type: 'prepare', ballot: ballot(2, n2), from: slotOf(1) });
  t.same(
    prepared.persist.map(({ promised }) => promised),
    [ballot(2, n2)],
  );
  t.same(
    prepared.sendAfter.map(({ token }) => token),
    prepared.persist.map(({ token }) => token.number),
    'the promise leaves when it is on the disk',
  );
  t.end();
});

t.test('what is damaged of an older configuration holds up no slot of this one', (t) => {
  const configuration = { ...configurationOf(['n1', 'n2', 'n3']), id: 2, after: slotOf(1) };
  const held = { slot: slotOf(1), ballot: ballot(1), entry: command('a') };
  const bench = new Bench(
    { configuration, accepted: [held], unknown: [{ slot: slotOf(2), ballot: ballot(1) }], chosenUpTo: slotOf(1) },
    n3,
  );
  const prepared = { type: 'prepare', ballot: { configId: 2, round: 1, node: n1 }, from: slotOf(2) } as const;
  const [promise] = bench.hear(n1, prepared).sendAfter.map(({ message }) => message);
  t.match(promise, { type: 'promise', unknown: [], accepted: [] });
  t.end();
});

t.test('a node alone serves after its own writes, and waits for nobody’s lease when it starts again', (t) => {
  const world = new World(configurationOf(['n1']));
  run(world, 25);
  world.propose(n1, ['a']);
  settle(world);
  t.equal(world.node(n1).appliedUpTo, 2);
  world.crash(n1);
  world.restart(n1);
  run(world, 50);
  t.equal(statusOf(world.node(n1).state!).serving, true);
  t.end();
});

t.test('status names the role, the damage, and the change under way', (t) => {
  t.equal(new Bench({ configuration: configurationOf(['(n1)', 'n2']) }).status.role, 'learner');
  t.equal(new Bench({ configuration: configurationOf(['n2']) }).status.role, 'removed');
  t.equal(new Bench({ unknown: [{ slot: slotOf(2), ballot: null }] }).status.damaged, 2);
  const world = led();
  world.reconfigure(n1, ['n1', 'n2', 'n3', '(n4)']);
  t.equal(statusOf(world.node(n1).state!).sealedAt, 2);
  world.reconfigure(n2, ['n2']);
  t.equal(world.declined, 1, 'who does not lead changes nothing');
  t.same(memberOf('(n4)').voter, false);
  t.end();
});

t.test('two values in one slot under one ballot end the process', (t) => {
  const bench = new Bench({}, n2);
  const accept = (text: string): Message => ({
    type: 'accept',
    ballot: ballot(1),
    start: slotOf(1),
    from: slotOf(1),
    entries: [command(text)],
    chosenUpTo: slotOf(0),
  });
  bench.hear(n1, accept('a'));
  bench.hear(n1, accept('a'));
  t.throws(() => bench.hear(n1, accept('b')), /cannot hold two values/);
  t.end();
});

t.test('writes that complete out of their order end the process', (t) => {
  const bench = new Bench();
  const { persist } = bench.hear(n2, { type: 'prepare', ballot: ballot(1, n2), from: slotOf(1) });
  const { token } = persist[0]!;
  t.throws(() => bench.do({ type: 'persisted', token: { ...token, number: 7 } }), /in their order/);
  t.end();
});

t.test('nobody promises in a configuration before it holds everything that came before', (t) => {
  const configuration = { ...configurationOf(['n1', 'n2', 'n3']), id: 2, after: slotOf(1) };
  const prepare = { type: 'prepare', ballot: ballot(1, n2, 2), from: slotOf(2) } as const;
  t.same(new Bench({ configuration }).hear(n2, prepare).sendAfter, []);
  // What it accepted above the stop-sign in the configuration before was never chosen.
  const accepted = [
    { slot: slotOf(1), ballot: ballot(1), entry: { type: 'stop-sign', next: configuration, session: null } as const },
    { slot: slotOf(2), ballot: ballot(1), entry: command('old') },
  ];
  const answers = new Bench({ configuration, accepted, chosenUpTo: slotOf(1) }).hear(n2, prepare).sendAfter;
  t.match(answers[0]?.message, { type: 'promise', accepted: [], unknown: [], chosenUpTo: 1 });
  t.end();
});

t.test('a new leader that finds a stop-sign proposes it, and nothing above it', (t) => {
  const next = { ...configurationOf(['n1', 'n2', 'n3']), id: 2, after: slotOf(1) };
  const stop: Entry = { type: 'stop-sign', next, session: null };
  const bench = new Bench({
    accepted: [
      { slot: slotOf(1), ballot: ballot(2), entry: stop },
      { slot: slotOf(2), ballot: ballot(1), entry: command('above') },
    ],
  });
  bench.state.leadsOn = true;
  const { persist } = bench.do({ type: 'link', peer: n1, up: true });
  bench.do({ type: 'persisted', token: persist[0]!.token });
  const own = bench.state.promised;
  const empty = { accepted: [], unknown: [], chosenUpTo: slotOf(0), more: false, next: slotOf(1), timeNs: null };
  const won = bench.hear(n2, { type: 'promise', ballot: own, from: slotOf(1), ...empty });
  t.same(
    won.persist[0]?.records.map(({ slot, entry }) => [slot, entry]),
    [[1, stop]],
  );
  t.equal(won.termWon, null, 'its own first command neither');
  t.equal(bench.status.sealedAt, 1);
  const accepted = { type: 'accepted', ballot: own, upTo: slotOf(1), batch: 0 } as const;
  for (const from of [n2, n3]) bench.hear(from, accepted);
  t.equal(bench.status.configuration.id, 2);
  t.equal(bench.status.acceptedUpTo, 1, 'what was above is gone');
  t.end();
});

t.test('an acceptance of another ballot counts for nothing', (t) => {
  const world = led();
  const before = world.oracle.appliedUpTo;
  world.propose(n1, ['a']);
  for (const from of [n2, n3]) {
    const message: Message = { type: 'accepted', ballot: ballot(1, n2), upTo: slotOf(before + 1), batch: 0 };
    world.feed(n1, { type: 'message', from, message });
  }
  world.sync(n1);
  t.equal(world.node(n1).appliedUpTo, before);
  t.end();
});

t.test('a lease is granted to one at a time, and its holder promises nobody else', (t) => {
  const bench = new Bench({}, n3);
  const granted = (effects: Effects) =>
    effects.sendNow.flatMap(({ message }) => (message.type === 'heartbeat-reply' ? [message.granted] : []));
  bench.hear(n1, heartbeat(ballot(2)));
  bench.nowMs += TIMING.leaseMs;
  t.same(granted(bench.hear(n2, heartbeat(ballot(3, n2)))), [null]);
  bench.nowMs += TIMING.leaseMs * 0.02;
  t.same(granted(bench.hear(n2, heartbeat(ballot(3, n2)))), [ballot(3, n2)], 'and to another when it is over');

  const world = led();
  run(world, 300);
  const { state } = world.node(n1);
  const prepare: Message = { type: 'prepare', ballot: ballot(9, n2), from: slotOf(2) };
  world.feed(n1, { type: 'message', from: n2, message: prepare });
  t.equal(state!.role.type, 'leader');
  world.pass(TIMING.leaseMs + 10);
  world.feed(n1, { type: 'message', from: n2, message: prepare });
  t.equal(state!.role.type, 'follower', 'until it holds it no more');
  t.end();
});

t.test('a follower that starts again says at once what it holds', (t) => {
  const accepted = [1, 2, 3].map((slot) => ({ slot: slotOf(slot), ballot: ballot(1), entry: NOOP }));
  const { sendNow } = new Bench({ accepted, chosenUpTo: slotOf(3) }, n2).hear(n1, heartbeat(ballot(1)));
  t.match(
    sendNow.at(-1)?.message,
    { type: 'heartbeat-reply', matchedUpTo: 3 },
    'or the leader would send the whole term',
  );
  t.end();
});

t.test('a candidate waits for enough promises, each counted once, of its own ballot', (t) => {
  const bench = new Bench({ configuration: configurationOf(['n1', 'n2', 'n3', 'n4', 'n5']) });
  bench.state.leadsOn = true;
  const { persist } = bench.do({ type: 'link', peer: n1, up: true });
  const own = bench.state.promised;
  const promise = (round = own.round): Message => ({
    type: 'promise',
    ballot: { ...own, round },
    from: slotOf(1),
    accepted: [],
    unknown: [],
    chosenUpTo: slotOf(0),
    more: false,
    next: slotOf(1),
    timeNs: 7n,
  });
  bench.do({ type: 'persisted', token: persist[0]!.token });
  for (const message of [promise(), promise(), promise(own.round + 1)]) bench.hear(n2, message);
  bench.hear(n3, promise(own.round + 1));
  bench.hear(nodeId('n9'), promise());
  t.equal(bench.status.role, 'candidate');
  const { termWon } = bench.hear(n3, promise());
  t.match(termWon, { reproposed: [], timeNs: 7n });
  t.end();
});

t.test('who knew something and lost it is not asked for it again and again', (t) => {
  const bench = new Bench();
  bench.state.leadsOn = true;
  const { persist } = bench.do({ type: 'link', peer: n1, up: true });
  bench.do({ type: 'persisted', token: persist[0]!.token });
  const learnsOf = ({ sendNow }: Effects) => sendNow.filter(({ message }) => message.type === 'learn').length;
  const promise: Message = {
    type: 'promise',
    ballot: bench.state.promised,
    from: slotOf(1),
    accepted: [],
    unknown: [],
    chosenUpTo: slotOf(6),
    more: false,
    next: slotOf(7),
    timeNs: null,
  };
  const nothing: Message = { type: 'learned', from: slotOf(1), entries: [], chosenUpTo: slotOf(0) };
  const behind: Message = { type: 'behind', base: slotOf(6) };
  t.equal(learnsOf(bench.hear(n2, promise)), 1);
  t.equal(learnsOf(bench.hear(n2, nothing)), 0, 'it has none of it');
  t.equal(learnsOf(bench.hear(n2, behind)), 0, 'or only in a snapshot');
  bench.nowMs += 2 * TIMING.heartbeatMs;
  t.equal(learnsOf(bench.hear(n2, nothing)), 1, 'but later');
  t.end();
});
