/**
 * How often one address may be refused.
 *
 * Only calls that were refused for who sent them count: a wrong token, a page of another site. Whoever does nothing wrong is never slowed
 * down, however much is asked. Over the limit, such calls are told to wait, and no token is looked at any more: else a guess that is right
 * would pass all the same. A page of another site cannot send a token (its browser asks first whether it may, and is told no), so it
 * cannot lock anybody out who does.
 */
import type { Time } from '../ports/time.js';

/** So many at once, and then one in so many milliseconds: a person who mistypes never gets there, and 40 bits of a token last 30,000 years. */
export const REFUSED_AT_ONCE = 30;
/** See {@link REFUSED_AT_ONCE}. */
export const REFUSED_EVERY_MS = 1_000;
/** Addresses that are remembered; the one that was refused longest ago is forgotten first. */
export const ADDRESSES_MAX = 1_024;

/** What an address may still do. */
interface Allowance {
  left: number;
  atMs: number;
}

/** Remembers refusals by address, in bounded memory and without a timer. */
export class RefusalLimit {
  readonly #time: Pick<Time, 'now'>;
  /** The one that was refused last at the end. */
  readonly #addresses = new Map<string, Allowance>();

  constructor(components: { readonly time: Pick<Time, 'now'> }) {
    this.#time = components.time;
  }

  /** How long this address has to wait, whole seconds; 0 where it has not been refused too often. */
  waitS(address: string): number {
    const left = this.#leftOf(address);
    return left >= 1 ? 0 : Math.ceil(((1 - left) * REFUSED_EVERY_MS) / 1_000);
  }

  /** It was refused once more. */
  note(address: string): void {
    const left = Math.max(0, this.#leftOf(address) - 1);
    this.#addresses.delete(address);
    this.#addresses.set(address, { left, atMs: this.#nowMs() });
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > ADDRESSES_MAX) this.#addresses.delete(oldest!);
  }

  #leftOf(address: string): number {
    const known = this.#addresses.get(address);
    if (known === undefined) return REFUSED_AT_ONCE;
    return Math.min(REFUSED_AT_ONCE, known.left + (this.#nowMs() - known.atMs) / REFUSED_EVERY_MS);
  }

  #nowMs(): number {
    return Number(this.#time.now()) / 1e6;
  }
}
