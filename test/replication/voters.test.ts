/** Who should vote: one, three or five, whatever comes and goes. */
import fc from 'fast-check';
import t from 'tap';
import type { NodeId } from '../../src/core/ids.js';
import { betterVoters, type Candidate } from '../../src/replication/voters.js';

const LONG_MS = 60_000;

/** `V` a voter that is here, `v` one that is away, `L` a learner that is here, `l` one that is away, `B` one that is behind. */
const house = (letters: string): Candidate[] =>
  [...letters].map((letter, at) => ({
    node: `${at}` as NodeId,
    voter: letter.toLowerCase() === 'v',
    onlineMs: letter === 'v' || letter === 'l' ? null : LONG_MS - at,
    caughtUp: letter !== 'B',
    trusted: true,
    leader: at === 0,
  }));

const CASES: readonly (readonly [string, string | null, string])[] = [
  ['V', null, 'one is one'],
  ['VL', null, 'a second voter would only make things worse'],
  ['VLL', '0 1 2', 'two are promoted at once'],
  ['VLB', null, 'not before both have caught up'],
  ['VLl', null, 'nor while one is away'],
  ['VVV', null, 'three are three'],
  ['VVVL', null, 'a fourth waits'],
  ['VVVLL', '0 1 2 3 4', 'five'],
  ['VVVLLLL', '0 1 2 3 4', 'and no more, the steadiest first'],
  ['VVvLL', '0 1 2 3 4', 'a voter that is away keeps its vote'],
  ['VVv', null, 'also alone'],
  ['VVL', '0 1 2', 'after a removal the next one is promoted'],
  ['VVB', null, 'or waited for'],
  ['VV', '0', 'with nobody to promote one of two learns'],
  ['Vv', null, 'who is away is not asked, and not left out'],
  ['VVVV', '0 1 2', 'nor are there four'],
];

for (const [letters, expected, sentence] of CASES) {
  t.test(`${letters}: ${sentence}`, (t) => {
    t.equal(betterVoters(house(letters))?.join(' ') ?? null, expected);
    t.end();
  });
}

t.test('a card that is not trusted is not promoted', (t) => {
  const members = house('VLL').map((member, at) => ({ ...member, trusted: at !== 2 }));
  t.equal(betterVoters(members), null);
  t.end();
});

t.test('it comes to rest, at an odd number, and nobody loses a vote who is away', (t) => {
  const letters = fc.string({ unit: fc.constantFrom('V', 'v', 'L', 'l', 'B'), maxLength: 9 });
  fc.assert(
    fc.property(letters, (rest) => {
      let members = house(`V${rest}`);
      for (let changes = 0; changes < 3; changes++) {
        const voters = betterVoters(members);
        if (voters === null) return true;
        if (voters.length % 2 === 0) return false;
        for (const { node, voter, onlineMs } of members) {
          if (voter && onlineMs === null && !voters.includes(node)) return false;
        }
        members = members.map((member) => ({ ...member, voter: voters.includes(member.node) }));
      }
      return false;
    }),
    { seed: 1, numRuns: 2_000 },
  );
  t.pass();
  t.end();
});
