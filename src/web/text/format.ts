/** Numbers as people write them, by language. Pure but for the locale data of the browser. */

/** What a catalogue needs to write figures. */
export interface Format {
  /** 3:05, or 1:02:03. */
  readonly clock: (ms: number) => string;
  /** A whole number with its marks: 1,234. */
  readonly count: (value: number) => string;
  /** Such as 0.4, 12, 1,200: a tenth is the least that is said. */
  readonly figure: (value: number) => string;
  /** 1.2 MB, in steps of a thousand. */
  readonly bytes: (bytes: number) => string;
  /** "a, b and c". */
  readonly list: (texts: readonly string[]) => string;
  /** A length of sound or silence in microseconds, in the unit that fits: 4 µs, 1.2 ms, 3 s. */
  readonly span: (us: number) => string;
}

/** 3:05, or 1:02:03, of whole seconds that are over. The same in every language. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3_600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** What is made when it is needed first: a browser takes longer to learn a language's marks than to draw the page. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Needs no marks, and is written by the same digits in all of these languages. */
const isPlain = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 1_000;

/** How a language writes figures. */
export function formatOf(language: string): Format {
  const whole = lazily(() => new Intl.NumberFormat(language, { maximumFractionDigits: 0 }));
  const short = lazily(() => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }));
  const lists = lazily(() => new Intl.ListFormat(language, { type: 'conjunction' }));
  const written = (value: number, marks: () => Intl.NumberFormat) =>
    isPlain(value) ? String(value) : marks().format(value);
  const count = (value: number) => written(value, whole);
  const figure = (value: number) => written(value, Math.abs(value) < 10 ? short : whole);
  return {
    clock,
    count,
    figure,
    bytes: (bytes) => {
      const step = Math.max(0, Math.min(BYTES.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
      return `${figure(bytes / 1_000 ** step)} ${BYTES[step]}`;
    },
    list: (texts) => lists().format(texts),
    span: (us) => {
      const size = Math.abs(us);
      if (size < 1_000) return `${figure(us)} µs`;
      return size < 1_000_000 ? `${figure(us / 1_000)} ms` : `${figure(us / 1_000_000)} s`;
    },
  };
}
