/** Datagram: small unreliable messages for the clock. Real: io/udp. Fake: an in-memory network with delay, loss and reordering. */
import type { LocalTime } from '../core/units.js';

/** Largest datagram: fits the smallest path that IPv6 allows without fragments, headers included. Bytes. */
export const DATAGRAM_BYTES_MAX = 1_200;

export interface Address {
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

export interface Datagram {
  /** Binds; port 0 takes any. Gives the bound address. `receive` gets each datagram with the best stamp of its arrival. @throws TuttiError PORT_IN_USE */
  start(receive: (bytes: Uint8Array, from: Address, receivedAt: LocalTime) => void): Promise<Address>;
  /** Sends, or drops: nobody is told. @throws TuttiError BAD_REQUEST above {@link DATAGRAM_BYTES_MAX} */
  send(bytes: Uint8Array, to: Address): void;
  /** Idempotent: frees the port, and `receive` is not called afterwards. */
  stop(): Promise<void>;
}
