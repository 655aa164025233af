/** Tags: from texts as files carry them to what the library keeps. */
import type { Tags } from '../../library/track.js';
import { tidyText } from './text.js';

/** Texts as they were found, in whatever form; a field that is absent was not found. */
export type RawTags = { -readonly [field in keyof Tags]?: string };

/** No album has more: a larger number is a barcode or a date in the wrong field. */
const NUMBER_MAX = 9_999;

/** The fields of `sources` made fit for the library; where several have one, the first that says anything counts. */
export function mergeTags(...sources: readonly RawTags[]): Tags {
  const first = <T>(field: keyof Tags, read: (text: string) => T | undefined): T | undefined => {
    for (const source of sources) {
      const value = read(source[field] ?? '');
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const tags: Tags = {
    title: first('title', readText),
    artist: first('artist', readText),
    album: first('album', readText),
    number: first('number', readNumber),
    date: first('date', readDate),
    genre: first('genre', readText),
  };
  // Absent, not undefined: tags travel in the log, and equal ones must have equal bytes.
  return Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== undefined));
}

const readText = (text: string): string | undefined => tidyText(text) || undefined;

/** "3", "03" and "3/12" are the third. */
function readNumber(text: string): number | undefined {
  const digits = /^\d{1,9}/.exec(tidyText(text))?.[0];
  const number = Number(digits ?? 0);
  return number >= 1 && number <= NUMBER_MAX ? number : undefined;
}

/** A time of day says nothing about music: "2004-05-06T12:30" is 2004-05-06. Other texts are kept as they are. */
function readDate(text: string): string | undefined {
  const tidy = tidyText(text);
  return /^\d{4}-\d\d-\d\d(?=[T ])/.exec(tidy)?.[0] ?? (tidy || undefined);
}
