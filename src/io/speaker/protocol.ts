/**
 * What passes between SpeakerOutput and the process that plays for it: settings as its argument, sound through its standard input, and a
 * record in a file, which the process rewrites and SpeakerOutput reads whenever it wants to know.
 */
import { readSync, writeSync } from 'node:fs';
import { type LocalTime, localTime } from '../../core/units.js';

/** The descriptor of the record in the process. */
export const RECORD_DESCRIPTOR = 3;

/** What the process is to do. */
export interface SpeakerSettings {
  /** The package, by name or path. */
  readonly module: string;
  /** Empty for the default one. */
  readonly device: string;
  readonly rate: number;
  readonly channels: number;
}

/** So many frames had been taken by the device at that instant. The first record is the sign that the device is open. */
export interface SpeakerRecord {
  readonly frames: number;
  readonly at: LocalTime;
}

/** Frames and instant, 64 bits each. */
const words = () => new BigUint64Array(2);

/** Puts `record` in the place of the one before. */
export function writeRecord(descriptor: number, { frames, at }: SpeakerRecord): void {
  writeSync(descriptor, BigUint64Array.of(BigInt(frames), at), 0, words().byteLength, 0);
}

/** The latest record; undefined where there is none yet. */
export function readRecord(descriptor: number): SpeakerRecord | undefined {
  const record = words();
  if (readSync(descriptor, record, 0, record.byteLength, 0) < record.byteLength) return undefined;
  return { frames: Number(record[0]), at: localTime(record[1]!) };
}
