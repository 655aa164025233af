/**
 * The HTTP interface of a node: a table of calls (routes/) behind one gate.
 *
 * What is the same for every call is here: who may write, reading and checking bodies, turning errors into problems, and bounds on
 * everything that a caller could make large.
 */
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { Value } from 'typebox/value';
import { Origin } from '../cluster/command.js';
import { InvariantError } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import { nodeId } from '../core/ids.js';
import type { House } from '../node/house.js';
import type { Node } from '../node/node.js';
import type { Log } from '../ports/log.js';
import type { Announcement } from '../ports/neighbours.js';
import type { Time } from '../ports/time.js';
import { allowedMethods } from './allowed.js';
import { HttpCounts } from './counts.js';
import { EventStreams } from './events.js';
import { Guard } from './guard.js';
import { JSON_BYTES_MAX, readJson } from './json-body.js';
import { Metrics, type ProcessFigures } from './metrics.js';
import { API_PREFIX } from './openapi.js';
import { Places } from './places.js';
import { asTuttiError, PROBLEM_TYPE, problemOf } from './problem.js';
import { RefusalLimit } from './refusal-limit.js';
import type { Call, Route, RouteContext } from './route.js';
import type { Facade } from './state.js';
import { ROUTES } from './table.js';
import { lingerFor, UPLOADS_OF_ONE_MAX } from './upload.js';
import { checkBody } from './validate.js';
import { buildOf, serveWeb, type WebFiles, webPaths } from './web-files.js';

/** Longest part of a path: 1,000 characters of a title, each of up to 3 bytes, each written as %XX. */
const PARAM_CHARS_MAX = 9_000;
/** Connections at a time: every page and script of a house; each costs some kilobytes. */
const CONNECTIONS_MAX = 256;
/** A connection on which nothing moves is closed; an event stream says something every 3 s. Milliseconds. */
const SILENCE_MS_MAX = 60_000;

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const READS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** How many names of a query are shown. */
const QUERY_NAMES_SHOWN = 5;

/** Why the system would not listen, by its own code. Where no port would do, the configuration is wrong. */
const LISTEN_ERRORS: Readonly<Record<string, readonly [code: 'PORT_IN_USE' | 'BAD_CONFIG', why: string]>> = {
  EADDRINUSE: ['PORT_IN_USE', 'another program listens there'],
  EACCES: ['PORT_IN_USE', 'only root may'],
  EADDRNOTAVAIL: ['BAD_CONFIG', 'this machine has no such address'],
  EAFNOSUPPORT: ['BAD_CONFIG', 'this machine has no addresses of that kind'],
  EINVAL: ['BAD_CONFIG', 'that is no address to listen on'],
  ENOTFOUND: ['BAD_CONFIG', 'no address is known by this name'],
  EAI_AGAIN: ['BAD_CONFIG', 'nobody says which address this name has'],
};

const allowed = allowedMethods(ROUTES);

const VIAS = ['web', 'cli', 'api'] as const;

/** What the server stands on; it starts and stops none of it. */
export interface HttpServerComponents {
  readonly house: House;
  readonly time: Time;
  readonly log: Log;
}

/** Where the server is found, and who may write. What "this machine" is called is for main.ts to find out. */
export interface HttpServerInit {
  /** Where to listen; port 0 takes any free one. */
  readonly host: string;
  readonly port: number;
  /** Host names beside the node's own that are this node, as they are at the moment. */
  readonly addresses: () => readonly string[];
  /** The host in this node's own URL: how others on the network find it now. */
  readonly publicHost: () => string;
  /** Null: whoever reaches the node may change things. */
  readonly token: string | null;
  /** Other daemons of the local network; none where it is left out. */
  readonly nearby?: () => readonly Announcement[];
  /** The page; none where it is left out. */
  readonly web?: WebFiles;
}

/** The HTTP interface of one node, on the main thread. Started once; after `stop` it holds no connection, timer or stream. */
export class HttpServer {
  readonly #house: House;
  readonly #log: Log;
  readonly #init: HttpServerInit;
  readonly #guard: Guard;
  readonly #refusals: RefusalLimit;
  readonly #events: EventStreams;
  readonly #counts = new HttpCounts();
  readonly #context: RouteContext;
  readonly #app: FastifyInstance;
  /** Where the page and its files are. */
  readonly #pagePaths: ReadonlySet<string>;
  #port = 0;
  #url = '';

  constructor({ house, time, log }: HttpServerComponents, init: HttpServerInit) {
    this.#house = house;
    this.#log = log;
    this.#init = init;
    const { token } = init;
    this.#guard = new Guard({ name: house.init.name, addresses: init.addresses, token });
    this.#refusals = new RefusalLimit({ time });
    const { nearby = () => [], web = new Map() } = init;
    this.#pagePaths = new Set(webPaths(web));
    const access = token === null ? 'open' : 'token';
    const facade: Facade = { httpUrl: () => this.#url, access, webBuild: buildOf(web), nearby };
    this.#events = new EventStreams({ house, time, facade });
    const metrics = new Metrics({ house, counts: this.#counts, events: this.#events, process: processFigures });
    const uploadPlaces = new Places({ ofOneMax: UPLOADS_OF_ONE_MAX });
    this.#context = { house, facade, events: this.#events, metrics, uploadPlaces, time };
    this.#app = this.#build();
  }

  /** Listens. @returns the URL under which this node is reached. @throws TuttiError PORT_IN_USE, BAD_CONFIG where no port would do */
  async start(): Promise<string> {
    const { host, port } = this.#init;
    try {
      await this.#app.listen({ host, port });
    } catch (error) {
      // Only errors of the system have it; all else is a bug.
      if (!(error instanceof Error) || !('syscall' in error && 'code' in error)) throw error;
      const [code, why] = LISTEN_ERRORS[String(error.code)] ?? ['PORT_IN_USE', String(error.code)];
      const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      throw new TuttiError(code, `cannot listen on ${at}: ${why}; http.listen sets another`, {}, error);
    }
    this.#port = (this.#app.server.address() as AddressInfo).port;
    this.#events.start();
    return this.url();
  }

  /** The URL under which this node is reached now: a machine's address may change. After `start`, and still after `stop`: others end later. */
  url(): string {
    const host = this.#init.publicHost();
    // Kept for the view, which says it more often than the machine's interfaces want to be asked.
    this.#url = `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
    return this.#url;
  }

  /**
   * Idempotent: ends event streams, takes no new connection, and cuts those that are open. A call that is under way may yet take effect, and
   * its caller hears no more of it; of an upload that is cut, nothing stays.
   */
  async stop(): Promise<void> {
    this.#events.stop();
    await this.#app.close();
  }

  /** Answers a request without a connection: for tests. */
  get inject(): FastifyInstance['inject'] {
    return this.#app.inject.bind(this.#app);
  }

  #build(): FastifyInstance {
    const app = fastify({
      logger: false,
      bodyLimit: JSON_BYTES_MAX,
      connectionTimeout: SILENCE_MS_MAX,
      // The one above holds between requests too: a time of its own for that would be set anew twice for each.
      keepAliveTimeout: 0,
      // The process ends after 5 s in any case: nobody's idle connection may hold it up.
      forceCloseConnections: true,
      return503OnClosing: false,
      // No route has a schema that the framework would have to know: without these it loads a validator and a serializer at every start.
      schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
      routerOptions: { maxParamLength: PARAM_CHARS_MAX },
      frameworkErrors: (error, request, reply) => this.#refuseUrl(error, request, reply),
      clientErrorHandler: (error, socket) => {
        if (!socket.writable) return;
        const problem = problemOf(new TuttiError('BAD_REQUEST', `this is not HTTP: ${error.message}`));
        const body = JSON.stringify(problem);
        socket.end(
          `HTTP/1.1 400 Bad Request\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
        );
      },
    });
    app.server.maxConnections = CONNECTIONS_MAX;
    app.setErrorHandler((error, request, reply) => this.#refuse(error, request, reply));
    app.setNotFoundHandler((request, reply) => this.#refuseCall(request, reply));
    // Where there is no call, nobody reads what was sent with it.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.addHook('onRequest', (request, _reply, next) => {
      if (!READS.includes(request.method)) this.#checkWriter(request);
      next();
    });
    app.addHook('onResponse', (request, reply, next) => {
      const { url = '' } = request.routeOptions;
      // Names of the page's files change with each build: they are counted as one.
      const route = this.#pagePaths.has(url) ? '/' : request.routeOptions.url;
      this.#counts.answered(request.method, route, reply.statusCode);
      next();
    });

    const withJson = ROUTES.filter(({ rawBody }) => rawBody === undefined);
    const withRawBody = ROUTES.filter(({ rawBody }) => rawBody !== undefined);
    app.register((scope, _options, next) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request: FastifyRequest, payload: IncomingMessage) =>
        readJson(payload, this.#context.time),
      );
      for (const route of withJson) this.#register(scope, route);
      next();
    });
    app.register((scope, _options, next) => {
      for (const route of withRawBody) this.#register(scope, route);
      next();
    });
    const { web } = this.#init;
    if (web !== undefined) serveWeb(app, web, { name: this.#house.init.name, peers: () => this.#peers() });
    return app;
  }

  /** Where the other nodes serve the same page. */
  #peers(): string[] {
    const { node } = this.#house;
    const others = node?.members().filter(({ id }) => id !== node.init.id) ?? [];
    return others.map(({ httpUrl }) => httpUrl);
  }

  #register(scope: FastifyInstance, route: Route): void {
    scope.route({
      method: route.method,
      url: `${route.atRoot ? '' : API_PREFIX}${route.path}`,
      // A HEAD of a stream would never end.
      exposeHeadRoute: route.path !== '/events',
      handler: (request, reply) => {
        const query = route.query === undefined ? noQuery(request) : checkBody(route.query, request.query);
        const body = route.body === undefined ? noBody(request, route) : checkBody(route.body, request.body);
        const origin = this.#originOf(request);
        const call = new CallOf(this.#context, {
          query: query as Record<string, string>,
          body,
          origin,
          request,
          reply,
        });
        return Promise.resolve(route.handle(call as Call<never>));
      },
    });
  }

  /** Who asks. @throws TuttiError BAD_REQUEST */
  #originOf({ headers }: FastifyRequest): Origin {
    const via = headers['tutti-via'] ?? 'api';
    const key = headers['idempotency-key'];
    const firstSent = headers['tutti-first-sent'];
    const problems: string[] = [];
    if (!VIAS.includes(via as (typeof VIAS)[number]))
      problems.push(`the header Tutti-Via: right is ${VIAS.join(', ')}`);
    const firstSentNs = /^[0-9]{1,19}$/.test(String(firstSent)) ? BigInt(String(firstSent)) : undefined;
    if (firstSent !== undefined && !Value.Check(Origin.properties.firstSentNs, firstSentNs)) {
      problems.push('the header Tutti-First-Sent: right is cluster time in nanoseconds, from 0 to 2^63 - 1, in digits');
    }
    const origin = {
      // While the daemon waits nobody asks for anything that is agreed.
      node: this.#house.node?.init.id ?? nodeId(''),
      via: via as Origin['via'],
      ...(key !== undefined && { key: String(key) }),
      ...(firstSentNs !== undefined && { firstSentNs }),
    };
    if (key !== undefined && !Value.Check(Origin.properties.key, key)) {
      problems.push('the header Idempotency-Key: right is 1 to 255 printable characters of ASCII');
    }
    if (problems.length > 0) throw new TuttiError('BAD_REQUEST', problems.join('; '), { problems });
    return origin;
  }

  /** May whoever sends this change anything? @throws TuttiError FORBIDDEN_ORIGIN, UNAUTHORIZED, TOO_MANY_REFUSED */
  #checkWriter({ headers, ip }: FastifyRequest): void {
    const waitS = this.#refusals.waitS(ip);
    const tooMany = () => new TuttiError('TOO_MANY_REFUSED', `wait ${waitS} s`, { retryAfterS: waitS });
    if (waitS > 0 && this.#guard.isGuess(headers)) throw tooMany();
    try {
      this.#guard.checkWrite(headers);
    } catch (error) {
      this.#refusals.note(ip);
      throw waitS > 0 ? tooMany() : error;
    }
  }

  /** There is no such call: nothing at this path, or nothing that takes this method. */
  #refuseCall(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { method, url } = request;
    const path = url.replace(/\?.*$/s, '');
    const methods = this.#pagePaths.has(path) ? ['GET', 'HEAD'] : allowed(path);
    const shown = `${method} ${url.slice(0, 200)}`;
    if (methods.length === 0) {
      return this.#refuse(new TuttiError('NOT_FOUND', `there is no call ${shown}`), request, reply);
    }
    const allow = methods.join(', ');
    reply.header('allow', allow);
    return this.#refuse(
      new TuttiError('METHOD_NOT_ALLOWED', `there is no call ${shown}; right is ${allow}`),
      request,
      reply,
    );
  }

  #refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const known = asTuttiError(error);
    if (known === null) {
      this.#log.error('A call has failed by a mistake of ours.', { method: request.method, url: request.url, error });
    }
    const told = known ?? new TuttiError('INTERNAL', 'the log of this node says more');
    const problem = problemOf(told);
    this.#counts.refused(told.code);
    const slot = known?.info.slot ?? this.#slotOfRefusal(problem.status, request);
    if (typeof slot === 'number') reply.header('tutti-slot', String(slot));
    // Which way of saying who one is this node takes (RFC 9110, section 15.5.2).
    if (told.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer');
    if (typeof told.info.retryAfterS === 'number') reply.header('retry-after', String(told.info.retryAfterS));
    // What is still on its way of a body that is not wanted is thrown away for a while, and the answer not lost to a reset.
    if (!READS.includes(request.method)) lingerFor(request.raw, reply.raw, this.#context.time);
    // Nothing that was prepared for the answer proper must stay.
    // And who is still sending must not find the connection closed, as the framework wants it, before the answer.
    const names = ['content-length', 'content-disposition', 'etag', 'location', 'connection'];
    for (const name of names) reply.removeHeader(name);
    return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
  }

  /** A write that what is agreed stands against, and that came into no slot: up to which one this node knew what is agreed. */
  #slotOfRefusal(status: number, { method }: FastifyRequest): number | undefined {
    const { node } = this.#house;
    return status === 409 && node !== null && !READS.includes(method) ? node.cluster.appliedSlot : undefined;
  }

  /** The URL itself is no good: it never came to a route. */
  #refuseUrl(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
    const isName = request.url.startsWith(`${API_PREFIX}/tracks/`);
    const isLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
    const detail = isLong
      ? `a name in the address is too long: right is at most ${PARAM_CHARS_MAX} characters, each %XX counted as three`
      : isName
        ? 'the name in the address is not UTF-8, written with %XX where need be'
        : `the address cannot be read: ${error.message}`;
    this.#refuse(new TuttiError(isName ? 'BAD_NAME' : 'BAD_REQUEST', detail), request, reply);
  }
}

/** This process as it stands. */
function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    cpuS: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    heapBytes: getHeapStatistics().used_heap_size,
    activeS: performance.eventLoopUtilization().active / 1e3,
    uptimeS: process.uptime(),
  };
}

/** What the framework asks for where a route has a schema, of which there is none. */
const noCompiler = (): never => {
  throw new InvariantError('requests are checked by validate.ts, and answers are plain JSON');
};

/** A request as its handler sees it. Of a class, because an object that is spread together anew for each request costs more than its handler. */
class CallOf implements Call<unknown> {
  readonly house: House;
  readonly facade: Facade;
  readonly events: EventStreams;
  readonly metrics: Metrics;
  readonly uploadPlaces: Places;
  readonly time: Time;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly origin: Origin;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;

  constructor(context: RouteContext, init: Pick<Call<unknown>, 'query' | 'body' | 'origin' | 'request' | 'reply'>) {
    this.house = context.house;
    this.facade = context.facade;
    this.events = context.events;
    this.metrics = context.metrics;
    this.uploadPlaces = context.uploadPlaces;
    this.time = context.time;
    this.params = init.request.params as Record<string, string>;
    this.query = init.query;
    this.body = init.body;
    this.origin = init.origin;
    this.request = init.request;
    this.reply = init.reply;
  }

  get node(): Node {
    return this.house.member();
  }
}

/** Few calls take a query, and who sends one expects something of it. @throws TuttiError BAD_REQUEST */
function noQuery({ query }: FastifyRequest): Record<string, never> {
  const names = Object.keys(query as object);
  if (names.length === 0) return {};
  const shown = names.slice(0, QUERY_NAMES_SHOWN).map((name) => JSON.stringify(name.slice(0, 60)));
  throw new TuttiError('BAD_REQUEST', `this call takes no query; found ${shown.join(', ')}`);
}

/** @throws TuttiError BAD_REQUEST for a body where none is taken */
function noBody({ body }: FastifyRequest, { rawBody }: Route): undefined {
  const isEmpty = body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);
  if (rawBody === undefined && !isEmpty)
    throw new TuttiError('BAD_REQUEST', 'this call takes no body; right is none, or {}');
}
