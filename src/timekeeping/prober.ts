/**
 * Prober: measures one peer, burst by burst.
 *
 * A peer whose clock is not known gets three bursts within 300 ms, so that a node can sound half a second after it came up; later one every
 * few seconds keeps the line (clock/constants.ts). The same happens when the peer's clock turns out to be another than before: it says
 * the boot of its process with each answer, and its time may leap.
 *
 * A peer is found at its address, which may be a name: that is looked up before a burst, and again once a burst was not answered at all.
 */
import { BothWays, type Reverse } from '../clock/both-ways.js';
import { ANSWER_WAIT_MS, BURST_GAP_MS, COLD_GAPS_MS, PROBE_GAP_MS } from '../clock/constants.js';
import type { Answer } from '../clock/datagram.js';
import { PeerFilter } from '../clock/peer-filter.js';
import { type PeerLine, peerTimeAt } from '../clock/peer-line.js';
import type { BootId } from '../core/ids.js';
import { type LocalTime, localTime } from '../core/units.js';
import type { Address } from '../ports/datagram.js';
import type { Random } from '../ports/random.js';
import type { Time, Timer } from '../ports/time.js';
import { Burst } from './burst.js';

/** Another peer's leap begins no burst here before this has passed since the last: a broken peer makes no storm. Milliseconds. */
const HURRY_GAP_MS = 250;

/** What a prober needs. */
export interface ProberComponents {
  readonly time: Time;
  readonly random: Random;
  /** Sends a probe with this nonce there; gives when it left. */
  readonly send: (nonce: bigint, to: Address) => LocalTime;
  /** Finds the IP address of a name; null where there is none now. Of an address, itself, and at once. */
  readonly lookUp: (host: string, found: (host: string | null) => void) => void;
  /** After each burst; `line` is null where the peer's clock began anew. */
  readonly measured: (line: PeerLine | null, roundTripNs: number | null) => void;
  /** The peer's clock leapt: maybe it was this machine that was suspended, and the others have yet to see it. */
  readonly leapt: () => void;
}

/** Measures one peer until it is stopped. */
export class Prober {
  readonly #with: ProberComponents;
  readonly #filter: PeerFilter;
  readonly #bothWays = new BothWays();
  /** What the peer said last of this node's clock. */
  #reverse: Reverse | null = null;
  #address: Address;
  /** What `#address` came to; null until it was looked up. */
  #found: Address | null = null;
  #boot: BootId | null = null;
  #burst: Burst | null = null;
  /** Which of {@link COLD_GAPS_MS} is next. */
  #coldGap = 0;
  #lastBurstAt: LocalTime = localTime(0n);
  #timer: Timer | undefined;
  #isStopped = false;

  /** @param init `address`: where the peer is; the host may be a name. `stampSigmaNs`: how good the socket's stamps are */
  constructor(components: ProberComponents, init: { readonly address: Address; readonly stampSigmaNs: number }) {
    this.#with = components;
    this.#address = init.address;
    this.#filter = new PeerFilter(init);
  }

  start(): void {
    this.#beginAnew();
  }

  /** Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#burst = null;
  }

  /** The peer is there from now on. */
  moveTo(address: Address): void {
    if (address.host === this.#address.host && address.port === this.#address.port) return;
    this.#address = address;
    this.#found = null;
    this.#beginCold();
  }

  /** Measures soon: after the burst that runs, if one does. */
  hurry(): void {
    this.#coldGap = 0;
    if (this.#burst !== null) return;
    const sinceMs = Number(this.#with.time.now() - this.#lastBurstAt) / 1e6;
    this.#after(Math.max(HURRY_GAP_MS - sinceMs, 0), () => this.#seek());
  }

  /** The peer has just asked something: it is up. Who is waiting for that need not wait any longer. */
  noticed(): void {
    const isWaiting = this.#burst === null || (this.#burst.isSent && this.#burst.isUnheard);
    if (this.#filter.line() === null && isWaiting) this.#beginCold();
  }

  /**
   * What this node's own measurement says the peer's clock read at `local`, for the peer to correct its own by; null without one, or where
   * it is of another start of the peer than `boot`.
   */
  ownReading(local: LocalTime, boot: BootId): LocalTime | null {
    const line = this.#filter.line();
    return line && boot === this.#boot ? peerTimeAt(line, local) : null;
  }

  /** Takes an answer of this peer; false where it answers nothing that was asked. */
  answered(answer: Answer, receivedAt: LocalTime): boolean {
    const burst = this.#burst;
    if (burst === null || !burst.take(answer, receivedAt)) return false;
    if (answer.boot !== this.#boot) {
      const isOther = this.#boot !== null;
      this.#boot = answer.boot;
      if (isOther) {
        this.#beginAnew();
        return true;
      }
    }
    const { receivedAt: peerAt, reverseAt } = answer;
    this.#reverse = reverseAt && { peerAt, localAt: reverseAt };
    if (burst.isWhole) this.#finish(burst);
    return true;
  }

  /** Nothing is known of the peer's clock any more. */
  #beginAnew(): void {
    if (this.#filter.line() !== null) {
      this.#filter.reset();
      this.#forgetReverse();
      this.#with.measured(null, null);
    }
    this.#beginCold();
  }

  #beginCold(): void {
    this.#burst = null;
    this.#coldGap = 0;
    this.#waitForNext();
  }

  #waitForNext(): void {
    const cold = COLD_GAPS_MS[this.#coldGap++];
    this.#after(cold ?? this.#between(BURST_GAP_MS), () => this.#seek());
  }

  #seek(): void {
    if (this.#found !== null) {
      this.#begin();
      return;
    }
    const { host, port } = this.#address;
    this.#timer = undefined;
    this.#with.lookUp(host, (found) => {
      // Stopped, or begun anew meanwhile: then something else goes on, or nothing.
      if (this.#isStopped || this.#burst !== null || this.#timer !== undefined) return;
      if (found === null) {
        this.#waitForNext();
        return;
      }
      this.#found = { host: found, port };
      this.#begin();
    });
  }

  #begin(): void {
    this.#burst = new Burst();
    this.#lastBurstAt = this.#with.time.now();
    this.#probe(this.#burst);
  }

  #probe(burst: Burst): void {
    const nonce = new DataView(this.#with.random.bytes(8).buffer).getBigUint64(0);
    burst.sent(nonce, this.#with.send(nonce, this.#found!));
    if (burst.isSent) this.#after(ANSWER_WAIT_MS, () => this.#finish(burst));
    else this.#after(this.#between(PROBE_GAP_MS), () => this.#probe(burst));
  }

  #finish(burst: Burst): void {
    this.#burst = null;
    if (burst.isUnheard) this.#found = null;
    const outcome = this.#filter.take(burst.samples);
    if (outcome === 'leapt') {
      this.#forgetReverse();
      this.#with.measured(null, null);
      // Not at once: a clock that leaps at every look would be looked at without a pause.
      this.#coldGap = 1;
    }
    if (outcome !== 'nothing') this.#tell();
    this.#waitForNext();
    if (outcome === 'leapt') this.#with.leapt();
  }

  #tell(): void {
    const line = this.#filter.line();
    const roundTripNs = this.#filter.roundTripNs();
    if (line !== null && roundTripNs !== null && this.#reverse !== null) {
      this.#bothWays.take(line, this.#reverse, roundTripNs);
    }
    this.#reverse = null;
    this.#with.measured(line && this.#bothWays.corrected(line), roundTripNs);
  }

  #forgetReverse(): void {
    this.#reverse = null;
    this.#bothWays.reset();
  }

  #between({ least, most }: { readonly least: number; readonly most: number }): number {
    return least + ((most - least) * this.#with.random.u32()) / 0x1_0000_0000;
  }

  #after(delayMs: number, callback: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#with.time.after('clock.prober', delayMs, callback);
  }
}
