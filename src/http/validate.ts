/** Checks what came in against the contract's schemas, and names every problem with what would be right. */
import type { Static, TObject, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { TuttiError } from '../core/errors.js';
import { matches } from '../core/matches.js';

/** How much of a wrong value is shown, in characters. */
const SHOWN_CHARS_MAX = 60;

/**
 * `body` as `schema` has it; a body that is missing counts as one without fields.
 * @throws TuttiError BAD_REQUEST that names every field that is wrong, missing or unknown
 */
export function checkBody<S extends TObject>(schema: S, body: unknown): Static<S> {
  const value = body ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw badRequest([`the body: found ${shown(value)}; right is a JSON object with ${fieldsOf(schema)}`]);
  }
  if (matches(schema, value)) return value;
  throw badRequest([...problems(schema, value as Record<string, unknown>)]);
}

function badRequest(problems: readonly string[]): TuttiError {
  return new TuttiError('BAD_REQUEST', problems.join('; '), { problems });
}

function* problems(schema: TObject, value: Record<string, unknown>): Generator<string> {
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(schema.properties, name)) {
      yield `${name.slice(0, SHOWN_CHARS_MAX)}: there is no such field; right is ${fieldsOf(schema)}`;
    }
  }
  const required: readonly string[] = schema.required ?? [];
  for (const [name, field] of Object.entries(schema.properties)) {
    if (!Object.hasOwn(value, name)) {
      if (required.includes(name)) yield `${name}: missing; right is ${describe(field)}`;
    } else if (!Value.Check(field, value[name])) {
      yield `${name}: found ${shown(value[name])}; right is ${describe(field)}`;
    }
  }
}

function fieldsOf(schema: TObject): string {
  const names = Object.keys(schema.properties);
  return names.length === 0 ? 'no fields' : `the fields ${names.join(', ')}`;
}

/** A wrong value, in short. Lists and objects are named only: one that is nested deep enough overflows whoever walks it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string' || value.length <= SHOWN_CHARS_MAX) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, SHOWN_CHARS_MAX))}…`;
}

/** JSON Schema's keywords as far as the contract's bodies use them. */
interface Keywords {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly TSchema[];
  readonly items?: TSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
}

/** What a value of `schema` is, in words. */
export function describe(schema: TSchema): string {
  const { type, const: only, anyOf, items, minimum, maximum, minItems, maxItems, maxLength } = schema as Keywords;
  if (only !== undefined) return JSON.stringify(only);
  if (anyOf !== undefined) return anyOf.map(describe).join(' or ');
  switch (type) {
    case 'array':
      return `a list of ${minItems} to ${maxItems}, each ${describe(items!)}`;
    case 'integer':
      return `a whole number from ${minimum} to ${maximum}`;
    case 'string':
      return `a text of 1 to ${maxLength} characters`;
    case 'boolean':
      return 'true or false';
    default:
      return `${type}`;
  }
}
