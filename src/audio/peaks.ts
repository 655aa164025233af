/**
 * The outline of a track for a waveform: the largest sample of each of 2,048 equal stretches, as bytes.
 *
 * How long a track is shows at its end only (a piped WAV does not know its own length), and memory must not grow with it. So peaks are
 * gathered in buckets of one frame at first; whenever all are full, neighbours are joined and buckets cover twice as much. At the end
 * each stretch takes the buckets that it touches. Up to {@link BUCKETS} frames that is exact; beyond, there are 8 buckets or more to
 * a stretch, so a stretch may show a peak that lies an eighth of its width outside. No peak is ever lost. The result depends on the
 * samples alone: not on the header, and not on how the file was cut into pieces.
 */

/** Stretches of a track, and bytes of its outline. */
export const PEAK_COUNT = 2048;

/** 8 to 16 buckets a stretch: less than a pixel of any drawing. 32 KiB of memory. */
const BUCKETS = 16 * PEAK_COUNT;

/** Draws the outline of one track as its samples come by, in 32 KiB however long it is. They must be finite. */
export class PeakMeter {
  readonly #channels: number;
  /** As bytes from the first: rounding keeps the order, so the largest byte is that of the largest sample. */
  readonly #buckets = new Uint8Array(BUCKETS);
  /** Buckets that are full, and the peak of the one under way (1 = full scale). */
  #full = 0;
  #peak = 0;
  #filled = 0;
  /** Frames that a bucket covers: a power of two. */
  #bucketFrames = 1;
  #frames = 0;

  constructor(channels: number) {
    this.#channels = channels;
  }

  /** Takes the next `frames` interleaved frames; full scale is 1. */
  add(samples: Float64Array, frames: number): void {
    const channels = this.#channels;
    for (let frame = 0; frame < frames; ) {
      const to = Math.min(frames, frame + this.#bucketFrames - this.#filled);
      let peak = this.#peak;
      for (let at = frame * channels; at < to * channels; at++) {
        const magnitude = Math.abs(samples[at]!);
        if (magnitude > peak) peak = magnitude;
      }
      this.#peak = peak;
      this.#filled += to - frame;
      if (this.#filled === this.#bucketFrames) this.#endBucket();
      frame = to;
    }
    this.#frames += frames;
  }

  /**
   * {@link PEAK_COUNT} bytes: 0 is silence, 255 full scale and above. Stretch i of n frames starts at frame floor(i x n / 2048) and
   * holds one frame at least, so that a track of few frames fills the outline too. All zeros where there are no frames.
   */
  result(): Uint8Array {
    const outline = new Uint8Array(PEAK_COUNT);
    for (let i = 0; i < PEAK_COUNT; i++) {
      const start = Math.floor((i * this.#frames) / PEAK_COUNT);
      const end = Math.max(start + 1, Math.floor(((i + 1) * this.#frames) / PEAK_COUNT));
      outline[i] = this.#peakBetween(Math.floor(start / this.#bucketFrames), Math.ceil(end / this.#bucketFrames));
    }
    return outline;
  }

  #peakBetween(firstBucket: number, endBucket: number): number {
    // The bucket under way comes after the full ones.
    let peak = endBucket > this.#full ? byteOf(this.#peak) : 0;
    for (let bucket = firstBucket; bucket < Math.min(endBucket, this.#full); bucket++) {
      peak = Math.max(peak, this.#buckets[bucket]!);
    }
    return peak;
  }

  #endBucket(): void {
    this.#buckets[this.#full++] = byteOf(this.#peak);
    this.#peak = 0;
    this.#filled = 0;
    if (this.#full < BUCKETS) return;
    for (let i = 0; i < BUCKETS / 2; i++) {
      this.#buckets[i] = Math.max(this.#buckets[2 * i]!, this.#buckets[2 * i + 1]!);
    }
    this.#full = BUCKETS / 2;
    this.#bucketFrames *= 2;
  }
}

const byteOf = (peak: number): number => Math.min(255, Math.round(peak * 255));
