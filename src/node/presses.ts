/**
 * Presses: what somebody wants who stands before the node, from its buttons or its panel.
 *
 * Each press is one command of the replicated log: it is asked for again by itself while leaders change, and counts once however often. Presses are
 * taken one after another, so that of two at once the later one has the last word, and so that whoever presses skip three times skips three
 * songs. "Skip" means the song that is current when it is pressed, or when those before it are done: where somebody else has skipped that
 * meanwhile, it is done, and there is nothing to do twice.
 *
 * A press that cannot be carried out is told at once. Where the others have been out of reach for longer than any election takes, nothing
 * is asked of them: a command that waited could come minutes later, to a room where nobody expects it. Within that time it is asked for all the
 * same, and refused when nobody has taken it by then.
 */
import type { Origin } from '../cluster/command.js';
import type { Outcome } from '../cluster/outcome.js';
import { type ErrorCode, TuttiError } from '../core/errors.js';
import type { LocalTime } from '../core/units.js';
import type { Button } from '../ports/controls.js';
import type { Log } from '../ports/log.js';
import type { Time } from '../ports/time.js';
import type { Node } from './node.js';

/** What may be pressed: a button, or volume that is turned by so many per cent. */
export type Wish = Button | { readonly volume: number };

/** Presses that wait for those before them. Nobody presses faster than a house agrees, unless it does not. */
const WAITING_MAX = 8;
/** The others are out of reach for good, for a while: four elections. Milliseconds. */
const CUT_OFF_MS = 2_000;

/** What presses need. */
export interface PressesComponents {
  readonly time: Time;
  readonly log: Log;
  /** Null where there is none to ask. */
  readonly node: () => Node | null;
  /** The same. @throws TuttiError NOT_A_MEMBER and the like, where there is none */
  readonly member: () => Node;
  /** Since when this node reaches no majority, local time; null where it does. */
  readonly cutOffSince: () => LocalTime | null;
  /** A press was not carried out. */
  readonly refused: (code: ErrorCode) => void;
}

/** All presses of one node. */
export class Presses {
  readonly #components: PressesComponents;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(components: PressesComponents) {
    this.#components = components;
  }

  /** Somebody wants this. Comes back at once. */
  press(wish: Wish, via: 'button' | 'panel'): void {
    if (this.#waiting >= WAITING_MAX) {
      this.#refuse('BUSY', wish);
      return;
    }
    const seen = this.#waiting === 0 ? this.#current() : undefined;
    this.#waiting += 1;
    this.#last = this.#last.then(() => this.#carryOut(wish, seen, via));
  }

  /** @param seen the item that was current for whoever pressed; undefined where that is for now to say */
  async #carryOut(wish: Wish, seen: string | undefined, via: 'button' | 'panel'): Promise<void> {
    try {
      const outcome = await this.#ask(wish, seen, via);
      // Somebody else has done it.
      if (!outcome.ok && outcome.code !== 'ITEM_CHANGED') this.#refuse(outcome.code, wish);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#refuse(error.code, wish);
    } finally {
      this.#waiting -= 1;
    }
  }

  #ask(wish: Wish, seen: string | undefined, via: 'button' | 'panel'): Promise<Outcome> {
    const { time, member, cutOffSince } = this.#components;
    const node = member();
    const since = cutOffSince();
    if (since !== null && Number(time.now() - since) / 1e6 >= CUT_OFF_MS) throw new TuttiError('NO_QUORUM');
    const origin: Origin = { node: node.init.id, via };
    if (typeof wish === 'object') return node.wishes.volume({ delta: wish.volume }, origin);
    switch (wish) {
      case 'play':
        return node.wishes.play({}, origin);
      case 'pause':
        return node.wishes.pause({}, origin);
      case 'skip':
        return node.wishes.skip({ expectItem: seen ?? this.#current() }, origin);
    }
  }

  #current(): string | undefined {
    const node = this.#components.node();
    return node?.cluster.view(node.now()).transport.itemId ?? undefined;
  }

  #refuse(code: ErrorCode, wish: Wish): void {
    this.#components.log.info('A press could not be carried out.', { wish: JSON.stringify(wish), code });
    this.#components.refused(code);
  }
}
