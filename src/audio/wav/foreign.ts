/**
 * Names a file that is no WAV by its first bytes, so that whoever hands in the wrong one reads "this is FLAC" and not "bad header".
 *
 * Signatures are those of each format's own specification; the list by Gary Kessler (https://www.garykessler.net/library/file_sigs.html)
 * has most of them side by side.
 */

/** Bytes of a file's start that {@link nameForeignFile} looks at: what a RIFF form needs, and all signatures below lie within. */
export const SIGNATURE_BYTES = 12;

/** Signature as Latin-1 text, its offset in the file, and the name of what has it. The first match counts. */
const SIGNATURES: readonly (readonly [signature: string, offset: number, name: string])[] = [
  ['ID3', 0, 'MP3 (it starts with an ID3 tag)'],
  ['fLaC', 0, 'FLAC'],
  ['OggS', 0, 'Ogg (Vorbis, Opus or FLAC)'],
  ['AIFF', 8, 'AIFF'],
  ['AIFC', 8, 'AIFF-C'],
  ['ftyp', 4, 'MP4 (AAC or ALAC)'],
  ['RIFX', 0, 'big-endian WAV (RIFX)'],
  ['riff\x2e\x91\xcf\x11', 0, 'Sony Wave64'],
  ['caff', 0, 'Core Audio Format'],
  ['.snd', 0, 'Sun AU'],
  ['wvpk', 0, 'WavPack'],
  ['MAC ', 0, "Monkey's Audio"],
  ['MPCK', 0, 'Musepack'],
  ['MP+', 0, 'Musepack'],
  ['TTA1', 0, 'True Audio'],
  ['DSD ', 0, 'DSD (DSF)'],
  ['FRM8', 0, 'DSD (DSDIFF)'],
  ['\x30\x26\xb2\x75', 0, 'Windows Media'],
  ['\x1a\x45\xdf\xa3', 0, 'Matroska or WebM'],
  ['#!AMR', 0, 'AMR'],
  ['MThd', 0, 'MIDI'],
  ['PK\x03\x04', 0, 'a ZIP archive'],
  ['\x1f\x8b', 0, 'a gzip file'],
  ['%PDF', 0, 'a PDF document'],
  ['\x89PNG', 0, 'a PNG picture'],
  ['\xff\xd8\xff', 0, 'a JPEG picture'],
  ['<!DO', 0, 'a web page'],
  ['<htm', 0, 'a web page'],
];

/** What the file with these first bytes (up to {@link SIGNATURE_BYTES}) is, as far as they tell. */
export function nameForeignFile(start: Uint8Array): string {
  if (start.length === 0) return 'an empty file';
  const text = String.fromCharCode(...start);
  for (const [signature, offset, name] of SIGNATURES) if (text.startsWith(signature, offset)) return name;
  if (text.startsWith('RIFF')) return `RIFF of the kind ${JSON.stringify(text.slice(8, 12))}, not WAVE`;
  return nameMpegFrame(start[0]!, start[1] ?? 0) ?? `unknown contents (first bytes ${hexOf(start.subarray(0, 4))})`;
}

/** MPEG audio has no signature: a frame starts with 11 one-bits, the version and the layer (ISO 11172-3, 13818-7 for ADTS). */
function nameMpegFrame(first: number, second: number): string | null {
  if (first !== 0xff || second < 0xe0 || second === 0xff) return null;
  return ['AAC (ADTS)', 'MP3', 'MPEG layer 2', 'MPEG layer 1'][(second >> 1) & 3]!;
}

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
