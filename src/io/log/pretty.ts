/** Log lines for people: the time of day, the level, the area, the sentence, and what the fields say behind it. */
import type { LogFields, LogLevel } from '../../ports/log.js';

/** A line as PinoLog writes it. */
interface Line {
  readonly level: LogLevel;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly area?: string;
  readonly text: string;
  readonly fields?: LogFields;
}

/** SGR codes of ECMA-48: grey, green, yellow, red. */
const COLOURS: Readonly<Record<LogLevel, number>> = { debug: 90, info: 32, warn: 33, error: 31 };

const coloured = (text: string, code: number): string => `\x1b[${code}m${text}\x1b[0m`;

/** `line` (JSON) as a person likes to read it; an error's stack follows on lines of its own. */
export function prettyLine(line: string): string {
  const { level, time, area, text, fields = {} }: Line = JSON.parse(line);
  const stacks: string[] = [];
  let details = '';
  for (const [name, value] of Object.entries(fields)) {
    details += ` ${coloured(`${name}=`, COLOURS.debug)}${shown(value)}`;
    const stack = stackOf(value);
    if (stack !== undefined) stacks.push(`    ${stack.replaceAll('\n', '\n    ')}\n`);
  }
  const timeOfDay = coloured(time.slice(11, 23), COLOURS.debug);
  const label = coloured(level.toUpperCase().padEnd(5), COLOURS[level]);
  return `${timeOfDay} ${label} ${area === undefined ? '' : `${area}: `}${text}${details}\n${stacks.join('')}`;
}

function stackOf(value: unknown): string | undefined {
  const isError = typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string';
  return isError ? String(value.stack) : undefined;
}

/** Text without blanks as it is, an error by its message, anything else as JSON. */
function shown(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"]+$/.test(value)) return value;
  if (stackOf(value) !== undefined && typeof value === 'object' && value !== null && 'message' in value) {
    return JSON.stringify(value.message);
  }
  return JSON.stringify(value);
}
