/**
 * The resampler: how fast, how clean, how sparing.
 *
 * Peers in the same run: a plain twin that works the kernel out anew for every output frame, as one would write it first, and sox, whose
 * `rate` effect is written in C and made for fixed ratios (whole process, so it reads the file too).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dither, quantize } from '../../src/audio/quantize.js';
import { Resampler } from '../../src/audio/resampler.js';
import { fitSine, levelDb, tone } from '../audio/signals.js';
import { atLeast, atMost, type Row, type Suite, timesPeer } from './row.js';

/** The peer's program, of Debian's package of the same name. */
const SOX = 'sox';
/** Output frames of a block: 10 ms at 48 kHz, as the player asks for. */
const BLOCK = 480;
/** How often a speed is measured; the best counts, since all that disturbs makes it slower. */
const ROUNDS = 3;
/** Seconds of sound per round. */
const SOUND_S = 10;

/** The best of several rounds: seconds of sound per second of work. */
function timesRealTime(soundS: number, work: () => void): number {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    work();
    best = Math.max(best, soundS / ((performance.now() - startedAt) / 1_000));
  }
  return best;
}

/** A player's loop: blocks of 10 ms, the ratio moved a little before each one. */
function streaming(from: number, to: number, channels: number): (seconds: number) => void {
  const ratio = from / to;
  const resampler = new Resampler({ channels }, { ratio });
  const input = tone(997, from, Math.ceil(BLOCK * ratio) + 2_000, channels);
  const output = new Float64Array(BLOCK * channels);
  return (seconds) => {
    for (let block = 0; block < (seconds * to) / BLOCK; block++) {
      resampler.setRatio(ratio * (1 + 1e-6 * (block % 100)));
      resampler.process(input, resampler.inputFramesFor(BLOCK), output, BLOCK);
    }
  };
}

function speed(from: number, to: number, channels: number): number {
  const run = streaming(from, to, channels);
  run(2); // Warm: what counts is the hundredth minute, not the first second.
  return timesRealTime(SOUND_S, () => run(SOUND_S));
}

/** The plain twin: 32 taps of stereo sinc under a Blackman window, every weight worked out where it is needed. */
function naiveSpeed(ratio: number, rate: number): number {
  const seconds = 3;
  const half = 16;
  const input = tone(997, 44_100, 50_000 * seconds, 2);
  const output = new Float64Array(2 * rate * seconds);
  return timesRealTime(seconds, () => {
    for (let k = 0; k < rate * seconds; k++) {
      const position = half + k * ratio;
      const whole = Math.floor(position);
      let left = 0;
      let right = 0;
      for (let frame = whole - half + 1; frame <= whole + half; frame++) {
        const x = Math.PI * (position - frame);
        const window = 0.42 + 0.5 * Math.cos(x / half) + 0.08 * Math.cos((2 * x) / half);
        const weight = x === 0 ? 1 : (Math.sin(x) / x) * window;
        left += weight * input[2 * frame]!;
        right += weight * input[2 * frame + 1]!;
      }
      output[2 * k] = left;
      output[2 * k + 1] = right;
    }
  });
}

/** Whole run of sox from 44.1 to 48 kHz on a file of stereo noise; null where there is no sox. */
function soxSpeed(quality: string): number | null {
  const seconds = 120;
  const dir = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  try {
    const raw = join(dir, 'in.raw');
    const samples = Int16Array.from(tone(997, 44_100, 44_100 * seconds, 2), (sample) => sample * 30_000);
    writeFileSync(raw, samples);
    const format = ['-t', 'raw', '-r', '44100', '-c', '2', '-b', '16', '-e', 'signed', raw];
    const sox = () => spawnSync(SOX, ['-D', ...format, '-n', 'rate', quality, '48000'], { stdio: 'ignore' });
    if (sox().status !== 0) return null;
    return timesRealTime(seconds, sox);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A tone of a second through a resampler of one channel, its ends cut off. */
function filtered(hertz: number, from: number, to: number): Float64Array {
  const resampler = new Resampler({ channels: 1 }, { ratio: from / to });
  const output = new Float64Array(to);
  const produced = resampler.process(tone(hertz, from, from), from, output, to);
  return output.slice(1_000, produced - 1_000);
}

function snrDb(hertz: number, from: number, to: number): number {
  const output = filtered(hertz, from, to);
  return fitSine(output, hertz, to, 0, output.length).snrDb;
}

/**
 * Bytes of heap that a block leaves behind, garbage included: the least of several stretches, since whatever else the process does adds
 * to it. A stretch is too short for a collection in between. (16 bytes are the box in which a new ratio is handed over.)
 */
function bytesPerBlock(): number {
  const run = streaming(44_100, 48_000, 2);
  run(60);
  const seconds = 10;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    run(seconds);
    const grown = process.memoryUsage().heapUsed - before;
    least = Math.min(least, grown / ((seconds * 48_000) / BLOCK));
  }
  return least;
}

/** Milliseconds to make the filter for a pair of rates that was not used before. */
function firstUseMs(): number {
  const startedAt = performance.now();
  new Resampler({ channels: 2 }, { ratio: 88_200 / 48_000 });
  return performance.now() - startedAt;
}

/** Stereo at 48 kHz to 16 bits with dither: what comes after the resampler. */
function ditherSpeed(): number {
  const input = tone(997, 48_000, BLOCK, 2);
  const output = new Int32Array(2 * BLOCK);
  const dither = new Dither(1);
  return timesRealTime(SOUND_S, () => {
    for (let block = 0; block < (SOUND_S * 48_000) / BLOCK; block++) quantize(input, output, 2 * BLOCK, 16, dither);
  });
}

function run(): Row[] {
  const ours = speed(44_100, 48_000, 2);
  const what = 'stereo, 44.1 to 48 kHz, ratio moving';
  const unit = 'x real time';
  const rows: Row[] = [
    timesPeer(6, {
      what,
      figure: ours,
      unit,
      peer: { name: 'plain twin', figure: naiveSpeed(44_100 / 48_000, 48_000) },
    }),
  ];
  for (const quality of ['-m', '-h', '-v']) {
    const figure = soxSpeed(quality);
    if (figure === null) rows.push({ what: `${what}: no sox to compare with`, figure: ours, unit, met: true });
    else
      rows.push({
        what,
        figure: ours,
        unit,
        peer: { name: `sox rate ${quality}`, figure },
        ratio: ours / figure,
        met: true,
      });
  }
  for (const [from, to, channels] of [
    [48_000, 48_000, 2],
    [48_000, 44_100, 2],
    [96_000, 48_000, 2],
    [192_000, 48_000, 2],
    [44_100, 48_000, 6],
  ] as const) {
    const label = `${channels} channels, ${from / 1_000} to ${to / 1_000} kHz, ratio moving`;
    rows.push({ what: label, figure: speed(from, to, channels), unit, met: true });
  }
  rows.push(
    { what: 'stereo, 48 kHz to 16 bits with dither', figure: ditherSpeed(), unit, met: true },
    { what: 'filter for a new pair of rates', figure: firstUseMs(), unit: 'ms', met: true },
    atLeast(103, { what: 'SNR of 1 kHz, 44.1 to 48 kHz', figure: snrDb(1_000, 44_100, 48_000), unit: 'dB' }),
    atLeast(100, { what: 'SNR of 10 kHz, 44.1 to 48 kHz', figure: snrDb(10_000, 44_100, 48_000), unit: 'dB' }),
    atLeast(100, { what: 'SNR of 17 kHz, 44.1 to 48 kHz', figure: snrDb(17_000, 44_100, 48_000), unit: 'dB' }),
    atLeast(103, { what: 'SNR of 1 kHz, 48 to 44.1 kHz', figure: snrDb(1_000, 48_000, 44_100), unit: 'dB' }),
  );
  const alias = filtered(23_000, 48_000, 44_100);
  rows.push(
    atMost(-100, { what: 'alias of 23 kHz, 48 to 44.1 kHz', figure: levelDb(alias, 0, alias.length), unit: 'dB' }),
    atMost(32, { what: 'heap left behind by a block', figure: bytesPerBlock(), unit: 'bytes' }),
  );
  return rows;
}

const suite: Suite = { name: 'resampler', run: () => Promise.resolve(run()) };
export default suite;
