/** A tone to play on the machine, and what is heard of it in what its card is given. */

import { join } from 'node:path';
import type { Test } from 'tap';
import { loudness, tone } from '../audio/signals.js';
import { readCapture } from '../support/capture.js';
import { temporaryFolder } from '../support/daemon.js';
import { plainWav } from '../support/wav-files.js';
import type { Machine } from './machine.js';

const RATE = 48_000;
/** No octave of anything: what else is recorded is not taken for it. Hertz. */
export const TONE_HZ = 997;
const AMPLITUDE = 12_000;
/** What a tone of that amplitude has at least where it is heard: it has 0.37. */
const LOUD = 0.2;

/** Seconds of a tone in both channels, as a WAV file of 16 bits. */
export function toneWav(seconds: number, hz = TONE_HZ): Uint8Array {
  const samples = tone(hz, RATE, seconds * RATE, 2).map((sample) => Math.round(AMPLITUDE * sample));
  return plainWav({ sampleRate: RATE }, new Uint8Array(Int16Array.from(samples).buffer));
}

/** The left channel of what the card was given, in pieces of a hundredth of a second. */
export class Heard {
  readonly #pieces: readonly Float64Array[];

  constructor(path: string) {
    const { samples, channels } = readCapture(path);
    const left = samples.filter((_, i) => i % channels === 0);
    const size = RATE / 100;
    this.#pieces = Array.from({ length: Math.floor(left.length / size) }, (_, at) =>
      left.subarray(at * size, (at + 1) * size),
    );
  }

  /** How loud a tone is in each of them: 0 to 1. */
  loudness(hz = TONE_HZ): number[] {
    return this.#pieces.map((samples) => loudness(samples, hz, RATE));
  }

  /** Whether a tone is in each of them, as loud as {@link toneWav} makes it. */
  isLoud(hz = TONE_HZ): boolean[] {
    return this.loudness(hz).map((loudness) => loudness > LOUD);
  }

  /** The largest step from one sample to the next in each of them, 0 to 2: a click is one. */
  steps(): number[] {
    return this.#pieces.map((samples) =>
      samples.reduce((most, sample, i) => (i === 0 ? 0 : Math.max(most, Math.abs(sample - samples[i - 1]!))), 0),
    );
  }
}

const FILE = '/tmp/recorded.wav';
const HEADER_BYTES = 44;
const FRAME_BYTES = 8;
/** Goes before the node, and the card keeps so much for it: an emulated processor is late at times. */
const RECORDER = `chrt -f 20 arecord -q -D hw:CARD=Loopback,DEV=1 -f S32_LE -r ${RATE} -c 2 --period-time=20000 --buffer-time=4000000`;

/** What the card is given from its start to its end. */
export class Recording {
  /** What says, in a script on the machine, how many hundredths of a second there are by then. */
  static readonly NOW = `echo $((($(stat -c %s ${FILE}) - ${HEADER_BYTES}) / ${(FRAME_BYTES * RATE) / 100}))`;
  readonly #t: Test;
  readonly #machine: Machine;
  readonly #pid: string;

  private constructor(t: Test, machine: Machine, pid: string) {
    this.#t = t;
    this.#machine = machine;
    this.#pid = pid;
  }

  /** Runs when this returns. */
  static async start(t: Test, machine: Machine): Promise<Recording> {
    const pid = await machine.must(`rm -f ${FILE}; ${RECORDER} ${FILE} >/dev/null 2>/tmp/recorder.txt & echo $!`);
    const recording = new Recording(t, machine, pid);
    await recording.until(1);
    return recording;
  }

  /** Waits until there are so many hundredths of a second. */
  until(count: number): Promise<string> {
    return this.#machine.until('enough was recorded', `[ "$(${Recording.NOW})" -ge ${count} ]`);
  }

  /** Waits for so many more. */
  async goOn(count: number): Promise<void> {
    await this.until(Number(await this.#machine.must(Recording.NOW)) + count);
  }

  async end(): Promise<Heard> {
    const path = join(temporaryFolder(this.#t), 'recorded.wav');
    const said = await this.#machine.must(
      `kill -INT ${this.#pid}; while kill -0 ${this.#pid} 2>/dev/null; do sleep 0.1; done; cat /tmp/recorder.txt`,
    );
    if (said !== '') this.#t.comment(`the recorder: ${said}`);
    await this.#machine.fetch(FILE, path);
    return new Heard(path);
  }
}

/** Some seconds of what the card is given. */
export async function listen(t: Test, machine: Machine, seconds: number): Promise<Heard> {
  const recording = await Recording.start(t, machine);
  await recording.until(100 * seconds);
  return recording.end();
}
