/** A notice that something is chosen is put off for a moment, and said once. */
import t from 'tap';
import { type NodeId, slot } from '../../src/core/ids.js';
import type { Accept, Chosen, Message } from '../../src/paxos/message.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { ChosenNotices } from '../../src/replication/chosen-notices.js';

const [A, B] = ['a', 'b'] as NodeId[] as [NodeId, NodeId];
const ballotOf = (round: number) => ({ configId: 1, round, node: 'l' as NodeId });
const chosen = (upTo: number, round = 1): Chosen => ({
  type: 'chosen',
  ballot: ballotOf(round),
  start: slot(1),
  upTo: slot(upTo),
});
const accept = (chosenUpTo: number, round = 1): Accept => ({
  type: 'accept',
  ballot: ballotOf(round),
  start: slot(1),
  from: slot(9),
  entries: [],
  chosenUpTo: slot(chosenUpTo),
});

function rig() {
  const time = new FakeTime();
  const sent: string[] = [];
  const send = (to: NodeId, message: Message) => {
    sent.push(`${to} ${message.type} ${message.type === 'chosen' ? message.upTo : ''}`);
  };
  const notices = new ChosenNotices({ time, send });
  return { time, sent, notices };
}

t.test('a notice that nothing takes along leaves within 4 ms, to each peer', (t) => {
  const { time, sent, notices } = rig();
  notices.hold(A, chosen(5));
  notices.hold(B, chosen(5));
  time.advance(1);
  t.strictSame(sent, []);
  time.advance(3);
  t.strictSame(sent, ['a chosen 5', 'b chosen 5']);
  time.advance(10);
  t.equal(sent.length, 2);
  t.strictSame(time.running(), [], 'it is looked for notices only while there are any');
  t.end();
});

t.test('an accept, or a later notice, that says as much takes its place', (t) => {
  const { time, sent, notices } = rig();
  notices.hold(A, chosen(5));
  notices.hold(A, chosen(6));
  notices.precede(A, accept(6));
  notices.hold(B, chosen(5));
  notices.hold(B, chosen(7));
  time.advance(10);
  t.strictSame(sent, ['b chosen 7']);
  t.end();
});

t.test('nothing overtakes it: what says less, or is of another ballot, goes after it', (t) => {
  const { time, sent, notices } = rig();
  notices.hold(A, chosen(5));
  notices.precede(A, accept(4));
  t.strictSame(sent, ['a chosen 5']);
  notices.hold(A, chosen(6));
  notices.precede(A, accept(6, 2));
  t.strictSame(sent.splice(0), ['a chosen 5', 'a chosen 6']);
  notices.hold(A, chosen(7));
  notices.hold(A, chosen(8, 2));
  t.strictSame(sent.splice(0), ['a chosen 7']);
  notices.precede(A, { type: 'read-reply', id: 1, slot: null });
  t.strictSame(sent.splice(0), ['a chosen 8']);
  time.advance(10);
  t.strictSame(sent, []);
  t.end();
});

t.test('after the end nothing is sent', (t) => {
  const { time, sent, notices } = rig();
  notices.hold(A, chosen(5));
  notices.stop();
  t.strictSame(time.running(), []);
  time.advance(10);
  t.strictSame(sent, []);
  t.end();
});
