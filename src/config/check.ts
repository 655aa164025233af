/**
 * Holds what was written against the schema and collects everything that is wrong, not just the first thing: whoever edits the
 * configuration of a Pi in a cupboard should have to restart it once.
 */
import { TomlDate } from 'smol-toml';
import { Value } from 'typebox/value';
import {
  CLIENT_VARIABLES,
  CONFIG_KEYS,
  CONFIG_TABLES,
  type ConfigKey,
  type KeySchema,
  TEST_VARIABLES,
} from './schema.js';
import { nearest } from './suggest.js';

/** One mistake. */
export interface Problem {
  /** The key that it is about, as it was written; of a variable that there is not, the key that such a name would be. */
  readonly path: string;
  /** What is wrong and what would be right, as a clause for a person: `output.level (line 3): found "loud"; right is "off" or "track"`. */
  readonly text: string;
}

/**
 * Tables in which a mistake can be done without. All else, and every name that is not known, may be about who the node is, where others find it, and
 * whom it lets in: an `access` that is lost would open the node to everybody.
 */
const SPARE_TABLES = ['output', 'inbox', 'gpio', 'panel', 'clock', 'log'];

/** Whether a node must not start with this: it would be another than was meant. With all else it starts, and says so. */
export const isVital = ({ path }: Problem): boolean => !SPARE_TABLES.includes(path.split('.', 1)[0]!);

/** Values by dotted path: only what was written, and only where it is right. */
export type Written = Map<string, string | number | boolean>;

/** Longest text that a message quotes, in characters: enough to recognise it. */
const QUOTED_CHARS_MAX = 60;

/** Reads the keys of a parsed file into `written`. `lines` says where in the file each stands. */
export function checkFile(tree: unknown, lines: ReadonlyMap<string, number>, written: Written): Problem[] {
  const problems: Problem[] = [];
  const place = (path: string) => (lines.has(path) ? `${path} (line ${lines.get(path)})` : path);

  const visit = (value: unknown, path: string): void => {
    const key = KEYS_BY_PATH.get(path);
    if (key !== undefined) {
      if (Value.Check(key.schema, value)) written.set(path, value as string | number | boolean);
      else problems.push({ path, text: `${place(path)}: found ${described(value)}; right is ${rightFor(key.schema)}` });
    } else if (path !== '' && !CONFIG_TABLES.includes(path)) {
      const meant = nearestKey(path);
      const text = `${place(path)}: there is no such key${meant === undefined ? '' : `; did you mean ${meant}?`}`;
      problems.push({ path, text });
    } else if (!isTable(value)) {
      problems.push({ path, text: `${place(path)}: found ${described(value)}; right is a table` });
    } else {
      for (const name of Object.keys(value)) visit(value[name], path === '' ? name : `${path}.${name}`);
    }
  };
  visit(tree, '');
  return problems;
}

/** Reads every variable that begins with TUTTI_ into `written`, over what the file says. */
export function checkEnvironment(env: Readonly<Record<string, string | undefined>>, written: Written): Problem[] {
  const problems: Problem[] = [];
  for (const name of Object.keys(env)) {
    const text = env[name];
    if (!name.startsWith('TUTTI_') || text === undefined || NOT_KEYS.has(name)) continue;
    const key = KEYS_BY_VARIABLE.get(name);
    if (key === undefined) {
      const meant = nearest(name, [...KEYS_BY_VARIABLE.keys(), ...CLIENT_VARIABLES]);
      problems.push({
        path: pathOf(name),
        text: `environment variable ${name}: there is no such variable${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      });
      continue;
    }
    const value = typed(text, key.schema);
    if (Value.Check(key.schema, value)) written.set(key.path, value);
    else {
      const text = `${key.path} (environment variable ${name}): found ${described(value)}; right is ${rightFor(key.schema)}`;
      problems.push({ path: key.path, text });
    }
  }
  return problems;
}

/** Where a key of this variable would be: `gpio.colour` for TUTTI_GPIO_COLOUR. */
function pathOf(variable: string): string {
  const name = variable.slice('TUTTI_'.length).toLowerCase();
  const table = SPARE_TABLES.find((one) => name.startsWith(`${one}_`));
  return table === undefined ? name : `${table}.${name.slice(table.length + 1)}`;
}

/** What a key takes, in words: `a whole number from 0 to 100 (%)`. */
export function rightFor(schema: KeySchema): string {
  if (schema.form !== undefined) return schema.form;
  if (schema.type === 'boolean') return 'true or false';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return either(schema.enum.map((word) => JSON.stringify(word)));
  if (schema.anyOf !== undefined) return either(schema.anyOf.map(rightFor));
  const unit = schema.unit === undefined ? '' : ` (${schema.unit})`;
  return `a ${schema.type === 'integer' ? 'whole ' : ''}number from ${schema.minimum} to ${schema.maximum}${unit}`;
}

const KEYS_BY_PATH: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.path, key]));
const NOT_KEYS: ReadonlySet<string> = new Set([...CLIENT_VARIABLES, ...TEST_VARIABLES]);
const KEYS_BY_VARIABLE: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.variable, key]));

/** The key that `path` was meant to be. A right name in a wrong table counts as near. */
function nearestKey(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const elsewhere = CONFIG_KEYS.filter((key) => key.path.endsWith(`.${name}`) || key.path === name);
  if (elsewhere.length === 1) return elsewhere[0]!.path;
  return nearest(path, [...CONFIG_KEYS.map((key) => key.path), ...CONFIG_TABLES]);
}

/** A variable's text as the kind of value that its key takes. */
function typed(text: string, schema: KeySchema): string | number | boolean {
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  const isNumber = /^[+-]?\d+(\.\d+)?$/.test(text) && takesNumber(schema);
  return isNumber ? Number(text) : text;
}

function takesNumber(schema: KeySchema): boolean {
  return schema.anyOf?.some(takesNumber) ?? (schema.type === 'integer' || schema.type === 'number');
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);
}

function described(value: unknown): string {
  if (typeof value === 'string') {
    const letters = [...value];
    const shown = letters.length <= QUOTED_CHARS_MAX ? value : `${letters.slice(0, QUOTED_CHARS_MAX).join('')}...`;
    return JSON.stringify(shown);
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return 'a list';
  if (value instanceof TomlDate) return 'a date';
  return isTable(value) ? 'a table' : 'something that is neither a text nor a number';
}

function either(forms: readonly string[]): string {
  return forms.length === 1 ? forms[0]! : `${forms.slice(0, -1).join(', ')} or ${forms.at(-1)}`;
}
