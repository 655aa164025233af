/** WAV files for tests: made byte by byte, made by sox and ffmpeg, or found on the machine. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BYTES_PER_SAMPLE } from '../../src/library/sample-bytes.js';
import type { SampleFormat } from '../../src/library/track.js';

/** What follows one another. Text is Latin-1, numbers are bytes. */
export function bytesOf(...parts: readonly (Uint8Array | string | readonly number[])[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)))),
  );
}

/** A little-endian number of 2, 4 or 8 bytes. */
export function little(value: number, size: 2 | 4 | 8): Uint8Array {
  const bytes = Buffer.alloc(size);
  if (size === 2) bytes.writeUInt16LE(value);
  if (size === 4) bytes.writeUInt32LE(value);
  if (size === 8) bytes.writeBigUInt64LE(BigInt(value));
  return new Uint8Array(bytes);
}

/** A chunk with its padding byte; `size` to state another size than that of the body. */
export const chunk = (id: string, body: Uint8Array | string, size: number = body.length): Uint8Array =>
  bytesOf(id, little(size, 4), body, body.length % 2 === 1 ? [0] : []);

export interface Fmt {
  readonly tag?: number;
  readonly channels?: number;
  readonly sampleRate?: number;
  readonly bits?: number;
  readonly blockAlign?: number;
  readonly byteRate?: number;
}

/** A `fmt ` chunk's body of 16 bytes: 16 bits, two channels, 44.1 kHz where nothing else is said. */
export function fmtBody(fmt: Fmt = {}): Uint8Array {
  const { tag = 1, channels = 2, sampleRate = 44_100, bits = 16 } = fmt;
  const blockAlign = fmt.blockAlign ?? channels * Math.ceil(bits / 8);
  const byteRate = fmt.byteRate ?? (sampleRate * blockAlign) % 2 ** 32;
  return bytesOf(
    little(tag, 2),
    little(channels, 2),
    little(sampleRate, 4),
    little(byteRate, 4),
    little(blockAlign, 2),
    little(bits, 2),
  );
}

/** A `fmt ` chunk's body of 40 bytes, WAVEFORMATEXTENSIBLE. `guid`: the 16 bytes of the sub-format. */
export function extensibleBody(
  fmt: Fmt & { readonly validBits?: number; readonly channelMask?: number; readonly guid?: Uint8Array } = {},
): Uint8Array {
  const { tag = 1, validBits = fmt.bits ?? 16, channelMask = 0, guid = subFormat(tag) } = fmt;
  return bytesOf(fmtBody({ ...fmt, tag: 0xfffe }), little(22, 2), little(validBits, 2), little(channelMask, 4), guid);
}

/** KSDATAFORMAT_SUBTYPE_WAVEFORMATEX with this format tag. */
export const subFormat = (tag: number): Uint8Array =>
  bytesOf(little(tag, 2), [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);

/** A RIFF/WAVE file of these chunks; `riffSize` to state another size than the right one. */
export function wavOf(chunks: readonly Uint8Array[], riffSize?: number, form = 'RIFF'): Uint8Array {
  const body = bytesOf('WAVE', ...chunks);
  return bytesOf(form, little(riffSize ?? body.length, 4), body);
}

/** A plain file: format and data. */
export const plainWav = (fmt: Fmt, data: Uint8Array): Uint8Array =>
  wavOf([chunk('fmt ', fmtBody(fmt)), chunk('data', data)]);

/** Pushes all bytes at once, or in pieces whose sizes `pieceSize` gives. */
export function pushAll(
  into: { push(bytes: Uint8Array): void },
  file: Uint8Array,
  pieceSize: () => number = () => file.length,
): void {
  for (let at = 0; at < file.length; ) {
    const piece = Math.max(1, pieceSize());
    into.push(file.subarray(at, at + piece));
    at += piece;
  }
}

/** False where the program runs, else why a test must be skipped. */
export function missing(program: 'sox' | 'ffmpeg'): string | false {
  const runs = spawnSync(program, [program === 'sox' ? '--version' : '-version']).status === 0;
  return runs ? false : `${program} is not installed (apt-get install ${program})`;
}

/** Standard output of a program that must succeed. */
export function run(program: string, args: readonly string[]): Uint8Array {
  const result = spawnSync(program, args, { maxBuffer: 256 * 1024 * 1024 });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.stderr}`);
  return new Uint8Array(result.stdout);
}

/** What a program writes to standard error, where ffmpeg's measurements go. */
export const runForErrors = (program: string, args: readonly string[]): string =>
  spawnSync(program, args, { encoding: 'utf8' }).stderr;

/** sox's options for an encoding of samples. */
export function soxEncoding(sample: SampleFormat): string[] {
  const kind = sample === 'u8' ? 'unsigned-integer' : sample.startsWith('f') ? 'floating-point' : 'signed-integer';
  return ['-e', kind, '-b', String(BYTES_PER_SAMPLE[sample] * 8)];
}

/** A directory that goes with the test. */
export function scratch(t: { teardown(fn: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-wav-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Recordings that nobody here made: the voices in Debian's alsa-utils package. */
const ALSA_SOUNDS = '/usr/share/sounds/alsa';
export const alsaSounds = (): string[] =>
  existsSync(ALSA_SOUNDS)
    ? readdirSync(ALSA_SOUNDS)
        .filter((name) => name.endsWith('.wav'))
        .sort()
        .map((name) => join(ALSA_SOUNDS, name))
    : [];
