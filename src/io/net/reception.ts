/**
 * Reception: listens, lets those who hold the key say who they are, and answers those who knock.
 *
 * Up to the hello everybody is a stranger: bounded in number, time and bytes (waiting-room.ts, frames.ts), and closed without a word until
 * the key is proven. Who has proven it and is not let in hears why.
 */
import type { Server, Socket } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { type HostPort, hostPortText } from '../../config/host-port.js';
import { TuttiError } from '../../core/errors.js';
import type { Log } from '../../ports/log.js';
import { checkKnock, KNOCK_MS_MAX, KNOCKS_MAX } from '../../ports/peer-link.js';
import { Connection, type ConnectionOwner } from './connection.js';
import type { CloseReason } from './counters.js';
import { KIND } from './frames.js';
import { decodeHello, decodeKnock, encodeRefusal, type Hello, PROTOCOL_VERSION, versionOf } from './greeting.js';
import { SWEEP_MS } from './limits.js';
import { type Guest, WaitingRoom } from './waiting-room.js';

/** Why one who says hello is not let in. */
export interface Rejection {
  readonly reason: CloseReason;
  readonly detail: string;
}

/** What a reception needs of the link. */
export interface ReceptionComponents {
  readonly log: Log;
  /** A connection that `sweep` and `stop` are to reach from now on. */
  track(connection: Connection, socket: Socket): void;
  count(reason: CloseReason): void;
  /** Takes the connection over, or says why not. */
  admit(connection: Connection, hello: Hello): Rejection | undefined;
  knock(request: Uint8Array): Promise<Uint8Array>;
}

/** One who came in, until the connection ends. */
interface Arrival extends Guest {
  readonly socket: Socket;
  connection: Connection | undefined;
  /** Why it was closed before TLS stood. */
  reason: CloseReason;
}

const KNOCK_SWEEPS = Math.ceil(KNOCK_MS_MAX / SWEEP_MS);

/** Connections that others make. */
export class Reception {
  readonly #components: ReceptionComponents;
  readonly #options: TlsOptions;
  readonly #waiting = new WaitingRoom();
  /** By the other end's address and port, which no two connections share. */
  readonly #arrivals = new Map<string, Arrival>();
  readonly #knocking = new Set<Connection>();
  #server: Server | undefined;

  constructor(components: ReceptionComponents, init: { readonly options: TlsOptions }) {
    this.#components = components;
    this.#options = init.options;
  }

  /** Listens; port 0 takes any. Gives the address. @throws TuttiError PORT_IN_USE */
  start({ host, port }: HostPort): Promise<HostPort> {
    const server = createServer(this.#options);
    this.#server = server;
    server.on('connection', (socket: Socket) => this.#arrive(socket));
    server.on('secureConnection', (socket) => this.#secured(socket));
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        const where = hostPortText({ host, port });
        reject(new TuttiError('PORT_IN_USE', `TCP ${where} cannot be listened on: ${error.message}.`, {}, error));
      });
      server.listen(port, host, () => {
        // From now on an error is a connection that could not be taken, such as for want of file descriptors.
        server.removeAllListeners('error').on('error', (error) => {
          this.#components.log.warn('a connection could not be taken', { error });
        });
        const address = server.address();
        // A string only for Unix sockets, null only once it is closed.
        if (address === null || typeof address === 'string') reject(new TuttiError('PORT_IN_USE', 'It was closed.'));
        else resolve({ host: address.address, port: address.port });
      });
    });
  }

  /** Once every `SWEEP_MS`. */
  sweep(): void {
    this.#waiting.sweep();
  }

  /** Idempotent: listens no more, and closes what came in. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    for (const { socket } of this.#arrivals.values()) socket.destroy();
    // With its callback `close` reports a server that never listened; there is nothing to do about it.
    await new Promise((resolve) => server.close(resolve));
  }

  #arrive(socket: Socket): void {
    const key = addressOf(socket);
    // It went before it was looked at.
    if (key === undefined) {
      socket.destroy();
      return;
    }
    const arrival: Arrival = {
      socket,
      host: socket.remoteAddress ?? '',
      connection: undefined,
      reason: 'handshake',
      drop: (reason) => {
        arrival.reason = reason;
        if (arrival.connection !== undefined) this.#components.count(reason);
        arrival.connection?.close();
        socket.destroy();
      },
    };
    this.#arrivals.set(key, arrival);
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.#arrivals.get(key) === arrival) this.#arrivals.delete(key);
      this.#waiting.leave(arrival);
      if (arrival.connection === undefined) this.#components.count(arrival.reason);
      else this.#knocking.delete(arrival.connection);
    });
    this.#waiting.enter(arrival);
  }

  #secured(socket: TLSSocket): void {
    const arrival = this.#arrivals.get(addressOf(socket) ?? '');
    if (arrival === undefined || this.#server === undefined) {
      socket.destroy();
      return;
    }
    const owner: ConnectionOwner = {
      frame: (_wire, kind, body) => this.#greeted(connection, arrival, kind, body),
      lost: (_wire, reason) => this.#components.count(reason),
    };
    const connection: Connection = new Connection(socket, { role: 'host', owner });
    arrival.connection = connection;
    this.#components.track(connection, arrival.socket);
  }

  #greeted(connection: Connection, arrival: Arrival, kind: number, body: Uint8Array): void {
    try {
      const version = versionOf(body);
      if (version !== PROTOCOL_VERSION) this.#refuseVersion(connection, version);
      else if (kind === KIND.hello) this.#hello(connection, arrival, decodeHello(body));
      else this.#knock(connection, arrival, decodeKnock(body));
    } catch (error) {
      if (!(error instanceof TuttiError && error.code === 'BAD_FRAME')) throw error;
      this.#components.count('bad-frame');
      connection.close();
    }
  }

  #hello(connection: Connection, arrival: Arrival, hello: Hello): void {
    // Room for the next stranger: a member is not one.
    this.#waiting.leave(arrival);
    const rejection = this.#components.admit(connection, hello);
    if (rejection !== undefined) this.#refuse(connection, rejection.reason, rejection.reason, rejection.detail);
  }

  #knock(connection: Connection, arrival: Arrival, request: Uint8Array): void {
    this.#waiting.leave(arrival);
    if (this.#knocking.size >= KNOCKS_MAX) {
      this.#refuse(connection, 'busy', 'BUSY', `${KNOCKS_MAX} nodes knock here already.`);
      return;
    }
    this.#knocking.add(connection);
    connection.extendPatience(KNOCK_SWEEPS);
    void this.#answer(connection, request);
  }

  async #answer(connection: Connection, request: Uint8Array): Promise<void> {
    try {
      const answer = await this.#components.knock(request);
      checkKnock(answer);
      connection.closeWith(KIND.answer, answer);
    } catch (error) {
      const { code, detail } = error instanceof TuttiError ? error : new TuttiError('INTERNAL');
      if (code === 'INTERNAL') this.#components.log.error('a knock could not be answered', { error });
      connection.closeWith(KIND.refusal, encodeRefusal({ version: PROTOCOL_VERSION, code, detail }));
    }
  }

  #refuseVersion(connection: Connection, version: number): void {
    const detail = `This node speaks version ${PROTOCOL_VERSION} of the peers’ protocol, the other one version ${version}.`;
    this.#refuse(connection, 'other-version', 'other-version', detail);
  }

  #refuse(connection: Connection, reason: CloseReason, code: string, detail: string): void {
    this.#components.count(reason);
    this.#components.log.debug('a connection is refused', { reason, detail });
    connection.closeWith(KIND.refusal, encodeRefusal({ version: PROTOCOL_VERSION, code, detail }));
  }
}

/** Address and port of the other end; undefined once the connection is gone. */
const addressOf = (socket: Socket): string | undefined =>
  socket.remoteAddress === undefined ? undefined : `${socket.remoteAddress} ${socket.remotePort}`;
