/** Errors as HTTP says them: RFC 9457 problem details, each with a code of the catalogue. */
import { ERRORS, type ErrorCode, TuttiError } from '../core/errors.js';
import type { Problem } from './schema.js';

/** The media type of a problem (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The status and body that tell of `error`. */
export function problemOf({ code, detail, info }: TuttiError): Problem {
  const { status, title, advice } = ERRORS[code];
  // The title of a track is no title of a problem (RFC 9457), and would be lost to it.
  const { title: trackTitle, ...particulars } = info;
  // Particulars come first: none of them can take the place of a member that the contract names.
  return {
    ...particulars,
    ...(trackTitle !== undefined && { trackTitle }),
    type: `urn:tutti:error:${code}`,
    title,
    status,
    detail,
    code,
    advice,
  } as Problem;
}

/** What the HTTP framework says went wrong, by its own code, in ours. */
const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'BAD_REQUEST',
  FST_ERR_BAD_URL: 'BAD_REQUEST',
  FST_ERR_ASYNC_CONSTRAINT: 'BAD_REQUEST',
  FST_ERR_MAX_PARAM_LENGTH: 'BAD_NAME',
};

/** `error` as one of the catalogue; null where it is none that a caller can cause: a bug. */
export function asTuttiError(error: unknown): TuttiError | null {
  if (error instanceof TuttiError) return error;
  if (!(error instanceof Error)) return null;
  const code = 'code' in error ? FRAMEWORK_CODES[String(error.code)] : undefined;
  return code === undefined ? null : new TuttiError(code, error.message, {}, error);
}
