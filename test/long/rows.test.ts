/**
 * What the wishes of old ask of a whole house, by what its cards played: one queue that everybody sees, one frame that everybody seeks to,
 * rooms in step, halves of one stereo image.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ClusterClock, Queue, Queued, State, StateEvent, Transport } from '../../src/http/schema.js';
import { SystemTime } from '../../src/io/time/system-time.js';
import { median } from '../bench/consensus/statistics.js';
import { type Daemon, runTutti, temporaryFolder, until } from '../support/daemon.js';
import { Watcher } from '../support/event-watcher.js';
import {
  formHouse,
  kill,
  NODE_NAMES,
  type NodeName,
  nodeNamed,
  ownOutput,
  startNode,
  stateOf,
} from '../support/three-nodes.js';
import { TimedCapture } from '../support/timed-capture.js';
import { hasWhole, idOf } from '../support/track-files.js';
import { plainWav } from '../support/wav-files.js';

/** All of it, on a busy machine. Milliseconds. */
t.setTimeout(400_000);

/** A song that says where it is: its left channel rises evenly, its right one falls. */
const RATE = 24_000;
const FRAMES = 20 * RATE;
/** What two steps of 16 bits are long in that song: nearer it cannot tell, and the bench `sync-starts` does. Seconds. */
const TOGETHER_S = (2 * FRAMES) / 65_000 / RATE;

/** A ramp from -0.99 to 0.99; `mark` makes another file of it. */
function rampSong(mark: number): Uint8Array {
  const samples = new Int16Array(2 * FRAMES);
  for (let frame = 0; frame < FRAMES; frame++) {
    const value = Math.round((frame / FRAMES - 0.5) * 65_000);
    samples.set([value, -value], 2 * frame);
  }
  samples[0] = mark;
  return plainWav({ sampleRate: RATE }, new Uint8Array(samples.buffer));
}

/** Where in the song a sample of its left channel is. Seconds. */
const placeOf = (sample: number): number => (((sample * 32_768) / 65_000 + 0.5) * FRAMES) / RATE;

const time = new SystemTime();
const seconds = (ns: bigint): number => Number(ns) / 1e9;
const SECOND_NS = 1_000_000_000n;

const statesOf = (watcher: Watcher): StateEvent[] => watcher.of('state').map(({ data }) => data);
const itemsOf = ({ queue }: { readonly queue: readonly { readonly itemId: string }[] }) =>
  queue.map(({ itemId }) => itemId);
const inEach = async (daemons: readonly Daemon[], what: string, holds: (state: State) => boolean): Promise<State[]> => {
  let states: State[] = [];
  await until(
    what,
    async () => {
      states = await Promise.all(daemons.map(stateOf));
      return states.every(holds);
    },
    () => states.map(({ transport, queue, alerts, repeat }) => ({ transport, queue, alerts, repeat })),
  );
  return states;
};
/** Waits until each of them gives sound by itself. */
const allSound = (daemons: readonly Daemon[]) =>
  inEach(daemons, 'all sound', (state) => ownOutput(state).state === 'playing');
/** Lets music play: what is heard meanwhile is looked at later. */
const play = async (daemon: Daemon, toSeconds: number): Promise<void> => {
  await until(`${toSeconds} s of the song`, async () => {
    const { transport, cluster } = await stateOf(daemon);
    const sinceNs = BigInt(cluster.timeNs) - BigInt(transport.atNs);
    return transport.positionMs / 1_000 + seconds(sinceNs) >= toSeconds;
  });
};

await t.test('a house of three', async (t) => {
  const whole = t;
  const folder = temporaryFolder(t);
  const wavOf = (name: string) => join(folder, `${name}.played.wav`);
  const timesOf = (name: string) => join(folder, `${name}.times`);
  const extrasOf = (name: string) => ({
    capture: wavOf(name),
    // On a busy machine the clock's own doubt is large: it plays on, and is judged by what it did.
    env: { TUTTI_OUTPUT_VIRTUAL_CAPTURE_TIMES: timesOf(name), TUTTI_CLOCK_MAX_ERROR_US: 'auto' },
  });
  const house = await formHouse(t, folder, {
    kitchen: extrasOf('kitchen'),
    attic: extrasOf('attic'),
    hall: extrasOf('hall'),
  });
  const all = () => NODE_NAMES.map((name) => house[name]);
  const songs = [1, 2, 3].map(rampSong);
  for (const [n, song] of songs.entries()) t.equal((await house.kitchen.upload(`song ${n}.wav`, song)).status, 201);
  await until('all have all', () =>
    NODE_NAMES.every((name) => songs.every((song) => hasWhole(join(folder, name), idOf(song)))),
  );
  const itemIds: string[] = [];
  /** What was agreed on after the seek, and until when nobody asked for anything else. */
  let sought: { readonly transport: Transport; readonly untilNs: bigint };

  await t.test('[row 19] three add a song each, and each sees exactly these three', async (t) => {
    for (const [n, name] of NODE_NAMES.entries()) {
      const { status, json } = await house[name].call('POST', '/queue', { trackId: `song ${n}` });
      t.equal(status, 201);
      itemIds.push(...(json as Queued).itemIds);
    }
    for (const daemon of all()) {
      const { items, queueLength }: Queue = (await daemon.call('GET', '/queue?consistency=strong')).json;
      t.equal(queueLength, 3);
      t.strictSame(
        items.map(({ itemId }) => itemId),
        itemIds,
      );
    }
  });

  await t.test(
    '[row 20] each node tells whoever watches it of every change, and of the next song as one',
    async (t) => {
      const watchers = all().map((daemon) => new Watcher(daemon.port));
      await until('each has the view', () => watchers.every((watcher) => statesOf(watcher).length > 0));
      t.equal((await house.kitchen.call('POST', '/transport/play')).status, 200);
      await inEach(all(), 'all play', ({ transport }) => transport.status === 'playing');
      t.equal((await house.attic.call('POST', '/transport/skip', { expectItem: itemIds[0] })).status, 200);
      await until('each was told', () =>
        watchers.every((watcher) => {
          const { transport, queueLength } = statesOf(watcher).at(-1)!;
          return transport.itemId === itemIds[1] && queueLength === 2;
        }),
      );
      for (const states of watchers.map(statesOf)) {
        const current = states.filter(({ transport }) => transport.itemId !== null);
        t.ok(
          current.every((state) => state.queue[0]?.itemId === state.transport.itemId),
          'the current one is first in every event',
        );
        const [before, after] = [itemIds, itemIds.slice(1)].map(String);
        const queues = states.map((state) => String(itemsOf(state)));
        t.strictSame([...new Set(queues)], [before, after], 'there was nothing in between');
      }
      watchers[2]!.socket.destroy();
      t.equal((await house.hall.call('POST', '/transport/mode', { repeat: 'all' })).status, 200);
      const { json } = await house.hall.call('POST', '/queue', { trackId: 'song 0' });
      itemIds.push(...(json as Queued).itemIds);
      await until('the others were told', () =>
        watchers.slice(0, 2).every((watcher) => {
          const { repeat, queueLength } = statesOf(watcher).at(-1)!;
          return repeat === 'all' && queueLength === 3;
        }),
      );
      const back = new Watcher(house.hall.port);
      const first = await until('who was away has the view', () => statesOf(back)[0]);
      t.match(first, { repeat: 'all', queueLength: 3, transport: { itemId: itemIds[1] } });
      for (const watcher of [...watchers, back]) watcher.socket.destroy();
    },
  );

  await t.test('[rows 27, 36] a seek is to one frame for all, and so is a pause', async (t) => {
    await house.hall.call('POST', '/transport/seek', { positionMs: 4_000 });
    await play(house.kitchen, 5);
    await house.attic.call('POST', '/transport/pause');
    const paused = await inEach(all(), 'all stand', ({ transport }) => transport.status === 'paused');
    const positions = paused.map(({ transport }) => transport.positionMs);
    t.equal(new Set(positions).size, 1, `all at ${positions[0]} ms`);
    await house.hall.call('POST', '/transport/seek', { positionMs: 9_000 });
    const there = await inEach(all(), 'all are there', ({ transport }) => transport.positionMs === 9_000);
    t.ok(there.every(({ transport }) => transport.status === 'paused'));
    await inEach(all(), 'all are silent', (state) => ownOutput(state).state !== 'playing');
    const { json }: { json: Transport } = await house.kitchen.call('POST', '/transport/play');
    await play(house.kitchen, 12);
    sought = { transport: json, untilNs: time.now() };
  });

  /** How cluster time stood to this machine's, from the answer that came soonest; and by how much that may be wrong. Seconds. */
  const clock = await (async () => {
    let best = { offsetNs: 0n, doubtNs: 10n * SECOND_NS };
    for (let n = 0; n < 30; n++) {
      const askedAt = time.now();
      const { timeNs }: ClusterClock = (await house.kitchen.call('GET', '/time')).json;
      const doubtNs = (time.now() - askedAt) / 2n;
      if (doubtNs < best.doubtNs) best = { offsetNs: BigInt(timeNs) - askedAt - doubtNs, doubtNs };
    }
    return best;
  })();

  let backFromNs = 0n;
  await t.test('[row 37] a node that starts in mid-song sounds from its own copy', async () => {
    await house.kitchen.call('POST', '/transport/seek', { positionMs: 0 });
    await kill(house.hall);
    house.hall = await startNode(whole, folder, 'hall', [], extrasOf('hall-again'));
    await allSound([house.hall]);
    backFromNs = time.now();
    const state = await stateOf(house.hall);
    await play(house.hall, (state.transport.positionMs + 2_000) / 1_000);
    await until('two seconds of it are written', () => time.now() - backFromNs > 3n * SECOND_NS);
  });

  await t.test('[row 72] repeat, previous and shuffle are one for all, by HTTP and by the command line', async (t) => {
    for (const repeat of ['one', 'off']) {
      t.match(await runTutti('repeat', repeat, '--node', house.attic.url), { exitCode: 0 });
      await inEach(all(), `all repeat ${repeat}`, (state) => state.repeat === repeat);
    }
    await house.kitchen.call('POST', '/transport/mode', { repeat: 'all' });
    await inEach(all(), 'all repeat all', (state) => state.repeat === 'all');

    const { itemId } = (await stateOf(house.kitchen)).transport;
    await house.kitchen.call('POST', '/transport/seek', { positionMs: 8_000 });
    t.match(await runTutti('previous', '--node', house.hall.url), { exitCode: 0 });
    const begun = await inEach(all(), 'all begin anew', ({ transport }) => transport.positionMs < 8_000);
    t.ok(begun.every(({ transport }) => transport.itemId === itemId));
    const { json }: { json: Transport } = await house.attic.call('POST', '/transport/previous');
    await inEach(all(), 'all are where it says', ({ transport }) => transport.itemId === json.itemId);

    for (let n = 0; n < 12; n++) await house.kitchen.call('POST', '/queue', { trackId: `song ${n % 3}` });
    const before = await inEach(all(), 'all have them', ({ queueLength }) => queueLength >= 12);
    const shuffles = [
      () => house.attic.call('POST', '/queue/shuffle').then(({ status }) => status === 200),
      () => runTutti('queue', 'shuffle', '--node', house.hall.url).then(({ exitCode }) => exitCode === 0),
    ];
    let last = String(itemsOf(before[0]!));
    for (const shuffle of shuffles) {
      t.ok(await shuffle());
      const states = await inEach(all(), 'all have another order', (state) => String(itemsOf(state)) !== last);
      const orders = states.map((state) => String(itemsOf(state)));
      t.equal(new Set(orders).size, 1, 'and the same');
      last = orders[0]!;
    }
  });

  let pairFromNs = 0n;
  await t.test('[row 73] two nodes play the two channels of one image', async (t) => {
    await house.kitchen.call('POST', '/transport/pause');
    t.equal((await house.hall.call('PUT', '/members/kitchen/output', { channels: 'left' })).status, 200);
    t.equal((await house.hall.call('PUT', '/members/attic/output', { channels: 'right' })).status, 200);
    await inEach(
      all(),
      'all know the pair',
      (state) =>
        nodeNamed(state, 'kitchen')!.output.channels === 'left' &&
        nodeNamed(state, 'attic')!.output.channels === 'right',
    );
    await house.kitchen.call('POST', '/transport/seek', { positionMs: 2_000 });
    await house.kitchen.call('POST', '/transport/play');
    await allSound(all());
    pairFromNs = time.now();
    await until('it has played', () => time.now() - pairFromNs > 3n * SECOND_NS);
  });
  const pairToNs = time.now();

  for (const daemon of all()) t.equal(await daemon.end(), 0);
  const captures = Object.fromEntries(
    [...NODE_NAMES, 'hall-again'].map((name) => [name, new TimedCapture(wavOf(name), timesOf(name))]),
  ) as Record<NodeName | 'hall-again', TimedCapture>;

  await t.test('[rows 27, 39] what left the cards when is the program, frame for frame', (t) => {
    const { transport, untilNs } = sought;
    const startNs = BigInt(transport.startAtNs) - clock.offsetNs;
    const doubtS = seconds(clock.doubtNs) + TOGETHER_S;
    for (const name of NODE_NAMES) {
      const { rows } = captures[name];
      const heard = rows.flatMap(({ atNs }) => {
        const sample =
          atNs > startNs + SECOND_NS / 10n && atNs < untilNs - SECOND_NS / 2n && captures[name].at(atNs, 0);
        return typeof sample === 'number'
          ? [placeOf(sample) - seconds(atNs - startNs) - transport.positionMs / 1_000]
          : [];
      });
      const offS = median(heard.map(Math.abs));
      t.ok(heard.length > 20, `${name}: ${heard.length} rows`);
      t.ok(
        offS < doubtS,
        `${name}: ${offS * 1e6} us off, of which looks at clock and song cannot tell ${doubtS * 1e6} us`,
      );
    }
    t.end();
  });

  /** Where in the song a loudspeaker is that is given its left channel, or its right one; undefined where it is silent. Seconds. */
  type Speaker = (atNs: bigint) => number | undefined;
  const speaker =
    (capture: TimedCapture, song: 'left' | 'right', channel: 0 | 1): Speaker =>
    (atNs) => {
      const sample = capture.at(atNs, channel);
      return sample === undefined || sample === 0 ? undefined : placeOf(song === 'left' ? sample : -sample);
    };

  /** How far two are apart half of the time: a machine that is busy lets a card run dry. */
  const together = (t: Test, one: Speaker, other: Speaker, fromNs: bigint, toNs: bigint) => {
    const distances: number[] = [];
    for (let atNs = fromNs; atNs < toNs; atNs += SECOND_NS / 100n) {
      const [a, b] = [one(atNs), other(atNs)];
      if (a !== undefined && b !== undefined) distances.push(Math.abs(a - b));
    }
    t.ok(distances.length > 50, `${distances.length} instants`);
    const medianS = median(distances);
    t.ok(medianS < TOGETHER_S, `${medianS * 1e6} us apart`);
  };

  await t.test('[row 37] it was in step with the others', (t) => {
    const [again, kitchen] = [captures['hall-again'], captures.kitchen].map((capture) => speaker(capture, 'left', 0));
    together(t, again!, kitchen!, backFromNs, backFromNs + 2n * SECOND_NS);
    t.end();
  });

  await t.test('[row 73] the left one is the left channel, the right one the right, in step', (t) => {
    // Each plays its half at both of its loudspeakers; the third room, which plays all, says which half is which.
    const whole = speaker(captures['hall-again'], 'left', 0);
    for (const channel of [0, 1] as const) {
      const left = speaker(captures.kitchen, 'left', channel);
      const right = speaker(captures.attic, 'right', channel);
      for (const [one, other] of [
        [left, right],
        [left, whole],
      ] as const)
        together(t, one, other, pairFromNs, pairToNs - SECOND_NS);
    }
    t.end();
  });
});
