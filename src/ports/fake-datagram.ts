/** FakeDatagram: a UDP socket of a FakeNetwork, with its delays, losses, duplicates, reorderings and cuts. */
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { LocalTime } from '../core/units.js';
import { type Address, checkDatagram, type Datagram } from './datagram.js';
import type { FakeNetwork } from './fake-network.js';
import type { Time, Timer } from './time.js';

type Receive = (bytes: Uint8Array, from: Address, receivedAt: LocalTime) => void;

/** First of the ports that are given where any will do (RFC 6335, section 6). */
const DYNAMIC_PORT_MIN = 49_152;

/** One socket of the network. */
export class FakeDatagram implements Datagram {
  /** As a real socket with kernel stamps would say. */
  readonly stampSigmaNs = 2_000;
  readonly #network: FakeNetwork;
  /** What its stamps are read from. */
  readonly #clock: Pick<Time, 'now'>;
  readonly #wanted: Address;
  #address: Address | undefined;
  #receive: Receive | undefined;
  /** What is on its way to this socket. */
  readonly #arriving = new Set<Timer>();

  /**
   * @param components `clock`: of the machine that the socket is on, where that is not the network's
   * @param init where to bind; port 0 takes any
   */
  constructor(components: { readonly network: FakeNetwork; readonly clock?: Pick<Time, 'now'> }, init: Address) {
    this.#network = components.network;
    this.#clock = components.clock ?? components.network.time;
    this.#wanted = init;
  }

  start(receive: Receive): Promise<Address> {
    assert(this.#address === undefined, 'a socket is started once');
    const { host } = this.#wanted;
    let { port } = this.#wanted;
    if (port === 0) for (port = DYNAMIC_PORT_MIN; this.#network.boundTo(place({ host, port })) !== undefined; ) port++;
    if (!this.#network.bind(place({ host, port }), this)) {
      return Promise.reject(new TuttiError('PORT_IN_USE', `Another program listens on UDP ${host}:${port}.`));
    }
    this.#address = { host, port };
    this.#receive = receive;
    return Promise.resolve(this.#address);
  }

  send(bytes: Uint8Array, to: Address): LocalTime {
    checkDatagram(bytes);
    if (this.#address !== undefined) this.#carry(bytes, this.#address, to);
    return this.#clock.now();
  }

  stop(): Promise<void> {
    if (this.#address !== undefined) this.#network.unbind(place(this.#address));
    this.#address = undefined;
    this.#receive = undefined;
    for (const timer of this.#arriving) timer.cancel();
    this.#arriving.clear();
    return Promise.resolve();
  }

  #carry(bytes: Uint8Array, from: Address, to: Address): void {
    const network = this.#network;
    const { lossRatio, duplicateRatio } = network.conditions(from.host, to.host);
    if (network.isCut(from.host, to.host) || network.prng.fraction() < lossRatio) return;
    const receiver = network.boundTo(place(to));
    const copies = network.prng.fraction() < duplicateRatio ? 2 : 1;
    if (!(receiver instanceof FakeDatagram)) return;
    for (let i = 0; i < copies; i++) {
      receiver.#arrive(Uint8Array.from(bytes), from, network.drawDelayMs(from.host, to.host));
    }
  }

  #arrive(bytes: Uint8Array, from: Address, delayMs: number): void {
    const { time } = this.#network;
    const timer = time.after(`datagram from ${from.host}`, delayMs, () => {
      this.#arriving.delete(timer);
      this.#receive?.(bytes, from, this.#clock.now());
    });
    this.#arriving.add(timer);
  }
}

const place = (address: Address): string => `udp ${address.host}:${address.port}`;
