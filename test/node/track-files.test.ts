/** Library and disk: either may have what the other lacks. */
import t, { type Test } from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import type { Track } from '../../src/library/track.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { sha256 } from '../../src/tracks/read-back.js';
import { descriptionOf } from '../../src/tracks/side-files.js';
import { addSong, buildHouse, NODE_ID, song, startHouse, type TestHouse, until } from '../support/house.js';

const BY = { node: NODE_ID, via: 'api' } as const;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Writes a file of a disk anew. */
function overwrite(disk: FakeDisk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, 'create');
  file.truncate(0);
  if (bytes.length > 0) file.write(bytes, 0);
  file.sync();
  file.close();
  disk.syncDirectory('tracks');
}

/** The node says who it is: from then on tracks name their chunks. */
const describe = ({ node }: TestHouse) =>
  node.wishes.ask(
    {
      type: 'node.describe',
      node: NODE_ID,
      name: 'kitchen',
      address: '',
      httpUrl: '',
      version: '1',
      commandVersion: 2,
    },
    BY,
  );

/** A node that is alone, and was restarted after `harm` was done to the files of its one track. */
async function harmed(t: Test, harm: (disk: FakeDisk, track: Track) => void, isOld = false) {
  const disk = new FakeDisk();
  const file = song(1_000);
  const first = await startHouse(t, { disk });
  await describe(first);
  const { track } = await addSong(first.node, 'a.wav', file);
  const peaks = await first.node.peaks(track.id);
  await first.node.stop();
  harm(disk, track);
  const house = await startHouse(t, { disk });
  await describe(house);
  const { chunks, ...old } = track;
  await house.node.wishes.ask({ type: 'track.add', track: isOld ? old : track }, BY);
  return { ...house, file, track, chunks: chunks!, peaks };
}

t.test('files that no agreed track has are kept, and told in the log', async (t) => {
  const disk = new FakeDisk();
  const first = await startHouse(t, { disk });
  const { track } = await addSong(first.node, 'a.wav', song(1_000));
  await first.node.stop();

  // The log of this house knows nothing of it.
  const { node, log } = await startHouse(t, { disk });
  t.strictSame(node.cluster.library.list(), []);
  t.match(log.entries, [{ level: 'warn', fields: { files: 1, first: [track.id] } }]);
  t.ok(disk.exists(`tracks/${track.id}.wav`));
  await addSong(node, 'a.wav', song(1_000));
  t.ok(node.holds(track.id), 'whoever sends them again makes a track of them');
});

t.test('a track whose file is not here is an alert, and silent for that reason', async (t) => {
  const { node, consensus, time } = await startHouse(t);
  const elsewhere = buildHouse();
  await elsewhere.house.start();
  t.teardown(() => elsewhere.house.stop());
  const { track } = await addSong(elsewhere.node, 'a.wav', song(1_000));
  await node.wishes.ask({ type: 'track.add', track }, BY);
  t.notOk(node.holds(track.id));
  t.strictSame(
    node.missingTracks().map(({ id }) => id),
    [track.id],
  );
  time.advance(500);
  t.match(node.alerts(), [{ code: 'TRACK_MISSING', track: track.id }]);
  await t.rejects(node.readTrack(track, 0), { code: 'TRACK_MISSING' });
  t.match(node.disk(), { tracksHeld: 0, tracksMissing: { count: 1, first: [track.id] } });
  await node.wishes.removeTrack(track.id, BY);
  time.advance(500);
  t.strictSame(node.alerts(), []);
  await consensus.stop();
});

for (const code of ['NO_QUORUM', 'OUTCOME_UNKNOWN'] as const) {
  t.test(`an upload that meets ${code} keeps its bytes for the next try`, async (t) => {
    const { node, consensus, disk } = await startHouse(t);
    const propose = consensus.propose.bind(consensus);
    consensus.propose = () => Promise.reject(new TuttiError(code));
    await t.rejects(addSong(node, 'a.wav', song(1_000)), { code });
    t.equal(disk.list('tracks').filter(({ name }) => name.endsWith('.wav')).length, 1);
    consensus.propose = propose;
    const { track } = await addSong(node, 'a.wav', song(1_000));
    t.ok(node.holds(track.id));
    await settled();
    t.equal(disk.list('tracks').filter(({ name }) => name.endsWith('.wav')).length, 1);
  });
}

t.test('bytes whose fate was unknown are a track of this node when their entry comes after all', async (t) => {
  const { node, consensus } = await startHouse(t);
  const propose = consensus.propose.bind(consensus);
  const late: Uint8Array[] = [];
  consensus.propose = (payload) => {
    late.push(payload);
    return Promise.reject(new TuttiError('OUTCOME_UNKNOWN'));
  };
  await t.rejects(addSong(node, 'a.wav', song(1_000)), { code: 'OUTCOME_UNKNOWN' });
  consensus.propose = propose;
  await consensus.propose(late[0]!);
  const [track] = node.cluster.library.list();
  t.ok(node.holds(track!.id));
  t.strictSame(node.missingTracks(), []);
});

t.test('what should sound and does not is an alert that names the track', async (t) => {
  const { node, playout, time } = await startHouse(t);
  const { track } = await addSong(node, 'a.wav', song(5_000));
  await addSong(node, 'b.wav', song(5_000, 2));
  await node.wishes.enqueue(['b', 'a'], {}, BY);
  const [, item] = node.cluster.playback.queue;
  playout.current = { ...playout.current, state: 'silent', reason: 'TRACK_UNREADABLE', itemId: item!.id };
  time.advance(500);
  t.match(node.alerts(), [{ code: 'TRACK_UNREADABLE', track: track.id }]);
  playout.current = { ...playout.current, reason: 'OUTPUT_UNAVAILABLE' };
  time.advance(500);
  t.match(node.alerts(), [{ code: 'OUTPUT_UNAVAILABLE', track: null }]);
});

const sideHarms: readonly (readonly [string, (disk: FakeDisk, track: Track) => void])[] = [
  ['a description that is lost', (disk, { id }) => disk.remove(`tracks/${id}.json`)],
  ['one of which a bit has flipped', (disk, { id }) => disk.flipBit(`tracks/${id}.json`, 0, 0)],
  ['one that is empty', (disk, { id }) => overwrite(disk, `tracks/${id}.json`, new Uint8Array(0))],
  [
    'one that says another size',
    (disk, track) => overwrite(disk, `tracks/${track.id}.json`, descriptionOf({ ...track, bytes: track.bytes + 8 })),
  ],
  [
    'one that names other chunks',
    (disk, track) => {
      const chunks = { ...track.chunks!, root: '0'.repeat(64) };
      overwrite(disk, `tracks/${track.id}.json`, descriptionOf({ ...track, chunks }));
    },
  ],
  ['a manifest that is lost', (disk, { id }) => disk.remove(`tracks/${id}.chunks`)],
  ['an outline that is lost', (disk, { id }) => disk.remove(`tracks/${id}.peaks`)],
  ['an outline that is short', (disk, { id }) => overwrite(disk, `tracks/${id}.peaks`, new Uint8Array(100))],
  ['an outline of which a bit has flipped', (disk, { id }) => disk.flipBit(`tracks/${id}.peaks`, 1_000, 3)],
  [
    'nothing but the file itself',
    (disk, { id }) => {
      for (const ending of ['json', 'chunks', 'peaks']) disk.remove(`tracks/${id}.${ending}`);
    },
  ],
];

for (const [what, harm] of sideHarms) {
  t.test(`a file is good as long as its bytes are: ${what} is made anew, though no other node has it`, async (t) => {
    for (const isOld of [false, true]) {
      const house = await harmed(t, harm, isOld);
      const { node, track, file, peaks, files, disk, chunks } = house;
      await until(house, () => node.holds(track.id));
      t.ok(Buffer.from(await node.readTrack(track, 0)).equals(file));
      t.ok(Buffer.from(await node.peaks(track.id)).equals(peaks), 'its outline is what it was');
      const { manifest } = await files.outline(track.id);
      t.equal(sha256(manifest), chunks.root, 'others can have it');
      t.ok(node.holds(track.id));
      await node.stop();
      const again = await startHouse(t, { disk });
      t.ok(again.node.holds(track.id), 'it is found at the next start');
      t.match(again.log.entries, [{ fields: { files: 1 } }], 'and nothing is said against it');
    }
  });
}

t.test('a file that no card has any more is whole again when it is sent again', async (t) => {
  const house = await harmed(t, (disk, { id }) => disk.remove(`tracks/${id}.wav`));
  const { node, track, file, consensus } = house;
  t.notOk(node.holds(track.id));
  const slot = node.cluster.appliedSlot;
  await t.rejects(addSong(node, 'again.wav', file), {
    code: 'TRACK_EXISTS',
    detail: /put back/,
    info: { trackId: track.id, isPutBack: true },
  });
  t.ok(node.holds(track.id));
  t.equal(node.cluster.appliedSlot, slot, 'nothing had to be agreed');
  t.ok(Buffer.from(await node.readTrack(track, 0)).equals(file));
  t.strictSame(node.missingTracks(), []);
  t.match(node.cluster.library.list(), [{ title: track.title, fileName: 'a.wav' }], 'it is the track that it was');
  await t.rejects(addSong(node, 'again.wav', file), { code: 'TRACK_EXISTS', info: { isPutBack: undefined } });
  await consensus.stop();
});

t.test(
  'a file that was found to be damaged, and that no other card has, is whole again when it is sent again',
  async (t) => {
    const house = await harmed(t, (disk, { id }) => disk.flipBit(`tracks/${id}.wav`, 50_000, 1));
    const { node, track, file, log } = house;
    await t.rejects(addSong(node, 'again.wav', file), { code: 'TRACK_EXISTS' }, 'as long as nobody knows of it');
    // The card is looked through.
    await until(house, () => !node.holds(track.id));
    t.ok(node.alerts().some(({ code }) => code === 'TRACK_DAMAGED'));
    await t.rejects(addSong(node, 'again.wav', file), { code: 'TRACK_EXISTS', detail: /put back/ });
    t.ok(node.holds(track.id));
    await until(house, () => node.alerts().length === 0);
    t.ok(Buffer.from(await node.readTrack(track, 0)).equals(file));
    t.ok(house.disk.list('tmp').length === 0, 'nothing of the damaged one is left');
    t.match(log.entries.at(-1), { text: /whole again/ });
  },
);
