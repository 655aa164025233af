/** What stands out of a house's view: what a sentence about it has to say. */
import type { NodeView, StateEvent } from '../../http/schema.js';
import { type Room, roomsOf } from './rooms.js';

/** The house in short. */
export interface HouseSummary {
  readonly rooms: readonly Room[];
  readonly there: number;
  readonly silent: readonly Room[];
  readonly leader: Room | null;
}

/** Of a view with a house. */
export function houseSummary(state: StateEvent): HouseSummary {
  const rooms = roomsOf(state);
  return {
    rooms,
    there: rooms.filter(({ kind }) => kind !== 'away').length,
    silent: rooms.filter(({ kind }) => kind === 'silent'),
    leader: rooms.find(({ leads }) => leads) ?? null,
  };
}

/** How a node stands with the clock of the house. */
export type ClockWord = 'leads' | 'locked' | 'holdover' | 'unlocked' | 'unknown';

/** In one word. */
export function clockWord({ clock, leader, online }: Pick<NodeView, 'clock' | 'leader' | 'online'>): ClockWord {
  if (clock === null || !online) return 'unknown';
  if (clock.holdover) return 'holdover';
  if (!clock.locked) return 'unlocked';
  return leader ? 'leads' : 'locked';
}
