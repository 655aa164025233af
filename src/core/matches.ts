/**
 * Whether a value is as a schema says, fast enough for every entry of the log.
 *
 * The library's own Check walks the schema anew each time: some 12 microseconds for a small command, four times per command at the
 * leader and twice per entry at everybody else. A schema that is compiled once, when it is first asked for, answers in less than one.
 *
 * One thing the compiler gets wrong: it writes bounds of bigints as literals of numbers, so 2^63 - 1 becomes 2^63, and a value would pass
 * here that fails elsewhere. Nodes that disagree on that disagree for good. So fields with such a bound are compiled as if they might hold
 * anything, and go the slow way one by one; those are few (a term's reserve, a retry's first sending).
 */
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Check } from 'typebox/value';

interface Compiled {
  /** Of everything but the wide fields. */
  readonly validator: Validator;
  /** Fields whose bounds the compiler gets wrong, each with its schema. */
  readonly wideFields: readonly (readonly [name: string, schema: TSchema])[];
}

/** Not to be compiled: it is not a matter of fields. */
type Known = Compiled | 'slow';

/** By schema: schemas are made once, when the program is loaded. */
const compiled = new WeakMap<TSchema, Known>();

/** True where `value` is as `schema` says. */
export function matches<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  let known = compiled.get(schema);
  if (known === undefined) {
    known = compile(schema);
    compiled.set(schema, known);
  }
  if (known === 'slow') return Check(schema, value);
  const { validator, wideFields } = known;
  if (!validator.Check(value)) return false;
  return wideFields.every(([name, field]) => {
    const held = (value as Record<string, unknown>)[name];
    // Whether a field without a value counts as there, the library may say.
    if (held === undefined) return !Object.hasOwn(value as object, name) || Check(schema, value);
    return Check(field, held);
  });
}

function compile(schema: TSchema): Known {
  if (!isWide(schema)) return { validator: Compile(schema) as unknown as Validator, wideFields: [] };
  const { properties } = schema as { readonly properties?: Readonly<Record<string, TSchema>> };
  if (properties === undefined || isWide({ ...schema, properties: {} })) return 'slow';
  const wideFields = Object.entries(properties).filter(([, field]) => isWide(field));
  // An empty schema takes anything; which fields must be there is said beside them.
  const anything = Object.fromEntries(wideFields.map(([name]) => [name, {}]));
  const loose = { ...schema, properties: { ...properties, ...anything } };
  return { validator: Compile(loose) as unknown as Validator, wideFields };
}

/** Holds, at any depth, a bigint that no number is equal to. */
const isWide = (part: unknown): boolean =>
  typeof part === 'bigint'
    ? BigInt(Number(part)) !== part
    : typeof part === 'object' && part !== null && Object.values(part).some(isWide);
