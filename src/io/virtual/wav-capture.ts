/**
 * Writes what a simulated card played to a WAV file, as it goes.
 *
 * The sizes in the header are brought up to date once a second of sound, so that the file can be played even where the process was
 * killed. A WAV holds less than 4 GiB: what comes after that is left out.
 */
import type { OutputFormat } from '../../ports/audio-output.js';
import type { Log } from '../../ports/log.js';
import { CaptureFile } from './capture-file.js';

/** RIFF header, `fmt ` of plain PCM, `data` header. */
const HEADER_BYTES = 44;
/** The largest size that a RIFF header can tell, less the header itself and a frame. */
const DATA_BYTES_MAX = 0xffff_ffff - HEADER_BYTES - 32;
/** Sound that is gathered before it is written. Bytes. */
const BUFFER_BYTES = 64 * 1024;

/** A WAV file that grows. It has one format for its life: that of the first `begin`. */
export class WavCapture {
  readonly #file: CaptureFile;
  #format: OutputFormat | undefined;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #buffered = 0;
  #dataBytes = 0;
  #headerAtBytes = 0;

  /**
   * @param components `log`: told once, should the capture break off
   * @param init `path`: made anew by the first {@link begin}
   */
  constructor(components: { readonly log: Log }, init: { readonly path: string }) {
    this.#file = new CaptureFile(components, {
      path: init.path,
      cannot: 'The capture cannot be written',
      breaksOff: 'The capture breaks off: its file cannot be written. The music plays on.',
    });
  }

  /**
   * The card was opened: goes on where the capture stood, unless it has broken off.
   * @throws TuttiError OUTPUT_UNAVAILABLE where the file cannot be written
   */
  begin(format: OutputFormat): void {
    this.#format ??= format;
    this.#file.open(this.#dataBytes === 0 ? 'w' : 'r+', () => this.#writeHeader());
  }

  /** `samples` hold interleaved whole numbers; `count` of them from `start` on were played. Never throws. */
  add(samples: Int32Array, start: number, count: number): void {
    this.#file.attempt(() => this.#append(samples, start, count));
  }

  /** Idempotent: the file is whole. Never throws. */
  end(): void {
    this.#file.attempt(() => {
      this.#flush();
      this.#writeHeader();
    });
    this.#file.close();
  }

  #append(samples: Int32Array, start: number, count: number): void {
    const { bits, rate } = this.#format!;
    const bytes = bits / 8;
    for (let i = start; i < start + count; i++) {
      if (this.#buffered + bytes > BUFFER_BYTES) this.#flush();
      this.#buffer.writeIntLE(samples[i]!, this.#buffered, bytes);
      this.#buffered += bytes;
    }
    const dueBytes = this.#headerAtBytes + rate * this.#frameBytes();
    if (this.#dataBytes + this.#buffered >= dueBytes) {
      this.#flush();
      this.#writeHeader();
    }
  }

  #frameBytes(): number {
    return (this.#format!.bits / 8) * this.#format!.channels;
  }

  #flush(): void {
    const room = DATA_BYTES_MAX - this.#dataBytes;
    const count = Math.min(this.#buffered, room - (room % this.#frameBytes()));
    this.#file.write(this.#buffer, count, HEADER_BYTES + this.#dataBytes);
    this.#dataBytes += count;
    this.#buffered = 0;
  }

  #writeHeader(): void {
    const { rate, channels, bits } = this.#format!;
    const header = Buffer.alloc(HEADER_BYTES);
    header.write('RIFF', 0, 'latin1');
    header.writeUInt32LE(HEADER_BYTES - 8 + this.#dataBytes, 4);
    header.write('WAVEfmt ', 8, 'latin1');
    header.writeUInt32LE(16, 16);
    header.writeUInt16LE(1, 20);
    header.writeUInt16LE(channels, 22);
    header.writeUInt32LE(rate, 24);
    header.writeUInt32LE(rate * this.#frameBytes(), 28);
    header.writeUInt16LE(this.#frameBytes(), 32);
    header.writeUInt16LE(bits, 34);
    header.write('data', 36, 'latin1');
    header.writeUInt32LE(this.#dataBytes, 40);
    this.#file.write(header, HEADER_BYTES, 0);
    this.#headerAtBytes = this.#dataBytes;
  }
}
