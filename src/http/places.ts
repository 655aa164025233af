/** Places for what takes long, of which one address gets only so many: a device that takes too many leaves room for the others. */
import { TuttiError } from '../core/errors.js';

/** Who has how many. How many there are in all is for others to say. */
export class Places {
  readonly #ofOneMax: number;
  readonly #taken = new Map<string, number>();

  constructor(init: { readonly ofOneMax: number }) {
    this.#ofOneMax = init.ofOneMax;
  }

  /** Takes one for `address`. Gives the function that gives it back; to call that twice is fine. @throws TuttiError BUSY */
  take(address: string): () => void {
    const taken = this.#taken.get(address) ?? 0;
    if (taken >= this.#ofOneMax) throw new TuttiError('BUSY', `${address} is at this ${taken} times already`);
    this.#taken.set(address, taken + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = this.#taken.get(address)! - 1;
      if (left === 0) this.#taken.delete(address);
      else this.#taken.set(address, left);
    };
  }
}
