/**
 * Whether a value is as a schema says, fast enough for every entry of the log.
 *
 * The library's own Check walks the schema anew each time: some 12 microseconds for a small command, four times per command at the
 * leader and twice per entry at everybody else. A schema that is compiled once, when it is first asked for, answers in less than one.
 *
 * One thing the compiler gets wrong: it writes bounds of bigints as literals of numbers, so 2^63 - 1 becomes 2^63, and a value would pass
 * here that fails elsewhere. Nodes that disagree on that disagree for good. So a value that has a field with such a bound goes the
 * slow way; those are few (a term's reserve, a retry's first sending).
 */
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Check } from 'typebox/value';

interface Compiled {
  readonly validator: Validator;
  /** Fields whose bounds the compiler gets wrong; null where it is not a matter of fields. */
  readonly wideFields: readonly string[] | null;
}

/** By schema: schemas are made once, when the program is loaded. */
const compiled = new WeakMap<TSchema, Compiled>();

/** True where `value` is as `schema` says. */
export function matches<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  let known = compiled.get(schema);
  if (known === undefined) {
    known = { validator: Compile(schema) as unknown as Validator, wideFields: wideFieldsOf(schema) };
    compiled.set(schema, known);
  }
  const { validator, wideFields } = known;
  const isExact = wideFields?.every((name) => (value as Record<string, unknown> | null)?.[name] === undefined) ?? false;
  return isExact ? validator.Check(value) : Check(schema, value);
}

function wideFieldsOf(schema: TSchema): string[] | null {
  if (!isWide(schema)) return [];
  const { properties } = schema as { readonly properties?: Readonly<Record<string, unknown>> };
  if (properties === undefined || isWide({ ...schema, properties: {} })) return null;
  return Object.keys(properties).filter((name) => isWide(properties[name]));
}

/** Holds, at any depth, a bigint that no number is equal to. */
const isWide = (part: unknown): boolean =>
  typeof part === 'bigint'
    ? BigInt(Number(part)) !== part
    : typeof part === 'object' && part !== null && Object.values(part).some(isWide);
