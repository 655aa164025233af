/**
 * PinoLog: one JSON object a line, by pino; short coloured lines where a person looks on.
 *
 * Lines are written at once and from the thread that logs, without pino's transports: a worker that hands lines over would keep the
 * last ones to itself when the process dies, and those are the ones that tell why.
 */
import { type Logger, pino, stdSerializers } from 'pino';
import type { Log, LogFields, LogLevel } from '../../ports/log.js';
import type { Time } from '../../ports/time.js';
import { prettyLine } from './pretty.js';
import { inSources } from './source-positions.js';

/** Where lines go: a stream such as `process.stderr`. */
export interface LogStream {
  write(line: string): unknown;
}

/** What is written, and how. */
export interface PinoLogInit {
  /** Lines below it are left out. */
  readonly level: LogLevel;
  /** True for lines that people read, false for JSON. */
  readonly pretty: boolean;
}

/** A log that writes to `stream`. */
export function createLog(components: { readonly time: Time; readonly stream: LogStream }, init: PinoLogInit): Log {
  const { time, stream } = components;
  const options = {
    level: init.level,
    // The names, not pino's numbers: `level=warn` needs no table.
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'text',
    base: undefined,
    timestamp: () => `,"time":"${new Date(time.wallClockMs()).toISOString()}"`,
  };
  const write = (line: string) => void stream.write(init.pretty ? prettyLine(line) : line);
  return new PinoLog(pino(options, { write }), '');
}

class PinoLog implements Log {
  readonly #logger: Logger;
  readonly #area: string;

  constructor(logger: Logger, area: string) {
    this.#logger = logger;
    this.#area = area;
  }

  debug(text: string | (() => string), fields?: LogFields): void {
    if (!this.#logger.isLevelEnabled('debug')) return;
    this.#logger.debug(this.#line(fields), typeof text === 'string' ? text : text());
  }

  info(text: string, fields?: LogFields): void {
    this.#logger.info(this.#line(fields), text);
  }

  warn(text: string, fields?: LogFields): void {
    this.#logger.warn(this.#line(fields), text);
  }

  error(text: string, fields?: LogFields): void {
    this.#logger.error(this.#line(fields), text);
  }

  child(area: string): Log {
    return new PinoLog(this.#logger, this.#area === '' ? area : `${this.#area}.${area}`);
  }

  /** What stands in a line beside the text. The fields are an object of their own, so that none can pass for a part of the line. */
  #line(fields: LogFields | undefined): { area?: string; fields?: LogFields } {
    const line: { area?: string; fields?: LogFields } = {};
    if (this.#area !== '') line.area = this.#area;
    if (fields !== undefined) line.fields = Object.fromEntries(Object.entries(fields).map(plain));
    return line;
  }
}

/** Errors and bigints say nothing in JSON, or too little; as objects and digits they do. */
function plain([name, value]: [string, unknown]): [string, unknown] {
  if (value instanceof Error) {
    const plainError = stdSerializers.err(value);
    return [name, { ...plainError, stack: inSources(plainError.stack) }];
  }
  return [name, typeof value === 'bigint' ? value.toString() : value];
}
