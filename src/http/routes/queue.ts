/** The queue: items are named, never numbered, since two people edit at once. */
import { TuttiError } from '../../core/errors.js';
import { done, type Route, route, routeWithBody, waitForConsistency } from '../route.js';
import { Queue, QueueAddBody, Queued, QueueMoveBody, QueueShuffleBody, ReadQuery, Written } from '../schema.js';
import { queueItemOf } from '../state.js';

const written = { status: 200, description: 'Done.', json: Written } as const;

/** Calls at and below `/queue`. Those that change it answer with the log slot, not with the queue: that comes with the events. */
export const queueRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/queue',
    summary: 'The whole queue, the current item first.',
    answer: { status: 200, description: 'The queue.', json: Queue },
    query: ReadQuery,
    refuses: ['NO_QUORUM', 'NODE_REMOVED'],
    async handle(call) {
      const { node } = call;
      await waitForConsistency(call);
      const { queue, queueVersion, queueLength } = node.cluster.view(node.now());
      return { queueVersion, queueLength, items: queue.map((item) => queueItemOf(item, node)) };
    },
  }),
  routeWithBody(QueueAddBody, {
    method: 'POST',
    path: '/queue',
    summary: 'Add tracks: at the end, before an item, or next after the current one. One log entry for all of them.',
    answer: { status: 201, description: 'Added.', json: Queued },
    refuses: ['TRACK_NOT_FOUND', 'TRACK_NOT_READY', 'TRACK_LOST', 'ITEM_NOT_FOUND', 'ITEM_PLAYING', 'QUEUE_FULL'],
    async handle({ node, body: { trackId, trackIds, ...place }, origin, reply }) {
      if ((trackId === undefined) === (trackIds === undefined)) {
        throw new TuttiError('BAD_REQUEST', 'give trackIds, or trackId for one: exactly one of the two');
      }
      const { slot, itemIds = [] } = done(reply, await node.wishes.enqueue(trackIds ?? [trackId!], place, origin));
      reply.code(201);
      return { slot, itemIds };
    },
  }),
  routeWithBody(QueueMoveBody, {
    method: 'POST',
    path: '/queue/:itemId/move',
    summary: 'Move an item before another, or to the end.',
    answer: written,
    refuses: ['ITEM_NOT_FOUND', 'ITEM_PLAYING'],
    async handle({ node, params, body, origin, reply }) {
      return { slot: done(reply, await node.wishes.move(params.itemId!, body.beforeItemId, origin)).slot };
    },
  }),
  routeWithBody(QueueShuffleBody, {
    method: 'POST',
    path: '/queue/shuffle',
    summary: 'Shuffle what is not current.',
    answer: written,
    async handle({ node, body, origin, reply }) {
      return { slot: done(reply, await node.wishes.shuffle(body.seed, origin)).slot };
    },
  }),
  route({
    method: 'DELETE',
    path: '/queue/:itemId',
    summary: 'Take an item out of the queue.',
    answer: written,
    refuses: ['ITEM_NOT_FOUND', 'ITEM_PLAYING'],
    async handle({ node, params, origin, reply }) {
      return { slot: done(reply, await node.wishes.dequeue(params.itemId!, origin)).slot };
    },
  }),
  route({
    method: 'DELETE',
    path: '/queue',
    summary: 'Empty the queue; the current item plays on.',
    answer: written,
    async handle({ node, origin, reply }) {
      return { slot: done(reply, await node.wishes.clear(origin)).slot };
    },
  }),
];
