/** FakeLog: keeps what was logged, so that a test can say which line a person would have read. */
import type { Log, LogFields, LogLevel } from './log.js';

/** One line as it was logged. */
export interface LogEntry {
  readonly level: LogLevel;
  /** Names of the children that it went through, joined by dots; empty at the root. */
  readonly area: string;
  readonly text: string;
  readonly fields: LogFields;
}

/** What is wanted of the log. */
export interface FakeLogInit {
  /** False by default: debug lines are neither kept nor worked out. */
  readonly debug?: boolean;
  /** As `child` sets it. */
  readonly area?: string;
  /** Where the lines are kept: a child shares its parent's. */
  readonly entries?: LogEntry[];
}

/** A log that keeps its lines. */
export class FakeLog implements Log {
  /** What was logged here, by the parent and by all children, in order. */
  readonly entries: LogEntry[];
  readonly #debug: boolean;
  readonly #area: string;

  constructor(init: FakeLogInit = {}) {
    this.entries = init.entries ?? [];
    this.#debug = init.debug ?? false;
    this.#area = init.area ?? '';
  }

  debug(text: string | (() => string), fields: LogFields = {}): void {
    if (this.#debug) this.#keep('debug', typeof text === 'string' ? text : text(), fields);
  }

  info(text: string, fields: LogFields = {}): void {
    this.#keep('info', text, fields);
  }

  warn(text: string, fields: LogFields = {}): void {
    this.#keep('warn', text, fields);
  }

  error(text: string, fields: LogFields = {}): void {
    this.#keep('error', text, fields);
  }

  child(area: string): Log {
    const path = this.#area === '' ? area : `${this.#area}.${area}`;
    return new FakeLog({ debug: this.#debug, area: path, entries: this.entries });
  }

  #keep(level: LogLevel, text: string, fields: LogFields): void {
    this.entries.push({ level, area: this.#area, text, fields });
  }
}
