/**
 * The reader: brings sound from disk into the decks, ahead of the player.
 *
 * Its calls block, so it has a thread for itself. Files are read in chunks, never whole, from the very frame that is asked for. The deck
 * with the least sound in stock is served first: after a command that is the one whose start is near. Between chunks the thread looks
 * at what it was sent, so that a new wish waits for one chunk at most.
 */

import { decodeFrames } from '../audio/wav/sample-decoder.js';
import { TuttiError } from '../core/errors.js';
import type { LocalTime } from '../core/units.js';
import type { AudioFormat } from '../library/track.js';
import type { Disk, DiskFile } from '../ports/disk.js';
import type { Time, Timer } from '../ports/time.js';
import {
  chunkFramesOf,
  type DeckControl,
  frameBytesOf,
  openForWriting,
  type Piece,
  type PieceFailure,
  type ReaderRequest,
} from './deck.js';
import type { RingWriter } from './ring.js';

/** How often the decks are looked at while they are full: a tenth of what they hold, so that few wake-ups bring much. Milliseconds. */
const REFILL_EVERY_MS = 500;

/** A deck as the reader sees it. */
interface Filling {
  readonly serial: number;
  readonly ring: RingWriter;
  readonly control: DeckControl;
  readonly pieces: Piece[];
  /** The piece that is being read, and its next frame. */
  piece: number;
  frame: number;
  file: DiskFile | null;
  /** Null once its first sound is there. */
  askedAt: LocalTime | null;
}

/** What a reader works with. */
export interface ReaderComponents {
  readonly disk: Disk;
  readonly time: Time;
  /** The first sound of a deck is there, so long after the player asked for it. Milliseconds, 0 or more. */
  readonly fetched: (tookMs: number) => void;
}

/** The reader's thread but for its messages. That a file cannot be read is told to its deck, and not thrown. */
export class Reader {
  readonly #disk: Disk;
  readonly #time: Time;
  readonly #fetched: ReaderComponents['fetched'];
  readonly #decks: (Filling | undefined)[] = [];
  /** The chunk at hand: as it is in the file, and decoded. Grown to the largest that was needed. */
  #bytes = new Uint8Array(0);
  #samples = new Float64Array(0);
  #timer: Timer | undefined;

  constructor(components: ReaderComponents) {
    this.#disk = components.disk;
    this.#time = components.time;
    this.#fetched = components.fetched;
  }

  /** Takes a request and begins with it at once. */
  handle(request: ReaderRequest): void {
    if (request.type === 'fill') {
      this.#release(this.#decks[request.deck]);
      const { ring, control } = openForWriting(request.memory);
      const [first] = request.pieces;
      ring.reset();
      control.begin(request.serial);
      const { serial, pieces, askedAt } = request;
      const frame = first?.fromFrame ?? 0;
      this.#decks[request.deck] = { serial, ring, control, pieces, piece: 0, frame, file: null, askedAt };
    } else {
      const filling = this.#decks[request.deck];
      // A filling that was replaced meanwhile has no use for more.
      if (filling?.serial !== request.serial) return;
      filling.pieces.push(request.piece);
      if (filling.piece === filling.pieces.length - 1) filling.frame = request.piece.fromFrame;
    }
    this.#work();
  }

  /** Idempotent: closes files and stops reading. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const filling of this.#decks) this.#release(filling);
    this.#decks.length = 0;
  }

  /** Reads one chunk, and comes back for the next: at once, or when a deck may have room. */
  #work(): void {
    this.#timer?.cancel();
    const filling = this.#neediest();
    if (filling !== undefined) this.#readChunk(filling);
    const isOver = this.#decks.every((each) => each === undefined || each.piece >= each.pieces.length);
    const delayMs = filling === undefined ? REFILL_EVERY_MS : 0;
    this.#timer = isOver ? undefined : this.#time.after('reader.fill', delayMs, () => this.#work());
  }

  /** The filling with the least sound in stock of those that have something to read and room for a chunk of it. */
  #neediest(): Filling | undefined {
    let neediest: Filling | undefined;
    let leastS = Number.POSITIVE_INFINITY;
    for (const filling of this.#decks) {
      const piece = filling?.pieces[filling.piece];
      if (filling === undefined || piece === undefined) continue;
      if (filling.ring.free < chunkFramesOf(piece.format) * piece.format.channels) continue;
      const stockS = filling.ring.buffered / piece.format.channels / piece.format.sampleRate;
      if (stockS < leastS) {
        neediest = filling;
        leastS = stockS;
      }
    }
    return neediest;
  }

  #readChunk(filling: Filling): void {
    const piece = filling.pieces[filling.piece]!;
    const frames = Math.min(chunkFramesOf(piece.format), piece.frames - filling.frame);
    let got = 0;
    let failure: PieceFailure = 'TRACK_UNREADABLE';
    try {
      filling.file ??= this.#disk.open(piece.file, 'read');
      got = this.#readFrames(filling.file, piece.format, filling.frame, frames);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      if (error.code === 'NOT_FOUND') failure = 'TRACK_MISSING';
    }
    filling.ring.write(this.#samples, got * piece.format.channels);
    if (filling.askedAt !== null && got > 0) {
      this.#fetched(Number(this.#time.now() - filling.askedAt) / 1e6);
      filling.askedAt = null;
    }
    filling.frame += got;
    if (got < frames) filling.control.fail(filling.piece, failure, filling.frame);
    if (got < frames || filling.frame >= piece.frames) this.#nextPiece(filling);
  }

  /** Decodes up to `frames` frames into `#samples`, and gives how many there were. */
  #readFrames(file: DiskFile, format: AudioFormat, from: number, frames: number): number {
    const frameBytes = frameBytesOf(format);
    if (this.#bytes.length < frames * frameBytes) this.#bytes = new Uint8Array(frames * frameBytes);
    if (this.#samples.length < frames * format.channels) this.#samples = new Float64Array(frames * format.channels);
    const bytes = this.#bytes.subarray(0, frames * frameBytes);
    const count = file.read(bytes, format.dataOffset + from * frameBytes);
    return decodeFrames(format, bytes.subarray(0, count), this.#samples);
  }

  #nextPiece(filling: Filling): void {
    this.#release(filling);
    filling.piece += 1;
    filling.frame = filling.pieces[filling.piece]?.fromFrame ?? 0;
  }

  #release(filling: Filling | undefined): void {
    filling?.file?.close();
    if (filling !== undefined) filling.file = null;
  }
}
