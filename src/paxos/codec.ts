/**
 * Codec: entries, configurations and messages as bytes, for the disk and for peers.
 *
 * Compact, because the same bytes go to every peer and to an SD card; versioned by a first byte, because nodes are upgraded one at a
 * time; bounded everywhere, because bytes are hostile until they are decoded. What is decoded is complete and within range, or it is a
 * TuttiError BAD_FRAME. Each form is one pair of functions that stand together, so that a change of one is a change of both.
 *
 * An entry is encoded once: the disk and each peer take the same bytes, which are kept with it. Nobody may change them.
 */
import { assert } from '../core/assert.js';
import type { ClockClaim } from '../core/clock-line.js';
import { ByteReader, ByteWriter, ROOM_TO_SHARE } from '../core/cursor.js';
import type { BootId, Incarnation, NodeId, Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import { clusterTime, localTime } from '../core/units.js';
import { type Ballot, ROUND_MAX } from './ballot.js';
import type { Configuration, MemberRecord } from './configuration.js';
import type { AcceptedEntry, Entry, Session, UnknownSlot } from './entry.js';
import { NOOP } from './entry.js';
import type { Learned, Message, Standing } from './message.js';

/** The first byte of every message. Another one is another protocol. */
const VERSION = 1;
/** Largest payload of a command: a playlist of 5,000 items fits; a message of several such does too. Bytes. */
export const PAYLOAD_BYTES_MAX = 512 * 1024;
/** Members of one configuration: far above any house, and a bound for what a message may claim. */
export const MEMBERS_MAX = 256;
/** Entries, or unknown slots, of one message. */
const SLOTS_MAX = 16_384;
/** A member's name or address, UTF-8. Bytes. */
const TEXT_BYTES_MAX = 255;
/** Longest id, in bytes; ids of nodes have 32 hexadecimal digits and take 16 bytes. */
const ID_BYTES_MAX = 64;
/** Least bytes that an element of a list takes: a count that promises more than is there is refused before anything is made. */
const ENTRY_BYTES_MIN = 1;
/** Longest time span of a configuration, milliseconds. */
const TIMING_MS_MAX = 1_000_000;

// Ids. 32 hexadecimal digits are 16 bytes after a mark; any other short text, which only tests use, is a length and its characters.

const ID_MARK = 0xff;
const HEX_32 = /^[0-9a-f]{32}$/;
/** Ids met lately, so that no digit is looked at twice. Cleared when full: a stranger cannot make it grow. */
const IDS_KEPT = 512;
const bytesOfId = new Map<string, Uint8Array>();
/** By their first 32 bits. */
const idsMet = new Map<number, { readonly words: readonly [number, number, number, number]; readonly id: string }>();

/** An id of 32 hexadecimal digits, in 17 bytes. */
export function writeId(to: ByteWriter, id: string): void {
  let bytes = bytesOfId.get(id);
  if (bytes === undefined) {
    bytes = idBytes(id);
    if (bytesOfId.size >= IDS_KEPT) bytesOfId.clear();
    bytesOfId.set(id, bytes);
  }
  to.raw(bytes);
}

function idBytes(id: string): Uint8Array {
  const writer = new ByteWriter();
  if (HEX_32.test(id)) {
    writer.u8(ID_MARK);
    for (let at = 0; at < 32; at += 2) writer.u8(Number.parseInt(id.slice(at, at + 2), 16));
  } else {
    writer.text(id);
    assert(writer.length <= ID_BYTES_MAX + 1, `an id has at most ${ID_BYTES_MAX} bytes`);
  }
  return writer.take();
}

/** What {@link writeId} wrote. @throws TuttiError BAD_FRAME */
export function readId(from: ByteReader): string {
  const length = from.u8();
  if (length !== ID_MARK) {
    if (length > ID_BYTES_MAX) from.refuse(`an id has at most ${ID_BYTES_MAX} bytes, not ${length}`);
    let text = '';
    for (const byte of from.raw(length)) {
      if (byte > 0x7e || byte < 0x20) from.refuse('an id is made of plain characters');
      text += String.fromCharCode(byte);
    }
    return text;
  }
  const [a, b, c, d] = [from.u32(), from.u32(), from.u32(), from.u32()];
  const met = idsMet.get(a);
  if (met !== undefined && met.words[1] === b && met.words[2] === c && met.words[3] === d) return met.id;
  const id = [a, b, c, d].map((word) => word.toString(16).padStart(8, '0')).join('');
  if (idsMet.size >= IDS_KEPT) idsMet.clear();
  idsMet.set(a, { words: [a, b, c, d], id });
  return id;
}

const readNode = (from: ByteReader): NodeId => readId(from) as NodeId;
const readSlot = (from: ByteReader): Slot => slotOf(from.varint());

// Values that may be absent.

function writeOptional<T>(to: ByteWriter, value: T | null, write: (to: ByteWriter, value: T) => void): void {
  to.flag(value !== null);
  if (value !== null) write(to, value);
}

function readOptional<T>(from: ByteReader, read: (from: ByteReader) => T): T | null {
  return from.flag() ? read(from) : null;
}

const writeTime = (to: ByteWriter, timeNs: bigint) => to.u63(timeNs);
const readTime = (from: ByteReader): bigint => from.u63();

/** No clock runs at another rate than this against another's: far above any crystal. Parts per million. */
const CLAIM_PPM_MAX = 10_000;
/** A claim that is less sure than this says nothing. Nanoseconds: a day. */
const CLAIM_BOUND_NS_MAX = 86_400e9;

/** A node's word on what cluster time is. */
export function writeClaim(to: ByteWriter, { localAt, clusterAt, driftPpm, boundNs, epoch }: ClockClaim): void {
  to.u63(localAt);
  to.u63(clusterAt);
  to.f64(driftPpm);
  to.varint(boundNs);
  to.varint(epoch);
}

/** What {@link writeClaim} wrote. @throws TuttiError BAD_FRAME */
export function readClaim(from: ByteReader): ClockClaim {
  const localAt = localTime(from.u63());
  const clusterAt = clusterTime(from.u63());
  const driftPpm = from.f64();
  if (!(Math.abs(driftPpm) <= CLAIM_PPM_MAX)) from.refuse(`a clock is off by at most ${CLAIM_PPM_MAX} ppm`);
  return { localAt, clusterAt, driftPpm, boundNs: from.varint(CLAIM_BOUND_NS_MAX), epoch: from.varint() };
}

// Ballots and sessions.

/** A ballot: configuration, round, node. */
export function writeBallot(to: ByteWriter, { configId, round, node }: Ballot): void {
  to.varint(configId);
  to.varint(round);
  writeId(to, node);
}

/** What {@link writeBallot} wrote. @throws TuttiError BAD_FRAME, also for a round above {@link ROUND_MAX} */
export function readBallot(from: ByteReader): Ballot {
  return { configId: from.varint(), round: from.varint(ROUND_MAX), node: readNode(from) };
}

/** Which proposal of which process. */
export function writeSession(to: ByteWriter, { node, boot, seq }: Session): void {
  writeId(to, node);
  writeId(to, boot);
  to.varint(seq);
}

/** What {@link writeSession} wrote. @throws TuttiError BAD_FRAME */
export function readSession(from: ByteReader): Session {
  return { node: readNode(from), boot: readId(from) as BootId, seq: from.varint() };
}

// Configurations.

/** Bits of a member's role. */
const ROLE = { voter: 1, replaces: 2 } as const;

function writeMember(to: ByteWriter, { node, incarnation, address, name, voter, replaces }: MemberRecord): void {
  writeId(to, node);
  writeId(to, incarnation);
  to.text(address);
  to.text(name);
  to.u8((voter ? ROLE.voter : 0) | (replaces === undefined ? 0 : ROLE.replaces));
  if (replaces !== undefined) writeId(to, replaces);
}

function readMember(from: ByteReader): MemberRecord {
  const node = readNode(from);
  const incarnation = readId(from) as Incarnation;
  const address = from.text(TEXT_BYTES_MAX);
  const name = from.text(TEXT_BYTES_MAX);
  const role = from.u8();
  if (role > (ROLE.voter | ROLE.replaces)) from.refuse('a member votes or does not, and takes a place or does not');
  const member = { node, incarnation, address, name, voter: (role & ROLE.voter) !== 0 };
  return (role & ROLE.replaces) === 0 ? member : { ...member, replaces: readNode(from) };
}

/** A set of members. */
export function writeConfiguration(to: ByteWriter, { id, after, members, timing }: Configuration): void {
  to.varint(id);
  to.varint(after);
  to.f64(timing.heartbeatMs);
  to.f64(timing.electionMs);
  to.f64(timing.leaseMs);
  to.varint(members.length);
  for (const member of members) writeMember(to, member);
}

/** What {@link writeConfiguration} wrote. @throws TuttiError BAD_FRAME, also where members are not in order, each once, or none votes */
export function readConfiguration(from: ByteReader): Configuration {
  const id = from.varint();
  const after = readSlot(from);
  const [heartbeatMs, electionMs, leaseMs] = [from.f64(), from.f64(), from.f64()];
  const isSpan = (ms: number) => ms > 0 && ms <= TIMING_MS_MAX;
  if (![heartbeatMs, electionMs, leaseMs].every(isSpan))
    from.refuse('a time span of the configuration is out of range');
  const members = Array.from({ length: from.count(MEMBERS_MAX) }, () => readMember(from));
  const inOrder = members.every(({ node }, at) => at === 0 || members[at - 1]!.node < node);
  if (!inOrder) from.refuse('members are in the order of their ids, each once');
  if (!members.some(({ voter }) => voter)) from.refuse('at least one member votes');
  return { id, after, members, timing: { heartbeatMs, electionMs, leaseMs } };
}

/** A configuration by itself, as the superblock holds it. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const to = new ByteWriter();
  to.u8(VERSION);
  writeConfiguration(to, configuration);
  return to.take();
}

/** What {@link encodeConfiguration} encoded. @throws TuttiError BAD_FRAME */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const from = new ByteReader(bytes);
  checkVersion(from);
  const configuration = readConfiguration(from);
  from.end();
  return configuration;
}

// Entries.

const ENTRY = { noop: 0, command: 1, 'stop-sign': 2 } as const;

const entryBytes = new WeakMap<Entry, Uint8Array>();
/** Not the messages' writer: an entry is encoded while a message is. */
const entryWriter = new ByteWriter(ROOM_TO_SHARE);

/** The bytes of an entry; the same ones at every call with it. @throws InvariantError for a payload above {@link PAYLOAD_BYTES_MAX} */
export function encodeEntry(entry: Entry): Uint8Array {
  const known = entryBytes.get(entry);
  if (known !== undefined) return known;
  const to = entryWriter;
  to.u8(ENTRY[entry.type]);
  switch (entry.type) {
    case 'noop':
      break;
    case 'command':
      assert(entry.payload.length <= PAYLOAD_BYTES_MAX, `a payload has at most ${PAYLOAD_BYTES_MAX} bytes`);
      writeSession(to, entry.session);
      to.u63(entry.stampNs);
      to.u63(entry.leadNs);
      to.bytes(entry.payload);
      break;
    case 'stop-sign':
      writeOptional(to, entry.session, writeSession);
      writeConfiguration(to, entry.next);
      break;
  }
  const bytes = to.share();
  entryBytes.set(entry, bytes);
  return bytes;
}

/** What {@link encodeEntry} encoded. The bytes are kept with the entry, and must not be changed any more. @throws TuttiError BAD_FRAME */
export function decodeEntry(bytes: Uint8Array): Entry {
  const from = new ByteReader(bytes);
  const entry = readEntry(from);
  from.end();
  if (entry !== NOOP) entryBytes.set(entry, bytes);
  return entry;
}

function readEntry(from: ByteReader): Entry {
  const type = from.u8();
  switch (type) {
    case ENTRY.noop:
      return NOOP;
    case ENTRY.command:
      return {
        type: 'command',
        session: readSession(from),
        stampNs: from.u63(),
        leadNs: from.u63(),
        payload: from.bytes(PAYLOAD_BYTES_MAX),
      };
    case ENTRY['stop-sign']:
      return { type: 'stop-sign', session: readOptional(from, readSession), next: readConfiguration(from) };
    default:
      return from.refuse(`no entry is of the type ${type}`);
  }
}

/** Longest entry: a command with the largest payload, or the largest configuration. Bytes. */
const ENTRY_BYTES_MAX = PAYLOAD_BYTES_MAX + 1_024;

const writeEntry = (to: ByteWriter, entry: Entry) => to.bytes(encodeEntry(entry));
const readEntryField = (from: ByteReader): Entry => decodeEntry(from.bytes(ENTRY_BYTES_MAX));

function writeAccepted(to: ByteWriter, { slot, ballot, entry }: AcceptedEntry): void {
  to.varint(slot);
  writeBallot(to, ballot);
  writeEntry(to, entry);
}

const readAccepted = (from: ByteReader): AcceptedEntry => ({
  slot: readSlot(from),
  ballot: readBallot(from),
  entry: readEntryField(from),
});

function writeUnknown(to: ByteWriter, { slot, ballot }: UnknownSlot): void {
  to.varint(slot);
  writeOptional(to, ballot, writeBallot);
}

const readUnknown = (from: ByteReader): UnknownSlot => ({
  slot: readSlot(from),
  ballot: readOptional(from, readBallot),
});

function writeLearned(to: ByteWriter, { ballot, entry }: Learned['entries'][number]): void {
  writeBallot(to, ballot);
  writeEntry(to, entry);
}

const readLearned = (from: ByteReader): Learned['entries'][number] => ({
  ballot: readBallot(from),
  entry: readEntryField(from),
});

function writeList<T>(to: ByteWriter, list: readonly T[], write: (to: ByteWriter, element: T) => void): void {
  assert(list.length <= SLOTS_MAX, `a message has at most ${SLOTS_MAX} entries`);
  to.varint(list.length);
  for (const element of list) write(to, element);
}

function readList<T>(from: ByteReader, read: (from: ByteReader) => T): T[] {
  const length = from.count(SLOTS_MAX, ENTRY_BYTES_MIN);
  const list: T[] = [];
  for (let index = 0; index < length; index++) list.push(read(from));
  return list;
}

// Messages.

const MESSAGE = {
  heartbeat: 1,
  'heartbeat-reply': 2,
  prepare: 3,
  promise: 4,
  refusal: 5,
  accept: 6,
  accepted: 7,
  gap: 8,
  chosen: 9,
  learn: 10,
  learned: 11,
  behind: 12,
  read: 13,
  'read-reply': 14,
} as const satisfies Record<Message['type'], number>;

function writeStanding(to: ByteWriter, standing: Standing): void {
  to.varint(standing.configId);
  writeBallot(to, standing.promised);
  writeOptional(to, standing.following, writeBallot);
  to.u8((standing.leading ? 1 : 0) | (standing.happy ? 2 : 0));
  to.varint(standing.chosenUpTo);
  to.varint(standing.acceptedUpTo);
}

function readStanding(from: ByteReader): Standing {
  const configId = from.varint();
  const promised = readBallot(from);
  const following = readOptional(from, readBallot);
  const flags = from.u8();
  if (flags > 3) from.refuse('a standing has two flags');
  return {
    configId,
    promised,
    following,
    leading: (flags & 1) !== 0,
    happy: (flags & 2) !== 0,
    chosenUpTo: readSlot(from),
    acceptedUpTo: readSlot(from),
  };
}

const writer = new ByteWriter(ROOM_TO_SHARE);

/** The bytes of a message. */
export function encodeMessage(message: Message): Uint8Array {
  const to = writer;
  to.u8(VERSION);
  to.u8(MESSAGE[message.type]);
  switch (message.type) {
    case 'heartbeat':
      writeStanding(to, message.standing);
      to.varint(message.round);
      to.f64(message.sentAtMs);
      to.f64(message.leaseMs);
      writeOptional(to, message.clock, writeClaim);
      break;
    case 'heartbeat-reply':
      writeStanding(to, message.standing);
      to.varint(message.round);
      to.f64(message.sentAtMs);
      writeOptional(to, message.granted, writeBallot);
      to.varint(message.matchedUpTo);
      writeOptional(to, message.clock, writeClaim);
      break;
    case 'prepare':
      writeBallot(to, message.ballot);
      to.varint(message.from);
      break;
    case 'promise':
      writeBallot(to, message.ballot);
      to.varint(message.from);
      writeList(to, message.accepted, writeAccepted);
      writeList(to, message.unknown, writeUnknown);
      to.varint(message.chosenUpTo);
      to.flag(message.more);
      to.varint(message.next);
      writeOptional(to, message.timeNs, writeTime);
      break;
    case 'refusal':
      writeBallot(to, message.ballot);
      writeBallot(to, message.promised);
      break;
    case 'accept':
      writeBallot(to, message.ballot);
      to.varint(message.start);
      to.varint(message.from);
      writeList(to, message.entries, writeEntry);
      to.varint(message.chosenUpTo);
      break;
    case 'accepted':
      writeBallot(to, message.ballot);
      to.varint(message.upTo);
      to.varint(message.batch);
      break;
    case 'gap':
      writeBallot(to, message.ballot);
      to.varint(message.upTo);
      break;
    case 'chosen':
      writeBallot(to, message.ballot);
      to.varint(message.start);
      to.varint(message.upTo);
      break;
    case 'learn':
      to.varint(message.from);
      break;
    case 'learned':
      to.varint(message.from);
      writeList(to, message.entries, writeLearned);
      to.varint(message.chosenUpTo);
      break;
    case 'behind':
      to.varint(message.base);
      break;
    case 'read':
      to.varint(message.id);
      break;
    case 'read-reply':
      to.varint(message.id);
      writeOptional(to, message.slot, (to, slot: Slot) => to.varint(slot));
      break;
  }
  return to.share();
}

/** Messages whose entries live on in the log, as views on the message. */
const WITH_ENTRIES: ReadonlySet<number | undefined> = new Set([MESSAGE.promise, MESSAGE.accept, MESSAGE.learned]);

/** What {@link encodeMessage} encoded. The bytes may be used for something else afterwards. @throws TuttiError BAD_FRAME */
export function decodeMessage(bytes: Uint8Array): Message {
  // One copy of the message costs less than one of each entry, and entries that came together leave the log together.
  const from = new ByteReader(WITH_ENTRIES.has(bytes[1]) ? bytes.slice() : bytes);
  checkVersion(from);
  const message = readMessage(from);
  from.end();
  return message;
}

function readMessage(from: ByteReader): Message {
  const type = from.u8();
  switch (type) {
    case MESSAGE.heartbeat:
      return {
        type: 'heartbeat',
        standing: readStanding(from),
        round: from.varint(),
        sentAtMs: from.f64(),
        leaseMs: from.f64(),
        clock: readOptional(from, readClaim),
      };
    case MESSAGE['heartbeat-reply']:
      return {
        type: 'heartbeat-reply',
        standing: readStanding(from),
        round: from.varint(),
        sentAtMs: from.f64(),
        granted: readOptional(from, readBallot),
        matchedUpTo: readSlot(from),
        clock: readOptional(from, readClaim),
      };
    case MESSAGE.prepare:
      return { type: 'prepare', ballot: readBallot(from), from: readSlot(from) };
    case MESSAGE.promise:
      return {
        type: 'promise',
        ballot: readBallot(from),
        from: readSlot(from),
        accepted: readList(from, readAccepted),
        unknown: readList(from, readUnknown),
        chosenUpTo: readSlot(from),
        more: from.flag(),
        next: readSlot(from),
        timeNs: readOptional(from, readTime),
      };
    case MESSAGE.refusal:
      return { type: 'refusal', ballot: readBallot(from), promised: readBallot(from) };
    case MESSAGE.accept:
      return {
        type: 'accept',
        ballot: readBallot(from),
        start: readSlot(from),
        from: readSlot(from),
        entries: readList(from, readEntryField),
        chosenUpTo: readSlot(from),
      };
    case MESSAGE.accepted:
      return { type: 'accepted', ballot: readBallot(from), upTo: readSlot(from), batch: from.varint() };
    case MESSAGE.gap:
      return { type: 'gap', ballot: readBallot(from), upTo: readSlot(from) };
    case MESSAGE.chosen:
      return { type: 'chosen', ballot: readBallot(from), start: readSlot(from), upTo: readSlot(from) };
    case MESSAGE.learn:
      return { type: 'learn', from: readSlot(from) };
    case MESSAGE.learned:
      return {
        type: 'learned',
        from: readSlot(from),
        entries: readList(from, readLearned),
        chosenUpTo: readSlot(from),
      };
    case MESSAGE.behind:
      return { type: 'behind', base: readSlot(from) };
    case MESSAGE.read:
      return { type: 'read', id: from.varint() };
    case MESSAGE['read-reply']:
      return { type: 'read-reply', id: from.varint(), slot: readOptional(from, readSlot) };
    default:
      return from.refuse(`no message is of the type ${type}`);
  }
}

function checkVersion(from: ByteReader): void {
  const version = from.u8();
  if (version !== VERSION) from.refuse(`version ${VERSION} was expected, not ${version}`);
}
