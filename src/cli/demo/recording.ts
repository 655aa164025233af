/** What a simulated card wrote down: its WAV, and beside it when each frame left (io/virtual/capture-times.ts). */
import { readFile } from 'node:fs/promises';
import { frameBytes } from '../../audio/wav/fmt-chunk.js';
import { decodeFrames } from '../../audio/wav/sample-decoder.js';
import { WavReader } from '../../audio/wav/wav-reader.js';

/** Between two notes of times a card that runs is no further off than this: crystals of the demo, and rounding. */
const CRYSTAL_ERROR_MAX = 0.01;

interface Mark {
  readonly frame: number;
  readonly atNs: number;
}

/** The left channel of what a card played, over the time of the machine. Instants are nanoseconds after an origin that all recordings share. */
export class Recording {
  /** Full scale = 1. */
  readonly left: Float64Array;
  readonly #rate: number;
  readonly #marks: readonly Mark[];

  constructor(left: Float64Array, rate: number, marks: readonly Mark[]) {
    this.left = left;
    this.#rate = rate;
    this.#marks = marks;
  }

  /** Up to when it is known what was played; -Infinity where nothing is. */
  get endsAtNs(): number {
    return this.#marks.at(-1)?.atNs ?? Number.NEGATIVE_INFINITY;
  }

  /** Which frame, in fractions, left at that instant; undefined where the card stood still, or nothing is known. */
  frameAt(atNs: number): number | undefined {
    const at = this.#marks.findLastIndex((mark) => mark.atNs < atNs);
    const mark = this.#marks[at];
    const next = this.#marks[at + 1];
    if (mark === undefined || next === undefined) return undefined;
    const framesPerNs = (next.frame - mark.frame) / (next.atNs - mark.atNs);
    if (Math.abs((framesPerNs * 1e9) / this.#rate - 1) > CRYSTAL_ERROR_MAX) return undefined;
    return mark.frame + (atNs - mark.atNs) * framesPerNs;
  }
}

/** Reads all that is there of a recording, also while it grows. @param originNs of its instants */
export async function readRecording(wavPath: string, timesPath: string, originNs: bigint): Promise<Recording> {
  const { samples, channels, rate } = samplesOf(await readFile(wavPath));
  const left = samples.filter((_, index) => index % channels === 0);
  const lines = (await readFile(timesPath, 'latin1')).split('\n').slice(0, -1);
  const marks = lines.map((line) => {
    const [frame, at] = line.split(' ');
    return { frame: Number(frame), atNs: Number(BigInt(at!) - originNs) };
  });
  // Of a recording that grows, times may have been written that the sound has not.
  return new Recording(
    left,
    rate,
    marks.filter(({ frame }) => frame <= left.length),
  );
}

/** What a WAV file holds: interleaved, full scale = 1; all that is there of one that is still being written. */
export function samplesOf(file: Uint8Array): { samples: Float64Array; channels: number; rate: number } {
  const data: Uint8Array[] = [];
  const reader = new WavReader((bytes) => data.push(bytes));
  reader.push(file);
  if (reader.header === null) return { samples: new Float64Array(0), channels: 1, rate: 1 };
  const { format } = reader.header;
  const bytes = Buffer.concat(data);
  const frames = Math.floor(bytes.length / frameBytes(format));
  const samples = new Float64Array(frames * format.channels);
  decodeFrames(format, bytes.subarray(0, frames * frameBytes(format)), samples);
  return { samples, channels: format.channels, rate: format.sampleRate };
}
