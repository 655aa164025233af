/** The rooms of the house, as a person would put it. */
import type { NodeView, StateEvent } from '../../http/schema.js';

/** playing: steady. idle: nothing is due. silent: something is due and does not sound. away: not heard lately. */
export type RoomKind = 'playing' | 'idle' | 'silent' | 'away';

/** A room. */
export interface Room {
  readonly id: string;
  readonly name: string;
  readonly kind: RoomKind;
  /** Why it is silent, a code of the catalogue; null where it is not, or does not say. */
  readonly reason: string | null;
  readonly leads: boolean;
  /** The node that serves this page stands here. */
  readonly isHere: boolean;
  /** By how much what it plays is early, microseconds; null where it does not play. */
  readonly errorUs: number | null;
}

const kindOf = ({ online, output }: NodeView): RoomKind => {
  // A node that says nothing of its sound has not been heard lately, even where it counts as online for a moment more.
  if (!online || output.state === null) return 'away';
  if (output.state === 'playing' || output.state === 'silent') return output.state;
  return 'idle';
};

/** All rooms, in the order in which the node names them. */
export const roomsOf = ({ nodes, node: { id: own } }: StateEvent): readonly Room[] =>
  nodes.map((node) => {
    const kind = kindOf(node);
    return {
      id: node.id,
      name: node.name,
      kind,
      reason: kind === 'silent' ? node.output.reason : null,
      leads: node.leader,
      isHere: node.id === own,
      errorUs: kind === 'playing' ? node.output.errorUs : null,
    };
  });

/** What somebody says of where they are is a link only where it leads to a page: others run code, or lead into the reader's own files. */
export const isPageUrl = (url: string): boolean => /^https?:\/\//.test(url);

/** Rooms that are further apart than this are not said to be in step: a twentieth of what an ear can tell. Microseconds. */
export const IN_STEP_US_MAX = 500;

/** How far those that play are apart, microseconds; null where fewer than two do. */
export function apartUs(rooms: readonly Room[]): number | null {
  const errors = rooms.flatMap(({ errorUs }) => (errorUs === null ? [] : [errorUs]));
  return errors.length < 2 ? null : Math.max(...errors) - Math.min(...errors);
}

/** How the rooms stand on the staff, see {@link headOffset}. Microseconds for a full head's width aside. */
const US_PER_HEAD = 1_000;

/** How far a note head stands from the common line, in widths of a head: 1 for a millisecond, 2 at most. */
export const headOffset = (errorUs: number | null): number =>
  errorUs === null ? 0 : Math.max(-2, Math.min(2, errorUs / US_PER_HEAD));
