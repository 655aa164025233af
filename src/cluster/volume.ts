/**
 * How loud: one level for the house and one for each node, independent of one another.
 *
 * What a node plays at is house * node / 100, so that turning the house down keeps the rooms' proportions; it is silent where either is
 * muted. A change holds from its stamp plus the lead, on all nodes at one instant, and the level before it is kept: a player that
 * hears of the change ahead of time ramps exactly then.
 */
import { type ClusterTime, clusterTime, laterOf } from '../core/units.js';

/** A volume in whole per cent, 0 to 100, and mute, which leaves the volume as it was. */
export interface Loudspeaker {
  readonly volume: number;
  readonly muted: boolean;
}

/** The newest setting and the one before it. */
export interface Level extends Loudspeaker {
  /** From when the newest one holds; `before` holds until then, and from ever. */
  readonly at: ClusterTime;
  readonly before: Loudspeaker;
}

/** From `at` on, `percent` of full volume: house * node / 100, 0 to 100, not always whole. */
export interface GainStep {
  readonly at: ClusterTime;
  readonly percent: number;
  readonly muted: boolean;
}

/** A wish: what is given changes. `delta` is added to the volume, within 0 to 100. */
export interface LevelChange {
  readonly volume?: number | undefined;
  readonly delta?: number | undefined;
  readonly muted?: boolean | undefined;
}

/** Full and not muted, from ever. */
export const FULL_LEVEL: Level = {
  volume: 100,
  muted: false,
  at: clusterTime(0n),
  before: { volume: 100, muted: false },
};

/** `level` after a change that holds from `at` on, or from the change before where that one is later. */
export function changeLevel(level: Level, at: ClusterTime, change: LevelChange): Level {
  const asked = change.volume ?? level.volume + (change.delta ?? 0);
  const volume = Math.min(100, Math.max(0, asked));
  const muted = change.muted ?? level.muted;
  if (volume === level.volume && muted === level.muted) return level;
  const before = { volume: level.volume, muted: level.muted };
  return { volume, muted, at: laterOf(at, level.at), before };
}

/** The level as it holds at `at`. */
const holdingAt = (level: Level, at: ClusterTime): Loudspeaker => (at < level.at ? level.before : level);

/** What a node's volume is and was, in order of time: one to three steps, of which the first holds from ever. */
export function gainSteps(house: Level, node: Level): GainStep[] {
  const ever = clusterTime(0n);
  const times = [...new Set([ever, house.at, node.at])].sort((a, b) => (a < b ? -1 : 1));
  return times.map((at) => {
    const [inHouse, inRoom] = [holdingAt(house, at), holdingAt(node, at)];
    return { at, percent: (inHouse.volume * inRoom.volume) / 100, muted: inHouse.muted || inRoom.muted };
  });
}
