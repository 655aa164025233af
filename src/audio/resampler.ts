/**
 * The resampler: from the rate of a file to the rate of a card, and along with a card whose crystal runs a little off.
 *
 * Problem: the player must read the source at any position, between frames too, and move that position by a ratio that the servo
 * changes all the time, while each output frame's place in the source stays known exactly.
 *
 * Approach: output at position p is the sum of source frames near p, weighted by a windowed sinc centred at p ({@link Kernel}). The
 * position is kept as a whole number and a fraction, so that it neither drifts nor jumps. A symmetric filter that looks as far ahead
 * as back delays nothing: the output for position p *is* the sound at p. The price is look-ahead: p is due only when `lookAhead`
 * frames after it are there.
 *
 * While the ratio is 1 and the position a whole frame, samples pass untouched. Where nothing is decimated the kernel is 1 at 0 and 0
 * at every other whole number, so leaving that state is not heard: the filtered sound starts out equal to the copied one.
 *
 * Further reading: J. O. Smith, "Digital Audio Resampling", https://ccrma.stanford.edu/~jos/resample/.
 */
import { assert } from '../core/assert.js';
import { type Kernel, kernelFor, TAPS } from './resampler-kernel.js';

/** How far `setRatio` may leave the ratio that the filter was made for: 1 %, twenty times what a servo needs. */
const RATIO_CHANGE_MAX = 0.01;
/** Frames of room beyond the filter's length, so that the history moves once in many frames. */
const ROOM_FRAMES = 1_024;

/** What a resampler's filter is made for. It stays as it is for the resampler's life: working one out takes long enough to be heard. */
export interface ResamplerInit {
  /** Source frames per output frame around which the ratio will stay: source rate / card rate. It fixes the filter. Default 1. */
  readonly ratio?: number;
  /** Length of the filter in frames of the lower rate, even; twice as many where the rate goes down. Default {@link TAPS}. */
  readonly taps?: number;
}

/** One stream of interleaved frames, resampled as it comes. Allocates nothing after construction. */
export class Resampler {
  /** Frames past the position of an output frame that must have been fed before it is given. */
  readonly lookAhead: number;
  /** Frames before a position that its output depends on: feed them after a {@link reset} into mid-track. */
  readonly lookBack: number;
  /** Input frames that the last `process` took. */
  consumed = 0;

  readonly #channels: number;
  readonly #nominalRatio: number;
  readonly #kernel: Kernel;
  /** Source frames from number `#windowStart` on, `#windowFrames` of them, interleaved. */
  readonly #window: Float64Array;
  #windowStart = 0;
  #windowFrames = 0;
  #ratio: number;
  /** Position of the next output frame in the source: whole frames, and the rest, 0 to less than 1. */
  #whole = 0;
  #fraction = 0;

  constructor(stream: { readonly channels: number }, init: ResamplerInit = {}) {
    const { ratio = 1, taps = TAPS } = init;
    this.#channels = stream.channels;
    this.#nominalRatio = ratio;
    this.#ratio = ratio;
    this.#kernel = kernelFor(ratio, taps);
    this.lookAhead = this.#kernel.half;
    this.lookBack = this.#kernel.half - 1;
    this.#window = new Float64Array((this.#kernel.taps + ROOM_FRAMES) * this.#channels);
    this.reset();
  }

  /** Place of the next output frame in the source, in source frames, counted from the first frame fed (or as `reset` said). */
  get position(): number {
    return this.#whole + this.#fraction;
  }

  /** Source frames per output frame. */
  get ratio(): number {
    return this.#ratio;
  }

  /** True while samples pass bit by bit: the ratio is 1 and the position a whole frame. */
  get exact(): boolean {
    return this.#ratio === 1 && this.#fraction === 0;
  }

  /**
   * From the next output frame on, each is `ratio` source frames after the one before. The position itself does not move.
   * @param ratio within {@link RATIO_CHANGE_MAX} of the one at construction
   */
  setRatio(ratio: number): void {
    assert(
      Math.abs(ratio / this.#nominalRatio - 1) <= RATIO_CHANGE_MAX,
      'the ratio stays near the one the filter is for',
    );
    this.#ratio = ratio;
  }

  /**
   * Forgets all that was fed. The next frame fed is number `firstFed` of the source, the next output frame is at `position`.
   *
   * Frames before `firstFed` count as silence: to start in mid-track as if it had played before, feed from
   * `floor(position) - lookBack` on. `position` may be up to `lookAhead` before `firstFed` (what a filter rings before its first
   * frame), and any distance after it: what lies between is taken and dropped.
   */
  reset(position = 0, firstFed = 0): void {
    this.#whole = Math.floor(position);
    this.#fraction = position - this.#whole;
    assert(this.#whole >= firstFed - this.lookAhead, 'output begins at most lookAhead before the first frame');
    const oldest = this.#whole - this.lookBack;
    const silence = Math.max(0, firstFed - oldest);
    this.#window.fill(0, 0, silence * this.#channels);
    this.#windowStart = firstFed - silence;
    this.#windowFrames = silence;
  }

  /**
   * How many input frames `process` has to be given to make `outputFrames` at the present ratio; at most one more than it would
   * strictly take.
   */
  inputFramesFor(outputFrames: number): number {
    if (outputFrames === 0) return 0;
    // The position is summed up step by step; a product can come out a hair below it, and a floor would turn that into a frame.
    const last = this.#whole + Math.floor(this.#fraction + (outputFrames - 1) * this.#ratio + 1e-6);
    return Math.max(0, last + this.lookAhead + 1 - (this.#windowStart + this.#windowFrames));
  }

  /**
   * Takes from `input` what it needs to write up to `outputFrames` frames to `output`, and gives how many it wrote; `consumed` says
   * how many it took. Fewer than asked for are written only when the input ran out. Frames of another track may follow those of one
   * in the same stream: that is gapless. Across rates end this stream by {@link drain}.
   * @param inputStart frame of `input` to begin at
   * @param outputStart frame of `output` to begin at
   */
  process(
    input: Float64Array,
    inputFrames: number,
    output: Float64Array,
    outputFrames: number,
    inputStart = 0,
    outputStart = 0,
  ): number {
    const wanted = Math.min(inputFrames, this.inputFramesFor(outputFrames));
    let consumed = 0;
    let produced = this.#render(output, outputStart, outputFrames);
    while (produced < outputFrames && consumed < wanted) {
      consumed += this.#feed(input, inputStart + consumed, wanted - consumed);
      produced += this.#render(output, outputStart + produced, outputFrames - produced);
    }
    this.consumed = consumed;
    return produced;
  }

  /**
   * Writes `outputFrames` frames as if silence followed what was fed; the silence counts as source frames.
   *
   * A source that is over is read to its end this way. Where another one of a different rate follows without a gap, add both in the
   * neighbourhood of the seam: the old one drained on for `lookAhead` source frames past its end, the new one begun (`reset` to a
   * negative position) `lookAhead` of its frames before its start. Each alone is half as loud as it should be at the seam, the sum
   * is whole.
   */
  drain(output: Float64Array, outputFrames: number, outputStart = 0): void {
    let produced = this.#render(output, outputStart, outputFrames);
    while (produced < outputFrames) {
      this.#feed(null, 0, this.inputFramesFor(outputFrames - produced));
      produced += this.#render(output, outputStart + produced, outputFrames - produced);
    }
  }

  /** Takes frames into the window, silence for `null`, as many as there is room for; gives how many. */
  #feed(input: Float64Array | null, start: number, frames: number): number {
    const channels = this.#channels;
    const window = this.#window;
    const oldestNeeded = this.#whole - this.lookBack;
    const dropped = Math.min(this.#windowFrames, Math.max(0, oldestNeeded - this.#windowStart));
    if (dropped > 0) {
      window.copyWithin(0, dropped * channels, this.#windowFrames * channels);
      this.#windowStart += dropped;
      this.#windowFrames -= dropped;
    }
    // Still ahead of the first frame that counts: what comes before it is not even copied.
    const skipped = this.#windowFrames > 0 ? 0 : Math.min(frames, Math.max(0, oldestNeeded - this.#windowStart));
    this.#windowStart += skipped;
    const taken = Math.min(frames - skipped, window.length / channels - this.#windowFrames);
    const to = this.#windowFrames * channels;
    if (input === null) {
      window.fill(0, to, to + taken * channels);
    } else {
      const from = (start + skipped) * channels;
      for (let i = 0; i < taken * channels; i++) window[to + i] = input[from + i]!;
    }
    this.#windowFrames += taken;
    return skipped + taken;
  }

  /** Writes the frames whose look-ahead is in the window, at most `frames`; gives how many. */
  #render(output: Float64Array, start: number, frames: number): number {
    // The output at `head` needs the frames up to `head + lookAhead`, all counted from the start of the window.
    const ready = this.#windowFrames - this.lookAhead;
    let head = this.#whole - this.#windowStart;
    let produced = 0;
    if (this.exact) {
      produced = Math.max(0, Math.min(frames, ready - head));
      const from = head * this.#channels;
      const to = start * this.#channels;
      for (let i = 0; i < produced * this.#channels; i++) output[to + i] = this.#window[from + i]!;
      head += produced;
    }
    let fraction = this.#fraction;
    while (produced < frames && head < ready) {
      this.#kernel.apply(fraction, this.#window, head - this.lookBack, this.#channels, output, start + produced);
      produced += 1;
      fraction += this.#ratio;
      const steps = Math.floor(fraction);
      head += steps;
      fraction -= steps;
    }
    this.#fraction = fraction;
    this.#whole = head + this.#windowStart;
    return produced;
  }
}
