/** The OpenAPI 3.1 page, made from the table of calls: what it says is what the server does. */
import { ERRORS, type ErrorCode } from '../core/errors.js';
import type { Route } from './route.js';
import { PingEvent, Problem, QueueEvent, StateEvent, TracksEvent } from './schema.js';

/** Under which path the calls stand. */
export const API_PREFIX = '/api/v1';

/** Codes that any call may answer. */
export const ANY_CALL: readonly ErrorCode[] = ['BAD_REQUEST', 'NOT_A_MEMBER', 'DISK_FAILED', 'INTERNAL'];
/** Codes that any write may answer. */
export const ANY_WRITE: readonly ErrorCode[] = [
  'KEY_REUSED',
  'FORBIDDEN_ORIGIN',
  'UNAUTHORIZED',
  'TOO_MANY_REFUSED',
  'TOO_SLOW',
  'BODY_TOO_LARGE',
  'NO_QUORUM',
  'OUTCOME_UNKNOWN',
  'BUSY',
  'DISK_FULL',
  'NODE_REMOVED',
  'CARD_NOT_TRUSTED',
  'CLUSTER_TOO_OLD',
  'RETRY_EXPIRED',
];

const WRITE_HEADERS = [
  ['Idempotency-Key', "Up to 255 printable characters: a repeat with the same key has the first one's outcome."],
  ['Tutti-First-Sent', 'With a key: cluster time in nanoseconds at which this was first sent.'],
  ['Tutti-Via', 'web, cli or api: who is shown to have asked.'],
].map(([name, description]) => ({ name, description, in: 'header', required: false, schema: { type: 'string' } }));

/** Every code that this call may answer. */
export const codesOf = ({ method, refuses = [] }: Pick<Route, 'method' | 'refuses'>): readonly ErrorCode[] => [
  ...new Set([...ANY_CALL, ...(method === 'GET' ? [] : ANY_WRITE), ...refuses]),
];

/** Where a call stands, with its parameters as OpenAPI writes them. */
export const pathOf = ({ path, atRoot }: Pick<Route, 'path' | 'atRoot'>): string =>
  `${atRoot ? '' : API_PREFIX}${path.replace(/:(\w+)/g, '{$1}')}`;

/** The page for `routes`, as a value for JSON. */
export function openApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = pathOf(route);
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tutti', version, description: 'A house full of players, and none of them in charge.' },
    paths,
    components: {
      // What a stream of events carries has no place of its own in OpenAPI.
      schemas: { Problem, StateEvent, TracksEvent, QueueEvent, PingEvent },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Asked for by every write where http.access is "token".',
        },
      },
    },
  };
}

/** A name for code that is made of this page: `getTracksAudio`. */
function operationId({ method, path }: Route): string {
  const words = path.split(/[/:.]+/).filter((word) => word !== '');
  const named = /:/.test(path.slice(path.lastIndexOf('/'))) ? [...words.slice(0, -1), 'one'] : words;
  return `${method.toLowerCase()}${named.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}`;
}

function operation(route: Route): object {
  const isWrite = route.method !== 'GET';
  const params = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const queries = Object.entries(route.query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema,
  }));
  const headers = Object.entries({
    ...route.headers,
    ...(route.also?.[304] !== undefined && { 'If-None-Match': 'ETags that are known.' }),
  }).map(([name, description]) => ({ name, description, in: 'header', required: false, schema: { type: 'string' } }));
  const body =
    route.body !== undefined
      ? { required: (route.body.required?.length ?? 0) > 0, content: { 'application/json': { schema: route.body } } }
      : route.rawBody !== undefined
        ? { required: true, content: { [route.rawBody.mediaType]: {} } }
        : undefined;
  return {
    operationId: operationId(route),
    summary: route.summary,
    parameters: [...params, ...queries, ...headers, ...(isWrite ? WRITE_HEADERS : [])],
    ...(body && { requestBody: body }),
    ...(isWrite && { security: [{}, { token: [] }] }),
    responses: responses(route, isWrite),
  };
}

/** One answer for each status: what is said where all goes well, and the codes of what may not. */
function responses(route: Route, isWrite: boolean): Record<string, object> {
  const { answer, also = {} } = route;
  const content = contentOf(answer);
  const slot = { description: 'The log slot that holds it.', schema: { type: 'integer' } };
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(route)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return {
    ...Object.fromEntries([...byStatus].map(([status, codes]) => [status, failure(codes)])),
    ...Object.fromEntries(
      Object.entries(also).map(([status, description]) => [
        status,
        { description, ...(Number(status) !== 304 && { content }) },
      ]),
    ),
    [answer.status]: { description: answer.description, content, ...(isWrite && { headers: { 'Tutti-Slot': slot } }) },
  };
}

const contentOf = (answer: Route['answer']): object =>
  'json' in answer ? { 'application/json': { schema: answer.json } } : { [answer.mediaType]: {} };

function failure(codes: readonly ErrorCode[]): object {
  const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: [...codes] } } }] };
  return { description: codes.join(', '), content: { 'application/problem+json': { schema } } };
}
