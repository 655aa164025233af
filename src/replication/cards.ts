/**
 * Cards: is this peer's card the one that we know, or an older image of it?
 *
 * A card that was restored from an image, or cloned, has forgotten what it promised and accepted since, and would speak as if it never
 * had. It cannot know that itself; its peers can. Two things only grow on a card that is what it was:
 *
 * - its *chain of boots*: each start adds a random id to the superblock, and each start is noted in the log by the first command of that
 *   process. A chain that lacks the boot that the log saw last was cut off before that one: an image from earlier, or a clone that was
 *   started beside the other.
 * - its *batches*: every acceptance and every hello says how many this card has written. One that says fewer than were heard of it has lost some.
 *
 * A card forgets the boots before the last one that it saw in the log, so its chain says from which slot on it can be judged; whoever
 * has applied less than that says nothing. And another incarnation than the one that was let in is another card, whatever else it says.
 *
 * Not defended against: an image of this very boot with no batch since; or when only peers answer that know less than the image does.
 */
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import { type BootId, type Incarnation, type NodeId, type Slot, slot as slotOf } from '../core/ids.js';
import { readId, writeId } from '../paxos/codec.js';

const VERSION = 1;
/** Boots that a hello names: the first, by which peers know the card, and the latest. They fit in its 8 KiB. */
const BOOTS_SAID_MAX = 400;
/** Cards of members that are remembered beside the log's records: they fit in 4 KiB there. */
const CARDS_KEPT_MAX = 96;

/** What a node says of its card. */
export interface Card {
  /** The oldest first, the present one last. */
  readonly boots: readonly BootId[];
  /** Whoever has applied up to here knows one of them, or none at all. */
  readonly since: Slot;
  /** Sequence of the last batch on its disk. */
  readonly batch: number;
}

/** A card as it travels in a hello. */
export function encodeCard({ boots, since, batch }: Card): Uint8Array {
  const said = boots.length <= BOOTS_SAID_MAX ? boots : [boots[0]!, ...boots.slice(1 - BOOTS_SAID_MAX)];
  const to = new ByteWriter();
  to.u8(VERSION);
  to.varint(said.length);
  for (const boot of said) writeId(to, boot);
  to.varint(since);
  to.varint(batch);
  return to.take();
}

/** What {@link encodeCard} encoded. @throws TuttiError BAD_FRAME */
export function decodeCard(bytes: Uint8Array): Card {
  const from = new ByteReader(bytes);
  checkVersion(from);
  const boots = Array.from({ length: from.count(BOOTS_SAID_MAX) }, () => readId(from) as BootId);
  const card = { boots, since: slotOf(from.varint()), batch: from.varint() };
  from.end();
  return card;
}

/** What this node knows of a peer's card when that one connects. */
export interface Known {
  /** With which it was let in. */
  readonly incarnation: Incarnation;
  /** Of its processes, the one that the log saw last; null where it saw none. */
  readonly boot: BootId | null;
  /** How far this node has applied the log. */
  readonly applied: Slot;
}

/** What was heard of each member's card: kept beside the log's records, at no write of its own. */
export class Cards {
  readonly #batches = new Map<NodeId, { readonly incarnation: Incarnation; batch: number }>();
  #isChanged = false;

  /** @param bytes what {@link encode} gave; null for nothing. What cannot be read counts as nothing: it is a second line of defence. */
  constructor(bytes: Uint8Array | null) {
    try {
      if (bytes !== null) this.#decode(bytes);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#batches.clear();
    }
  }

  /** A member with this card has written up to `batch`. */
  heard(node: NodeId, incarnation: Incarnation, batch: number): void {
    const known = this.#batches.get(node);
    if (known?.incarnation === incarnation && known.batch >= batch) return;
    this.#batches.set(node, { incarnation, batch });
    this.#isChanged = true;
  }

  /** Why a peer's card is not the one that is known, a sentence; null where nothing speaks against it. */
  doubt(node: NodeId, said: { readonly incarnation: Incarnation; readonly card: Card }, known: Known): string | null {
    const { incarnation, card } = said;
    if (incarnation !== known.incarnation) {
      return 'This is another card than the one that was let in under this id.';
    }
    if (known.boot !== null && known.applied >= card.since && !card.boots.includes(known.boot)) {
      return 'This card does not know a start of its own that is in the log: it is an older image, or a copy of one that runs elsewhere.';
    }
    const heard = this.#batches.get(node);
    if (heard?.incarnation === incarnation && card.batch < heard.batch) {
      return `This card has lost what it wrote: it holds ${card.batch} batches and had ${heard.batch}.`;
    }
    return null;
  }

  /** Forgets those who are no members. */
  keep(members: ReadonlySet<NodeId>): void {
    for (const node of this.#batches.keys()) if (!members.has(node)) this.#batches.delete(node);
  }

  /** What is to be kept; null where it is as it was at the last call. */
  encodeIfChanged(): Uint8Array | null {
    if (!this.#isChanged) return null;
    this.#isChanged = false;
    const to = new ByteWriter();
    to.u8(VERSION);
    const kept = [...this.#batches].slice(0, CARDS_KEPT_MAX);
    to.varint(kept.length);
    for (const [node, { incarnation, batch }] of kept) {
      writeId(to, node);
      writeId(to, incarnation);
      to.varint(batch);
    }
    return to.take();
  }

  #decode(bytes: Uint8Array): void {
    const from = new ByteReader(bytes);
    checkVersion(from);
    for (let count = from.count(CARDS_KEPT_MAX); count > 0; count--) {
      const node = readId(from) as NodeId;
      this.#batches.set(node, { incarnation: readId(from) as Incarnation, batch: from.varint() });
    }
    from.end();
  }
}

function checkVersion(from: ByteReader): void {
  const version = from.u8();
  if (version !== VERSION) from.refuse(`version ${VERSION} was expected, not ${version}`);
}
