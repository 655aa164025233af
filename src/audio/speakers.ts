/**
 * Which speaker each channel is for.
 *
 * A WAV file may name its speakers by the bits of dwChannelMask; its channels then come in the order of ascending bits. Most files name
 * none, or name another number of speakers than they have channels: those mean the usual layout for their number of channels.
 *
 * Further reading: Microsoft, "Multiple Channel Audio Data and WAVE Files"; RFC 9639 (FLAC), 9.1.3, which has the same usual layouts.
 */
import { assert } from '../core/assert.js';

/** Speakers by the bit of dwChannelMask that stands for them: F front, B back, S side, T top; L left, R right, C centre. */
const SPEAKERS = [
  'FL',
  'FR',
  'FC',
  'LFE',
  'BL',
  'BR',
  'FLC',
  'FRC',
  'BC',
  'SL',
  'SR',
  'TC',
  'TFL',
  'TFC',
  'TFR',
  'TBL',
  'TBC',
  'TBR',
] as const;

/** A place around the listener: F front, B back, S side, T top; L left, R right, C centre; LFE: the effects channel. */
export type Speaker = (typeof SPEAKERS)[number];

/** From one channel to eight, each in the order of the WAVE format. */
const USUAL_LAYOUTS: readonly (readonly Speaker[])[] = [
  ['FC'],
  ['FL', 'FR'],
  ['FL', 'FR', 'FC'],
  ['FL', 'FR', 'BL', 'BR'],
  ['FL', 'FR', 'FC', 'BL', 'BR'],
  ['FL', 'FR', 'FC', 'LFE', 'BL', 'BR'],
  ['FL', 'FR', 'FC', 'LFE', 'BC', 'SL', 'SR'],
  ['FL', 'FR', 'FC', 'LFE', 'BL', 'BR', 'SL', 'SR'],
];

/** The speakers meant by a number of channels, 1 to 8, where nothing else is said. */
export function usualLayout(channels: number): readonly Speaker[] {
  const layout = USUAL_LAYOUTS[channels - 1];
  assert(layout !== undefined, 'there are 1 to 8 channels');
  return layout;
}

/**
 * The speaker that each channel of a file is for.
 * @param channels 1 to 8. One channel is for the centre, two are left and right, whatever the mask says.
 * @param channelMask dwChannelMask of the file; 0, or one that names another number of speakers: the usual layout
 */
export function fileSpeakers(channels: number, channelMask: number): readonly Speaker[] {
  const usual = usualLayout(channels);
  const named = SPEAKERS.filter((_, bit) => (channelMask >>> bit) & 1);
  return channels > 2 && named.length === channels ? named : usual;
}
