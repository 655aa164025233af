/**
 * HTTP/1.1 over one connection that stays open, one request at a time, with next to no cost of its own.
 *
 * A benchmark's client runs on the processor that the servers need. So requests are made once, as bytes, and of an answer no more is
 * read than where it ends. The same code asks both sides: what it costs, it costs both.
 */
import { connect, type Socket } from 'node:net';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Where the benches' servers are, unless they have cables of their own. */
export const LOOPBACK = '127.0.0.1';

/** A request as it goes over the wire; `body` is JSON. */
export function request(method: string, path: string, port: number, body?: string): Buffer {
  const entity = body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${entity}\r\n${body ?? ''}`, 'latin1');
}

/** How an answer's head says where its body ends. */
type Ending = { readonly bodyBytes: number } | 'chunked';

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '\r\n0\r\n\r\n';

/** The answer in `text` (latin1, from its first byte), undefined where it is not whole yet. Exported for its test. */
export function parseAnswer(text: string): Answer | undefined {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const status = Number(text.slice(9, 12));
  const bodyAt = headEnd + HEAD_END.length;
  const ending = endingOf(text.slice(0, headEnd).toLowerCase());
  if (ending !== 'chunked') {
    const end = bodyAt + ending.bodyBytes;
    return text.length < end ? undefined : { status, body: text.slice(bodyAt, end) };
  }
  // With the line end before the body, a body of the last chunk alone ends in the same way as every other.
  return text.slice(bodyAt - 2).endsWith(LAST_CHUNK) ? { status, body: unchunked(text.slice(bodyAt)) } : undefined;
}

function endingOf(head: string): Ending {
  const at = head.indexOf('\r\ncontent-length:');
  if (at >= 0) return { bodyBytes: Number.parseInt(head.slice(at + 17), 10) };
  return head.includes('\r\ntransfer-encoding: chunked') ? 'chunked' : { bodyBytes: 0 };
}

function unchunked(text: string): string {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    const bytes = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!(bytes > 0)) return body;
    body += text.slice(lineEnd + 2, lineEnd + 2 + bytes);
    at = lineEnd + 2 + bytes + 2;
  }
}

/** One connection. Fails the request under way when it is lost, and every one after. */
export class HttpConnection {
  readonly #socket: Socket;
  #received = '';
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #lost: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** Connects to a port of this machine, or of another `host`. */
  static open(port: number, host = LOOPBACK): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new HttpConnection(socket));
      });
    });
  }

  /** Sends bytes made by {@link request}; the one before must have been answered. */
  send(bytes: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      if (this.#waiting !== undefined) return reject(new Error('the connection is waiting for an answer'));
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text;
    const answer = parseAnswer(this.#received);
    if (answer === undefined || this.#waiting === undefined) return;
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    this.#received = '';
    resolve(answer);
  }

  #fail(error: Error): void {
    this.#lost ??= error;
    this.#waiting?.reject(this.#lost);
    this.#waiting = undefined;
  }
}

/** A request over a connection of its own, for what is not measured. */
export async function askOnce(port: number, bytes: Buffer, host = LOOPBACK): Promise<Answer> {
  const connection = await HttpConnection.open(port, host);
  try {
    return await connection.send(bytes);
  } finally {
    connection.close();
  }
}
