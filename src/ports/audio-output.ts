/**
 * AudioOutput: a sound card. Real: io/alsa, io/speaker, io/virtual (simulated crystal). Fake: a card on fake time.
 *
 * Calls block for microseconds at most: the player's thread paces itself by `status`. Samples are whole numbers in the card's own
 * width, interleaved, so that sound which needs no change passes bit by bit.
 */
import type { TuttiError } from '../core/errors.js';
import type { LocalTime } from '../core/units.js';

/** Particulars of an error that says that the card is not there at all: pulled out, or not plugged in yet. */
export const ABSENT = { isAbsent: true } as const;

/** True where {@link AudioOutput.open} failed because the card is not there. */
export const isOfAbsence = ({ info }: TuttiError): boolean => info.isAbsent === true;

/** What the player would like of a card. */
export interface OutputRequest {
  /** Frames a second that would suit; the card may give another. */
  readonly rate: number;
  /** 1 to 8. */
  readonly channels: number;
  /** Significant bits of a sample that would suit: 16, 24 or 32. */
  readonly bits: number;
}

/** What the card gives. */
export interface OutputFormat {
  readonly rate: number;
  readonly channels: number;
  /** Samples run from -2^(bits-1) to 2^(bits-1) - 1. */
  readonly bits: number;
  /** Frames that the card's queue holds. */
  readonly bufferFrames: number;
  /** Frames in which the card takes sound out of the queue. */
  readonly periodFrames: number;
}

/** How the card stands at one instant. */
export interface OutputStatus {
  /**
   * `running`: the queue is being played. `underrun`: it ran dry and stands still until `recover`. `lost`: the card is gone, or cannot be
   * believed; `reason` says more, and only `close` and `open` lead out of it.
   */
  readonly state: 'running' | 'underrun' | 'lost';
  /**
   * Frames written and not yet played, at the instant `at`. The next frame written leaves the card after them. Without bias: an adapter
   * whose card counts whole frames adds the half that is missing on average.
   */
  readonly delayFrames: number;
  /** When that was true. */
  readonly at: LocalTime;
  /**
   * By how much `delayFrames` and `at` may miss each other, nanoseconds: as long as the reading took. Usually a few microseconds; much
   * more where the thread was interrupted in between, and then the reading is better left out of a fit. Absent where the two are exact.
   */
  readonly uncertaintyNs?: number;
  /** With `lost`: what the card said or did, in a sentence for a person. */
  readonly reason?: string;
  /** Frames that `write` would take now. */
  readonly writableFrames: number;
}

/** One sound card. Opened before anything else, and closed at the end. */
export interface AudioOutput {
  /**
   * Takes the card.
   * @throws TuttiError OUTPUT_UNAVAILABLE with what the card said; its info says {@link ABSENT} where there is no card, which costs next to
   * nothing to find out and may be tried several times a second
   */
  open(request: OutputRequest): OutputFormat;
  /**
   * Queues `frameCount` frames from `samples`; the card starts with the first ones. Gives how many it took.
   * After an underrun it takes nothing until `recover`.
   */
  write(samples: Int32Array, frameCount: number): number;
  status(): OutputStatus;
  /** Empties the queue and makes the card ready for `write` after an underrun. */
  recover(): void;
  /** Idempotent: lets the card go; what is queued is dropped. */
  close(): void;
}
