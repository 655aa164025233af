/** The body of an upload: bytes with back-pressure, and a decent end when they are not wanted any more. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { TuttiError } from '../core/errors.js';
import type { Time } from '../ports/time.js';

/**
 * How long the rest of a refused upload is read and thrown away. A connection that is closed with unread bytes is reset, and a reset can
 * overtake the answer: the sender would see "connection reset" and not why. Milliseconds.
 */
export const LINGER_MS = 10_000;

/** An upload that brings less than this in {@link SLOW_MS} is given up: 3 kB a second, which the worst of radio links does. Bytes. */
export const SLOW_BYTES = 64 * 1024;
/** See {@link SLOW_BYTES}: only time in which the node waits counts. Milliseconds. */
export const SLOW_MS = 20_000;

/** Uploads of one address at a time; a node takes sixteen files in at once (tracks/track-store.ts). */
export const UPLOADS_OF_ONE_MAX = 12;

const UPLOAD_ID = /^[A-Za-z0-9._~-]{1,64}$/;

/** The id by which the upload is watched: the header Tutti-Upload, or one of our own. @throws TuttiError BAD_REQUEST */
export function uploadId(headers: IncomingHttpHeaders, bootId: string): string {
  const wanted = headers['tutti-upload'];
  if (wanted === undefined) return `${bootId.slice(0, 8)}-${randomUUID()}`;
  if (typeof wanted === 'string' && UPLOAD_ID.test(wanted)) return wanted;
  throw new TuttiError(
    'BAD_REQUEST',
    'the header Tutti-Upload: right is 1 to 64 letters, digits, ".", "_", "~" or "-"',
  );
}

/** The header Content-Length; null where the sender does not say, as with chunks. */
export function announcedBytes(headers: IncomingHttpHeaders): number | null {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  // Neither: there is no body (RFC 9112, section 6.3).
  return length === undefined ? (encoding === undefined ? 0 : null) : Number(length);
}

/**
 * The bytes as they come. Whoever stops reading leaves the connection as it is. Only so many may be on their way in at once, so a sender
 * that hardly sends must not keep its place for ever: only the time that is waited for it counts, not what the card takes.
 * @throws TuttiError INCOMPLETE_AUDIO where the sender is gone, TOO_SLOW
 */
export async function* uploadedBytes(request: IncomingMessage, time: Time): AsyncGenerator<Uint8Array> {
  let leftMs = SLOW_MS;
  let bytesSince = 0;
  while (!request.readableEnded) {
    const bytes = request.read() as Uint8Array | null;
    if (bytes !== null) {
      bytesSince += bytes.length;
      yield bytes;
      continue;
    }
    if (bytesSince >= SLOW_BYTES) {
      leftMs = SLOW_MS;
      bytesSince = 0;
    }
    const beganNs = time.now();
    const news = await nextOf(request, time, leftMs);
    leftMs = Math.max(0, leftMs - Number(time.now() - beganNs) / 1e6);
    if (news === 'gone')
      throw new TuttiError('INCOMPLETE_AUDIO', 'the connection ended before the whole file had come');
    if (news === 'nothing') {
      const detail = `${bytesSince} bytes came in ${SLOW_MS / 1_000} s; at least ${SLOW_BYTES} have to`;
      throw new TuttiError('TOO_SLOW', detail);
    }
  }
  // What follows (reading back, agreeing) may take longer than an idle connection is given. A request from `inject` has no real one.
  if (request.socket instanceof Socket) request.socket.setTimeout(0);
}

/** What comes first: something to read or the end, the sender's end, or nothing within `ms`. */
function nextOf(request: IncomingMessage, time: Time, ms: number): Promise<'some' | 'gone' | 'nothing'> {
  if (request.destroyed || request.errored !== null) return Promise.resolve('gone');
  return new Promise((resolve) => {
    const timer = time.after('upload.slow', ms, () => settle('nothing'));
    const some = () => settle('some');
    const gone = () => settle('gone');
    const settle = (news: 'some' | 'gone' | 'nothing') => {
      timer.cancel();
      request.off('readable', some).off('end', some).off('error', gone).off('close', gone);
      resolve(news);
    };
    request.on('readable', some).on('end', some).on('error', gone).on('close', gone);
  });
}

/**
 * The upload is refused, and `response` is not begun yet: what is still on its way is thrown away, for a while. Where the sender wants the
 * connection closed behind the answer, it is closed when all of that has come (RFC 9112, section 9.6), not before.
 */
export function lingerFor(request: IncomingMessage, response: ServerResponse, time: Time): void {
  const { socket } = request;
  if (request.readableEnded || socket.destroyed) return;
  if (!response.shouldKeepAlive) {
    response.shouldKeepAlive = true;
    const close = () => {
      if (request.readableEnded && response.writableFinished) socket.end();
    };
    request.once('end', close);
    response.once('finish', close);
  }
  const timer = time.after('upload.linger', LINGER_MS, () => socket.destroy());
  const over = () => {
    timer.cancel();
    socket.off('close', over);
  };
  // Once it is answered a request does not hear of its connection's end: the socket does.
  socket.once('close', over);
  request.once('end', over);
  request.on('error', () => {});
  request.resume();
}
