/**
 * Notes when the frames left a simulated card, beside the WAV that holds them: so whoever looks at the captures of several rooms of one
 * machine can say how far apart they were, without asking any of them.
 *
 * A line for each stretch of frames: index of its first frame, counted from the first that the card ever played, and the instant at which
 * that left, nanoseconds of CLOCK_MONOTONIC_RAW, which all processes of a machine share. Two lines that are further apart in time than
 * their frames take say that the card stood still in between.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { TuttiError } from '../../core/errors.js';
import type { LocalTime } from '../../core/units.js';
import type { OutputFormat } from '../../ports/audio-output.js';
import type { Log } from '../../ports/log.js';

/** A text file that grows beside a capture. A disk that is full ends it, and not the music. */
export class CaptureTimes {
  readonly #log: Log;
  readonly #path: string;
  #descriptor: number | undefined;
  #format: OutputFormat | undefined;
  #frames = 0;
  #writtenUpTo = 0;
  #lines: string[] = [];
  #hasFailed = false;

  /** @param init `path`: made anew by the first {@link begin} */
  constructor(components: { readonly log: Log }, init: { readonly path: string }) {
    this.#log = components.log;
    this.#path = init.path;
  }

  /** The card was opened. @throws TuttiError OUTPUT_UNAVAILABLE where the file cannot be written */
  begin(format: OutputFormat): void {
    this.#format ??= format;
    if (this.#descriptor !== undefined || this.#hasFailed) return;
    try {
      this.#descriptor = openSync(this.#path, this.#frames === 0 ? 'w' : 'a');
    } catch (error) {
      const detail = `The times of the capture cannot be written: ${error instanceof Error ? error.message : String(error)}.`;
      throw new TuttiError('OUTPUT_UNAVAILABLE', detail, { path: this.#path }, error);
    }
  }

  /** `count` samples were played, the first of them at `at`. Never throws. */
  add(_samples: Int32Array, _start: number, count: number, at: LocalTime): void {
    if (this.#descriptor === undefined) return;
    this.#lines.push(`${this.#frames} ${at}\n`);
    const { rate, channels } = this.#format!;
    this.#frames += count / channels;
    // Once a second of sound, as the capture itself.
    if (this.#frames - this.#writtenUpTo >= rate) this.#flush();
  }

  /** Idempotent: the file is whole. Never throws. */
  end(): void {
    this.#flush();
    this.#letGo();
  }

  #letGo(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    try {
      if (descriptor !== undefined) closeSync(descriptor);
    } catch {
      // What could be written has been.
    }
  }

  #flush(): void {
    if (this.#descriptor === undefined || this.#lines.length === 0) return;
    try {
      // Appended in one call: a process that is killed leaves whole lines.
      writeSync(this.#descriptor, this.#lines.join(''));
      this.#lines = [];
      this.#writtenUpTo = this.#frames;
    } catch (error) {
      this.#hasFailed = true;
      this.#letGo();
      this.#log.error('The times of the capture break off: their file cannot be written. The music plays on.', {
        path: this.#path,
        error,
      });
    }
  }
}
