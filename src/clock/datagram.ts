/**
 * The datagrams of the clock as bytes.
 *
 * Fixed fields at fixed places, big-endian, of one length for each kind: what has another length, another mark or another version is told
 * apart without reading further. A probe asks; an answer repeats its nonce, so that it counts for that probe alone.
 *
 * An answer says when its probe came, and when the answer *before* it left (RFC 9769, interleaved mode): the instant of departure is only
 * known once the datagram has been sealed and sent. Written into the same datagram it would be early by as long as sealing takes, which is the
 * longer the slower the machine, and half of that would be a constant error.
 */
import { assert } from '../core/assert.js';
import { type BootId, isRandomId, type NodeId, nodeId } from '../core/ids.js';
import { type LocalTime, localTime } from '../core/units.js';

/** What a node asks another. */
export interface Probe {
  readonly type: 'probe';
  readonly from: NodeId;
  readonly to: NodeId;
  /** The start of the sender's process. */
  readonly boot: BootId;
  /** Rises by one with each probe of this boot, to whomever. */
  readonly sequence: bigint;
  /** Random, 64 bits: whoever did not see the probe cannot answer it. */
  readonly nonce: bigint;
}

/** What it hears. */
export interface Answer {
  readonly type: 'answer';
  readonly from: NodeId;
  readonly to: NodeId;
  /** The start of the answering process. */
  readonly boot: BootId;
  /** Of the probe. */
  readonly nonce: bigint;
  /** When the probe came, by the clock of `from`. */
  readonly receivedAt: LocalTime;
  /** The answer before this one to the same node: which probe it was for, and when it left. Null before the second. */
  readonly previous: { readonly nonce: bigint; readonly sentAt: LocalTime } | null;
  /** What the clock of `to` read at `receivedAt`, as `from` measured it by itself; null where it has not. */
  readonly reverseAt: LocalTime | null;
}

/** What clock threads say to one another. */
export type ClockMessage = Probe | Answer;

/** "Tutti clock", and the version of this format. */
const MARK = [0x54, 0x43, 1] as const;
const KIND_PROBE = 1;
const KIND_ANSWER = 2;

/** Mark, version, kind; two nodes and a boot. */
const HEAD_BYTES = 4 + 3 * 16;
const PROBE_BYTES = HEAD_BYTES + 2 * 8;
const ANSWER_BYTES = HEAD_BYTES + 5 * 8;

/** Lengths that a clock datagram may have, before it is sealed. */
const BYTES_OF_KIND: Readonly<Record<number, number>> = { [KIND_PROBE]: PROBE_BYTES, [KIND_ANSWER]: ANSWER_BYTES };

/** Stands for a stamp that is not there: clocks count from zero. */
const NEVER = -1n;

/** True for bytes of the length, mark and version of this format, whoever made them: `extraBytes` of something else follow. */
export const isClockFormat = (bytes: Uint8Array, extraBytes = 0): boolean =>
  MARK.every((byte, index) => bytes[index] === byte) && BYTES_OF_KIND[bytes[3]!] === bytes.length - extraBytes;

/** The bytes of a message. */
export function encodeClockMessage(message: ClockMessage): Uint8Array {
  const bytes = new Uint8Array(message.type === 'probe' ? PROBE_BYTES : ANSWER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MARK);
  bytes[3] = message.type === 'probe' ? KIND_PROBE : KIND_ANSWER;
  putId(bytes, 4, message.from);
  putId(bytes, 20, message.to);
  putId(bytes, 36, message.boot);
  view.setBigUint64(HEAD_BYTES, message.nonce);
  if (message.type === 'probe') {
    view.setBigUint64(HEAD_BYTES + 8, message.sequence);
  } else {
    view.setBigInt64(HEAD_BYTES + 8, message.receivedAt);
    view.setBigUint64(HEAD_BYTES + 16, message.previous?.nonce ?? 0n);
    view.setBigInt64(HEAD_BYTES + 24, message.previous?.sentAt ?? NEVER);
    view.setBigInt64(HEAD_BYTES + 32, message.reverseAt ?? NEVER);
  }
  return bytes;
}

/** The message of bytes; null where they are none: clock datagrams are dropped without a word, so nobody would read a reason. */
export function decodeClockMessage(bytes: Uint8Array): ClockMessage | null {
  if (!isClockFormat(bytes)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const from = nodeId(idAt(bytes, 4));
  const to = nodeId(idAt(bytes, 20));
  const boot = idAt(bytes, 36) as BootId;
  const nonce = view.getBigUint64(HEAD_BYTES);
  if (bytes[3] === KIND_PROBE) {
    return { type: 'probe', from, to, boot, nonce, sequence: view.getBigUint64(HEAD_BYTES + 8) };
  }
  const receivedAt = localTime(view.getBigInt64(HEAD_BYTES + 8));
  const sentAt = localTime(view.getBigInt64(HEAD_BYTES + 24));
  const reverseAt = localTime(view.getBigInt64(HEAD_BYTES + 32));
  if (receivedAt < 0n || sentAt < NEVER || reverseAt < NEVER) return null;
  const previous = sentAt === NEVER ? null : { nonce: view.getBigUint64(HEAD_BYTES + 16), sentAt };
  return {
    type: 'answer',
    from,
    to,
    boot,
    nonce,
    receivedAt,
    previous,
    reverseAt: reverseAt === NEVER ? null : reverseAt,
  };
}

/** 32 hexadecimal digits as 16 bytes. */
function putId(bytes: Uint8Array, at: number, id: string): void {
  assert(isRandomId(id), `"${id}" is an id of 32 hexadecimal digits`);
  for (let i = 0; i < 16; i++) bytes[at + i] = Number.parseInt(id.slice(2 * i, 2 * i + 2), 16);
}

function idAt(bytes: Uint8Array, at: number): string {
  let id = '';
  for (let i = 0; i < 16; i++) id += bytes[at + i]!.toString(16).padStart(2, '0');
  return id;
}
