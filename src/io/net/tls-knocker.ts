/** TlsKnocker: asks a node something from outside, over the same TLS as members, on a connection of its own that ends with the answer. */
import { connect, type TLSSocket } from 'node:tls';
import { parseHostPort } from '../../config/host-port.js';
import { isErrorCode, TuttiError } from '../../core/errors.js';
import { checkKnock, KNOCK_MS_MAX, type Knocker, type KnockOptions } from '../../ports/peer-link.js';
import type { Time } from '../../ports/time.js';
import { Connection, type ConnectionOwner } from './connection.js';
import { KIND } from './frames.js';
import { decodeRefusal, encodeKnock, PROTOCOL_VERSION } from './greeting.js';
import { clientOptions, connectError } from './psk.js';

/** Knocks at the nodes of a cluster. */
export class TlsKnocker implements Knocker {
  readonly #time: Time;

  constructor(components: { readonly time: Time }) {
    this.#time = components.time;
  }

  async knock(address: string, request: Uint8Array, { key, signal }: KnockOptions): Promise<Uint8Array> {
    checkKnock(request);
    const place = parseHostPort(address);
    if (place === undefined || place.port === 0) {
      throw new TuttiError('BAD_REQUEST', `"${address}" is no address: write host:port.`);
    }
    const options = clientOptions(key);
    signal?.throwIfAborted();
    const socket = connect({ ...options, host: place.host, port: place.port });
    let giveUp = () => {};
    const outcome = new Promise<Uint8Array>((resolve, reject) => {
      giveUp = () => reject(signal?.reason);
      const timeout = () => reject(new TuttiError('PEER_UNREACHABLE', `${address} does not answer.`));
      const timer = this.#time.after(`knock at ${address}`, KNOCK_MS_MAX, timeout);
      socket.once('close', () => timer.cancel());
      conversation(socket, { address, request, resolve, reject });
    });
    signal?.addEventListener('abort', giveUp);
    try {
      return await outcome;
    } finally {
      signal?.removeEventListener('abort', giveUp);
      // What keeps the process alive is gone when the caller goes on.
      const gone = new Promise((resolve) => (socket.closed ? resolve(undefined) : socket.once('close', resolve)));
      socket.destroy();
      await gone;
    }
  }
}

interface Conversation {
  readonly address: string;
  readonly request: Uint8Array;
  resolve(answer: Uint8Array): void;
  reject(error: TuttiError): void;
}

function conversation(socket: TLSSocket, { address, request, resolve, reject }: Conversation): void {
  const owner: ConnectionOwner = {
    secured: (connection) => connection.send(KIND.knock, encodeKnock(request)),
    frame: (_connection, kind, body) => {
      if (kind === KIND.answer) resolve(body.slice());
      else if (kind === KIND.refusal) reject(refusalError(address, body));
      else reject(new TuttiError('BAD_ANSWER', `${address} answers a knock with a frame of kind ${kind}.`));
    },
    lost: (_connection, _reason, error) => reject(connectError(address, error ?? new Error('it hung up'))),
  };
  new Connection(socket, { role: 'guest', owner });
}

function refusalError(address: string, body: Uint8Array): TuttiError {
  try {
    const { version, code, detail } = decodeRefusal(body);
    if (version < PROTOCOL_VERSION) return new TuttiError('PEER_TOO_OLD', `${address} says: ${detail}`);
    if (version > PROTOCOL_VERSION) return new TuttiError('NODE_TOO_OLD', `${address} says: ${detail}`);
    return isErrorCode(code) ? new TuttiError(code, detail) : new TuttiError('BAD_ANSWER', `${address}: ${detail}`);
  } catch (error) {
    return error instanceof TuttiError ? error : new TuttiError('BAD_ANSWER', `${address} cannot be understood.`);
  }
}
