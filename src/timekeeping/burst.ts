/**
 * Burst: some probes to one peer, one after another, and what their answers make of them.
 *
 * A probe counts once: by its nonce, which is forgotten with the burst. Its sample is whole when the *next* answer says when its own left
 * (clock/datagram.ts).
 */
import { PROBES_PER_BURST } from '../clock/constants.js';
import type { Answer } from '../clock/datagram.js';
import { type Sample, sampleOf } from '../clock/sample.js';
import type { LocalTime } from '../core/units.js';

/** A probe that is out. */
interface Exchange {
  readonly sentAt: LocalTime;
  answered: { readonly peerReceivedAt: LocalTime; readonly receivedAt: LocalTime } | null;
}

/** The probes of one burst. */
export class Burst {
  readonly #exchanges = new Map<bigint, Exchange>();
  readonly #samples: Sample[] = [];
  #answers = 0;

  /** What was measured so far. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** No answer came yet. */
  get isUnheard(): boolean {
    return this.#answers === 0;
  }

  /** All probes were sent. */
  get isSent(): boolean {
    return this.#exchanges.size === PROBES_PER_BURST;
  }

  /** There is nothing left to wait for. */
  get isWhole(): boolean {
    return this.#answers === PROBES_PER_BURST;
  }

  /** A probe left. */
  sent(nonce: bigint, sentAt: LocalTime): void {
    this.#exchanges.set(nonce, { sentAt, answered: null });
  }

  /** False for an answer to nothing that was asked in this burst, or to what was answered before. */
  take({ nonce, receivedAt: peerReceivedAt, previous }: Answer, receivedAt: LocalTime): boolean {
    const exchange = this.#exchanges.get(nonce);
    if (exchange === undefined || exchange.answered !== null) return false;
    exchange.answered = { peerReceivedAt, receivedAt };
    this.#answers++;
    const before = previous === null ? undefined : this.#exchanges.get(previous.nonce);
    if (previous !== null && before !== undefined && before.answered !== null) {
      const sample = sampleOf({ sentAt: before.sentAt, peerSentAt: previous.sentAt, ...before.answered });
      if (sample !== null) this.#samples.push(sample);
    }
    return true;
  }
}
