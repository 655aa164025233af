/**
 * Files that this page sends: two at a time, so that other requests find a connection, in the order of their names. What the node says of a
 * file is believed, and nothing else: it is ready when the node has answered so.
 */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { compareNames, titleOfFile } from '../model/name-order.js';
import { beginning, type Estimate, leftMs, observed } from '../model/upload-estimate.js';
import { isOver, type OwnUpload, summaryOf, type UploadRow, uploadRows } from '../model/upload-list.js';
import type { Words } from '../text/en.js';
import { newKey } from '../world/api.js';
import { nowMs } from '../world/timers.js';
import { type Sent, sendFile } from '../world/upload-request.js';
import type { Actions } from './actions.js';
import type { Notices } from './notices.js';
import type { Preferences } from './preferences.js';
import type { Store } from './store.js';

/** What uploads work with. */
export interface UploadsComponents {
  readonly store: Store;
  readonly actions: Actions;
  readonly notices: Notices;
  readonly preferences: Preferences;
  readonly words: () => Words;
}

const AT_ONCE = 2;
/** How often those who listen hear how many are ready. Milliseconds. */
const SAY_MS = 10_000;

/** The list of files, and their sending. */
export class Uploads {
  readonly own: Signal<readonly OwnUpload[]> = signal([]);
  readonly rows: ReadonlySignal<readonly UploadRow[]>;
  readonly #c: UploadsComponents;
  readonly #files = new Map<string, File>();
  readonly #abort = new Map<string, () => void>();
  /** Songs that were dropped on the queue are queued when all of them are there, in their order. */
  readonly #forQueue = new Set<string>();
  readonly #estimate: Signal<Estimate> = signal(beginning(0));
  #saidMs = 0;

  constructor(components: UploadsComponents) {
    this.#c = components;
    this.rows = computed(() => uploadRows(this.own.value, this.#c.store.state.value?.uploads ?? []));
  }

  /** How fast bytes go and how long they will take; null where nobody knows. */
  readonly pace = computed(() => {
    const { sentBytes, totalBytes } = summaryOf(this.own.value);
    const left = leftMs(this.#estimate.value, totalBytes - sentBytes);
    return left === null ? null : { bytesPerS: this.#estimate.value.bytesPerS ?? 0, leftMs: left };
  });

  /** Takes files in, to be queued as well where `alsoQueue`. */
  add(files: readonly File[], alsoQueue = false): void {
    const { notices, words } = this.#c;
    if (files.length === 0) {
      notices.warn(words().noFiles);
      return;
    }
    const added = [...files]
      .sort((a, b) => compareNames(pathOf(a), pathOf(b)))
      .map((file): OwnUpload => {
        const id = newKey();
        this.#files.set(id, file);
        if (alsoQueue) this.#forQueue.add(id);
        const title = titleOfFile(file.name);
        return { id, title, stage: 'waiting', sentBytes: 0, totalBytes: file.size, code: null, trackId: null };
      });
    if (summaryOf(this.own.value).isOver) this.#estimate.value = beginning(nowMs());
    this.own.value = [...this.own.value, ...added];
    this.#next();
  }

  cancel(id: string): void {
    this.#abort.get(id)?.();
    this.#end(id, { stage: 'gone' });
  }

  /** Sends a file again that was not taken for a reason that may be over. */
  retry(id: string): void {
    this.#change(id, { stage: 'waiting', sentBytes: 0, code: null });
    this.#next();
  }

  /** Takes what is over off the list. */
  forget(): void {
    for (const { id } of this.own.value.filter(isOver)) this.#files.delete(id);
    this.own.value = this.own.value.map((upload) =>
      isOver(upload) ? { ...upload, stage: 'gone', trackId: null } : upload,
    );
  }

  /** Puts all that came of this page's uploads at the end of the queue, in the order of the file names. */
  enqueueAll(): void {
    this.#enqueue(this.own.value);
  }

  #next(): void {
    const sending = this.own.value.filter(({ stage }) => stage === 'sending' || stage === 'checking').length;
    const waiting = this.own.value.filter(({ stage }) => stage === 'waiting').slice(0, AT_ONCE - sending);
    for (const { id } of waiting) this.#send(id);
    const isBusy = this.own.value.some((upload) => !isOver(upload));
    if (isBusy) window.addEventListener('beforeunload', warnBeforeLeaving);
    else window.removeEventListener('beforeunload', warnBeforeLeaving);
  }

  #send(id: string): void {
    const file = this.#files.get(id)!;
    this.#change(id, { stage: 'sending' });
    const abort = sendFile({
      file,
      fileName: file.name,
      id,
      token: this.#c.preferences.token.value,
      progress: (sentBytes) => {
        this.#change(id, { sentBytes, stage: sentBytes >= file.size ? 'checking' : 'sending' });
        this.#estimate.value = observed(this.#estimate.value, summaryOf(this.own.value).sentBytes, nowMs());
      },
      settled: (sent) => this.#end(id, settledAs(sent)),
    });
    this.#abort.set(id, abort);
  }

  #end(id: string, change: Partial<OwnUpload>): void {
    this.#abort.delete(id);
    this.#change(id, change);
    if (change.code === 'UNAUTHORIZED') this.#c.actions.refuse({ code: 'UNAUTHORIZED', detail: '', problem: {} });
    this.#next();
    const { count, ready, isOver: areAllOver } = summaryOf(this.own.value);
    if (!areAllOver && nowMs() - this.#saidMs < SAY_MS) return;
    this.#saidMs = nowMs();
    if (count > 0) this.#c.notices.say(this.#c.words().uploadsReady(ready, count));
    if (!areAllOver) return;
    this.#enqueue(this.own.value.filter(({ id }) => this.#forQueue.has(id)));
    this.#forQueue.clear();
  }

  #enqueue(uploads: readonly OwnUpload[]): void {
    const { byId } = this.#c.store.tracks.value;
    const items = uploads.flatMap(({ trackId, title }) => {
      if (trackId === null) return [];
      const track = byId.get(trackId);
      return [{ trackId, title: track?.title ?? title, durationMs: track?.durationMs ?? 0 }];
    });
    if (items.length > 0) void this.#c.actions.enqueue(items);
  }

  #change(id: string, change: Partial<OwnUpload>): void {
    this.own.value = this.own.value.map((upload) => (upload.id === id ? { ...upload, ...change } : upload));
  }
}

function settledAs(sent: Sent): Partial<OwnUpload> {
  if (sent.ok) return { stage: 'done', trackId: sent.trackId };
  const { code, problem } = sent.refusal;
  const trackId = typeof problem.trackId === 'string' ? problem.trackId : null;
  return code === 'TRACK_EXISTS' ? { stage: 'exists', code, trackId } : { stage: 'failed', code };
}

/** A file of a folder has its path, by which an album is in order. */
const pathOf = (file: File): string => file.webkitRelativePath || file.name;

/** The browser asks, in its own words. */
const warnBeforeLeaving = (event: BeforeUnloadEvent): void => event.preventDefault();
