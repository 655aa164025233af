/**
 * Taking a file in: from the first byte that somebody sends to the entry that makes it a track.
 *
 * The order is what keeps the promise "201 means safe": bytes to the disk, hashed and scanned on the way; read back; given their place;
 * offered to the other nodes until enough of them hold the file as well (attestation.ts); and only then proposed. Whatever fails before
 * the file has its place leaves nothing behind.
 */
import type { Command, Origin } from '../cluster/command.js';
import type { Done, Outcome } from '../cluster/outcome.js';
import { type ErrorCode, TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import { cleanTitle, UNTITLED } from '../library/title.js';
import type { Holder, Track } from '../library/track.js';
import type { Time } from '../ports/time.js';
import type { TrackExchange } from '../tracks/exchange.js';
import type { OfferFate } from '../tracks/messages.js';
import type { IncomingFile, TrackClient } from '../tracks/track-client.js';
import type { AgreedState } from './agreement.js';
import { type AttestationComponents, attested, copiesNeeded } from './attestation.js';
import { refusedError } from './refused-error.js';
import type { TrackFiles } from './track-files.js';
import type { Upload, UploadProgress, Uploads } from './uploads.js';

/** Longest file name, in bytes of UTF-8: the limit of Linux, so that every real file has a name that fits. */
export const FILE_NAME_BYTES_MAX = 255;

/** Errors after which the bytes are worth keeping: nobody said no. */
const UNDECIDED: readonly ErrorCode[] = ['NO_QUORUM', 'OUTCOME_UNKNOWN', 'BUSY', 'TRACK_NOT_HELD', 'CARD_NOT_TRUSTED'];
/** The first command set in which tracks have chunks. */
const CHUNKS_VERSION = 2;
/** So often a proposal is refused because other nodes vote by then, or holders took their words back; neither happens that fast. */
const PROPOSALS_MAX = 8;

/** A file that somebody sends. */
export interface IncomingTrack {
  /** A label, never a path. */
  readonly fileName: string;
  /** Names the upload for whoever watches it. */
  readonly uploadId: string;
  readonly via: Upload['via'];
  /** Bytes that were announced; null where none were. */
  readonly totalBytes: number | null;
  /** Throws where the sender is gone. It is not read on after an error of ours. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The parts of a {@link Node} that take a file in. */
export interface AddTrackComponents {
  readonly time: Time;
  readonly files: TrackClient;
  /** What lies in its place here. */
  readonly held: TrackFiles;
  readonly uploads: Uploads;
  readonly exchange: Pick<TrackExchange, 'offer' | 'unwant'>;
  /** A file has found its place here. */
  readonly took: (track: Track) => void;
  /** As it is agreed now. */
  readonly cluster: () => Pick<AgreedState, 'addedUnder' | 'commandVersion' | 'library'>;
  /** Who takes part now. */
  readonly status: AttestationComponents['status'];
  /** This node, which is the first to hold the file. */
  readonly self: Holder;
  /** See {@link Wishes.ask}. */
  readonly ask: (command: Command, origin: Origin) => Promise<Outcome>;
}

/** See {@link Wishes.addTrack}. */
export async function addTrack(
  components: AddTrackComponents,
  incoming: IncomingTrack,
  origin: Origin,
): Promise<{ readonly track: Track; readonly outcome: Done }> {
  checkFileName(incoming.fileName);
  const { files, uploads } = components;
  const file = await files.begin(incoming.totalBytes);
  const { uploadId: id, via, totalBytes, fileName } = incoming;
  const title = cleanTitle(fileName) || UNTITLED;
  const report = uploads.begin({ id, title, via, totalBytes });
  try {
    const track = await receive(file, incoming, report);
    const added = await components.held.inTurn(track, () => agree(components, file, track, incoming, origin, report));
    report({ stage: 'done' });
    return added;
  } catch (error) {
    report({ stage: 'failed', code: error instanceof TuttiError ? error.code : 'INTERNAL' });
    throw error;
  } finally {
    // Does nothing for a file that has found its place. What cannot be removed now is removed at the next start.
    await file.abort().catch(() => {});
  }
}

/** @throws TuttiError BAD_NAME */
export function checkFileName(name: string): void {
  const bytes = new TextEncoder().encode(name).length;
  const wrong =
    bytes === 0
      ? 'it is empty'
      : bytes > FILE_NAME_BYTES_MAX
        ? `it has ${bytes} bytes of UTF-8`
        : /\p{Cc}/u.test(name)
          ? 'it holds control characters'
          : /\p{Cs}/u.test(name)
            ? 'it is not valid Unicode'
            : null;
  if (wrong === null) return;
  const right = `right is 1 to ${FILE_NAME_BYTES_MAX} bytes of UTF-8 without control characters`;
  throw new TuttiError('BAD_NAME', `the file name: ${wrong}; ${right}`);
}

async function receive(
  file: IncomingFile,
  { body, totalBytes }: IncomingTrack,
  report: (progress: UploadProgress) => void,
): Promise<TrackId> {
  let receivedBytes = 0;
  for await (const bytes of body) {
    await file.write(bytes);
    receivedBytes += bytes.length;
    report({ receivedBytes });
  }
  if (totalBytes !== null && receivedBytes < totalBytes) {
    throw new TuttiError('INCOMPLETE_AUDIO', `${totalBytes} bytes were announced and ${receivedBytes} came`);
  }
  return file.finish();
}

async function agree(
  components: AddTrackComponents,
  file: IncomingFile,
  id: TrackId,
  incoming: IncomingTrack,
  origin: Origin,
  report: (progress: UploadProgress) => void,
): Promise<{ readonly track: Track; readonly outcome: Done }> {
  const { cluster, held, ask } = components;
  // Who sends a file again because the answer was lost has not done anything wrong; and there need be no second entry for it.
  const wasDone = origin.key !== undefined && cluster().addedUnder(origin.key) === id;
  const { library } = cluster();
  const known = library.get(id);
  if (known !== undefined && !library.lacks(id)) {
    // The bytes may be the only good ones that there are.
    const isPutBack = !held.holds(id);
    if (isPutBack) await putBack(components, file, known);
    if (!wasDone) throw trackExists(known, isPutBack);
  }
  report({ stage: 'replicating', trackId: id });
  const isNew = known === undefined || library.lacks(id);
  const track = isNew ? await keep(components, file, incoming) : known;
  try {
    const outcome = isNew
      ? await replicate(components, track, origin, report)
      : await ask({ type: 'track.add', track }, origin);
    if (!outcome.ok) throw refusedError(outcome);
    const added = cluster().library.get(id);
    // With a key the outcome may be that of an earlier request. Without one, what is gone by now was removed just after.
    if (origin.key !== undefined && (outcome.trackId !== id || added === undefined)) {
      const earlier = outcome.trackId === id ? 'the upload of a track that was removed since' : 'another request';
      throw new TuttiError('KEY_REUSED', `the key ${JSON.stringify(origin.key)} belongs to ${earlier}`);
    }
    return { track: added ?? track, outcome };
  } catch (error) {
    await restoreFiles(components, track, error);
    throw error;
  }
}

/** Offers a file that is held here, and proposes it once enough others hold it too. @throws TuttiError NO_QUORUM, TRACK_NOT_HELD, ... */
async function replicate(
  components: AddTrackComponents,
  track: Track,
  origin: Origin,
  report: (progress: UploadProgress) => void,
): Promise<Outcome> {
  const { time, status, exchange, cluster, self, ask } = components;
  const offer = exchange.offer(track);
  let fate: OfferFate = 'void';
  try {
    for (let proposals = 1; ; proposals++) {
      const looked = () => {
        const heldBytes: Record<string, number> = { [self.node]: track.bytes };
        for (const { node, chunks, isHeld } of offer.progress()) {
          heldBytes[node] = isHeld ? track.bytes : Math.min(track.bytes, chunks * (track.chunks?.bytes ?? track.bytes));
        }
        report({ needed: copiesNeeded(status()), heldBytes });
      };
      const holders = await attested({ time, status, looked }, offer);
      fate = 'open';
      // Whoever knows the first command set only cannot read what chunks are.
      const { chunks, ...plain } = track;
      const isOld = cluster().commandVersion < CHUNKS_VERSION || chunks === undefined;
      const outcome = await ask(
        { type: 'track.add', track: { ...(isOld ? plain : track), holders: [...holders] } },
        origin,
      );
      if (outcome.ok) return outcome;
      if (outcome.code !== 'TRACK_NOT_HELD' || proposals === PROPOSALS_MAX) {
        fate = outcome.code === 'TRACK_NOT_HELD' ? 'open' : 'void';
        return outcome;
      }
    }
  } catch (error) {
    fate = error instanceof TuttiError && UNDECIDED.includes(error.code) ? 'open' : 'void';
    throw error;
  } finally {
    offer.stop(fate);
  }
}

/** Reads the file back, and gives it its place here: what it is, as this node proposes it. */
async function keep(
  { time, self, took }: AddTrackComponents,
  file: IncomingFile,
  { fileName, via }: IncomingTrack,
): Promise<Track> {
  const taken = await file.verify();
  const track: Track = {
    ...taken,
    title: taken.tags.title ?? (cleanTitle(fileName) || UNTITLED),
    fileName,
    source: { node: self.node, via },
    holders: [self],
    addedAt: Math.max(0, Math.trunc(time.wallClockMs())),
  };
  await file.keep(track);
  took(track);
  return track;
}

/** Gives the file of a track that the library has its place, where this node has lost it, or had not fetched it yet. */
async function putBack(
  { cluster, exchange, took }: AddTrackComponents,
  file: IncomingFile,
  known: Track,
): Promise<void> {
  await file.verify();
  await file.keep(known);
  took(known);
  // It may have been removed meanwhile: what nobody wants goes in a while.
  if (cluster().library.get(known.id) === undefined) exchange.unwant(known.id);
}

/**
 * The track did not come of this upload. Where another has the same bytes, the files are the other's; where nobody could agree, or the
 * entry may yet be applied, they stay for it or for the next try; else they go, in a while.
 */
async function restoreFiles(
  { files, exchange, cluster }: AddTrackComponents,
  { id }: Track,
  error: unknown,
): Promise<void> {
  const other = cluster().library.get(id);
  if (other !== undefined) await files.describe(other);
  else if (!(error instanceof TuttiError && UNDECIDED.includes(error.code))) exchange.unwant(id);
}

function trackExists({ id, title }: Track, isPutBack: boolean): TuttiError {
  const what = `the library has these bytes as ${JSON.stringify(title)}`;
  if (!isPutBack) return new TuttiError('TRACK_EXISTS', what, { trackId: id, title });
  const detail = `${what}; this node did not have them, and the file was put back`;
  return new TuttiError('TRACK_EXISTS', detail, { trackId: id, title, isPutBack });
}
