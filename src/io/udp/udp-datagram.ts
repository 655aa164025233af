/**
 * UdpDatagram: a UDP socket of node:dgram.
 *
 * Arrivals are stamped when Node hands them over, which is some 50 us after the kernel had them, more on a busy thread: the clock runs
 * on a thread of its own for that reason.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import type { LocalTime } from '../../core/units.js';
import { type Address, checkDatagram, type Datagram } from '../../ports/datagram.js';
import type { Time } from '../../ports/time.js';

type Lookup = (
  host: string,
  options: unknown,
  done: (error: Error | null, address: string, family: number) => void,
) => void;

/**
 * Node looks up every host that is sent to, addresses too, and on a later turn of the loop. These are addresses already: answering
 * at once sends at once, and a name is never asked of a server.
 */
const noLookup: Lookup = (host, _options, done) => {
  const family = isIP(host);
  if (family === 0) done(new Error(`"${host}" is not an IP address`), '', 0);
  else done(null, host, family);
};

/** One UDP socket of this machine. */
export class UdpDatagram implements Datagram {
  /** Measured between processes whose main threads were busy, over loopback: docs/sync.md. */
  readonly stampSigmaNs = 30_000;
  readonly #time: Time;
  readonly #wanted: Address;
  #socket: Socket | undefined;
  #bound: Promise<Address> | undefined;

  /** @param init where to bind: the address of an interface, or `0.0.0.0` or `::` for all; port 0 takes any */
  constructor(components: { readonly time: Time }, init: Address) {
    this.#time = components.time;
    this.#wanted = init;
  }

  start(receive: (bytes: Uint8Array, from: Address, receivedAt: LocalTime) => void): Promise<Address> {
    assert(this.#bound === undefined, 'a socket is started once');
    const { host, port } = this.#wanted;
    const socket = createSocket({ type: isIP(host) === 6 ? 'udp6' : 'udp4', lookup: noLookup });
    this.#socket = socket;
    socket.on('message', (bytes, from) => {
      const receivedAt = this.#time.now();
      if (this.#socket === socket) receive(bytes, { host: from.address, port: from.port }, receivedAt);
    });
    this.#bound = new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        this.#socket = undefined;
        socket.close();
        reject(new TuttiError('PORT_IN_USE', `UDP ${host}:${port} cannot be bound: ${error.message}.`, {}, error));
      });
      socket.bind(port, host, () => {
        // From now on an error is a datagram that was not delivered: nobody is told.
        socket.removeAllListeners('error').on('error', () => {});
        const bound = socket.address();
        resolve({ host: bound.address, port: bound.port });
      });
    });
    return this.#bound;
  }

  send(bytes: Uint8Array, to: Address): LocalTime {
    checkDatagram(bytes);
    const sentAt = this.#time.now();
    // A copy: the kernel may take it only when the socket is writable again. With a callback, errors do not become events.
    this.#socket?.send(Uint8Array.from(bytes), to.port, to.host, () => {});
    return sentAt;
  }

  async stop(): Promise<void> {
    // A socket that is being bound cannot be closed without losing the answer that `start` waits for.
    await this.#bound?.catch(() => {});
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    await new Promise<void>((resolve) => socket.close(resolve));
  }
}
