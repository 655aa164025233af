import t, { type Test } from 'tap';
import { Prng } from '../../../src/core/prng.js';
import type { AlsaLibrary, Memory } from '../../../src/io/alsa/alsa-library.js';
import { loadAlsa } from '../../../src/io/alsa/alsa-library.js';
import { AlsaOutput } from '../../../src/io/alsa/alsa-output.js';
import { plugNameOf } from '../../../src/io/alsa/pcm-setup.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { ABSENT, type OutputRequest, type OutputStatus } from '../../../src/ports/audio-output.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import { firstDifference, leftAtNs, readCardCapture } from '../../card/capture.js';
import { buildTestCard, type CardControl, type CardInit } from '../../card/card.js';
import { setUpCards } from '../../card/set-up-cards.js';
import { runAudioOutputContract } from '../../contract/audio-output.js';
import { type Pass, passRealTime } from '../../contract/support.js';

const REQUEST: OutputRequest = { rate: 48_000, channels: 2, bits: 24 };
/** A reading that took longer says nothing exact: the thread was interrupted. */
const QUICK_NS = 100_000;
const FRAME_US = 1e6 / REQUEST.rate;

const card = await buildTestCard();
const skip = 'missing' in card ? card.missing : false;
const library = 'library' in card ? card.library : '';

interface RigInit {
  readonly card?: CardInit;
  /** Another alsa-lib than that of the system. */
  readonly alsa?: AlsaLibrary;
  /** True: card and output live in true time, and the stamps of alsa-lib count. By default the test moves both clocks. */
  readonly isReal?: boolean;
  /** How far they are moved at once: 1 by default. */
  readonly stepMs?: number;
}

/** One test card, called `card`, and an output for it. */
function rig(t: Test, init: RigInit = {}) {
  const bench = setUpCards(t, { library }, { cards: { card: init.card ?? {} } });
  const control = bench.controlOf('card');
  const fake = new FakeTime();
  const moveCard = () => control.setClock(fake.now());
  const stepTime = () => {
    fake.advance(init.stepMs ?? 1);
    moveCard();
  };
  if (init.isReal !== true) moveCard();
  const time = init.isReal === true ? new SystemTime() : fake;
  const output = new AlsaOutput({ time, ...(init.alsa && { alsa: { alsa: init.alsa } }) }, { device: 'card' });
  t.teardown(() => output.close());
  return {
    output,
    control,
    pass: init.isReal === true ? passRealTime : stepTime,
    captured: () => readCardCapture(bench.captureOf('card')),
  };
}

t.test('what is written is kept in memory, and so is where it is packed', { skip }, (t) => {
  const locked = new Set<ArrayBufferLike>();
  const memory = {
    lock: (block: ArrayBufferLike) => {
      locked.add(block);
      return true;
    },
  };
  setUpCards(t, { library }, { cards: { card: {} } });
  const output = new AlsaOutput({ time: new SystemTime(), memory }, { device: 'card' });
  const { bufferFrames, channels } = output.open(REQUEST);
  const packed = bufferFrames * channels * output.setup!.format.bytes;
  t.same(
    [...locked].map(({ byteLength }) => byteLength),
    [packed],
  );
  const samples = new Int32Array(480 * channels);
  output.write(samples, 480);
  t.ok(locked.has(samples.buffer));
  output.close();
  t.end();
});

/** Whole numbers of `bits` bits without a pattern. */
function noise(count: number, bits: number, seed = 1): Int32Array {
  const prng = new Prng(seed);
  return Int32Array.from({ length: count }, () => Math.floor((prng.fraction() - 0.5) * 2 ** bits));
}

interface Player {
  readonly output: AlsaOutput;
  readonly pass: Pass;
}

interface PlayOptions {
  /** Frames in one write. */
  readonly blockFrames?: number;
  /** Called every time, with the frames that were written. */
  readonly meanwhile?: (written: number) => unknown;
}

/**
 * Plays `samples` to their end. What fits the queue is written at once; where a longer sound runs dry in between, it goes on after that.
 * @throws Error where the card is lost
 */
async function play({ output, pass }: Player, samples: Int32Array, options: PlayOptions = {}): Promise<void> {
  const { channels, bufferFrames } = output.setup!;
  const frames = samples.length / channels;
  let written = 0;
  for (;;) {
    const { state, reason } = output.status();
    if (state === 'lost') throw new Error(`it is lost: ${reason}`);
    if (state === 'underrun' && written === frames) return;
    if (state === 'underrun') output.recover();
    for (let taken = 1; taken > 0 && written < frames; written += taken) {
      const count = Math.min(options.blockFrames ?? bufferFrames, frames - written);
      taken = output.write(samples.subarray(written * channels), count);
    }
    options.meanwhile?.(written);
    await pass();
  }
}

/** Stereo silence, so many frames of it. */
const silence = (frames: number) => new Int32Array(2 * frames);

/** Readings of the position that {@link readingErrors} takes, one right after the other. */
const READINGS = 1_000;

/**
 * Plays a queue of silence and reads the position all the while: by how much later each frame left than the quick ones among the readings
 * said, going by the true rate of the card. Microseconds, in rising order.
 */
async function readingErrors(player: ReturnType<typeof rig>, ppm = 0): Promise<number[]> {
  const { output, captured } = player;
  const { rate, bufferFrames } = output.open(REQUEST);
  output.write(silence(bufferFrames), bufferFrames);
  const seen: OutputStatus[] = [];
  // Before the first frame the position stands, and says nothing about when it will go.
  while (seen.length < READINGS) {
    const status = output.status();
    if (status.delayFrames < bufferFrames) seen.push(status);
  }
  await play(player, silence(0));
  output.close();
  const lastLeft = leftAtNs(captured(), bufferFrames - 1);
  return seen
    .filter(({ uncertaintyNs }) => uncertaintyNs! < QUICK_NS)
    .map(({ at, delayFrames }) => Number(lastLeft - at) / 1e3 - ((delayFrames - 1) * 1e6) / (rate * (1 + ppm / 1e6)))
    .sort((a, b) => a - b);
}

t.test('the contract', { skip }, async (t) => {
  const variants: readonly [string, CardInit][] = [
    ['AlsaOutput on a plain card', {}],
    [
      'AlsaOutput on a card with a bad crystal, few bits and one rate',
      { ppm: -300, wander: 5, formats: ['S16_LE'], rates: [44_100] },
    ],
    [
      'AlsaOutput on a card like the headphone jack of a Pi',
      { stepUs: 10_000, formats: ['S16_LE'], bufferBytes: 65_536 },
    ],
    ['AlsaOutput on a card that fetches ahead', { fifo: 96, startUs: 300 }],
    ['AlsaOutput on a card that ALSA has to convert for', { formats: ['S16_BE'] }],
  ];
  for (const [name, init] of variants) {
    await runAudioOutputContract(t, name, () => rig(t, { card: init }));
  }
});

t.test('every sample leaves the card once, in order and unchanged, in each format', { skip }, async (t) => {
  const cases: readonly [CardInit['formats'] & {}, number, number][] = [
    [['S32_LE'], 24, 24],
    [['S32_LE'], 32, 32],
    [['S24_LE'], 32, 24],
    [['S24_3LE'], 24, 24],
    [['S16_LE'], 24, 16],
    [['S32_LE', 'S16_LE'], 16, 16],
  ];
  for (const [formats, asked, given] of cases) {
    const player = rig(t, { card: { formats } });
    const { output, captured } = player;
    const format = output.open({ ...REQUEST, bits: asked });
    t.same([format.bits, output.setup?.format.name], [given, formats[0]], `${formats}, asked for ${asked} bits`);
    const samples = noise(2 * 7_001, given);
    await play(player, samples, { blockFrames: 333 });
    output.close();
    const { samples: heard, chunks } = captured();
    t.equal(
      firstDifference(
        heard,
        samples.map((sample) => sample << (32 - given)),
      ),
      -1,
      'as written, left-aligned',
    );
    t.equal(chunks.filter(({ isFirst }) => isFirst).length, 1, 'without a break');
  }
});

t.test('status says when the next frame will leave', { skip }, async (t) => {
  for (const [name, init] of [
    ['a plain card', { ppm: 120 }],
    ['a card that fetches ahead: what it fetched still counts', { ppm: 0, fifo: 96 }],
    ['a card that starts late', { ppm: 0, startUs: 2_000 }],
  ] satisfies [string, CardInit & { ppm: number }][]) {
    const errors = await readingErrors(rig(t, { card: init, isReal: true }), init.ppm);
    t.ok(errors.length > READINGS / 10, `${errors.length} quick readings`);
    const middle = errors[errors.length >> 1]!;
    t.ok(Math.abs(middle) < 0.25 * FRAME_US, `${name}: off by ${middle.toFixed(2)} us`);
    t.ok(Math.max(-errors[0]!, errors.at(-1)!) < FRAME_US + QUICK_NS / 1e3, 'never by much more than a frame');
  }
});

t.test('stamps that cannot be are not believed', { skip }, async (t) => {
  const stamps: readonly [string, (words: Int32Array) => unknown][] = [
    ['zero', (words) => words.fill(0)],
    ['of another clock', (words) => new BigInt64Array(words.buffer).set([BigInt(Math.round(Date.now() / 1e3)), 0n])],
    ['of the future', (words) => (words[0]! += 1)],
  ];
  for (const [name, spoil] of stamps) {
    const alsa = spoiled('snd_pcm_status_get_htstamp', (call, status, words) => {
      call(status!, words!);
      spoil(words as Int32Array);
      return 0;
    });
    const errors = await readingErrors(rig(t, { alsa, isReal: true }));
    t.ok(errors.length > READINGS / 10, `${name}: ${errors.length} quick readings`);
    t.ok(
      Math.max(-errors[0]!, errors.at(-1)!) < FRAME_US + QUICK_NS / 1e3,
      'the middle of the reading stands for them',
    );
  }
});

t.test('a reading that was held up says so', { skip }, async (t) => {
  const alsa = spoiled('int snd_pcm_status(', (call, ...values) => {
    const result = call(...values);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
    return result;
  });
  const { output } = rig(t, { alsa, isReal: true });
  output.open(REQUEST);
  output.write(silence(4_800), 4_800);
  t.ok(output.status().uncertaintyNs! >= 3e6);
});

t.test('an underrun: nothing is taken until recover, and then it plays as before', { skip }, async (t) => {
  const player = rig(t);
  const { output, control, captured } = player;
  const format = output.open(REQUEST);
  const samples = noise(2 * 9_600, 24);
  t.equal(output.write(samples, 4_800), 4_800);
  control.underrun();
  t.equal(output.write(samples, 480), 0, 'a write finds it out');
  t.equal(output.status().state, 'underrun');
  t.equal(output.write(samples, 480), 0);
  output.recover();
  t.match(output.status(), { state: 'running', delayFrames: 0, writableFrames: format.bufferFrames });
  await play(player, samples);
  output.close();
  const { chunks, samples: heard } = captured();
  const starts = chunks.filter(({ isFirst }) => isFirst);
  t.equal(starts.length, 2, 'the card started twice');
  const firstFrame = starts[1]!.firstFrame;
  const again = samples.map((sample) => sample << 8);
  t.equal(firstDifference(heard.subarray(2 * firstFrame), again), -1, 'whole from there');
});

t.test('a card that is pulled out is lost, and plays again when it is back', { skip }, async (t) => {
  const player = rig(t);
  const { output, control, captured } = player;
  const format = output.open(REQUEST);
  t.equal(output.write(silence(4_800), 4_800), 4_800);
  t.equal(output.status().state, 'running');
  control.pullOut();
  t.match(output.status(), { state: 'lost', delayFrames: 0, writableFrames: 0, reason: 'The card is gone.' });
  t.equal(output.write(silence(480), 480), 0);
  output.recover();
  t.equal(output.status().state, 'lost', 'recover does not bring it back');
  output.close();
  t.throws(() => output.open(REQUEST), { code: 'OUTPUT_UNAVAILABLE', info: ABSENT });
  control.plugIn();
  t.same(output.open(REQUEST), format);
  await play(player, silence(4_800));
  output.close();
  t.equal(captured().chunks.filter(({ isFirst }) => isFirst).length, 2);

  output.open(REQUEST);
  output.write(silence(4_800), 4_800);
  control.pullOut();
  t.equal(output.write(silence(480), 480), 0, 'a write finds it out too');
  t.match(output.status(), { state: 'lost', reason: 'The card is gone.' });
});

t.test('a card that lies is given up with the reason, and tried again', { skip }, async (t) => {
  const lies: readonly [string, (control: CardControl, isLying: boolean) => void][] = [
    ['a position that jumps', (control, isLying) => control.lieAboutDelay(isLying ? 4_800 : 0)],
    ['a rate that is 5 % off', (control, isLying) => control.bendRate(isLying ? 50_000 : 0)],
    ['a position that stands still', (control, isLying) => control.stick(isLying)],
  ];
  for (const [name, lie] of lies) {
    const player = rig(t, { stepMs: 10 });
    const { output, control } = player;
    output.open(REQUEST);
    const meanwhile = (written: number) => written > 48_000 && lie(control, true);
    await t.rejects(play(player, silence(200_000), { meanwhile }), /it is lost: The card cannot be believed/, name);
    output.close();
    lie(control, false);
    output.open(REQUEST);
    await t.resolves(play(player, silence(96_000)), 'once it is honest it may stay');
    output.close();
  }
});

t.test('a new start is no lie', { skip }, async (t) => {
  const player = rig(t, { stepMs: 10 });
  player.output.open(REQUEST);
  // It runs dry at the end of each, and its position begins at zero again.
  for (let round = 0; round < 2; round++) await t.resolves(play(player, silence(48_000)));
});

t.test('room for less than a period is used', { skip }, async (t) => {
  const { output, pass } = rig(t);
  const { bufferFrames, periodFrames } = output.open(REQUEST);
  output.write(silence(bufferFrames), bufferFrames);
  await pass();
  t.equal(
    output.write(silence(periodFrames), periodFrames),
    49,
    'what left in a millisecond, and the frame that is leaving',
  );
  t.equal(output.write(silence(periodFrames), periodFrames), 0);
});

t.test('a machine that was asleep: the card is prepared anew', { skip }, async (t) => {
  const ESTRPIPE = -86;
  let isAsleep = false;
  const alsa = spoiled('long snd_pcm_writei', (call, ...values) => (isAsleep ? ESTRPIPE : call(...values)));
  const player = rig(t, { alsa });
  const { output } = player;
  output.open(REQUEST);
  output.write(silence(4_800), 4_800);
  isAsleep = true;
  t.equal(output.write(silence(480), 480), 0);
  t.equal(output.status().state, 'underrun');
  isAsleep = false;
  output.recover();
  await t.resolves(play(player, silence(4_800)), 'and plays');
});

t.test('what a card does not have', { skip }, async (t) => {
  const given = (init: CardInit, request: Partial<OutputRequest>) => {
    const { output } = rig(t, { card: init });
    const { rate, channels, bits } = output.open({ ...REQUEST, ...request });
    output.close();
    return { rate, channels, bits };
  };
  t.equal(given({ rates: [44_100, 48_000] }, { rate: 44_100 }).rate, 44_100, 'the asked rate, where it is there');
  t.equal(given({ rates: [32_000, 48_000, 96_000] }, { rate: 44_100 }).rate, 48_000, 'else the nearest above');
  t.equal(given({ rates: [22_050, 32_000] }, { rate: 44_100 }).rate, 32_000, 'else the nearest below');
  t.equal(given({ rates: [50_000] }, { rate: 44_100 }).rate, 50_000, 'else whatever there is');
  t.equal(given({ channels: [1, 2, 8] }, {}).channels, 2);
  t.equal(given({ channels: [1, 6, 8] }, {}).channels, 6, 'more channels rather than fewer');
  t.equal(given({ channels: [1] }, {}).channels, 1);
  t.equal(given({ formats: ['S16_LE'] }, { bits: 32 }).bits, 16);
  t.equal(given({ formats: ['S24_3LE', 'S16_LE'] }, { bits: 32 }).bits, 24);
});

t.test('the queue has periods of 10 ms and is 200 ms long, or as long as the card allows', { skip }, async (t) => {
  const { output } = rig(t);
  t.match(output.open(REQUEST), { periodFrames: 480, bufferFrames: 9_600 });
  output.close();
  const { output: small } = rig(t, { card: { bufferBytes: 32_768 } });
  const { bufferFrames, periodFrames } = small.open(REQUEST);
  t.ok(
    bufferFrames > 3_500 && bufferFrames <= 4_096 && periodFrames <= 480,
    `${bufferFrames} in periods of ${periodFrames}`,
  );
  small.close();
  const { output: tiny } = rig(t, { card: { bufferBytes: 2_048 } });
  t.throws(() => tiny.open(REQUEST), /too short/);
});

t.test('ALSA converts only where the card takes nothing that we have', { skip }, async (t) => {
  const player = rig(t, { card: { formats: ['S16_BE'] } });
  const { output, captured } = player;
  output.open(REQUEST);
  t.equal(output.setup?.name, "plug:'card'");
  const samples = noise(2 * 4_800, 15).map((sample) => sample << 9);
  await play(player, samples);
  output.close();
  const expected = samples.map((sample) => sample << 8);
  t.equal(firstDifference(captured().samples, expected), -1, 'what 16 bits hold comes through');

  const extra = 'pcm.wrapped { type plug slave.pcm "bare" }';
  setUpCards(t, { library }, { cards: { bare: { formats: ['S16_LE'], rates: [48_000] } }, extra });
  const wrapped = new AlsaOutput({ time: new FakeTime() }, { device: 'wrapped' });
  t.match(wrapped.open({ ...REQUEST, rate: 44_100 }), { bits: 16, rate: 48_000 }, 'a plug shows what is behind it');
  wrapped.close();
});

t.test('the name of a plug for a name', async (t) => {
  t.equal(plugNameOf('hw:CARD=Pro,DEV=0'), 'plughw:CARD=Pro,DEV=0');
  t.equal(plugNameOf('card0'), "plug:'card0'");
  t.equal(plugNameOf('dmix:CARD=Pro,DEV=0'), "plug:'dmix:CARD=Pro,DEV=0'");
  for (const name of ['default', 'plughw:0', 'plug:card0', 'sysdefault:CARD=Pro']) t.equal(plugNameOf(name), name);
});

t.test('a card that cannot be had says why', { skip }, async (t) => {
  const { output } = rig(t);
  output.open(REQUEST);
  const second = new AlsaOutput({ time: new FakeTime() }, { device: 'card' });
  t.throws(() => second.open(REQUEST), { code: 'OUTPUT_UNAVAILABLE', detail: /busy.*Another program/, info: {} });
  output.close();
  t.ok(second.open(REQUEST), 'and can be had once it is free');
  second.close();
  const none = new AlsaOutput({ time: new FakeTime() }, { device: 'hw:CARD=Missing' });
  t.throws(() => none.open(REQUEST), { code: 'OUTPUT_UNAVAILABLE', detail: /hw:CARD=Missing/ });
});

t.test('without alsa-lib there is no card, and the error says what to install', async (t) => {
  const alsa = loadAlsa('libasound.so.99');
  const output = new AlsaOutput({ time: new FakeTime(), alsa }, { device: 'default' });
  t.throws(() => output.open(REQUEST), { code: 'OUTPUT_UNAVAILABLE', detail: /apt-get install libasound2/ });
  output.close();
  const old: AlsaLibrary = {
    bind: () => {
      throw new Error('no such function');
    },
    textOf: () => '',
  };
  const ancient = new AlsaOutput({ time: new FakeTime(), alsa: { alsa: old } }, { device: 'default' });
  t.throws(() => ancient.open(REQUEST), { code: 'OUTPUT_UNAVAILABLE', detail: /older than/ });
});

/** The alsa-lib of this machine, but the function whose prototype holds `part` goes through `instead`. */
function spoiled(part: string, instead: (call: AnyCall, ...values: Memory[]) => number): AlsaLibrary {
  const { alsa } = loadAlsa();
  return {
    textOf: (result) => alsa!.textOf(result),
    bind: <Call>(prototype: string): Call => {
      const call = alsa!.bind<AnyCall>(prototype);
      const chosen: AnyCall = prototype.includes(part) ? (...values) => instead(call, ...values) : call;
      return chosen as Call;
    },
  };
}

type AnyCall = (...values: Memory[]) => number;
