/** A refusal by the log, as an error: it has a slot, which tells whoever asked from when on a view takes it into account. */
import type { Refused } from '../cluster/outcome.js';
import { TuttiError } from '../core/errors.js';

/** The error that says what `outcome` says; `info.slot` is its slot. */
export const refusedError = ({ code, detail, info, slot }: Refused): TuttiError =>
  new TuttiError(code, detail, { ...info, slot });
