/** Wavs: the tiny files that the owners of simulated houses upload. Each number has bytes of its own, always the same ones. */
import { createHash } from 'node:crypto';
import { type TrackId, trackId } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';

/** Bytes of the header. */
const HEADER_BYTES = 44;
/** Bytes of sound, from and to: from two chunks to some dozens. */
const SOUND_BYTES = [100, 2_000] as const;
const SAMPLE_RATE = 8_000;

/** One file. */
export interface Wav {
  readonly id: TrackId;
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

const made = new Map<number, Wav>();

/** The file with this number: 8 bits, one channel. */
export function wavOf(number: number): Wav {
  const known = made.get(number);
  if (known !== undefined) return known;
  const prng = new Prng(number + 1);
  const length = SOUND_BYTES[0] + prng.below(SOUND_BYTES[1] - SOUND_BYTES[0]);
  const bytes = new Uint8Array(HEADER_BYTES + length);
  const header = Buffer.from(bytes.buffer);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(bytes.length - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(length, 40);
  for (let at = HEADER_BYTES; at < bytes.length; at++) bytes[at] = prng.below(256);
  const wav: Wav = { id: idOf(bytes), fileName: `song ${number}.wav`, bytes };
  made.set(number, wav);
  return wav;
}

/** The id that a file with these bytes has. */
export const idOf = (bytes: Uint8Array): TrackId => trackId(createHash('sha256').update(bytes).digest('hex'));
