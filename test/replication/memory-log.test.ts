import t from 'tap';
import type { NodeId } from '../../src/core/ids.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { MemoryLog } from '../../src/replication/memory-log.js';
import type { LogEntry, LogHandlers } from '../../src/replication/replicated-log.js';

const NODE = 'n'.repeat(32) as NodeId;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = ({ payload }: LogEntry): string => new TextDecoder().decode(payload);

function build(leadMs = 100) {
  const time = new FakeTime();
  const log = new MemoryLog({ time }, { node: NODE, leadMs: () => leadMs });
  const applied: LogEntry[] = [];
  const handlers: LogHandlers = {
    apply: (entry) => applied.push(entry),
    termStart: (term) => bytes(`term ${term.epoch}`),
    statusChanged: () => {},
  };
  return { time, log, applied, handlers };
}

t.test('entries are applied in the order in which they were proposed, after the term begins', async (t) => {
  const { log, applied, handlers } = build();
  await log.start(handlers);
  const slots = await Promise.all(['a', 'b', 'c'].map((text) => log.propose(bytes(text))));
  t.strictSame(applied.map(textOf), ['term 1', 'a', 'b', 'c']);
  t.strictSame(slots, [2, 3, 4]);
  t.strictSame(
    applied.map(({ slot }) => slot),
    [1, 2, 3, 4],
  );
});

t.test('stamps rise strictly, also while the clock stands still, and follow it when it runs', async (t) => {
  const { time, log, applied, handlers } = build(40);
  await log.start(handlers);
  await log.propose(bytes('a'));
  await log.propose(bytes('b'));
  t.equal(applied[2]!.stampNs - applied[1]!.stampNs, 1n);
  time.advance(1_000);
  await log.propose(bytes('c'));
  t.equal(applied[3]!.stampNs, log.now());
  t.equal(applied[3]!.leadNs, 40_000_000n);
  t.ok(applied[0]!.stampNs > 0n, 'cluster time begins above zero');
});

t.test('a proposal is not applied before propose returns, and may be made while another is applied', async (t) => {
  const { log, applied, handlers } = build();
  let inner: Promise<number> | undefined;
  await log.start({
    ...handlers,
    apply: (entry) => {
      applied.push(entry);
      if (textOf(entry) === 'a') inner = log.propose(bytes('from within'));
    },
  });
  const proposed = log.propose(bytes('a'));
  t.equal(applied.length, 1);
  t.equal(await proposed, 2);
  t.equal(await inner, 3);
  t.strictSame(applied.map(textOf), ['term 1', 'a', 'from within']);
});

t.test('the one node leads while it runs, and its clock is a line', async (t) => {
  const { time, log, handlers } = build();
  t.match(log.status(), { leader: null, quorum: false, role: 'follower' });
  await log.start(handlers);
  t.match(log.status(), { leader: NODE, quorum: true, role: 'leader', needed: 1 });
  time.advance(2_500);
  const { localAt, clusterAt, driftPpm } = log.clockLine();
  t.equal(driftPpm, 0);
  t.equal(log.now(), clusterAt + (time.now() - localAt));
});

t.test('a log that has stopped refuses, what waited included, and calls nobody', async (t) => {
  const { log, applied, handlers } = build();
  await t.rejects(log.propose(bytes('too early')), { code: 'NO_QUORUM' });
  await log.start(handlers);
  const waiting = log.propose(bytes('a'));
  await Promise.all([t.rejects(waiting, { code: 'NO_QUORUM' }), log.stop(), log.stop()]);
  await t.rejects(log.propose(bytes('b')), { code: 'NO_QUORUM' });
  t.equal(applied.length, 1);
});

t.test('proposals that nobody takes are bounded', async (t) => {
  const { log, handlers } = build();
  await log.start(handlers);
  const many = Array.from({ length: 1_500 }, () =>
    log.propose(bytes('x')).then(
      () => 'done',
      () => 'refused',
    ),
  );
  const outcomes = await Promise.all(many);
  t.equal(outcomes.filter((outcome) => outcome === 'refused').length, 1_500 - 1_024);
});
