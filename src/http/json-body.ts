/** Reading a JSON body: whatever it says of itself (a key pad or `curl -d` says nothing sensible), of bounded size, within bounded time. */
import type { IncomingMessage } from 'node:http';
import { TuttiError } from '../core/errors.js';
import type { Time } from '../ports/time.js';

/** Largest body: 5,000 tracks by id take 335 kB, by long titles more. Bytes. */
export const JSON_BYTES_MAX = 1 << 20;
/** A body that is not there by then is not waited for: whoever sends one byte a minute would keep a connection for two years. Milliseconds. */
export const JSON_MS_MAX = 20_000;

/**
 * The value of a body; undefined of an empty one. Whoever hears of an error leaves the rest unread.
 * @throws TuttiError BODY_TOO_LARGE, TOO_SLOW, BAD_REQUEST
 */
export async function readJson(body: IncomingMessage, time: Time): Promise<unknown> {
  const text = await readText(body, time);
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TuttiError('BAD_REQUEST', `the body is not JSON: ${why}`, {}, error);
  }
}

function readText(body: IncomingMessage, time: Time): Promise<string> {
  if (Number(body.headers['content-length']) > JSON_BYTES_MAX) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const timer = time.after('http.body', JSON_MS_MAX, () => {
      settle(() => reject(new TuttiError('TOO_SLOW', `the body was not there after ${JSON_MS_MAX / 1_000} s`)));
    });
    const settle = (tell: () => void) => {
      timer.cancel();
      body.off('data', take).off('end', end).off('error', gone).off('close', gone).pause();
      tell();
    };
    const take = (part: Uint8Array) => {
      bytes += part.length;
      if (bytes > JSON_BYTES_MAX) settle(() => reject(tooLarge()));
      else parts.push(part);
    };
    const end = () => settle(() => resolve(Buffer.concat(parts).toString('utf8')));
    const gone = () =>
      settle(() => reject(new TuttiError('BAD_REQUEST', 'the connection ended before the body was there')));
    body.on('data', take).on('end', end).on('error', gone).on('close', gone);
  });
}

const tooLarge = (): TuttiError =>
  new TuttiError('BODY_TOO_LARGE', `right is at most ${JSON_BYTES_MAX} bytes`, { bytesMax: JSON_BYTES_MAX });
