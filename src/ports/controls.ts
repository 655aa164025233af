/**
 * What a person touches and sees on the node itself: buttons, lamp, serial front panel. Real: io/gpio, io/serial. Fakes: fake-controls.ts.
 *
 * All three are optional: a node without them plays all the same. Stopping what was not started, or twice, is fine.
 */
import type { LocalTime } from '../core/units.js';

/** What the buttons of a node are for. */
export const BUTTONS = ['play', 'pause', 'skip'] as const;
/** One of them. */
export type Button = (typeof BUTTONS)[number];

/**
 * How long a contact may bounce: after the first edge of a press or a release, edges within this time are not looked at. Milliseconds.
 * Contacts bounce for 5 ms or so; nobody presses twice in 30.
 */
export const BUTTON_SETTLE_MS = 30;

/** The push buttons of a node. */
export interface Buttons {
  /**
   * Calls `pressed` once per press, at the first edge and with its instant, bounces left out; holding a button is one press. One that
   * is down already when this is called counts only when it is pressed anew: a stuck button must not act at every start.
   * @throws TuttiError NOT_FOUND where not one of the lines can be had
   */
  start(pressed: (button: Button, at: LocalTime) => void): Promise<void>;
  /** Why buttons do not work, as of now, in a sentence; null where all of them do. */
  trouble(): string | null;
  /** The buttons that are down, and since when: for those that are down at the start, since then. */
  held(): ReadonlyMap<Button, LocalTime>;
  /** Idempotent; `pressed` is not called afterwards. */
  stop(): Promise<void>;
}

/** An LED. Off before `start` and after `stop`. */
export interface Lamp {
  /** @throws TuttiError NOT_FOUND where there is no such lamp, or it cannot be had */
  start(): Promise<void>;
  /** Lights or darkens at once; ignored unless started. */
  set(lit: boolean): void;
  /** Why it has stopped working, in a sentence; null where it has not. */
  trouble(): string | null;
  /** Idempotent: switches off and lets the line go. */
  stop(): Promise<void>;
}

/**
 * The lamp that says who leads: lit until an instant that is put off again and again, and out by itself when that has come, whatever the
 * main thread is at. Off before `start` and after `stop`.
 */
export interface LeaseLamp {
  /** @throws TuttiError NOT_FOUND where there is no such lamp, or it cannot be had */
  start(): Promise<void>;
  /** Lit from now until then; dark at once where that is not ahead. What was said before counts no more. Ignored unless started. */
  litUntil(at: LocalTime): void;
  /** Why it has stopped working, in a sentence; null where it has not. */
  trouble(): string | null;
  /** Idempotent: switches off and lets the line go. */
  stop(): Promise<void>;
}

/** Longest line of the panel's protocol, without its line feed. Bytes of ASCII. */
export const PANEL_LINE_BYTES_MAX = 256;

/** A display with keys of its own at the end of a serial line, which speaks in lines of text. */
export interface Panel {
  /**
   * `line` gets each received line without its end (LF or CRLF), with `?` for anything outside printable ASCII; longer ones than
   * {@link PANEL_LINE_BYTES_MAX} are dropped whole, and so is what a lost connection cut off.
   * `connected` is called at each (re)connection: send the whole display then. A panel that is not there is waited for.
   * @throws TuttiError NOT_FOUND where panels cannot be spoken to at all on this machine
   */
  start(handlers: { line(text: string): void; connected(): void }): Promise<void>;
  /** Why there is no connection at present, in a sentence; null where there is one. */
  trouble(): string | null;
  /** Sends one line; dropped while not connected. Anything outside printable ASCII is sent as `?`, what is above the limit is cut off. */
  send(text: string): void;
  /** Idempotent; no handler is called afterwards. */
  stop(): Promise<void>;
}
