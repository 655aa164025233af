/**
 * House: the life of a daemon, from an empty card to a node of a cluster.
 *
 *     waiting ----- init, join -----> running        (a card with a store is running from the start)
 *
 * A daemon whose card holds no store belongs to no cluster. It must not make one by itself: a Pi with a new card would found a house of
 * its own beside the one that its owner meant it to join. So it waits, says so, and answers every wish with NOT_A_MEMBER until somebody
 * tells it which of the two is wanted. There is no way back: a node that was removed keeps its store, and says that it was removed.
 */
import { type ErrorCode, TuttiError } from '../core/errors.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import type { MachineTrouble } from './machine-troubles.js';
import type { Node } from './node.js';

/** How soon joining is tried again: at first, and at most. Milliseconds: the others may be starting as well, or be off for the day. */
const JOIN_AGAIN_MS = 1_000;
const JOIN_AGAIN_MS_MAX = 30_000;

/** Which cluster to join. */
export interface JoinRequest {
  /** Of one node or several of the cluster, host or host:port for peers: asked in turn until one answers. */
  readonly addresses: readonly string[];
  /** 64 hexadecimal digits; null: the key file of this node holds it. */
  readonly key: string | null;
  /** Name or id of the member whose place this node takes. */
  readonly replace?: string | undefined;
}

/** A node that is ready to be started, and what has to be let go after it was stopped. */
export interface OpenedNode {
  readonly node: Node;
  close(): Promise<void>;
}

/** The card that a daemon stands on, and the wire to others. The composition root has the real one. */
export interface Ground {
  /** True where the card holds a store: this is a node already. @throws TuttiError STORE_UNREADABLE */
  hasStore(): Promise<boolean>;
  /** Makes the cluster's key, unless there is one, and a store for a cluster of this one node. @throws TuttiError DISK_FULL, DISK_FAILED */
  init(): Promise<void>;
  /** Asks to be let in, and makes a store for what the answer says; gives up when `signal` aborts. @throws TuttiError PEER_UNREACHABLE, KEY_REFUSED, NO_QUORUM, ... */
  join(request: JoinRequest, signal: AbortSignal): Promise<void>;
  /** Puts the node together. */
  open(): Promise<OpenedNode>;
}

/** What a house is made of. */
export interface HouseComponents {
  readonly ground: Ground;
  readonly time: Time;
  readonly log: Log;
  /** What is wrong with the controls and the settings: nothing where it is left out. */
  readonly machineTroubles?: () => readonly MachineTrouble[];
}

/** What is known of a daemon before it is a node. */
export interface HouseInit {
  /** As its owner named it. */
  readonly name: string;
  /** Of this software. */
  readonly version: string;
}

/** `start` once; `stop` is idempotent, leaves no timer, and ends the node. */
export class House {
  readonly init: HouseInit;
  readonly #ground: Ground;
  readonly #time: Time;
  readonly #log: Log;
  readonly #machineTroubles: () => readonly MachineTrouble[];
  readonly #listeners = new Set<() => void>();
  #opened: OpenedNode | null = null;
  /** Made, and not started yet. */
  #opening: OpenedNode | null = null;
  #unsubscribe: () => void = () => {};
  readonly #stopping = new AbortController();
  #work: Promise<unknown> | null = null;
  #httpUrl: string | null = null;
  #trouble: ErrorCode | null = null;
  /** Why it takes no part, where it does not. */
  #aside: TuttiError | null = null;
  #retry: Timer | null = null;

  constructor(components: HouseComponents, init: HouseInit) {
    this.init = init;
    this.#ground = components.ground;
    this.#time = components.time;
    this.#log = components.log;
    this.#machineTroubles = components.machineTroubles ?? (() => []);
  }

  /** Starts the node where the card holds one; else waits. @throws TuttiError STORE_UNREADABLE, PORT_IN_USE, DISK_FULL, DISK_FAILED */
  async start(): Promise<void> {
    const work = this.#startIfMember();
    this.#work = work;
    await work;
    this.#work = null;
  }

  /** In the place of `start`: this daemon belongs to no house for as long as it runs, and refuses every wish with `why`. */
  standAside(why: TuttiError): void {
    this.#aside = why;
    this.#trouble = why.code;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new TuttiError('NO_QUORUM', 'this node is stopping'));
    this.#retry?.cancel();
    this.#unsubscribe();
    // What waits for others, or for a disk that hangs, waits no longer.
    await this.#opening?.node.stop();
    await this.#work?.catch(() => {});
    await this.#opened?.node.stop();
    await this.#opened?.close();
    this.#listeners.clear();
  }

  /** Null while it waits. */
  get node(): Node | null {
    return this.#opened?.node ?? null;
  }

  /** @throws TuttiError NOT_A_MEMBER while it waits; why it stands aside, where it does */
  member(): Node {
    if (this.#opened !== null) return this.#opened.node;
    if (this.#aside !== null) throw this.#aside;
    throw new TuttiError('NOT_A_MEMBER', `${this.init.name} waits: it was told of no cluster yet`);
  }

  /** Why it stands aside, or why joining, which was asked for at the start, has not worked yet; null where neither is so. */
  get trouble(): ErrorCode | null {
    return this.#trouble;
  }

  /** All that needs attention while there is no node that says so. */
  troubles(): readonly ErrorCode[] {
    const ofMachine = this.#machineTroubles();
    return [...new Set(this.#trouble === null ? ofMachine : [this.#trouble, ...ofMachine])];
  }

  /** Forms a cluster of this one node. @throws TuttiError ALREADY_A_MEMBER, BUSY, DISK_FULL, DISK_FAILED, BAD_CONFIG of a key file */
  async form(): Promise<Node> {
    return await this.#become(() => this.#ground.init());
  }

  /** Joins a cluster. @throws TuttiError ALREADY_A_MEMBER, BUSY, BAD_REQUEST, PEER_UNREACHABLE, KEY_REFUSED, NO_QUORUM, NODE_NOT_FOUND of `replace` */
  async join(request: JoinRequest): Promise<Node> {
    return await this.#become(() => this.#ground.join(request, this.#stopping.signal));
  }

  /** Joins a cluster whenever that becomes possible, and goes on trying until then. */
  joinWhenPossible(request: JoinRequest): void {
    this.#tryToJoin(request, JOIN_AGAIN_MS);
  }

  /** Where HTTP is served from now on. */
  announce(httpUrl: string): void {
    this.#httpUrl = httpUrl;
    this.node?.announce(httpUrl);
  }

  /** Calls `listener` at every change of what there is to see, until the function that it gives is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #startIfMember(): Promise<void> {
    if (await this.#ground.hasStore()) await this.#open();
  }

  async #become(make: () => Promise<void>): Promise<Node> {
    if (this.#aside !== null) throw this.#aside;
    if (this.#opened !== null) {
      const { name, clusterId } = this.#opened.node.init;
      throw new TuttiError('ALREADY_A_MEMBER', `${name} belongs to the cluster ${clusterId}`);
    }
    if (this.#work !== null) throw new TuttiError('BUSY', 'another init or join is under way here');
    const work = this.#make(make);
    this.#work = work;
    try {
      return await work;
    } finally {
      this.#work = null;
    }
  }

  async #make(make: () => Promise<void>): Promise<Node> {
    // A store that is there all the same is that of an earlier try, which came no further.
    if (!(await this.#ground.hasStore())) await make();
    return await this.#open();
  }

  async #open(): Promise<Node> {
    const opened = await this.#ground.open();
    const { node } = opened;
    this.#opening = opened;
    try {
      this.#stopping.signal.throwIfAborted();
      await node.start();
    } catch (error) {
      await node.stop();
      await opened.close();
      throw error;
    } finally {
      this.#opening = null;
    }
    this.#opened = opened;
    this.#trouble = null;
    this.#unsubscribe = node.subscribe(() => this.#changed());
    if (this.#httpUrl !== null) node.announce(this.#httpUrl);
    this.#changed();
    return node;
  }

  #tryToJoin(request: JoinRequest, againMs: number): void {
    this.join(request).catch((error: unknown) => {
      if (!(error instanceof TuttiError)) throw error;
      if (this.#stopping.signal.aborted || error.code === 'ALREADY_A_MEMBER') return;
      if (this.#trouble !== error.code) {
        this.#trouble = error.code;
        this.#log.warn('Joining the cluster has not worked yet, and is tried again.', {
          code: error.code,
          detail: error.detail,
        });
        this.#changed();
      }
      const nextMs = Math.min(JOIN_AGAIN_MS_MAX, 2 * againMs);
      this.#retry = this.#time.after('house.join-again', againMs, () => this.#tryToJoin(request, nextMs));
    });
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
