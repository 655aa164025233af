/** What a change makes of the members, case by case. */
import t from 'tap';
import { type Incarnation, type NodeId, nodeId, slot } from '../../src/core/ids.js';
import { decodeConfiguration, encodeConfiguration } from '../../src/paxos/codec.js';
import { type Configuration, type MemberRecord, TIMING_DEFAULT } from '../../src/paxos/configuration.js';
import { membersAfter, placeTaken } from '../../src/replication/changes.js';
import { codeOf } from '../contract/support.js';

const id = (letter: string): NodeId => nodeId(letter.repeat(32));
const identity = (letter: string) => ({
  node: id(letter),
  incarnation: letter.repeat(32) as Incarnation,
  address: `${letter}:7420`,
  name: letter,
});

/** `A` votes, `a` learns, `d>A` learns and comes for the place of A. */
const house = (...words: string[]): Configuration => ({
  id: 1,
  after: slot(0),
  timing: TIMING_DEFAULT,
  members: words.map((word): MemberRecord => {
    const [letter, place] = word.split('>') as [string, string | undefined];
    const member = { ...identity(letter.toLowerCase()), voter: letter !== letter.toLowerCase() };
    return place === undefined ? member : { ...member, replaces: id(place.toLowerCase()) };
  }),
});

const text = (members: readonly MemberRecord[] | null): string | null =>
  members === null ? null : members.map(textOf).join(' ');

const textOf = ({ name, voter, replaces }: MemberRecord): string =>
  `${voter ? name.toUpperCase() : name}${replaces ? `>${replaces[0]}` : ''}`;

const replacing = (letter: string, by: string) => ({ type: 'replace', old: id(letter), member: identity(by) }) as const;

t.test('where the only voter goes, a learner that could vote gets its vote by the same change', (t) => {
  const removed = { type: 'remove', node: id('a'), acceptLoss: false } as const;
  t.equal(text(membersAfter(removed, house('A', 'b'), () => true)), 'B');
  t.equal(text(membersAfter(removed, house('A', 'b', 'c'), (node) => node === id('c'))), 'b C');
  t.equal(
    codeOf(() => membersAfter(removed, house('A', 'b'), () => false)),
    'BAD_REQUEST',
    'one that is behind cannot',
  );
  t.equal(text(membersAfter(removed, house('A', 'B', 'c'), () => true)), 'B c', 'while another votes nobody has to');
  t.end();
});

t.test('who votes keeps its place until another can take it', (t) => {
  t.equal(text(membersAfter(replacing('c', 'd'), house('A', 'B', 'C'))), 'A B C d>c');
  t.equal(text(membersAfter(replacing('c', 'd'), house('A', 'B', 'C', 'd'))), 'A B C d>c', 'it had come in before');
  t.equal(membersAfter(replacing('c', 'd'), house('A', 'B', 'C', 'd>c')), null, 'it asks again');
  t.equal(membersAfter(replacing('c', 'd'), house('A', 'B', 'D')), null, 'it is done, and it did not hear so');
  t.equal(text(membersAfter(replacing('a', 'd'), house('A'))), 'A d>a', 'the only one, too');
  t.equal(text(membersAfter(replacing('c', 'd'), house('A', 'B', 'c'))), 'A B d', 'a learner can go at once');
  const again = membersAfter(replacing('d', 'e'), house('A', 'B', 'C', 'd>c'));
  t.equal(text(again), 'A B C e>c', 'whose card dies before it has taken the place leaves that to the next');
  t.equal(
    codeOf(() => membersAfter(replacing('c', 'd'), house('A', 'B'))),
    'NODE_NOT_FOUND',
  );
  const otherCard = {
    ...replacing('c', 'd'),
    member: { ...identity('d'), incarnation: 'f'.repeat(32) as Incarnation },
  };
  t.equal(
    codeOf(() => membersAfter(otherCard, house('A', 'B', 'C', 'd>c'))),
    'BAD_REQUEST',
  );
  t.end();
});

t.test('a place is taken by one stop-sign, once who comes for it is fit', (t) => {
  const configuration = house('A', 'B', 'C', 'd>c', 'e>a');
  t.equal(
    placeTaken(configuration, () => false),
    null,
  );
  t.equal(text(placeTaken(configuration, (node) => node === id('d'))), 'A B D e>a');
  t.equal(text(placeTaken(configuration, (node) => node === id('e'))), 'B C d>c E');
  t.equal(
    placeTaken(house('A', 'B', 'c'), () => true),
    null,
    'nobody came for one',
  );
  t.end();
});

t.test('a place that is gone another way is nobody’s to take', (t) => {
  const remove = { type: 'remove', node: id('c'), acceptLoss: false } as const;
  t.equal(text(membersAfter(remove, house('A', 'B', 'C', 'd>c'))), 'A B d');
  t.end();
});

t.test('who comes for whose place is agreed: it is in the bytes of a configuration', (t) => {
  const configuration = house('A', 'B', 'C', 'd>c');
  t.strictSame(decodeConfiguration(encodeConfiguration(configuration)), configuration);
  const bytes = encodeConfiguration(house('A'));
  bytes[bytes.length - 1] = 4;
  t.equal(
    codeOf(() => decodeConfiguration(bytes)),
    'BAD_FRAME',
  );
  t.end();
});
