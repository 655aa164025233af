/**
 * TrackStore: the track files of this node. Where they are is in paths.ts.
 *
 * A file comes in whole, as an upload (intake.ts), or chunk by chunk from other nodes (partials.ts); either way it is read back before it
 * gets its place among those that are held (held-files.ts). All calls block, each is whole before the next begins, and those that would
 * read much go in steps: the store lives in the hash worker's thread (workers/intake.ts), and the main thread talks to it through
 * track-client.ts.
 */
import { TuttiError } from '../core/errors.js';
import type { TrackId } from '../core/ids.js';
import { type LocalTime, nanosFromMs } from '../core/units.js';
import { CHUNK_LIMITS, type ChunkLimits } from '../library/chunks.js';
import type { Track } from '../library/track.js';
import type { Disk } from '../ports/disk.js';
import type { Time } from '../ports/time.js';
import { badChunk, type ChunkBytes, type ChunkSet, type FileOutline } from './chunk-files.js';
import { HeldFiles, withChunks } from './held-files.js';
import { Intake, type TakenFile } from './intake.js';
import { inOwnDirectories, unlessFails } from './own-directories.js';
import { Partials } from './partials.js';
import { TMP, TRACKS, uploadPath } from './paths.js';
import { Scrubber, type ScrubStep } from './scrubber.js';
import { type DescribedTrack, descriptionOf } from './side-files.js';

/** Room that tracks leave free, for the log and whoever else lives on the card. Bytes. */
export const FREE_BYTES_MIN = 64 << 20;
/** Files that may be on their way in at once: each holds about a megabyte of memory. */
export const INTAKES_MAX = 16;
/** A header that promises so much more than was announced is of a file that was cut short: told at once. The scan is exact at the end. Bytes. */
const PROMISE_SLACK_BYTES = 64;

/** What lay on the disk at the start. */
export interface StoredTracks {
  /** As they were described, in the order of their ids. */
  readonly tracks: readonly DescribedTrack[];
  /** Tracks whose files were arriving: `beginFetch` goes on with one, `dropFetch` forgets it. */
  readonly arriving: readonly TrackId[];
  /** Tracks whose files lie here and were left out: `quarantine` finds out what of one is right. */
  readonly leftOut: readonly TrackId[];
  /** Why they were, and what else was: for the log. */
  readonly problems: readonly string[];
  /** Leftovers of uploads that were cut off, now removed. */
  readonly removedTemporaries: number;
}

/** What a store needs. */
export interface TrackStoreComponents {
  readonly disk: Disk;
  readonly time: Pick<Time, 'now'>;
  /** Called before the card is given much to do; may wait, for the log's writes to go first. */
  readonly pace: () => void;
}

/** What may be set of a store. */
export interface TrackStoreInit {
  /** How files that come without chunks are cut. */
  readonly limits?: ChunkLimits;
  /** From which id on the first round of scrubbing goes: another at each start. */
  readonly scrubFrom?: string;
}

/** The store itself: `open` first. An upload comes in by `begin`, `write`, `finish`, `verify` until it gives something, and `keep`; or `abort`. */
export class TrackStore {
  readonly #components: TrackStoreComponents;
  readonly #limits: ChunkLimits;
  readonly #intakes = new Map<
    number,
    { readonly intake: Intake; readonly expectedBytes: number | null; taken: TakenFile | null }
  >();
  #nextIntake = 1;
  readonly #held: HeldFiles;
  readonly #partials: Partials;
  readonly #scrubber: Scrubber;
  #openedAt: LocalTime;
  /** When somebody last wanted a track's file; where that is not said, it was not since the store was opened. */
  readonly #wantedAt = new Map<TrackId, LocalTime>();

  constructor(components: TrackStoreComponents, init: TrackStoreInit = {}) {
    const { limits = CHUNK_LIMITS, scrubFrom = '' } = init;
    this.#components = components;
    this.#limits = limits;
    const checkRoom = (bytes: number) => this.#checkRoom(bytes);
    this.#held = new HeldFiles(components, { limits });
    this.#partials = new Partials({ ...components, held: this.#held, checkRoom }, { limits });
    this.#openedAt = components.time.now();
    this.#scrubber = new Scrubber({ ...components, held: this.#held }, { from: scrubFrom });
  }

  /** Makes the directories, removes leftovers, and says which tracks are there. @throws TuttiError DISK_FULL, DISK_FAILED */
  open(): StoredTracks {
    const { disk, time } = this.#components;
    this.#openedAt = time.now();
    for (const directory of [TRACKS, TMP]) disk.makeDirectory(directory);
    // What is said to be held must be on the medium: whoever gave a file its name may have been killed before it was.
    for (const directory of ['', TRACKS, TMP]) disk.syncDirectory(directory);
    const { tracks, leftOut, problems, leftovers } = this.#held.find(disk.list(TRACKS));
    const { arriving, leftovers: others } = this.#partials.find(disk.list(TMP));
    for (const path of [...leftovers, ...others]) disk.remove(path);
    return { tracks, arriving, leftOut, problems, removedTemporaries: leftovers.length + others.length };
  }

  /**
   * Begins to take a file in.
   * @param expectedBytes what the sender announced; null where it did not
   * @returns a number that names the intake
   * @throws TuttiError DISK_FULL at once where it will not fit; BUSY above {@link INTAKES_MAX}; DISK_FAILED
   */
  begin(expectedBytes: number | null): number {
    if (this.#intakes.size >= INTAKES_MAX) {
      throw new TuttiError('BUSY', `${INTAKES_MAX} files are on their way in already`);
    }
    this.#checkRoom(expectedBytes ?? 0);
    const number = this.#nextIntake++;
    const init = { path: uploadPath(number), limits: this.#limits };
    const intake = inOwnDirectories(() => new Intake(this.#components, init));
    this.#intakes.set(number, { intake, expectedBytes, taken: null });
    return number;
  }

  /**
   * Takes the next bytes of intake `number`.
   * @throws TuttiError UNSUPPORTED_AUDIO, DISK_FULL, DISK_FAILED; INCOMPLETE_AUDIO where its header promises more than was announced
   */
  write(number: number, bytes: Uint8Array): void {
    const { intake, expectedBytes } = this.#intakeOf(number);
    if (intake.receivedBytes + bytes.length > (expectedBytes ?? 0)) this.#checkRoom(bytes.length);
    intake.write(bytes);
    const { promisedBytes } = intake;
    if (expectedBytes === null || promisedBytes === null || promisedBytes <= expectedBytes + PROMISE_SLACK_BYTES)
      return;
    throw new TuttiError(
      'INCOMPLETE_AUDIO',
      `the file's header promises ${promisedBytes} bytes, and ${expectedBytes} were announced`,
    );
  }

  /**
   * All bytes of intake `number` are there: which file it is.
   * @throws TuttiError UNSUPPORTED_AUDIO, INCOMPLETE_AUDIO, DISK_FULL, DISK_FAILED
   */
  finish(number: number): TrackId {
    return this.#intakeOf(number).intake.finish();
  }

  /** Reads up to `bytesMax` bytes of a finished intake back; what it is when all were, and are right, else null. @throws TuttiError DISK_FAILED */
  verify(number: number, bytesMax: number): TakenFile | null {
    const entry = this.#intakeOf(number);
    this.#components.pace();
    entry.taken ??= entry.intake.verify(bytesMax);
    return entry.taken;
  }

  /** Gives a verified file its place: durable when this returns. @throws TuttiError DISK_FULL, DISK_FAILED */
  keep(number: number, track: Track): void {
    const { intake, taken } = this.#intakeOf(number);
    const { outline } = intake;
    if (taken === null || outline === null) throw new TuttiError('BAD_REQUEST', 'the file was not read back');
    const described = withChunks(track, taken);
    try {
      const beside = { description: descriptionOf(described), ...outline };
      inOwnDirectories(() => this.#held.place(described, beside, intake.path));
    } catch (error) {
      unlessFails(() => this.abort(number));
      throw error;
    }
    this.#intakes.delete(number);
    this.#want(taken.id);
    intake.release();
    // What had arrived of it has no use any more.
    unlessFails(() => this.#partials.drop(taken.id));
  }

  /** Idempotent: gives up intake `number` and removes what came of it. */
  abort(number: number): void {
    const entry = this.#intakes.get(number);
    this.#intakes.delete(number);
    entry?.intake.abort();
  }

  /** Keeps how the cluster agreed on `track`, where its file is here. @throws TuttiError DISK_FULL, DISK_FAILED */
  describe(track: Track): void {
    inOwnDirectories(() => {
      this.#held.describe(track);
      this.#partials.describe(track);
    });
    this.#want(track.id);
  }

  /** Takes a track off the disk, also what is arriving of it; one that is not there is fine. @throws TuttiError DISK_FAILED */
  remove(id: TrackId): void {
    this.#wantedAt.delete(id);
    inOwnDirectories(() => {
      this.#partials.drop(id);
      this.#held.remove(id);
    });
  }

  /**
   * Tracks whose files lie here, held, arriving or left out at the start, and that nobody has wanted for `idleMs`: nobody sent one, began or
   * went on to fetch it here, had a chunk of it for a peer, or said what was agreed on it. Time in which the store was not open does not
   * count. Which of them may go is for the caller to say. In no order. @throws TuttiError DISK_FAILED
   */
  idle(idleMs: number): readonly TrackId[] {
    return [...new Set([...this.#held.lying(), ...this.#partials.arriving()])].filter((id) => this.#isIdle(id, idleMs));
  }

  /** {@link remove}, unless somebody has wanted the file within `idleMs`; true where it is gone. @throws TuttiError DISK_FAILED */
  collect(id: TrackId, idleMs: number): boolean {
    if (!this.#isIdle(id, idleMs)) return false;
    this.remove(id);
    return true;
  }

  /** Every file that is held. */
  held(): readonly DescribedTrack[] {
    return this.#held.list();
  }

  /** The outline of a held track, 2,048 bytes; null where {@link makeBeside} has to be called first. @throws TuttiError TRACK_MISSING */
  peaks(id: TrackId): Uint8Array | null {
    const file = this.#held.get(id);
    if (file === undefined) throw new TuttiError('TRACK_MISSING', 'this node does not hold the file');
    return this.#held.peaks(file);
  }

  /** See {@link Partials.begin}; then as {@link resume}. */
  beginFetch(track: Track, outline: FileOutline, chunkBytes: number, bytesMax: number): ChunkSet | null {
    inOwnDirectories(() => this.#partials.begin(track, outline, chunkBytes));
    this.#want(track.id);
    return this.resume(track.id, bytesMax);
  }

  /** See {@link Partials.resume}: null while there is more to look at. */
  resume(id: TrackId, bytesMax: number): ChunkSet | null {
    this.#components.pace();
    return inOwnDirectories(() => this.#partials.resume(id, bytesMax));
  }

  /** See {@link Partials.put}. */
  putChunks(id: TrackId, chunks: readonly ChunkBytes[]): number[] {
    const bad = inOwnDirectories(() => this.#partials.put(id, chunks));
    if (bad.length < chunks.length) this.#want(id);
    return bad;
  }

  /** One of them. @throws TuttiError as `putChunks`, and BAD_CHUNK */
  putChunk(id: TrackId, index: number, bytes: Uint8Array): void {
    if (this.putChunks(id, [{ index, bytes }]).length > 0) throw badChunk(id, index);
  }

  /** See {@link Partials.finish}. */
  finishFetch(id: TrackId, bytesMax: number): boolean {
    this.#components.pace();
    const isHeld = inOwnDirectories(() => this.#partials.finish(id, bytesMax));
    this.#want(id);
    return isHeld;
  }

  /** See {@link Partials.drop}. */
  dropFetch(id: TrackId): void {
    if (this.#held.get(id) === undefined) this.#wantedAt.delete(id);
    this.#partials.drop(id);
  }

  /** See {@link Partials.quarantine}; then as {@link resume}. */
  quarantine(id: TrackId, agreed: Track | null, bytesMax: number): ChunkSet | null {
    inOwnDirectories(() => this.#partials.quarantine(id, agreed));
    return this.resume(id, bytesMax);
  }

  /** What a peer needs to fetch a file; null where {@link makeBeside} has to be called first. @throws TuttiError TRACK_MISSING */
  outline(id: TrackId): FileOutline | null {
    const file = this.#held.get(id);
    const outline = file === undefined ? this.#partials.outline(id) : this.#held.outline(file);
    this.#want(id);
    return outline;
  }

  /** A chunk of a file that is held or arriving; null as for {@link outline}. @throws TuttiError TRACK_MISSING, TRACK_DAMAGED */
  readChunk(id: TrackId, index: number): Uint8Array | null {
    const file = this.#held.get(id);
    const bytes = file === undefined ? this.#partials.readChunk(id, index) : this.#held.readChunk(file, index);
    this.#want(id);
    return bytes;
  }

  /**
   * Makes what has to be made of a file first, reading up to `bytesMax` bytes of it: true when that was done, as far as it can be. See
   * {@link HeldFiles.makeBeside}, {@link Partials.resume}. @throws TuttiError TRACK_MISSING, TRACK_DAMAGED, DISK_FULL, DISK_FAILED
   */
  makeBeside(id: TrackId, bytesMax: number): boolean {
    this.#components.pace();
    const file = this.#held.get(id);
    return inOwnDirectories(() =>
      file === undefined ? this.#partials.resume(id, bytesMax) !== null : this.#held.makeBeside(file, bytesMax),
    );
  }

  /** See {@link Scrubber.step}. */
  scrubStep(bytesMax: number): ScrubStep {
    this.#components.pace();
    return inOwnDirectories(() => this.#scrubber.step(bytesMax));
  }

  /** Room on the disk. */
  space(): { readonly freeBytes: number; readonly totalBytes: number } {
    return this.#components.disk.space();
  }

  /** Idempotent: gives up everything that is on its way in. */
  close(): void {
    for (const number of [...this.#intakes.keys()]) this.abort(number);
  }

  /** Somebody wants this file, which is here. */
  #want(id: TrackId): void {
    this.#wantedAt.set(id, this.#components.time.now());
  }

  #isIdle(id: TrackId, idleMs: number): boolean {
    const sinceNs = this.#components.time.now() - (this.#wantedAt.get(id) ?? this.#openedAt);
    return sinceNs >= nanosFromMs(idleMs);
  }

  #intakeOf(number: number) {
    const entry = this.#intakes.get(number);
    if (entry === undefined) throw new TuttiError('INCOMPLETE_AUDIO', 'this upload was given up');
    return entry;
  }

  /** @throws TuttiError DISK_FULL unless `bytes` more fit beside all that is announced, and {@link FREE_BYTES_MIN} stay free */
  #checkRoom(bytes: number): void {
    let announced = this.#partials.missingBytes;
    for (const { intake, expectedBytes } of this.#intakes.values()) {
      announced += Math.max(0, (expectedBytes ?? 0) - intake.receivedBytes);
    }
    const { freeBytes } = this.#components.disk.space();
    const room = Math.max(0, freeBytes - FREE_BYTES_MIN - announced);
    if (bytes > room) {
      throw new TuttiError('DISK_FULL', `${bytes} more bytes do not fit: there is room for ${room}`, {
        freeBytes: room,
      });
    }
  }
}
