/** The cluster key: what the nodes of one cluster share, and nobody else has. */
import { TuttiError } from '../core/errors.js';

/** Bytes of a key. */
export const KEY_BYTES = 32;

const HEX_KEY = /^[0-9a-f]{64}$/;

/**
 * The key in `text`, as 64 lower-case hexadecimal digits; white space around it does not matter.
 * @param source what the text is called in the error: a file, a field
 * @throws TuttiError BAD_CONFIG, which does not repeat the text: it may be a key with one digit missing
 */
export function parseClusterKey(text: string, source: string): string {
  const key = text.trim().toLowerCase();
  if (HEX_KEY.test(key)) return key;
  throw new TuttiError(
    'BAD_CONFIG',
    `${source}: found ${key.length} characters; right is the cluster key, ${2 * KEY_BYTES} hexadecimal digits`,
  );
}
