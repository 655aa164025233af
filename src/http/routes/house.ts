/** The whole view, its stream, the clock and the volume. */
import { isKnown } from '../known.js';
import { whyNotReady } from '../readiness.js';
import { done, type Route, route, routeWithBody, waitForConsistency } from '../route.js';
import { ClusterClock, Health, ReadQuery, State, Sync, VolumeBody, Written } from '../schema.js';
import { stateOf } from '../state.js';
import { syncOf } from '../sync.js';

const written = { status: 200, description: 'Done.', json: Written } as const;

/** Calls on the house as a whole; all that read do without a quorum. `/healthz` and `/readyz` are at the root, where probes look. */
export const houseRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/state',
    summary: 'Everything there is to see. Needs no quorum, unless the query asks for strong consistency.',
    answer: { status: 200, description: 'The view.', json: State },
    also: { 304: 'It is as it was under this ETag, but for times and figures.' },
    query: ReadQuery,
    refuses: ['NO_QUORUM', 'NODE_REMOVED'],
    async handle(call) {
      const { house, facade, request, reply } = call;
      await waitForConsistency(call);
      const { node } = house;
      // Who waits for a house has nothing yet that says whether it is as it was.
      if (node === null) return reply.header('cache-control', 'no-store').send(stateOf(house, facade));
      // Weak: the same view, though its clock and its error figures have moved on.
      const etag = `W/"${node.init.bootId.slice(0, 8)}-${node.cluster.appliedSlot}-${node.viewRev}"`;
      const isSame = isKnown({ etag, cacheControl: 'no-cache' }, request, reply);
      return isSame ? reply.code(304).send() : stateOf(house, facade);
    },
  }),
  route({
    method: 'GET',
    path: '/events',
    summary:
      'The view as it changes: server-sent events state (StateEvent), tracks (TracksEvent), queue (QueueEvent) and ping (PingEvent).',
    answer: { status: 200, description: 'A stream without end.', mediaType: 'text/event-stream' },
    refuses: ['BUSY'],
    handle({ events, reply }) {
      events.add(reply.raw);
      return reply.hijack();
    },
  }),
  route({
    method: 'GET',
    path: '/time',
    summary: 'Cluster time, for a page that keeps it.',
    answer: { status: 200, description: 'The time as this is sent.', json: ClusterClock },
    handle({ node, reply }) {
      reply.header('cache-control', 'no-store');
      return { timeNs: node.now().toString(), errorUs: node.clockStatus().errorUs };
    },
  }),
  route({
    method: 'GET',
    path: '/sync',
    summary:
      'How well the nodes have kept in step in the last ten minutes, second by second, as they know it themselves.',
    answer: { status: 200, description: 'Figures of each node, each pair and all.', json: Sync },
    handle({ node, reply }) {
      reply.header('cache-control', 'no-store');
      return syncOf(node);
    },
  }),
  routeWithBody(VolumeBody, {
    method: 'PUT',
    path: '/volume',
    summary: 'Volume and mute of the house, or of one node.',
    answer: written,
    refuses: ['NODE_NOT_FOUND', 'AMBIGUOUS_NAME'],
    async handle({ node, body, origin, reply }) {
      return { slot: done(reply, await node.wishes.volume(body, origin)).slot };
    },
  }),
  route({
    method: 'GET',
    path: '/healthz',
    atRoot: true,
    summary: 'The process answers.',
    answer: { status: 200, description: 'It does.', json: Health },
    handle({ reply }) {
      reply.header('cache-control', 'no-store');
      return { status: 'ok', code: null };
    },
  }),
  route({
    method: 'GET',
    path: '/readyz',
    atRoot: true,
    summary: 'Changes can be agreed; 503 where they cannot, with the code of the error catalogue that says why.',
    answer: { status: 200, description: 'They can.', json: Health },
    also: { 503: 'They cannot, and the code says why.' },
    handle({ house, reply }) {
      const code = whyNotReady(house);
      reply.code(code === null ? 200 : 503).header('cache-control', 'no-store');
      return { status: code === null ? 'ok' : 'not ready', code };
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    atRoot: true,
    summary: 'Figures for Prometheus: docs/metrics.md has them all.',
    answer: { status: 200, description: 'Text format 0.0.4.', mediaType: 'text/plain' },
    async handle({ metrics, reply }) {
      const { text, contentType } = await metrics.text();
      return reply.type(contentType).header('cache-control', 'no-store').send(text);
    },
  }),
];
