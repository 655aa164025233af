/**
 * Volume: what the per cents mean, and how the amplitude gets from one value to the next.
 *
 * A step of the amplitude is a click. A gain therefore moves along a line over {@link GAIN_RAMP_MS}, from an exact output frame on, so
 * that every room turns the sound down together. While it rests at 1 samples are not touched at all.
 */
import { assert } from '../core/assert.js';

/**
 * How long a change of gain takes: a full period of 50 Hz, so that the gain moves slowly against any note and makes no click; and a
 * fraction of the tenth of a second in which a hand on a slider expects an answer. Its corners lie at most 1 / 960 per frame apart in
 * slope at 48 kHz, too little to hear, so a plain line will do.
 */
const GAIN_RAMP_MS = 20;

/** Amplitude for a volume of `percent`, 0 to 100: its cube, which follows the ear closely over a room's range; 0 is silence. */
export function volumeToGain(percent: number): number {
  assert(percent >= 0 && percent <= 100, 'a volume is 0 to 100 per cent');
  return (percent / 100) ** 3;
}

interface Target {
  readonly gain: number;
  readonly atFrame: number;
}

/** A gain over the frames of an output: constant, then a line, then constant, and so on. */
export class GainRamp {
  readonly #rampFrames: number;
  /** Changes that have not begun, in order of time. */
  readonly #pending: Target[] = [];
  /** The line: from `#from` at frame `#since` to `#to`, `#rampFrames` later. */
  #from: number;
  #to: number;
  #since: number;

  /** @param rate frames per second of the output */
  constructor(rate: number, gain = 1) {
    this.#rampFrames = Math.round((rate * GAIN_RAMP_MS) / 1_000);
    this.#from = gain;
    this.#to = gain;
    this.#since = 0;
  }

  /**
   * From output frame `atFrame` on the gain moves to `gain`; it is there after the ramp. Takes the place of all changes that were to
   * begin at that frame or later. One that begins within the ramp of another goes on from where that one has got.
   */
  setTarget(gain: number, atFrame: number): void {
    while (this.#pending.length > 0 && this.#pending.at(-1)!.atFrame >= atFrame) this.#pending.pop();
    this.#pending.push({ gain, atFrame });
  }

  /**
   * Multiplies `frames` interleaved frames, of which the first is number `firstFrame` of the output; numbers never go back from call
   * to call. A change whose frame is past already begins with the first one. True where a sample may have changed.
   */
  apply(buffer: Float64Array, channels: number, frames: number, firstFrame: number): boolean {
    let touched = false;
    let start = 0;
    while (start < frames) {
      this.#beginDue(firstFrame + start);
      const next = this.#pending[0];
      const end = next === undefined ? frames : Math.min(frames, next.atFrame - firstFrame);
      if (!this.#restsAtUnity(firstFrame + start)) {
        touched = true;
        for (let frame = start; frame < end; frame++) {
          const gain = this.#gainAt(firstFrame + frame);
          for (let at = frame * channels; at < (frame + 1) * channels; at++) buffer[at]! *= gain;
        }
      }
      start = end;
    }
    return touched;
  }

  /** What {@link apply} does to silence: `frames` frames pass, and changes begin on their frames. */
  pass(frames: number, firstFrame: number): void {
    for (
      let next = this.#pending[0];
      next !== undefined && next.atFrame < firstFrame + frames;
      next = this.#pending[0]
    ) {
      this.#beginDue(Math.max(firstFrame, next.atFrame));
    }
  }

  #beginDue(frame: number): void {
    while (this.#pending.length > 0 && this.#pending[0]!.atFrame <= frame) {
      const { gain } = this.#pending.shift()!;
      this.#from = this.#gainAt(frame);
      this.#to = gain;
      this.#since = frame;
    }
  }

  #gainAt(frame: number): number {
    const done = frame - this.#since;
    // At rest the target itself, not a sum that rounds to something near it.
    if (done >= this.#rampFrames) return this.#to;
    return this.#from + (this.#to - this.#from) * (done / this.#rampFrames);
  }

  #restsAtUnity(frame: number): boolean {
    return this.#to === 1 && (this.#from === 1 || frame - this.#since >= this.#rampFrames);
  }
}
