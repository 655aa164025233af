/** What the process says when it ends: few numbers, so that a script can tell "do not ask again" from "ask again later". */
import { ERRORS, type ErrorCode } from '../core/errors.js';

/** The exit codes by name. 70 is EX_SOFTWARE of sysexits.h. */
export const EXIT = { ok: 0, refused: 1, usage: 2, world: 3, internal: 70 } as const;

/** Each exit code with its meaning, as docs/cli.md and `tutti --help` show them. */
export const EXIT_CODES: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: EXIT.ok, meaning: 'Done.' },
  {
    code: EXIT.refused,
    meaning: 'Refused: what was asked cannot be done as it was asked. The same again fails again.',
  },
  { code: EXIT.usage, meaning: 'The command line or the configuration has a mistake. Nothing was done.' },
  {
    code: EXIT.world,
    meaning: 'The world is not ready: no node answers, no quorum, a full disk. The same may work later.',
  },
  { code: EXIT.internal, meaning: 'A mistake in Tutti itself.' },
];

/** Mistakes that can be corrected in what was typed or configured. */
const USAGE: readonly ErrorCode[] = ['BAD_USAGE', 'BAD_CONFIG'];

/** The exit code of a command that failed with `code`. */
export function exitCodeOf(code: ErrorCode): number {
  if (USAGE.includes(code)) return EXIT.usage;
  const { fault } = ERRORS[code];
  switch (fault) {
    case 'caller':
      return EXIT.refused;
    case 'world':
      return EXIT.world;
    case 'tutti':
      return EXIT.internal;
  }
}
