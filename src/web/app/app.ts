/** The page's logic, put together. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { type Button, newest } from '../model/overlay.js';
import { type Region, regionOf, type Width } from '../model/region.js';
import { type Room, roomsOf } from '../model/rooms.js';
import { en, type Words } from '../text/en.js';
import { wordsOf } from '../text/languages.js';
import type { Refusal } from '../world/api.js';
import { after } from '../world/timers.js';
import { Actions } from './actions.js';
import { Figures } from './figures.js';
import { Notices } from './notices.js';
import { Peaks } from './peaks.js';
import { Peers } from './peers.js';
import { Preferences } from './preferences.js';
import { Session } from './session.js';
import { Shelf } from './shelf.js';
import { Store } from './store.js';
import { SyncFeed } from './sync-feed.js';
import { Ticker } from './ticker.js';

/** So long there is nothing to be seen but what the document has by itself. Milliseconds. */
const FIRST_VIEW_MS_MAX = 1_000;

/** Everything that components stand on. Made once; alive from `start` on, for as long as the page is open. */
export class App {
  readonly store = new Store();
  readonly notices = new Notices();
  readonly preferences = new Preferences();
  readonly ticker = new Ticker({ store: this.store });
  readonly peaks = new Peaks();
  readonly peers = new Peers({ store: this.store });
  readonly sync = new SyncFeed();
  readonly #figures = new Figures({ store: this.store, isWanted: () => this.region.value === 'house' });
  readonly #refusal = signal(en.refusal);
  /** Its words for refusals come later: then only what says one is drawn anew. */
  readonly #english: Words = { ...en, refusal: (code) => this.#refusal.value(code) };
  readonly words: Signal<Words> = signal(this.#english);
  readonly shelf = new Shelf({ store: this.store, words: this.words });
  readonly region: Signal<Region> = signal(regionOf(location.hash));
  readonly width: ReadonlySignal<Width> = widthSignal();
  readonly rooms: ReadonlySignal<readonly Room[]> = computed(() => {
    const state = this.store.state.value;
    return state === null ? [] : roomsOf(state);
  });
  /** The field for the token is open. */
  readonly asksForToken = signal(false);
  readonly actions = new Actions({
    store: this.store,
    notices: this.notices,
    preferences: this.preferences,
    words: () => this.words.peek(),
    askForToken: () => {
      this.asksForToken.value = true;
    },
  });
  #hasMoved = false;
  #focusId: string | null = null;
  /** Whether the node has said anything yet: changes once, while the view does all day. */
  readonly #isKnown = computed(() => this.store.state.value !== null);
  readonly #session = new Session({ store: this.store });

  /**
   * Resolves when there is something to show: words, which have to be fetched in a language that is not built in, and the node's first, unless it
   * lets the reader wait for them. Until then the document shows what it has by itself.
   */
  async start(): Promise<void> {
    this.preferences.start();
    this.#session.start();
    this.ticker.start();
    this.peers.start();
    this.#figures.start();
    window.addEventListener('hashchange', () => {
      this.#hasMoved = true;
      this.region.value = regionOf(location.hash);
    });
    const { language } = this.preferences;
    const known = this.#firstView();
    if (language.value !== 'en') this.words.value = await wordsOf(language.value);
    await known;
    effect(() => {
      // The rest of English is not needed before there is something to say it of.
      const asked = language.value;
      if (asked === 'en' && !this.#isKnown.value) return;
      void wordsOf(asked).then((words) => {
        // Another one was chosen while this one was on its way.
        if (language.peek() !== asked) return;
        if (asked === 'en') this.#refusal.value = words.refusal;
        // English as well where another language could not be fetched.
        this.words.value = asked === 'en' || words === en ? this.#english : words;
        document.documentElement.lang = words.lang;
      });
    });
  }

  /** Resolves when the first view is here, or has not come for too long. */
  #firstView(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = after(FIRST_VIEW_MS_MAX, resolve);
      effect(() => {
        if (!this.#isKnown.value) return;
        cancel();
        resolve();
      });
    });
  }

  /** A press of a button, by hand or by key; where nothing can be changed, why. */
  press(button: Button): void {
    if (this.whyNot.value === null) this.actions.press(button);
    else this.explain();
  }

  /** Says why nothing can be changed. */
  explain(): void {
    if (this.whyNot.value !== null) this.notices.warn(this.whyNot.value);
  }

  /** Louder or quieter by so many per cent, from what is shown. */
  stepVolume(by: number): void {
    const agreed = this.store.state.value?.volume ?? 0;
    const shown = newest(this.store.pending.value, 'volume', ({ node }) => node === null)?.volume ?? agreed;
    if (this.whyNot.value === null) void this.actions.volume(Math.max(0, Math.min(100, shown + by)));
    else this.explain();
  }

  /** Why something was refused, with what to do about it. */
  wordsFor({ code }: Refusal): string {
    const { what, todo } = this.words.value.refusal(code);
    return todo === '' ? what : `${what} ${todo}`;
  }

  /** A track's title, as somebody on this page may have just changed it. */
  titleOf(trackId: string, known: string): string {
    return newest(this.store.pending.value, 'rename', (wish) => wish.trackId === trackId)?.title ?? known;
  }

  /** Calls `callback` once, later; the function that it gives takes that back. */
  later(delayMs: number, callback: () => void): () => void {
    return after(delayMs, callback);
  }

  /** To a region; there to its heading, or to the element of this id. */
  goTo(region: Region, focusId: string | null = null): void {
    if (this.region.value === region) document.getElementById(focusId ?? `heading-${region}`)?.focus();
    else this.#focusId = focusId;
    location.hash = `#/${region}`;
  }

  /** Who comes to a region by {@link goTo} wants to be at the element of this id; null: at its heading. Told once. */
  takeFocusId(): string | null {
    const id = this.#focusId;
    this.#focusId = null;
    return id;
  }

  /** The reader has gone from one region to another: the first one has not been come to. */
  hasMoved(): boolean {
    return this.#hasMoved;
  }

  /** Why nothing can be changed at the moment, in words; null where it can. */
  readonly whyNot: ReadonlySignal<string | null> = computed(() => {
    const state = this.store.state.value;
    const words = this.words.value;
    if (state === null || this.store.isStale.value) return words.noLine;
    if (state.cluster.id === null) return words.noHouse;
    if (state.cluster.role === 'removed') return words.refusal('NODE_REMOVED').what;
    return state.cluster.quorum ? null : words.mustWait;
  });
}

/** Where a column more has room. Pixels of CSS. */
const MIDDLE = '(min-width: 600px)';
const WIDE = '(min-width: 1024px)';

function widthSignal(): ReadonlySignal<Width> {
  const middle = matchMedia(MIDDLE);
  const wide = matchMedia(WIDE);
  const now = (): Width => (wide.matches ? 'wide' : middle.matches ? 'middle' : 'phone');
  const width = signal(now());
  for (const query of [middle, wide]) {
    query.addEventListener('change', () => {
      width.value = now();
    });
  }
  return width;
}
