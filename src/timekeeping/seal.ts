/**
 * Seal: shows that a clock datagram was made by somebody with the cluster's key.
 *
 * HMAC-SHA256 (RFC 2104), cut to 128 bits as section 5 there allows, under a key of its own derived from the cluster's (HKDF, RFC 5869), so that
 * no other use of that key can be played against this one. What is said is no secret, so nothing is encrypted. Some ten microseconds each
 * way; what was cut or forged costs as much and no more.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { assert } from '../core/assert.js';

/** Bytes that a seal adds. */
export const SEAL_BYTES = 16;
/** Length of a cluster's key, bytes. */
const KEY_BYTES = 32;

/** Seals and opens with the key of one cluster. */
export class Seal {
  readonly #key: Uint8Array;

  /** @param clusterKey 32 bytes */
  constructor(clusterKey: Uint8Array) {
    assert(clusterKey.length === KEY_BYTES, `a cluster key is ${KEY_BYTES} bytes, not ${clusterKey.length}`);
    this.#key = new Uint8Array(hkdfSync('sha256', clusterKey, '', 'tutti clock', KEY_BYTES));
  }

  /** `bytes` with their seal behind them. */
  close(bytes: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(bytes.length + SEAL_BYTES);
    sealed.set(bytes);
    sealed.set(this.#sealOf(bytes), bytes.length);
    return sealed;
  }

  /** What was sealed, a view on `sealed`; null where the seal is not of this cluster or the bytes were changed. */
  open(sealed: Uint8Array): Uint8Array | null {
    if (sealed.length < SEAL_BYTES) return null;
    const bytes = sealed.subarray(0, sealed.length - SEAL_BYTES);
    return timingSafeEqual(this.#sealOf(bytes), sealed.subarray(bytes.length)) ? bytes : null;
  }

  #sealOf(bytes: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key).update(bytes).digest().subarray(0, SEAL_BYTES);
  }
}
