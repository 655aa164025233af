/**
 * UnfinishedCopies: files of the inbox that are not whole, as those see them who watch the uploads.
 *
 * Somebody is still writing them, or they are shorter than their own header says. The first may take as long as they like; the second are copies
 * that were cut off, unless somebody goes on with them within a day. Whoever copies thousands at once sees some of them at a time.
 */
import type { NodeId } from '../core/ids.js';
import { cleanTitle, UNTITLED } from '../library/title.js';
import type { Time, Timer } from '../ports/time.js';
import type { ArrivedFile } from '../tracks/inbox-client.js';
import type { UploadProgress, UploadReport, Uploads } from './uploads.js';

/** A copy that was cut off goes after this long without a change. Milliseconds: a day. */
export const CUT_OFF_MS = 24 * 3_600_000;
/** How often it is looked whether one has to go. Milliseconds. */
export const CUT_OFF_LOOK_MS = 600_000;
/** How many are listed at a time. */
export const LISTED_MAX = 32;

interface Copy {
  readonly file: ArrivedFile;
  /** Bytes that its header says it has; null where that does not say. */
  readonly promisedBytes: number | null;
  /** When it counts as cut off; null while somebody writes to it. Local milliseconds. */
  readonly cutOffMs: number | null;
  /** Null where it is not listed. */
  report: UploadReport | null;
}

/** What they are told of with. */
export interface UnfinishedCopiesComponents {
  readonly time: Time;
  readonly uploads: Uploads;
  /** It was cut off for good. */
  readonly cutOff: (file: ArrivedFile, promisedBytes: number | null) => void;
}

/** All of them at one node. A timer runs while there are any. */
export class UnfinishedCopies {
  readonly #parts: UnfinishedCopiesComponents;
  readonly #self: NodeId;
  /** By key, in the order in which they were first seen. */
  readonly #copies = new Map<string, Copy>();
  #timer: Timer | null = null;
  #listings = 0;

  constructor(components: UnfinishedCopiesComponents, init: { readonly self: NodeId }) {
    this.#parts = components;
    this.#self = init.self;
  }

  /** What the header of this file promised when it was last seen. */
  promisedBytes(key: string): number | null {
    return this.#copies.get(key)?.promisedBytes ?? null;
  }

  /** The file is not whole, as of now. */
  keep(file: ArrivedFile, promisedBytes: number | null): void {
    const { time } = this.#parts;
    const before = this.#copies.get(file.key);
    let report = before?.report ?? null;
    if (before !== undefined && before.promisedBytes !== promisedBytes) {
      report?.(null);
      report = null;
    }
    report?.({ receivedBytes: file.bytes });
    const leftMs = Math.max(0, CUT_OFF_MS - file.stillMs);
    const cutOffMs = file.isUnderWay ? null : Number(time.now()) / 1e6 + leftMs;
    this.#copies.set(file.key, { file, promisedBytes, cutOffMs, report });
    this.#timer ??= time.every('inbox.cut-off', CUT_OFF_LOOK_MS, () => this.#endThoseCutOff());
    this.#list();
  }

  /** It is not one of them any more. `end`: how it is listed for a last while. */
  drop(key: string, end: UploadProgress | null = null): void {
    const copy = this.#copies.get(key);
    if (copy === undefined) return;
    this.#copies.delete(key);
    copy.report?.(end);
    this.#list();
    if (this.#copies.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Idempotent: forgets all. */
  stop(): void {
    for (const { report } of this.#copies.values()) report?.(null);
    this.#copies.clear();
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Lists as many as there is room for, the oldest first. */
  #list(): void {
    let room = LISTED_MAX - [...this.#copies.values()].filter(({ report }) => report !== null).length;
    for (const copy of this.#copies.values()) {
      if (room <= 0) return;
      if (copy.report !== null) continue;
      room -= 1;
      const { file, promisedBytes } = copy;
      copy.report = this.#parts.uploads.begin(
        {
          id: `inbox-${this.#self.slice(0, 8)}-copy-${++this.#listings}`,
          title: cleanTitle(file.name) || UNTITLED,
          via: 'inbox',
          totalBytes: promisedBytes,
        },
        { isByOthers: true },
      );
      copy.report({ receivedBytes: file.bytes });
    }
  }

  #endThoseCutOff(): void {
    const nowMs = Number(this.#parts.time.now()) / 1e6;
    for (const [key, { file, promisedBytes, cutOffMs }] of [...this.#copies]) {
      if (cutOffMs === null || cutOffMs > nowMs) continue;
      this.drop(key, { stage: 'failed', code: 'INCOMPLETE_AUDIO' });
      this.#parts.cutOff(file, promisedBytes);
    }
  }
}
