/** A reading of cluster time never steps, never goes back, and leaps only where the log says so. */
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { TermClock } from '../../src/replication/term-clock.js';

const S = 1_000_000_000n;
const MS = 1_000_000n;

function build() {
  const time = new FakeTime();
  return { time, clock: new TermClock({ time }) };
}

t.test('before it has heard of cluster time it stands still, at the last stamp that it knows', (t) => {
  const { time, clock } = build();
  clock.noteApplied(50n * S, 1);
  time.advance(1_000);
  t.equal(clock.now(), 50n * S);
  t.equal(clock.live(), null);
  t.equal(clock.line(), null);
  t.end();
});

t.test(
  'a leader of a house that was dark goes on from what was reserved, under the next epoch, once its entry stands',
  (t) => {
    const { time, clock } = build();
    clock.noteApplied(50n * S, 3);
    t.equal(clock.beginTerm(null, 90n * S), 4);
    t.ok(clock.stampNow() > 90n * S);
    t.equal(clock.now(), 50n * S, 'nobody lives in the new time yet');
    t.equal(clock.live(), null);
    time.advance(100);
    clock.noteApplied(clock.stampNow(), 4);
    clock.termStands();
    t.ok(clock.now() >= 90n * S + 100n * MS);
    t.not(clock.live(), null);
    t.end();
  },
);

t.test('a leap that did not come into the log is forgotten with the term', (t) => {
  const { clock } = build();
  clock.noteApplied(50n * S, 3);
  clock.beginTerm(null, 90n * S);
  clock.termIsOver();
  t.equal(clock.stampNow(), 50n * S);
  t.equal(clock.live(), null);
  t.end();
});

t.test(
  'a leader that lived in cluster time goes on from its own reading, one that did not from the highest promise',
  (t) => {
    const { clock } = build();
    clock.noteApplied(50n * S, 2);
    t.equal(clock.beginTerm(70n * S, 90n * S), 2, 'the same epoch');
    clock.termStands();
    const reading = clock.now();
    t.ok(reading >= 70n * S && reading < 71n * S);
    t.equal(clock.beginTerm(80n * S, 90n * S), 2);
    clock.termStands();
    t.ok(clock.now() - reading < MS, 'no step towards another reading');
    t.end();
  },
);

t.test(
  'a follower locks at the first word, and follows without a step, through delays and a clock that is off',
  (t) => {
    const { time, clock } = build();
    const prng = new Prng(1);
    clock.noteApplied(S, 1);
    const startAt = time.now();
    /** The leader's clock runs 100 parts per million fast. */
    const leaders = () => 10n * S + ((time.now() - startAt) * 1_000_100n) / 1_000_000n;
    let last = 0n;
    let lastAt = time.now();
    let worstPpm = 0;
    for (let beat = 0; beat < 2_000; beat++) {
      const said = leaders();
      time.advance(0.2 + (prng.below(4) === 0 ? 20 : 1) * prng.fraction());
      clock.noteHeartbeat(said, beat === 0);
      time.advance(80);
      const reading = clock.now();
      if (beat > 0) {
        const passed = Number(time.now() - lastAt);
        worstPpm = Math.max(worstPpm, Math.abs(Number(reading - last) / passed - 1) * 1e6);
      }
      last = reading;
      lastAt = time.now();
    }
    t.ok(worstPpm < 501, `it never ran more than ${worstPpm} ppm fast or slow`);
    const behindMs = Number(leaders() - clock.now()) / 1e6;
    t.ok(
      behindMs > -0.5 && behindMs < 2,
      `${behindMs} ms behind the leader: the fastest way, and what the clocks drift apart`,
    );
    t.end();
  },
);

t.test('it never goes back, whatever it is told', (t) => {
  const { time, clock } = build();
  const prng = new Prng(2);
  let last = clock.now();
  let epoch = 1;
  for (let n = 0; n < 5_000; n++) {
    switch (prng.below(6)) {
      case 0:
        clock.noteHeartbeat(BigInt(prng.below(1 << 30)) * 1_000n, prng.below(3) === 0);
        break;
      case 1:
        clock.noteApplied(BigInt(prng.below(1 << 30)) * 1_000n, prng.below(10) === 0 ? ++epoch : epoch);
        break;
      case 2:
        clock.beginTerm(
          prng.below(2) === 0 ? null : BigInt(prng.below(1 << 30)) * 1_000n,
          BigInt(prng.below(1 << 30)) * 1_000n,
        );
        break;
      case 3:
        clock.termStands();
        break;
      case 4:
        clock.termIsOver();
        break;
      default:
        time.advance(prng.below(100));
    }
    const now = clock.now();
    if (now < last) t.fail(`step ${n}: ${now} after ${last}`);
    last = now;
  }
  t.pass();
  t.end();
});

t.test('a new epoch makes it lock anew, at the next word, and leap', (t) => {
  const { time, clock } = build();
  clock.noteApplied(S, 1);
  clock.noteHeartbeat(10n * S, true);
  clock.noteApplied(100n * S, 2);
  t.equal(clock.live(), null);
  clock.noteHeartbeat(101n * S, true);
  t.equal(clock.now(), 101n * S);
  time.advance(10);
  t.equal(clock.now(), 101n * S + 10n * MS);
  t.end();
});
