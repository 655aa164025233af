/** How things are shown to a person: lengths, sizes, titles, tables. Nothing here depends on the machine's language. */

/** A title as it is shown: without ".wav", and without control characters, which could take over a terminal. */
export const shownTitle = (title: string): string => printable(title.replace(/(?<=.)\.wav$/i, ''));

/** Control characters replaced by U+FFFD. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, '\uFFFD');

/** A length or position as 3:07, or 1:02:03 from an hour on; whole seconds, rounded down. */
export function shownTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

const SIZE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size in decimal units (SI), with three digits at most before they stop saying anything: 999 B, 1.4 kB, 38 MB. */
export function shownBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < SIZE_UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${SIZE_UNITS[unit]}`;
}

/** 44100 as 44.1 kHz. */
export const shownRate = (hertz: number): string => `${hertz / 1_000} kHz`;

/** `1 item`, `2 items`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** How many cells of a terminal a text is taken to fill: one a code point. Wide scripts and joined emoji come out a little off. */
const width = (text: string): number => [...text].length;

/** A column of a {@link table} with one row for each `R`. `cell` need not be printable: the table sees to that. */
export interface Column<R> {
  readonly head: string;
  readonly cell: (row: R) => string;
  /** Numbers stand better at the right. */
  readonly align?: 'right';
}

/** Rows under a head line, columns two spaces apart, no spaces at the ends of lines. `bold` wraps the head line. */
export function table<R>(columns: readonly Column<R>[], rows: readonly R[], bold: (text: string) => string): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))));
  const widths = columns.map(({ head }, i) => Math.max(width(head), ...cells.map((line) => width(line[i]!))));
  const lineOf = (line: readonly string[]) =>
    line
      .map((text, i) => {
        const gap = ' '.repeat(widths[i]! - width(text));
        return columns[i]!.align === 'right' ? gap + text : text + gap;
      })
      .join('  ')
      .trimEnd();
  const head = bold(lineOf(columns.map((column) => column.head)));
  return `${[head, ...cells.map(lineOf)].join('\n')}\n`;
}

/** Name and value pairs under one another, values aligned. */
export function pairs(rows: readonly (readonly [string, string])[]): string {
  const left = Math.max(...rows.map(([name]) => width(name)));
  return rows.map(([name, value]) => `${name}${' '.repeat(left - width(name))}  ${printable(value)}\n`).join('');
}
