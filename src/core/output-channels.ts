/** Which sound of a stereo image a node gives: two nodes set to left and right make a pair. */
import { type Static, Type } from 'typebox';

/** `left`, `right`: that channel alone. `mono`: the mean of both. */
export const OutputChannels = Type.Union([
  Type.Literal('stereo'),
  Type.Literal('left'),
  Type.Literal('right'),
  Type.Literal('mono'),
]);
export type OutputChannels = Static<typeof OutputChannels>;
