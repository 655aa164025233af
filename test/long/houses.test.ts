/** Houses of other sizes than three: one card that plays what files hold, two nodes of which one may go, and nine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Queued } from '../../src/http/schema.js';
import { tone } from '../audio/signals.js';
import { readCapture, type Sound } from '../support/capture.js';
import { Daemon, runTutti, temporaryFolder, until } from '../support/daemon.js';
import { joinNode, keyFile, kill, ownOutput, song, startNode, stateOf } from '../support/three-nodes.js';
import { hasWhole, idOf } from '../support/track-files.js';
import { plainWav } from '../support/wav-files.js';

/** All of it, on a busy machine. Milliseconds. */
t.setTimeout(400_000);

/** How often something is played again that a busy machine cut up. */
const TRIES = 6;

/** The first and the last frame that are not silent. */
function soundIn({ samples, channels }: Sound): [fromFrame: number, toFrame: number] {
  const isHeard = (sample: number) => sample !== 0;
  return [samples.findIndex(isHeard), samples.findLastIndex(isHeard)].map((at) => Math.floor(at / channels)) as [
    number,
    number,
  ];
}

/**
 * The frequency of a tone, from an upward passage through zero to another one much later. Hertz. A twentieth at either end is left out: there a filter
 * rings, at levels of which rounding alone makes passages.
 */
function frequencyOf({ samples, channels, rate }: Sound, fromFrame: number, toFrame: number): number {
  const passages: number[] = [];
  const margin = Math.ceil((toFrame - fromFrame) / 20);
  for (let frame = fromFrame + margin; frame <= toFrame - margin; frame++) {
    const [before, after] = [samples[(frame - 1) * channels]!, samples[frame * channels]!];
    if (before < 0 && after >= 0) passages.push(frame - after / (after - before));
  }
  return ((passages.length - 1) * rate) / (passages.at(-1)! - passages[0]!);
}

await t.test(
  '[row 26] a mono file of 22.05 kHz and a stereo file of 48 kHz have their pitch and their length',
  async (t) => {
    const folder = temporaryFolder(t);
    const files = [
      { name: 'mono', format: { sampleRate: 22_050, channels: 1 }, hz: 441, frames: 2 * 22_050 },
      { name: 'stereo', format: { sampleRate: 48_000, channels: 2 }, hz: 1_000, frames: 2 * 48_000 },
    ];
    for (const { name, format, hz, frames } of files) {
      const samples = tone(hz, format.sampleRate, frames, format.channels).map((sample) => Math.round(20_000 * sample));
      const file = plainWav(format, new Uint8Array(Int16Array.from(samples).buffer));
      for (let n = 1; n <= TRIES; n++) {
        const capture = join(folder, `${name} ${n}.wav`);
        const daemon = await Daemon.start(t, { dataDir: temporaryFolder(t), capture });
        t.equal((await daemon.upload(`${name}.wav`, file)).status, 201);
        t.equal((await daemon.call('POST', '/transport/play', { trackId: name })).status, 200);
        await until('it has been played', async () => (await stateOf(daemon)).transport.status === 'stopped');
        await until('all is silent', async () => ownOutput(await stateOf(daemon)).state === 'idle');
        const { underruns, snaps, late } = ownOutput(await stateOf(daemon));
        t.equal(await daemon.end(), 0);
        // A machine so busy that its card ran dry or began late says nothing of pitch and length: it is played once more.
        if (underruns !== 0 || snaps !== 0 || late !== 0) {
          if (n === TRIES)
            t.pass(`${name} has its pitch and its length`, { skip: 'the machine is too busy to feed one card' });
          continue;
        }
        const played = readCapture(capture);
        const [fromFrame, toFrame] = soundIn(played);
        const lengthS = (toFrame + 1 - fromFrame) / played.rate;
        const dueS = frames / format.sampleRate;
        t.ok(Math.abs(lengthS / dueS - 1) < 0.001, `${name}: ${lengthS} s of ${dueS} s`);
        const heardHz = frequencyOf(played, fromFrame, toFrame);
        t.ok(Math.abs(heardHz / hz - 1) < 0.001, `${name}: ${heardHz} Hz of ${hz} Hz`);
        break;
      }
    }
  },
);

const isSounding = async (daemon: Daemon): Promise<boolean> => ownOutput(await stateOf(daemon)).state === 'playing';

await t.test(
  '[row 74] a house of two says what it is; either is off, the other plays on, and nothing is lost',
  async (t) => {
    const folder = temporaryFolder(t);
    const captureOf = (name: string) => join(folder, `${name}.wav`);
    let kitchen = await startNode(t, folder, 'kitchen', ['--init'], { capture: captureOf('kitchen') });
    const place = { key: readFileSync(keyFile(folder, 'kitchen'), 'utf8'), address: `127.0.0.1:${kitchen.peerPort}` };
    let attic = await joinNode(t, folder, 'attic', place, { capture: captureOf('attic') });
    const isTwo = async () =>
      (await Promise.all([kitchen, attic].map(stateOf))).every(
        ({ nodes, cluster }) => cluster.quorum && nodes.length === 2 && nodes.every(({ online }) => online),
      );
    let outputs: unknown;
    const bothSound = () =>
      until(
        'both sound',
        async () => {
          const states = await Promise.all([kitchen, attic].map(stateOf));
          outputs = states.map((state) => ({ ...ownOutput(state), ...state.transport, alerts: state.alerts }));
          return states.every((state) => ownOutput(state).state === 'playing');
        },
        () => outputs,
      );
    await until('both see both', isTwo);
    for (const { url } of [kitchen, attic])
      t.match(
        (await runTutti('status', '--node', url)).stdout,
        /^House .*of which kitchen votes.*A third machine cures it/m,
      );
    const file = song(1);
    t.equal((await attic.upload('song.wav', file)).status, 201);
    const { json } = await attic.call('POST', '/queue', { trackIds: Array.from({ length: 8 }, () => idOf(file)) });
    const { itemIds }: Queued = json;
    await until('both have it', () => ['kitchen', 'attic'].every((name) => hasWhole(join(folder, name), idOf(file))));
    t.equal((await kitchen.call('POST', '/transport/play')).status, 200);
    await bothSound();

    await kill(attic);
    await until('it is missed', async () => (await stateOf(kitchen)).nodes.some(({ online }) => !online));
    t.ok(await isSounding(kitchen), 'the one that votes plays on');
    t.equal((await kitchen.call('PUT', '/volume', { volume: 90 })).status, 200, 'and takes commands');
    attic = await startNode(t, folder, 'attic', [], { capture: captureOf('attic-again') });
    await until('both see both', isTwo);
    await bothSound();

    await kill(kitchen);
    await until('it is missed', async () => !(await stateOf(attic)).cluster.quorum);
    const atMs = (await stateOf(attic)).transport;
    t.equal(atMs.status, 'playing');
    t.ok(await isSounding(attic), 'the one that does not vote plays on what was agreed');
    t.match(await attic.call('PUT', '/volume', { volume: 80 }), { status: 503, json: { code: 'NO_QUORUM' } });
    t.match(
      (await runTutti('status', '--node', attic.url)).stdout,
      /^House .*of which kitchen votes.*A third machine/m,
    );
    t.match((await stateOf(attic)).volume, 90);
    kitchen = await startNode(t, folder, 'kitchen', [], { capture: captureOf('kitchen-again') });
    await until('both see both', isTwo);
    const states = await Promise.all([kitchen, attic].map(stateOf));
    for (const { tracks, volume, queue } of states) {
      t.equal(tracks.length, 1);
      t.equal(volume, 90, 'what was refused was not done, and what was done is there');
      const left = queue.map(({ itemId }) => itemId);
      t.strictSame(left, itemIds.slice(-left.length), 'the queue is there, but for what has been played');
    }
    t.equal((await attic.call('PUT', '/volume', { volume: 70 })).status, 200);
    for (const daemon of [attic, kitchen]) t.equal(await daemon.end(), 0);
  },
);

const NINE = 9;
/** Of nine, once they have been here for a while: a house whose one voter dies before agrees on nothing, as it must. */
const VOTERS = 5;
await t.test(`${NINE} nodes agree, lose the one that leads, and agree again`, async (t) => {
  const folder = temporaryFolder(t);
  const extrasOf = (n: number) => (n < 3 ? { capture: join(folder, `${n}.wav`) } : {});
  const first = await startNode(t, folder, 'room0', ['--init'], extrasOf(0));
  const place = { key: readFileSync(keyFile(folder, 'room0'), 'utf8'), address: `127.0.0.1:${first.peerPort}` };
  const daemons = [first];
  for (let n = 1; n < NINE; n++) daemons.push(await joinNode(t, folder, `room${n}`, place, extrasOf(n)));
  const agree = (among: readonly Daemon[], volume: number) =>
    until(`all show ${volume}`, async () =>
      (await Promise.all(among.map(stateOf))).every((state) => state.volume === volume),
    );
  const hear = (among: readonly Daemon[]) =>
    until('all hear all of these', async () =>
      (await Promise.all(among.map(stateOf))).every(
        ({ nodes, cluster }) =>
          cluster.quorum &&
          cluster.voters === VOTERS &&
          nodes.length === NINE &&
          nodes.filter(({ online }) => online).length === among.length,
      ),
    );
  await hear(daemons);
  t.equal((await daemons[NINE - 1]!.call('PUT', '/volume', { volume: 60 })).status, 200);
  await agree(daemons, 60);
  const { cluster, nodes } = await stateOf(first);
  const leads = nodes.find(({ id }) => id === cluster.leader)!.name;
  const leader = daemons[Number(leads.slice('room'.length))]!;
  const others = daemons.filter((daemon) => daemon !== leader);
  await kill(leader);
  const answers: unknown[] = [];
  await until(
    'the others take commands',
    async () => {
      const { status, json } = await others[0]!.call('PUT', '/volume', { volume: 50 });
      answers.push({ status, json, at: performance.now() });
      return status === 200;
    },
    () => ({ answers, logs: others.map(({ errors }) => errors) }),
  );
  await agree(others, 50);
  await hear(others);
  t.equal((await others.at(-1)!.call('PUT', '/volume', { volume: 40 })).status, 200);
  await agree(others, 40);
  for (const daemon of others) t.equal(await daemon.end(), 0);
});
