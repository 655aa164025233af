/**
 * LineButtons: push buttons between GPIO lines and ground, whichever driver reads them.
 *
 * Each button has a line of its own, so that one that is in use elsewhere does not take the others with it.
 */
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import type { LocalTime } from '../../core/units.js';
import { Contacts } from '../../ports/contacts.js';
import type { Button, Buttons } from '../../ports/controls.js';
import type { Log } from '../../ports/log.js';
import type { Time } from '../../ports/time.js';

/** What a driver calls. */
export interface LineHandlers {
  /** A contact closed or opened: of all buttons in the order in which it was so. */
  edge(button: Button, isDown: boolean, at: LocalTime): void;
  /** There will be no edges any more. */
  failed(error: unknown): void;
}

/** The lines of buttons, by one driver. Everything but `release` throws TuttiErrors with the code NOT_FOUND. */
export interface ButtonLines {
  /** The buttons that have a line. */
  readonly buttons: readonly Button[];
  take(button: Button): void;
  /** As the contact of one that was taken is now. */
  isDown(button: Button): boolean;
  /** From now on edges of those that were taken are told. */
  listen(handlers: LineHandlers): void;
  /** Tells now of all edges that have been so far, where the driver keeps any. */
  catchUp(): void;
  /** Idempotent: nothing is told any more, and all lines are let go. */
  release(): Promise<void>;
}

/** What buttons are made of. */
export interface LineButtonsComponents {
  readonly time: Time;
  readonly log: Log;
  readonly lines: ButtonLines;
}

/** {@link Buttons} at lines. */
export class LineButtons implements Buttons {
  readonly #components: LineButtonsComponents;
  #troubles: string[] = [];
  #contacts: Contacts | null = null;

  constructor(components: LineButtonsComponents) {
    this.#components = components;
  }

  async start(pressed: (button: Button, at: LocalTime) => void): Promise<void> {
    assert(this.#contacts === null, 'buttons are started once until they are stopped');
    const { time, lines } = this.#components;
    const contacts = new Contacts({ time, pressed, look: (button) => this.#look(button) });
    this.#contacts = contacts;
    this.#troubles = [];
    for (const button of lines.buttons) this.#take(button, contacts);
    if (this.#troubles.length === lines.buttons.length) {
      await this.stop();
      throw new TuttiError('NOT_FOUND', this.#troubles.join('; '));
    }
    lines.listen({
      edge: (button, isDown, at) => contacts.edge(button, isDown, at),
      failed: (error) => this.#failed(error),
    });
  }

  trouble(): string | null {
    return this.#troubles.length === 0 ? null : this.#troubles.join('; ');
  }

  held(): ReadonlyMap<Button, LocalTime> {
    return this.#contacts?.held() ?? new Map();
  }

  async stop(): Promise<void> {
    this.#contacts?.stop();
    this.#contacts = null;
    await this.#components.lines.release();
  }

  #take(button: Button, contacts: Contacts): void {
    const { lines } = this.#components;
    try {
      lines.take(button);
      contacts.add(button, lines.isDown(button));
    } catch (error) {
      this.#troubles.push(`${button}: ${detailOf(error)}`);
    }
  }

  #look(button: Button): boolean | null {
    const { lines } = this.#components;
    try {
      lines.catchUp();
      return lines.isDown(button);
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  #failed(error: unknown): void {
    const why = detailOf(error);
    if (this.#troubles.includes(why)) return;
    this.#troubles.push(why);
    this.#components.log.warn('The buttons have stopped working.', { why });
  }
}

function detailOf(error: unknown): string {
  if (!(error instanceof TuttiError)) throw error;
  return error.detail;
}
