/** The page's life beside the node: its stream, the probes of the time, the library, and whether anybody looks. */
import { batch } from '@preact/signals';
import type { PingEvent, Queue, StateEvent, TrackList } from '../../http/schema.js';
import { withProbe, withWord } from '../model/cluster-clock.js';
import { wakeMs } from '../model/link.js';
import { tableOf } from '../model/track-table.js';
import { read } from '../world/api.js';
import { dropUnheard, openStream } from '../world/event-stream.js';
import { Alarm, after, nowMs } from '../world/timers.js';
import type { Store } from './store.js';

/** Questions for the time in a row: the quickest answer counts. */
const BURST = 5;
const BURST_GAP_MS = 120;
/** From one burst to the next, while somebody looks. Milliseconds. */
const BURST_EVERY_MS = 20_000;
/** The library is asked for anew, where the last answer did not come. Milliseconds. */
const ASK_AGAIN_MS = 2_000;

/** From `start` on it listens, for as long as the page lives. */
export class Session {
  readonly #store: Store;
  readonly #wake = new Alarm();
  readonly #nextBurst = new Alarm();
  readonly #library = new Alarm();
  #close: () => void = () => {};
  #isAskingForTime = false;
  #isAskingForTracks = false;
  #isAskingForQueue = false;

  constructor(components: { readonly store: Store }) {
    this.#store = components.store;
  }

  start(): void {
    // A tab that is opened behind another one is told that it is shown, and asks for nothing before it is seen.
    const look = () => this.#step(isHidden() ? 'hidden' : 'shown');
    document.addEventListener('visibilitychange', look);
    window.addEventListener('pageshow', look);
    window.addEventListener('focus', () => void this.#burst());
    if (isHidden()) dropUnheard();
    look();
  }

  #step(event: Parameters<Store['stepLink']>[0]): void {
    const effect = this.#store.stepLink(event);
    if (effect !== null) this.#close();
    if (effect === 'open') this.#open();
    const { phase } = this.#store.link.value;
    if (phase === 'resting') this.#nextBurst.cancel();
    const untilMs = wakeMs(this.#store.link.value);
    if (Number.isFinite(untilMs)) this.#wake.set(untilMs - nowMs(), () => this.#step('time'));
    else this.#wake.cancel();
  }

  #open(): void {
    this.#close = openStream({
      heard: () => this.#step('heard'),
      failed: () => this.#step('failed'),
      state: (state, cameMs) => this.#takeState(state, cameMs),
      queue: (queue) => this.#store.takeQueue(queue),
      tracks: (tracks) => {
        if (!this.#store.takeTracks(tracks)) void this.#askForTracks();
      },
      ping: (ping, cameMs) => this.#takePing(ping, cameMs),
    });
  }

  #takeState(state: StateEvent, cameMs: number): void {
    const store = this.#store;
    const hasHouse = state.cluster.id !== null;
    const wasPlaying = store.state.value?.transport.status === 'playing';
    batch(() => {
      if (hasHouse) store.clock.value = withWord(store.clock.value, state.cluster.timeNs, cameMs);
      store.takeState(state);
    });
    if (!hasHouse) return;
    if (!wasPlaying && state.transport.status === 'playing') void this.#burst();
    // What plays is drawn first.
    if (store.tracks.value.rev !== state.tracksRev) this.#library.set(0, () => void this.#askForTracks());
    if (!store.queue.value.isWhole) void this.#askForQueue();
  }

  #takePing({ timeNs, tracksRev }: PingEvent, cameMs: number): void {
    const store = this.#store;
    // A daemon that waits for a house keeps no time.
    if (timeNs === '0') return;
    store.clock.value = withWord(store.clock.value, timeNs, cameMs);
    store.settle();
    if (store.tracks.value.rev !== tracksRev) void this.#askForTracks();
  }

  async #askForTracks(): Promise<void> {
    if (this.#isAskingForTracks) return;
    this.#isAskingForTracks = true;
    const list = await read<TrackList>('/tracks');
    this.#isAskingForTracks = false;
    if (list === null) this.#library.set(ASK_AGAIN_MS, () => void this.#askForTracks());
    else this.#store.tracks.value = tableOf(list);
  }

  async #askForQueue(): Promise<void> {
    if (this.#isAskingForQueue) return;
    this.#isAskingForQueue = true;
    const queue = await read<Queue>('/queue');
    this.#isAskingForQueue = false;
    if (queue !== null) this.#store.takeQueue({ rev: queue.queueVersion, items: queue.items });
  }

  /** Asks for the time a few times in a row, and later again. */
  async #burst(): Promise<void> {
    this.#nextBurst.set(BURST_EVERY_MS, () => void this.#burst());
    if (this.#isAskingForTime) return;
    this.#isAskingForTime = true;
    await this.#askForTime();
    this.#isAskingForTime = false;
  }

  async #askForTime(): Promise<void> {
    for (let asked = 0; asked < BURST; asked += 1) {
      // Before the first as well: while a page is loaded a question waits in a queue of the browser's, and its answer would be taken for a later one.
      await new Promise<void>((resolve) => after(BURST_GAP_MS, resolve));
      const { phase } = this.#store.link.value;
      // What stands still needs no clock.
      if (phase !== 'live' || this.#store.state.value?.transport.status !== 'playing') return;
      const sentMs = nowMs();
      const answer = await read<{ timeNs: string }>('/time');
      const receivedMs = nowMs();
      if (answer !== null) {
        const probe = { sentMs, receivedMs, timeNs: answer.timeNs };
        this.#store.clock.value = withProbe(this.#store.clock.value, probe);
      }
    }
  }
}

const isHidden = (): boolean => document.visibilityState === 'hidden';
