/** Files to upload: noise, of any size, as many different ones as one likes in little memory. */
import { Prng } from '../../../src/core/prng.js';
import { plainWav } from '../../support/wav-files.js';

/** A megabyte, as people who sell disks count. */
export const MB = 1_000_000;

/** One WAV file, in two parts: songs of one kind differ in the first only. */
export interface Song {
  readonly name: string;
  readonly parts: readonly [Uint8Array, Uint8Array];
  readonly bytes: number;
}

/** Bytes of a song that are its own: its header, and its first frames. */
const HEAD_BYTES = 64;
/** How long the header is that precedes the frames. Bytes. */
const WAV_HEADER_BYTES = 44;

/** Makes songs of `bytes` bytes, 16 bits and two channels at 44.1 kHz: the n-th call makes the n-th. */
export function songsOf(bytes: number): () => Song {
  const prng = new Prng(1);
  const noise = new Uint8Array(bytes - WAV_HEADER_BYTES);
  const words = new Uint32Array(noise.buffer, 0, noise.length >> 2);
  for (let word = 0; word < words.length; word++) words[word] = prng.u32();
  const file = plainWav({ sampleRate: 44_100, channels: 2, bits: 16 }, noise);
  let made = 0;
  return () => {
    const head = file.slice(0, HEAD_BYTES);
    new DataView(head.buffer).setUint32(WAV_HEADER_BYTES, ++made);
    return { name: `song-${made}.wav`, parts: [head, file.subarray(HEAD_BYTES)], bytes: file.length };
  };
}
