/** What a person touches and sees on the node itself: buttons, lamp, serial front panel. Real: io/gpio, io/serial. */
import type { LocalTime } from '../core/units.js';

export type Button = 'play' | 'pause' | 'skip';

export interface Buttons {
  /** Calls `pressed` once per press, debounced, with the instant of its first edge. @throws TuttiError NOT_FOUND where the lines cannot be had */
  start(pressed: (button: Button, at: LocalTime) => void): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** An LED. Off before `start` and after `stop`. */
export interface Lamp {
  start(): Promise<void>;
  /** Lights or darkens at once; ignored unless started. */
  set(lit: boolean): void;
  /** Idempotent: switches off and lets the line go. */
  stop(): Promise<void>;
}

/** Longest line of the panel's protocol, without its line feed. Bytes of ASCII. */
export const PANEL_LINE_BYTES_MAX = 256;

export interface Panel {
  /**
   * `line` gets each received line without its end (LF or CRLF); longer ones than {@link PANEL_LINE_BYTES_MAX} are dropped whole.
   * `connected` is called at each (re)connection: send the whole display then.
   */
  start(handlers: { line(text: string): void; connected(): void }): Promise<void>;
  /** Sends one line; dropped while not connected. Anything outside printable ASCII is sent as `?`. */
  send(text: string): void;
  /** Idempotent. */
  stop(): Promise<void>;
}
