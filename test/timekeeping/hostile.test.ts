/** What strangers, recorders and noise can do to the clock: be counted. */
import t, { type Test } from 'tap';
import { Prng } from '../../src/core/prng.js';
import type { ClockCounts } from '../../src/ports/peer-clocks.js';
import { SEAL_BYTES, Seal } from '../../src/timekeeping/seal.js';
import { KEY, PORT, Rig, type RigNode } from './rig.js';

/** So much comes in per simulated second beside the real traffic. */
const DATAGRAMS = 100_000;
const EVIL = '10.6.6.6';

const total = ({ malformed, strangers, replayed }: ClockCounts) => malformed + strangers + replayed;

/** The findings of two runs of the same house, of which only one was attacked. */
async function twice(
  t: Test,
  attack: (rig: Rig, nodes: { readonly a: RigNode; readonly b: RigNode }) => Promise<void>,
) {
  const run = async (isAttacked: boolean) => {
    // Nothing is drawn for the path, so that the attack leaves the dice of the real traffic alone.
    const rig = new Rig(t, { delayMs: 0.4 });
    const a = await rig.node('a', { ratePpm: 30 });
    const b = await rig.node('b', { ratePpm: -12, zeroNs: 5n * 10n ** 16n });
    a.follow('b');
    b.follow('a');
    rig.time.advance(10_000);
    if (isAttacked) await attack(rig, { a, b });
    else rig.time.advance(10_000);
    rig.time.advance(10_000);
    return { a, b, rig };
  };
  return { attacked: await run(true), calm: await run(false) };
}

t.test('a hundred thousand datagrams of noise, cut, changed and of another house: no line moves', async (t) => {
  const { attacked, calm } = await twice(t, async (rig, { a }) => {
    const prng = new Prng(7);
    const evil = await rig.stranger(EVIL);
    const recorded = rig.sent.filter(({ to }) => to.host === a.host).map(({ bytes }) => bytes);
    const otherSeal = new Seal(KEY.map((byte) => byte ^ 1));
    const noise = (length: number) => Uint8Array.from({ length }, () => prng.below(256));
    const make = (): Uint8Array => {
      const like = recorded[prng.below(recorded.length)]!;
      switch (prng.below(5)) {
        case 0:
          return noise(prng.below(1_200));
        case 1:
          return like.subarray(0, prng.below(like.length));
        case 2:
          return Uint8Array.of(...like, prng.below(256));
        case 3: {
          const changed = Uint8Array.from(like);
          changed[prng.below(like.length)]! ^= 1 << prng.below(8);
          return changed;
        }
        default:
          return otherSeal.close(like.subarray(0, like.length - SEAL_BYTES));
      }
    };
    for (let i = 0; i < DATAGRAMS; i++) {
      evil.send(make(), { host: a.host, port: PORT });
      if (i % 1_000 === 999) rig.time.advance(100);
    }
    await evil.stop();
  });
  t.same(attacked.a.findings, calm.a.findings, 'every line is what it is in a calm house');
  t.same(attacked.b.findings, calm.b.findings);
  const counts = attacked.a.counts();
  t.equal(total(counts), DATAGRAMS, 'every one is counted');
  t.equal(counts.replayed, 0);
  t.ok(counts.malformed > DATAGRAMS / 3 && counts.strangers > DATAGRAMS / 4, JSON.stringify(counts));
  t.equal(total(calm.a.counts()), 0, 'and nothing else is');
});

t.test('what was recorded has no effect when it comes again, from anywhere', async (t) => {
  let replayed = 0;
  const { attacked, calm } = await twice(t, async (rig, { a, b }) => {
    let answers = 0;
    const evil = await rig.stranger(EVIL, () => answers++);
    for (let round = 0; round < 10; round++) {
      for (const { bytes } of [...rig.sent]) {
        if (bytes.length < 60) continue;
        // To whom it was meant, and to the other.
        evil.send(bytes, { host: a.host, port: PORT });
        evil.send(bytes, { host: b.host, port: PORT });
        replayed += 2;
      }
      rig.time.advance(1_000);
    }
    t.equal(answers, 0, 'nobody is answered');
    await evil.stop();
  });
  t.ok(replayed > 1_000);
  t.same(attacked.a.findings, calm.a.findings);
  t.same(attacked.b.findings, calm.b.findings);
  t.equal(attacked.a.counts().replayed + attacked.b.counts().replayed, replayed);
});

t.test('recordings of a boot that is over do not put themselves in the place of the living', async (t) => {
  const rig = new Rig(t);
  const a = await rig.node('a');
  const old = await rig.node('b', { boot: 1 });
  old.follow('a');
  rig.time.advance(10_000);
  await old.die();
  const recorded = rig.sent.filter(({ to }) => to.host === a.host);
  const b = await rig.node('b', { boot: 2 });
  b.follow('a');
  rig.time.advance(500);
  t.ok(b.lineOf('a'), 'its own numbers begin anew, and count');
  rig.time.advance(9_500);
  const before = a.counts().replayed;
  const evil = await rig.stranger(EVIL);
  for (const { bytes } of recorded) {
    evil.send(bytes, { host: a.host, port: PORT });
    rig.time.advance(50);
  }
  rig.time.advance(5_000);
  t.equal(a.counts().replayed - before, recorded.length);
  t.equal(
    b.findings.some(({ line }) => line === null),
    false,
  );
  const { errorNs, boundNs } = rig.errorOf(b, a, b.lineOf('a')!);
  t.ok(Math.abs(errorNs) <= boundNs);
});

t.test('an answer counts once, though the network brings it twice', async (t) => {
  const rig = new Rig(t, { duplicateRatio: 1 });
  const a = await rig.node('a');
  const b = await rig.node('b');
  a.follow('b');
  rig.time.advance(20_000);
  t.ok(a.lineOf('b'));
  const probes = rig.sent.filter(({ to }) => to.host === b.host).length;
  t.equal(b.counts().replayed, probes, 'each probe is answered once');
  t.equal(a.counts().replayed, probes, 'and each answer taken once');
});

t.test('a seal holds for its bytes and its key alone', async (t) => {
  const seal = new Seal(KEY);
  const bytes = Uint8Array.of(1, 2, 3);
  const sealed = seal.close(bytes);
  t.equal(sealed.length, bytes.length + SEAL_BYTES);
  t.same(seal.open(sealed), bytes);
  for (let bit = 0; bit < 8 * sealed.length; bit++) {
    const changed = Uint8Array.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    t.equal(seal.open(changed), null);
  }
  t.equal(new Seal(KEY.map((byte) => byte + 1)).open(sealed), null);
  t.equal(seal.open(sealed.subarray(0, SEAL_BYTES - 1)), null);
  t.throws(() => new Seal(new Uint8Array(16)), { name: 'InvariantError' });
});

t.test('the key of the clock is its own: HKDF of the cluster’s (RFC 5869), HMAC-SHA256 cut to 16 bytes', async (t) => {
  const { createHmac, hkdfSync } = await import('node:crypto');
  const key = new Uint8Array(hkdfSync('sha256', KEY, '', 'tutti clock', 32));
  const whole = createHmac('sha256', key).update(Uint8Array.of(9)).digest();
  t.same([...new Seal(KEY).close(Uint8Array.of(9))], [9, ...whole.subarray(0, 16)]);
});
