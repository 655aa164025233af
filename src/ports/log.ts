/**
 * Log: what the node tells its owner, in structured lines on standard error. Real: io/log. Fake: fake-log.ts, which records.
 *
 * `text` is a sentence for a person, without particulars that vary; those go into the fields.
 */

/** From the least to the most urgent. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Particulars for machines beside the text. Errors, bigints and nested objects are fine. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A line as one thread sends it to another that writes it. */
export interface LogLine {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly text: string;
  readonly fields?: LogFields;
}

/** Takes lines, each at once. */
export interface Log {
  /** For whoever looks into the program. `text` may be a function, called only where debug lines are wanted. */
  debug(text: string | (() => string), fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  /** The same log under `area`, such as `player`; areas within areas are joined by dots. */
  child(area: string): Log;
}
