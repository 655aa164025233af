/** A tone to play on the machine, and what is heard of it in what its card was given. */

import { join } from 'node:path';
import type { Test } from 'tap';
import { tone } from '../audio/signals.js';
import { readCapture } from '../support/capture.js';
import { temporaryFolder } from '../support/daemon.js';
import { plainWav } from '../support/wav-files.js';
import type { Machine } from './machine.js';

const RATE = 48_000;
/** No octave of anything: what else is recorded is not taken for it. Hertz. */
const TONE_HZ = 997;
const AMPLITUDE = 12_000;
const BLOCKS_PER_S = 100;

/** Seconds of a tone in both channels, as a WAV file of 16 bits. */
export function toneWav(seconds: number): Uint8Array {
  const samples = tone(TONE_HZ, RATE, seconds * RATE, 2).map((sample) => Math.round(AMPLITUDE * sample));
  return plainWav({ sampleRate: RATE }, new Uint8Array(Int16Array.from(samples).buffer));
}

/** What a recording holds of the tone. */
export interface Heard {
  /** How loud it is in each hundredth of a second: 0 to 1, by Goertzel's filter. */
  readonly loudness: readonly number[];
  /** The largest step from one sample to the next, 0 to 2: a click is one. */
  readonly step: number;
}

/** How loud a tone is in a piece of sound, by Goertzel's filter: 0 to 1 for samples of -1 to 1. `hz` is in parts of the sampling rate. */
function loudnessOf(samples: ArrayLike<number>, hz: number): number {
  const turn = 2 * Math.cos(2 * Math.PI * hz);
  let [before, last] = [0, 0];
  for (let i = 0; i < samples.length; i++) [before, last] = [last, samples[i]! + turn * last - before];
  return (2 * Math.sqrt(Math.max(0, last * last + before * before - turn * last * before))) / samples.length;
}

/** The left channel of the recording at `path`. */
export function heard(path: string): Heard {
  const { samples, channels, rate } = readCapture(path);
  const left = samples.filter((_, i) => i % channels === 0);
  const block = rate / BLOCKS_PER_S;
  const loudness: number[] = [];
  for (let from = 0; from + block <= left.length; from += block) {
    loudness.push(loudnessOf(left.subarray(from, from + block), TONE_HZ / rate));
  }
  let step = 0;
  for (let i = 1; i < left.length; i++) step = Math.max(step, Math.abs(left[i]! - left[i - 1]!));
  return { loudness, step };
}

/** Records what the card is given while `script` runs on the machine. @returns the recording, here */
export async function recordWhile(t: Test, machine: Machine, seconds: number, script: string): Promise<string> {
  const file = join(temporaryFolder(t), 'recorded.wav');
  const recorder = `arecord -q -D hw:CARD=Loopback,DEV=1 -f S32_LE -r ${RATE} -c 2 -d ${seconds} /tmp/recorded.wav`;
  await machine.must(`${recorder} & recorder=$!; sleep 1; ${script}; wait $recorder`);
  await machine.fetch('/tmp/recorded.wav', file);
  return file;
}
