/** Play, pause and their kin. Each answers with the transport as it is agreed then. */
import type { Static, TObject } from 'typebox';
import type { Outcome } from '../../cluster/outcome.js';
import type { ErrorCode } from '../../core/errors.js';
import { type Call, done, type Route, routeWithBody } from '../route.js';
import { ExpectBody, ModeBody, PlayBody, SeekBody, Transport } from '../schema.js';
import { transportOf } from '../state.js';

function verb<S extends TObject>(
  name: string,
  body: S,
  summary: string,
  refuses: readonly ErrorCode[],
  act: (call: Call<Static<S>>) => Promise<Outcome>,
): Route {
  return routeWithBody(body, {
    method: 'POST',
    path: `/transport/${name}`,
    summary,
    answer: { status: 200, description: 'The new transport.', json: Transport },
    refuses,
    async handle(call) {
      done(call.reply, await act(call));
      return transportOf(call.node.cluster.view(call.node.now()).transport);
    },
  });
}

const PLAY: readonly ErrorCode[] = [
  'ITEM_CHANGED',
  'ITEM_NOT_FOUND',
  'TRACK_NOT_FOUND',
  'TRACK_NOT_READY',
  'TRACK_LOST',
  'QUEUE_EMPTY',
  'QUEUE_FULL',
];
const CURRENT: readonly ErrorCode[] = ['ITEM_CHANGED', 'NOTHING_PLAYING'];

/** `POST /transport/...`. An empty body will do wherever nothing has to be said, for key pads and scripts. */
export const transportRoutes: readonly Route[] = [
  verb('play', PlayBody, 'Resume, or start the queue; or play a track, or go to an item of the queue.', PLAY, (call) =>
    call.node.wishes.play(call.body, call.origin),
  ),
  verb('pause', ExpectBody, 'Pause at one frame in every room.', CURRENT, (call) =>
    call.node.wishes.pause(call.body, call.origin),
  ),
  verb('toggle', ExpectBody, 'Pause where it plays, else play.', [...PLAY, 'NOTHING_PLAYING'], (call) =>
    call.node.wishes.toggle(call.body, call.origin),
  ),
  verb('stop', ExpectBody, 'Stop; the queue stays.', CURRENT, (call) =>
    call.node.wishes.stopPlaying(call.body, call.origin),
  ),
  verb('skip', ExpectBody, 'On to the next item.', CURRENT, (call) => call.node.wishes.skip(call.body, call.origin)),
  verb(
    'previous',
    ExpectBody,
    'Back to the start of the item; within its first 3 s, to the item before.',
    CURRENT,
    (call) => call.node.wishes.previous(call.body, call.origin),
  ),
  verb('seek', SeekBody, 'To a position in the current item.', [...CURRENT, 'BAD_POSITION'], (call) =>
    call.node.wishes.seek(call.body.positionMs, call.body, call.origin),
  ),
  verb(
    'mode',
    ModeBody,
    'Repeat nothing, the queue, or the current item. expectItem has no meaning here.',
    [],
    (call) => call.node.wishes.mode(call.body.repeat, call.origin),
  ),
];
