/** When enough nodes hold a file for it to be proposed: whose word counts, and whose does not. */
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { Incarnation, NodeId } from '../../src/core/ids.js';
import { clusterTime } from '../../src/core/units.js';
import type { Holder } from '../../src/library/track.js';
import { attested, copiesNeeded } from '../../src/node/attestation.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { LogMember } from '../../src/replication/replicated-log.js';
import { Offer } from '../../src/tracks/offers.js';
import { trackNamed } from '../cluster/house.js';

const CARD = 'c'.repeat(32) as Incarnation;
const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(32) as NodeId) as [NodeId, NodeId, NodeId];
const wordOf = (node: NodeId): Holder => ({ node, incarnation: CARD });

/** A house of these members, in which A offers a file that it holds. */
function offering(members: readonly Partial<LogMember>[], said: readonly Holder[]) {
  const time = new FakeTime();
  const holders = [wordOf(A), ...said];
  const offer = new Offer(
    { send: () => {}, peers: () => [], holders: () => holders, progress: () => [], ended: () => {} },
    { track: trackNamed(1, 'Song') },
  );
  const status = {
    quorum: true,
    members: members.map(
      (member, k): LogMember => ({
        node: [A, B, C][k]!,
        name: '',
        address: '',
        incarnation: CARD,
        voter: true,
        online: true,
        lastHeardAt: clusterTime(0n),
        trusted: true,
        ...member,
      }),
    ),
  };
  let found: readonly Holder[] | null = null;
  attested({ time, status: () => status, looked: () => {} }, offer).then(
    (some) => {
      found = some;
    },
    () => {},
  );
  const passes = async () => {
    time.advance(1_000);
    await setImmediate();
  };
  return { passes, holders, status, found: () => found };
}

t.test('a majority of those who vote is enough, and who is named are those whose word counts', async (t) => {
  const house = offering([{}, {}, {}], []);
  await house.passes();
  t.equal(house.found(), null, 'one of three is not');
  house.holders.push(wordOf(C), { node: B, incarnation: 'another card' });
  await house.passes();
  t.same(house.found(), [wordOf(A), wordOf(C)]);
});

t.test('a card that is not trusted counts for nothing: it may be an image of the one that votes', async (t) => {
  const house = offering([{}, { trusted: false }, {}], [wordOf(B)]);
  await house.passes();
  t.equal(house.found(), null);
  house.holders.push(wordOf(C));
  await house.passes();
  t.same(house.found(), [wordOf(A), wordOf(C)]);
});

t.test('beside one that is not trusted a voter that is alone takes files in as if it were', async (t) => {
  const members = [{}, { trusted: false, voter: false }];
  const house = offering(members, []);
  await house.passes();
  t.same(house.found(), [wordOf(A)]);
  t.equal(copiesNeeded(house.status), 1);
});
