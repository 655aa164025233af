/** What a person who waits is shown of the house meanwhile: how many nodes hold a file, how far a new node is filled. */
import { Members, State, type Upload } from '../http/schema.js';
import type { NodeClient } from './node-client.js';
import type { ProgressLine } from './progress.js';
import type { Session } from './session.js';
import { counted } from './text.js';

/** How often a node is asked how far it is. Milliseconds: an answer may hold a library of thousands. */
const LOOK_EVERY_MS = 1_000;

/**
 * Shows on `line` how many nodes hold the upload with this id, as soon as `isSent`, until `work` is over. What goes wrong with looking is
 * nobody's concern: the answer to the upload says all.
 */
export async function watchUpload(
  { session, client, line }: { readonly session: Session; readonly client: NodeClient; readonly line: ProgressLine },
  { id, isSent, work }: { readonly id: string; readonly isSent: () => boolean; readonly work: Promise<unknown> },
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  work.then(end, end);
  while (!over.signal.aborted) {
    await session.components.waitMs(LOOK_EVERY_MS, over.signal);
    if (over.signal.aborted || !isSent()) continue;
    const state = await client.read('/state', State).catch(() => null);
    const upload = state?.uploads.find((each) => each.id === id);
    if (!over.signal.aborted && upload?.stage === 'replicating') showHolders(line, upload);
  }
}

function showHolders(line: ProgressLine, { progress, totalBytes, receivedBytes, needed }: Upload): void {
  const bytes = totalBytes ?? receivedBytes;
  const holders = Object.values(progress).filter((held) => held >= bytes).length;
  line.show(holders, needed, `on ${holders} of the ${needed} nodes that it takes`);
}

/**
 * Shows on `line` how far the node with this id has filled its card, until it has all tracks. Gives how many those are; null where
 * it could not be watched to the end: the filling goes on all the same.
 */
export async function watchFilling(
  { session, client, line }: { readonly session: Session; readonly client: NodeClient; readonly line: ProgressLine },
  { node }: { readonly node: string },
): Promise<number | null> {
  for (;;) {
    const answer = await client.read('/members', Members).catch(() => null);
    const disk = answer?.members.find(({ id }) => id === node)?.disk;
    if (disk === undefined || disk === null) return null;
    const { tracksHeld: held, tracksMissing } = disk;
    if (tracksMissing.count === 0) return held;
    const total = held + tracksMissing.count;
    line.show(held, total, `${held} of ${counted(total, 'track')}; Ctrl-C leaves it to itself`);
    await session.components.waitMs(LOOK_EVERY_MS);
  }
}
