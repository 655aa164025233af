/** From what was agreed to what this node is to play: the player's program, worked out anew at every change. Pure. */
import { volumeToGain } from '../audio/gain.js';
import { levelGain } from '../audio/level.js';
import type { GainStep } from '../cluster/volume.js';
import type { OutputChannels } from '../core/output-channels.js';
import { addTime, type ClusterTime, clusterTime, NS_PER_MS } from '../core/units.js';
import type { ReadonlyLibrary } from '../library/library.js';
import { wavPath } from '../library/track-paths.js';
import type { Playback, Segment } from '../playback/model.js';
import { segments } from '../playback/timeline.js';
import { type GainChange, PROGRAM_SEGMENTS_MAX, type Program, type ProgramSegment } from '../player/program.js';

/** How far back a program reaches: the player's clock may be behind by as much, after it was set. Nanoseconds. */
const PAST_NS = 250n * NS_PER_MS;
/** What is over takes none of the room for what is to come, and is bounded for itself: tracks may be a few frames long. Segments. */
const PAST_SEGMENTS_MAX = 64;

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

/** The program as of `now`, counted from what the player has got to by then: it is early by its latency, or late by a negative one. */
export function programOf(generation: number, agreed: AgreedSound, settings: SoundSettings, now: ClusterTime): Program {
  const { playback, library } = agreed;
  const heardAt = shifted(now, BigInt(Math.round(settings.latencyUs * 1_000)));
  const past = segments(playback, shifted(heardAt, -PAST_NS), PAST_SEGMENTS_MAX).filter(
    ({ endAt }) => endAt <= heardAt,
  );
  return {
    generation,
    segments: [...past, ...segments(playback, heardAt, PROGRAM_SEGMENTS_MAX)].flatMap((segment) =>
      programSegment(segment, library, settings.level),
    ),
    gains: agreed.gainSteps.map((step) => gainChange(step, settings.volumeLimit)),
    channels: settings.channels,
    latencyUs: settings.latencyUs,
  };
}

/** `at` + `byNs`, but not before the clock's own beginning. */
const shifted = (at: ClusterTime, byNs: bigint): ClusterTime => (at + byNs > 0n ? addTime(at, byNs) : clusterTime(0n));

/** One stretch with what it takes to read it; none where the library has lost the track, and there will be silence. */
function programSegment(segment: Segment, library: ReadonlyLibrary, level: SoundSettings['level']): ProgramSegment[] {
  const track = library.get(segment.trackId);
  if (track === undefined) return [];
  const { integratedLufs, samplePeak } = track.loudness;
  return [
    {
      ...segment,
      file: wavPath(track.id),
      ...(track.chunks && { chunks: { ...track.chunks, fileBytes: track.bytes } }),
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
