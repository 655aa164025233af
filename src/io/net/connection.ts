/**
 * Connection: one TLS connection that carries frames, with its queue and its pulse.
 *
 * Sending: what is sent within one turn of the event loop leaves in one write and one TLS record, still in that turn; waiting for more
 * would cost more than it saves. A long queue leaves in pieces, a turn each, so that other connections get between them.
 * Receiving: each frame goes to the owner at once. A bulk connection reads a piece, then lets others read: libuv would take 2 MB from one
 * socket before it looks at the next. `hold` stops reading until `release`.
 * Pulse: whoever owns the connection calls `sweep` once a second. Counting those instead of reading a clock costs nothing for a message,
 * and a process that was stopped for a minute does not take its peers for dead before it has looked at what they sent.
 *
 * The owner is told of the end exactly once (`lost`), unless it closed the connection itself, and never from within a call of its own.
 */
import type { TLSSocket } from 'node:tls';
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import type { Channel } from '../../ports/peer-link.js';
import type { CloseReason } from './counters.js';
import {
  FrameReader,
  HEADER_BYTES,
  KIND,
  type Kind,
  LIMITS_OF_GUEST,
  LIMITS_OF_HOST,
  LIMITS_OF_MEMBER,
  writeHeader,
} from './frames.js';
import { BULK_PIECE_BYTES, GREETING_SWEEPS, PING_SWEEPS, SILENT_SWEEPS } from './limits.js';
import { hasProvenKey, unprovenError } from './psk.js';

/** Who a connection's frames and end are for. It changes as the conversation goes on. */
export interface ConnectionOwner {
  /** For who connected: the other end has proven the key. */
  secured?(connection: Wire): void;
  /** A whole frame. The bytes may be kept. */
  frame(connection: Wire, kind: number, body: Uint8Array): void;
  /** The connection is gone; its owner did not ask for it. */
  lost(connection: Wire, reason: CloseReason, error: Error | undefined): void;
}

/** What carries frames to a member: a {@link Connection}, or its double in a test of the rules above it. */
export interface Wire {
  owner: ConnectionOwner;
  /** Bytes that wait here, the peer's and the kernel's own buffers not counted. */
  readonly queuedBytes: number;
  /** Sends a frame; nothing once it is closed. */
  send(kind: Kind, body: Uint8Array): void;
  /** The greeting is over: messages of `channel` may come, and silence is deadly. */
  becomeMember(channel: Channel): void;
  /** No frame is handed over until `release`. */
  hold(): void;
  /** Hands over what has come meanwhile, and goes on. */
  release(): void;
  /** Closes it, with all that was not sent. The owner is not told. */
  close(): void;
}

const EMPTY = new Uint8Array(0);

/** One TLS connection. */
export class Connection implements Wire {
  owner: ConnectionOwner;
  readonly #socket: TLSSocket;
  readonly #reader: FrameReader;
  #isClosed = false;
  #isHeld = false;
  #isMember = false;

  /** What waits to be written: bodies, and the kind of each. */
  readonly #bodies: Uint8Array[] = [];
  readonly #kinds: Kind[] = [];
  /** Of the first: how much of header and body is written. */
  #firstWritten = 0;
  /** Of all, with headers, without what is written of the first. */
  #queuedBytes = 0;
  /** A flush is due in this turn or the next, or when the socket has room again. */
  #isFlushDue = false;
  #pieceBytes = Number.POSITIVE_INFINITY;
  /** Since this connection last let others read. */
  #receivedBytes = 0;

  /** Sweeps left for the greeting. */
  #patience = GREETING_SWEEPS;
  #sweepsSinceSent = 0;
  #sweepsSinceReceived = 0;

  /** @param init `role`: who listened is the host, who connected the guest */
  constructor(socket: TLSSocket, init: { readonly role: 'host' | 'guest'; readonly owner: ConnectionOwner }) {
    this.#socket = socket;
    this.owner = init.owner;
    this.#reader = new FrameReader(init.role === 'host' ? LIMITS_OF_HOST : LIMITS_OF_GUEST);
    socket.setNoDelay(true);
    if (init.role === 'guest') socket.once('secureConnect', () => this.#secured());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#flushNextTurn());
    socket.on('error', (error) => this.#lose('broken', error));
    socket.on('end', () => this.#lose('broken', undefined));
    socket.on('close', () => this.#lose('broken', undefined));
  }

  get queuedBytes(): number {
    return this.#queuedBytes + this.#socket.writableLength;
  }

  send(kind: Kind, body: Uint8Array): void {
    if (this.#isClosed) return;
    this.#bodies.push(body);
    this.#kinds.push(kind);
    this.#queuedBytes += HEADER_BYTES + body.length;
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    process.nextTick(this.#flush);
  }

  becomeMember(channel: Channel): void {
    this.#isMember = true;
    this.#reader.limits = LIMITS_OF_MEMBER[channel];
    if (channel === 'bulk') this.#pieceBytes = BULK_PIECE_BYTES;
  }

  /** Gives the greeting longer, from now on. */
  extendPatience(sweeps: number): void {
    this.#patience = sweeps;
  }

  hold(): void {
    this.#isHeld = true;
    this.#socket.pause();
  }

  release(): void {
    if (this.#isClosed || !this.#isHeld) return;
    this.#isHeld = false;
    this.#socket.resume();
    this.#handOver();
  }

  /** Once every `SWEEP_MS`: sends a ping where nothing else was sent, and closes what is dead. */
  sweep(): void {
    if (!this.#isMember) {
      if (this.#patience-- <= 0) this.#lose('timeout', undefined);
      return;
    }
    if (++this.#sweepsSinceReceived > SILENT_SWEEPS) this.#lose('silent', undefined);
    else if (++this.#sweepsSinceSent > PING_SWEEPS) this.send(KIND.ping, EMPTY);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  /** Sends a last frame, then closes. The owner is not told; a peer that does not take the frame is cut off by `sweep`. */
  closeWith(kind: Kind, body: Uint8Array): void {
    assert(!this.#isMember, 'members part without a word');
    if (this.#isClosed) return;
    this.send(kind, body);
    this.#flush();
    this.#isClosed = true;
    this.#socket.destroySoon();
    this.#patience = GREETING_SWEEPS;
  }

  #secured(): void {
    if (this.#isClosed) return;
    if (hasProvenKey(this.#socket)) this.owner.secured?.(this);
    else this.#lose('handshake', unprovenError());
  }

  #lose(reason: CloseReason, error: Error | undefined): void {
    const wasClosed = this.#isClosed;
    this.close();
    if (!wasClosed) this.owner.lost(this, reason, error);
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.#sweepsSinceReceived = 0;
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes >= this.#pieceBytes) {
      this.#receivedBytes = 0;
      this.#socket.pause();
      setImmediate(this.#readOn);
    }
    this.#reader.add(chunk);
    this.#handOver();
  }

  readonly #readOn = (): void => {
    if (!this.#isHeld) this.#socket.resume();
  };

  #handOver(): void {
    while (!this.#isClosed && !this.#isHeld && this.#readFrame()) {
      if (this.#reader.kind !== KIND.ping) this.owner.frame(this, this.#reader.kind, this.#reader.body);
    }
  }

  #readFrame(): boolean {
    try {
      return this.#reader.next();
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#lose('bad-frame', error);
      return false;
    }
  }

  #flushNextTurn(): void {
    if (this.#queuedBytes > 0) setImmediate(this.#flush);
    else this.#isFlushDue = false;
  }

  /** Writes what waits, at most a piece of it, in one write. */
  readonly #flush = (): void => {
    if (this.#isClosed || this.#queuedBytes === 0) return;
    const piece = Buffer.allocUnsafe(Math.min(this.#queuedBytes, this.#pieceBytes));
    let at = 0;
    let whole = 0;
    // A header is not cut in two.
    while (whole < this.#bodies.length && piece.length - at >= HEADER_BYTES) {
      const body = this.#bodies[whole]!;
      if (this.#firstWritten === 0) {
        writeHeader(piece, at, this.#kinds[whole]!, body.length);
        at += HEADER_BYTES;
        this.#firstWritten = HEADER_BYTES;
      }
      const from = this.#firstWritten - HEADER_BYTES;
      const part = Math.min(body.length - from, piece.length - at);
      piece.set(part === body.length ? body : body.subarray(from, from + part), at);
      at += part;
      this.#firstWritten += part;
      if (this.#firstWritten < HEADER_BYTES + body.length) break;
      this.#firstWritten = 0;
      whole++;
    }
    this.#bodies.splice(0, whole);
    this.#kinds.splice(0, whole);
    this.#queuedBytes -= at;
    this.#sweepsSinceSent = 0;
    // Without room in the socket, `drain` says when there is.
    if (this.#socket.write(at === piece.length ? piece : piece.subarray(0, at))) this.#flushNextTurn();
  };
}
