/** A tone to play on the machine, and what is heard of it in what its card was given. */

import { join } from 'node:path';
import type { Test } from 'tap';
import { readCapture } from '../support/capture.js';
import { temporaryFolder } from '../support/daemon.js';
import { bytesOf, chunk, fmtBody, little } from '../support/wav-files.js';
import { loudnessOf } from './in-guest/loudness.js';
import type { Machine } from './machine.js';

const RATE = 48_000;
/** No octave of anything: what else is recorded is not taken for it. Hertz. */
export const TONE_HZ = 997;
const AMPLITUDE = 12_000;
const BLOCKS_PER_S = 100;

/** Seconds of a tone in both channels, as a WAV file of 16 bits. */
export function toneWav(seconds: number, hz = TONE_HZ): Uint8Array {
  const frames = seconds * RATE;
  const body = Buffer.alloc(4 * frames);
  for (let i = 0; i < frames; i++) {
    const sample = Math.round(AMPLITUDE * Math.sin((2 * Math.PI * hz * i) / RATE));
    body.writeInt16LE(sample, 4 * i);
    body.writeInt16LE(sample, 4 * i + 2);
  }
  const data = chunk('data', new Uint8Array(body));
  const format = chunk('fmt ', fmtBody({ sampleRate: RATE }));
  return bytesOf('RIFF', little(4 + format.length + data.length, 4), 'WAVE', format, data);
}

/** What a recording holds of the tone. */
export interface Heard {
  /** How loud it is in each hundredth of a second: 0 to 1, by Goertzel's filter. */
  readonly loudness: readonly number[];
  /** The largest step from one sample to the next, 0 to 2: a click is one. */
  readonly step: number;
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
