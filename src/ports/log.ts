/** Log: what the node tells its owner, in structured lines on standard error. Real: io/log. Fake: recorded. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  /** `text` may be a function, called only where debug lines are wanted. */
  debug(text: string | (() => string), fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  /** The same log under `area`, such as `player`. */
  child(area: string): Log;
}
