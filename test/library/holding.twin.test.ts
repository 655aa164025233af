/** The arithmetic of holding, beside what it means: some majority of the voters, every one of which has the file. */
import fc from 'fast-check';
import t from 'tap';
import { type NodeId, type Slot, slot, type TrackId } from '../../src/core/ids.js';
import { checkHeld, type Lack, stands, tracksAtRisk, tracksLost } from '../../src/library/holding.js';
import type { Holder } from '../../src/library/track.js';
import { heldBy, trackNamed } from '../cluster/house.js';
import { codeOf } from '../contract/support.js';

/** All sets of more than half of `all`. */
function majorities<T>(all: readonly T[]): T[][] {
  const sets = Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_, at) => (bits >> at) & 1));
  return sets.filter((set) => set.length > all.length - set.length);
}

const node = (k: number) => `n${k}` as NodeId;
const track = (k: number) => `t${k}` as TrackId;
const card: fc.Arbitrary<Holder> = fc.record({
  node: fc.nat(5).map(node),
  incarnation: fc.constantFrom('old', 'new'),
});
const word: fc.Arbitrary<Holder> = fc
  .tuple(card, fc.nat(4))
  .map(([one, sinceSlot]) => (sinceSlot === 0 ? one : { ...one, sinceSlot: slot(sinceSlot) }));
const retractions: fc.Arbitrary<ReadonlyMap<NodeId, Slot>> = fc
  .array(fc.tuple(fc.nat(5).map(node), fc.integer({ min: 1, max: 4 }).map(slot)), { maxLength: 4 })
  .map((all) => new Map(all));

t.test(
  'a track is held where all of some majority attested, each with the card that votes and a word that it has not taken back',
  (t) => {
    const cards = fc.uniqueArray(card, { minLength: 1, maxLength: 6, selector: (one) => one.node });
    fc.assert(
      fc.property(cards, fc.array(word, { maxLength: 8 }), retractions, (voters, holders, retracted) => {
        const isOld = ({ node, sinceSlot }: Holder) => (sinceSlot ?? 0) < (retracted.get(node) ?? 0);
        const attested = new Set(
          holders.filter((holder) => !isOld(holder)).map((holder) => `${holder.node} ${holder.incarnation}`),
        );
        const expected = majorities(voters).some((set) =>
          set.every((voter) => attested.has(`${voter.node} ${voter.incarnation}`)),
        );
        const command = heldBy([], trackNamed(1, 'x'));
        if (command.type !== 'track.add') throw new Error('it adds a track');
        const added = { ...command.track, holders };
        return (
          (codeOf(() => checkHeld(added, voters, (holder) => stands(holder, retracted.get(holder.node)))) ===
            'TRACK_NOT_HELD') !==
          expected
        );
      }),
      { seed: 1, numRuns: 3_000 },
    );
    t.end();
  },
);

const TRACKS = [0, 1, 2].map(track);
const lack: fc.Arbitrary<Lack> = fc.oneof(
  fc.constant('unknown' as const),
  fc.subarray(TRACKS).map((tracks) => new Set(tracks)),
);
const house = fc.record({
  nodes: fc.integer({ min: 1, max: 6 }).map((count) => Array.from({ length: count }, (_, k) => node(k))),
  lacks: fc.array(fc.tuple(fc.nat(6).map(node), lack), { maxLength: 7 }).map((said) => new Map(said)),
});

t.test('a track is at risk where no majority of those who would vote is known to have it', (t) => {
  fc.assert(
    fc.property(house, ({ nodes, lacks }) => {
      const has = (voter: NodeId, one: TrackId) => {
        const said = lacks.get(voter) ?? 'unknown';
        return said !== 'unknown' && !said.has(one);
      };
      const expected = TRACKS.filter((one) => !majorities(nodes).some((set) => set.every((voter) => has(voter, one))));
      return tracksAtRisk(TRACKS, lacks, nodes).join() === expected.join();
    }),
    { seed: 2, numRuns: 2_000 },
  );
  t.end();
});

t.test('a track is lost only where every node said that it lacks it', (t) => {
  fc.assert(
    fc.property(house, ({ nodes, lacks }) => {
      const mayHave = (one: NodeId, wanted: TrackId) => {
        const said = lacks.get(one) ?? 'unknown';
        return said === 'unknown' || !said.has(wanted);
      };
      const expected = TRACKS.filter((wanted) => !nodes.some((one) => mayHave(one, wanted)));
      return tracksLost(TRACKS, lacks, nodes).join() === expected.join();
    }),
    { seed: 3, numRuns: 2_000 },
  );
  t.end();
});
