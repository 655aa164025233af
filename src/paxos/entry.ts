/** Entries: what stands in a slot of the log. Commands are bytes here; what they mean is no business of consensus. */
import type { BootId, NodeId, Slot } from '../core/ids.js';
import type { Ballot } from './ballot.js';
import type { Configuration } from './configuration.js';

/** Which proposal of which process this is; the same one may come to stand in two slots, and counts once (sessions.ts). */
export interface Session {
  readonly node: NodeId;
  readonly boot: BootId;
  /** Counts this process’s proposals, from a number that rises with every start of its card. */
  readonly seq: number;
}

/** A command, as it was proposed, with the leader's stamps. */
export interface CommandEntry {
  readonly type: 'command';
  readonly session: Session;
  /** Cluster time at which the leader took it, nanoseconds; strictly above every command in a slot below. */
  readonly stampNs: bigint;
  /** What the leader added for a change of sound to reach every card in time, nanoseconds. */
  readonly leadNs: bigint;
  readonly payload: Uint8Array;
}

/** Fills a slot in which nothing can have been chosen. */
export interface NoopEntry {
  readonly type: 'noop';
}

/** Seals its configuration: nothing above its slot is proposed in it, and `next` holds from the slot after. */
export interface StopSignEntry {
  readonly type: 'stop-sign';
  readonly next: Configuration;
  /** Who asked for the change, to tell it that it came: see {@link Session}. Null where the leader did of itself. */
  readonly session: Session | null;
}

/** What a slot can hold. */
export type Entry = CommandEntry | NoopEntry | StopSignEntry;

/** An entry that an acceptor accepted. */
export interface AcceptedEntry {
  readonly slot: Slot;
  readonly ballot: Ballot;
  readonly entry: Entry;
}

/** A slot whose record on the disk is damaged. What was accepted there is *unknown*: it must never be taken for nothing. */
export interface UnknownSlot {
  readonly slot: Slot;
  /** The ballot that the record's identifier names; null where that is gone too. */
  readonly ballot: Ballot | null;
}

/** The one filler. */
export const NOOP: NoopEntry = { type: 'noop' };

/** Bytes that an entry takes in a message, roughly: for bounds. */
export const entryBytes = (entry: Entry): number =>
  entry.type === 'command' ? entry.payload.length + 96 : entry.type === 'noop' ? 8 : 256 * entry.next.members.length;

const sameSession = (a: Session | null, b: Session | null): boolean =>
  a === b || (a !== null && b !== null && a.seq === b.seq && a.node === b.node && a.boot === b.boot);

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

const sameConfiguration = (a: Configuration, b: Configuration): boolean =>
  a.id === b.id &&
  a.after === b.after &&
  a.timing.heartbeatMs === b.timing.heartbeatMs &&
  a.timing.electionMs === b.timing.electionMs &&
  a.timing.leaseMs === b.timing.leaseMs &&
  a.members.length === b.members.length &&
  a.members.every((member, index) => {
    const other = b.members[index]!;
    return (
      member.node === other.node &&
      member.incarnation === other.incarnation &&
      member.voter === other.voter &&
      member.address === other.address &&
      member.name === other.name
    );
  });

/** True where both are the same value: what agreement is about. */
export function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.type === 'command') {
    return (
      b.type === 'command' &&
      a.stampNs === b.stampNs &&
      a.leadNs === b.leadNs &&
      sameSession(a.session, b.session) &&
      sameBytes(a.payload, b.payload)
    );
  }
  if (a.type === 'stop-sign') {
    return b.type === 'stop-sign' && sameSession(a.session, b.session) && sameConfiguration(a.next, b.next);
  }
  return b.type === 'noop';
}
