/**
 * On how many cards a file is, and whether that is enough.
 *
 * A track is agreed only once a majority of the voters hold its file, and voters change only where that stays so: then any majority that
 * survives, and goes on agreeing, has a copy among it. At the moment of the agreement what counts is who attested (`checkHeld`); later,
 * what each node says it lacks (`tracksAtRisk`).
 */
import { TuttiError } from '../core/errors.js';
import type { NodeId, TrackId } from '../core/ids.js';
import { majorityOf } from '../core/majority.js';
import type { Holder, Track } from './track.js';

/**
 * That a majority of `voters` is among a track's holders, each by the card that votes: the attestation of a card that was exchanged since says
 * nothing. A track without chunks is of the first command set, and taken at its word; and nobody is to be compared with nobody.
 * @throws TuttiError TRACK_NOT_HELD
 */
export function checkHeld({ id, chunks, holders }: Track, voters: readonly Holder[]): void {
  if (chunks === undefined || voters.length === 0) return;
  const isHolder = (voter: Holder) =>
    holders.some(({ node, incarnation }) => node === voter.node && incarnation === voter.incarnation);
  const held = voters.filter(isHolder).length;
  const needed = majorityOf(voters.length);
  if (held >= needed) return;
  const detail = `${held} of the ${voters.length} nodes that vote hold the file of this track durably, and ${needed} have to`;
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
