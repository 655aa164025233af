/** Who is in the house: forming a cluster, joining one, and the nodes that take part. */
import { TuttiError } from '../../core/errors.js';
import { done, type Route, route, routeWithBody, tellSlot } from '../route.js';
import { JoinBody, Joined, Members, OutputBody, RemoveQuery, Written } from '../schema.js';
import { nodesOf } from '../state.js';

const written = { status: 200, description: 'Done.', json: Written } as const;
const joined = { status: 201, description: 'It is a node of the cluster now.', json: Joined } as const;

/** Calls at and below `/cluster` and `/members`. The first two are for a node that belongs to no cluster yet. */
export const clusterRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/cluster/init',
    summary: 'Form a cluster of this one node, and make its key.',
    answer: joined,
    refuses: ['ALREADY_A_MEMBER', 'BUSY', 'DISK_FULL', 'DISK_FAILED'],
    async handle({ house, reply }) {
      const { init } = await house.form();
      reply.code(201);
      return { cluster: init.clusterId, node: init.id };
    },
  }),
  routeWithBody(JoinBody, {
    method: 'POST',
    path: '/cluster/join',
    summary: 'Join the cluster of another node, as a new member or in the place of one.',
    answer: joined,
    refuses: [
      'ALREADY_A_MEMBER',
      'BUSY',
      'KEY_REFUSED',
      'PEER_UNREACHABLE',
      'PEER_TOO_OLD',
      'NODE_TOO_OLD',
      'BAD_ANSWER',
      'NODE_NOT_FOUND',
      'AMBIGUOUS_NAME',
      'DISK_FULL',
      'DISK_FAILED',
    ],
    async handle({ house, body: { address, key = null, replace }, reply }) {
      const { init } = await house.join({ addresses: address.split(','), key, replace });
      reply.code(201);
      return { cluster: init.clusterId, node: init.id };
    },
  }),
  route({
    method: 'GET',
    path: '/members',
    summary: 'The nodes of the cluster; none where this node belongs to none.',
    answer: { status: 200, description: 'All of them.', json: Members },
    handle: ({ house: { node } }) => ({ members: node === null ? [] : nodesOf(node) }),
  }),
  route({
    method: 'DELETE',
    path: '/members/:node',
    summary: 'Take a node, by id or name, out of the cluster for good.',
    query: RemoveQuery,
    answer: written,
    refuses: [
      'NODE_NOT_FOUND',
      'AMBIGUOUS_NAME',
      'LAST_MEMBER',
      'TRACKS_AT_RISK',
      'BUSY',
      'NODE_REMOVED',
      'CARD_NOT_TRUSTED',
    ],
    async handle({ node, params, query, reply }) {
      const slot = await node.wishes.removeMember(params.node!, { acceptLoss: query.acceptLoss === 'true' });
      tellSlot(reply, slot);
      return { slot };
    },
  }),
  routeWithBody(OutputBody, {
    method: 'PUT',
    path: '/members/:node/output',
    summary: 'How a node, by id or name, sounds.',
    answer: written,
    refuses: ['NODE_NOT_FOUND', 'AMBIGUOUS_NAME'],
    async handle({ node, params, body, origin, reply }) {
      if (body.latencyUs === undefined && body.channels === undefined) {
        throw new TuttiError('BAD_REQUEST', 'give latencyUs, channels, or both');
      }
      return { slot: done(reply, await node.wishes.setOutput(params.node!, body, origin)).slot };
    },
  }),
];
