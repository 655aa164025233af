/** Messages in words, for traces: one short line each. */
import { type Ballot, ballotText } from '../../src/paxos/ballot.js';
import { decodeMessage } from '../../src/paxos/codec.js';
import type { Entry } from '../../src/paxos/entry.js';
import type { Message, Standing } from '../../src/paxos/message.js';
import { MAIL_FIRST_BYTE } from '../../src/ports/peer-mail.js';
import { CONSENSUS, decodeFrame, type Frame } from '../../src/replication/frames.js';
import { decodeMessage as decodeMail } from '../../src/tracks/messages.js';

/** What a message on the link says. */
export function messageText(bytes: Uint8Array): string {
  if (bytes[0] === CONSENSUS) return textOfMessage(decodeMessage(bytes));
  return bytes[0]! < MAIL_FIRST_BYTE.least ? textOfFrame(decodeFrame(bytes)) : mailText(bytes);
}

/** What one node says to another of track files. */
function mailText(bytes: Uint8Array): string {
  if (bytes[0]! > MAIL_FIRST_BYTE.most) return 'a probe, or its answer';
  try {
    const { type, ...fields } = decodeMail(bytes);
    const words = Object.entries(fields).map(([name, value]) => `${name} ${wordOf(value)}`);
    return [type, ...words].join(', ');
  } catch (error) {
    return `mail that cannot be read: ${(error as Error).message}`;
  }
}

const wordOf = (value: unknown): string => {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `[${value.map(wordOf).join(' ')}]`;
  if (typeof value === 'object' && value !== null) return 'id' in value ? wordOf(value.id) : JSON.stringify(value);
  return String(value).slice(0, 8);
};

const orNone = (ballot: Ballot | null): string => (ballot === null ? 'none' : ballotText(ballot));

const standing = ({ promised, following, leading, happy, chosenUpTo, acceptedUpTo }: Standing): string =>
  `promised ${ballotText(promised)}, ${leading ? 'leads' : 'follows'} ${orNone(following)}${happy ? '' : ', unhappy'}, chosen ${chosenUpTo}, accepted ${acceptedUpTo}`;

function entriesText(from: number, entries: readonly Entry[]): string {
  if (entries.length === 0) return 'nothing';
  const kinds = entries.map((entry) =>
    entry.type === 'command' ? `${entry.session.node.slice(0, 4)}/${entry.session.seq}` : entry.type,
  );
  return `slots ${from} to ${from + entries.length - 1} (${kinds.slice(0, 4).join(' ')}${kinds.length > 4 ? ' ...' : ''})`;
}

function textOfMessage(message: Message): string {
  switch (message.type) {
    case 'heartbeat':
      return `heartbeat ${message.round}: ${standing(message.standing)}`;
    case 'heartbeat-reply':
      return `heartbeat reply ${message.round}: ${standing(message.standing)}, grants ${orNone(message.granted)}`;
    case 'prepare':
      return `prepare ${ballotText(message.ballot)} from slot ${message.from}`;
    case 'promise':
      return `promise ${ballotText(message.ballot)}: ${message.accepted.length} accepted, ${message.unknown.length} unknown, chosen ${message.chosenUpTo}${message.more ? ', more' : ''}`;
    case 'refusal':
      return `refuses ${ballotText(message.ballot)}: promised ${ballotText(message.promised)}`;
    case 'accept':
      return `accept ${ballotText(message.ballot)}: ${entriesText(message.from, message.entries)}, chosen ${message.chosenUpTo}`;
    case 'accepted':
      return `accepted ${ballotText(message.ballot)} up to slot ${message.upTo}`;
    case 'gap':
      return `gap under ${ballotText(message.ballot)} after slot ${message.upTo}`;
    case 'chosen':
      return `chosen under ${ballotText(message.ballot)} up to slot ${message.upTo}`;
    case 'learn':
      return `learn from slot ${message.from}`;
    case 'learned':
      return `learned ${entriesText(
        message.from,
        message.entries.map(({ entry }) => entry),
      )}, chosen ${message.chosenUpTo}`;
    case 'behind':
      return `behind: only a snapshot holds up to slot ${message.base}`;
    case 'read':
      return `read ${message.id}`;
    case 'read-reply':
      return `read reply ${message.id}: slot ${message.slot ?? 'none'}`;
  }
}

function textOfFrame(frame: Frame): string {
  switch (frame.type) {
    case 'forward':
      return `forwards ${frame.proposals.map(({ session }) => `${session.node.slice(0, 4)}/${session.seq}`).join(' ')}`;
    case 'snapshot-part':
      return `snapshot as of slot ${frame.slot}: bytes from ${frame.offset} of ${frame.total}`;
    case 'time':
      return `time ${frame.claim.clusterAt} within ${frame.claim.boundNs} ns`;
    default:
      return Object.entries(frame)
        .map(([key, value]) => (key === 'type' ? String(value) : `${key} ${fieldText(value)}`))
        .join(' ');
  }
}

const fieldText = (value: unknown): string =>
  value instanceof Uint8Array
    ? `${value.length} bytes`
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
