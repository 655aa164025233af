/**
 * What is on its way in at this node: soft state, for whoever watches. Ended uploads stay a while, so that a page that blinked still
 * learns how it went.
 */
import type { ErrorCode } from '../core/errors.js';
import type { NodeId, TrackId } from '../core/ids.js';
import type { Time, Timer } from '../ports/time.js';

/** How long an ended upload stays. Milliseconds. */
export const ENDED_STAYS_MS = 60_000;
/** How many ended ones are kept at most: somebody may send a thousand small files within a minute. */
export const ENDED_MAX = 32;

/** receiving: bytes come. replicating: all are here and are being agreed on. done, failed: over, and forgotten a little later. */
export type UploadStage = 'receiving' | 'replicating' | 'done' | 'failed';

/** An upload as it stands. */
export interface Upload {
  readonly id: string;
  readonly title: string;
  readonly via: 'http' | 'inbox';
  readonly receivedBytes: number;
  /** Null where the sender did not say. */
  readonly totalBytes: number | null;
  readonly stage: UploadStage;
  /** Why it failed. */
  readonly code: ErrorCode | null;
  /** Null until the bytes are known. */
  readonly trackId: TrackId | null;
  /** How many nodes have to hold it; 0 until that is known. */
  readonly needed: number;
  /** How much of it each node holds, bytes: none until this one has all. */
  readonly heldBytes: Readonly<Record<NodeId, number>>;
}

/** What can change while it is on its way. */
export type UploadProgress = Partial<
  Pick<Upload, 'receivedBytes' | 'stage' | 'code' | 'trackId' | 'needed' | 'heldBytes'>
>;

/** Tells how an upload goes on; null: it is forgotten at once, as if it had never begun. */
export type UploadReport = (progress: UploadProgress | null) => void;

/** The list of uploads. Each change calls `changed`; at most {@link ENDED_MAX} timers wait to forget what is over, none after `stop`. */
export class Uploads {
  readonly #time: Time;
  readonly #changed: () => void;
  /** By a number of our own: a client may give two uploads the same id. */
  readonly #uploads = new Map<number, Upload>();
  readonly #ended = new Map<number, Timer>();
  /** Files that somebody else writes, as far as they have got. */
  readonly #byOthers = new Set<number>();
  #next = 1;
  /** Of all since the start. */
  readonly #totals = { done: 0, failed: 0, receivedBytes: 0 };

  constructor(components: { readonly time: Time; readonly changed: () => void }) {
    this.#time = components.time;
    this.#changed = components.changed;
  }

  /** All of them, in the order in which they began. */
  list(): readonly Upload[] {
    return [...this.#uploads.values()];
  }

  /** This node takes bytes in. */
  get isReceiving(): boolean {
    return [...this.#uploads].some(([number, { stage }]) => stage === 'receiving' && !this.#byOthers.has(number));
  }

  /** Since the start: how many were done, how many failed, and the bytes of all of them. */
  get totals(): { readonly done: number; readonly failed: number; readonly receivedBytes: number } {
    return this.#totals;
  }

  /**
   * Gives the function that tells how it goes on. `done` and `failed` are the end. `isByOthers`: another program writes the file, and this node
   * has nothing to do with it yet.
   */
  begin(
    upload: Pick<Upload, 'id' | 'title' | 'via' | 'totalBytes'>,
    { isByOthers = false }: { readonly isByOthers?: boolean } = {},
  ): UploadReport {
    const number = this.#next++;
    if (isByOthers) this.#byOthers.add(number);
    this.#uploads.set(number, {
      ...upload,
      receivedBytes: 0,
      stage: 'receiving',
      code: null,
      trackId: null,
      needed: 0,
      heldBytes: {},
    });
    this.#changed();
    return (progress) => {
      const now = this.#uploads.get(number);
      if (now === undefined) return;
      if (progress === null) this.#forget(number);
      else {
        const next = { ...now, ...progress };
        this.#totals.receivedBytes += next.receivedBytes - now.receivedBytes;
        if (progress.stage === 'done' || progress.stage === 'failed') this.#totals[progress.stage] += 1;
        this.#uploads.set(number, next);
        if (next.stage === 'done' || next.stage === 'failed') this.#end(number);
      }
      this.#changed();
    };
  }

  /** Idempotent: forgets all. */
  stop(): void {
    for (const timer of this.#ended.values()) timer.cancel();
    this.#ended.clear();
    this.#byOthers.clear();
    this.#uploads.clear();
  }

  #end(number: number): void {
    if (this.#ended.has(number)) return;
    this.#ended.set(
      number,
      this.#time.after('upload.forget', ENDED_STAYS_MS, () => {
        this.#forget(number);
        this.#changed();
      }),
    );
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > ENDED_MAX) this.#forget(oldest!);
  }

  #forget(number: number): void {
    this.#ended.get(number)?.cancel();
    this.#ended.delete(number);
    this.#byOthers.delete(number);
    this.#uploads.delete(number);
  }
}
