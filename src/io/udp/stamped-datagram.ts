/**
 * StampedDatagram: a UDP socket whose arrivals are stamped by the kernel, and whose departures are a single call away from their stamp.
 *
 * Between the arrival of a datagram and the JavaScript that hears of it lie an interrupt, a wake-up and the event loop: some 50 us, and
 * milliseconds on a busy machine. The kernel notes the instant by itself. The socket is made here, with libc, and then given to node:dgram,
 * which watches and reads it; `ioctl(SIOCGSTAMPNS)` says when the datagram that was read last had come (socket(7)). node:dgram calls its
 * listener right after each read, so that is the one at hand. Where a version of Node read several at once, those before the last would get a
 * stamp that is late: the same error as without stamps.
 *
 * Departures go past node:dgram: one call of sendto(2), right after a reading of the clock.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import { type LocalTime, NS_PER_S } from '../../core/units.js';
import { type Address, checkDatagram, type Datagram } from '../../ports/datagram.js';
import type { Time } from '../../ports/time.js';
import type { Libc } from '../libc/libc.js';
import { AF_INET, AF_INET6, socketAddress } from './socket-address.js';
import { WallBridge, wallClockOf } from './wall-bridge.js';

/** From bits/socket.h of Linux: datagrams, close on exec, never block. */
const SOCKET_TYPE = 0x2 | 0x8_0000 | 0x800;
/** SIOCGSTAMPNS_NEW of asm-generic/sockios.h: two 64-bit numbers, seconds and nanoseconds, on machines of any width. Since Linux 5.1. */
const SIOCGSTAMPNS = 0x8010_8907;
/** Addresses of peers that are kept in the form that C takes: more than any house has. */
const ADDRESSES_MAX = 256;

/** The calls of libc. */
interface Calls {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly close: (fd: number) => number;
  readonly ioctl: (fd: number, request: number, argument: BigInt64Array) => number;
  readonly sendto: (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    to: Uint8Array,
    room: number,
  ) => number;
  /** Number of a network interface; 0 where none has that name. */
  readonly indexOf: (name: string) => number;
}

/** One UDP socket of this machine. */
export class StampedDatagram implements Datagram {
  /** Measured between processes whose main threads were busy, over loopback: docs/sync.md. */
  readonly stampSigmaNs = 2_000;
  readonly #time: Time;
  readonly #libc: Libc;
  readonly #calls: Calls;
  readonly #bridge: WallBridge;
  readonly #wanted: Address;
  readonly #family: number;
  /** What the kernel writes a stamp into. */
  readonly #stamp = new BigInt64Array(2);
  readonly #addresses = new Map<string, Uint8Array>();
  #fd = -1;
  #socket: Socket | undefined;
  #bound: Promise<Address> | undefined;

  /** @param init where to bind: the address of an interface, or `0.0.0.0` or `::` for all; port 0 takes any */
  constructor(components: { readonly time: Time; readonly libc: Libc }, init: Address) {
    const { time, libc } = components;
    this.#time = time;
    this.#libc = libc;
    this.#wanted = init;
    this.#family = isIP(init.host) === 6 ? AF_INET6 : AF_INET;
    this.#bridge = new WallBridge({ time, wallClock: wallClockOf(libc) });
    this.#calls = {
      socket: libc.bind('int socket(int family, int type, int protocol)'),
      bind: libc.bind('int bind(int fd, void *address, uint32_t length)'),
      close: libc.bind('int close(int fd)'),
      ioctl: libc.bind('int ioctl(int fd, unsigned long request, void *argument)'),
      sendto: libc.bind('long sendto(int fd, void *bytes, unsigned long length, int flags, void *to, uint32_t room)'),
      indexOf: libc.bind('unsigned int if_nametoindex(const char *name)'),
    };
  }

  start(receive: (bytes: Uint8Array, from: Address, receivedAt: LocalTime) => void): Promise<Address> {
    assert(this.#bound === undefined, 'a socket is started once');
    this.#bound = this.#start(receive);
    return this.#bound;
  }

  send(bytes: Uint8Array, to: Address): LocalTime {
    checkDatagram(bytes);
    const address = this.#addressOf(to);
    const sentAt = this.#time.now();
    // A datagram that the kernel does not take is lost, as others are.
    if (this.#fd >= 0 && address !== null) {
      this.#calls.sendto(this.#fd, bytes, bytes.length, 0, address, address.length);
      this.#bridge.look();
    }
    return sentAt;
  }

  async stop(): Promise<void> {
    // A socket that is being bound cannot be closed without losing the answer that `start` waits for.
    await this.#bound?.catch(() => {});
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    this.#fd = -1;
    await new Promise<void>((resolve) => socket.close(resolve));
  }

  async #start(receive: (bytes: Uint8Array, from: Address, receivedAt: LocalTime) => void): Promise<Address> {
    const fd = this.#open();
    const socket = createSocket({ type: this.#family === AF_INET6 ? 'udp6' : 'udp4' });
    socket.on('message', (bytes, from) => {
      const receivedAt = this.#arrivedAt(fd);
      if (this.#socket === socket) receive(bytes, { host: from.address, port: from.port }, receivedAt);
    });
    await this.#handOver(fd, socket);
    // An error is a datagram that was not delivered: nobody is told.
    socket.on('error', () => {});
    this.#fd = fd;
    this.#socket = socket;
    const { address, port } = socket.address();
    return { host: address, port };
  }

  /** Has node:dgram watch and read what was opened here. @throws TuttiError PORT_IN_USE where it refuses; nothing is open then */
  async #handOver(fd: number, socket: Socket): Promise<void> {
    let isTaken = false;
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ fd }, () => {
          socket.off('error', reject);
          resolve();
        });
        isTaken = true;
      });
    } catch (error) {
      socket.close();
      if (!isTaken) this.#calls.close(fd);
      throw refusal(this.#wanted, error instanceof Error ? error.message : String(error), error);
    }
  }

  /** A socket that is bound. @throws TuttiError PORT_IN_USE */
  #open(): number {
    const { host, port } = this.#wanted;
    const { socket, bind, ioctl, close, indexOf } = this.#calls;
    const address = socketAddress(this.#family, host, port, indexOf);
    if (address === null) throw refusal(this.#wanted, 'this is no IP address, or of no interface of this machine');
    const fd = socket(this.#family, SOCKET_TYPE, 0);
    if (fd < 0) throw refusal(this.#wanted, this.#lastError());
    if (bind(fd, address, address.length) !== 0) {
      const reason = this.#lastError();
      close(fd);
      throw refusal(this.#wanted, reason);
    }
    // The first call fails, since nothing has come; it is what makes the kernel stamp all that comes.
    ioctl(fd, SIOCGSTAMPNS, this.#stamp);
    return fd;
  }

  /** When the datagram that was read last had come. */
  #arrivedAt(fd: number): LocalTime {
    const now = this.#time.now();
    if (this.#calls.ioctl(fd, SIOCGSTAMPNS, this.#stamp) !== 0) return now;
    return this.#bridge.localOf(this.#stamp[0]! * NS_PER_S + this.#stamp[1]!) ?? now;
  }

  #addressOf({ host, port }: Address): Uint8Array | null {
    const key = `${host} ${port}`;
    const known = this.#addresses.get(key);
    if (known !== undefined) return known;
    const address = socketAddress(this.#family, host, port, this.#calls.indexOf);
    // An interface that was pulled out and plugged in again has another number.
    if (address === null || host.includes('%')) return address;
    if (this.#addresses.size === ADDRESSES_MAX) this.#addresses.clear();
    this.#addresses.set(key, address);
    return address;
  }

  #lastError(): string {
    return getSystemErrorName(-this.#libc.errno());
  }
}

const refusal = ({ host, port }: Address, why: string, cause?: unknown) =>
  new TuttiError('PORT_IN_USE', `UDP ${host}:${port} cannot be bound: ${why}.`, {}, cause);
