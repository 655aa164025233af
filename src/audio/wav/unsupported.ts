/** The one way in which this folder says "this is not audio that Tutti plays": always with a name for what was found instead. */
import { TuttiError } from '../../core/errors.js';

/**
 * @param found what the file is or holds, such as "MP3" or "16 channels"
 * @param right what would be right, where a header field is at fault
 */
export const unsupportedAudio = (found: string, right?: string): TuttiError =>
  new TuttiError('UNSUPPORTED_AUDIO', right === undefined ? `Found ${found}.` : `Found ${found}; ${right}.`, { found });
