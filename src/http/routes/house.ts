/** The whole view, its stream, the clock, the nodes and the volume. */
import { TuttiError } from '../../core/errors.js';
import { done, type Route, route, routeWithBody } from '../route.js';
import { ClusterClock, Health, Members, OutputBody, State, VolumeBody, Written } from '../schema.js';
import { nodesOf, stateOf } from '../state.js';

const written = { status: 200, description: 'Done.', json: Written } as const;

/** Calls on the house as a whole; all that read do without a quorum. `/healthz` and `/readyz` are at the root, where probes look. */
export const houseRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/state',
    summary: 'Everything there is to see. Never needs a quorum.',
    answer: { status: 200, description: 'The view; 304 where the ETag is known.', json: State },
    handle({ node, facade, request, reply }) {
      // Weak: the same view, though its clock and its error figures have moved on.
      const etag = `W/"${node.init.bootId.slice(0, 8)}-${node.cluster.appliedSlot}-${node.viewRev}"`;
      reply.header('etag', etag).header('cache-control', 'no-cache');
      return request.headers['if-none-match'] === etag ? reply.code(304).send() : stateOf(node, facade);
    },
  }),
  route({
    method: 'GET',
    path: '/events',
    summary: 'The view as it changes: server-sent events state, tracks, queue and ping.',
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
    // One node is its own reference.
    handle({ node, reply }) {
      reply.header('cache-control', 'no-store');
      return { timeNs: node.now().toString(), errorUs: 0 };
    },
  }),
  route({
    method: 'GET',
    path: '/members',
    summary: 'The nodes of the cluster.',
    answer: { status: 200, description: 'All of them.', json: Members },
    handle: ({ node, facade }) => ({ members: nodesOf(node, facade) }),
  }),
  routeWithBody(OutputBody, {
    method: 'PUT',
    path: '/members/:node/output',
    summary: 'How a node, by id or name, sounds.',
    answer: written,
    refuses: ['NODE_NOT_FOUND'],
    async handle({ node, params, body, origin, reply }) {
      if (body.latencyUs === undefined && body.channels === undefined) {
        throw new TuttiError('BAD_REQUEST', 'give latencyUs, channels, or both');
      }
      return { slot: done(reply, await node.setOutput(params.node!, body, origin)).slot };
    },
  }),
  routeWithBody(VolumeBody, {
    method: 'PUT',
    path: '/volume',
    summary: 'Volume and mute of the house, or of one node.',
    answer: written,
    refuses: ['NODE_NOT_FOUND'],
    async handle({ node, body, origin, reply }) {
      return { slot: done(reply, await node.volume(body, origin)).slot };
    },
  }),
  route({
    method: 'GET',
    path: '/healthz',
    atRoot: true,
    summary: 'The process answers.',
    answer: { status: 200, description: 'It does.', json: Health },
    handle: () => ({ status: 'ok' }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    atRoot: true,
    summary: 'Changes can be agreed; 503 where they cannot.',
    answer: { status: 200, description: 'They can.', json: Health },
    handle({ node, reply }) {
      const { quorum } = node.logStatus();
      reply.code(quorum ? 200 : 503);
      return { status: quorum ? 'ok' : 'not ready' };
    },
  }),
];
