/** The gate before a change of voters: asked twice, the second time while nothing new is agreed, and never closed for long. */
import t from 'tap';
import { slot } from '../../src/core/ids.js';
import { TIMING_DEFAULT } from '../../src/paxos/configuration.js';
import type { PaxosState } from '../../src/paxos/state.js';
import { Gate, type GateAnswer } from '../../src/replication/gate.js';
import { bytes, TestCluster, type TestNode, turn } from './cluster.js';

const YES: GateAnswer = { isOpen: true };
const NO: GateAnswer = { isOpen: false, code: 'TRACKS_AT_RISK', detail: 'two songs are on one card only' };

/** A question that some leader has put to the house. */
interface Question {
  readonly by: TestNode;
  /** Who would vote, by the first letters of their ids. */
  readonly voters: string;
  readonly atMs: number;
  answer(answer: GateAnswer): void;
  /** The house could not be asked. */
  fail(): void;
}

/** What the house says when it is asked: what a test says for it, or always the same. */
class Word {
  readonly questions: Question[] = [];
  always: GateAnswer | null = null;

  get last(): Question {
    return this.questions.at(-1)!;
  }

  asked(by: TestNode, voters: string): Promise<GateAnswer> {
    return new Promise((resolve, reject) => {
      const atMs = Number(by.time.now()) / 1e6;
      this.questions.push({ by, voters, atMs, answer: resolve, fail: () => reject(new Error('nobody is there')) });
      if (this.always !== null) resolve(this.always);
    });
  }
}

/** A house in which somebody leads. All of `letters` vote but `learners`. */
async function house(letters: string, learners = '') {
  const word = new Word();
  const cluster = new TestCluster(letters, {
    gate: (node) => (members) => {
      const voters = members.filter(({ voter }) => voter).map(({ node }) => node[0]);
      return word.asked(node, voters.join(''));
    },
  });
  await cluster.settle(cluster.start(learners));
  const leader = await cluster.awaitLeader();
  const others = cluster.nodes.filter((node) => node !== leader && !learners.includes(node.id[0]!));
  const learner = cluster.nodes.find(({ id }) => learners.includes(id[0]!))!;
  const asked = (count: number) => cluster.until(() => word.questions.length === count, `${count} questions are put`);
  /** Any node may ask for it. */
  const remove = (gone: TestNode, by = leader, acceptLoss = false) =>
    watched(by.replica.changeMembers({ type: 'remove', node: gone.id, acceptLoss }));
  return { cluster, word, leader, others, learner, asked, remove };
}

/** A promise, and whether it is settled; one that nobody waits for may reject. */
function watched<T>(promise: Promise<T>) {
  const watch = { promise, isSettled: false };
  promise.then(
    () => (watch.isSettled = true),
    () => (watch.isSettled = true),
  );
  return watch;
}

const isOut = (gone: TestNode, { replica }: TestNode) => !replica.status().members.some(({ node }) => node === gone.id);

t.test('a removal is asked about twice; between the second answer and the stop-sign nothing is agreed', async (t) => {
  const { cluster, word, leader, others, learner, asked, remove } = await house('abcd', 'd');
  const removed = remove(learner, others[0]);
  await asked(1);
  t.equal(word.last.voters, 'abc');
  await cluster.settle(others[0]!.replica.propose(bytes('while it is asked for the first time')));
  const busy = Array.from({ length: 40 }, (_, n) => leader.replica.propose(bytes(`busy ${n}`)));
  word.last.answer(YES);
  await asked(2);
  const frozenAt = leader.recorder.slot;
  const held = [leader, ...others].map(({ replica }, n) => watched(replica.propose(bytes(`held ${n}`))));
  await cluster.pass(TIMING_DEFAULT.electionMs / 2);
  t.equal(leader.recorder.slot, frozenAt, 'nothing new is agreed');
  t.notOk(removed.isSettled || held.some(({ isSettled }) => isSettled));
  word.last.answer(YES);
  await cluster.until(() => leader.recorder.members.length > 0, 'the change is applied');
  const next = slot(frozenAt + 1);
  t.notOk(leader.recorder.voters.has(next) || leader.recorder.passed.includes(next), 'it stands in the very next slot');
  await cluster.settle(removed.promise);
  await cluster.settle(Promise.all([...busy, ...held.map(({ promise }) => promise)]));
  await cluster.stop();
});

t.test('what is under way when the gate freezes is applied before it asks again', async (t) => {
  const { cluster, word, leader, learner, asked, remove } = await house('abcd', 'd');
  for (const node of cluster.nodes) node.latencyMs = 60;
  remove(learner);
  await asked(1);
  const under = Array.from({ length: 5 }, (_, n) => watched(leader.replica.propose(bytes(`under way ${n}`))));
  await cluster.pass(20);
  t.notOk(under.some(({ isSettled }) => isSettled));
  word.last.answer(YES);
  await asked(2);
  t.ok(
    under.every(({ isSettled }) => isSettled),
    'all of it is known where the question is put',
  );
  word.last.answer(NO);
  await cluster.stop();
});

t.test('a person is told at once why the gate is closed, and nothing had to wait', async (t) => {
  const { cluster, word, leader, others, learner, asked, remove } = await house('abcd', 'd');
  const removed = remove(learner, others[0]);
  await asked(1);
  word.last.answer(NO);
  await t.rejects(cluster.settle(removed.promise), { code: 'TRACKS_AT_RISK', detail: /two songs/ });
  await cluster.settle(leader.replica.propose(bytes('as ever')));
  t.notOk(isOut(learner, leader));
  word.always = YES;
  await cluster.settle(remove(learner).promise);
  t.ok(isOut(learner, leader), 'who asks anew is let through when the gate is open');
  await cluster.stop();
});

t.test('where the second answer is no, the change is refused and what waited goes on', async (t) => {
  const { cluster, word, leader, learner, asked, remove } = await house('abcd', 'd');
  const removed = remove(learner);
  await asked(1);
  word.last.answer(YES);
  await asked(2);
  const held = leader.replica.propose(bytes('held'));
  word.last.answer(NO);
  await t.rejects(cluster.settle(removed.promise), { code: 'TRACKS_AT_RISK' });
  await cluster.settle(held);
  t.notOk(isOut(learner, leader));
  await cluster.stop();
});

t.test('who waits for a second answer that does not come waits for one election at most', async (t) => {
  const { cluster, word, leader, learner, asked, remove } = await house('abcd', 'd');
  const removed = remove(learner);
  await asked(1);
  word.last.answer(YES);
  await asked(2);
  const { last, questions } = { last: word.last, questions: word.questions.length };
  const held = leader.replica.propose(bytes('held'));
  await cluster.settle(held);
  const heldMs = Number(cluster.time.now()) / 1e6 - last.atMs;
  t.ok(heldMs <= TIMING_DEFAULT.electionMs + 100, `${heldMs} ms`);
  await t.rejects(cluster.settle(removed.promise), { code: 'BUSY' });
  last.answer(YES);
  await cluster.pass(3_000);
  t.notOk(isOut(learner, leader), 'an answer that comes late opens nothing');
  t.equal(word.questions.length, questions, 'and nobody who was told no is asked about again');
  await cluster.stop();
});

t.test('a house that cannot be asked, or says nothing, refuses the change and nothing else', async (t) => {
  const { cluster, word, leader, learner, asked, remove } = await house('abcd', 'd');
  const first = remove(learner);
  await asked(1);
  word.last.fail();
  await t.rejects(cluster.settle(first.promise), { code: 'BUSY' });
  const second = remove(learner);
  await asked(2);
  await cluster.settle(leader.replica.propose(bytes('meanwhile')));
  await t.rejects(cluster.settle(second.promise), { code: 'BUSY' });
  t.notOk(isOut(learner, leader));
  await cluster.stop();
});

t.test('where a loss is accepted nobody is asked, and who comes in is not asked about', async (t) => {
  const { cluster, word, leader, learner, remove } = await house('abcd', 'd');
  await cluster.settle(remove(learner, leader, true).promise);
  await cluster.admit(cluster.addNode('e'), leader);
  t.equal(word.questions.length, 0);
  await cluster.stop();
});

t.test('a leader that falls while it asks leaves the change to the next, who asks anew', async (t) => {
  const { cluster, word, leader, others, learner, asked, remove } = await house('abcd', 'd');
  const removed = remove(learner, others[0]);
  await asked(1);
  word.last.answer(YES);
  await asked(2);
  await leader.kill();
  await asked(3);
  t.not(word.last.by, leader);
  word.always = YES;
  word.last.answer(YES);
  await cluster.settle(removed.promise);
  t.ok(isOut(learner, word.last.by));
  await cluster.settle(leader.start());
  await cluster.settle(leader.replica.propose(bytes('through the one that fell')));
  await cluster.stop();
});

t.test('a leader that was cut off while it asked proposes nothing of it when it is back', async (t) => {
  const { cluster, word, leader, others, learner, asked, remove } = await house('abcd', 'd');
  remove(learner);
  await asked(1);
  word.last.answer(YES);
  await asked(2);
  const late = word.last;
  cluster.network.partition(
    [leader.host],
    [...others, learner].map(({ host }) => host),
  );
  await cluster.until(() => others.some(({ replica }) => replica.status().role === 'leader'), 'another leads');
  await cluster.settle(others[0]!.replica.propose(bytes('by the others')));
  cluster.network.heal();
  late.answer(YES);
  await cluster.until(() => leader.recorder.texts.includes('by the others'), 'it follows');
  await cluster.settle(leader.replica.propose(bytes('it is not frozen')));
  t.notOk(isOut(learner, leader));
  await cluster.stop();
});

t.test('a newcomer that is let in while a change is asked about ends the question, which is put again', async (t) => {
  const { cluster, word, leader, others, learner, asked, remove } = await house('abcd', 'd');
  const removed = remove(learner, others[0]);
  await asked(1);
  const void_ = word.last;
  await cluster.admit(cluster.addNode('e'), leader);
  await asked(2);
  void_.answer(NO);
  word.always = YES;
  word.last.answer(YES);
  await cluster.settle(removed.promise);
  t.ok(isOut(learner, leader));
  await cluster.stop();
});

t.test('of two changes at once one stands at the gate, and the other comes after it', async (t) => {
  const { cluster, word, leader, others, asked, remove } = await house('abcde', 'de');
  const [d, e] = cluster.nodes.slice(-2) as [TestNode, TestNode];
  const first = remove(d, others[0]);
  await asked(1);
  const second = remove(e, others[1]);
  await cluster.pass(1_500);
  t.equal(word.questions.length, 1);
  word.always = YES;
  word.last.answer(YES);
  await cluster.settle(Promise.all([first.promise, second.promise]));
  t.ok(isOut(d, leader) && isOut(e, leader));
  await cluster.stop();
});

t.test('learners are made voters when the gate opens, and it is not pressed', async (t) => {
  const { cluster, word, leader } = await house('abc', 'bc');
  word.always = NO;
  await cluster.until(() => word.questions.length === 3, 'the leader has asked again', 30_000);
  const [first, second, third] = word.questions.map(({ atMs }) => atMs) as [number, number, number];
  t.ok(second - first >= 4_900 && third - second >= 4_900, `${second - first} ms, ${third - second} ms`);
  t.equal(word.last.voters, 'abc');
  t.equal(leader.replica.status().needed, 1);
  const told = leader.log.entries.filter(({ text }) => text.includes('has to wait'));
  t.equal(told.length, 1, 'the reason is in the log once');
  word.always = YES;
  await cluster.until(() => leader.replica.status().needed === 2, 'three vote', 30_000);
  await cluster.stop();
});

t.test('a change that stands at the gate is looked at when it has passed, and not refused meanwhile', async (t) => {
  const { cluster, word, others, asked, remove } = await house('abc');
  const [gone, other] = others as [TestNode, TestNode];
  const removed = remove(gone, gone);
  await asked(1);
  await other.kill();
  await cluster.pass(1_500);
  t.notOk(removed.isSettled, 'it was asked for again, and the two that would be left are not both there');
  await cluster.settle(other.start());
  word.always = YES;
  word.last.answer(YES);
  await cluster.settle(removed.promise);
  await cluster.stop();
});

t.test('an answer that crosses the same question is given again, and the change is not looked at twice', async (t) => {
  const { cluster, word, leader, others, learner, asked, remove } = await house('abcd', 'd');
  const asker = others[0]!;
  // Whoever asks asks again before it hears the answer.
  cluster.network.setConditions({ delayMs: 1_200 }, { from: leader.host, to: asker.host });
  const removed = remove(learner, asker);
  await asked(1);
  word.last.answer(NO);
  word.always = YES;
  await t.rejects(cluster.settle(removed.promise), { code: 'TRACKS_AT_RISK' });
  await cluster.pass(3_000);
  t.equal(word.questions.length, 1);
  t.notOk(isOut(learner, leader));
  await cluster.stop();
});

t.test('a term that is over, or has its stop-sign, takes the question along', async (t) => {
  const cluster = new TestCluster('a');
  const [node] = cluster.nodes as [TestNode];
  const ballot = { configId: 1, round: 1, node: node.id };
  const leading = { type: 'leader', ballot, serving: true, sealedAt: null, next: 1 };
  // The same node may lead the next term, too.
  for (const later of [{ ballot: { ...ballot, round: 2 } }, { sealedAt: 7 }, { serving: false }]) {
    const state = { role: leading, configuration: { timing: TIMING_DEFAULT } };
    const word = new Word();
    const answers: unknown[] = [];
    const gate = new Gate({
      self: { applied: () => slot(0), log: node.log, nowMs: () => 0, state: state as unknown as PaxosState },
      ask: () => word.asked(node, 'a'),
      thawed: () => {},
    });
    gate.enter([], (answer) => answers.push(answer));
    word.last.answer(YES);
    await turn();
    t.equal(gate.isFrozen, true);
    state.role = { ...leading, ...later } as typeof leading;
    t.equal(gate.isFrozen, false);
    word.last.answer(YES);
    await turn();
    t.strictSame(answers, []);
    t.equal(gate.isTaken, false);
    t.equal(word.questions.length, 2);
  }
});
