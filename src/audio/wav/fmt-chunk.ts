/**
 * The `fmt ` chunk: what the samples of a WAV file are.
 *
 * Three layouts share it: PCMWAVEFORMAT (16 bytes), WAVEFORMATEX (18 and more) and WAVEFORMATEXTENSIBLE (40), told apart by the format
 * tag. Files lie in it: nothing is taken from a field that another one contradicts, because a wrong guess is noise at full volume.
 *
 * Further reading: Microsoft, "Multiple Channel Audio Data and WAVE Files"; RFC 2361 for the registered format tags.
 */
import { BYTES_PER_SAMPLE } from '../../library/sample-bytes.js';
import type { AudioFormat, SampleFormat } from '../../library/track.js';
import { unsupportedAudio } from './unsupported.js';

/** All of WAVEFORMATEXTENSIBLE: later bytes of a longer chunk mean nothing for PCM. */
export const FMT_BYTES_MAX = 40;
/** PCMWAVEFORMAT, the shortest layout that states the bits of a sample. */
const FMT_BYTES_MIN = 16;

const TAG_PCM = 0x0001;
const TAG_FLOAT = 0x0003;
const TAG_EXTENSIBLE = 0xfffe;

/** Format tags that are met in WAV files, for the sake of a good message (RFC 2361 and Microsoft's mmreg.h). */
const TAG_NAMES: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  6: 'A-law',
  7: 'mu-law',
  8: 'DTS',
  17: 'IMA ADPCM',
  32: 'Yamaha ADPCM',
  34: 'TrueSpeech',
  49: 'GSM 6.10',
  69: 'G.726 ADPCM',
  80: 'MPEG layer 1 or 2',
  85: 'MPEG layer 3',
  100: 'G.726 ADPCM',
  146: 'AC-3 over S/PDIF',
  255: 'AAC',
  353: 'Windows Media Audio',
  354: 'Windows Media Audio Professional',
  355: 'Windows Media Audio Lossless',
  5648: 'HE-AAC',
  8192: 'AC-3',
  8193: 'DTS',
  26447: 'Ogg Vorbis',
  61868: 'FLAC',
};

/** As they lie in the file, the last 14 bytes of a sub-format that is a format tag in disguise: 0000XXXX-0000-0010-8000-00aa00389b71. */
const TAG_GUID_TAIL = '0000000010008000' + '00aa00389b71';

/** What the chunk says of the samples; where they lie is the reader's to add. */
export type SampleLayout = Omit<AudioFormat, 'dataOffset'>;

/** Bytes of one frame: a sample of each channel. */
export const frameBytes = (layout: Pick<AudioFormat, 'sample' | 'channels'>): number =>
  BYTES_PER_SAMPLE[layout.sample] * layout.channels;

/**
 * Reads the chunk's body, or its first {@link FMT_BYTES_MAX} bytes where it is longer.
 * @throws TuttiError UNSUPPORTED_AUDIO
 */
export function parseFmtChunk(body: Uint8Array): SampleLayout {
  if (body.length < FMT_BYTES_MIN) {
    throw unsupportedAudio(`a WAV whose fmt chunk has ${body.length} bytes`, 'it takes 16, 18 or 40');
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const tag = view.getUint16(0, true);
  const channels = view.getUint16(2, true);
  const sampleRate = view.getUint32(4, true);
  // The average byte rate at offset 8 is a hint for players of compressed audio; for PCM it follows from the rest.
  const blockAlign = view.getUint16(12, true);
  const bits = view.getUint16(14, true);

  const extension = tag === TAG_EXTENSIBLE ? parseExtension(body, view, bits) : { tag, channelMask: 0 };
  if (extension.tag !== TAG_PCM && extension.tag !== TAG_FLOAT) throw unsupportedAudio(nameOfTag(extension.tag));
  if (channels < 1 || channels > 8) throw unsupportedAudio(`${channels} channels`, '1 to 8 are played');
  if (sampleRate < 8_000 || sampleRate > 192_000) {
    throw unsupportedAudio(`a sample rate of ${sampleRate} Hz`, '8,000 to 192,000 are played');
  }
  const sample = sampleFormat(extension.tag, bits);
  const layout = { sampleRate, channels, sample, channelMask: extension.channelMask };
  if (blockAlign !== frameBytes(layout)) {
    throw unsupportedAudio(
      `a WAV whose frames have ${blockAlign} bytes`,
      `${channels} channels of ${bits} bits would be ${frameBytes(layout)}`,
    );
  }
  return layout;
}

/**
 * A PCM sample of fewer bits than its bytes hold is left-justified, with zeros below, so 12 bits read as 16 and 20 as 24.
 * @throws TuttiError UNSUPPORTED_AUDIO
 */
function sampleFormat(tag: number, bits: number): SampleFormat {
  if (tag === TAG_FLOAT) {
    if (bits === 32) return 'f32';
    if (bits === 64) return 'f64';
    throw unsupportedAudio(`floats of ${bits} bits`, '32 and 64 are played');
  }
  const format = ([undefined, 'u8', 's16', 's24', 's32'] as const)[Math.ceil(bits / 8)];
  if (format === undefined) throw unsupportedAudio(`PCM of ${bits} bits`, '8, 16, 24 and 32 are played');
  return format;
}

/**
 * WAVEFORMATEXTENSIBLE: size of the extension, valid bits, speaker mask, sub-format.
 * @throws TuttiError UNSUPPORTED_AUDIO
 */
function parseExtension(body: Uint8Array, view: DataView, bits: number): { tag: number; channelMask: number } {
  if (body.length < FMT_BYTES_MAX) {
    throw unsupportedAudio(
      `a WAV of format 0xfffe (EXTENSIBLE) whose fmt chunk has ${body.length} bytes`,
      'it takes 40',
    );
  }
  // Valid bits stand at the top of the sample, so they change nothing; 0 is what some writers leave there.
  const validBits = view.getUint16(18, true);
  if (validBits > bits) throw unsupportedAudio(`${validBits} valid bits in samples of ${bits}`, 'they must fit');
  const guidTail = [...body.subarray(26, 40)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (guidTail !== TAG_GUID_TAIL) throw unsupportedAudio(`a WAV with the sub-format ${guidText(view)}`);
  return { tag: view.getUint16(24, true), channelMask: view.getUint32(20, true) };
}

/** A GUID as it is written: the first three fields are little-endian numbers, the rest bytes. */
function guidText(view: DataView): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const bytes = (from: number, to: number) => {
    let text = '';
    for (let i = from; i < to; i++) text += hex(view.getUint8(i), 2);
    return text;
  };
  const fields = [hex(view.getUint32(24, true), 8), hex(view.getUint16(28, true), 4), hex(view.getUint16(30, true), 4)];
  return [...fields, bytes(32, 34), bytes(34, 40)].join('-');
}

function nameOfTag(tag: number): string {
  const name = TAG_NAMES[tag];
  return `a WAV with format 0x${tag.toString(16).padStart(4, '0')}${name === undefined ? '' : ` (${name})`}`;
}
