/**
 * On which line of a TOML file each key stands, so that a message can say where to look.
 *
 * The TOML library gives values without places. This is not a second parser: it reads the headers of tables and the keys at the
 * beginnings of lines, and knows strings and brackets only as far as it takes not to be fooled by what they hold. Keys within inline
 * tables are found under the table's own line. Where it misses one, the message goes without a line number.
 */

const BARE_OR_QUOTED = /(?:[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')/.source;
const DOTTED = `${BARE_OR_QUOTED}(?:[ \\t]*\\.[ \\t]*${BARE_OR_QUOTED})*`;
const HEADER = new RegExp(`^[ \\t]*\\[\\[?[ \\t]*(${DOTTED})[ \\t]*\\]`);
const KEY = new RegExp(`^[ \\t]*(${DOTTED})[ \\t]*=`);

/** Line numbers, from 1, by dotted path. `text` is taken to be TOML without mistakes. */
export function keyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let table = '';
  let open: Open = { quotes: undefined, brackets: 0 };
  for (const [index, line] of text.split('\n').entries()) {
    if (open.quotes === undefined && open.brackets === 0) {
      const header = HEADER.exec(line);
      if (header !== null) {
        table = plainPath(header[1]!);
        note(lines, table, index + 1);
        continue;
      }
      const key = KEY.exec(line);
      if (key !== null) note(lines, table === '' ? plainPath(key[1]!) : `${table}.${plainPath(key[1]!)}`, index + 1);
    }
    open = openAfter(line, open);
  }
  return lines;
}

/** What reaches over the end of a line: a string in three quotation marks, or brackets. */
interface Open {
  readonly quotes: string | undefined;
  readonly brackets: number;
}

/** Strings in their four forms, comments and brackets: whatever changes what a line break means. */
const TOKENS = /"""|'''|"(?:[^"\\]|\\.)*"|'[^']*'|#.*|[[\]{}]/g;

function openAfter(line: string, before: Open): Open {
  let { quotes, brackets } = before;
  let rest = line;
  if (quotes !== undefined) {
    const end = rest.indexOf(quotes);
    if (end < 0) return before;
    rest = rest.slice(end + quotes.length);
    quotes = undefined;
  }
  for (const [token] of rest.matchAll(TOKENS)) {
    if (quotes !== undefined) {
      if (token === quotes) quotes = undefined;
    } else if (token === '"""' || token === "'''") quotes = token;
    else if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets--;
  }
  return { quotes, brackets };
}

/** `a . "b"` as `a.b`. */
function plainPath(dotted: string): string {
  return dotted
    .split('.')
    .map((part) => part.trim().replace(/^["']|["']$/g, ''))
    .join('.');
}

/** A path and the tables on its way, each at its first mention. */
function note(lines: Map<string, number>, path: string, line: number): void {
  for (let end = path.indexOf('.'); end >= 0; end = path.indexOf('.', end + 1)) {
    if (!lines.has(path.slice(0, end))) lines.set(path.slice(0, end), line);
  }
  if (!lines.has(path)) lines.set(path, line);
}
