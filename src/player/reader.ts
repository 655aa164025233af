/**
 * The reader: brings sound from disk into the decks, ahead of the player.
 *
 * Its calls block, so it has a thread for itself. Files are read bit by bit, never whole, from the very frame that is asked for. The deck
 * with the least sound in stock is served first: after a command that is the one whose start is near. Between two reads the thread looks
 * at what it was sent, so that a new wish waits for one read at most.
 *
 * A file that is checked (checked-file.ts) may lack a chunk: it is still to come from another node, or is not what it should be. That is
 * not the end of the piece. Its deck waits there, is tried again and again, and the other one is served meanwhile.
 */

import { decodeFrames } from '../audio/wav/sample-decoder.js';
import { TuttiError } from '../core/errors.js';
import { addTime, type LocalTime, nanosFromMs } from '../core/units.js';
import type { AudioFormat } from '../library/track.js';
import type { Disk } from '../ports/disk.js';
import type { Time, Timer } from '../ports/time.js';
import { CheckedFile, CheckedFiles, HeldChunk, RETRY_EVERY_MS, type WantedChunk } from './checked-file.js';
import {
  type DeckControl,
  frameBytesOf,
  openForWriting,
  type Piece,
  type PieceFailure,
  type ReaderRequest,
  readFramesOf,
} from './deck.js';
import { type Lack, type PieceFile, PlainFile } from './piece-file.js';
import type { RingWriter } from './ring.js';

/** How often the decks are looked at while they are full: a tenth of what they hold, so that few wake-ups bring much. Milliseconds. */
const REFILL_EVERY_MS = 500;
/**
 * A deck that has waited for longer than this nobody listens to: it was asked for no earlier before its time, has no more in stock, and for
 * what is due the player asks anew. So long, and how often it is tried then. Milliseconds.
 */
const FORGOTTEN_AFTER_MS = 30_000;
const FORGOTTEN_RETRY_MS = 1_000;

/** That a deck waits for a chunk. */
interface Wait {
  readonly since: LocalTime;
  readonly tryAt: LocalTime;
}

/** A deck as the reader sees it. */
interface Filling {
  readonly serial: number;
  readonly ring: RingWriter;
  readonly control: DeckControl;
  readonly pieces: Piece[];
  /** The chunk of a checked file that the deck is at: it outlives the filling. */
  readonly held: HeldChunk;
  /** The piece that is being read, and its next frame. */
  piece: number;
  frame: number;
  file: PieceFile | null;
  wait: Wait | null;
  /** Null once its first sound is there, or is waited for. */
  askedAt: LocalTime | null;
}

/** What a reader works with. */
export interface ReaderComponents {
  readonly disk: Disk;
  readonly time: Time;
  /** The first sound of a deck is there, so long after the player asked for it. Milliseconds, 0 or more. */
  readonly fetched: (tookMs: number) => void;
  /** See {@link CheckedFiles}: told once for each chunk that is waited for. */
  readonly wanted: (chunk: WantedChunk) => void;
}

/** The reader's thread but for its messages. That a file cannot be read is told to its deck, and not thrown. */
export class Reader {
  readonly #disk: Disk;
  readonly #time: Time;
  readonly #fetched: ReaderComponents['fetched'];
  readonly #checked: CheckedFiles;
  readonly #decks: (Filling | undefined)[] = [];
  /** What is read at once: as it is in the file, and decoded. Grown to the largest that was needed. */
  #bytes = new Uint8Array(0);
  #samples = new Float64Array(0);
  #timer: Timer | undefined;

  constructor(components: ReaderComponents) {
    this.#disk = components.disk;
    this.#time = components.time;
    this.#fetched = components.fetched;
    this.#checked = new CheckedFiles(components);
  }

  /** Takes a request and begins with it at once. */
  handle(request: ReaderRequest): void {
    if (request.type === 'fill') {
      const before = this.#decks[request.deck];
      this.#release(before);
      const { ring, control } = openForWriting(request.memory);
      const { serial, pieces, askedAt } = request;
      ring.reset();
      control.begin(serial);
      const held = before?.held ?? new HeldChunk();
      const frame = pieces[0]?.fromFrame ?? 0;
      const begun = { piece: 0, frame, file: null, wait: null, askedAt };
      this.#decks[request.deck] = { serial, ring, control, pieces, held, ...begun };
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

  /** Reads once, and comes back for the next time: at once, or when a deck may have room or its chunk. */
  #work(): void {
    this.#timer?.cancel();
    const now = this.#time.now();
    const filling = this.#neediest(now);
    if (filling !== undefined) this.#readOn(filling);
    const isOver = this.#decks.every((each) => each === undefined || each.piece >= each.pieces.length);
    const delayMs = filling === undefined ? this.#pauseMs(now) : 0;
    this.#timer = isOver ? undefined : this.#time.after('reader.fill', delayMs, () => this.#work());
  }

  /** How long after `now` a deck may have room, or is to be tried again, where there is nothing to do yet. */
  #pauseMs(now: LocalTime): number {
    let pauseMs = REFILL_EVERY_MS;
    for (const filling of this.#decks) {
      // One that might be tried by now has no room: it is looked at with those that are full.
      if (!filling?.wait || filling.wait.tryAt <= now) continue;
      pauseMs = Math.min(pauseMs, Number(filling.wait.tryAt - now) / 1e6);
    }
    return pauseMs;
  }

  /** The filling with the least sound in stock of those that have something to read, at `now`, and room for it. */
  #neediest(now: LocalTime): Filling | undefined {
    let neediest: Filling | undefined;
    let leastS = Number.POSITIVE_INFINITY;
    for (const filling of this.#decks) {
      const piece = filling?.pieces[filling.piece];
      if (filling === undefined || piece === undefined) continue;
      if (filling.wait !== null && filling.wait.tryAt > now) continue;
      if (filling.ring.free < readFramesOf(piece.format) * piece.format.channels) continue;
      const stockS = filling.ring.buffered / piece.format.channels / piece.format.sampleRate;
      if (stockS < leastS) {
        neediest = filling;
        leastS = stockS;
      }
    }
    return neediest;
  }

  #readOn(filling: Filling): void {
    const piece = filling.pieces[filling.piece]!;
    const frames = Math.min(readFramesOf(piece.format), piece.frames - filling.frame);
    let got = 0;
    let lack: Lack | null = null;
    let failure: PieceFailure = 'TRACK_UNREADABLE';
    try {
      filling.file ??= this.#open(piece, filling.held);
      got = this.#readFrames(filling.file, piece.format, filling.frame, frames);
      lack = filling.file.lack;
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
    if (got > 0) this.#goOn(filling);
    if (lack !== null) {
      this.#wait(filling, lack);
      return;
    }
    if (got < frames) filling.control.fail(filling.piece, failure, filling.frame);
    if (got < frames || filling.frame >= piece.frames) this.#nextPiece(filling);
  }

  #open({ trackId, file, chunks }: Piece, held: HeldChunk): PieceFile {
    return chunks === undefined
      ? new PlainFile({ disk: this.#disk }, { path: file })
      : new CheckedFile({ files: this.#checked, held }, { trackId, chunks });
  }

  /** Decodes up to `frames` frames into `#samples`, and gives how many there were. */
  #readFrames(file: PieceFile, format: AudioFormat, from: number, frames: number): number {
    const frameBytes = frameBytesOf(format);
    if (this.#bytes.length < frames * frameBytes) this.#bytes = new Uint8Array(frames * frameBytes);
    if (this.#samples.length < frames * format.channels) this.#samples = new Float64Array(frames * format.channels);
    const bytes = this.#bytes.subarray(0, frames * frameBytes);
    const count = file.read(bytes, format.dataOffset + from * frameBytes);
    return decodeFrames(format, bytes.subarray(0, count), this.#samples);
  }

  /** The deck has to wait for a chunk, as a try has shown. */
  #wait(filling: Filling, { why }: Lack): void {
    const now = this.#time.now();
    const since = filling.wait?.since ?? now;
    const isForgotten = now - since > nanosFromMs(FORGOTTEN_AFTER_MS);
    const pauseMs = isForgotten ? FORGOTTEN_RETRY_MS : RETRY_EVERY_MS;
    filling.wait = { since, tryAt: addTime(now, nanosFromMs(pauseMs)) };
    // What is waited for is not what the reader takes.
    filling.askedAt = null;
    filling.control.wait(filling.piece, why === 'damaged' ? 'TRACK_DAMAGED' : 'TRACK_MISSING');
  }

  #goOn(filling: Filling): void {
    if (filling.wait === null) return;
    filling.wait = null;
    filling.control.goOn();
  }

  #nextPiece(filling: Filling): void {
    this.#release(filling);
    this.#goOn(filling);
    filling.piece += 1;
    filling.frame = filling.pieces[filling.piece]?.fromFrame ?? 0;
  }

  #release(filling: Filling | undefined): void {
    filling?.file?.close();
    if (filling !== undefined) filling.file = null;
  }
}
