/**
 * Greetings: what is said first on a connection, and how it is answered.
 *
 * Hello and knock begin with the same six bytes in every version of the protocol, and a refusal never changes its form: so that two nodes
 * of different versions can tell one another so. Everything behind belongs to the version. Ids travel as 16 bytes.
 */
import { assert } from '../../core/assert.js';
import { ByteReader, ByteWriter } from '../../core/cursor.js';
import { type ClusterId, clusterId, type Incarnation, isRandomId, type NodeId, nodeId } from '../../core/ids.js';
import { CARD_BYTES_MAX, CHANNELS, type Channel, KNOCK_BYTES_MAX } from '../../ports/peer-link.js';
import { ADDRESS_BYTES_MAX, DETAIL_BYTES_MAX } from './limits.js';

/** Version of the peers' protocol that this program speaks. Another one is refused. */
export const PROTOCOL_VERSION = 1;

/** What a hello, a welcome and a knock begin with, before two bytes of version. */
const MAGIC = Buffer.from('Tutt', 'latin1');
const ID_BYTES = 16;
/** Longest name of a reason, bytes. */
const CODE_BYTES_MAX = 32;

/** What both ends say of themselves when a connection is made. */
export interface Hello {
  readonly cluster: ClusterId;
  readonly node: NodeId;
  /** Whom the sender takes the receiver for: an address may be another node's by now. */
  readonly to: NodeId;
  readonly incarnation: Incarnation;
  /** Random for each start of the sender's link, 32 hexadecimal digits: another one means that its older connections are dead. */
  readonly session: string;
  readonly channel: Channel;
  /**
   * Control: how many control connections the sender has let in during its session, in a welcome with this one. Bulk: the count of the
   * control connection that it belongs to (peer.ts).
   */
  readonly count: number;
  /** "host:port" at which the sender wants to be found. */
  readonly address: string;
  /** Opaque here. */
  readonly card: Uint8Array;
}

/** Why a connection ends before it began. */
export interface Refusal {
  /** Version that the refusing node speaks. */
  readonly version: number;
  /** A reason (counters.ts), or the code of an error for one who knocked. */
  readonly code: string;
  /** A sentence for a person. */
  readonly detail: string;
}

/** A hello or welcome as the body of a frame. */
export function encodeHello(hello: Hello): Uint8Array {
  assert(hello.card.length <= CARD_BYTES_MAX, `a card holds at most ${CARD_BYTES_MAX} bytes, not ${hello.card.length}`);
  const writer = new ByteWriter();
  writePrefix(writer);
  for (const id of [hello.cluster, hello.node, hello.to, hello.incarnation, hello.session]) {
    assert(isRandomId(id), `an id is 32 hexadecimal digits, not "${id}"`);
    writer.raw(Buffer.from(id, 'hex'));
  }
  writer.u8(CHANNELS.indexOf(hello.channel));
  writer.varint(hello.count);
  writer.text(hello.address);
  writer.bytes(hello.card);
  return writer.take();
}

/** The version that a hello, welcome or knock is in. @throws TuttiError BAD_FRAME where it is none of any version */
export const versionOf = (body: Uint8Array): number => readPrefix(new ByteReader(body));

/** Reads what {@link encodeHello} wrote, in our own version. @throws TuttiError BAD_FRAME */
export function decodeHello(body: Uint8Array): Hello {
  const reader = new ByteReader(body);
  const version = readPrefix(reader);
  assert(version === PROTOCOL_VERSION, 'the version is looked at first');
  const id = () => Buffer.from(reader.raw(ID_BYTES)).toString('hex');
  const ids = {
    cluster: clusterId(id()),
    node: nodeId(id()),
    to: nodeId(id()),
    incarnation: id() as Incarnation,
    session: id(),
  };
  const channel = CHANNELS[reader.u8()] ?? reader.refuse('there is no such channel');
  const count = reader.varint();
  const address = reader.text(ADDRESS_BYTES_MAX);
  // A copy: whoever keeps it does not keep the whole frame.
  const card = reader.bytes(CARD_BYTES_MAX).slice();
  reader.end();
  return { ...ids, channel, count, address, card };
}

/** A request from outside as the body of a frame. */
export function encodeKnock(request: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writePrefix(writer);
  writer.bytes(request);
  return writer.take();
}

/** Reads what {@link encodeKnock} wrote, in our own version. @throws TuttiError BAD_FRAME */
export function decodeKnock(body: Uint8Array): Uint8Array {
  const reader = new ByteReader(body);
  const version = readPrefix(reader);
  assert(version === PROTOCOL_VERSION, 'the version is looked at first');
  const request = reader.bytes(KNOCK_BYTES_MAX);
  reader.end();
  return request;
}

/** A refusal as the body of a frame; a detail that is too long is cut. */
export function encodeRefusal({ version, code, detail }: Refusal): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(version);
  writer.text(code);
  // A character of UTF-16 is at most three bytes of UTF-8.
  writer.text(detail.slice(0, Math.floor(DETAIL_BYTES_MAX / 3)));
  return writer.take();
}

/** Reads what {@link encodeRefusal} wrote, in any version. @throws TuttiError BAD_FRAME */
export function decodeRefusal(body: Uint8Array): Refusal {
  const reader = new ByteReader(body);
  const version = reader.varint();
  const code = reader.text(CODE_BYTES_MAX);
  // Printed to people: nothing that moves a terminal's cursor.
  const detail = reader.text(DETAIL_BYTES_MAX).replace(/\p{Cc}/gu, ' ');
  return { version, code, detail };
}

function writePrefix(writer: ByteWriter): void {
  writer.raw(MAGIC);
  writer.u8(PROTOCOL_VERSION >> 8);
  writer.u8(PROTOCOL_VERSION & 0xff);
}

function readPrefix(reader: ByteReader): number {
  if (MAGIC.compare(reader.raw(MAGIC.length)) !== 0) reader.refuse('a greeting begins with "Tutt"');
  return reader.u8() * 256 + reader.u8();
}
