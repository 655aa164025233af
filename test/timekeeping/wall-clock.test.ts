/**
 * What NTP does to a machine's wall clock while the clock of the cluster runs on: nothing, although the kernel stamps arrivals in it.
 *
 * Local time is CLOCK_MONOTONIC_RAW, which nobody slews. The kernel's stamps are the one place where the wall clock comes in.
 */
import t, { type Test } from 'tap';
import { Prng } from '../../src/core/prng.js';
import type { LocalTime } from '../../src/core/units.js';
import { WallBridge } from '../../src/io/udp/wall-bridge.js';
import type { Address, Datagram } from '../../src/ports/datagram.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import type { NodeClock } from '../sim/node-clock.js';
import { Rig } from './rig.js';

/** The wall clock of a machine, which NTP slews and sets. */
class WallClock {
  readonly #time: FakeTime;
  #from: { readonly trueNs: bigint; readonly wallNs: bigint };
  #ppm = 0;

  constructor(time: FakeTime) {
    this.#time = time;
    this.#from = { trueNs: time.now(), wallNs: 1_700_000_000_000_000_000n };
  }

  now(): bigint {
    const passed = this.#time.now() - this.#from.trueNs;
    return this.#from.wallNs + passed + (passed * BigInt(this.#ppm)) / 1_000_000n;
  }

  /** From this instant on it runs so much faster than true time. */
  slew(ppm: number): void {
    this.#from = { trueNs: this.#time.now(), wallNs: this.now() };
    this.#ppm = ppm;
  }

  step(byNs: bigint): void {
    this.#from = { trueNs: this.#time.now(), wallNs: this.now() + byNs };
  }
}

/** Between arrival and the JavaScript that hears of it. Milliseconds: 50 us, and more on a busy thread. */
const HANDED_OVER_MS = { least: 0.05, most: 0.8 };

/** A socket whose arrivals the kernel stamps by `wall`, as StampedDatagram has it; they are handed over a while later. */
function kernelStamped(inner: Datagram, clock: NodeClock, wall: WallClock): Datagram {
  const bridge = new WallBridge({ time: clock, wallClock: () => wall.now() });
  const prng = new Prng(7);
  return {
    stampSigmaNs: inner.stampSigmaNs,
    start: (receive: (bytes: Uint8Array, from: Address, receivedAt: LocalTime) => void) =>
      inner.start((bytes, from) => {
        const stamp = wall.now();
        const { least, most } = HANDED_OVER_MS;
        clock.after('hand over', least + (most - least) * prng.fraction(), () =>
          receive(bytes, from, bridge.localOf(stamp) ?? clock.now()),
        );
      }),
    send: (bytes, to) => {
      bridge.look();
      return inner.send(bytes, to);
    },
    stop: () => inner.stop(),
  };
}

/** Two nodes, one of which has a wall clock that is tampered with. Gives by how much their lines are off at worst, from `settle` s on. */
async function worstNs(t: Test, tamper: (wall: WallClock, rig: Rig) => void): Promise<number> {
  const { rig, a, b, wall } = await setUp(t);
  let worst = 0;
  const watch = (seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 0.5) {
      rig.time.advance(500);
      for (const [one, other, letter] of [
        [a, b, 'b'],
        [b, a, 'a'],
      ] as const) {
        const { errorNs, boundNs } = rig.errorOf(one, other, one.lineOf(letter)!);
        if (Math.abs(errorNs) > boundNs) t.fail(`${errorNs} ns, and a bound of ${boundNs}`);
        worst = Math.max(worst, Math.abs(errorNs));
      }
    }
  };
  rig.time.advance(60_000);
  tamper(wall, rig);
  watch(120);
  wall.slew(0);
  watch(60);
  return worst;
}

async function setUp(t: Test) {
  const rig = new Rig(t, { delayMs: 0.2, jitterMs: 0.02 });
  const wall = new WallClock(rig.time);
  const calm = new WallClock(rig.time);
  const a = await rig.node('a', { ratePpm: -40, socket: (inner, clock) => kernelStamped(inner, clock, wall) });
  const b = await rig.node('b', { ratePpm: 60, socket: (inner, clock) => kernelStamped(inner, clock, calm) });
  a.follow('b');
  b.follow('a');
  return { rig, a, b, wall };
}

t.test('a wall clock that is left alone: some microseconds', async (t) => {
  const worst = await worstNs(t, () => {});
  t.ok(worst < 8_000, `${worst} ns`);
});

for (const ppm of [500, -500, 83_333, -83_333]) {
  t.test(`a slew of ${ppm / 10_000} % that sets in at once, and ends so, is not noticed`, async (t) => {
    const worst = await worstNs(t, (wall) => wall.slew(ppm));
    t.ok(worst < 8_000, `${worst} ns`);
  });
}

t.test('nor is one that sets in and ends again and again, at any moment of a burst', async (t) => {
  const worst = await worstNs(t, (wall, rig) => {
    const prng = new Prng(3);
    const change = () => {
      wall.slew([0, 83_333, -83_333, 500][prng.below(4)]!);
      rig.time.after('ntp', 500 + prng.below(4_000), change);
    };
    change();
  });
  t.ok(worst < 8_000, `${worst} ns`);
});

for (const byNs of [-3_600_000_000_000n, -300_000n, 300_000n, 3_600_000_000_000n]) {
  t.test(`a step of ${byNs} ns is not noticed`, async (t) => {
    const worst = await worstNs(t, (wall) => wall.step(byNs));
    t.ok(worst < 8_000, `${worst} ns`);
  });
}
