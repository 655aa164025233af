/** From what was agreed to what this node is to play: the player's program, worked out anew at every change. Pure. */
import { volumeToGain } from '../audio/gain.js';
import { levelGain } from '../audio/level.js';
import type { GainStep } from '../cluster/volume.js';
import type { OutputChannels } from '../core/output-channels.js';
import { addTime, type ClusterTime, clusterTime, NS_PER_S } from '../core/units.js';
import type { ReadonlyLibrary } from '../library/library.js';
import type { Playback, Segment } from '../playback/model.js';
import { segments } from '../playback/timeline.js';
import { type GainChange, PROGRAM_SEGMENTS_MAX, type Program, type ProgramSegment } from '../player/program.js';
import { trackPath } from '../tracks/track-store.js';

/** How far back a program reaches: a node whose latency is negative plays by as much later (at most 1 s). Nanoseconds. */
const PAST_NS = 2n * NS_PER_S;

/** This node's own share in how it sounds. */
export interface SoundSettings {
  readonly channels: OutputChannels;
  readonly latencyUs: number;
  /** Sound that is kept in the card. Milliseconds. */
  readonly queueMs: number;
  /** Per cent that the volume never exceeds here. */
  readonly volumeLimit: number;
  readonly level: 'off' | 'track';
}

/** What was agreed. */
export interface AgreedSound {
  readonly playback: Playback;
  readonly library: ReadonlyLibrary;
  /** Of this node. */
  readonly gainSteps: readonly GainStep[];
}

/** The program as of `now`. */
export function programOf(generation: number, agreed: AgreedSound, settings: SoundSettings, now: ClusterTime): Program {
  const from = now > PAST_NS ? addTime(now, -PAST_NS) : clusterTime(0n);
  return {
    generation,
    segments: segments(agreed.playback, from, PROGRAM_SEGMENTS_MAX).flatMap((segment) =>
      programSegment(segment, agreed.library, settings.level),
    ),
    gains: agreed.gainSteps.map((step) => gainChange(step, settings.volumeLimit)),
    channels: settings.channels,
    latencyUs: settings.latencyUs,
  };
}

/** One stretch with what it takes to read it; none where the library has lost the track, and there will be silence. */
function programSegment(segment: Segment, library: ReadonlyLibrary, level: SoundSettings['level']): ProgramSegment[] {
  const track = library.get(segment.trackId);
  if (track === undefined) return [];
  const { integratedLufs, samplePeak } = track.loudness;
  return [
    {
      ...segment,
      file: trackPath(track.id),
      format: track.format,
      frames: track.frames,
      levelGain: level === 'track' ? levelGain(integratedLufs, samplePeak) : 1,
    },
  ];
}

/** The node's own limit comes last: no setting of the house gets above it. */
const gainChange = ({ at, percent, muted }: GainStep, volumeLimit: number): GainChange => ({
  at,
  gain: muted ? 0 : volumeToGain(Math.min(percent, volumeLimit)),
});
