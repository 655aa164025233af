/** The outline of a track as it is drawn: 2,048 peaks, of 0 to 255, as so many bars as there is room for. */

/** The loudest of each stretch, 0 to 1. Empty where there is no room or nothing to draw. */
export function barsOf(peaks: Uint8Array, count: number): readonly number[] {
  if (peaks.length === 0) return [];
  const bars = Math.max(0, Math.min(Math.floor(count), peaks.length));
  return Array.from({ length: bars }, (_, at) => {
    const from = Math.floor((at * peaks.length) / bars);
    const to = Math.max(from + 1, Math.floor(((at + 1) * peaks.length) / bars));
    return peaks.subarray(from, to).reduce((most, peak) => Math.max(most, peak), 0) / 255;
  });
}

/** Where bars stand. Pixels. */
export interface BarLayout {
  /** From one bar to the next. */
  readonly pitch: number;
  readonly height: number;
  /** A rest is drawn too, so that silence is seen to be there. */
  readonly heightMin: number;
}

/** The bars as one path of upright strokes around the middle, in the language of SVG. */
export const barPath = (bars: readonly number[], { pitch, height, heightMin }: BarLayout): string =>
  bars
    .map((bar, at) => {
      const length = Math.max(heightMin, bar * height);
      return `M${round(pitch * (at + 0.5))} ${round((height - length) / 2)}v${round(length)}`;
    })
    .join('');

const round = (value: number): number => Math.round(value * 10) / 10;
