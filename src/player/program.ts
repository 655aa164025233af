/**
 * The program: all that the player needs to know, handed over whole at every change.
 *
 * The node works it out from the replicated state and sends it to the player's and the reader's threads. It says what sounds when,
 * in cluster time; the player does the rest alone, so that a busy or dead main thread is not heard. It reaches far enough ahead
 * ({@link PROGRAM_SEGMENTS_MAX} segments) for songs to follow one another without any message.
 */
import type { OutputChannels } from '../core/output-channels.js';
import type { ClusterTime } from '../core/units.js';
import type { AudioFormat, Chunks } from '../library/track.js';
import type { Segment } from '../playback/model.js';

/** What it takes to check a file chunk by chunk: what was agreed of its chunks, and where the last one ends. */
export interface FileChunks extends Chunks {
  /** Size of the whole file. */
  readonly fileBytes: number;
}

/** A stretch of sound with what it takes to read it. */
export interface ProgramSegment extends Segment {
  /** Path of the WAV file on the node's Disk, once it is in its place. */
  readonly file: string;
  /** With these no chunk is heard that is not what was agreed, and the file may still be arriving. Without, it is read as it is. */
  readonly chunks?: FileChunks;
  readonly format: AudioFormat;
  /** Length of the whole track in frames. */
  readonly frames: number;
  /** Amplitude factor that brings the track to the agreed loudness; 1 where levelling is off. */
  readonly levelGain: number;
}

/** From `at` on (after a ramp of 20 ms) the amplitude is multiplied by `gain`: 0 is silence, 1 unchanged. */
export interface GainChange {
  readonly at: ClusterTime;
  readonly gain: number;
}

/** What one node is to play: an immutable value that stands for itself, so that the newest one is all that a thread has to know. */
export interface Program {
  /** Rises with every program. */
  readonly generation: number;
  /** In order of time, without overlap. What is over may be left out. */
  readonly segments: readonly ProgramSegment[];
  /** In order of time; the first one holds from ever, so that a player that starts needs no history. */
  readonly gains: readonly GainChange[];
  readonly channels: OutputChannels;
  /** What amplifier and way to the ear add: the player is early by as much. Microseconds. */
  readonly latencyUs: number;
}

/** How far ahead a program reaches at least, where there is as much to play. Segments. */
export const PROGRAM_SEGMENTS_MAX = 64;
