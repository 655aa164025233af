/** The rooms of the demo, apart from what runs in them. */

/** Rooms with the crystals of their cards, parts per million: as far off as those of real cards are. */
export const DEMO_ROOMS: readonly (readonly [name: string, ppm: number])[] = [
  ['kitchen', 0],
  ['hall', 80],
  ['attic', -60],
  ['study', 35],
  ['bedroom', -110],
  ['cellar', 15],
  ['garage', 150],
  ['garden', -25],
  ['bathroom', 60],
];
/** The most nodes that there are rooms for. */
export const DEMO_NODES_MAX = DEMO_ROOMS.length;
