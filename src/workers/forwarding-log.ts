/** A Log of a thread that has none of its own: what it is told goes to a thread that writes it. */
import type { Log, LogFields, LogLevel, LogLine } from '../ports/log.js';

/** Lines for whoever looks into the program are dropped: what they tell is not worth a message each. */
export function forwardingLog(tell: (line: LogLine) => void): Log {
  const line = (level: LogLevel) => (text: string | (() => string), fields?: LogFields) =>
    tell({ type: 'log', level, text: typeof text === 'string' ? text : text(), ...(fields && { fields }) });
  return {
    debug: () => {},
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: () => forwardingLog(tell),
  };
}
