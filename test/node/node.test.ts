import t from 'tap';
import { encodeProposal } from '../../src/cluster/codec.js';
import type { Command } from '../../src/cluster/command.js';
import type { TuttiError } from '../../src/core/errors.js';
import type { NodeId } from '../../src/core/ids.js';
import type { Track } from '../../src/library/track.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeInbox } from '../../src/ports/fake-inbox.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import { InboxClient, serveInbox } from '../../src/tracks/inbox-client.js';
import { FREE_BYTES_MIN, TrackStore } from '../../src/tracks/track-store.js';
import { addSong, buildHouse, NODE_ID, pieces, portPair, QuietMail, song, startHouse } from '../support/house.js';

const ATTIC = 'e'.repeat(32) as NodeId;
const BY = { node: NODE_ID, via: 'api' } as const;

/** Time passes until it is so: a file that nobody wants stays for some seconds. */
async function gone(time: FakeTime, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    time.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('a queue that is played reaches the player whole, and its ends are told without any command', async (t) => {
  const { node, time, playout } = await startHouse(t);
  const a = await addSong(node, 'a.wav', song(2_000, 1));
  const b = await addSong(node, 'b.wav', song(3_000, 2));
  await node.wishes.enqueue([a.track.id, 'b'], {}, BY);
  // Stamps of one instant are told apart by nanoseconds; a moment later they are the time again.
  time.advance(1);
  await node.wishes.play({}, BY);
  const [first, second] = playout.program.segments;
  t.equal(playout.program.segments.length, 2);
  t.match(first, {
    trackId: a.track.id,
    file: `tracks/${a.track.id}.wav`,
    frames: 96_000,
    levelGain: 1,
    complete: true,
  });
  t.equal(first!.startAt - node.now(), 100_000_000n, 'the card has time to obey');
  t.equal(second!.startAt, first!.endAt, 'without a gap');

  let changes = 0;
  node.subscribe(() => {
    changes += 1;
  });
  time.advance(2_099);
  t.equal(node.cluster.view(node.now()).queueLength, 2);
  const before = changes;
  time.advance(2);
  t.ok(changes > before, 'the end was told');
  t.match(node.cluster.view(node.now()), { queueLength: 1, transport: { trackId: b.track.id } });
  time.advance(3_100);
  t.match(node.cluster.view(node.now()), { queueLength: 0, transport: { status: 'stopped' } });
});

t.test('while music plays, the leader notes where it stands: at each item and every five minutes', async (t) => {
  const { node, time } = await startHouse(t);
  await addSong(node, 'a.wav', song(4_000));
  await node.wishes.enqueue(['a'], {}, BY);
  await node.wishes.mode('one', BY);
  const idle = node.cluster.appliedSlot;
  time.advance(600_000);
  await Promise.resolve();
  t.equal(node.cluster.appliedSlot, idle, 'nothing to note while nothing plays');
  await node.wishes.play({}, BY);
  const start = node.cluster.appliedSlot;
  time.advance(4_150);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(node.cluster.appliedSlot, start + 1);
});

t.test('the program reaches on however long a repeated song plays', async (t) => {
  const { node, time, playout } = await startHouse(t);
  await addSong(node, 'a.wav', song(1_000));
  await node.wishes.enqueue(['a'], {}, BY);
  await node.wishes.mode('one', BY);
  await node.wishes.play({}, BY);
  for (let minute = 0; minute < 5; minute++) {
    time.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    const last = playout.program.segments.at(-1)!;
    t.ok(last.endAt > node.now() + 30_000_000_000n, `after ${minute + 1} min`);
  }
});

t.test('volume: the house times the room, and the limit of the node last; mute is silence', async (t) => {
  const { node, playout } = await startHouse(t, { sound: { volumeLimit: 30 } });
  const gains = () => playout.program.gains.map(({ gain }) => Math.round(gain * 1e6) / 1e6);
  t.strictSame(gains(), [0.027], 'limited to 30 %');
  await node.wishes.volume({ volume: 40 }, BY);
  await node.wishes.volume({ volume: 50, node: 'kitchen' }, BY);
  t.equal(gains().at(-1), 0.008, '40 % of 50 % is 20 %');
  t.ok(playout.program.gains.at(-1)!.at > node.now(), 'in the future: the ramp begins there');
  await node.wishes.volume({ muted: true }, BY);
  t.equal(gains().at(-1), 0);
  await t.rejects(node.wishes.volume({ volume: 1, node: 'attic' }, BY), { code: 'NODE_NOT_FOUND' });
});

t.test('channels and latency follow what is set from afar, and the lead grows with the latency', async (t) => {
  const { node, playout } = await startHouse(t);
  t.match(playout.program, { channels: 'stereo', latencyUs: 0 });
  t.equal(node.leadMs, 100);
  await node.wishes.setOutput('kitchen', { channels: 'left', latencyUs: 30_000 }, BY);
  t.match(playout.program, { channels: 'left', latencyUs: 30_000 });
  t.equal(node.leadMs, 130);
});

t.test('however early a node plays, its lead is one that the cluster takes', async (t) => {
  const { node } = await startHouse(t, { sound: { queueMs: 1_000 } });
  await node.wishes.setOutput('kitchen', { latencyUs: 5_000_000 }, BY);
  t.equal(node.leadMs, 6_040);
  t.match(await node.wishes.volume({ volume: 5 }, BY), { ok: true });
  await node.wishes.setOutput('kitchen', { latencyUs: -1_000_000 }, BY);
  t.equal(node.leadMs, 1_040);
  await t.rejects(node.wishes.setOutput('kitchen', { latencyUs: 5_000_001 }, BY), { code: 'BAD_REQUEST' });
  const far = await startHouse(t, { sound: { latencyUs: 9_999_999 } });
  t.equal(far.node.leadMs, 10_000, 'at most what the cluster allows');
  t.match(await far.node.wishes.volume({ volume: 5 }, BY), { ok: true });
});

t.test('levelling brings a track to -18 LUFS by its agreed loudness', async (t) => {
  const { node, playout } = await startHouse(t, { sound: { level: 'track' } });
  const { track } = await addSong(node, 'a.wav', song(2_000));
  await node.wishes.play({ trackId: 'a' }, BY);
  const expected = Math.min(10 ** ((-18 - track.loudness.integratedLufs!) / 20), 1 / track.loudness.samplePeak);
  t.equal(playout.program.segments[0]!.levelGain, expected);
  t.not(expected, 1);
});

t.test('a toggle pauses what plays and plays what does not', async (t) => {
  const { node } = await startHouse(t);
  await addSong(node, 'a.wav', song(2_000));
  await node.wishes.enqueue(['a'], {}, BY);
  const status = () => node.cluster.view(node.now()).transport.status;
  await node.wishes.toggle({}, BY);
  t.equal(status(), 'playing');
  await node.wishes.toggle({}, BY);
  t.equal(status(), 'paused');
});

t.test('two who skip the same song skip one [row 22]', async (t) => {
  const { node } = await startHouse(t);
  for (const seed of [1, 2, 3]) await addSong(node, `${seed}.wav`, song(5_000, seed));
  await node.wishes.enqueue(['1', '2', '3'], {}, BY);
  await node.wishes.play({}, BY);
  const expectItem = node.cluster.view(node.now()).transport.itemId!;
  const outcomes = await Promise.all([node.wishes.skip({ expectItem }, BY), node.wishes.skip({ expectItem }, BY)]);
  t.match(outcomes, [{ ok: true }, { ok: false, code: 'ITEM_CHANGED' }]);
  t.equal(node.cluster.view(node.now()).transport.title, '2');
});

t.test('a retry with the same key is done once, for an upload too', async (t) => {
  const { node, time } = await startHouse(t);
  const file = song(1_000);
  const first = await addSong(node, 'a.wav', file, 'key-1');
  for (const laterMs of [0, 300_000]) {
    time.advance(laterMs);
    const again = await addSong(node, 'a.wav', file, 'key-1');
    t.equal(again.track.id, first.track.id);
    t.equal(again.outcome.slot, first.outcome.slot, 'the key is agreed, and not what this node happens to remember');
  }
  await t.rejects(addSong(node, 'a.wav', file, 'key-2'), { code: 'TRACK_EXISTS', info: { trackId: first.track.id } });
  const by = { ...BY, key: 'key-3' };
  const outcomes = [await node.wishes.enqueue(['a'], {}, by), await node.wishes.enqueue(['a'], {}, by)];
  t.strictSame(outcomes[0], outcomes[1]);
  t.equal(node.cluster.view(node.now()).queueLength, 1);
});

t.test('an upload with the key of something else is told so, and leaves no file', async (t) => {
  const { node, disk, time } = await startHouse(t);
  const file = song(1_000);
  await node.wishes.volume({ volume: 5 }, { ...BY, key: 'of a volume' });
  await t.rejects(addSong(node, 'a.wav', file, 'of a volume'), { code: 'KEY_REUSED' });
  const { track } = await addSong(node, 'a.wav', file, 'of a track');
  await t.rejects(addSong(node, 'b.wav', song(1_000, 2), 'of a track'), { code: 'KEY_REUSED' });
  t.ok(node.holds(track.id), 'the track of the first one stays');
  await node.wishes.removeTrack(track.id, BY);
  await t.rejects(addSong(node, 'a.wav', file, 'of a track'), { code: 'KEY_REUSED', detail: /removed since/ });
  await gone(time, () => disk.list('tracks').length === 0);
  t.notOk(node.holds(track.id));
  t.equal(node.cluster.library.list().length, 0);
});

t.test('a removal between two uploads of the same bytes takes no file from a track that is agreed', async (t) => {
  const { node, files, store } = await startHouse(t);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const begin = files.begin.bind(files);
  let begun = 0;
  files.begin = async (bytes) => {
    const isSecond = begun++ === 1;
    const file = await begin(bytes);
    const keep = file.keep.bind(file);
    file.keep = async (track) => {
      await keep(track);
      // The second has put its file in place; now the first one's track is agreed, and removed again.
      for (let i = 0; isSecond && i < 100 && node.cluster.library.get(track.id) === undefined; i++) await turn();
      if (isSecond && node.cluster.library.get(track.id)) await node.wishes.removeTrack(track.id, BY);
    };
    return file;
  };
  const file = song(1_000);
  await Promise.allSettled([addSong(node, 'one.wav', file), addSong(node, 'two.wav', file)]);
  const [track] = node.cluster.library.list();
  t.ok(track, 'one of the two was agreed, and nobody removed it');
  t.ok(store.readChunk(track!.id, 0));
});

t.test('bytes that come again while they are being removed are there afterwards', async (t) => {
  const { node, store } = await startHouse(t);
  const file = song(1_000);
  const { track } = await addSong(node, 'a.wav', file);
  const [, added] = await Promise.all([node.wishes.removeTrack(track.id, BY), addSong(node, 'b.wav', file)]);
  t.equal(added.track.title, 'b');
  t.ok(store.readChunk(track.id, 0));
  t.ok(node.holds(track.id));
});

t.test('a description or removal that the disk refuses is done later', async (t) => {
  const { node, disk, time, log } = await startHouse(t);
  const { track } = await addSong(node, 'a.wav', song(1_000));
  const onDisk = () => {
    const file = disk.open(`tracks/${track.id}.json`, 'read');
    const bytes = new Uint8Array(file.size());
    file.read(bytes, 0);
    return JSON.parse(new TextDecoder().decode(bytes)).title;
  };
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  };
  disk.failNext('rename');
  await node.wishes.renameTrack(track.id, 'b', BY);
  await until(() => log.entries.length === 1);
  t.equal(onDisk(), 'a');
  t.match(log.entries[0], { level: 'warn' });
  time.advance(10_000);
  await until(() => onDisk() === 'b');
  disk.failNext('remove');
  await node.wishes.removeTrack(track.id, BY);
  time.advance(20_000);
  await until(() => disk.list('tracks').length > 0);
  await gone(time, () => disk.list('tracks').length === 0);
  t.notOk(node.holds(track.id));
});

t.test('two uploads of the same bytes at once give one track, whose files stay', async (t) => {
  const { node, store, disk, time } = await startHouse(t);
  // Until it has said which commands it knows, no track is proposed with its chunks.
  node.announce('http://kitchen');
  const file = song(1_000);
  const answers = await Promise.allSettled([addSong(node, 'one.wav', file), addSong(node, 'two.wav', file)]);
  const [refused] = answers.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  t.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1);
  t.equal((refused!.reason as TuttiError).code, 'TRACK_EXISTS');
  const [track] = node.cluster.library.list();
  t.ok(store.readChunk(track!.id, 0));
  t.strictSame(new TrackStore({ disk, time, pace: () => {} }).open().tracks, [track]);
});

t.test('the same title with other bytes becomes a title of its own, and the disk knows it [row 4]', async (t) => {
  const { node, disk, time } = await startHouse(t);
  await addSong(node, 'a.wav', song(1_000, 1));
  const { track } = await addSong(node, 'a.wav', song(1_000, 2));
  t.equal(track.title, 'a (2)');
  await node.wishes.renameTrack(track.id, 'b', BY);
  t.strictSame(
    node.cluster.library.list().map(({ title }) => title),
    ['a', 'b'],
  );
  const { tracks } = new TrackStore({ disk, time, pace: () => {} }).open();
  t.strictSame(tracks.map(({ title }) => title).sort(), ['a', 'b'], 'beside the files it stands as well, for a person');
});

t.test('a track that is removed leaves the disk; one that plays is not removed [row 17]', async (t) => {
  const { node, disk, time } = await startHouse(t);
  const { track } = await addSong(node, 'a.wav', song(1_000));
  await node.wishes.play({ trackId: track.id }, BY);
  t.match(await node.wishes.removeTrack('a.wav', BY), { ok: false, code: 'TRACK_PLAYING' });
  await node.wishes.stopPlaying({}, BY);
  await node.wishes.clear(BY);
  // It sounds until the lead is over.
  time.advance(200);
  t.match(await node.wishes.removeTrack('a.wav', BY), { ok: true });
  await gone(time, () => disk.list('tracks').length === 0);
  t.notOk(node.holds(track.id));
  await t.rejects(async () => node.trackOf('a'), { code: 'TRACK_NOT_FOUND' });
});

t.test('what another node has answered a moment ago can be named here at once', async (t) => {
  const { node, consensus } = await startHouse(t);
  const { track } = await addSong(node, 'a.wav', song(1_000));
  const renamed = { type: 'track.rename', trackId: track.id, title: 'elsewhere' } as const;
  consensus.answerElsewhere(encodeProposal({ command: renamed, origin: BY }));
  t.throws(() => node.trackOf('elsewhere'), { code: 'TRACK_NOT_FOUND' });
  t.match(await node.wishes.enqueue(['elsewhere'], {}, BY), { ok: true });

  await t.rejects(node.wishes.enqueue(['elsewhere', 'nothing'], {}, BY), {
    code: 'TRACK_NOT_FOUND',
    detail: /"nothing"/,
  });
  consensus.setQuorum(false);
  await t.rejects(node.wishes.enqueue(['nothing'], {}, BY), { code: 'NO_QUORUM' }, 'nobody can say that there is none');
});

t.test('what is still on its way cannot be queued, and shows its progress [row 3]', async (t) => {
  const { node } = await startHouse(t);
  const file = song(2_000);
  let goOn: () => void = () => {};
  const half = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  async function* body() {
    yield* pieces(file.subarray(0, 100_000));
    await half;
    yield* pieces(file.subarray(100_000));
  }
  const incoming = { fileName: 'a.wav', uploadId: 'up', via: 'http', totalBytes: file.length, body: body() } as const;
  const added = node.wishes.addTrack(incoming, BY);
  while ((node.uploads.list()[0]?.receivedBytes ?? 0) < 100_000) await new Promise((resolve) => setImmediate(resolve));
  t.throws(() => node.trackOf('a.wav'), { code: 'TRACK_NOT_READY' });
  t.match(node.uploads.list(), [
    { id: 'up', title: 'a', stage: 'receiving', receivedBytes: 100_000, totalBytes: file.length },
  ]);
  goOn();
  const { track } = await added;
  t.match(node.uploads.list(), [{ stage: 'done', trackId: track.id, receivedBytes: file.length }]);
});

t.test('an upload that breaks off leaves nothing but its reason, for a minute', async (t) => {
  const { node, disk, time } = await startHouse(t);
  const file = song(2_000);
  const short = {
    fileName: 'a.wav',
    uploadId: 'up',
    via: 'http',
    totalBytes: file.length,
    body: pieces(file.subarray(0, 5_000)),
  } as const;
  await t.rejects(node.wishes.addTrack(short, BY), {
    code: 'INCOMPLETE_AUDIO',
    detail: /192044 bytes were announced and 5000 came/,
  });
  t.match(node.uploads.list(), [{ stage: 'failed', code: 'INCOMPLETE_AUDIO' }]);
  t.strictSame(disk.list('tmp'), []);
  time.advance(60_001);
  t.strictSame(node.uploads.list(), []);
});

t.test('file names are labels: what cannot be shown is refused, all else leads nowhere [row 10]', async (t) => {
  const { node, disk } = await startHouse(t);
  for (const name of ['', 'a\nb.wav', 'a\0.wav', 'x'.repeat(256), 'é'.repeat(128), '\ud800.wav']) {
    await t.rejects(addSong(node, name, song(100)), { code: 'BAD_NAME' }, JSON.stringify(name).slice(0, 20));
  }
  const { track } = await addSong(node, '../../etc/passwd.wav', song(100));
  t.match(track, { title: '../../etc/passwd', fileName: '../../etc/passwd.wav' });
  t.strictSame(
    disk.list('').map(({ name }) => name),
    ['tmp', 'tracks'],
  );
});

t.test('what goes wrong with the sound is an alert for as long as it lasts', async (t) => {
  const { node, time, playout } = await startHouse(t);
  playout.current = { ...playout.current, state: 'silent', reason: 'OUTPUT_UNAVAILABLE' };
  time.advance(500);
  t.match(node.alerts(), [{ code: 'OUTPUT_UNAVAILABLE', severity: 'warn' }]);
  playout.current = { ...playout.current, state: 'playing' };
  time.advance(500);
  t.strictSame(node.alerts(), []);
});

t.test('a node without a card is silent whenever music plays, and says so', async (t) => {
  const { node, time, playout } = await startHouse(t);
  playout.current = { ...playout.current, driver: 'none', device: '', state: 'closed' };
  await addSong(node, 'a.wav', song(5_000));
  time.advance(500);
  t.equal(node.outputStatus().state, 'closed', 'nothing is due');
  t.strictSame(node.alerts(), []);
  await node.wishes.play({ trackId: 'a' }, BY);
  t.match(node.outputStatus(), { state: 'silent', reason: 'OUTPUT_UNAVAILABLE' });
  time.advance(500);
  t.match(node.alerts(), [{ code: 'OUTPUT_UNAVAILABLE', severity: 'warn' }]);
  await node.wishes.stopPlaying({}, BY);
  time.advance(1_000);
  t.equal(node.outputStatus().state, 'closed');
  t.strictSame(node.alerts(), []);
});

t.test('a disk that is nearly full is an alert, and refuses uploads', async (t) => {
  const disk = new FakeDisk();
  const { node, time } = await startHouse(t, { disk });
  disk.setFreeBytes(FREE_BYTES_MIN - 1);
  time.advance(10_000);
  while (node.alerts().length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.match(node.alerts(), [{ code: 'DISK_FULL' }]);
  t.ok(node.disk().refusing);
  await t.rejects(addSong(node, 'a.wav', song(100)), { code: 'DISK_FULL' });
});

t.test('a command that has no sense is refused before it comes into the log', async (t) => {
  const { node } = await startHouse(t);
  const slot = node.cluster.appliedSlot;
  await t.rejects(node.wishes.ask({ type: 'queue.add', trackIds: [] }, BY), { code: 'BAD_REQUEST' });
  t.equal(node.cluster.appliedSlot, slot);
});

t.test('stop is orderly and idempotent: a mark, silence, and no timer', async (t) => {
  const { node, time, playout } = buildHouse();
  await node.stop();
  await node.start();
  await addSong(node, 'a.wav', song(5_000));
  await node.wishes.play({ trackId: 'a' }, BY);
  time.advance(2_000);
  const slot = node.cluster.appliedSlot;
  const stopped = node.stop();
  t.equal(playout.isRunning, false, 'the music fades at once, whatever the rest takes');
  await stopped;
  await node.stop();
  t.equal(node.cluster.appliedSlot, slot + 1);
  t.equal(playout.isRunning, false);
  t.strictSame(time.running(), []);
  await t.rejects(node.wishes.play({}, BY), { code: 'NO_QUORUM' });
});

t.test('whoever ends asks others for nothing any more, before it waits for its card', async (t) => {
  const ended: string[] = [];
  const mail = new QuietMail();
  mail.stop = () => ended.push('mail');
  const folder = new FakeInbox();
  folder.stop = () => {
    ended.push('inbox');
    return Promise.resolve();
  };
  const [near, far] = portPair();
  serveInbox(folder, far);
  const { node } = buildHouse({ mail, inbox: new InboxClient({ port: near, log: new FakeLog() }) });
  await node.start();
  await node.stop();
  t.strictSame(ended.slice(0, 2), ['mail', 'inbox']);
});

t.test('leftovers and files that cannot be used are told in the log', async (t) => {
  const disk = new FakeDisk();
  disk.makeDirectory('tmp');
  disk.makeDirectory('tracks');
  disk.open('tmp/1.part', 'create').close();
  disk.open(`tracks/${'0'.repeat(64)}.wav`, 'create').close();
  const { log, node } = await startHouse(t, { disk });
  t.match(
    log.entries.map(({ level }) => level),
    ['warn', 'info'],
  );
  t.strictSame(node.cluster.library.list() as readonly Track[], []);
});

t.test('the player follows cluster time whenever it runs along another line, and not before it is known', async (t) => {
  const house = buildHouse();
  const { consensus, playout, time } = house;
  const known = consensus.clockLine.bind(consensus);
  consensus.clockLine = () => null;
  await house.house.start();
  t.teardown(() => house.house.stop());
  t.equal(playout.clock, null);
  consensus.clockLine = known;
  time.advance(1_000);
  const first = playout.clock;
  t.strictSame(first, known());
  time.advance(5_000);
  t.equal(playout.clock, first, 'the same line is not told again');
  consensus.clockLine = () => ({ ...known()!, driftPpm: 3 });
  consensus.setQuorum(true);
  t.equal(playout.clock?.driftPpm, 3, 'at once where the log has news');
});

/** A house where entries are applied `commitMs` after their stamps. */
function slowHouse() {
  const built = buildHouse();
  const { consensus, time } = built;
  const slow = { ...built, commitMs: 0 };
  const startLog = consensus.start.bind(consensus);
  consensus.start = (handlers) => {
    const apply: typeof handlers.apply = (entry) => {
      time.advance(slow.commitMs);
      handlers.apply(entry);
    };
    return startLog({ ...handlers, apply });
  };
  return slow;
}

t.test('the lead grows with what commits take, and falls again when they take less', async (t) => {
  const house = slowHouse();
  const { node, time } = house;
  await house.house.start();
  t.teardown(() => house.house.stop());
  t.equal(node.leadMs, 100);
  const turn = async (volume: number) => {
    time.advance(1_000);
    await node.wishes.volume({ volume }, BY);
  };
  house.commitMs = 70;
  for (let volume = 0; volume < 20; volume++) await turn(volume);
  t.equal(node.leadMs, 170);
  time.advance(60_000);
  house.commitMs = 10;
  for (let volume = 50; volume < 58; volume++) await turn(volume);
  t.equal(node.leadMs, 110, 'a minute and some commands later');
});

t.test('a node that follows counts what commits take until it knows, and not what it catches up with', async (t) => {
  const house = slowHouse();
  const { node, time, consensus } = house;
  await house.house.start();
  t.teardown(() => house.house.stop());
  const begin: Command = {
    type: 'leader.begin',
    node: ATTIC,
    epoch: 1,
    reserveUntilNs: 10n ** 15n,
    reproposed: [],
  };
  consensus.answerElsewhere(encodeProposal({ command: begin, origin: { node: ATTIC, via: 'node' } }));
  await node.readBarrier();
  house.commitMs = 70;
  time.advance(1);
  await node.wishes.volume({ volume: 5 }, BY);
  t.equal(node.leadMs, 170);
  house.commitMs = 2_000;
  time.advance(1);
  await node.wishes.volume({ volume: 6 }, BY);
  t.equal(node.leadMs, 170);
});
