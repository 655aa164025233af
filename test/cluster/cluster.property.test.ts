import fc from 'fast-check';
import t from 'tap';
import { Cluster } from '../../src/cluster/cluster.js';
import type { Command } from '../../src/cluster/command.js';
import { pack } from '../../src/cluster/messagepack.js';
import type { Outcome } from '../../src/cluster/outcome.js';
import { type ItemId, itemId, type NodeId, nodeId, slot } from '../../src/core/ids.js';
import { at, BATH, cardOf, HALL, House, type How, heldBy, idOf, KITCHEN, trackNamed } from './house.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What is asked: a recipe, since items and tracks are chosen among those that there are when its turn comes. */
interface Step {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly afterMs: number;
  readonly leadMs: number;
  readonly key: number;
  readonly expect: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(),
  a: fc.nat(10_000),
  b: fc.nat(10_000),
  afterMs: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20_000 }), fc.constant(400_000)),
  leadMs: fc.constantFrom(0, 40, 120, 10_000),
  key: fc.nat(30),
  expect: fc.boolean(),
});
const steps = fc.array(step, { minLength: 1, maxLength: 60 });

const SECONDS = [0.001, 0.3, 4, 9.99, 200];
const VOTERS = [KITCHEN, BATH, HALL].map(cardOf);
const NODES: readonly NodeId[] = [KITCHEN, BATH, nodeId('stranger')];

/** The command of a step for a house as it is. */
function commandOf({ cluster }: House, { kind, a, b, expect }: Step): Command {
  const { queue, transport } = cluster.playback;
  const item = (k: number): ItemId => queue[k % (queue.length + 1)]?.id ?? itemId('i0');
  const trackId = idOf((a % 8) + 1);
  const node = NODES[a % 3]!;
  const expectItem = expect && transport.status !== 'stopped' ? { expectItem: transport.itemId } : {};
  const song = trackNamed((a % 8) + 1, `T${b % 3}`, SECONDS[a % 5], b % 2 ? 44_100 : 48_000);
  const commands: (() => Command)[] = [
    () => ({ type: 'track.add', track: song }),
    () =>
      heldBy(
        VOTERS.slice(0, a % 4).map((voter, k) => ({
          ...voter,
          sinceSlot: slot(Math.max(1, cluster.appliedSlot - ((b >> k) % 40))),
        })),
        song,
      ),
    () => ({ type: 'member.retract', node }),
    () => heldBy(VOTERS.slice(0, a % 4), song),
    () => ({ type: 'track.lose', trackIds: [trackId, idOf((b % 8) + 1)] }),
    () => ({ type: 'track.remove', trackId }),
    () => ({ type: 'track.rename', trackId, title: `T${b % 4}` }),
    () => ({ type: 'queue.add', trackIds: [trackId, idOf((b % 8) + 1)].slice(0, (b % 2) + 1) }),
    () => ({ type: 'queue.add', trackIds: [trackId], next: true }),
    () => ({ type: 'queue.add', trackIds: [trackId], beforeItemId: item(b) }),
    () => ({ type: 'queue.remove', itemId: item(b) }),
    () => ({ type: 'queue.move', itemId: item(a), beforeItemId: b % 4 === 0 ? null : item(b) }),
    () => ({ type: 'queue.clear', current: b % 2 === 0 }),
    () => ({ type: 'queue.shuffle', seed: a }),
    () => ({ type: 'transport.play', ...expectItem }),
    () => ({ type: 'transport.play', trackId }),
    () => ({ type: 'transport.play', itemId: item(a) }),
    () => ({ type: 'transport.pause', ...expectItem }),
    () => ({ type: 'transport.stop', ...expectItem }),
    () => ({ type: 'transport.skip', ...expectItem }),
    () => ({ type: 'transport.previous', ...expectItem }),
    () => ({ type: 'transport.seek', positionMs: a % 9_000, ...expectItem }),
    () => ({ type: 'transport.mode', repeat: (['off', 'all', 'one'] as const)[a % 3]! }),
    () => ({ type: 'transport.mark' }),
    () => ({ type: 'volume.set', ...(expect && { node }), delta: (a % 201) - 100, muted: b % 2 === 0 }),
    () => ({ type: 'output.set', node, latencyUs: a }),
    () => ({
      type: 'node.describe',
      node,
      name: 'n',
      address: '',
      httpUrl: '',
      version: `${b}`,
      commandVersion: (b % 3) + 1,
    }),
    () => ({
      type: 'leader.begin',
      node,
      epoch: Math.floor(a / 4_000),
      reserveUntilNs: BigInt(b),
      reproposed: [slot(Math.max(1, cluster.appliedSlot - 1)), slot(Math.max(1, cluster.appliedSlot))],
    }),
    () => ({ type: 'leader.reserve', reserveUntilNs: BigInt(a) }),
    () => ({ type: 'member.boot', node, incarnation: `${a}` as never, bootId: `${b}` as never }),
  ];
  return commands[kind % commands.length]!();
}

/** Does the steps on a house, and looks at each outcome. */
function live(
  house: House,
  all: readonly Step[],
  look: (outcome: Outcome, command: Command, ms: number) => void,
): void {
  let ms = Number(house.cluster.lastStamp) / 1e6;
  for (const one of all) {
    ms += one.afterMs;
    const how: How = {
      leadMs: one.leadMs,
      voters: VOTERS,
      ...(one.key < 15 && { key: `k${one.key}`, firstSentNs: at(ms - one.b) }),
    };
    const command = commandOf(house, one);
    look(house.apply(ms, command, how), command, ms);
  }
}

t.test('any interleaving of commands keeps the invariants, and takes one slot each', (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const house = House.withTracks(2);
      let applied = house.cluster.appliedSlot;
      live(house, all, () => {
        house.cluster.invariants();
        applied = slot(applied + 1);
        if (house.cluster.appliedSlot !== applied) throw new Error('a slot was lost');
      });
    }),
    { seed: 1, numRuns: 400 },
  );
  t.end();
});

t.test('whatever is asked, a track in chunks that is not lost was held by a majority when it was agreed', (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const house = House.withTracks(2);
      live(house, all, () => {
        for (const { chunks, holders, lost } of house.cluster.library.list()) {
          if (chunks !== undefined && !lost && holders.length < 2) throw new Error('too few hold it');
        }
        const isKept = Buffer.from(house.cluster.snapshot()).includes('TRACK_NOT_HELD');
        if (isKept) throw new Error('a refusal that is no last word was kept');
      });
    }),
    { seed: 5, numRuns: 150 },
  );
  t.end();
});

t.test('apply, then snapshot, then restore is the identity, and both go on alike', (t) => {
  fc.assert(
    fc.property(steps, steps, (before, after) => {
      const house = House.withTracks(3);
      live(house, before, () => undefined);
      const bytes = house.cluster.snapshot();
      const restored = new House(Cluster.restore(bytes));
      if (hex(restored.cluster.snapshot()) !== hex(bytes)) throw new Error('restoring changed the state');
      const outcomes: Outcome[] = [];
      const others: Outcome[] = [];
      live(house, after, (outcome) => outcomes.push(outcome));
      live(restored, after, (outcome) => others.push(outcome));
      if (hex(pack(outcomes)) !== hex(pack(others))) throw new Error('outcomes differ');
      if (hex(restored.cluster.snapshot()) !== hex(house.cluster.snapshot())) throw new Error('states differ');
    }),
    { seed: 2, numRuns: 200 },
  );
  t.end();
});

t.test('views do not change the state, and a machine that was looked at goes on like one that was not', (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const [seen, unseen] = [House.withTracks(3), House.withTracks(3)];
      live(seen, all, (_, __, ms) => {
        const view = seen.cluster.view(at(ms + 7_000));
        const fresh = Cluster.restore(seen.cluster.snapshot()).view(at(ms + 7_000));
        if (hex(pack(view)) !== hex(pack(fresh))) throw new Error('a kept view differs from a fresh one');
      });
      live(unseen, all, () => undefined);
      if (hex(seen.cluster.snapshot()) !== hex(unseen.cluster.snapshot())) throw new Error('states differ');
    }),
    { seed: 3, numRuns: 100 },
  );
  t.end();
});

t.test('skips that name the same item skip once, whatever lies between them [row 22]', (t) => {
  const times = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(steps, times, fc.constantFrom('off', 'all', 'one'), (all, gaps, repeat) => {
      const house = House.withTracks(3);
      live(house, all, () => undefined);
      let ms = Number(house.cluster.lastStamp) / 1e6 + 1;
      house.apply(ms, { type: 'track.add', track: trackNamed(20, 'long', 100) });
      house.apply(++ms, { type: 'transport.mode', repeat });
      house.apply(++ms, { type: 'transport.play', trackId: idOf(20) });
      const expectItem = house.cluster.view(at(ms)).transport.itemId!;
      let skipped = 0;
      for (const gap of gaps) {
        ms += gap;
        if (house.apply(ms, { type: 'transport.skip', expectItem }).ok) skipped++;
      }
      return skipped === 1;
    }),
    { seed: 4, numRuns: 150 },
  );
  t.end();
});

t.test('a locale changes nothing: the state machine asks for none', (t) => {
  const spoil = ['localeCompare', 'toLocaleLowerCase', 'toLocaleUpperCase', 'normalize'] as const;
  const original = spoil.map((name) => String.prototype[name]);
  const run = () => {
    const house = new House();
    ['İstanbul', 'istanbul', 'ISTANBUL', 'ıstanbul', 'Ａ', 'e\u0301', 'é'].forEach((title, k) => {
      house.done(k + 1, { type: 'track.add', track: trackNamed(k, title) });
    });
    return (
      hex(house.cluster.snapshot()) +
      house.cluster
        .view(at(100))
        .tracks.map((track) => track.title)
        .join()
    );
  };
  const expected = run();
  for (const name of spoil) {
    Object.defineProperty(String.prototype, name, {
      configurable: true,
      value: () => {
        throw new Error(`${name} was asked`);
      },
    });
  }
  try {
    t.equal(run(), expected);
  } finally {
    spoil.forEach((name, k) => {
      Object.defineProperty(String.prototype, name, { configurable: true, writable: true, value: original[k] });
    });
  }
  t.end();
});
