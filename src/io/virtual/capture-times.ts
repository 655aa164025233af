/**
 * Notes when the frames left a simulated card, beside the WAV that holds them: so whoever looks at the captures of several rooms of one
 * machine can say how far apart they were, without asking any of them.
 *
 * A line for each stretch of frames: index of its first frame, counted from the first that the card ever played, and the instant at which
 * that left, nanoseconds of CLOCK_MONOTONIC_RAW, which all processes of a machine share. Two lines that are further apart in time than
 * their frames take say that the card stood still in between.
 */
import type { LocalTime } from '../../core/units.js';
import type { OutputFormat } from '../../ports/audio-output.js';
import type { Log } from '../../ports/log.js';
import { CaptureFile } from './capture-file.js';

/** A text file that grows beside a capture. */
export class CaptureTimes {
  readonly #file: CaptureFile;
  #format: OutputFormat | undefined;
  #frames = 0;
  #writtenUpTo = 0;
  #lines: string[] = [];

  /** @param init `path`: made anew by the first {@link begin} */
  constructor(components: { readonly log: Log }, init: { readonly path: string }) {
    this.#file = new CaptureFile(components, {
      path: init.path,
      cannot: 'The times of the capture cannot be written',
      breaksOff: 'The times of the capture break off: their file cannot be written. The music plays on.',
    });
  }

  /** The card was opened. @throws TuttiError OUTPUT_UNAVAILABLE where the file cannot be written */
  begin(format: OutputFormat): void {
    this.#format ??= format;
    this.#file.open(this.#frames === 0 ? 'w' : 'a');
  }

  /** `count` samples were played, the first of them at `at`. Never throws. */
  add(_samples: Int32Array, _start: number, count: number, at: LocalTime): void {
    if (!this.#file.isOpen) return;
    this.#lines.push(`${this.#frames} ${at}\n`);
    const { rate, channels } = this.#format!;
    this.#frames += count / channels;
    // Once a second of sound, as the capture itself.
    if (this.#frames - this.#writtenUpTo >= rate) this.#flush();
  }

  /** Idempotent: the file is whole. Never throws. */
  end(): void {
    this.#flush();
    this.#file.close();
  }

  #flush(): void {
    this.#file.attempt(() => {
      // In one call: a process that is killed leaves whole lines.
      const bytes = Buffer.from(this.#lines.join(''), 'latin1');
      this.#file.write(bytes, bytes.length, null);
      this.#lines = [];
      this.#writtenUpTo = this.#frames;
    });
  }
}
