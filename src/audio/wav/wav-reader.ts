/**
 * A streaming reader of RIFF/WAVE: bytes in, in pieces of any size; format, samples and tags out.
 *
 * A WAV file is a chain of chunks behind twelve bytes of form header: an id, a size, the body, and a zero byte after an odd size.
 * `fmt ` says what the samples are, `data` holds them, `LIST` and `id3 ` hold tags on either side of it, and anything else is passed
 * over. RF64 and BW64 are the same with sizes of 64 bits, in a `ds64` chunk, because 32 bits end at 4 GiB.
 *
 * Sizes lie. Programs that write to a pipe cannot come back to fill them in and leave a value that stands for "until the end"; there
 * the data go on to the end of the file. All other sizes are believed, and a file that is shorter than they promise is incomplete:
 * an upload that broke off must not pass for a song.
 *
 * Memory is bounded whatever a header says: at most {@link TAG_BYTES_MAX} of one chunk are kept at a time.
 *
 * Further reading: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0"; EBU Tech 3306 (RF64);
 * ITU-R BS.2088 (BW64).
 */
import { TuttiError } from '../../core/errors.js';
import type { AudioFormat, Tags } from '../../library/track.js';
import { FMT_BYTES_MAX, frameBytes, parseFmtChunk, type SampleLayout } from './fmt-chunk.js';
import { nameForeignFile, SIGNATURE_BYTES } from './foreign.js';
import { parseId3 } from './id3-tags.js';
import { parseInfoList } from './info-tags.js';
import { mergeTags, type RawTags } from './tags.js';
import { unsupportedAudio } from './unsupported.js';

/** Bytes kept of a chunk of tags. Texts take a few kilobytes and stand first; what is longer holds pictures. */
export const TAG_BYTES_MAX = 256 * 1024;

/** RIFF sizes of 32 bits that say "see ds64", or "unknown". */
const SIZE_UNSET = 0xffff_ffff;

/**
 * Sizes that programs leave when they write to a pipe: all ones (ffmpeg, and others), 2 GiB less a page (sox), 2 GiB less one and 2 GiB
 * (arecord, and others who count in signed numbers). For data some take the largest number of whole frames below.
 */
const SIZES_OF_STREAMS = [SIZE_UNSET, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000] as const;

/** Some writers count the eight bytes before the RIFF size too, or forget that a padding byte is missing: no sign of a cut file. */
const RIFF_SIZE_SLACK = 9;

const FORM_BYTES = SIGNATURE_BYTES;
const CHUNK_HEADER_BYTES = 8;
/** Sizes of RIFF and data, and the sample count: all that is read of `ds64`. Its table is of chunks other than data. */
const DS64_BYTES = 24;

/** What is known as soon as the data chunk begins. */
export interface WavHeader {
  readonly format: AudioFormat;
  /** Bytes that the data chunk promises; null: all that come until the end of the file. */
  readonly dataBytes: number | null;
  /** Bytes that the whole file must have to be complete, by the sizes of form and data; null where they do not say. */
  readonly fileBytes: number | null;
}

/** What is known at the end of a file. */
export interface WavFile {
  readonly format: AudioFormat;
  /** Whole frames; at least 1. */
  readonly frames: number;
  /** Bytes of the file. */
  readonly bytes: number;
  readonly tags: Tags;
}

/** Which bytes come next. `keep`: those of a chunk that is read when it is there. */
type Place = 'form' | 'chunk' | 'keep' | 'skip' | 'pad' | 'data';

/** Reads one file: `push` all its bytes in order, then `end` once. Samples are passed on as they stand in the file, undecoded. */
export class WavReader {
  readonly #onData: (bytes: Uint8Array) => void;
  #place: Place = 'form';
  /** The chunk in which we are: its id, and how much of its body is still to come. */
  #id = '';
  #size = 0;
  #left = 0;

  /** Bytes of the header or chunk at hand, as far as they came, and how many are wanted. */
  readonly #kept = new KeptBytes();
  #wanted = FORM_BYTES;

  /** Bytes pushed so far: the offset of the next one in the file. */
  #offset = 0;
  /** Size of the form as the file states it, without its first eight bytes. */
  #riffSize = 0;
  #has64BitSizes = false;
  #ds64: { readonly riffSize: number; readonly dataSize: number } | null = null;
  #layout: SampleLayout | null = null;
  #header: WavHeader | null = null;
  #dataRead = 0;
  #info: RawTags = {};
  #id3: RawTags = {};

  /** @param onData gets the bytes of the data chunk, in order, in pieces cut anywhere; valid during the call only. */
  constructor(onData: (bytes: Uint8Array) => void = () => {}) {
    this.#onData = onData;
  }

  /** Known from the first byte of the samples on; until then null. */
  get header(): WavHeader | null {
    return this.#header;
  }

  /** Takes the next bytes of the file. After an error the reader is of no more use. @throws TuttiError UNSUPPORTED_AUDIO */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const taken = this.#take(at === 0 ? bytes : bytes.subarray(at));
      at += taken;
      this.#offset += taken;
      this.#advance();
    }
  }

  /** The file is over. @throws TuttiError UNSUPPORTED_AUDIO, INCOMPLETE_AUDIO */
  end(): WavFile {
    const header = this.#header;
    if (header === null) throw this.#missingData();
    const bytes = this.#offset;
    if (header.fileBytes !== null && bytes < header.fileBytes) throw incomplete(header.fileBytes, bytes);
    // A chunk of tags that the file's end cut short, and that no size promised.
    if (this.#place === 'keep') this.#readTags();
    const frames = Math.floor(this.#dataRead / frameBytes(header.format));
    if (frames === 0) throw unsupportedAudio('a WAV without a single frame of sound');
    return { format: header.format, frames, bytes, tags: mergeTags(this.#id3, this.#info) };
  }

  /** Uses some of the next bytes, as the place has it, and gives their number: at least 1, or a change of place. */
  #take(bytes: Uint8Array): number {
    switch (this.#place) {
      case 'form':
      case 'chunk':
      case 'keep':
        return this.#kept.take(bytes, this.#wanted);
      case 'skip':
        return this.#consume(bytes).length;
      case 'data': {
        const samples = this.#consume(bytes);
        this.#dataRead += samples.length;
        this.#onData(samples);
        return samples.length;
      }
      case 'pad': {
        // Some programs forget the padding byte: what could start an id does.
        const isPadding = bytes[0]! < 0x20 || bytes[0]! > 0x7e;
        this.#beginHeader();
        return isPadding ? 1 : 0;
      }
    }
  }

  #consume(bytes: Uint8Array): Uint8Array {
    const part = this.#left < bytes.length ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= part.length;
    return part;
  }

  /** Goes to the next place once this one has what it wants. */
  #advance(): void {
    if (this.#place === 'form' && this.#kept.length === FORM_BYTES) this.#readForm();
    else if (this.#place === 'chunk' && this.#kept.length === CHUNK_HEADER_BYTES) this.#beginChunk();
    else if (this.#place === 'keep' && this.#kept.length === this.#wanted) this.#endKept();
    else if ((this.#place === 'skip' || this.#place === 'data') && this.#left === 0) this.#endChunk();
  }

  #readForm(): void {
    const start = this.#kept.bytes;
    const id = textOf(start.subarray(0, 4));
    this.#has64BitSizes = id === 'RF64' || id === 'BW64';
    const isWave = textOf(start.subarray(8, 12)) === 'WAVE';
    if (!isWave || !(id === 'RIFF' || this.#has64BitSizes)) throw unsupportedAudio(nameForeignFile(start));
    this.#riffSize = viewOf(start).getUint32(4, true);
    this.#beginHeader();
  }

  #beginHeader(): void {
    this.#place = 'chunk';
    this.#kept.clear();
    this.#wanted = CHUNK_HEADER_BYTES;
  }

  #beginChunk(): void {
    const start = this.#kept.bytes;
    this.#id = textOf(start.subarray(0, 4));
    this.#size = viewOf(start).getUint32(4, true);
    if (this.#id === 'data' && this.#header === null) {
      this.#beginData();
      return;
    }
    const wanted = Math.min(this.#size, this.#bytesToKeep());
    this.#left = this.#size - wanted;
    this.#place = 'keep';
    this.#kept.clear();
    this.#wanted = wanted;
    if (wanted === 0) this.#endKept();
  }

  /** How many bytes of the chunk at hand are worth keeping. Formats and sizes after the data come too late to mean anything. */
  #bytesToKeep(): number {
    if (this.#id === 'fmt ' && this.#header === null) return FMT_BYTES_MAX;
    if (this.#id === 'ds64' && this.#header === null) return DS64_BYTES;
    return this.#id === 'LIST' || isId3(this.#id) ? TAG_BYTES_MAX : 0;
  }

  #endKept(): void {
    if (this.#id === 'fmt ' && this.#header === null) {
      if (this.#layout !== null) throw unsupportedAudio('a WAV with two fmt chunks');
      this.#layout = parseFmtChunk(this.#kept.bytes);
    } else if (this.#id === 'ds64' && this.#wanted === DS64_BYTES) {
      const view = viewOf(this.#kept.bytes);
      this.#ds64 = { riffSize: getUint64(view, 0), dataSize: getUint64(view, 8) };
    } else {
      this.#readTags();
    }
    if (this.#left > 0) this.#place = 'skip';
    else this.#endChunk();
  }

  #readTags(): void {
    // Of several chunks of a kind the first that has a field counts.
    if (this.#id === 'LIST') this.#info = { ...parseInfoList(this.#kept.bytes), ...this.#info };
    else if (isId3(this.#id)) this.#id3 = { ...parseId3(this.#kept.bytes), ...this.#id3 };
  }

  #endChunk(): void {
    if (this.#size % 2 === 1) this.#place = 'pad';
    else this.#beginHeader();
  }

  #beginData(): void {
    if (this.#layout === null) throw unsupportedAudio('a WAV without a fmt chunk before its data');
    const dataOffset = this.#offset;
    const dataBytes = this.#promisedData(this.#layout, dataOffset);
    const fileBytes = dataBytes === null ? null : this.#promisedFile(dataOffset + dataBytes);
    this.#header = { format: { ...this.#layout, dataOffset }, dataBytes, fileBytes };
    this.#left = dataBytes ?? Number.POSITIVE_INFINITY;
    this.#place = 'data';
    if (this.#left === 0) this.#endChunk();
  }

  /** Size of the form where the file states one that can be meant, else 0. */
  #formSize(): number {
    if (!this.#has64BitSizes) return isSizeOfStream(this.#riffSize, 1) ? 0 : this.#riffSize;
    const size = this.#riffSize === SIZE_UNSET ? (this.#ds64?.riffSize ?? 0) : this.#riffSize;
    return size <= Number.MAX_SAFE_INTEGER ? size : 0;
  }

  #promisedData(layout: SampleLayout, dataOffset: number): number | null {
    const extended = this.#has64BitSizes && this.#size === SIZE_UNSET;
    const size = extended ? (this.#ds64?.dataSize ?? SIZE_UNSET) : this.#size;
    const isExact = extended && this.#ds64 !== null && size <= Number.MAX_SAFE_INTEGER;
    if (!isExact && (size > SIZE_UNSET || isSizeOfStream(size, frameBytes(layout)))) return null;
    // A recorder that was switched off leaves its first header: no data, and a form that ends here. But a form that goes on means it.
    if (size === 0 && this.#formSize() + CHUNK_HEADER_BYTES <= dataOffset) return null;
    return size;
  }

  #promisedFile(dataEnd: number): number {
    return Math.max(dataEnd, this.#formSize() + CHUNK_HEADER_BYTES - RIFF_SIZE_SLACK);
  }

  /** Why there are no samples: not a WAV, cut short, or a WAV of something else. */
  #missingData(): TuttiError {
    if (this.#place === 'form') {
      const start = this.#kept.bytes;
      const isCut = start.length >= 4 && ['RIFF', 'RF64', 'BW64'].includes(textOf(start.subarray(0, 4)));
      return isCut ? incomplete(FORM_BYTES, start.length) : unsupportedAudio(nameForeignFile(start));
    }
    const missing =
      this.#place === 'keep' ? this.#wanted - this.#kept.length + this.#left : this.#place === 'skip' ? this.#left : 0;
    const promised = Math.max(this.#offset + missing, this.#formSize() + CHUNK_HEADER_BYTES - RIFF_SIZE_SLACK);
    if (promised > this.#offset) return incomplete(promised, this.#offset);
    return unsupportedAudio('a WAV without a data chunk');
  }
}

/** Bytes gathered from pieces. Grows with what comes, never with what a header promises. */
class KeptBytes {
  #buffer = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was gathered; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Takes bytes until there are `wanted`; gives how many it took. */
  take(bytes: Uint8Array, wanted: number): number {
    const count = Math.min(bytes.length, wanted - this.#length);
    const length = this.#length + count;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, Math.min(wanted, this.#buffer.length * 2)));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes.subarray(0, count), this.#length);
    this.#length = length;
    return count;
  }
}

const incomplete = (promised: number, came: number): TuttiError =>
  new TuttiError('INCOMPLETE_AUDIO', `The header promises at least ${promised} bytes, and ${came} came.`, {
    promised,
    came,
  });

/** True for a size that stands for "until the end", or is the largest multiple of `unit` below one that does. */
const isSizeOfStream = (size: number, unit: number): boolean =>
  SIZES_OF_STREAMS.some((most) => size <= most && size > most - unit);

const isId3 = (id: string): boolean => id === 'id3 ' || id === 'ID3 ';

const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Exact up to 2^53, and larger than that where the value is. */
const getUint64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
