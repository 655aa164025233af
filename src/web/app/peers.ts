/** The other nodes, for when this one is silent: where they are is remembered in this browser, and they are asked whether they live. */
import { effect, type Signal, signal } from '@preact/signals';
import { isPageUrl } from '../model/rooms.js';
import { answers } from '../world/probe.js';
import { recall, remember } from '../world/storage.js';
import type { Store } from './store.js';

/** Another node. */
export interface Peer {
  readonly name: string;
  readonly url: string;
}

/** What a house looks like before it has been seen. */
const ROOMS_MOSTLY = 3;

const isPeer = (value: unknown): value is Peer =>
  typeof value === 'object' && value !== null && 'name' in value && 'url' in value && isPageUrl(String(value.url));

/** Where else the page is served. */
export class Peers {
  /** Those that have answered lately; asked by {@link probe} alone. */
  readonly answering: Signal<readonly Peer[]> = signal([]);
  readonly #store: Store;
  #known: readonly Peer[] = remembered();

  /** How many rooms there were when this browser saw the house last. */
  readonly roomsBefore = this.#known.length === 0 ? ROOMS_MOSTLY : this.#known.length + 1;

  constructor(components: { readonly store: Store }) {
    this.#store = components.store;
  }

  start(): void {
    effect(() => {
      const state = this.#store.state.value;
      if (state === null || state.nodes.length === 0) return;
      const others = state.nodes.filter(({ id, httpUrl }) => id !== state.node.id && isPageUrl(httpUrl));
      this.#known = others.map(({ name, httpUrl }) => ({ name, url: httpUrl }));
      remember('peers', JSON.stringify(this.#known));
    });
  }

  /** Asks all of them. A node that joined after this page was loaded is not on the list of those that it may ask. */
  async probe(): Promise<void> {
    const found = await Promise.all(this.#known.map(async (peer) => ((await answers(peer.url)) ? [peer] : [])));
    this.answering.value = found.flat();
  }
}

function remembered(): readonly Peer[] {
  try {
    const list: unknown = JSON.parse(recall('peers') ?? '[]');
    return Array.isArray(list) ? list.filter(isPeer) : [];
  } catch {
    return [];
  }
}
