/** Sizes of samples, in a file that loads nothing: the threads that play need no schemas, and the library behind those takes 13 MB of each. */
import type { SampleFormat } from './track.js';

/** Bytes of one sample of one channel as it stands in the file. */
export const BYTES_PER_SAMPLE: Readonly<Record<SampleFormat, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
};
