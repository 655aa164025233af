/**
 * Calls a node's HTTP API and gives typed answers or a TuttiError, nothing else.
 *
 * Every write carries an Idempotency-Key, so that a connection that broke before the answer came can be tried once more without the
 * danger of skipping two songs. What is still unanswered then is OUTCOME_UNKNOWN, never "failed".
 */
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { type ErrorInfo, isErrorCode, TuttiError } from '../core/errors.js';
import { Problem } from '../http/schema.js';
import { HttpError, type HttpRequest, type HttpResponse, type HttpTransport } from './http-transport.js';

/** Where a node listens unless told otherwise: http.listen's default, from the same machine. */
export const DEFAULT_NODE = 'http://127.0.0.1:8080';

/** A node in working order answers reads at once and refuses writes without a quorum in seconds. */
const SILENCE_MS_MAX = 15_000;
/** An upload is answered once a majority holds the file: 200 MB over a weak wireless link takes minutes. */
const UPLOAD_SILENCE_MS_MAX = 600_000;
/** How much of an answer that makes no sense a message quotes, in characters. */
const QUOTED_CHARS_MAX = 80;

/** The two of the CLI's components by which a node is reached; `uniqueKey` makes the Idempotency-Key of each write. */
export interface NodeClientComponents {
  readonly http: HttpTransport;
  readonly uniqueKey: () => string;
}

/** Which node to ask, and the token for one that wants it. */
export interface NodeClientInit {
  /** From {@link nodeUrl}. */
  readonly node: URL;
  readonly token: string | undefined;
}

/** A WAV file that is to be sent. */
export interface TrackUpload {
  /** Under which the state's uploads show it. */
  readonly id?: string;
  readonly bytes: number;
  /** From its beginning at each call. */
  read(): AsyncIterable<Uint8Array>;
}

type WriteMethod = 'PUT' | 'POST' | 'PATCH' | 'DELETE';

/**
 * Asks one node. Holds no connection between calls, so there is nothing to close.
 *
 * Calls reject with TuttiError only: with the node's own where it refuses, else NODE_UNREACHABLE, OUTCOME_UNKNOWN (a write that may
 * have been done), BAD_ANSWER, or what kept a file from being read.
 */
export class NodeClient {
  readonly node: URL;
  readonly #http: HttpTransport;
  readonly #uniqueKey: () => string;
  readonly #token: string | undefined;

  constructor({ http, uniqueKey }: NodeClientComponents, { node, token }: NodeClientInit) {
    this.#http = http;
    this.#uniqueKey = uniqueKey;
    this.node = node;
    this.#token = token;
  }

  /** GET of `path` under /api/v1, checked against `schema`. @throws TuttiError */
  async read<S extends TSchema>(path: string, schema: S): Promise<Static<S>> {
    const request = this.#request('GET', path, SILENCE_MS_MAX);
    return this.#checked(await this.#exchange(request), schema);
  }

  /** A write with a JSON body, if any; `schema` is what the answer must be. @throws TuttiError */
  write<S extends TSchema>(method: WriteMethod, path: string, schema: S, body?: object): Promise<Static<S>> {
    const request = this.#request(method, path, SILENCE_MS_MAX);
    if (body === undefined) return this.#write(request, schema);
    const bytes = Buffer.from(JSON.stringify(body));
    return this.#write(
      {
        ...request,
        headers: { ...request.headers, 'content-type': 'application/json' },
        body: { bytes: bytes.length, read: () => [bytes] },
      },
      schema,
    );
  }

  /** PUT of a WAV file; `read` is called anew where the connection broke. @throws TuttiError */
  upload<S extends TSchema>(path: string, schema: S, file: TrackUpload): Promise<Static<S>> {
    const request = this.#request('PUT', path, UPLOAD_SILENCE_MS_MAX);
    const watched: Record<string, string> = file.id === undefined ? {} : { 'tutti-upload': file.id };
    const headers = { ...request.headers, ...watched, 'content-type': 'audio/wav' };
    return this.#write({ ...request, headers, body: file }, schema);
  }

  #request(method: HttpRequest['method'], path: string, silenceMs: number): HttpRequest {
    const headers: Record<string, string> = { accept: 'application/json', 'tutti-via': 'cli' };
    if (this.#token !== undefined) headers.authorization = `Bearer ${this.#token}`;
    return { method, url: new URL(`/api/v1${path}`, this.node), headers, silenceMs };
  }

  async #write<S extends TSchema>(request: HttpRequest, schema: S): Promise<Static<S>> {
    const keyed = { ...request, headers: { ...request.headers, 'idempotency-key': this.#uniqueKey() } };
    return this.#checked(await this.#exchange(keyed, true), schema);
  }

  /** Sends a request; where the connection broke without an answer, once more. */
  async #exchange(request: HttpRequest, isWrite = false): Promise<HttpResponse> {
    let wasSent = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#http(request);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        if (error.failure === 'source') throw asTuttiError(error);
        wasSent ||= error.failure !== 'unreachable';
        if (error.failure === 'broken' && attempt === 1) continue;
        throw this.#failure(error, isWrite && wasSent);
      }
    }
  }

  #failure(error: HttpError, outcomeUnknown: boolean): TuttiError {
    const place = this.node.origin;
    if (error.failure === 'garbage') {
      return new TuttiError('BAD_ANSWER', `What answers at ${place} does not speak HTTP: ${error.message}.`, {}, error);
    }
    return outcomeUnknown
      ? new TuttiError('OUTCOME_UNKNOWN', `${place} took the request and gave no answer: ${error.message}.`, {}, error)
      : new TuttiError('NODE_UNREACHABLE', `No node answers at ${place}: ${error.message}.`, {}, error);
  }

  #checked<S extends TSchema>(response: HttpResponse, schema: S): Static<S> {
    const answer = parsedJson(response.text);
    if (response.status >= 400) {
      if (Value.Check(Problem, answer)) throw problemError(answer);
      throw this.#badAnswer(`says ${response.status} without saying why`, response);
    }
    if (!Value.Check(schema, answer)) {
      const [first] = Value.Errors(schema, answer);
      const place = first === undefined || first.instancePath === '' ? '' : ` at ${first.instancePath}`;
      throw this.#badAnswer(`gives an answer of another form${place}`, response);
    }
    return answer;
  }

  #badAnswer(what: string, { status, text }: HttpResponse): TuttiError {
    const quoted = JSON.stringify(text.slice(0, QUOTED_CHARS_MAX));
    return new TuttiError('BAD_ANSWER', `What answers at ${this.node.origin} ${what}: ${quoted}.`, { status });
  }
}

/** Reads --node: a URL, or just "kitchen.local:8080". @throws TuttiError BAD_USAGE */
export function nodeUrl(text: string): URL {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(withScheme)) {
    const url = new URL(withScheme);
    const isPlain = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
    if (isPlain && url.hostname !== '' && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  }
  throw new TuttiError(
    'BAD_USAGE',
    `--node (or TUTTI_NODE): found ${JSON.stringify(text)}; right is an address such as ${DEFAULT_NODE} or kitchen.local:8080.`,
  );
}

/** Undefined where the text is not JSON. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a node refused, with its particulars, as the error that it threw. */
function problemError(problem: Problem): TuttiError {
  const {
    type: _type,
    title: _title,
    status,
    detail,
    code,
    advice: _advice,
    ...rest
  } = problem as Problem & Record<string, unknown>;
  const info = Object.fromEntries(Object.entries(rest).filter(([, value]) => isPlain(value))) as ErrorInfo;
  if (isErrorCode(code)) return new TuttiError(code, detail, info);
  // A newer node may know reasons that this version does not: its words are better than none.
  return new TuttiError(status < 500 ? 'BAD_REQUEST' : 'BAD_ANSWER', `${code}: ${detail}`, info);
}

function isPlain(value: unknown): boolean {
  return (
    value === null ||
    ['string', 'number', 'boolean'].includes(typeof value) ||
    (Array.isArray(value) && value.every((item) => typeof item === 'string'))
  );
}

function asTuttiError(error: HttpError): TuttiError {
  return error.cause instanceof TuttiError
    ? error.cause
    : new TuttiError('DISK_FAILED', `The file could not be read to its end: ${error.message}.`, {}, error);
}
