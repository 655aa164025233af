/**
 * TrackStore: the track files of this node.
 *
 *     tmp/<n>.part          on its way in; removed at the next start
 *     tracks/<id>.wav       the file, exactly as it came; its name is the SHA-256 of its bytes
 *     tracks/<id>.peaks     2,048 bytes, its outline for a waveform
 *     tracks/<id>.json      the track as the cluster agreed on it
 *
 * A WAV gets its name last, so where one is, all that belongs to it is durable. No name that a person gave ever becomes a path.
 * All calls block: the store lives in the hash worker's thread (workers/intake.ts), and the main thread talks to it through
 * track-client.ts.
 */
import { PEAK_COUNT } from '../audio/peaks.js';
import { TuttiError } from '../core/errors.js';
import { isTrackId, type TrackId } from '../core/ids.js';
import type { Track } from '../library/track.js';
import type { Disk } from '../ports/disk.js';
import { writeDurably } from './durable-write.js';
import { Intake, type TakenFile } from './intake.js';

const TRACKS = 'tracks';
const TMP = 'tmp';

/** Room that tracks leave free, for the log and whoever else lives on the card. Bytes. */
export const FREE_BYTES_MIN = 64 << 20;
/** Files that may be on their way in at once: each holds about a megabyte of memory. */
export const INTAKES_MAX = 16;
/** Most bytes of one read: what is on its way to a slow listener waits in memory. */
export const READ_BYTES_MAX = 256 * 1024;
/** A header that promises so much more than was announced is of a file that was cut short: told at once. The scan is exact at the end. Bytes. */
const PROMISE_SLACK_BYTES = 64;
/** Largest description that is read; one of this build is a few kilobytes. */
const DESCRIPTION_BYTES_MAX = 1 << 20;

/** Where a node's Disk has the file of a track. */
export const trackPath = (id: TrackId): string => `${TRACKS}/${id}.wav`;
const peaksName = (id: TrackId): string => `${id}.peaks`;
const descriptionName = (id: TrackId): string => `${id}.json`;

/**
 * What is read of a description: the rest of it is agreed in the log. So little is checked by hand, since the schemas' library would take
 * 13 MB of this thread.
 */
export type DescribedTrack = Pick<Track, 'id' | 'title' | 'bytes'>;

/** What lay on the disk at the start. */
export interface StoredTracks {
  /** As they were described, in the order of their ids. */
  readonly tracks: readonly DescribedTrack[];
  /** Files that were left out, and why: for the log. */
  readonly problems: readonly string[];
  /** Leftovers of uploads that were cut off, now removed. */
  readonly removedTemporaries: number;
}

/** The store itself: `open` first. A file comes in by `begin`, `write`, `finish`, `verify` until true and `keep`; or `abort`. */
export class TrackStore {
  readonly #disk: Disk;
  readonly #intakes = new Map<
    number,
    { readonly intake: Intake; readonly expectedBytes: number | null; taken: TakenFile | null }
  >();
  #nextIntake = 1;

  constructor(components: { readonly disk: Disk }) {
    this.#disk = components.disk;
  }

  /** Makes the directories, removes leftovers, and says which tracks are there. @throws TuttiError DISK_FULL, DISK_FAILED */
  open(): StoredTracks {
    for (const directory of [TRACKS, TMP]) this.#disk.makeDirectory(directory);
    this.#disk.syncDirectory('');
    const leftovers = this.#leftovers();
    for (const path of leftovers) this.#disk.remove(path);
    const tracks: DescribedTrack[] = [];
    const problems: string[] = [];
    for (const { name, kind, size } of this.#disk.list(TRACKS)) {
      const id = name.endsWith('.wav') ? name.slice(0, -'.wav'.length) : '';
      if (kind !== 'file' || !isTrackId(id)) continue;
      const track = this.#described(id);
      if (track === null) problems.push(`${TRACKS}/${name}: there is no description of it that can be read`);
      else if (track.bytes !== size) problems.push(`${TRACKS}/${name}: it has ${size} bytes and not ${track.bytes}`);
      else tracks.push(track);
    }
    return { tracks, problems, removedTemporaries: leftovers.length };
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
    const intake = inOwnDirectories(() => new Intake({ disk: this.#disk }, { path: `${TMP}/${number}.part` }));
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

  /** All bytes of intake `number` are there. @throws TuttiError UNSUPPORTED_AUDIO, INCOMPLETE_AUDIO, DISK_FULL, DISK_FAILED */
  finish(number: number): TakenFile {
    const entry = this.#intakeOf(number);
    entry.taken = entry.intake.finish();
    return entry.taken;
  }

  /** Reads up to `bytesMax` bytes of a finished intake back; true when all were, and are right. @throws TuttiError DISK_FAILED */
  verify(number: number, bytesMax: number): boolean {
    const { intake, taken } = this.#intakeOf(number);
    if (taken === null) throw new TuttiError('BAD_REQUEST', 'the file is not finished');
    return intake.verify(taken.id, bytesMax);
  }

  /** Gives a verified file its place: durable when this returns. @throws TuttiError DISK_FULL, DISK_FAILED */
  keep(number: number, track: Track): void {
    const { intake, taken } = this.#intakeOf(number);
    if (taken === null) throw new TuttiError('BAD_REQUEST', 'the file is not finished');
    const { id } = taken;
    const wasThere = this.#disk.exists(trackPath(id));
    try {
      inOwnDirectories(() => {
        writeDurably(this.#disk, `${TMP}/${number}.peaks`, TRACKS, peaksName(id), taken.peaks);
        this.describe(track);
        intake.moveTo(trackPath(id));
        this.#disk.syncDirectory(TRACKS);
      });
    } catch (error) {
      // The first error is the one to tell; what cannot be removed now is removed at the next start.
      unlessFails(() => this.abort(number));
      if (!wasThere) unlessFails(() => this.remove(id));
      throw error;
    }
    this.#intakes.delete(number);
  }

  /** Idempotent: gives up intake `number` and removes what came of it. */
  abort(number: number): void {
    const entry = this.#intakes.get(number);
    this.#intakes.delete(number);
    entry?.intake.abort();
  }

  /** Keeps how the cluster agreed on `track`. @throws TuttiError DISK_FULL, DISK_FAILED */
  describe(track: Track): void {
    const bytes = new TextEncoder().encode(JSON.stringify(track));
    inOwnDirectories(() =>
      writeDurably(this.#disk, `${TMP}/${track.id}.json`, TRACKS, descriptionName(track.id), bytes),
    );
  }

  /** Takes a track off the disk; one that is not there is fine. @throws TuttiError DISK_FAILED */
  remove(id: TrackId): void {
    // The WAV first: without it, what is left of the others at a power cut stands for nothing.
    inOwnDirectories(() => {
      for (const path of [trackPath(id), `${TRACKS}/${peaksName(id)}`, `${TRACKS}/${descriptionName(id)}`]) {
        this.#disk.remove(path);
      }
      this.#disk.syncDirectory(TRACKS);
    });
  }

  /** Bytes of a track's file from `offset` on: at most `length` and {@link READ_BYTES_MAX}. @throws TuttiError TRACK_MISSING, DISK_FAILED */
  read(id: TrackId, offset: number, length: number): Uint8Array {
    return this.#readFile(trackPath(id), offset, Math.min(length, READ_BYTES_MAX));
  }

  /** The outline of a track: 2,048 bytes. @throws TuttiError TRACK_MISSING, DISK_FAILED */
  peaks(id: TrackId): Uint8Array {
    return this.#readFile(`${TRACKS}/${peaksName(id)}`, 0, PEAK_COUNT);
  }

  /** Room on the disk. */
  space(): { readonly freeBytes: number; readonly totalBytes: number } {
    return this.#disk.space();
  }

  /** Idempotent: gives up everything that is on its way in. */
  close(): void {
    for (const number of [...this.#intakes.keys()]) this.abort(number);
  }

  #intakeOf(number: number) {
    const entry = this.#intakes.get(number);
    if (entry === undefined) throw new TuttiError('INCOMPLETE_AUDIO', 'this upload was given up');
    return entry;
  }

  /** Files of uploads that were cut off, and outlines and descriptions of tracks whose WAV is gone or never came. */
  #leftovers(): string[] {
    const temporaries = this.#disk.list(TMP).filter(({ kind }) => kind === 'file');
    const alone = this.#disk.list(TRACKS).filter(({ name, kind }) => {
      const id = /^(.*)\.(?:json|peaks)$/.exec(name)?.[1] ?? '';
      return kind === 'file' && isTrackId(id) && !this.#disk.exists(trackPath(id));
    });
    return [...temporaries.map(({ name }) => `${TMP}/${name}`), ...alone.map(({ name }) => `${TRACKS}/${name}`)];
  }

  /** @throws TuttiError DISK_FULL unless `bytes` more fit beside all that is announced, and {@link FREE_BYTES_MIN} stay free */
  #checkRoom(bytes: number): void {
    let announced = 0;
    for (const { intake, expectedBytes } of this.#intakes.values()) {
      announced += Math.max(0, (expectedBytes ?? 0) - intake.receivedBytes);
    }
    const { freeBytes } = this.#disk.space();
    const room = Math.max(0, freeBytes - FREE_BYTES_MIN - announced);
    if (bytes > room) {
      throw new TuttiError('DISK_FULL', `${bytes} more bytes do not fit: there is room for ${room}`, {
        freeBytes: room,
      });
    }
  }

  /** The description of `id`; null where there is none that can be read. */
  #described(id: TrackId): DescribedTrack | null {
    try {
      const bytes = this.#readFile(`${TRACKS}/${descriptionName(id)}`, 0, DESCRIPTION_BYTES_MAX);
      const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      return isDescription(value) && value.id === id ? value : null;
    } catch (error) {
      if (error instanceof TuttiError || error instanceof SyntaxError || error instanceof TypeError) return null;
      throw error;
    }
  }

  #readFile(path: string, offset: number, lengthMax: number): Uint8Array {
    let file: ReturnType<Disk['open']>;
    try {
      file = this.#disk.open(path, 'read');
    } catch (error) {
      if (error instanceof TuttiError && error.code === 'NOT_FOUND') {
        throw new TuttiError('TRACK_MISSING', 'this node has no such file', {}, error);
      }
      throw error;
    }
    try {
      const bytes = new Uint8Array(Math.max(0, Math.min(lengthMax, file.size() - offset)));
      return bytes.subarray(0, file.read(bytes, offset));
    } finally {
      file.close();
    }
  }
}

/** The store made its directories: where something in them is not there, somebody took it away. To a caller that is no NOT_FOUND. */
function inOwnDirectories<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TuttiError) || error.code !== 'NOT_FOUND') throw error;
    throw new TuttiError('DISK_FAILED', 'a file or directory of the track store is not there any more', {}, error);
  }
}

function unlessFails(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error;
  }
}

function isDescription(value: unknown): value is DescribedTrack {
  if (typeof value !== 'object' || value === null) return false;
  const { id, title, bytes } = value as Partial<Record<keyof DescribedTrack, unknown>>;
  return typeof id === 'string' && typeof title === 'string' && typeof bytes === 'number';
}
