/**
 * One HTTP exchange, with failures told apart by what may have happened at the other end: that decides whether a write may be
 * repeated, and what a person is told.
 *
 * On node:http rather than fetch: a body is streamed with its Content-Length, an answer that comes before the whole body was sent
 * still counts, and no header is sent that was not asked for. A new connection each time: a command makes two or three calls,
 * and a connection kept open can be closed by the other end just as it is used again.
 */
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';

/** A request as it is to be sent; Content-Length is added where there is a body. */
export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** `read` gives exactly `bytes` bytes, and is called once for each exchange. */
  readonly body?: { readonly bytes: number; read(): Iterable<Uint8Array> | AsyncIterable<Uint8Array> };
  /** How long the other end may say nothing (and take nothing), milliseconds. */
  readonly silenceMs: number;
}

/** An answer, whatever its status, with its whole body read as UTF-8. */
export interface HttpResponse {
  readonly status: number;
  readonly text: string;
}

/** Carries out one exchange: resolves with any answer, 4xx and 5xx too, and rejects with an {@link HttpError}. It repeats nothing. */
export type HttpTransport = (request: HttpRequest) => Promise<HttpResponse>;

/**
 * The exchange failed. unreachable: nothing was sent. broken: the connection ended without an answer. silent: none came in time.
 * garbage: what came is not HTTP, or too much of it. source: the body could not be read here.
 */
export type HttpFailure = 'unreachable' | 'broken' | 'silent' | 'garbage' | 'source';

/** There is no answer to go by. For NodeClient, which makes of it what a person is told; never shown as it is. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly failure: HttpFailure;

  constructor(failure: HttpFailure, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.failure = failure;
  }
}

/** Longest answer that is taken, bytes: a library of 50,000 tracks at 500 bytes each comes to 25 MB. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** The transport over node:http and node:https, for plain and TLS addresses. @throws HttpError */
export const nodeHttpTransport: HttpTransport = (request) =>
  new Promise((resolve, reject) => {
    const { request: open } = request.url.protocol === 'https:' ? https : http;
    const body = request.body;
    const outgoing = open(request.url, {
      method: request.method,
      headers: body === undefined ? request.headers : { ...request.headers, 'content-length': String(body.bytes) },
      agent: false,
      timeout: request.silenceMs,
    });

    let connected = false;
    let settled = false;
    const source = body === undefined ? undefined : Readable.from(body.read());
    const settle = (act: () => void) => {
      if (settled) return;
      settled = true;
      act();
      source?.destroy();
      outgoing.destroy();
    };
    const fail = (failure: HttpFailure, cause: unknown) => settle(() => reject(new HttpError(failure, cause)));

    outgoing.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    outgoing.on('timeout', () =>
      fail(connected ? 'silent' : 'unreachable', `no answer within ${request.silenceMs / 1_000} s`),
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // HPE_*: codes of Node's HTTP parser.
      if (error.code?.startsWith('HPE_')) fail('garbage', error);
      else fail(connected ? 'broken' : 'unreachable', error);
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) fail('garbage', `the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
        else chunks.push(chunk);
      });
      incoming.on('error', (error) => fail('broken', error));
      incoming.on('end', () => {
        settle(() =>
          resolve({
            status: incoming.statusCode!,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
    });

    if (source === undefined) outgoing.end();
    else {
      source.on('error', (error) => fail('source', error));
      source.pipe(outgoing);
    }
  });
