/** What a reader can ask for. Each wish is laid over the view until the view has it; what is refused is said, and leaves no trace. */
import type { Queued } from '../../http/schema.js';
import { type AddedItem, answered, type Button, type Wish } from '../model/overlay.js';
import type { Words } from '../text/en.js';
import { type Refusal, type Write, type Written, write } from '../world/api.js';
import { after, nowMs } from '../world/timers.js';
import type { Notices } from './notices.js';
import type { Preferences } from './preferences.js';
import type { Store } from './store.js';

/** What actions work with. */
export interface ActionsComponents {
  readonly store: Store;
  readonly notices: Notices;
  readonly preferences: Preferences;
  readonly words: () => Words;
  /** The node asks for a token: the reader has to give it. */
  readonly askForToken: () => void;
}

/** A view that does not come within 5 s is not waited for; a moment later that has come true. Milliseconds. */
const VIEW_LIMIT_MS = 5_100;

/** Everything that the page can change. */
export class Actions {
  readonly #c: ActionsComponents;
  #nextId = 1;

  constructor(components: ActionsComponents) {
    this.#c = components;
  }

  // ---- What sounds ---------------------------------------------------------------------------------------------------------------

  press(button: Button): void {
    const moment = this.#c.store.momentNow();
    const expectItem = moment?.itemId ?? null;
    // Two who press pause at once want silence, not silence and music again.
    const name = button !== 'toggle' ? button : moment?.status === 'playing' ? 'pause' : 'play';
    const path = button === 'shuffle' ? '/queue/shuffle' : `/transport/${name}`;
    const body = expectItem === null || button === 'shuffle' ? {} : { expectItem };
    const quicker = button === 'skip' ? this.#c.words().alreadySkipped : null;
    void this.#ask({ kind: 'press', button }, { method: 'POST', path, body }, { ITEM_CHANGED: quicker });
  }

  seek(positionMs: number): void {
    const moment = this.#c.store.momentNow();
    if (moment === null || moment.itemId === null) return;
    const target = Math.round(Math.max(0, Math.min(positionMs, moment.durationMs - 1)));
    const body = { positionMs: target, expectItem: moment.itemId };
    const wish: Wish = { kind: 'seek', itemId: moment.itemId, positionMs: target };
    void this.#ask(wish, { method: 'POST', path: '/transport/seek', body });
  }

  repeat(repeat: 'off' | 'all' | 'one'): void {
    void this.#ask({ kind: 'repeat', repeat }, { method: 'POST', path: '/transport/mode', body: { repeat } });
  }

  goTo(itemId: string): void {
    void this.#ask({ kind: 'press', button: 'toggle' }, { method: 'POST', path: '/transport/play', body: { itemId } });
  }

  volume(volume: number, node: string | null = null): Promise<Written> {
    const body = { volume, ...(node !== null && { node }) };
    return this.#ask({ kind: 'volume', node, volume }, { method: 'PUT', path: '/volume', body });
  }

  mute(muted: boolean, node: string | null = null): void {
    const body = { muted, ...(node !== null && { node }) };
    void this.#ask({ kind: 'mute', node, muted }, { method: 'PUT', path: '/volume', body });
  }

  // ---- The queue -----------------------------------------------------------------------------------------------------------------

  /** Queues songs at the end, or right after the current one. */
  async enqueue(
    items: readonly AddedItem[],
    place: 'end' | 'next' | { readonly before: string } = 'end',
  ): Promise<boolean> {
    const next = place === 'next';
    const before = typeof place === 'object' ? { beforeItemId: place.before } : {};
    const body = { trackIds: items.map(({ trackId }) => trackId), ...(next && { next }), ...before };
    const { ok } = await this.#ask<Queued>({ kind: 'add', items, next }, { method: 'POST', path: '/queue', body });
    return ok;
  }

  /** Plays a track now: it is put behind the current item and gone on to, so that nothing that was queued is lost. */
  playNow(item: AddedItem): void {
    const body = { trackId: item.trackId };
    const wish: Wish = { kind: 'press', button: 'toggle' };
    void this.#ask(wish, { method: 'POST', path: '/transport/play', body });
  }

  move(itemId: string, beforeItemId: string | null): void {
    const wish: Wish = { kind: 'move', itemId, beforeItemId };
    const elsewhere = { ITEM_NOT_FOUND: this.#c.words().queueChanged };
    void this.#ask(wish, { method: 'POST', path: `/queue/${itemId}/move`, body: { beforeItemId } }, elsewhere);
  }

  /** Takes an item out; `item` and where it stood are enough to put it back. */
  remove(item: AddedItem & { readonly itemId: string }): void {
    const { store, notices, words } = this.#c;
    const items = store.shownQueue.value;
    const before = items[items.findIndex(({ itemId }) => itemId === item.itemId) + 1]?.itemId;
    const place = before === undefined || before.startsWith('new-') ? 'end' : { before };
    void this.#ask({ kind: 'remove', itemIds: [item.itemId] }, { method: 'DELETE', path: `/queue/${item.itemId}` });
    const { removed, undo } = words();
    notices.tell(removed(item.title), { label: undo, run: () => void this.enqueue([item], place) });
  }

  /** Empties the queue; what plays goes on. */
  clear(): void {
    const { store, notices, words } = this.#c;
    const gone = store.shownQueue.value.slice(store.hasCurrent.value ? 1 : 0);
    const itemIds = gone.map(({ itemId }) => itemId);
    void this.#ask({ kind: 'remove', itemIds }, { method: 'DELETE', path: '/queue' });
    const { cleared, undo } = words();
    notices.tell(cleared(gone.length), { label: undo, run: () => void this.enqueue(gone) });
  }

  // ---- The library ---------------------------------------------------------------------------------------------------------------

  rename(trackId: string, title: string): Promise<Written> {
    const call: Write = { method: 'PATCH', path: `/tracks/${trackId}`, body: { title } };
    return this.#ask({ kind: 'rename', trackId, title }, call);
  }

  deleteTrack(trackId: string): void {
    void this.#ask({ kind: 'delete', trackId }, { method: 'DELETE', path: `/tracks/${trackId}` });
  }

  // ---- The house -----------------------------------------------------------------------------------------------------------------

  /** A change that is shown where it was asked for, not laid over; a token that is wanted is asked for. */
  async ask(call: Write): Promise<Written> {
    const written = await write(call, this.#c.preferences.token.value);
    if (!written.ok && written.refusal.code === 'UNAUTHORIZED') this.#c.askForToken();
    return written;
  }

  /** Says why something was refused; a token that is wanted is asked for. */
  refuse(refusal: Refusal): void {
    const { notices, words, askForToken } = this.#c;
    const { what, todo, isNews } = words().refusal(refusal.code);
    const text = todo === '' ? what : `${what} ${todo}`;
    if (isNews) notices.tell(text);
    else notices.warn(text);
    if (refusal.code === 'UNAUTHORIZED') askForToken();
  }

  /** `told`: what is said instead of the catalogue's words, where a code means more here than it does anywhere. */
  async #ask<T>(wish: Wish, call: Write, told: Readonly<Record<string, string | null>> = {}): Promise<Written<T>> {
    const { store, preferences } = this.#c;
    const id = this.#nextId++;
    store.pending.value = [...store.pending.value, { id, wish, slot: null, answeredMs: null }];
    const written = await write<T>(call, preferences.token.value);
    if (written.ok) {
      store.pending.value = answered(store.pending.value, id, written.slot ?? 0, nowMs());
      store.settle();
      // The event that has it may be lost with its stream.
      after(VIEW_LIMIT_MS, () => store.settle());
    } else {
      store.pending.value = store.pending.value.filter((one) => one.id !== id);
      const instead = told[written.refusal.code] ?? null;
      if (instead === null) this.refuse(written.refusal);
      else this.#c.notices.tell(instead);
    }
    return written;
  }
}
