/**
 * From the channels of a file to those of a card.
 *
 * A file's channels are for the speakers that it names, or that their number usually means (speakers.ts); a card's for those that their
 * number usually means. A speaker that the card has gets its channel as it is; one that it lacks is shared out to those nearest to it by
 * the coefficients of ITU-R BS.775-3, Annex 4. Then the whole matrix is scaled so that no output can exceed full scale: quieter, but
 * never clipped.
 *
 * Both sides are in the order of the WAVE format (ascending bits of the mask); an adapter whose card has another order permutes.
 */
import type { OutputChannels } from '../core/output-channels.js';
import { fileSpeakers, type Speaker, usualLayout } from './speakers.js';

/** -3 dB: one channel in two speakers, or two in one, at the same power. */
const HALF_POWER = Math.SQRT1_2;

/** Where a speaker's sound may go when the speaker is missing: the first share whose speakers are all there is taken. */
type Share = readonly [gain: number, ...speakers: Speaker[]];
const SHARES: Readonly<Record<Speaker, readonly Share[]>> = {
  FL: [[HALF_POWER, 'FC']],
  FR: [[HALF_POWER, 'FC']],
  FC: [[HALF_POWER, 'FL', 'FR']],
  // BS.775 leaves the effects channel out of every mix-down: main speakers cannot take its level.
  LFE: [],
  BL: [
    [1, 'SL'],
    [HALF_POWER, 'BC'],
    [HALF_POWER, 'FL'],
    [0.5, 'FC'],
  ],
  BR: [
    [1, 'SR'],
    [HALF_POWER, 'BC'],
    [HALF_POWER, 'FR'],
    [0.5, 'FC'],
  ],
  FLC: [
    [1, 'FL'],
    [HALF_POWER, 'FC'],
  ],
  FRC: [
    [1, 'FR'],
    [HALF_POWER, 'FC'],
  ],
  BC: [
    [HALF_POWER, 'BL', 'BR'],
    [HALF_POWER, 'SL', 'SR'],
    [0.5, 'FL', 'FR'],
    [0.5, 'FC'],
  ],
  SL: [
    [1, 'BL'],
    [HALF_POWER, 'BC'],
    [HALF_POWER, 'FL'],
    [0.5, 'FC'],
  ],
  SR: [
    [1, 'BR'],
    [HALF_POWER, 'BC'],
    [HALF_POWER, 'FR'],
    [0.5, 'FC'],
  ],
  // BS.775 knows no speakers overhead: they count like the surround channel nearest below.
  TC: [
    [0.5, 'FL', 'FR'],
    [0.5, 'FC'],
  ],
  TFL: [
    [HALF_POWER, 'FL'],
    [0.5, 'FC'],
  ],
  TFC: [
    [HALF_POWER, 'FC'],
    [0.5, 'FL', 'FR'],
  ],
  TFR: [
    [HALF_POWER, 'FR'],
    [0.5, 'FC'],
  ],
  TBL: [
    [HALF_POWER, 'BL'],
    [0.5, 'FL'],
    [0.5, 'FC'],
  ],
  TBC: [
    [HALF_POWER, 'BC'],
    [0.5, 'BL', 'BR'],
    [0.5, 'FL', 'FR'],
    [0.5, 'FC'],
  ],
  TBR: [
    [HALF_POWER, 'BR'],
    [0.5, 'FR'],
    [0.5, 'FC'],
  ],
};
/** A single channel is meant for everyone: at full level on both sides. */
const MONO_SHARES: readonly Share[] = [
  [1, 'FL', 'FR'],
  [1, 'FC'],
];

/**
 * How loud each channel of a file sounds in each channel of a card: row = card channel, column = file channel.
 *
 * No row's absolute values sum to more than 1. The identity where both have the same speakers, so that samples pass bit by bit.
 * @param fromChannels 1 to 8. One channel plays in both front speakers, two are left and right, whatever the mask says.
 * @param channelMask dwChannelMask of the file; 0, or one that names another number of speakers: the usual layout
 * @param toChannels 1 to 8
 * @param select `stereo`: each speaker its own. `left`, `right`: that side of the stereo mix in all channels. `mono`: their mean.
 */
export function channelMatrix(
  fromChannels: number,
  channelMask: number,
  toChannels: number,
  select: OutputChannels,
): Float64Array {
  const from = fileSpeakers(fromChannels, channelMask);
  const to = usualLayout(toChannels);
  if (select === 'stereo') return mixDown(from, to);
  const stereo = mixDown(from, usualLayout(2));
  const row = Array.from({ length: fromChannels }, (_, channel) => {
    const left = stereo[channel]!;
    const right = stereo[fromChannels + channel]!;
    return select === 'left' ? left : select === 'right' ? right : (left + right) / 2;
  });
  return Float64Array.from({ length: toChannels * fromChannels }, (_, i) => row[i % fromChannels]!);
}

/** True where `matrix` leaves every channel as it is, so that mixing can be skipped. */
export function isIdentity(matrix: Float64Array, inChannels: number, outChannels: number): boolean {
  return (
    inChannels === outChannels &&
    matrix.every((gain, i) => gain === (Math.floor(i / inChannels) === i % inChannels ? 1 : 0))
  );
}

/** Mixes `frames` interleaved frames of `input` into `output`, which must be another array, by a {@link channelMatrix}. */
export function mixChannels(
  matrix: Float64Array,
  input: Float64Array,
  inChannels: number,
  output: Float64Array,
  outChannels: number,
  frames: number,
): void {
  for (let frame = 0; frame < frames; frame++) {
    const from = frame * inChannels;
    const to = frame * outChannels;
    for (let out = 0; out < outChannels; out++) {
      let sum = 0;
      for (let channel = 0; channel < inChannels; channel++) {
        sum += matrix[out * inChannels + channel]! * input[from + channel]!;
      }
      output[to + out] = sum;
    }
  }
}

function mixDown(from: readonly Speaker[], to: readonly Speaker[]): Float64Array {
  const matrix = new Float64Array(to.length * from.length);
  from.forEach((speaker, channel) => {
    const shares: readonly Share[] = from.length === 1 ? MONO_SHARES : [[1, speaker], ...SHARES[speaker]];
    const share = shares.find(([, ...targets]) => targets.every((target) => to.includes(target)));
    if (share === undefined) return;
    const [gain, ...targets] = share;
    for (const target of targets) matrix[to.indexOf(target) * from.length + channel] = gain;
  });
  return withinFullScale(matrix, from.length);
}

/** All rows scaled alike, so that the balance stays, until none sums to more than 1. */
function withinFullScale(matrix: Float64Array, columns: number): Float64Array {
  let largest = 1;
  for (let start = 0; start < matrix.length; start += columns) {
    largest = Math.max(
      largest,
      matrix.subarray(start, start + columns).reduce((sum, gain) => sum + Math.abs(gain), 0),
    );
  }
  return matrix.map((gain) => gain / largest);
}
