/**
 * Sessions: each proposal of each process counts once, however often it comes to stand in the log.
 *
 * A proposal may be chosen twice: its proposer hears nothing, asks again, and both requests reach a leader, or two leaders. So every
 * command carries who proposed it: node, boot (one start of its process) and a number that counts on. The table here is worked
 * out from the log alone, so that all nodes pass over the same entries, and is part of the snapshot: without it a node that starts from
 * one would apply again what the others pass over.
 *
 * A boot's session opens with whichever of its commands stands first in the log, and closes that of the boot before: a process that is
 * over proposes nothing any more, and what it left in the network would come too late to be wanted. That may also be the first that the log
 * sees of its boot: so numbers rise over the boots of a card ({@link seqBefore}), and one of an earlier start opens nothing. Of an open session
 * the last {@link WINDOW} numbers are remembered one by one; a number below them is passed over, so a proposer must not have
 * proposals further apart than that under way. Everything is evicted in the order of the log, never by a clock.
 *
 * Further reading: D. Ongaro, "Consensus: Bridging Theory and Practice", 2014, section 6.3.
 */
import { ByteReader, ByteWriter } from '../core/cursor.js';
import type { BootId, NodeId, Slot } from '../core/ids.js';
import { slot as slotOf } from '../core/ids.js';
import { readId, writeId } from './codec.js';
import type { Session } from './entry.js';

/** How far apart proposals of one process may be that are under way at once. */
export const WINDOW = 1_024;
/** Numbers that one start of a card has for its proposals: more than it makes at full speed in a week. There are some two million starts. */
const SEQS_PER_START = 2 ** 32;

/** The number before the first proposal of a card's start with this number. */
export const seqBefore = (start: number): number => start * SEQS_PER_START;
const startOf = (seq: number): number => Math.floor(seq / SEQS_PER_START);

/**
 * Boots of one node that are remembered as closed, for those that counted from 1 whichever start it was: a duplicate that is older than so many
 * restarts of its sender does not exist.
 */
export const CLOSED_BOOTS = 16;
/** Nodes whose sessions are kept, removed ones included; the one that was silent the longest goes first. */
export const NODES_MAX = 1_024;

/** What is known of one node's processes. */
interface NodeSession {
  readonly boot: BootId;
  /** Of its first command. */
  readonly openedAt: Slot;
  /** Older boots, the latest last. */
  readonly closed: BootId[];
  highest: number;
  /** Where each number within the window was applied. */
  readonly seen: Map<number, Slot>;
  lastSlot: Slot;
}

/** The form of {@link Sessions.encode}. */
const VERSION = 1;

/** Which proposals were applied. A pure function of the log up to some slot. */
export class Sessions {
  readonly #nodes = new Map<NodeId, NodeSession>();

  /** True where the command that stands in `slot` is to be applied: for the first time, and not too late. Slots come in order. */
  take({ node, boot, seq }: Session, slot: Slot): boolean {
    const known = this.#nodes.get(node);
    if (known === undefined || known.boot !== boot) return this.#open(known, { node, boot, seq }, slot);
    if (seq <= known.highest - WINDOW || known.seen.has(seq)) return false;
    known.seen.set(seq, slot);
    known.lastSlot = slot;
    if (seq > known.highest) {
      const last = Math.min(known.highest, seq - WINDOW);
      for (let old = known.highest - WINDOW + 1; old <= last; old++) known.seen.delete(old);
      known.highest = seq;
    }
    return true;
  }

  /** Where a proposal was applied; null where it was not, or longer ago than is remembered. */
  slotOf({ node, boot, seq }: Session): Slot | null {
    const known = this.#nodes.get(node);
    return known?.boot === boot ? (known.seen.get(seq) ?? null) : null;
  }

  /** The boot of `node` that the log saw last, and where it saw it first; null where it saw none. */
  bootOf(node: NodeId): { readonly boot: BootId; readonly openedAt: Slot } | null {
    return this.#nodes.get(node) ?? null;
  }

  /** The table as bytes: equal tables give equal bytes. */
  encode(): Uint8Array {
    const to = new ByteWriter();
    to.u8(VERSION);
    to.varint(this.#nodes.size);
    for (const node of [...this.#nodes.keys()].sort(byText)) {
      const { boot, openedAt, closed, highest, seen, lastSlot } = this.#nodes.get(node)!;
      writeId(to, node);
      writeId(to, boot);
      to.varint(openedAt);
      to.varint(closed.length);
      for (const id of closed) writeId(to, id);
      to.varint(highest);
      to.varint(lastSlot);
      to.varint(seen.size);
      for (const seq of [...seen.keys()].sort((a, b) => a - b)) {
        to.varint(seq);
        to.varint(seen.get(seq)!);
      }
    }
    return to.take();
  }

  /** The table that {@link encode} gave. @throws TuttiError BAD_FRAME */
  static decode(bytes: Uint8Array): Sessions {
    const from = new ByteReader(bytes);
    const version = from.u8();
    if (version !== VERSION) from.refuse(`a table of sessions of version ${VERSION} was expected, not ${version}`);
    const sessions = new Sessions();
    for (let nodes = from.count(NODES_MAX); nodes > 0; nodes--) {
      const node = readId(from) as NodeId;
      const boot = readId(from) as BootId;
      const openedAt = slotOf(from.varint());
      const closed = Array.from({ length: from.count(CLOSED_BOOTS) }, () => readId(from) as BootId);
      const highest = from.varint();
      const lastSlot = slotOf(from.varint());
      const seen = new Map<number, Slot>();
      for (let count = from.count(WINDOW); count > 0; count--) seen.set(from.varint(), slotOf(from.varint()));
      sessions.#nodes.set(node, { boot, openedAt, closed, highest, seen, lastSlot });
    }
    from.end();
    return sessions;
  }

  #open(known: NodeSession | undefined, { node, boot, seq }: Session, slot: Slot): boolean {
    if (known !== undefined && startOf(seq) < startOf(known.highest)) return false;
    if (known?.closed.includes(boot)) return false;
    const closed = known === undefined ? [] : [...known.closed, known.boot].slice(-CLOSED_BOOTS);
    this.#nodes.set(node, { boot, openedAt: slot, closed, highest: seq, seen: new Map([[seq, slot]]), lastSlot: slot });
    if (this.#nodes.size > NODES_MAX) this.#evict();
    return true;
  }

  #evict(): void {
    let oldest: NodeId | undefined;
    for (const [node, { lastSlot }] of this.#nodes) {
      if (oldest === undefined || lastSlot < this.#nodes.get(oldest)!.lastSlot) oldest = node;
    }
    this.#nodes.delete(oldest!);
  }
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
