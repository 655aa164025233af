/**
 * WaitingRoom: connections that came in and have not said who they are.
 *
 * Anybody may connect, so this is what strangers can fill. It has a fixed number of places. When one more comes, a place is freed by
 * dropping the oldest of the address that has the most: a stranger who floods from one address pushes out its own connections, and a
 * member that connects meanwhile keeps its place for as long as it needs.
 */
import type { CloseReason } from './counters.js';
import { GREETING_SWEEPS, WAITING_MAX } from './limits.js';

/** One that waits. */
export interface Guest {
  /** IP address that it comes from. */
  readonly host: string;
  /** Closes its connection. */
  drop(reason: CloseReason): void;
}

/** Those who wait, the oldest first, with the sweeps that each has waited. */
export class WaitingRoom {
  readonly #guests = new Map<Guest, number>();

  /** How many wait. */
  get size(): number {
    return this.#guests.size;
  }

  /** One more; another is dropped where it is one too many. */
  enter(guest: Guest): void {
    this.#guests.set(guest, 0);
    if (this.#guests.size > WAITING_MAX) this.#drop(this.#oldestOfTheMany(), 'crowded');
  }

  /** It has said who it is, or is gone. */
  leave(guest: Guest): void {
    this.#guests.delete(guest);
  }

  /** Once every `SWEEP_MS`: drops those who take too long. */
  sweep(): void {
    for (const [guest, waited] of this.#guests) {
      if (waited < GREETING_SWEEPS) this.#guests.set(guest, waited + 1);
      else this.#drop(guest, 'timeout');
    }
  }

  #oldestOfTheMany(): Guest {
    const counts = new Map<string, number>();
    for (const { host } of this.#guests.keys()) counts.set(host, (counts.get(host) ?? 0) + 1);
    const most = Math.max(...counts.values());
    return [...this.#guests.keys()].find(({ host }) => counts.get(host) === most)!;
  }

  #drop(guest: Guest, reason: CloseReason): void {
    this.#guests.delete(guest);
    guest.drop(reason);
  }
}
