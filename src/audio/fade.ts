/**
 * Short fades where sound begins, ends or jumps: on pause, resume, skip, seek and snap.
 *
 * The gain follows half a period of a raised cosine: no corner at either end. The way in and the way out add up to 1 at every frame, so
 * that a crossfade of a signal with itself leaves it as it was. (Two unrelated signals dip by 3 dB for a moment; within 5 ms no
 * one hears that.)
 */

/** How long a fade takes: too short to be heard as one, long enough to turn a click into nothing. */
export const FADE_MS = 5;

/** Frames of a fade at `rate` frames per second. */
export function fadeFrames(rate: number): number {
  return Math.round((rate * FADE_MS) / 1_000);
}

/** Gain at frame `index` of a fade in that takes `length` frames: 0 before it, 1 after it. */
export function fadeInGain(index: number, length: number): number {
  if (index < 0) return 0;
  if (index >= length) return 1;
  return 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / length);
}

/** Gain at frame `index` of a fade out that takes `length` frames: 1 before it, 0 after it. */
export function fadeOutGain(index: number, length: number): number {
  return 1 - fadeInGain(index, length);
}

/**
 * Fades `frames` interleaved frames in. The first one is number `index` of the fade, which may be negative (the fade begins later: silence
 * until then) or inside it (the fade began in an earlier block).
 */
export function fadeIn(buffer: Float64Array, channels: number, frames: number, index: number, length: number): void {
  for (let frame = 0; frame < frames; frame++) {
    scaleFrame(buffer, channels, frame, fadeInGain(index + frame, length));
  }
}

/** Fades `frames` interleaved frames out, like {@link fadeIn} the other way round: what is past the fade is silent. */
export function fadeOut(buffer: Float64Array, channels: number, frames: number, index: number, length: number): void {
  for (let frame = 0; frame < frames; frame++) {
    scaleFrame(buffer, channels, frame, fadeOutGain(index + frame, length));
  }
}

function scaleFrame(buffer: Float64Array, channels: number, frame: number, gain: number): void {
  for (let at = frame * channels; at < (frame + 1) * channels; at++) buffer[at]! *= gain;
}
