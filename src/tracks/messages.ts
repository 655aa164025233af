/**
 * Messages: what nodes tell each other of their track files, as bytes.
 *
 * The first byte says what it is (64 and above: see ports/peer-mail.ts), the second in which version. What comes from a peer is bounded,
 * complete and within range, or it is a TuttiError BAD_FRAME; an unknown kind or version is one too, so a newer node may say more than an
 * older one understands. Nothing is believed of what is said here: chunks are checked by their hashes, and a track that was offered is
 * one only when it is agreed.
 *
 * Any message may get lost. Who asks, asks again; who tells, tells again (see the revisions of holdings.ts).
 */
import { ByteReader, ByteWriter, utf8 } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import { type Incarnation, type Slot, slot, type TrackId, trackId } from '../core/ids.js';
import { matches } from '../core/matches.js';
import { CHUNK_HASH_BYTES } from '../library/chunks.js';
import { Track } from '../library/track.js';
import type { ChunkSet } from './chunk-files.js';
import { chunkSetBytes } from './chunk-set.js';

/** Everything that nodes say to each other of tracks. On the control channel, but for chunks and outlines. */
export type Message =
  /**
   * A page of all that the sender holds, as of a revision of it. Pages begin at 0 and come one after another. `sinceSlot`: the one in
   * which the sender last took its words back; null where it never has.
   */
  | {
      readonly type: 'holdings';
      readonly incarnation: Incarnation;
      readonly revision: number;
      readonly page: number;
      readonly isLast: boolean;
      readonly ids: readonly TrackId[];
      readonly sinceSlot: Slot | null;
    }
  /** What has changed of it to come to `revision` from the one before; nothing, where it only says which revision it is. */
  | {
      readonly type: 'holdings-change';
      readonly incarnation: Incarnation;
      readonly revision: number;
      readonly added: readonly TrackId[];
      readonly removed: readonly TrackId[];
      readonly sinceSlot: Slot | null;
    }
  /** Asks for all pages anew. */
  | { readonly type: 'holdings-ask' }
  /** The sender took this file in: others are to have it as well, before it is agreed that there is such a track. */
  | { readonly type: 'offer'; readonly track: Track }
  /** The offer ends. */
  | { readonly type: 'offer-over'; readonly id: TrackId; readonly fate: OfferFate }
  /** Asks for what chunks are checked by. */
  | { readonly type: 'outline-ask'; readonly id: TrackId }
  /** The hashes of all chunks, and the outline for a waveform, where the sender has one. Bulk. */
  | { readonly type: 'outline'; readonly id: TrackId; readonly manifest: Uint8Array; readonly peaks: Uint8Array | null }
  /** The sender has no outline of that file. */
  | { readonly type: 'outline-no'; readonly id: TrackId }
  /** Asks for chunks, in this order; at once where the first of them is soon to be heard. */
  | {
      readonly type: 'chunk-ask';
      readonly id: TrackId;
      readonly isDue: boolean;
      readonly indexes: readonly number[];
    }
  /** One chunk. Bulk. */
  | { readonly type: 'chunk'; readonly id: TrackId; readonly index: number; readonly bytes: Uint8Array }
  /** The sender has not got that chunk. */
  | { readonly type: 'chunk-no'; readonly id: TrackId; readonly index: number }
  /** The chunk that the sender was given is not what its hash says: the receiver is to look at its card. */
  | { readonly type: 'chunk-bad'; readonly id: TrackId; readonly index: number }
  /** What the sender has of a file that it fetches, and what is on its way to it; both of no bytes where it does not fetch it any more. */
  | { readonly type: 'arriving'; readonly id: TrackId; readonly chunks: ChunkSet; readonly coming: ChunkSet };

/**
 * How an offer ended. `void`: the track was never proposed, or was refused, and nobody needs the file. `open`: it is agreed, or may yet be,
 * and whoever said that it holds the file keeps it.
 */
export type OfferFate = 'open' | 'void';

/** The second byte of every message. */
const VERSION = 1;

const TYPE = {
  holdings: 64,
  'holdings-change': 65,
  'holdings-ask': 66,
  offer: 67,
  'offer-over': 68,
  'outline-ask': 69,
  outline: 70,
  'outline-no': 71,
  'chunk-ask': 72,
  chunk: 73,
  'chunk-no': 74,
  'chunk-bad': 75,
  arriving: 76,
} as const satisfies Record<Message['type'], number>;

/** Ids in one message, so that it holds nothing else up: 32 KiB. */
export const IDS_MAX = 1_024;
/** Pages of holdings: with {@link IDS_MAX} far more tracks than a card has room for. */
export const PAGES_MAX = 128;
/** Most chunks of a file that is copied: 256 GiB in the largest chunks. */
export const CHUNKS_MAX = 65_536;
/** Chunks that are asked for at once; who asks has at most 4 on their way from a peer. */
export const ASKED_MAX = 8;
/** Largest chunk, bytes. */
export const CHUNK_BYTES_MAX = 4 << 20;
/** Longest outline for a waveform, bytes. */
const PEAKS_BYTES_MAX = 4_096;
/** Longest description of a track that is offered: ten texts of 255 bytes as JSON, and room for what newer versions add. Bytes. */
export const OFFER_BYTES_MAX = 16 << 10;
const INCARNATION_BYTES_MAX = 64;
const ID_BYTES = 32;

const writer = new ByteWriter();
const NOTHING = new Uint8Array(0);
const unlessEmpty = (bytes: Uint8Array): Uint8Array | null => (bytes.length === 0 ? null : bytes);

/** The bytes of a message. @throws TuttiError BODY_TOO_LARGE for a track whose description is longer than {@link OFFER_BYTES_MAX} */
export function encodeMessage(message: Message): Uint8Array {
  const to = writer;
  to.u8(TYPE[message.type]);
  to.u8(VERSION);
  switch (message.type) {
    case 'holdings':
      to.text(message.incarnation);
      to.varint(message.revision);
      to.varint(message.page);
      to.flag(message.isLast);
      writeIds(to, message.ids);
      writeSince(to, message.sinceSlot);
      break;
    case 'holdings-change':
      to.text(message.incarnation);
      to.varint(message.revision);
      writeIds(to, message.added);
      writeIds(to, message.removed);
      writeSince(to, message.sinceSlot);
      break;
    case 'holdings-ask':
      break;
    case 'offer':
      writeTrack(to, message.track);
      break;
    case 'offer-over':
      writeTrackId(to, message.id);
      to.flag(message.fate === 'void');
      break;
    case 'outline-ask':
    case 'outline-no':
      writeTrackId(to, message.id);
      break;
    case 'outline':
      writeTrackId(to, message.id);
      to.bytes(message.manifest);
      to.bytes(message.peaks ?? NOTHING);
      break;
    case 'chunk-ask':
      writeTrackId(to, message.id);
      to.flag(message.isDue);
      to.varint(message.indexes.length);
      for (const index of message.indexes) to.varint(index);
      break;
    case 'chunk':
      return encodeChunk(to, message.id, message.index, message.bytes);
    case 'chunk-no':
    case 'chunk-bad':
      writeTrackId(to, message.id);
      to.varint(message.index);
      break;
    case 'arriving':
      writeTrackId(to, message.id);
      to.bytes(message.chunks);
      to.bytes(message.coming);
      break;
  }
  return to.take();
}

/** Copies the chunk once, and leaves the writer small. */
function encodeChunk(to: ByteWriter, id: TrackId, index: number, bytes: Uint8Array): Uint8Array {
  writeTrackId(to, id);
  to.varint(index);
  const head = to.take();
  const message = new Uint8Array(head.length + bytes.length);
  message.set(head);
  message.set(bytes, head.length);
  return message;
}

/** What {@link encodeMessage} encoded: the bytes of chunks, outlines and sets are views on what is read. @throws TuttiError BAD_FRAME */
export function decodeMessage(bytes: Uint8Array): Message {
  const from = new ByteReader(bytes);
  const type = from.u8();
  const version = from.u8();
  if (version !== VERSION) from.refuse(`version ${version} is not known here`);
  const message = readMessage(from, type);
  from.end();
  return message;
}

function readMessage(from: ByteReader, type: number): Message {
  switch (type) {
    case TYPE.holdings:
      return {
        type: 'holdings',
        incarnation: readIncarnation(from),
        revision: from.varint(),
        page: from.varint(PAGES_MAX - 1),
        isLast: from.flag(),
        ids: readIds(from),
        sinceSlot: readSince(from),
      };
    case TYPE['holdings-change']:
      return {
        type: 'holdings-change',
        incarnation: readIncarnation(from),
        revision: from.varint(),
        added: readIds(from),
        removed: readIds(from),
        sinceSlot: readSince(from),
      };
    case TYPE['holdings-ask']:
      return { type: 'holdings-ask' };
    case TYPE.offer:
      return { type: 'offer', track: readTrack(from) };
    case TYPE['offer-over']:
      return { type: 'offer-over', id: readTrackId(from), fate: from.flag() ? 'void' : 'open' };
    case TYPE['outline-ask']:
      return { type: 'outline-ask', id: readTrackId(from) };
    case TYPE.outline:
      return {
        type: 'outline',
        id: readTrackId(from),
        manifest: from.bytes(CHUNKS_MAX * CHUNK_HASH_BYTES),
        peaks: unlessEmpty(from.bytes(PEAKS_BYTES_MAX)),
      };
    case TYPE['outline-no']:
      return { type: 'outline-no', id: readTrackId(from) };
    case TYPE['chunk-ask']:
      return {
        type: 'chunk-ask',
        id: readTrackId(from),
        isDue: from.flag(),
        indexes: Array.from({ length: from.count(ASKED_MAX) }, () => readIndex(from)),
      };
    case TYPE.chunk: {
      const [id, index] = [readTrackId(from), readIndex(from)];
      if (from.left > CHUNK_BYTES_MAX) from.refuse(`a chunk has at most ${CHUNK_BYTES_MAX} bytes`);
      return { type: 'chunk', id, index, bytes: from.raw(from.left) };
    }
    case TYPE['chunk-no']:
      return { type: 'chunk-no', id: readTrackId(from), index: readIndex(from) };
    case TYPE['chunk-bad']:
      return { type: 'chunk-bad', id: readTrackId(from), index: readIndex(from) };
    case TYPE.arriving:
      return { type: 'arriving', id: readTrackId(from), chunks: readChunkSet(from), coming: readChunkSet(from) };
    default:
      return from.refuse(`no message is of the type ${type}`);
  }
}

const writeTrackId = (to: ByteWriter, id: TrackId): void => to.raw(Buffer.from(id, 'hex'));

function readTrackId(from: ByteReader): TrackId {
  const { buffer, byteOffset } = from.raw(ID_BYTES);
  return trackId(Buffer.from(buffer, byteOffset, ID_BYTES).toString('hex'));
}

function writeIds(to: ByteWriter, ids: readonly TrackId[]): void {
  to.varint(ids.length);
  for (const id of ids) writeTrackId(to, id);
}

const readIds = (from: ByteReader): TrackId[] =>
  Array.from({ length: from.count(IDS_MAX, ID_BYTES) }, () => readTrackId(from));

/** At the end and left out for null: builds of earlier command sets know no such field, and are in no house in which a word was taken back. */
function writeSince(to: ByteWriter, sinceSlot: Slot | null): void {
  if (sinceSlot !== null) to.varint(sinceSlot);
}

function readSince(from: ByteReader): Slot | null {
  if (from.left === 0) return null;
  const inSlot = from.varint();
  return inSlot === 0 ? from.refuse('slots count from 1') : slot(inSlot);
}

const readIndex = (from: ByteReader): number => from.varint(CHUNKS_MAX - 1);

const readChunkSet = (from: ByteReader): ChunkSet => from.bytes(chunkSetBytes(CHUNKS_MAX));

const readIncarnation = (from: ByteReader): Incarnation => from.text(INCARNATION_BYTES_MAX) as Incarnation;

function writeTrack(to: ByteWriter, track: Track): void {
  const json = utf8(JSON.stringify(track));
  if (json.length > OFFER_BYTES_MAX) {
    to.take();
    throw new TuttiError('BODY_TOO_LARGE', `the description of a track has at most ${OFFER_BYTES_MAX} bytes`);
  }
  to.bytes(json);
}

function readTrack(from: ByteReader): Track {
  let value: unknown;
  try {
    value = JSON.parse(from.text(OFFER_BYTES_MAX));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    from.refuse('a track is described as JSON');
  }
  return matches(Track, value) ? value : from.refuse('this describes no track');
}
