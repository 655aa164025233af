/** Test signals, and how near a signal is to a sine. */

/** `frames` interleaved frames of a sine of `hertz` at `rate` frames per second and full scale; all channels alike. */
export function tone(hertz: number, rate: number, frames: number, channels = 1): Float64Array {
  return Float64Array.from({ length: frames * channels }, (_, i) =>
    Math.sin((2 * Math.PI * hertz * Math.floor(i / channels)) / rate),
  );
}

export interface SineFit {
  /** Power of the sine over the power of all that is not it, dB. */
  readonly snrDb: number;
  /** Amplitude of the sine against full scale, dB. */
  readonly levelDb: number;
  /** By how many seconds it comes after a sine that starts with frame 0. */
  readonly lateS: number;
}

/** The sine of `hertz` that is nearest to frames `from` to `to` of a mono `signal` in the sense of least squares. */
export function fitSine(signal: Float64Array, hertz: number, rate: number, from: number, to: number): SineFit {
  const omega = (2 * Math.PI * hertz) / rate;
  let ss = 0;
  let cc = 0;
  let sc = 0;
  let ys = 0;
  let yc = 0;
  for (let i = from; i < to; i++) {
    const s = Math.sin(omega * i);
    const c = Math.cos(omega * i);
    ss += s * s;
    cc += c * c;
    sc += s * c;
    ys += signal[i]! * s;
    yc += signal[i]! * c;
  }
  const determinant = ss * cc - sc * sc;
  const a = (ys * cc - yc * sc) / determinant;
  const b = (yc * ss - ys * sc) / determinant;
  let power = 0;
  let rest = 0;
  for (let i = from; i < to; i++) {
    const sine = a * Math.sin(omega * i) + b * Math.cos(omega * i);
    power += sine ** 2;
    rest += (signal[i]! - sine) ** 2;
  }
  return {
    snrDb: 10 * Math.log10(power / rest),
    levelDb: 20 * Math.log10(Math.hypot(a, b)),
    lateS: -Math.atan2(b, a) / (2 * Math.PI * hertz),
  };
}

/** Level of frames `from` to `to` of a mono `signal` against a full-scale sine, dB. */
export function levelDb(signal: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += signal[i]! ** 2;
  return 10 * Math.log10((2 * sum) / (to - from));
}

/** How loud a tone of `hertz` is in all of a mono `signal`: 0 to 1 against full scale, by Goertzel's filter. */
export function loudness(signal: ArrayLike<number>, hertz: number, rate: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let [before, last] = [0, 0];
  for (let i = 0; i < signal.length; i++) [before, last] = [last, signal[i]! + turn * last - before];
  return (2 * Math.sqrt(Math.max(0, last * last + before * before - turn * last * before))) / signal.length;
}
