/** The line through what cards say of themselves, against what they truly do. */
import fc from 'fast-check';
import t from 'tap';
import { CardLine } from '../../src/audio/card-line.js';
import { Prng } from '../../src/core/prng.js';
import { type LocalTime, localTime } from '../../src/core/units.js';

const RATE = 48_000;
/** Sound that waits in the card. Frames. */
const QUEUE = 2_880;
/** After years of running: no double holds this to the nanosecond. */
const START = 40_000_000_000_000_003n;

interface CardInit {
  readonly ppm?: number;
  /** The delay counts whole frames; the half that is missing on average is added. */
  readonly isWhole?: boolean;
  /** The position moves in steps of so many frames. */
  readonly step?: number;
  /** Stamps are off by up to so much. */
  readonly noiseUs?: number;
  readonly knownPpm?: number;
}

/** A card that plays without end, and a line that is told of it every `tickMs`. */
class Fitted {
  readonly line: CardLine;
  readonly #init: Required<Omit<CardInit, 'knownPpm'>>;
  readonly #prng = new Prng(1);
  #ns = 0;
  /** Frames that truly left, and by how much the card says something else. */
  #left = 0;
  leapFrames = 0;
  ppm: number;

  constructor(init: CardInit = {}) {
    const { ppm = 0, isWhole = false, step = 0, noiseUs = 0 } = init;
    this.#init = { ppm, isWhole, step, noiseUs };
    this.ppm = ppm;
    this.line = new CardLine(RATE, init.knownPpm);
  }

  get now(): LocalTime {
    return localTime(START + BigInt(Math.round(this.#ns)));
  }

  /** Frames that it says have left. */
  get #shown(): number {
    const { isWhole, step } = this.#init;
    const left = this.#left + this.leapFrames;
    if (step > 0) return Math.floor(left / step) * step;
    return isWhole ? Math.floor(left) + 0.5 : left;
  }

  play(ms: number): void {
    this.#ns += ms * 1e6;
    this.#left += (ms / 1e3) * RATE * (1 + this.ppm / 1e6);
  }

  tell(stampNs = 0, uncertaintyNs = 0): void {
    const noiseNs = (2 * this.#prng.fraction() - 1) * this.#init.noiseUs * 1e3;
    const at = localTime(this.now + BigInt(Math.round(stampNs + noiseNs)));
    const written = Math.ceil(this.#left) + QUEUE;
    this.line.take({ at, delayFrames: written - this.#shown, uncertaintyNs }, written, this.now);
  }

  run(seconds: number, tickMs = 9.7): this {
    for (const end = this.#ns + seconds * 1e9; this.#ns < end; ) {
      this.play(tickMs);
      this.tell();
    }
    return this;
  }

  /** By how much the line is wrong of when the frame leaves that is written now. Microseconds. */
  errorUs(): number {
    const next = Math.ceil(this.#left) + QUEUE;
    const truly = this.#ns + ((next - this.#left) / (RATE * (1 + this.ppm / 1e6))) * 1e9;
    return (Number(this.line.leavesAt(next + this.leapFrames)! - START) - truly) / 1e3;
  }
}

t.test('the line tells rate and place of any crystal, to a microsecond', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: -500, max: 500, noNaN: true }),
      fc.boolean(),
      fc.double({ min: 0, max: 20, noNaN: true }),
      (ppm, isWhole, noiseUs) => {
        const card = new Fitted({ ppm, isWhole, noiseUs });
        card.run(0.1, 2.7).run(12);
        return (
          Math.abs(card.line.ppm - ppm) < 3 &&
          Math.abs(card.errorUs()) < 6 &&
          card.line.fault === undefined &&
          card.line.leaps === 0 &&
          !card.line.coarse
        );
      },
    ),
    { seed: 1, numRuns: 40 },
  );
  t.end();
});

t.test('it is good enough to start by after some ten milliseconds', (t) => {
  for (const ppm of [0, 80, -60]) {
    const card = new Fitted({ ppm, isWhole: true });
    t.notOk(card.line.isSettled);
    t.equal(card.line.leavesAt(0), undefined, 'before the card has begun there is no line');
    card.run(0.014, 2.7);
    t.ok(card.line.isSettled);
    t.ok(Math.abs(card.errorUs()) < 50, `${card.errorUs()} us`);
  }
  t.end();
});

t.test('a rate that is known from before holds from the first reading on', (t) => {
  const card = new Fitted({ ppm: 300, knownPpm: 300 });
  card.run(0.014, 2.7);
  t.ok(Math.abs(card.errorUs()) < 2, `${card.errorUs()} us`);
  t.ok(Math.abs(card.line.ppm - 300) < 1);
  t.end();
});

t.test('a rate that was known of another card leads nobody astray', (t) => {
  const card = new Fitted({ ppm: -60, knownPpm: 80, isWhole: true });
  let worst = 0;
  for (let i = 0; i < 500; i++) {
    card.run(0.019, 19);
    if (card.line.isSettled) worst = Math.max(worst, Math.abs(card.errorUs()));
  }
  t.ok(worst < 50, `${worst} us at worst`);
  t.ok(Math.abs(card.line.ppm + 60) < 1);
  t.end();
});

t.test('an underrun sets the place anew and keeps the rate', (t) => {
  const card = new Fitted({ ppm: 120 }).run(10);
  card.line.restart();
  t.notOk(card.line.isSettled);
  t.ok(Math.abs(card.line.ppm - 120) < 1);
  card.run(0.014, 2.7);
  t.ok(card.line.isSettled && Math.abs(card.errorUs()) < 2);
  t.equal(card.line.leaps, 0);
  t.end();
});

for (const [stepMs, tickMs] of [
  [10, 4.7],
  [5, 4.7],
  [1, 19.7],
  [2, 4.7],
  [0.25, 29.7],
  [0.125, 29.7],
] as const) {
  t.test(`a position that moves in steps of ${stepMs} ms is found out, and its half step made good for`, (t) => {
    const card = new Fitted({ ppm: 40, step: (RATE * stepMs) / 1_000 });
    card.run(0.2, 2.7).run(20, tickMs);
    t.equal(card.line.coarse, stepMs > 1);
    // Less than a quarter of a step, where half of one is missing on average.
    t.ok(Math.abs(card.errorUs()) < Math.min(100, 250 * stepMs), `${card.errorUs()} us`);
    t.same([card.line.fault, card.line.leaps], [undefined, 0]);
    t.notOk(card.line.isNominal);
    t.end();
  });
}

t.test('a noisy card is not taken for one that moves in steps', (t) => {
  for (const noiseUs of [20, 50, 100, 200, 400]) {
    for (const tickMs of [9.7, 29.7]) {
      const card = new Fitted({ ppm: 40, noiseUs, isWhole: true }).run(0.2, 2.7).run(20, tickMs);
      t.ok(Math.abs(card.errorUs()) < Math.max(5, noiseUs / 4), `${noiseUs} us of noise: ${card.errorUs()} us`);
    }
  }
  t.end();
});

t.test('a perfect card is known for one, until the first reading that says otherwise', (t) => {
  t.ok(new Fitted().run(100, 19.7).line.isNominal);
  t.notOk(new Fitted({ ppm: 1 }).run(0.1, 2.7).line.isNominal);
  t.notOk(new Fitted({ isWhole: true }).run(0.1, 2.7).line.isNominal);
  t.end();
});

t.test('a reading that took long is left out, one that was held up a little bends nothing', (t) => {
  const card = new Fitted({ ppm: 10, isWhole: true }).run(5);
  card.play(9.7);
  card.tell(-400_000, 500_001);
  const before = card.errorUs();
  card.tell(-400_000);
  t.ok(Math.abs(card.errorUs() - before) < 2);
  t.equal(card.line.leaps, 0);
  t.end();
});

t.test('a position that is somewhere else begins a new line, once it stays there', (t) => {
  const card = new Fitted({ ppm: 50 }).run(5);
  card.leapFrames = 480;
  card.run(0.03);
  t.equal(card.line.leaps, 0, 'not at once');
  card.run(0.1);
  t.equal(card.line.leaps, 1);
  t.ok(Math.abs(card.errorUs()) < 5);
  t.equal(card.line.fault, undefined);
  t.end();
});

t.test('a card that lies is found out, and what it did is said', (t) => {
  const leaping = new Fitted().run(2);
  for (let i = 0; i < 8; i++) {
    leaping.leapFrames = i % 2 === 0 ? 960 : 0;
    leaping.run(0.2);
  }
  t.match(leaping.line.fault, /leaps/);

  for (const ppm of [2_500, -3_000, 10_000, -80_000, 88_435]) {
    const wrong = new Fitted({ ppm }).run(0.1, 2.7).run(8, 9.7);
    t.match(wrong.line.fault, /ppm beside the rate/, `${ppm} ppm`);
  }
  for (const [what, stampNs] of [
    ['zero stamps', -Number(START)],
    ['stamps of another clock', 5e9],
  ] as const) {
    const wrong = new Fitted();
    for (let i = 0; i < 100; i++) {
      wrong.play(9.7);
      wrong.tell(stampNs);
    }
    t.match(wrong.line.fault, /cannot be/, what);
  }
  const backwards = new Fitted().run(1);
  for (let i = 0; i < 50; i++) {
    backwards.play(9.7);
    backwards.tell(-i * 15e6);
  }
  t.match(backwards.line.fault, /cannot be/, 'time that goes back');

  const stuck = new Fitted().run(2);
  stuck.ppm = -1e6;
  stuck.run(1.1);
  t.match(stuck.line.fault, /stands still/);
  t.end();
});

t.test('a card that is off by a few stamps is no liar', (t) => {
  const card = new Fitted();
  for (let i = 0; i < 500; i++) {
    card.play(9.7);
    card.tell(i % 12 === 0 ? -2e9 : 0);
  }
  t.equal(card.line.fault, undefined);
  t.end();
});
