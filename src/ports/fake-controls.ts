/** Buttons, lamp and front panel without hardware: a test presses, looks and types. */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { LocalTime } from '../core/units.js';
import { BUTTON_SETTLE_MS, type Button, type Buttons, type Lamp, type Panel } from './controls.js';
import { PanelLineReader, panelLine } from './panel-lines.js';
import type { Time, Timer } from './time.js';

interface Contact {
  /** As the contact is at this instant, bounces and all. */
  isDown: boolean;
  /** As it is taken to be. */
  wasDown: boolean;
}

/** What may be wrong with the buttons. */
export interface FakeButtonsInit {
  /** Why there are no lines to be had; `start` fails with it. */
  readonly missing?: string;
}

/** Three contacts on a Time. A contact is read again once it has settled, so no press or release is lost in a bounce. */
export class FakeButtons implements Buttons {
  readonly #time: Time;
  readonly #missing: string | undefined;
  readonly #contacts = new Map<Button, Contact>();
  readonly #settling = new Map<Button, Timer>();
  #pressed: ((button: Button, at: LocalTime) => void) | undefined;

  constructor(components: { readonly time: Time }, init: FakeButtonsInit = {}) {
    this.#time = components.time;
    this.#missing = init.missing;
  }

  start(pressed: (button: Button, at: LocalTime) => void): Promise<void> {
    assert(this.#pressed === undefined, 'buttons are started once until they are stopped');
    if (this.#missing !== undefined) return Promise.reject(new TuttiError('NOT_FOUND', this.#missing));
    for (const contact of this.#contacts.values()) contact.wasDown = contact.isDown;
    this.#pressed = pressed;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#pressed = undefined;
    for (const timer of this.#settling.values()) timer.cancel();
    this.#settling.clear();
    return Promise.resolve();
  }

  /** The contact closes. */
  down(button: Button): void {
    this.#edge(button, true);
  }

  /** The contact opens. */
  up(button: Button): void {
    this.#edge(button, false);
  }

  #edge(button: Button, isDown: boolean): void {
    const contact = this.#contacts.get(button) ?? { isDown: false, wasDown: false };
    this.#contacts.set(button, contact);
    contact.isDown = isDown;
    if (this.#pressed !== undefined && !this.#settling.has(button)) this.#look(button, contact);
  }

  #look(button: Button, contact: Contact): void {
    if (contact.isDown === contact.wasDown) return;
    contact.wasDown = contact.isDown;
    const settled = () => {
      this.#settling.delete(button);
      this.#look(button, contact);
    };
    this.#settling.set(button, this.#time.after(`button ${button} settles`, BUTTON_SETTLE_MS, settled));
    if (contact.isDown) this.#pressed?.(button, this.#time.now());
  }
}

/** A lamp that can be looked at. */
export class FakeLamp implements Lamp {
  #isStarted = false;
  #isLit = false;

  /** True while it shines. */
  get lit(): boolean {
    return this.#isLit;
  }

  start(): Promise<void> {
    this.#isStarted = true;
    return Promise.resolve();
  }

  set(lit: boolean): void {
    if (this.#isStarted) this.#isLit = lit;
  }

  stop(): Promise<void> {
    this.#isStarted = false;
    this.#isLit = false;
    return Promise.resolve();
  }
}

/** A panel on a cable that a test plugs in and out. */
export class FakePanel implements Panel {
  /** The lines that the panel got, in order. */
  readonly received: string[] = [];
  #handlers: { line(text: string): void; connected(): void } | undefined;
  #reader: PanelLineReader | undefined;
  #isPlugged = false;

  start(handlers: { line(text: string): void; connected(): void }): Promise<void> {
    assert(this.#handlers === undefined, 'a panel is started once until it is stopped');
    this.#handlers = handlers;
    if (this.#isPlugged) this.#connect();
    return Promise.resolve();
  }

  send(text: string): void {
    if (this.#reader !== undefined) this.received.push(panelLine(text));
  }

  stop(): Promise<void> {
    this.#handlers = undefined;
    this.#reader = undefined;
    return Promise.resolve();
  }

  /** Plugs the cable in. */
  plugIn(): void {
    this.#isPlugged = true;
    this.#connect();
  }

  /** Pulls the cable out. */
  pullOut(): void {
    this.#isPlugged = false;
    this.#reader = undefined;
  }

  /** The panel sends `bytes`, as they come over the cable. */
  type(bytes: Uint8Array): void {
    this.#reader?.push(bytes);
  }

  #connect(): void {
    if (this.#handlers === undefined) return;
    const handlers = this.#handlers;
    this.#reader = new PanelLineReader((text) => handlers.line(text));
    handlers.connected();
  }
}
