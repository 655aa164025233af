/**
 * On how many cards a file is, and whether that is enough.
 *
 * A track is agreed only once a majority of the voters hold its file, and voters change only where that stays so: then any majority that
 * survives, and goes on agreeing, has a copy among it. At the moment of the agreement what counts is who attested (`checkHeld`); later,
 * what each node says it lacks (`tracksAtRisk`).
 *
 * A word that was given may be old when it is counted: messages get lost, nodes are away, and a proposal may take its time. So a node that is
 * to let a file go first has it agreed that its words of before count no more (`member.retract`), and where that stands in the log every node sees alike
 * which of the words in a later proposal are too old.
 */
import { TuttiError } from '../core/errors.js';
import type { NodeId, Slot, TrackId } from '../core/ids.js';
import { majorityOf } from '../core/majority.js';
import type { Holder, Track } from './track.js';

/** True for a word that still counts: its node has taken no word back since, as far as the slot is known in which it last did. */
export const stands = ({ sinceSlot }: Holder, retractedIn: Slot | undefined): boolean =>
  (sinceSlot ?? 0) >= (retractedIn ?? 0);

/**
 * That a majority of `voters` is among a track's holders, each by the card that votes, and with a word that `counts`: the attestation of a card
 * that was exchanged since says nothing. A track without chunks is of the first command set, and taken at its word. Where it is not known who
 * votes, each word has to count.
 * @throws TuttiError TRACK_NOT_HELD
 */
export function checkHeld(
  { id, chunks, holders }: Track,
  voters: readonly Holder[],
  counts: (holder: Holder) => boolean,
): void {
  if (chunks === undefined) return;
  const isHolder = (voter: Holder) =>
    holders.some((one) => one.node === voter.node && one.incarnation === voter.incarnation && counts(one));
  const isKnown = voters.length > 0;
  const held = isKnown ? voters.filter(isHolder).length : holders.filter(counts).length;
  const needed = isKnown ? majorityOf(voters.length) : holders.length;
  if (held >= needed) return;
  const who = isKnown ? `${voters.length} nodes that vote` : `${holders.length} nodes that said so`;
  const detail = `${held} of the ${who} hold the file of this track durably, and ${needed} have to`;
  throw new TuttiError('TRACK_NOT_HELD', detail, { trackId: id, held, needed });
}

/** The tracks whose files a node lacks, by its own word; `unknown` where it did not say. */
export type Lack = ReadonlySet<TrackId> | 'unknown';

/** Those of `tracks` that are on fewer than a majority of `voters`. Who did not say what it lacks counts as having nothing. */
export function tracksAtRisk(
  tracks: readonly TrackId[],
  lacks: ReadonlyMap<NodeId, Lack>,
  voters: readonly NodeId[],
): TrackId[] {
  const known = saidBy(voters, lacks);
  const needed = majorityOf(voters.length);
  return tracks.filter((track) => known.filter((lack) => !lack.has(track)).length < needed);
}

/** Those of `tracks` that none of `nodes` has. Who did not say what it lacks may have everything: then nothing is lost yet. */
export function tracksLost(
  tracks: readonly TrackId[],
  lacks: ReadonlyMap<NodeId, Lack>,
  nodes: readonly NodeId[],
): TrackId[] {
  const known = saidBy(nodes, lacks);
  if (known.length < nodes.length) return [];
  return tracks.filter((track) => known.every((lack) => lack.has(track)));
}

const saidBy = (nodes: readonly NodeId[], lacks: ReadonlyMap<NodeId, Lack>): ReadonlySet<TrackId>[] =>
  nodes.map((node) => lacks.get(node) ?? 'unknown').filter((lack) => lack !== 'unknown');
