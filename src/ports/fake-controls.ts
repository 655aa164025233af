/** Buttons, lamp and front panel without hardware: a test presses, looks and types. */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import { type LocalTime, localTime } from '../core/units.js';
import { Contacts } from './contacts.js';
import { BUTTONS, type Button, type Buttons, type Lamp, type LeaseLamp, type Panel } from './controls.js';
import { PanelLineReader, panelLine } from './panel-lines.js';
import type { Time } from './time.js';

/** What may be wrong with the buttons. */
export interface FakeButtonsInit {
  /** Why there are no lines to be had; `start` fails with it. */
  readonly missing?: string;
}

/** Three contacts on a Time. */
export class FakeButtons implements Buttons {
  readonly #time: Time;
  readonly #missing: string | undefined;
  readonly #down = new Set<Button>();
  #contacts: Contacts | undefined;
  /** What is wrong with them, for a test to say. */
  broken: string | null = null;

  constructor(components: { readonly time: Time }, init: FakeButtonsInit = {}) {
    this.#time = components.time;
    this.#missing = init.missing;
  }

  start(pressed: (button: Button, at: LocalTime) => void): Promise<void> {
    assert(this.#contacts === undefined, 'buttons are started once until they are stopped');
    if (this.#missing !== undefined) return Promise.reject(new TuttiError('NOT_FOUND', this.#missing));
    this.#contacts = new Contacts({ time: this.#time, look: (button) => this.#down.has(button), pressed });
    for (const button of BUTTONS) this.#contacts.add(button, this.#down.has(button));
    return Promise.resolve();
  }

  trouble(): string | null {
    return this.broken;
  }

  held(): ReadonlyMap<Button, LocalTime> {
    return this.#contacts?.held() ?? new Map();
  }

  stop(): Promise<void> {
    this.#contacts?.stop();
    this.#contacts = undefined;
    return Promise.resolve();
  }

  /** The contact closes. */
  down(button: Button): void {
    this.#down.add(button);
    this.#contacts?.edge(button, true, this.#time.now());
  }

  /** The contact opens. */
  up(button: Button): void {
    this.#down.delete(button);
    this.#contacts?.edge(button, false, this.#time.now());
  }
}

/** A lamp that can be looked at. */
export class FakeLamp implements Lamp {
  /** What is wrong with it, for a test to say; `start` fails with it. */
  broken: string | null = null;
  #isStarted = false;
  #isLit = false;

  /** True while it shines. */
  get lit(): boolean {
    return this.#isLit;
  }

  start(): Promise<void> {
    if (this.broken !== null) return Promise.reject(new TuttiError('NOT_FOUND', this.broken));
    this.#isStarted = true;
    return Promise.resolve();
  }

  trouble(): string | null {
    return this.broken;
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

/** A lamp that goes out by itself, and can be looked at. */
export class FakeLeaseLamp implements LeaseLamp {
  readonly #time: Time;
  #until: LocalTime | null = null;
  /** What is wrong with it, for a test to say; `start` fails with it. */
  broken: string | null = null;
  /** How often it was told anything. */
  told = 0;

  constructor(components: { readonly time: Time }) {
    this.#time = components.time;
  }

  /** True while it shines. */
  get lit(): boolean {
    return this.#until !== null && this.#time.now() < this.#until;
  }

  start(): Promise<void> {
    if (this.broken !== null) return Promise.reject(new TuttiError('NOT_FOUND', this.broken));
    this.#until = localTime(0n);
    return Promise.resolve();
  }

  trouble(): string | null {
    return this.broken;
  }

  litUntil(at: LocalTime): void {
    this.told += 1;
    if (this.#until !== null) this.#until = at;
  }

  stop(): Promise<void> {
    this.#until = null;
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

  trouble(): string | null {
    return this.#isPlugged ? null : 'it is not plugged in';
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
