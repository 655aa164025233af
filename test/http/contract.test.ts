/** The whole contract, call by call, from the table: that its description is sound, and that bad input gets the catalogue's error. */
import type { InjectOptions } from 'fastify';
import t, { type Test } from 'tap';
import type { TObject, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { ERRORS, type ErrorCode, TuttiError } from '../../src/core/errors.js';
import { JSON_BYTES_MAX } from '../../src/http/json-body.js';
import { codesOf, openApi, pathOf } from '../../src/http/openapi.js';
import type { Route } from '../../src/http/route.js';
import * as schema from '../../src/http/schema.js';
import { ROUTES } from '../../src/http/table.js';
import { addSong, song, startHouse } from '../support/house.js';

const writes = ROUTES.filter(({ method }) => method !== 'GET');
const named = (route: Route) => `${route.method} ${route.path}`;

interface Asked {
  readonly method?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly text?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly json: Record<string, unknown> | null;
}

/** A house with two songs in its queue, of which the first plays, and a way to make each call of the table. */
async function start(t: Test) {
  const house = await startHouse(t);
  const { node, http } = house;
  const names: string[] = [];
  for (const seed of [1, 2]) names.push((await addSong(node, `song ${seed}.wav`, song(5_000, seed))).track.id);
  const by = { node: node.init.id, via: 'api' } as const;
  await node.wishes.enqueue(names, {}, by);
  await node.wishes.play({}, by);
  const items = node.cluster.playback.queue.map(({ id }) => id as string);
  /** What is there under each parameter of a path. */
  const there: Readonly<Record<string, string>> = { track: names[1]!, itemId: items[1]!, node: 'kitchen' };
  const call = async (route: Route, { method, params = {}, query = '', body, text }: Asked = {}): Promise<Answer> => {
    const path = pathOf(route).replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? there[name]!),
    );
    const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await http.inject({
      method: (method ?? route.method) as NonNullable<InjectOptions['method']>,
      url: `${path}${query}`,
      headers: { host: 'kitchen.local:8080' },
      ...(payload !== undefined && { payload }),
    });
    const isJson = String(response.headers['content-type'] ?? '').includes('json');
    const json = isJson && response.payload !== '' ? (response.json() as Record<string, unknown>) : null;
    return { status: response.statusCode, headers: response.headers, json };
  };
  /** True to the catalogue, and to what the description says of this call. */
  const refused = (route: Route, answer: Answer, code: ErrorCode, what: string) => {
    t.match(
      answer,
      { status: ERRORS[code].status, json: { code, status: ERRORS[code].status } },
      `${named(route)} ${what}`,
    );
    t.match(answer.headers['content-type'], /^application\/problem\+json/);
    t.ok(Value.Check(schema.Problem, answer.json), 'a problem has its form');
    t.ok(codesOf(route).includes(code), `${code} is among the answers of ${named(route)}`);
  };
  return { ...house, call, refused, items, tracks: names };
}

/** A body that this call takes, so that what is wrong elsewhere shows. */
const RIGHT: Readonly<Record<string, object>> = {
  '/volume': { volume: 5 },
  '/cluster/join': { address: 'attic' },
  '/members/:node/output': { latencyUs: 5 },
  '/queue': { trackId: 'song 1' },
  '/queue/:itemId/move': { beforeItemId: null },
  '/transport/seek': { positionMs: 5 },
  '/transport/mode': { repeat: 'all' },
  '/tracks/:track': { title: 'Other' },
};
const rightFor = ({ path, body }: Route) => (body === undefined ? undefined : (RIGHT[path] ?? {}));

t.test('the description is sound OpenAPI 3.1, and has every call, with all that it may answer', (t) => {
  const page = JSON.parse(JSON.stringify(openApi(ROUTES, '1.2.3'))) as {
    openapi: string;
    info: { title: string; version: string };
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
  };
  t.match(page.openapi, /^3\.1\.\d+$/);
  t.equal(page.info.version, '1.2.3');
  const shapes = Object.keys(page.paths).map((path) => path.replace(/\{\w+\}/g, '{}'));
  t.equal(new Set(shapes).size, shapes.length, 'no two paths are the same but for the names of their parameters');
  const operations = Object.entries(page.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  t.strictSame(
    operations.map(({ path, method }) => `${method} ${path}`).sort(),
    ROUTES.map((route) => `${route.method.toLowerCase()} ${pathOf(route)}`).sort(),
  );
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
  for (const { path, method, operation } of operations) {
    const what = `${method} ${path}`;
    const route = ROUTES.find((known) => `${known.method.toLowerCase()} ${pathOf(known)}` === what)!;
    t.match(operation.operationId, /^[a-z][A-Za-z]+$/);
    t.ok(operation.summary.length > 5, what);
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path');
    t.strictSame(
      inPath.map(({ name, required }) => [name, required]),
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, true]),
      `${what} describes the parameters of its path`,
    );
    const keys = operation.parameters.map((parameter) => `${parameter.in} ${parameter.name.toLowerCase()}`);
    t.equal(new Set(keys).size, keys.length, `${what} names no parameter twice`);
    for (const parameter of operation.parameters) t.ok(parameter.schema, `${what} ${parameter.name}`);
    t.equal(operation.requestBody !== undefined, route.body !== undefined || route.rawBody !== undefined);
    for (const [status, response] of Object.entries(operation.responses)) {
      t.match(status, /^[2345]\d\d$/);
      t.ok(response.description.length > 0, `${what} ${status}`);
    }
    for (const code of codesOf(route)) {
      const response = operation.responses[ERRORS[code].status];
      const isOverruled = route.also?.[ERRORS[code].status] !== undefined;
      t.ok(isOverruled || JSON.stringify(response).includes(`"${code}"`), `${what} says ${code}`);
    }
    for (const scheme of (operation.security ?? []).flatMap((choice) => Object.keys(choice))) {
      t.ok(page.components.securitySchemes[scheme], `${what} ${scheme}`);
    }
    t.equal(operation.security !== undefined, method !== 'get');
  }
  for (const [, ref] of JSON.stringify(page).matchAll(/"\$ref":"([^"]+)"/g)) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(ref!)?.[1] ?? '';
    t.ok(page.components.schemas[name], `${ref} leads somewhere`);
  }
  t.end();
});

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema?: object;
  }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
  readonly security?: readonly Record<string, unknown>[];
}

t.test('a method that a path does not take is answered with those that it does', async (t) => {
  const { call } = await start(t);
  const methods = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];
  for (const route of ROUTES) {
    // `shuffle` may be the id of an item as well.
    const isSame = (other: Route) => new RegExp(`^${pathOf(other).replace(/\{\w+\}/g, '[^/]+')}$`).test(pathOf(route));
    const taken = [...new Set(ROUTES.filter(isSame).map(({ method }) => method as string))];
    const also = taken.includes('GET') && route.path !== '/events' ? ['HEAD'] : [];
    for (const method of methods.filter((other) => !taken.includes(other))) {
      const answer = await call(route, { method });
      t.match(answer, { status: 405, json: { code: 'METHOD_NOT_ALLOWED' } }, `${method} ${route.path}`);
      t.equal(answer.headers.allow, [...taken, ...also].sort().join(', '));
    }
  }
});

t.test('what is not there is not found, by its own code', async (t) => {
  const { call, refused, node } = await start(t);
  const codes: Readonly<Record<string, ErrorCode>> = {
    track: 'TRACK_NOT_FOUND',
    itemId: 'ITEM_NOT_FOUND',
    node: 'NODE_NOT_FOUND',
  };
  const library = node.cluster.library.list();
  for (const route of ROUTES) {
    const [, param] = /:(\w+)/.exec(route.path) ?? [];
    // An upload names what is not there yet.
    if (param === undefined || route.rawBody !== undefined) continue;
    for (const name of [
      'nothing',
      '0',
      'a'.repeat(64),
      '../../etc/passwd',
      'i999999',
      '\u{1f4a9}',
      "'; DROP TABLE",
      '%00',
      '__proto__',
    ]) {
      const body = rightFor(route);
      refused(route, await call(route, { params: { [param]: name }, body }), codes[param]!, name);
    }
  }
  const play = ROUTES.find(({ path }) => path === '/transport/play')!;
  refused(play, await call(play, { body: { trackId: 'nothing' } }), 'TRACK_NOT_FOUND', 'trackId');
  refused(play, await call(play, { body: { itemId: 'i99' } }), 'ITEM_NOT_FOUND', 'itemId');
  const add = ROUTES.find(({ method, path }) => method === 'POST' && path === '/queue')!;
  refused(add, await call(add, { body: { trackIds: ['nothing'] } }), 'TRACK_NOT_FOUND', 'trackIds');
  refused(add, await call(add, { body: { trackId: 'song 1', beforeItemId: 'i99' } }), 'ITEM_NOT_FOUND', 'beforeItemId');
  const volume = ROUTES.find(({ path }) => path === '/volume')!;
  refused(volume, await call(volume, { body: { volume: 5, node: 'attic' } }), 'NODE_NOT_FOUND', 'node');
  t.strictSame(node.cluster.library.list(), library);
});

/** One of every kind of value that JSON has, and some that are nearly right. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  '',
  'x',
  'x'.repeat(2_000),
  [],
  [[]],
  [null],
  ['x', 5],
  {},
  { x: 1 },
];

t.test(
  'a field of the wrong type, a missing one and an unknown one are refused by name, and nothing is done',
  async (t) => {
    const { call, refused, node } = await start(t);
    const slot = node.cluster.appliedSlot;
    for (const route of ROUTES) {
      const body = route.body as TObject | undefined;
      if (body === undefined) continue;
      const right = rightFor(route)!;
      for (const [field, form] of Object.entries(body.properties) as [string, TSchema][]) {
        for (const value of VALUES.filter((value) => !Value.Check(form, value))) {
          const answer = await call(route, { body: { ...right, [field]: value } });
          refused(route, answer, 'BAD_REQUEST', `${field} ${JSON.stringify(value).slice(0, 20)}`);
          t.match(answer.json?.detail, new RegExp(`${field}: found `));
        }
      }
      for (const field of (body.required ?? []) as string[]) {
        const rest = Object.fromEntries(Object.entries(right).filter(([name]) => name !== field));
        const answer = await call(route, { body: rest });
        refused(route, answer, 'BAD_REQUEST', `without ${field}`);
        t.match(answer.json?.detail, new RegExp(`${field}: missing`));
      }
      refused(route, await call(route, { body: { ...right, nonsense: 1 } }), 'BAD_REQUEST', 'nonsense');
      for (const value of VALUES.filter(
        (value) => value !== null && (typeof value !== 'object' || Array.isArray(value)),
      )) {
        refused(route, await call(route, { body: value }), 'BAD_REQUEST', JSON.stringify(value).slice(0, 20));
      }
    }
    t.equal(node.cluster.appliedSlot, slot, 'none of them came into the log');
  },
);

t.test('a body that is no JSON, too large, or not asked for is refused', async (t) => {
  const { call, refused, node } = await start(t);
  const slot = node.cluster.appliedSlot;
  for (const route of writes.filter(({ rawBody }) => rawBody === undefined)) {
    for (const text of ['{', 'volume=5', '{"a":1}}', '\u0000', '{"a":NaN}', "{'a':1}"]) {
      refused(route, await call(route, { text }), 'BAD_REQUEST', text);
    }
    refused(
      route,
      await call(route, { text: ' '.repeat(JSON_BYTES_MAX + 1) }),
      'BODY_TOO_LARGE',
      'a mebibyte of nothing',
    );
    if (route.body === undefined) refused(route, await call(route, { body: { a: 1 } }), 'BAD_REQUEST', 'a body');
  }
  for (const route of ROUTES.filter(({ path }) => path !== '/events')) {
    refused(route, await call(route, { query: '?nonsense=1', body: rightFor(route) }), 'BAD_REQUEST', '?nonsense');
  }
  t.equal(node.cluster.appliedSlot, slot, 'none of them came into the log');
});

t.test('half a character in any text is refused or inert, and never a mistake of ours', async (t) => {
  const { call } = await start(t);
  for (const route of ROUTES.filter(({ path, body }) => body !== undefined && !path.startsWith('/cluster'))) {
    for (const field of Object.keys((route.body as TObject).properties)) {
      const right = JSON.stringify({ ...rightFor(route), [field]: 'HALF' });
      for (const text of [right, right.replace('"HALF"', '["HALF"]')]) {
        const { status, json } = await call(route, { text: text.replace('HALF', 'a\\ud800b') });
        t.ok(status < 500, `${named(route)} ${field}: ${status}`);
        if (status >= 400) t.ok(codesOf(route).includes(json?.code as ErrorCode), `${named(route)} ${json?.code}`);
      }
    }
  }
});

t.test('with an item that is not current any more nothing is done', async (t) => {
  const { call, refused, node, items } = await start(t);
  for (const route of ROUTES.filter(({ body }) => (body as TObject | undefined)?.properties.expectItem !== undefined)) {
    // Where it has no meaning it is taken all the same.
    if (route.path === '/transport/mode') continue;
    const before = node.cluster.playback.transport;
    const answer = await call(route, { body: { ...rightFor(route), expectItem: items[1] } });
    refused(route, answer, 'ITEM_CHANGED', 'a stale expectItem');
    t.equal(answer.headers['tutti-slot'], String(node.cluster.appliedSlot), 'the slot that refused it');
    t.strictSame(node.cluster.playback.transport, before);
  }
});

t.test(
  'a command during an election, or of a node cut off, hears that nothing was done, or that nobody knows',
  async (t) => {
    const { call, refused, consensus, node } = await start(t);
    const asking = writes.filter(({ path, rawBody }) => !path.startsWith('/cluster') && rawBody === undefined);
    const slot = node.cluster.appliedSlot;
    const { propose, changeMembers } = consensus;
    for (const code of ['NO_QUORUM', 'OUTCOME_UNKNOWN'] as const) {
      const fail = () => Promise.reject(new TuttiError(code));
      consensus.propose = fail;
      consensus.changeMembers = fail;
      for (const route of asking) {
        // The only node of a house is not removed in any case.
        if (route.path === '/members/:node') continue;
        refused(route, await call(route, { body: rightFor(route) }), code, code);
      }
    }
    Object.assign(consensus, { propose, changeMembers });
    consensus.setQuorum(false);
    for (const route of asking) {
      if (route.path === '/members/:node') continue;
      refused(route, await call(route, { body: rightFor(route) }), 'NO_QUORUM', 'cut off');
    }
    for (const route of ROUTES.filter(({ method, path }) => method === 'GET' && path !== '/events')) {
      const { status } = await call(route);
      t.equal(status, route.path === '/readyz' ? 503 : 200, `${named(route)} needs no quorum`);
      if (route.query === undefined) continue;
      refused(route, await call(route, { query: '?consistency=strong' }), 'NO_QUORUM', 'a strong read');
    }
    t.equal(node.cluster.appliedSlot, slot);
  },
);

t.test('every write that is done, or that what is agreed refuses, says a slot', async (t) => {
  const { call, node } = await start(t);
  const order = [...writes].sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));
  for (const route of order) {
    const isUpload = route.rawBody !== undefined;
    const { status, headers, json } = await call(route, isUpload ? { text: 'RIFF' } : { body: rightFor(route) });
    if (isUpload) continue;
    t.ok(status < 300 || [404, 409].includes(status), `${named(route)}: ${status} ${json?.code}`);
    const slot = Number(headers['tutti-slot']);
    t.ok(slot > 0 && slot <= node.cluster.appliedSlot, `${named(route)}: ${headers['tutti-slot']}`);
  }
});
