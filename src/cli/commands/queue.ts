/** queue: what comes next. Items are named, never numbered, since two people may be editing at once. */
import type { Command } from 'commander';
import { nearest } from '../../config/suggest.js';
import { TuttiError } from '../../core/errors.js';
import { Queue, Queued, type QueueItem, TrackList, Written } from '../../http/schema.js';
import { findItem, findTrack } from '../find.js';
import type { RunCommand, Session } from '../session.js';
import { type Column, counted, shownTime, shownTitle, table } from '../text.js';
import { TRACK_HELP } from './library.js';

const ITEM_HELP = 'id from the first column of tutti queue, or a title that is queued once';

/** Adds `queue` to `program`, with `add`, `rm`, `mv`, `shuffle` and `clear` below it; by itself it shows the queue. */
export function addQueueCommands(program: Command, run: RunCommand): void {
  const queue = program
    .command('queue')
    .summary('show or change what comes next')
    .description('Shows the queue: the current item first, unless the music is stopped.')
    // What follows and is no command of its own is turned down below, with better words than "too many arguments".
    .allowExcessArguments()
    .action(run((session) => showQueue(session, queue)));
  queue
    .command('add')
    .summary('add tracks at the end, or next')
    .description('Adds tracks in the order given: all of them or, where one is unknown, none.')
    .argument('<track...>', TRACK_HELP)
    .option('--next', 'right after the current item')
    .action(run(addToQueue));
  queue
    .command('rm')
    .summary('remove an item')
    .description('Removes an item from the queue. The track stays in the library.')
    .argument('<item>', ITEM_HELP)
    .action(run(removeFromQueue));
  queue
    .command('mv')
    .summary('move an item')
    .description('Moves an item before another one, or to the end.')
    .argument('<item>', ITEM_HELP)
    .argument('<before>', 'the item that it shall come before, or end')
    .action(run(moveInQueue));
  queue
    .command('shuffle')
    .summary('shuffle what is to come')
    .description('Shuffles what is to come; the current item keeps its place. Every node comes to the same order.')
    .action(run(shuffleQueue));
  queue
    .command('clear')
    .summary('remove what comes after the current item')
    .description('Removes all that comes after the current item.')
    .action(run(clearQueue));
}

async function showQueue(session: Session, command: Command): Promise<void> {
  const [excess] = command.args;
  if (excess !== undefined) {
    const names = command.commands.map((candidate) => candidate.name());
    const near = nearest(excess, names);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    throw new TuttiError(
      'BAD_USAGE',
      `queue: found ${JSON.stringify(excess)}; right is one of ${names.join(', ')}.${hint}`,
    );
  }
  const queue = await session.client().read('/queue', Queue);
  session.print(queue, () => humanQueue(queue, session));
}

const ITEM_COLUMNS: readonly Column<QueueItem>[] = [
  { head: 'ITEM', cell: (item) => item.itemId },
  { head: 'TITLE', cell: (item) => shownTitle(item.title) },
  { head: 'LENGTH', cell: (item) => shownTime(item.durationMs), align: 'right' },
  { head: 'FROM', cell: (item) => item.addedBy.via },
  { head: '', cell: (item) => (item.ready ? '' : 'not here yet') },
];

const humanQueue = (queue: Queue, session: Session): string =>
  queue.items.length === 0
    ? 'The queue is empty: tutti queue add TRACK...'
    : table(ITEM_COLUMNS, queue.items, session.bold);

async function addToQueue(session: Session, typed: readonly string[], options: { next?: boolean }): Promise<void> {
  const client = session.client();
  const { tracks } = await client.read('/tracks', TrackList);
  const wanted = typed.map((text) => findTrack(tracks, text));
  const body = { trackIds: wanted.map((track) => track.id), ...(options.next === true ? { next: true } : {}) };
  const queued = await client.write('POST', '/queue', Queued, body);
  session.print(queued, () => wanted.map((track) => `Queued: ${shownTitle(track.title)}\n`).join(''));
}

async function removeFromQueue(session: Session, typed: string): Promise<void> {
  const client = session.client();
  const item = findItem((await client.read('/queue', Queue)).items, typed);
  const written = await client.write('DELETE', `/queue/${encodeURIComponent(item.itemId)}`, Written);
  session.print(written, () => `Removed from the queue: ${shownTitle(item.title)}`);
}

async function moveInQueue(session: Session, typed: string, typedBefore: string): Promise<void> {
  const client = session.client();
  const { items } = await client.read('/queue', Queue);
  const item = findItem(items, typed);
  const before = typedBefore === 'end' ? null : findItem(items, typedBefore);
  const path = `/queue/${encodeURIComponent(item.itemId)}/move`;
  const written = await client.write('POST', path, Written, { beforeItemId: before?.itemId ?? null });
  session.print(written, () => {
    const place = before === null ? 'to the end' : `before ${shownTitle(before.title)}`;
    return `Moved ${place}: ${shownTitle(item.title)}`;
  });
}

async function shuffleQueue(session: Session): Promise<void> {
  const client = session.client();
  await client.write('POST', '/queue/shuffle', Written);
  const queue = await client.read('/queue', Queue);
  session.print(queue, () => humanQueue(queue, session));
}

async function clearQueue(session: Session): Promise<void> {
  const client = session.client();
  await client.write('DELETE', '/queue', Written);
  const queue = await client.read('/queue', Queue);
  session.print(queue, () =>
    queue.items.length === 0 ? 'The queue is empty.' : `The queue holds ${counted(queue.items.length, 'item')}.`,
  );
}
