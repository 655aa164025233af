/** The languages of the page. English is built in; the others are fetched when somebody wants them. */
import { en, type Words } from './en.js';

/** All of them; `pseudo` is for those who build the page: longer, with accents, to find what does not fit and what is not translated. */
export const LANGUAGES = ['en', 'de', 'pseudo'] as const;
/** One of them. */
export type Language = (typeof LANGUAGES)[number];

/** Those that readers are offered, each in its own name. */
export const OFFERED: readonly (readonly [language: Language, name: string])[] = [
  ['en', 'English'],
  ['de', 'Deutsch'],
];

/** The first of the reader's languages, such as `de-AT`, that there is; else English. */
export function languageFor(wanted: readonly string[]): Language {
  const known = wanted.map((tag) => LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language));
  return known.find((language) => language !== undefined) ?? 'en';
}

/** The catalogue of a language. English where it cannot be fetched. */
export async function wordsOf(language: Language): Promise<Words> {
  try {
    switch (language) {
      case 'en':
        return { ...en, refusal: (await import('./en-refusals.js')).refusal };
      case 'de':
        return (await import('./de.js')).de;
      case 'pseudo':
        return (await import('./pseudo.js')).pseudo;
    }
  } catch {
    return en;
  }
}
