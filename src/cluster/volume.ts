/**
 * How loud: one level for the house and one for each node, independent of one another.
 *
 * What a node plays at is house * node / 100, so that turning the house down keeps the rooms' proportions; it is silent where either is
 * muted. A change holds from its stamp plus the lead, on all nodes at one instant. What holds until then is
 * kept, with changes that are still ahead: a player that hears of them ahead of time ramps exactly then, at each. So is what held a moment
 * ago, for rooms that are behind by their latency.
 */
import { addTime, type ClusterTime, clusterTime, laterOf } from '../core/units.js';
import type { Asked } from '../playback/change.js';
import { TAIL_KEPT_NS } from '../playback/model.js';

/** A volume in whole per cent, 0 to 100, and mute, which leaves the volume as it was. */
export interface Loudspeaker {
  readonly volume: number;
  readonly muted: boolean;
}

/** A setting and from when it holds. */
export interface LevelStep extends Loudspeaker {
  readonly at: ClusterTime;
}

/** The newest setting, and those before it. */
export interface Level extends LevelStep {
  /** In order of time, at least one, each until the next one holds; the first holds from ever, whatever its `at` says. */
  readonly before: readonly LevelStep[];
}

/** How many settings are kept before the newest, and of those that are over as many: a knob turned fast within a second makes fewer. */
export const LEVEL_STEPS_MAX = 16;

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

const FULL: LevelStep = { volume: 100, muted: false, at: clusterTime(0n) };
/** Full and not muted, from ever. */
export const FULL_LEVEL: Level = { ...FULL, before: [FULL] };

/**
 * `level` after a change, which holds from its stamp plus the lead, or from the change before where that one is later. What was over
 * {@link TAIL_KEPT_NS} before the stamp is forgotten. Where more changes are ahead than are kept, the newest takes the place of the last one.
 */
export function changeLevel(
  level: Level,
  { stamp, leadNs }: Pick<Asked, 'stamp' | 'leadNs'>,
  change: LevelChange,
): Level {
  const wanted = change.volume ?? level.volume + (change.delta ?? 0);
  const volume = Math.min(100, Math.max(0, wanted));
  const muted = change.muted ?? level.muted;
  if (volume === level.volume && muted === level.muted) return level;
  const at = laterOf(addTime(stamp, leadNs), level.at);
  const newest = { volume: level.volume, muted: level.muted, at: level.at };
  // What would hold for no time at all is replaced; there is always an earlier one.
  const earlier = level.at < at ? [...level.before, newest] : level.before;
  const holdingAt = (instant: bigint) =>
    Math.max(
      0,
      earlier.findLastIndex((step) => step.at <= instant),
    );
  const holding = holdingAt(stamp);
  const first = Math.max(holdingAt(stamp - TAIL_KEPT_NS), holding - LEVEL_STEPS_MAX);
  return { volume, muted, at, before: earlier.slice(first, holding + LEVEL_STEPS_MAX) };
}

/** The level as it holds at `at`. */
const levelAt = (level: Level, at: ClusterTime): Loudspeaker =>
  at >= level.at ? level : (level.before.findLast((step) => step.at <= at) ?? level.before[0]!);

/** When a level changes. */
const changesOf = ({ at, before }: Level): ClusterTime[] => [...before.slice(1).map((step) => step.at), at];

/** What a node's volume is and was, in order of time; the first step holds from ever. */
export function gainSteps(house: Level, node: Level): GainStep[] {
  const ever = clusterTime(0n);
  const times = [...new Set([ever, ...changesOf(house), ...changesOf(node)])].sort((a, b) => (a < b ? -1 : 1));
  return times.map((at) => {
    const [inHouse, inRoom] = [levelAt(house, at), levelAt(node, at)];
    return { at, percent: (inHouse.volume * inRoom.volume) / 100, muted: inHouse.muted || inRoom.muted };
  });
}
