/**
 * Peer: both connections with another member, as one thing that is up or down.
 *
 * Both ends dial, because either may be the one who knows where the other is. So two attempts may cross, and both ends must keep the same
 * one, without luck and without waiting to see. The rules, where L is the node with the lower id and H the other:
 *
 *  1. Nobody says hello on a control connection of its own while one stands.
 *  2. L, greeted by H while L's own hello is unanswered, refuses H's as a duplicate. H, greeted by L, gives its own attempt up.
 *     So of two that cross L's stays.
 *  3. Greeted while a connection stands: the peer does not have that one, or it would not greet (1). Either it lost the connection, unseen
 *     from here; then the new one takes its place. Or it said hello before it let ours in, and has given that attempt up meanwhile (2);
 *     then the hello is a ghost. Each end counts whom it lets in, and names the count in every hello and welcome: a hello that counts the
 *     connection that stands was said after it.
 *  4. The bulk connection belongs to one control connection: who dialed that dials this, and names its count. What happens to one of the
 *     two ends both.
 *
 * What rule 3 is for: H's hello lies in L's buffer while L's own crosses it; H lets L in and drops its attempt; L reads the welcome first
 * and then the hello. Without the count L would swap a good connection for a dead one.
 * What rule 4 is for: were the two connections made independently, one end could be up with a new control and an old bulk connection that
 * is about to end, the other one the other way round; each loss would take a good one down with it, and so on for ever.
 *
 * Attempts that fail are repeated after a delay that doubles, with jitter, so that a house after a power cut does not dial in step.
 */
import { TuttiError } from '../../core/errors.js';
import type { NodeId } from '../../core/ids.js';
import type { Log } from '../../ports/log.js';
import { type Channel, type PeerLinkHandlers, QUEUE_BYTES_MAX, type RefusalReason } from '../../ports/peer-link.js';
import type { Timer } from '../../ports/time.js';
import type { ConnectionOwner, Wire } from './connection.js';
import type { CloseReason } from './counters.js';
import { KIND } from './frames.js';
import { decodeHello, decodeRefusal, type Hello, PROTOCOL_VERSION, type Refusal, versionOf } from './greeting.js';
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, HELD_SWEEPS } from './limits.js';
import { connectError } from './psk.js';

/** What a peer needs of the link. */
export interface PeerComponents {
  readonly log: Log;
  /** Undefined once the link has stopped: nobody is told any more. */
  handlers(): PeerLinkHandlers | undefined;
  /** Begins to connect; undefined where `address` is none. */
  dial(address: string, owner: ConnectionOwner): Wire | undefined;
  /** A hello or welcome of this node as the body of a frame. */
  hello(channel: Channel, count: number): Uint8Array;
  /** How many were let in on control connections, by this node from all peers. */
  readonly admissions: { count: number };
  isOwnCluster(hello: Hello): boolean;
  count(reason: CloseReason): void;
  later(name: string, delayMs: number, callback: () => void): Timer;
  /** A number from 0 to 1, for jitter. */
  draw(): number;
}

/** A control connection that stands. */
interface Control {
  readonly wire: Wire;
  readonly hello: Hello;
  readonly isDialedHere: boolean;
  /** By the count of the end that let it in. */
  readonly count: number;
}

/** An attempt to connect. */
interface Attempt {
  readonly wire: Wire;
  readonly channel: Channel;
  readonly address: string;
  isHelloSent: boolean;
}

const REFUSAL_REASONS: ReadonlySet<string> = new Set<RefusalReason>(['not-a-member', 'other-cluster', 'other-version']);

/** One other member. */
export class Peer implements ConnectionOwner {
  readonly #components: PeerComponents;
  readonly #id: NodeId;
  /** This node's id is the lower one. */
  readonly #isLower: boolean;
  /** Where others say that it is found, and where it says so itself, if that is elsewhere. */
  #named: string;
  #moved: string | undefined;
  #control: Control | undefined;
  #bulk: Wire | undefined;
  #attempt: Attempt | undefined;
  /** Attempts without success. */
  #failures = 0;
  #timer: Timer | undefined;
  #sweepsUp = 0;
  #isStopped = false;
  /** The last that went wrong: the same is not logged twice. */
  #trouble = '';

  constructor(
    components: PeerComponents,
    init: { readonly own: NodeId; readonly peer: NodeId; readonly address: string },
  ) {
    this.#components = components;
    this.#id = init.peer;
    this.#isLower = init.own < init.peer;
    this.#named = init.address;
  }

  /** Both connections stand. */
  get isUp(): boolean {
    return this.#bulk !== undefined;
  }

  /** Connects at once, unless a connection stands. */
  start(): void {
    if (this.#control !== undefined) return;
    this.#giveUp();
    this.#failures = 0;
    this.#dial('control');
  }

  /** Where others say that it is found from now on; tried at once where that is new. */
  rename(address: string): void {
    if (address === this.#named) return;
    this.#named = address;
    this.#moved = undefined;
    this.start();
  }

  /** Closes everything, for good. Nobody is told. */
  stop(): void {
    this.#isStopped = true;
    this.#giveUp();
    this.#drop();
  }

  /** False where it is not up, or has too much waiting. */
  send(channel: Channel, bytes: Uint8Array): boolean {
    const wire = this.#wireOf(channel);
    if (wire === undefined) return false;
    if (wire.queuedBytes + bytes.length > QUEUE_BYTES_MAX[channel]) return false;
    wire.send(KIND.message, bytes);
    return true;
  }

  /** Bytes that wait here to be sent; 0 where it is not up. */
  queuedBytes(channel: Channel): number {
    return this.#wireOf(channel)?.queuedBytes ?? 0;
  }

  /** The peer says hello on a connection that it dialed. False: it is a duplicate, and to be refused. */
  meet(wire: Wire, hello: Hello): boolean {
    return hello.channel === 'bulk' ? this.#meetBulk(wire, hello) : this.#meetControl(wire, hello);
  }

  /** Once every `SWEEP_MS`. */
  sweep(): void {
    if (this.isUp && ++this.#sweepsUp === HELD_SWEEPS) this.#failures = 0;
  }

  // What its connections tell.

  secured(wire: Wire): void {
    const attempt = this.#attempt!;
    attempt.isHelloSent = true;
    const count = this.#control?.count ?? this.#components.admissions.count;
    wire.send(KIND.hello, this.#components.hello(attempt.channel, count));
  }

  frame(wire: Wire, kind: number, body: Uint8Array): void {
    if (kind === KIND.message && this.isUp) {
      this.#components.handlers()?.message(this.#id, wire === this.#bulk ? 'bulk' : 'control', body);
      return;
    }
    try {
      if (wire !== this.#attempt?.wire)
        throw new TuttiError('BAD_FRAME', 'A message came before both ends were ready.');
      if (kind === KIND.welcome) this.#welcomed(this.#attempt, body);
      else if (kind === KIND.refusal) this.#refused(this.#attempt, decodeRefusal(body));
      else throw new TuttiError('BAD_FRAME', `A frame of kind ${kind} is no answer to a hello.`);
    } catch (error) {
      if (!(error instanceof TuttiError && error.code === 'BAD_FRAME')) throw error;
      this.lost(wire, 'bad-frame', error);
    }
  }

  lost(wire: Wire, reason: CloseReason, error: Error | undefined): void {
    this.#components.count(reason);
    if (wire === this.#attempt?.wire) this.#explain(this.#attempt, reason, error);
    this.#startOver(reason);
  }

  /** Undefined where it is not up. */
  #wireOf(channel: Channel): Wire | undefined {
    if (!this.isUp) return undefined;
    return channel === 'bulk' ? this.#bulk : this.#control?.wire;
  }

  /** Rules 2 and 3. */
  #meetControl(wire: Wire, hello: Hello): boolean {
    const { admissions } = this.#components;
    const control = this.#control;
    if (control !== undefined) {
      const isGhost = control.isDialedHere && control.hello.session === hello.session && hello.count < control.count;
      if (isGhost) return false;
      this.#components.count('broken');
      this.#startOver('broken');
      // Whoever was told of the loss may have ended it all.
      if (this.#isStopped) return false;
    } else if (this.#isLower && this.#attempt?.isHelloSent === true) {
      return false;
    }
    this.#giveUp();
    const count = ++admissions.count;
    wire.send(KIND.welcome, this.#components.hello('control', count));
    wire.owner = this;
    wire.becomeMember('control');
    this.#control = { wire, hello, isDialedHere: false, count };
    this.#noteAddress(hello.address);
    return true;
  }

  /** Rule 4. */
  #meetBulk(wire: Wire, hello: Hello): boolean {
    const control = this.#control;
    if (control === undefined || control.isDialedHere || this.#bulk !== undefined) return false;
    if (control.hello.session !== hello.session || control.count !== hello.count) return false;
    wire.send(KIND.welcome, this.#components.hello('bulk', control.count));
    wire.owner = this;
    this.#goUp(control, wire);
    return true;
  }

  #welcomed(attempt: Attempt, body: Uint8Array): void {
    if (versionOf(body) !== PROTOCOL_VERSION) throw new TuttiError('BAD_FRAME', 'A welcome in another version.');
    const hello = decodeHello(body);
    const { wire, channel } = attempt;
    if (hello.node !== this.#id || hello.channel !== channel || !this.#components.isOwnCluster(hello)) {
      this.lost(wire, 'other-node', undefined);
      return;
    }
    this.#attempt = undefined;
    wire.becomeMember(channel);
    if (channel === 'bulk') {
      this.#goUp(this.#control!, wire);
      return;
    }
    // The peer is up before this node is, and what it sends then must wait here.
    wire.hold();
    this.#control = { wire, hello, isDialedHere: true, count: hello.count };
    this.#dial('bulk', attempt.address);
  }

  #refused(attempt: Attempt, { code, detail }: Refusal): void {
    if (REFUSAL_REASONS.has(code)) this.#tellRefused(code as RefusalReason, detail);
    else if (code !== 'duplicate') this.#noteTrouble(`${attempt.address}: ${detail}`);
    this.#startOver('broken');
  }

  #goUp(control: Control, bulk: Wire): void {
    bulk.becomeMember('bulk');
    this.#bulk = bulk;
    this.#sweepsUp = 0;
    this.#trouble = '';
    const { incarnation, card } = control.hello;
    this.#components.log.info('peer is up', { peer: this.#id });
    this.#components.handlers()?.up(this.#id, { incarnation, card });
    control.wire.release();
  }

  /** Closes whatever there is, and dials again in a while. */
  #startOver(reason: CloseReason): void {
    const wasUp = this.isUp;
    this.#giveUp();
    this.#drop();
    if (this.#isStopped) return;
    const delayMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(this.#failures, 16));
    this.#timer = this.#components.later(
      `connect to ${this.#id}`,
      delayMs * (0.5 + 0.5 * this.#components.draw()),
      () => {
        this.#timer = undefined;
        this.#dial('control');
      },
    );
    if (!wasUp) return;
    this.#components.log.info('peer is down', { peer: this.#id, reason });
    this.#components.handlers()?.down(this.#id);
  }

  #dial(channel: Channel, address = this.#nextAddress()): void {
    if (channel === 'control') this.#failures++;
    const wire = this.#components.dial(address, this);
    if (wire === undefined) this.#startOver('broken');
    else this.#attempt = { wire, channel, address, isHelloSent: false };
  }

  /** Where it says that it is found may be wrong just as well as where others do: turn and turn about. */
  #nextAddress(): string {
    return this.#failures % 2 === 0 ? (this.#moved ?? this.#named) : this.#named;
  }

  #giveUp(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#attempt?.wire.close();
    this.#attempt = undefined;
  }

  #drop(): void {
    this.#control?.wire.close();
    this.#control = undefined;
    this.#bulk?.close();
    this.#bulk = undefined;
  }

  #noteAddress(address: string): void {
    if (address === (this.#moved ?? this.#named)) return;
    this.#moved = address === this.#named ? undefined : address;
    this.#components.log.info('peer is found at another address', { peer: this.#id, address });
    this.#components.handlers()?.moved(this.#id, address);
  }

  #explain(attempt: Attempt, reason: CloseReason, error: Error | undefined): void {
    if (error === undefined) {
      this.#noteTrouble(`${attempt.address}: ${reason}`);
      return;
    }
    const { code, detail } = connectError(attempt.address, error);
    if (code === 'KEY_REFUSED') this.#tellRefused('wrong-key', detail);
    else this.#noteTrouble(detail);
  }

  #tellRefused(reason: RefusalReason, detail: string): void {
    this.#noteTrouble(detail);
    this.#components.handlers()?.refused(this.#id, reason, detail);
  }

  #noteTrouble(trouble: string): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#components.log.warn('peer cannot be reached', { peer: this.#id, trouble });
  }
}
