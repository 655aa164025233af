/**
 * A deck: a stretch of decoded sound on its way from the reader's thread to the player's.
 *
 * A deck is filled with *pieces*, one after another: each is one track from some frame to its end. Both threads know the list (the
 * player sends it), so the ring between them holds bare samples and no marks: what the player reads next follows from what it has
 * read. Only two things the player cannot know. That a file was missing or broke off: the reader publishes that per piece, with the
 * frame at which it ends early, before any sample of the next piece. And that the reader waits, in the middle of a piece, for a chunk
 * that is still to come: that piece goes on some day, and until then nothing comes after it.
 *
 * To use a deck again for another stretch the player raises its serial number. It touches the ring only when the reader has published
 * the same number, and the reader empties the ring just before it does.
 */
import { assert } from '../core/assert.js';
import type { ErrorCode } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import type { LocalTime } from '../core/units.js';
import { BYTES_PER_SAMPLE } from '../library/sample-bytes.js';
import type { AudioFormat } from '../library/track.js';
import type { Time } from '../ports/time.js';
import type { FileChunks, ProgramSegment } from './program.js';
import { allocateRing, RingReader, RingWriter } from './ring.js';
import { isSameSound } from './schedule.js';

/** How much sound a deck holds at least: the reader may be away for as long. Seconds. */
export const FILL_AHEAD_S = 5;
/** What the reader takes from a file at once: a few milliseconds of a slow card. Bytes. */
const READ_BYTES = 64 * 1024;
/** The longest read, for formats of few bytes: it has to fit a ring on top of {@link FILL_AHEAD_S}. Seconds. */
const READ_S_MAX = 0.5;
/** Pieces that one filling takes; what comes after goes to the other deck. */
const PIECES_MAX = 256;

/** A track from `fromFrame` to its end. */
export interface Piece {
  readonly trackId: TrackId;
  readonly file: string;
  /** See {@link ProgramSegment.chunks}. */
  readonly chunks?: FileChunks;
  readonly format: AudioFormat;
  /** Length of the whole track. */
  readonly frames: number;
  readonly fromFrame: number;
}

/** The memory of a deck that both threads see. */
export interface DeckMemory {
  readonly ring: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
}

/** What the player's thread asks of the reader's. */
export type ReaderRequest =
  /** Forget what deck `deck` held, and fill it with `pieces`. */
  | {
      readonly type: 'fill';
      readonly deck: number;
      readonly serial: number;
      readonly memory: DeckMemory;
      readonly pieces: Piece[];
      readonly askedAt: LocalTime;
    }
  /** Add a piece to those of the filling `serial`. */
  | { readonly type: 'extend'; readonly deck: number; readonly serial: number; readonly piece: Piece };

/** Why a piece has fewer frames than its track. */
export type PieceFailure = Extract<ErrorCode, 'TRACK_MISSING' | 'TRACK_UNREADABLE'>;
const FAILURES: readonly (PieceFailure | undefined)[] = [undefined, 'TRACK_MISSING', 'TRACK_UNREADABLE'];

/** Why a piece does not go on for now. */
export type PieceWait = Extract<ErrorCode, 'TRACK_MISSING' | 'TRACK_DAMAGED'>;
/** From 1 on, so that 0 says that nothing is waited for. */
const WAITS: readonly (PieceWait | undefined)[] = [undefined, 'TRACK_MISSING', 'TRACK_DAMAGED'];

/** Words before those of the pieces: the serial number; and what is waited for, in which piece. */
const [SERIAL, WAITING, FIRST_PIECE] = [0, 1, 2];

/** The part of a deck's memory that says which filling it holds, which pieces broke off, and what is waited for. */
export class DeckControl {
  /** {@link SERIAL}, {@link WAITING}: `WAITS.length` x piece + index into it. Then a word per piece: an index into {@link FAILURES}. */
  readonly #words: Int32Array;
  /** Per piece, valid once it has failed: the frame at which it ends. */
  readonly #ends: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#ends = new Float64Array(buffer, 0, PIECES_MAX);
    this.#words = new Int32Array(buffer, this.#ends.byteLength, FIRST_PIECE + PIECES_MAX);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(PIECES_MAX * 8 + (FIRST_PIECE + PIECES_MAX) * 4);
  }

  get serial(): number {
    return Atomics.load(this.#words, SERIAL);
  }

  /** Reader: the ring is empty and from now on holds the filling `serial`. */
  begin(serial: number): void {
    this.#words.fill(0, WAITING);
    Atomics.store(this.#words, SERIAL, serial);
  }

  /** Reader: `piece` has no frame from `end` on. */
  fail(piece: number, failure: PieceFailure, end: number): void {
    this.#ends[piece] = end;
    Atomics.store(this.#words, FIRST_PIECE + piece, FAILURES.indexOf(failure));
  }

  /** Why `piece` broke off, if it did. */
  failure(piece: number): PieceFailure | undefined {
    return FAILURES[Atomics.load(this.#words, FIRST_PIECE + piece)];
  }

  /** Frame at which a piece that failed ends. */
  end(piece: number): number {
    return this.#ends[piece]!;
  }

  /** Reader: `piece` does not go on, and nothing after it comes, until `goOn`. */
  wait(piece: number, why: PieceWait): void {
    Atomics.store(this.#words, WAITING, WAITS.length * piece + WAITS.indexOf(why));
  }

  /** Reader: nothing is waited for any more. */
  goOn(): void {
    Atomics.store(this.#words, WAITING, 0);
  }

  /** The piece in which the reader waits; Infinity for none. */
  get waitingIn(): number {
    const word = Atomics.load(this.#words, WAITING);
    return word === 0 ? Number.POSITIVE_INFINITY : Math.floor(word / WAITS.length);
  }

  /** Why it waits, where it does. */
  get waitingFor(): PieceWait | undefined {
    return WAITS[Atomics.load(this.#words, WAITING) % WAITS.length];
  }
}

/** Bytes of a frame in the file. */
export const frameBytesOf = (format: AudioFormat): number => BYTES_PER_SAMPLE[format.sample] * format.channels;

/** Frames that the reader takes from a file of this format at once. */
export const readFramesOf = (format: AudioFormat): number =>
  Math.floor(Math.min(READ_BYTES / frameBytesOf(format), READ_S_MAX * format.sampleRate));

/** Samples that the ring of a deck needs, so that {@link FILL_AHEAD_S} are in it while there is no room for another read. */
const ringSamplesFor = (format: AudioFormat): number =>
  (FILL_AHEAD_S * format.sampleRate + readFramesOf(format)) * format.channels;

/** What a deck is filled with. */
export interface DeckComponents {
  /** Takes requests to the reader. */
  readonly send: (request: ReaderRequest) => void;
  readonly time: Pick<Time, 'now'>;
}

/** The player's end of a deck. */
export class Deck {
  readonly index: number;
  /** Cluster time at which it was filled last, nanoseconds. */
  filledAtNs = 0n;
  readonly #send: (request: ReaderRequest) => void;
  readonly #time: Pick<Time, 'now'>;
  #memory: DeckMemory | undefined;
  #ring: RingReader | undefined;
  #control: DeckControl | undefined;
  #serial = 0;
  readonly #segments: ProgramSegment[] = [];
  readonly #fromFrames: number[] = [];
  /** The piece that the next sample in the ring belongs to, and its frame. */
  #head = 0;
  #headFrame = 0;

  constructor(components: DeckComponents, init: { readonly index: number }) {
    this.#send = components.send;
    this.#time = components.time;
    this.index = init.index;
  }

  /** Has the deck filled with `segment` from `fromFrame` on. Grows the ring where it is too small for {@link FILL_AHEAD_S}. */
  fill(segment: ProgramSegment, fromFrame: number, nowNs: bigint): void {
    const askedAt = this.#time.now();
    const samples = ringSamplesFor(segment.format);
    if (this.#ring === undefined || this.#ring.capacity < samples) {
      this.#memory = { ring: allocateRing(samples), control: DeckControl.allocate() };
      this.#ring = new RingReader(this.#memory.ring);
      this.#control = new DeckControl(this.#memory.control);
    }
    this.#serial = (this.#serial + 1) & 0x3fff_ffff;
    this.#segments.length = 0;
    this.#fromFrames.length = 0;
    this.#segments.push(segment);
    this.#fromFrames.push(fromFrame);
    this.#head = 0;
    this.#headFrame = fromFrame;
    this.filledAtNs = nowNs;
    const pieces = [pieceOf(segment, fromFrame)];
    this.#send({ type: 'fill', deck: this.index, serial: this.#serial, memory: this.#memory!, pieces, askedAt });
  }

  /** True where `segment` may follow as another piece. */
  canExtend(segment: ProgramSegment): boolean {
    const room = this.#ring !== undefined && this.#ring.capacity >= ringSamplesFor(segment.format);
    return room && this.#segments.length > 0 && this.#segments.length < PIECES_MAX;
  }

  extend(segment: ProgramSegment): void {
    assert(this.canExtend(segment), 'a deck has room for another piece');
    this.#segments.push(segment);
    this.#fromFrames.push(segment.startFrame);
    const piece = pieceOf(segment, segment.startFrame);
    this.#send({ type: 'extend', deck: this.index, serial: this.#serial, piece });
  }

  /** Number of pieces since the last filling. */
  get pieces(): number {
    return this.#segments.length;
  }

  /** Index of the piece that is read next; {@link pieces} where all are read. Pieces that are over or have failed are passed. */
  get head(): number {
    this.#settle();
    return this.#head;
  }

  /** The frame that is read next, of the piece that {@link head} or {@link isAt} came to. */
  get headFrame(): number {
    return this.#headFrame;
  }

  segmentAt(piece: number): ProgramSegment | undefined {
    return this.#segments[piece];
  }

  failureAt(piece: number): PieceFailure | undefined {
    return this.#ready() ? this.#control!.failure(piece) : undefined;
  }

  /** The piece in which the reader waits for what is still to come: it gets no further for now. Infinity for none. */
  get waitingIn(): number {
    return this.#ready() ? this.#control!.waitingIn : Number.POSITIVE_INFINITY;
  }

  /** Why it waits there, where it does. */
  get waitingFor(): PieceWait | undefined {
    return this.#ready() ? this.#control!.waitingFor : undefined;
  }

  /** True where the next sample in the ring belongs to `segment`. */
  isAt(segment: ProgramSegment): boolean {
    const head = this.#segments[this.head];
    return head !== undefined && isSameSound(head, segment);
  }

  /**
   * Frames that can be read now of the piece that {@link head} or {@link isAt} came to. It does not pass to the next piece by itself: the
   * caller has asked whose sound this is, and the reader may say at any moment that the piece is over.
   */
  availableFrames(): number {
    const segment = this.#segments[this.#head];
    if (segment === undefined || !this.#ready()) return 0;
    // In this order: a failure is published before any sample of the next piece, so where those are counted it is seen.
    const buffered = Math.floor(this.#ring!.buffered / segment.format.channels);
    return Math.min(buffered, this.#endOf(this.#head) - this.#headFrame);
  }

  /** Reads `frames` available frames of the head piece, interleaved as in the file. */
  read(into: Float64Array, frames: number): void {
    this.#ring!.read(into, 0, frames * this.#segments[this.#head]!.format.channels);
    this.#headFrame += frames;
  }

  /** Drops `frames` available frames of the head piece. */
  skip(frames: number): void {
    this.#ring!.skip(frames * this.#segments[this.#head]!.format.channels);
    this.#headFrame += frames;
  }

  #ready(): boolean {
    return this.#control !== undefined && this.#control.serial === this.#serial;
  }

  #endOf(piece: number): number {
    return this.#control!.failure(piece) === undefined ? this.#segments[piece]!.frames : this.#control!.end(piece);
  }

  #settle(): void {
    if (!this.#ready()) return;
    while (this.#head < this.#segments.length && this.#headFrame >= this.#endOf(this.#head)) {
      this.#head += 1;
      this.#headFrame = this.#fromFrames[this.#head] ?? 0;
    }
  }
}

const pieceOf = (segment: ProgramSegment, fromFrame: number): Piece => ({
  trackId: segment.trackId,
  file: segment.file,
  chunks: segment.chunks,
  format: segment.format,
  frames: segment.frames,
  fromFrame,
});

/** The reader's end of a deck's memory. */
export const openForWriting = (memory: DeckMemory): { readonly ring: RingWriter; readonly control: DeckControl } => ({
  ring: new RingWriter(memory.ring),
  control: new DeckControl(memory.control),
});
