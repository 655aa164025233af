/** Any value that a schema of the contract allows, for properties that have to hold for all of them. */
import fc, { type Arbitrary } from 'fast-check';
import type { TSchema } from 'typebox';

/** Texts that somebody may give a song or a node: markup, pictures, writing from right to left, what does not end, and nothing at all. */
export const HOSTILE_TEXTS = [
  '<img src=x onerror="window.owned = 1">',
  '<script>window.owned = 1</script>',
  '"><svg onload=window.owned=1>',
  'javascript:window.owned=1',
  '&lt;b&gt; & &amp;',
  '👩‍👩‍👧‍👦🏳️‍🌈🎵',
  'أغنية المطبخ',
  '\u202Egnos a\u202C',
  'Z̸̢̛a̴l̷g̵o̶',
  'line\nbreak\ttab\u0000null',
  'x'.repeat(300),
  ' ',
  '',
  '__proto__',
  'constructor',
] as const;

const anyText = fc.oneof(fc.constantFrom(...HOSTILE_TEXTS), fc.string({ unit: 'binary', maxLength: 40 }));
const anyNumber = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.1, 1e-9, 1e9, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }),
);

/** What a schema says of itself, as JSON Schema has it. */
interface Said {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly TSchema[];
  readonly items?: TSchema;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, TSchema>>;
}

/** Long lists add nothing but time. */
const ITEMS_MAX = 4;

/** Any value of `schema`. Objects have a field more than it knows, as those of a newer node may. */
export function anyOf(schema: TSchema): Arbitrary<unknown> {
  const said = schema as Said;
  if (said.enum !== undefined) return fc.constantFrom(...said.enum);
  if (said.const !== undefined) return fc.constant(said.const);
  if (said.anyOf !== undefined) return fc.oneof(...said.anyOf.map(anyOf));
  switch (said.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: said.minimum ?? -1_000_000, max: said.maximum ?? Number.MAX_SAFE_INTEGER });
    case 'number':
      return anyNumber;
    case 'string':
      return said.pattern === undefined ? anyText : fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map(String);
    case 'array':
      return fc.array(anyOf(said.items!), {
        minLength: said.minItems ?? 0,
        maxLength: Math.min(said.maxItems ?? ITEMS_MAX, ITEMS_MAX),
      });
    case 'object':
      return said.patternProperties === undefined
        ? anyObject(said)
        : fc.dictionary(anyText, anyOf(Object.values(said.patternProperties)[0]!), { maxKeys: ITEMS_MAX });
    default:
      throw new TypeError(`no values are known of ${JSON.stringify(schema)}`);
  }
}

function anyObject({ properties = {}, required = [] }: Said): Arbitrary<unknown> {
  const fields: Record<string, Arbitrary<unknown>> = { ofTomorrow: anyText };
  for (const [name, schema] of Object.entries(properties)) fields[name] = anyOf(schema);
  return fc.record(fields, { requiredKeys: [...required] });
}
