/** Library and disk: either may have what the other lacks. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { addSong, buildHouse, NODE_ID, song, startHouse } from '../support/house.js';

const BY = { node: NODE_ID, via: 'api' } as const;
const settled = () => new Promise((resolve) => setImmediate(resolve));

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
  await node.ask({ type: 'track.add', track }, BY);
  t.notOk(node.holds(track.id));
  t.strictSame(
    node.missingTracks().map(({ id }) => id),
    [track.id],
  );
  time.advance(500);
  t.match(node.alerts(), [{ code: 'TRACK_MISSING', track: track.id }]);
  await t.rejects(node.readTrack(track, 0), { code: 'TRACK_MISSING' });
  t.match(node.disk(), { tracksHeld: 0, tracksMissing: { count: 1, first: [track.id] } });
  await node.removeTrack(track.id, BY);
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
  await node.enqueue(['b', 'a'], {}, BY);
  const [, item] = node.cluster.playback.queue;
  playout.current = { ...playout.current, state: 'silent', reason: 'TRACK_UNREADABLE', itemId: item!.id };
  time.advance(500);
  t.match(node.alerts(), [{ code: 'TRACK_UNREADABLE', track: track.id }]);
  playout.current = { ...playout.current, reason: 'OUTPUT_UNAVAILABLE' };
  time.advance(500);
  t.match(node.alerts(), [{ code: 'OUTPUT_UNAVAILABLE', track: null }]);
});
