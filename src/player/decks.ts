/**
 * Which deck holds what: two decks, so that what comes after a cut is ready while the sound before it still fades.
 *
 * Songs that follow one another to their ends share a deck, one piece after the other. What begins with a command (skip, seek, resume)
 * goes to the other deck, because the first one is full of sound that nobody will hear. So does what comes after a piece in which the
 * reader waits for a chunk: nobody knows when that comes, and the songs after it begin in time. `plan` is called at every period; it
 * compares the program with the decks and asks the reader for what is missing.
 */
import type { ErrorCode } from '../core/errors.js';
import { addTime, type ClusterTime, NS_PER_MS, NS_PER_S } from '../core/units.js';
import { Deck, type DeckComponents, FILL_AHEAD_S } from './deck.js';
import type { ProgramSegment } from './program.js';
import { frameDueAt, isSameSound } from './schedule.js';

/** How far ahead pieces are handed to the reader: further than it fills, so that it never waits for the player. Nanoseconds. */
const HORIZON_NS = 30n * NS_PER_S;
/** How long after a failure the same file is tried again: it may be on its way from another node. Nanoseconds. */
const RETRY_AFTER_NS = 500n * NS_PER_MS;
/** So long is believed that a chunk is waited for: a deck that is filled anew with what is due has to find that out again. Nanoseconds. */
const WAIT_SEEN_NS = 500n * NS_PER_MS;
/** A deck that lies further behind than this is filled anew from what is due, rather than caught up with. Seconds. */
const BEHIND_MAX_S = 1;
/** The same for one whose reader waits for a chunk: what is due by now may lie in another one, which is there. Seconds. */
const BEHIND_WAITING_MAX_S = 0.2;
/** A file that could not be read, for one segment. */
interface Failure {
  readonly segment: ProgramSegment;
  readonly code: ErrorCode;
  triedAt: ClusterTime;
}

/** What sounds now. */
export interface InUse {
  /** True for a deck that something sounds from: it is not filled anew. */
  readonly inUse: (deck: Deck) => boolean;
  /** True for a segment that sounds. */
  readonly isHeard: (segment: ProgramSegment) => boolean;
}

/** A segment in which a deck's reader was seen to wait. */
interface Wait {
  segment: ProgramSegment | undefined;
  code: ErrorCode | undefined;
  seenAt: bigint;
}

/** What a walk through the program finds out about a deck. */
interface Visit {
  readonly deck: Deck;
  /** The piece that it has come to; -1 where nothing in the program needs it. */
  piece: number;
  /** Place in the program of the first segment that needs it; Infinity for none. */
  firstNeed: number;
}

/** The two decks, on the player's thread. They outlive cards: one that is opened anew goes on with what they hold. */
export class Decks {
  readonly #visits: readonly Visit[];
  #failures: Failure[] = [];
  /** What was seen to be waited for last; changed in place. */
  readonly #waited: Wait = { segment: undefined, code: undefined, seenAt: 0n };
  /** Places in the program of segments that no deck comes to; reused by every `plan`. */
  readonly #uncovered: number[] = [];

  constructor(components: DeckComponents) {
    this.#visits = [0, 1].map((index) => ({
      deck: new Deck(components, { index }),
      piece: -1,
      firstNeed: Number.POSITIVE_INFINITY,
    }));
  }

  /** The deck whose next frame belongs to `segment`; of two such the one that is nearer to `frame`, or has more of it. */
  holding(segment: ProgramSegment, frame: number): Deck | undefined {
    let nearest: Deck | undefined;
    let leastApart = Number.POSITIVE_INFINITY;
    for (const { deck } of this.#visits) {
      if (!deck.isAt(segment)) continue;
      const apart = Math.abs(deck.headFrame - frame);
      const hasMore = nearest !== undefined && deck.availableFrames() > nearest.availableFrames();
      if (apart > leastApart || (apart === leastApart && !hasMore)) continue;
      nearest = deck;
      leastApart = apart;
    }
    return nearest;
  }

  /** Why `segment` cannot be read, or read on for now, where that is known. */
  reasonOf(segment: ProgramSegment): ErrorCode | undefined {
    const failure = this.#failureOf(segment);
    if (failure !== undefined) return failure.code;
    const { segment: waited, code } = this.#waited;
    return waited !== undefined && isSameSound(waited, segment) ? code : undefined;
  }

  /**
   * Asks the reader for what `segments` need from `now` on and no deck has.
   * Near its end a segment may sound that no deck holds any more: the resampler has read the last of it. No deck is filled with that.
   */
  plan(segments: readonly ProgramSegment[], now: ClusterTime, { inUse, isHeard }: InUse): void {
    this.#noteFailures(now);
    this.#noteWaits(now);
    for (const visit of this.#visits) {
      visit.piece = -1;
      visit.firstNeed = Number.POSITIVE_INFINITY;
    }
    this.#uncovered.length = 0;
    const horizon = addTime(now, HORIZON_NS);
    for (let i = 0; i < segments.length && segments[i]!.startAt <= horizon; i++) {
      const segment = segments[i]!;
      if (segment.endAt > now && !this.#reach(segment, i, now) && !isHeard(segment)) this.#uncovered.push(i);
    }
    for (const i of this.#uncovered) {
      if (!this.#extend(segments[i - 1], segments[i]!)) this.#fill(segments[i]!, i, now, inUse);
    }
  }

  #failureOf(segment: ProgramSegment): Failure | undefined {
    return this.#failures.find((failure) => isSameSound(failure.segment, segment));
  }

  /** Takes over what the reader could not read, and forgets what is over. */
  #noteFailures(now: ClusterTime): void {
    if (this.#failures.some(({ segment }) => segment.endAt <= now)) {
      this.#failures = this.#failures.filter(({ segment }) => segment.endAt > now);
    }
    for (const { deck } of this.#visits) {
      for (let piece = 0; piece < deck.pieces; piece++) {
        const code = deck.failureAt(piece);
        const segment = deck.segmentAt(piece)!;
        if (code === undefined || segment.endAt <= now || this.#failureOf(segment) !== undefined) continue;
        this.#failures.push({ segment, code, triedAt: now });
      }
    }
  }

  /** Takes over for what the reader waits in the segment that is due; forgets it when that was long ago. */
  #noteWaits(now: ClusterTime): void {
    const waited = this.#waited;
    for (const { deck } of this.#visits) {
      const segment = deck.segmentAt(deck.waitingIn);
      if (segment === undefined || segment.startAt > now || segment.endAt <= now) continue;
      waited.segment = segment;
      waited.code = deck.waitingFor;
      waited.seenAt = now;
    }
    if (now - waited.seenAt > WAIT_SEEN_NS) waited.segment = undefined;
  }

  /** True where a deck comes to `segment` by itself. */
  #reach(segment: ProgramSegment, place: number, now: ClusterTime): boolean {
    for (const visit of this.#visits) {
      const { deck } = visit;
      let piece = visit.piece === -1 ? deck.head : visit.piece + 1;
      // The head of a deck may have failed further on: what it has is played. A later piece that failed is left out.
      while (piece > deck.head && piece < deck.pieces && deck.failureAt(piece) !== undefined) piece += 1;
      const held = deck.segmentAt(piece);
      if (held === undefined || !isSameSound(held, segment) || piece > deck.waitingIn) continue;
      if (piece === deck.head && isOutOfReach(deck, segment, now)) continue;
      visit.piece = piece;
      visit.firstNeed = Math.min(visit.firstNeed, place);
      return true;
    }
    return false;
  }

  /** Lets `segment` follow `before` on its deck, where that plays to its end there. */
  #extend(before: ProgramSegment | undefined, segment: ProgramSegment): boolean {
    if (before === undefined || !before.complete || this.#failureOf(segment) !== undefined) return false;
    for (const visit of this.#visits) {
      const { deck, piece } = visit;
      if (piece === -1 || piece !== deck.pieces - 1) continue;
      if (!isSameSound(deck.segmentAt(piece)!, before) || !deck.canExtend(segment)) continue;
      deck.extend(segment);
      visit.piece = deck.pieces - 1;
      return true;
    }
    return false;
  }

  /** Fills a deck with `segment`, unless all are needed more: by what sounds, or by what comes before it. */
  #fill(segment: ProgramSegment, place: number, now: ClusterTime, inUse: (deck: Deck) => boolean): void {
    const failure = this.#failureOf(segment);
    if (failure !== undefined && now - failure.triedAt < RETRY_AFTER_NS) return;
    // A file that failed before takes no deck from anything that is wanted.
    const free = this.#visits.filter(
      ({ deck, firstNeed }) => !inUse(deck) && (failure === undefined ? firstNeed > place : firstNeed === Infinity),
    );
    const visit = free.find(({ firstNeed }) => firstNeed === Infinity) ?? free[0];
    if (visit === undefined) return;
    const due = Math.floor(frameDueAt(segment, now));
    visit.deck.fill(segment, Math.min(Math.max(segment.startFrame, due), segment.frames - 1), now);
    visit.piece = 0;
    visit.firstNeed = place;
    if (failure !== undefined) failure.triedAt = now;
  }
}

/** True where what is due is so far from the deck's next frame that reading on would not get there soon. */
function isOutOfReach(deck: Deck, segment: ProgramSegment, now: ClusterTime): boolean {
  const due = Math.max(segment.startFrame, frameDueAt(segment, now));
  if (deck.headFrame - due > FILL_AHEAD_S * segment.sampleRate) return true;
  const missing = due - (deck.headFrame + deck.availableFrames());
  const fillingS = Number(now - deck.filledAtNs) / 1e9;
  const mostS = deck.waitingIn === deck.head ? BEHIND_WAITING_MAX_S : BEHIND_MAX_S;
  return missing > mostS * segment.sampleRate && fillingS > mostS;
}
