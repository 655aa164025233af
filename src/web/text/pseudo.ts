/**
 * No language: English with accents, and longer by two fifths, as German often is. What is not translated shows at a glance, and so does what
 * does not fit.
 */
import { en, type Words } from './en.js';

const ACCENTS: Readonly<Record<string, string>> = { a: 'á', e: 'ê', i: 'î', o: 'ø', u: 'ü', c: 'ç', n: 'ñ', s: 'š' };

/** `text` with accents, padded. */
export function stretched(text: string): string {
  const accented = text.replace(/[aeioucns]/g, (letter) => ACCENTS[letter] ?? letter);
  return accented === '' ? '' : `${accented}${'~'.repeat(Math.ceil(text.length * 0.4))}`;
}

/** Every text in `value`, and every text that its functions give. */
function stretch(value: unknown): unknown {
  if (typeof value === 'string') return stretched(value);
  if (Array.isArray(value)) return value.map(stretch);
  if (typeof value === 'function') return (...parameters: unknown[]) => stretch(value(...parameters));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, stretch(inner)]));
}

/** The catalogue. Figures stay as they are. */
export const pseudo: Words = { ...(stretch(en) as Words), lang: 'en', f: en.f };
