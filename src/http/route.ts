/** One row of the table of calls: what the server registers and what the OpenAPI page shows are both read from it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static, TObject, TSchema } from 'typebox';
import type { Origin } from '../cluster/command.js';
import type { Done, Outcome } from '../cluster/outcome.js';
import type { ErrorCode } from '../core/errors.js';
import type { House } from '../node/house.js';
import type { Node } from '../node/node.js';
import { refusedError } from '../node/refused-error.js';
import type { Time } from '../ports/time.js';
import type { EventStreams } from './events.js';
import type { Metrics } from './metrics.js';
import type { Places } from './places.js';
import type { Facade } from './state.js';

/** Methods of the calls. HEAD goes with every GET but the stream's. */
export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

/** What every handler may use. */
export interface RouteContext {
  readonly house: House;
  readonly facade: Facade;
  readonly events: EventStreams;
  readonly metrics: Metrics;
  /** Of those who send files. */
  readonly uploadPlaces: Places;
  readonly time: Time;
}

/** One request. */
export interface Call<B> extends RouteContext {
  /** The running node. @throws TuttiError NOT_A_MEMBER, by being looked at while the daemon waits */
  readonly node: Node;
  /** Parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Checked against the route's schema. */
  readonly body: B;
  /** The query, checked as well: empty where the call takes none. */
  readonly query: Readonly<Record<string, string>>;
  /** Who asks, and by which key. */
  readonly origin: Origin;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What a call answers: JSON of a schema, or something else. */
export type Answer = { readonly json: TSchema } | { readonly mediaType: string };

interface RouteOf<B> {
  readonly method: Method;
  /** Under /api/v1 unless `atRoot`; `:name` is a parameter. */
  readonly path: string;
  readonly atRoot?: true;
  readonly summary: string;
  readonly answer: Answer & { readonly status: number; readonly description: string };
  /** Other answers that are no errors, by status: what each says. */
  readonly also?: Readonly<Record<number, string>>;
  /** Headers of a request that this call looks at, beside those that every write does: what each says. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Codes that this call may answer, beside those that any call may. */
  readonly refuses?: readonly ErrorCode[];
  /** The query that this call takes; none where absent. All its fields are optional texts. */
  readonly query?: TObject;
  /** The handler reads the body itself. */
  readonly rawBody?: { readonly mediaType: string };
  readonly handle: (call: Call<B>) => unknown;
}

/** A row of the table. Made by {@link route} or {@link routeWithBody}, which see to it that the handler gets what the schema promises. */
export type Route = RouteOf<never> & { readonly body?: TObject };

/** A call without a body. */
export const route = (definition: RouteOf<undefined>): Route => definition as Route;

/** A call with a JSON body of this schema; an empty one counts as `{}`. */
export const routeWithBody = <S extends TObject>(body: S, definition: RouteOf<Static<S>>): Route =>
  ({ ...definition, body }) as unknown as Route;

/** Says in the headers which slot holds a write. */
export function tellSlot(reply: FastifyReply, slot: number): void {
  reply.header('tutti-slot', String(slot));
}

/** A write that was done, with its slot told; one that was refused is thrown. @throws TuttiError */
export function done(reply: FastifyReply, outcome: Outcome): Done {
  if (!outcome.ok) throw refusedError(outcome);
  tellSlot(reply, outcome.slot);
  return outcome;
}

/** A read waits for everything that was answered anywhere before, where it says `consistency=strong`. @throws TuttiError NO_QUORUM */
export async function waitForConsistency(call: Pick<Call<unknown>, 'query' | 'node'>): Promise<void> {
  if (call.query.consistency === 'strong') await call.node.readBarrier();
}
