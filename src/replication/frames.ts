/**
 * Frames: what drivers say to each other beside the messages of consensus, as bytes.
 *
 * The first byte of every message on the link tells what it is; {@link CONSENSUS} is a message of the core (paxos/codec.ts), which has
 * most of the traffic and needs no byte more. As there: bounded, complete and within range, or TuttiError BAD_FRAME.
 */
import type { ClockClaim } from '../core/clock-line.js';
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { type Incarnation, type NodeId, type Slot, slot as slotOf } from '../core/ids.js';
import {
  PAYLOAD_BYTES_MAX,
  readClaim,
  readId,
  readSession,
  writeClaim,
  writeId,
  writeSession,
} from '../paxos/codec.js';
import type { Session } from '../paxos/entry.js';
import type { MemberChange, MemberIdentity } from './replicated-log.js';

/** First byte of a message of the core: its version. */
export const CONSENSUS = 1;

/** A proposal as its proposer hands it on: the leader adds the stamps. */
export interface Forwarded {
  readonly session: Session;
  readonly payload: Uint8Array;
}

/** What one driver tells another. */
export type Frame =
  /** To the leader: propose these. Asked again until they are applied, so no answer is needed. */
  | { readonly type: 'forward'; readonly proposals: readonly Forwarded[] }
  /** To the leader: change who takes part. */
  | { readonly type: 'change'; readonly session: Session; readonly change: MemberChange }
  /** From the leader: that change will not be proposed; a code of the catalogue and a sentence, or no code where it needs not be. */
  | { readonly type: 'change-answer'; readonly session: Session; readonly code: string; readonly detail: string }
  /** Asks for a piece of the snapshot: of the one as of `slot`, or (0) of the latest, which is to hold everything up to `least`. */
  | { readonly type: 'snapshot-ask'; readonly least: Slot; readonly slot: Slot; readonly offset: number }
  /** A piece of a snapshot of `total` bytes whose SHA-256 is `hash`; on the bulk channel. */
  | {
      readonly type: 'snapshot-part';
      readonly slot: Slot;
      readonly total: number;
      readonly hash: Uint8Array;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** To a node whose card is not the one that the sender knows: why. */
  | { readonly type: 'distrusted'; readonly why: string }
  /** From a node that was told so: it takes part no more, and nobody is to count it. */
  | { readonly type: 'out-of-trust' }
  /** To the leader: the hash of the sender's state as of `slot`. */
  | { readonly type: 'hash'; readonly slot: Slot; readonly hash: Uint8Array }
  /** From the leader: a majority's state is another than yours. */
  | { readonly type: 'state-differs'; readonly slot: Slot }
  /** To everybody, and not agreed: what those who use the log tell each other. */
  | { readonly type: 'told'; readonly bytes: Uint8Array }
  /** What cluster time is as the sender reads it. */
  | { readonly type: 'time'; readonly claim: ClockClaim };

const FRAME = {
  forward: 2,
  change: 3,
  'change-answer': 4,
  'snapshot-ask': 5,
  'snapshot-part': 6,
  distrusted: 7,
  hash: 8,
  'state-differs': 9,
  'out-of-trust': 10,
  told: 11,
  time: 12,
} as const satisfies Record<Frame['type'], number>;

const CHANGE = { add: 1, replace: 2, remove: 3, voters: 4 } as const satisfies Record<MemberChange['type'], number>;

/** Proposals in one frame. */
export const FORWARDED_MAX = 1_024;
/** Bytes of a hash: SHA-256. */
export const HASH_BYTES = 32;
/** Largest snapshot that is sent or taken, bytes: ten thousand tracks and a full queue take some 10 MB. */
export const SNAPSHOT_BYTES_MAX = 64 << 20;
/** Bytes of a snapshot in one frame. */
export const SNAPSHOT_PART_BYTES = 256 << 10;
/** Longest thing that one node tells the others, bytes. */
export const TOLD_BYTES_MAX = 16 << 10;
const TEXT_BYTES_MAX = 255;
const DETAIL_BYTES_MAX = 2_000;
const VOTERS_MAX = 256;

const writer = new ByteWriter();

/** The bytes of a frame. */
export function encodeFrame(frame: Frame): Uint8Array {
  const to = writer;
  to.u8(FRAME[frame.type]);
  switch (frame.type) {
    case 'forward':
      to.varint(frame.proposals.length);
      for (const { session, payload } of frame.proposals) {
        writeSession(to, session);
        to.bytes(payload);
      }
      break;
    case 'change':
      writeSession(to, frame.session);
      writeChange(to, frame.change);
      break;
    case 'change-answer':
      writeSession(to, frame.session);
      to.text(frame.code);
      to.text(frame.detail);
      break;
    case 'snapshot-ask':
      to.varint(frame.least);
      to.varint(frame.slot);
      to.varint(frame.offset);
      break;
    case 'snapshot-part':
      to.varint(frame.slot);
      to.varint(frame.total);
      to.raw(frame.hash);
      to.varint(frame.offset);
      to.bytes(frame.bytes);
      break;
    case 'distrusted':
      to.text(frame.why);
      break;
    case 'out-of-trust':
      break;
    case 'state-differs':
      to.varint(frame.slot);
      break;
    case 'told':
      to.bytes(frame.bytes);
      break;
    case 'time':
      writeClaim(to, frame.claim);
      break;
    case 'hash':
      to.varint(frame.slot);
      to.raw(frame.hash);
      break;
  }
  return to.take();
}

/** What {@link encodeFrame} encoded. @throws TuttiError BAD_FRAME */
export function decodeFrame(bytes: Uint8Array): Frame {
  const from = new ByteReader(bytes);
  const frame = readFrame(from);
  from.end();
  return frame;
}

function readFrame(from: ByteReader): Frame {
  const type = from.u8();
  switch (type) {
    case FRAME.forward: {
      const proposals: Forwarded[] = [];
      for (let count = from.count(FORWARDED_MAX); count > 0; count--) {
        proposals.push({ session: readSession(from), payload: from.bytes(PAYLOAD_BYTES_MAX).slice() });
      }
      return { type: 'forward', proposals };
    }
    case FRAME.change:
      return { type: 'change', session: readSession(from), change: readChange(from) };
    case FRAME['change-answer']:
      return {
        type: 'change-answer',
        session: readSession(from),
        code: from.text(TEXT_BYTES_MAX),
        detail: from.text(DETAIL_BYTES_MAX),
      };
    case FRAME['snapshot-ask']:
      return {
        type: 'snapshot-ask',
        least: readSlot(from),
        slot: readSlot(from),
        offset: from.varint(SNAPSHOT_BYTES_MAX),
      };
    case FRAME['snapshot-part']:
      return {
        type: 'snapshot-part',
        slot: readSlot(from),
        total: from.varint(SNAPSHOT_BYTES_MAX),
        hash: from.raw(HASH_BYTES),
        offset: from.varint(SNAPSHOT_BYTES_MAX),
        bytes: from.bytes(SNAPSHOT_PART_BYTES),
      };
    case FRAME.distrusted:
      return { type: 'distrusted', why: from.text(DETAIL_BYTES_MAX) };
    case FRAME['out-of-trust']:
      return { type: 'out-of-trust' };
    case FRAME.hash:
      return { type: 'hash', slot: readSlot(from), hash: from.raw(HASH_BYTES) };
    case FRAME['state-differs']:
      return { type: 'state-differs', slot: readSlot(from) };
    case FRAME.told:
      return { type: 'told', bytes: from.bytes(TOLD_BYTES_MAX).slice() };
    case FRAME.time:
      return { type: 'time', claim: readClaim(from) };
    default:
      return from.refuse(`no frame is of the type ${type}`);
  }
}

const readSlot = (from: ByteReader): Slot => slotOf(from.varint());

function writeChange(to: ByteWriter, change: MemberChange): void {
  to.u8(CHANGE[change.type]);
  switch (change.type) {
    case 'add':
      writeIdentity(to, change.member);
      break;
    case 'replace':
      writeId(to, change.old);
      writeIdentity(to, change.member);
      break;
    case 'remove':
      writeId(to, change.node);
      to.flag(change.acceptLoss);
      break;
    case 'voters':
      to.varint(change.voters.length);
      for (const voter of change.voters) writeId(to, voter);
      break;
  }
}

function readChange(from: ByteReader): MemberChange {
  const type = from.u8();
  switch (type) {
    case CHANGE.add:
      return { type: 'add', member: readIdentity(from) };
    case CHANGE.replace:
      return { type: 'replace', old: readId(from) as NodeId, member: readIdentity(from) };
    case CHANGE.remove:
      return { type: 'remove', node: readId(from) as NodeId, acceptLoss: from.flag() };
    case CHANGE.voters: {
      const voters: NodeId[] = [];
      for (let count = from.count(VOTERS_MAX); count > 0; count--) voters.push(readId(from) as NodeId);
      return { type: 'voters', voters };
    }
    default:
      return from.refuse(`no change of members is of the type ${type}`);
  }
}

/** Who somebody is: the form that a knock has too. */
export function writeIdentity(to: ByteWriter, { node, incarnation, address, name }: MemberIdentity): void {
  writeId(to, node);
  writeId(to, incarnation);
  to.text(address);
  to.text(name);
}

/** What {@link writeIdentity} wrote. @throws TuttiError BAD_FRAME */
export function readIdentity(from: ByteReader): MemberIdentity {
  return {
    node: readId(from) as NodeId,
    incarnation: readId(from) as Incarnation,
    address: from.text(TEXT_BYTES_MAX),
    name: from.text(TEXT_BYTES_MAX),
  };
}
