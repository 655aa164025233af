/**
 * Datagram: small unreliable messages for the clock. Real: io/udp. Fake: fake-datagram.ts, on a network with
 * delay, loss, duplicates and reordering.
 */
import { TuttiError } from '../core/errors.js';
import type { LocalTime } from '../core/units.js';

/** Largest datagram: fits the smallest path that IPv6 allows without fragments, headers included. Bytes. */
export const DATAGRAM_BYTES_MAX = 1_200;

/** An end of a path: where a socket is bound. */
export interface Address {
  /** An IP address. Names are not looked up: that takes time and may block. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/** One socket for datagrams. */
export interface Datagram {
  /** How far off the instant between two stamps is where the network is not to blame, one sigma, nanoseconds. */
  readonly stampSigmaNs: number;
  /**
   * Binds; port 0 takes any. Gives the bound address. `receive` gets each datagram (may keep the bytes) with the best stamp of its
   * arrival. To be called once. @throws TuttiError PORT_IN_USE, also where this machine does not have the address
   */
  start(receive: (bytes: Uint8Array, from: Address, receivedAt: LocalTime) => void): Promise<Address>;
  /**
   * Sends, or drops: nobody is told. Dropped for certain before `start` and after `stop`. `bytes` may be reused at once.
   * Gives the best stamp of its departure. @throws TuttiError BAD_REQUEST above {@link DATAGRAM_BYTES_MAX}
   */
  send(bytes: Uint8Array, to: Address): LocalTime;
  /** Idempotent, fine before `start`: frees the port, and `receive` is not called afterwards. */
  stop(): Promise<void>;
}

/** Every Datagram checks what it is to send with this. @throws TuttiError BAD_REQUEST above {@link DATAGRAM_BYTES_MAX} */
export function checkDatagram(bytes: Uint8Array): void {
  if (bytes.length <= DATAGRAM_BYTES_MAX) return;
  throw new TuttiError('BAD_REQUEST', `A datagram holds at most ${DATAGRAM_BYTES_MAX} bytes, not ${bytes.length}.`);
}
