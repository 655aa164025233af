/** The OpenAPI 3.1 page, made from the table of calls: what it says is what the server does. */
import { ERRORS, type ErrorCode } from '../core/errors.js';
import type { Route } from './route.js';
import { Problem } from './schema.js';

/** Under which path the calls stand. */
export const API_PREFIX = '/api/v1';

/** Codes that any call may answer. */
const ANY: readonly ErrorCode[] = ['BAD_REQUEST', 'NOT_A_MEMBER', 'INTERNAL'];
/** Codes that any write may answer. */
const ANY_WRITE: readonly ErrorCode[] = [
  'KEY_REUSED',
  'FORBIDDEN_ORIGIN',
  'UNAUTHORIZED',
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

/** The page for `routes`, as a value for JSON. */
export function openApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = `${route.atRoot ? '' : API_PREFIX}${route.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tutti', version, description: 'A house full of players, and none of them in charge.' },
    paths,
    components: { schemas: { Problem } },
  };
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
  const body =
    route.body !== undefined
      ? { required: (route.body.required?.length ?? 0) > 0, content: { 'application/json': { schema: route.body } } }
      : route.rawBody !== undefined
        ? { required: true, content: { [route.rawBody.mediaType]: {} } }
        : undefined;
  return {
    summary: route.summary,
    parameters: [...params, ...queries, ...(isWrite ? WRITE_HEADERS : [])],
    ...(body && { requestBody: body }),
    responses: {
      ...success(route, isWrite),
      ...failures([...ANY, ...(isWrite ? ANY_WRITE : []), ...(route.refuses ?? [])]),
    },
  };
}

function success({ answer }: Route, isWrite: boolean): object {
  const content = 'json' in answer ? { 'application/json': { schema: answer.json } } : { [answer.mediaType]: {} };
  const slot = { description: 'The log slot that holds it.', schema: { type: 'integer' } };
  return {
    [answer.status]: { description: answer.description, content, ...(isWrite && { headers: { 'Tutti-Slot': slot } }) },
  };
}

/** One answer for each status, naming its codes. */
function failures(codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries([...byStatus].map(([status, same]) => [status, { description: same.join(', '), content }]));
}
