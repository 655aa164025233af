/**
 * Frames: messages cut out of a stream of bytes.
 *
 * A frame is a length (4 bytes, of what follows the header), a kind (1 byte) and that many bytes, big-endian. What comes from the network
 * is hostile until it is proven not to be: a length is compared with what this kind may have at this point of the conversation before a
 * byte is set aside for it, so a peer can make us hold one frame of the largest size, and a stranger not even that.
 *
 * The version of the protocol is in the hello and the knock (greeting.ts), whose first bytes are the same in all versions.
 */
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import { CARD_BYTES_MAX, type Channel, KNOCK_BYTES_MAX, MESSAGE_BYTES_MAX } from '../../ports/peer-link.js';
import { ADDRESS_BYTES_MAX, DETAIL_BYTES_MAX } from './limits.js';

/** What a frame is; the number travels. */
export const KIND = {
  /** Who connects says who it is. */
  hello: 1,
  /** The answer of who lets it in: the same form. */
  welcome: 2,
  /** The answer of who does not. */
  refusal: 3,
  /** What users of the link say to one another. */
  message: 4,
  /** Nothing: the sender is there. */
  ping: 5,
  /** A request from outside, instead of a hello. */
  knock: 6,
  /** Its answer. */
  answer: 7,
} as const;

/** A number of {@link KIND}. */
export type Kind = (typeof KIND)[keyof typeof KIND];

/** Length and kind. */
export const HEADER_BYTES = 5;

/** Largest body of each kind that may come now, bytes; a kind that is not named may not come. */
export type FrameLimits = ReadonlyMap<number, number>;

/** More than the fixed part of any greeting. */
const GREETING_BYTES_MAX = 128;

/** What a node that is connected to may hear first. */
export const LIMITS_OF_HOST: FrameLimits = new Map([
  [KIND.hello, GREETING_BYTES_MAX + ADDRESS_BYTES_MAX + CARD_BYTES_MAX],
  [KIND.knock, GREETING_BYTES_MAX + KNOCK_BYTES_MAX],
]);
/** What a node that connects may hear first. */
export const LIMITS_OF_GUEST: FrameLimits = new Map([
  [KIND.welcome, GREETING_BYTES_MAX + ADDRESS_BYTES_MAX + CARD_BYTES_MAX],
  [KIND.refusal, GREETING_BYTES_MAX + DETAIL_BYTES_MAX],
  [KIND.answer, KNOCK_BYTES_MAX],
]);
/** What members may hear of one another. */
export const LIMITS_OF_MEMBER: Readonly<Record<Channel, FrameLimits>> = {
  control: new Map([
    [KIND.message, MESSAGE_BYTES_MAX.control],
    [KIND.ping, 0],
  ]),
  bulk: new Map([
    [KIND.message, MESSAGE_BYTES_MAX.bulk],
    [KIND.ping, 0],
  ]),
};

/** Writes a frame's header. There is room for it. */
export function writeHeader(into: Buffer, at: number, kind: Kind, bodyBytes: number): void {
  into.writeUInt32BE(bodyBytes, at);
  into[at + 4] = kind;
}

const EMPTY = new Uint8Array(0);

/**
 * Cuts frames out of chunks as they come. Nothing is copied save a frame that spans chunks, and a body stays valid for as long as its
 * reader keeps it. One that ends the memory that it is in is its reader's alone.
 */
export class FrameReader {
  /** Changes as the conversation goes on; holds from the next header on. */
  limits: FrameLimits;
  /** Of the frame that `next` found. */
  kind = 0;
  /** Of the frame that `next` found. */
  body: Uint8Array = EMPTY;
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  /** Of a header that is cut in two. */
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  /** Of a body that is cut in two; undefined between frames. */
  #partial: Uint8Array | undefined;
  #partialFilled = 0;

  constructor(limits: FrameLimits) {
    this.limits = limits;
  }

  /** The next chunk of the stream. All frames of the one before were taken; the bytes may not be changed any more. */
  add(chunk: Uint8Array): void {
    assert(this.#at === this.#chunk.length, 'a chunk is used up before the next');
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * True where a whole frame is there: `kind` and `body` are its. False where more bytes are needed.
   * @throws TuttiError BAD_FRAME where the kind may not come now or is too long: nothing behind it can be understood
   */
  next(): boolean {
    const chunk = this.#chunk;
    if (this.#partial === undefined) {
      let header = chunk;
      let at = this.#at;
      if (this.#headerFilled > 0 || chunk.length - at < HEADER_BYTES) {
        if (!this.#fillHeader()) return false;
        header = this.#header;
        at = 0;
        this.#headerFilled = 0;
      } else {
        this.#at += HEADER_BYTES;
      }
      const length = header[at]! * 0x1_00_00_00 + ((header[at + 1]! << 16) | (header[at + 2]! << 8) | header[at + 3]!);
      this.kind = header[at + 4]!;
      this.#check(length);
      if (chunk.length - this.#at >= length) {
        this.body = view(chunk, this.#at, length);
        this.#at += length;
        this.#letGo();
        return true;
      }
      this.#partial = new Uint8Array(length);
      this.#partialFilled = 0;
    }
    const partial = this.#partial;
    const part = Math.min(partial.length - this.#partialFilled, chunk.length - this.#at);
    partial.set(view(chunk, this.#at, part), this.#partialFilled);
    this.#partialFilled += part;
    this.#at += part;
    this.#letGo();
    if (this.#partialFilled < partial.length) return false;
    this.body = partial;
    this.#partial = undefined;
    return true;
  }

  /** Whoever is given a body that ends its chunk may move the chunk's memory to another thread. */
  #letGo(): void {
    if (this.#at < this.#chunk.length) return;
    this.#chunk = EMPTY;
    this.#at = 0;
  }

  #fillHeader(): boolean {
    while (this.#headerFilled < HEADER_BYTES && this.#at < this.#chunk.length) {
      this.#header[this.#headerFilled++] = this.#chunk[this.#at++]!;
    }
    return this.#headerFilled === HEADER_BYTES;
  }

  #check(length: number): void {
    const limit = this.limits.get(this.kind);
    if (limit === undefined) throw new TuttiError('BAD_FRAME', `A frame of kind ${this.kind} may not come here.`);
    if (length <= limit) return;
    throw new TuttiError(
      'BAD_FRAME',
      `A frame of kind ${this.kind} holds at most ${limit} bytes here, and this one claims ${length}.`,
    );
  }
}

/** Bytes of `chunk`, as what they are and not as a Buffer, whose `slice` does not copy. */
const view = (chunk: Uint8Array, at: number, length: number): Uint8Array =>
  new Uint8Array(chunk.buffer, chunk.byteOffset + at, length);
