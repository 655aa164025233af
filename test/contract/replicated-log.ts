/** What every engine of the replicated log does at a node that is alone: the suite runs against the fake and the real one. */
import type { Test } from 'tap';
import type { NodeId } from '../../src/core/ids.js';
import type { LogEntry, LogHandlers, ReplicatedLog } from '../../src/replication/replicated-log.js';
import { type Pass, rejectionOf, until } from './support.js';

/** One log, new, with what the suite needs to know of it. */
export interface ReplicatedLogSubject {
  readonly log: ReplicatedLog;
  readonly node: NodeId;
  readonly pass: Pass;
  /** Names of the timers that run. */
  readonly timers: () => readonly string[];
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = ({ payload }: LogEntry): string => new TextDecoder().decode(payload);

/** Runs the suite: `setup` gives a log of a new house with one node. */
export function runReplicatedLogContract(
  t: Test,
  name: string,
  setup: () => ReplicatedLogSubject | Promise<ReplicatedLogSubject>,
): Promise<unknown> {
  async function running() {
    const subject = await setup();
    const applied: LogEntry[] = [];
    const members: (readonly NodeId[])[] = [];
    const handlers: LogHandlers = {
      apply: (entry) => applied.push(entry),
      pass: (_slot, present) => void (present && members.push(present)),
      termStart: (term) => bytes(`term ${term.epoch}`),
      snapshot: () => new Uint8Array(0),
      restore: () => {},
      reserveUntilNs: () => 0n,
      nameOf: () => null,
      epoch: () => (applied.length > 0 ? 1 : 0),
      statusChanged: () => {},
      told: () => {},
    };
    /** What a promise comes to, while time passes. */
    const settle = async <T>(promise: Promise<T>): Promise<T> => {
      let isSettled = false;
      const settled = promise.finally(() => {
        isSettled = true;
      });
      settled.catch(() => {});
      await until(() => isSettled, subject.pass, 'a promise is settled');
      return await settled;
    };
    await settle(subject.log.start(handlers));
    return { ...subject, applied, members, handlers, settle };
  }

  return t.test(`${name} is a replicated log`, async (t) => {
    await t.test('a node that is alone leads when start returns, and its term has begun', async (t) => {
      const { log, node, applied, settle } = await running();
      t.match(log.status(), { leader: node, role: 'leader', quorum: true, needed: 1, trouble: null });
      t.strictSame(applied.map(textOf), ['term 1']);
      t.equal(log.holdsLease(), true);
      t.not(log.leaseUntil(), null);
      t.equal(log.now() > 0n, true);
      t.not(log.clockLine(), null);
      await settle(log.stop());
    });

    await t.test('entries are applied in the order in which they were proposed, with stamps that rise', async (t) => {
      const { log, applied, settle } = await running();
      const slots = await settle(Promise.all(['a', 'b', 'c'].map((text) => log.propose(bytes(text)))));
      t.strictSame(applied.map(textOf), ['term 1', 'a', 'b', 'c']);
      t.strictSame(
        slots,
        applied.slice(1).map(({ slot }) => slot),
      );
      for (let at = 1; at < applied.length; at++) {
        t.ok(applied[at]!.stampNs > applied[at - 1]!.stampNs);
        t.ok(applied[at]!.slot > applied[at - 1]!.slot);
      }
      t.equal(log.status().appliedSlot, applied.at(-1)!.slot);
      await settle(log.stop());
    });

    await t.test('nothing is applied before propose returns', async (t) => {
      const { log, applied, settle } = await running();
      const proposed = log.propose(bytes('a'));
      t.equal(applied.length, 1);
      await settle(proposed);
      t.equal(applied.length, 2);
      await settle(log.stop());
    });

    await t.test('a read sees what was answered before', async (t) => {
      const { log, settle } = await running();
      const slot = await settle(log.propose(bytes('a')));
      t.ok((await settle(log.readBarrier())) >= slot);
      await settle(log.stop());
    });

    await t.test('members come and go, in the order of the log', async (t) => {
      const { log, node, applied, members, settle } = await running();
      const other = 'e'.repeat(32) as NodeId;
      const member = { node: other, incarnation: 'f'.repeat(32) as never, address: '192.0.2.7:7420', name: 'hall' };
      await settle(log.changeMembers({ type: 'add', member }));
      t.strictSame(
        log.status().members.map(({ node, voter }) => [node, voter]),
        [
          [node, true],
          [other, false],
        ],
      );
      await settle(log.propose(bytes('among two')));
      t.strictSame(
        applied.at(-1)!.voters.map((voter) => voter.node),
        [node],
        'who learns has no vote',
      );
      await settle(log.changeMembers({ type: 'remove', node: other, acceptLoss: false }));
      t.strictSame(members, [[node, other], [node]]);
      t.equal(
        await rejectionOf(settle(log.changeMembers({ type: 'remove', node: other, acceptLoss: false }))),
        'NODE_NOT_FOUND',
      );
      await settle(log.stop());
    });

    await t.test('a log that has stopped refuses, and calls nobody', async (t) => {
      const { log, applied, settle, timers } = await running();
      const waiting = log.propose(bytes('a'));
      waiting.catch(() => {});
      await settle(Promise.all([log.stop(), log.stop()]));
      t.match(await rejectionOf(waiting), /NO_QUORUM|OUTCOME_UNKNOWN/);
      t.equal(await rejectionOf(log.propose(bytes('b'))), 'NO_QUORUM');
      t.equal(await rejectionOf(log.readBarrier()), 'NO_QUORUM');
      t.equal(log.holdsLease(), false);
      t.equal(log.leaseUntil(), null);
      t.strictSame(timers(), []);
      t.equal(applied.length, 1);
    });
  });
}
