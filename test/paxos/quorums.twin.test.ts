import t from 'tap';
import { nodeId } from '../../src/core/ids.js';
import { type Ballot, compareBallots, higherBallot, NO_BALLOT, sameBallot } from '../../src/paxos/ballot.js';
import { acceptQuorum, prepareQuorum } from '../../src/paxos/configuration.js';

/** All subsets of `n` voters, as bit sets. */
const subsets = (n: number) => Array.from({ length: 2 ** n }, (_, bits) => bits);
const sizeOf = (bits: number) => bits.toString(2).replaceAll('0', '').length;

t.test('every phase 1 meets every accept quorum, and with one acceptor fewer it would not', (t) => {
  for (let n = 1; n <= 7; n++) {
    const meet = (prepare: number, accept: number) => {
      const accepts = subsets(n).filter((bits) => sizeOf(bits) === accept);
      return subsets(n)
        .filter((bits) => sizeOf(bits) === prepare)
        .every((a) => accepts.every((b) => (a & b) !== 0));
    };
    t.ok(meet(prepareQuorum(n), acceptQuorum(n)), `${n} voters`);
    t.notOk(meet(prepareQuorum(n) - 1, acceptQuorum(n)), `${n} voters, one promise fewer`);
    t.ok(meet(acceptQuorum(n), acceptQuorum(n)), `${n} voters: two leases, or two reads, meet too`);
    t.notOk(meet(acceptQuorum(n) - 1, acceptQuorum(n) - 1), `${n} voters: with a majority less one they need not`);
  }
  t.end();
});

t.test('ballots are ordered by configuration, then round, then node', (t) => {
  const ballots: Ballot[] = [NO_BALLOT];
  // Written down in their order.
  for (const configId of [1, 2, 10]) {
    for (const round of [1, 2, 10]) {
      for (const node of ['a', 'b', 'c']) ballots.push({ configId, round, node: nodeId(node) });
    }
  }
  for (const [i, a] of ballots.entries()) {
    for (const [j, b] of ballots.entries()) {
      const copy = { ...b };
      if (Math.sign(compareBallots(a, copy)) !== Math.sign(i - j)) t.fail(`${i} against ${j}`);
      if (sameBallot(a, copy) !== (i === j)) t.fail(`${i} is ${j}?`);
      if (compareBallots(higherBallot(a, copy), ballots[Math.max(i, j)]!) !== 0) t.fail(`the higher of ${i}, ${j}`);
    }
  }
  t.equal(ballots.length, 28, 'all pairs were compared');
  t.end();
});
