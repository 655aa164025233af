/**
 * People and their programs, who ask any node of a house, and another one with the same key where no answer came; all that they asked and
 * were told is kept.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Prng } from '../../../src/core/prng.js';
import type { Problem, Queued, State } from '../../../src/http/schema.js';
import { plainWav } from '../../support/wav-files.js';
import type { Answer, Asked, View } from '../house-model.js';
import type { Call } from '../linearizable.js';

/** A client that hears nothing for this long asks somebody else, while the first may yet do it: a node waits for longer. Milliseconds. */
const PATIENCE_MS = 2_000;
/** From an answer to the next wish, at most, and after a failure. Milliseconds. */
const THINK_MS = 60;
const REST_MS = 100;
/** Above so many items nobody adds any. */
const ITEMS_MAX = 15;

/** What can be asked for. */
type Wish = Exclude<Asked, { readonly what: 'outage' }>;

/** A request as HTTP has it. */
interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

const SONG_SECONDS = 900;
const SONG_RATE = 8_000;
/** Longer than any test: what happens depends on what people ask for, and on nothing else. */
export const longSong = (): Uint8Array =>
  plainWav({ channels: 1, sampleRate: SONG_RATE, bits: 8 }, new Uint8Array(SONG_SECONDS * SONG_RATE).fill(1));

/** How clients are. */
export interface ClientsInit {
  /** What they add, again and again; longer than the test. */
  readonly trackId: string;
  readonly seed: number;
  /** Send every wish to two nodes at once, with one key. */
  readonly twice: boolean;
  /** Of how many wishes one is not asked for again where nobody says what became of it. */
  readonly givesUpOneIn: number;
}

/** What there is to see where nothing but a strong read is asked for. */
export const viewOf = ({ queue, transport, volume, repeat }: State): View => ({
  queue: queue.map(({ itemId }) => itemId),
  status: transport.status,
  volume,
  repeat: repeat as View['repeat'],
});

export class Clients {
  readonly history: Call<Asked, Answer>[] = [];
  /** Wishes that were told two things under one key. */
  readonly contradictions: { readonly asked: Asked; readonly answers: readonly Answer[] }[] = [];
  /** Attempts that nobody answered, or only with that it cannot be said. */
  unanswered = 0;
  readonly #urls: () => readonly string[];
  readonly #init: ClientsInit;
  readonly #prng: Prng;
  #keys = 0;
  #isRunning = false;
  /** As somebody saw it last. */
  #items: readonly string[] = [];

  /** `urls`: of the nodes that may be asked now. */
  constructor(urls: () => readonly string[], init: ClientsInit) {
    this.#urls = urls;
    this.#init = init;
    this.#prng = new Prng(init.seed);
  }

  /** So many of them at once, until `stop`, or until each has given so many commands; resolves when all have their answers. */
  async run(clients: number, commandsMax = Number.POSITIVE_INFINITY): Promise<void> {
    this.#isRunning = true;
    const live = async () => {
      for (let commands = 0; commands < commandsMax && this.#isRunning; ) {
        const wish = this.#wish();
        await this.#ask(wish);
        if (wish.what !== 'read') commands += 1;
        await wait(this.#prng.below(THINK_MS));
      }
    };
    await Promise.all(Array.from({ length: clients }, live));
  }

  /** They ask nothing new. */
  stop(): void {
    this.#isRunning = false;
  }

  /** Asks the node at `url` what there is, until it says so. */
  async read(url: string): Promise<void> {
    for (;;) {
      const calledAt = performance.now();
      const answer = await this.#attempt(url, { what: 'read' }, '');
      const returnedAt = performance.now();
      if (answer === undefined) continue;
      this.history.push({ asked: { what: 'read' }, answer, calledAt, returnedAt });
      return;
    }
  }

  /** One wish, again and again until somebody says what became of it. */
  async #ask(asked: Wish): Promise<void> {
    const key = `wish-${this.#keys++}`;
    const calledAt = performance.now();
    const givesUp = this.#prng.below(this.#init.givesUpOneIn) === 0;
    for (;;) {
      const answers = await Promise.all(this.#some().map((url) => this.#attempt(url, asked, key)));
      const told = answers.filter((answer) => answer !== undefined);
      if (new Set(told.map((answer) => JSON.stringify(answer))).size > 1 && asked.what !== 'read')
        this.contradictions.push({ asked, answers: told });
      if (told.length > 0 || givesUp) {
        this.history.push({ asked, answer: told[0], calledAt, returnedAt: performance.now() });
        return;
      }
      await wait(REST_MS);
    }
  }

  /** One node or two, at random. */
  #some(): string[] {
    const urls = [...this.#urls()];
    const drawn: string[] = [];
    const count = Math.min(this.#init.twice ? 2 : 1, urls.length);
    while (drawn.length < count) drawn.push(...urls.splice(this.#prng.below(urls.length), 1));
    return drawn;
  }

  /** Undefined where nothing was answered, or only that nobody can say. @throws Error for an answer that the contract does not have */
  async #attempt(url: string, asked: Wish, key: string): Promise<Answer | undefined> {
    const { method, path, body } = this.#requestOf(asked);
    const headers = {
      connection: 'close',
      ...(key !== '' && asked.what !== 'read' && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const init = {
      method,
      headers,
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body && { body: JSON.stringify(body) }),
    };
    const answer = await fetch(`${url}/api/v1${path}`, init)
      .then(async (response) => ({ status: response.status, json: (await response.json()) as unknown }))
      // It is killed, cut off, stopped: nobody can say what became of the wish.
      .catch(() => undefined);
    if (answer === undefined || answer.status === 503 || answer.status === 429) {
      this.unanswered += 1;
      return undefined;
    }
    if (answer.status >= 500) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.json)}`);
    if (answer.status >= 400)
      return { refused: (answer.json as Problem).code as (Answer & { refused: never })['refused'] };
    if (asked.what === 'read') {
      const seen = viewOf(answer.json as State);
      this.#items = seen.queue;
      return { seen };
    }
    return asked.what === 'add' ? { done: true, items: (answer.json as Queued).itemIds } : { done: true };
  }

  #requestOf(asked: Wish): Request {
    switch (asked.what) {
      case 'read':
        return { method: 'GET', path: '/state?consistency=strong' };
      case 'add':
        return {
          method: 'POST',
          path: '/queue',
          body: { trackId: this.#init.trackId, ...(asked.next && { next: true }) },
        };
      case 'remove':
        return { method: 'DELETE', path: `/queue/${asked.item}` };
      case 'move':
        return { method: 'POST', path: `/queue/${asked.item}/move`, body: { beforeItemId: asked.before } };
      case 'skip':
        return { method: 'POST', path: '/transport/skip', body: { expectItem: asked.expectItem } };
      case 'volume':
        return { method: 'PUT', path: '/volume', body: { volume: asked.volume } };
      case 'repeat':
        return { method: 'POST', path: '/transport/mode', body: { repeat: asked.repeat } };
      case 'play':
      case 'pause':
      case 'stop':
        return { method: 'POST', path: `/transport/${asked.what}` };
    }
  }

  #wish(): Wish {
    const prng = this.#prng;
    const items = this.#items;
    const some = () => items[prng.below(items.length)]!;
    const draw = prng.below(20);
    if (draw < 6) return { what: 'read' };
    if (draw < 8) return { what: 'volume', volume: prng.below(101) };
    if (draw < 9) return { what: 'repeat', repeat: prng.below(2) === 0 ? 'off' : 'one' };
    if (draw < 11) return { what: (['play', 'pause', 'stop'] as const)[prng.below(3)]! };
    if (items.length < 2 || (draw < 15 && items.length < ITEMS_MAX)) return { what: 'add', next: prng.below(3) === 0 };
    if (draw < 17) return { what: 'remove', item: some() };
    if (draw < 18) return { what: 'skip', expectItem: items[0]! };
    return { what: 'move', item: some(), before: prng.below(3) === 0 ? null : some() };
  }
}
