/** A file goes once it is agreed that what this node said of it before counts no more. */
import t from 'tap';
import { encodeProposal } from '../../src/cluster/codec.js';
import { COMMAND_VERSION, type Command } from '../../src/cluster/command.js';
import { TuttiError } from '../../src/core/errors.js';
import type { NodeId } from '../../src/core/ids.js';
import { addSong, NODE_ID, song, startHouse, type TestHouse, until } from '../support/house.js';

const BY = { node: NODE_ID, via: 'api' } as const;
const ATTIC = 'f'.repeat(32) as NodeId;

const pass = async (house: Pick<TestHouse, 'time'>, seconds: number): Promise<void> => {
  const endsAt = house.time.now() + BigInt(seconds) * 1_000_000_000n;
  await until(house, () => house.time.now() >= endsAt);
};

const describe = (node: NodeId, commandVersion: number): Command => ({
  type: 'node.describe',
  node,
  name: node.slice(0, 5),
  address: '',
  httpUrl: '',
  version: '1',
  commandVersion,
});

/** A house whose nodes know these command sets. */
async function houseOf(t: Parameters<typeof startHouse>[0], versions: Readonly<Record<NodeId, number>>) {
  const house = await startHouse(t);
  const { node, disk } = house;
  for (const [id, version] of Object.entries(versions)) await node.wishes.ask(describe(id as NodeId, version), BY);
  return {
    ...house,
    wavs: () => disk.list('tracks').filter(({ name }) => name.endsWith('.wav')).length,
    retractedIn: () => node.cluster.member(NODE_ID)?.retractedIn,
  };
}

t.test('it stays while that cannot be agreed, and goes when it is', async (t) => {
  const house = await houseOf(t, { [NODE_ID]: COMMAND_VERSION });
  const { node, consensus } = house;
  const { track } = await addSong(node, 'a.wav', song(1_000));
  await node.wishes.removeTrack(track.id, BY);
  const removed = node.cluster.appliedSlot;
  consensus.setQuorum(false);
  await pass(house, 60);
  t.equal(house.wavs(), 1);
  t.equal(house.retractedIn(), undefined);
  consensus.setQuorum(true);
  await until(house, () => house.wavs() === 0);
  t.ok(house.retractedIn()! > removed);
  t.notOk(node.holds(track.id));
});

t.test(
  'it is not removed before it is agreed, and is held as before where the track comes again meanwhile',
  async (t) => {
    const house = await houseOf(t, { [NODE_ID]: COMMAND_VERSION });
    const { node, consensus } = house;
    const { track } = await addSong(node, 'a.wav', song(1_000));
    await node.wishes.removeTrack(track.id, BY);
    const propose = consensus.propose.bind(consensus);
    let agree = () => {};
    consensus.propose = async (payload) => {
      await new Promise<void>((resolve) => {
        agree = resolve;
      });
      return await propose(payload);
    };
    await pass(house, 30);
    t.equal(house.wavs(), 1, 'the others may count on it still');
    // In the log before the retraction, by words of before: it counts.
    await propose(encodeProposal({ command: { type: 'track.add', track }, origin: BY }));
    consensus.propose = propose;
    agree();
    await until(house, () => house.retractedIn() !== undefined);
    await pass(house, 30);
    t.equal(house.wavs(), 1);
    t.ok(node.holds(track.id));
    t.strictSame(node.holdersOf(track.id), [NODE_ID]);
  },
);

t.test('many that are removed go by one entry', async (t) => {
  const house = await houseOf(t, { [NODE_ID]: COMMAND_VERSION });
  const { node } = house;
  for (let seed = 1; seed <= 5; seed++) {
    const { track } = await addSong(node, `${seed}.wav`, song(500, seed));
    await node.wishes.removeTrack(track.id, BY);
  }
  const slot = node.cluster.appliedSlot;
  await until(house, () => house.wavs() === 0);
  t.equal(node.cluster.appliedSlot, slot + 1);
});

t.test('in a house where some node does not know how, waiting has to do', async (t) => {
  const house = await houseOf(t, { [NODE_ID]: COMMAND_VERSION, [ATTIC]: 2 });
  const { node } = house;
  const { track } = await addSong(node, 'a.wav', song(1_000));
  await node.wishes.removeTrack(track.id, BY);
  await until(house, () => house.wavs() === 0);
  t.equal(house.retractedIn(), undefined);
});

t.test('a node that did not know that the others have learnt it meanwhile does it their way', async (t) => {
  const house = await houseOf(t, { [NODE_ID]: COMMAND_VERSION, [ATTIC]: 2 });
  const { node, consensus } = house;
  const { track } = await addSong(node, 'a.wav', song(1_000));
  await node.wishes.removeTrack(track.id, BY);
  consensus.answerElsewhere(encodeProposal({ command: describe(ATTIC, COMMAND_VERSION), origin: BY }));
  await until(house, () => house.wavs() === 0);
  t.not(house.retractedIn(), undefined);
});

t.test('one that was removed in part is not held, and what is left of it goes later', async (t) => {
  const house = await houseOf(t, { [NODE_ID]: COMMAND_VERSION });
  const { node, files, disk } = house;
  const { track } = await addSong(node, 'a.wav', song(1_000));
  await node.wishes.removeTrack(track.id, BY);
  const remove = files.remove.bind(files);
  let failures = 0;
  files.remove = (id) => {
    failures++;
    disk.remove(`tracks/${id}.wav`);
    return Promise.reject(new TuttiError('DISK_FAILED'));
  };
  await until(house, () => failures > 0);
  await pass(house, 1);
  t.notOk(node.holds(track.id));
  t.strictSame(node.holdersOf(track.id), []);
  const left = () => disk.list('tracks').length;
  t.not(left(), 0);
  files.remove = remove;
  await until(house, () => left() === 0);
  t.notOk(node.holds(track.id));
});

t.test('the word on a file that turns out to be damaged is taken back as well', async (t) => {
  const house = await houseOf(t, { [NODE_ID]: COMMAND_VERSION });
  const { node, disk } = house;
  const { track } = await addSong(node, 'a.wav', song(1_000));
  disk.flipBit(`tracks/${track.id}.wav`, 1_000, 3);
  await t.rejects(node.readTrack(track, 0), { code: 'TRACK_DAMAGED' });
  await until(house, () => house.retractedIn() !== undefined);
  t.notOk(node.holds(track.id));
});
