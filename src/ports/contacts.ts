/**
 * Contacts: which edges of push buttons are presses.
 *
 * A contact bounces: a press is a burst of edges within 5 ms or so, and a release likewise. The first edge counts, at once and with its
 * instant, and what follows within {@link BUTTON_SETTLE_MS} is not acted upon; then the contact is looked at, since its last edge may have been
 * lost or been one of those. Waiting for the end of the burst, as debouncing is mostly done, would make every press late by as much.
 *
 * Edges are judged by their own instants, not by when they are told: a main thread that was busy for a second gets two presses at once, and
 * they are two.
 */
import { addTime, type LocalTime, laterOf, nanosFromMs } from '../core/units.js';
import { BUTTON_SETTLE_MS, type Button } from './controls.js';
import type { Time, Timer } from './time.js';

interface Contact {
  /** As its last edge said. */
  isDown: boolean;
  /** As it is taken to be. */
  wasDown: boolean;
  /** Since when it is taken to be so. */
  since: LocalTime;
  /** Edges before this are bounces. */
  settledAt: LocalTime;
  timer: Timer | null;
}

/** What contacts are judged with. */
export interface ContactsComponents {
  readonly time: Time;
  /** Tells of all edges that have been so far, and then whether the contact is closed; null where that cannot be read. */
  readonly look: (button: Button) => boolean | null;
  readonly pressed: (button: Button, at: LocalTime) => void;
}

/** The contacts of one node's buttons, from a start to `stop`. */
export class Contacts {
  readonly #components: ContactsComponents;
  readonly #contacts = new Map<Button, Contact>();

  constructor(components: ContactsComponents) {
    this.#components = components;
  }

  /** From now on there is this one; one that is down already was not pressed. */
  add(button: Button, isDown: boolean): void {
    const now = this.#components.time.now();
    this.#contacts.set(button, { isDown, wasDown: isDown, since: now, settledAt: now, timer: null });
  }

  /** The contact closed or opened, at this instant: not before the edge that was told last. */
  edge(button: Button, isDown: boolean, at: LocalTime): void {
    const contact = this.#contacts.get(button);
    if (contact === undefined) return;
    // What it had come to when it had settled was so from then on.
    this.#take(button, contact, contact.settledAt, at);
    contact.isDown = isDown;
    this.#take(button, contact, at, at);
  }

  /** Which are down, and since when. */
  held(): ReadonlyMap<Button, LocalTime> {
    return new Map(
      [...this.#contacts].filter(([, { wasDown }]) => wasDown).map(([button, { since }]) => [button, since]),
    );
  }

  /** Idempotent; forgets all of them. */
  stop(): void {
    for (const { timer } of this.#contacts.values()) timer?.cancel();
    this.#contacts.clear();
  }

  /** As it is now counts, from `at` on, where it had settled by `by`. */
  #take(button: Button, contact: Contact, at: LocalTime, by: LocalTime): void {
    if (contact.isDown === contact.wasDown || by < contact.settledAt) return;
    const { time, pressed } = this.#components;
    contact.wasDown = contact.isDown;
    contact.since = at;
    contact.settledAt = addTime(at, nanosFromMs(BUTTON_SETTLE_MS));
    const leftMs = Math.max(0, Number(contact.settledAt - time.now()) / 1e6);
    contact.timer?.cancel();
    contact.timer = time.after(`button ${button} settles`, leftMs, () => this.#settled(button, contact));
    if (contact.isDown) pressed(button, at);
  }

  #settled(button: Button, contact: Contact): void {
    const { time, look } = this.#components;
    contact.timer = null;
    const isDown = look(button);
    // Edges that were told meanwhile have begun a bounce of their own, or the buttons were stopped.
    if (contact.timer !== null || this.#contacts.get(button) !== contact) return;
    contact.isDown = isDown ?? contact.isDown;
    const now = time.now();
    this.#take(button, contact, now, laterOf(now, contact.settledAt));
  }
}
