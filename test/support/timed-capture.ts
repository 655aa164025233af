/**
 * A capture of a simulated card together with the times at which its frames left (`output.virtual.capture_times`). Every channel, to the frame, and by
 * nothing of the program's: that reads the same files for its demo (src/cli/demo/recording.ts).
 */
import { readFileSync } from 'node:fs';
import { readCapture, type Sound } from './capture.js';

/** Frames of one row: the first, and when it left by the clock that all processes of this machine share (CLOCK_MONOTONIC_RAW). */
interface CaptureRow {
  readonly frame: number;
  readonly atNs: bigint;
}

/** Where in a song a card was, over the time of this machine. */
export class TimedCapture {
  readonly sound: Sound;
  readonly rows: readonly CaptureRow[];

  constructor(wav: string, times: string) {
    this.sound = readCapture(wav);
    const lines = readFileSync(times, 'latin1').split('\n').slice(0, -1);
    this.rows = lines.map((line) => {
      const [frame, atNs] = line.split(' ');
      return { frame: Number(frame), atNs: BigInt(atNs!) };
    });
  }

  /** A sample of a channel, full scale = 1, at an instant; undefined where nothing left the card then, 0 where that was silence. */
  at(atNs: bigint, channel: number): number | undefined {
    const index = this.rows.findLastIndex((row) => row.atNs <= atNs);
    const [row, next] = [this.rows[index], this.rows[index + 1]];
    if (row === undefined || next === undefined) return undefined;
    const { rate, channels, samples } = this.sound;
    const frame = row.frame + Math.round((Number(atNs - row.atNs) * rate) / 1e9);
    // Between what a row covers and the next row the card stood still.
    return frame < next.frame ? samples[frame * channels + channel] : undefined;
  }
}
