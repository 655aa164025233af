/**
 * Clients: people and their programs, who ask any node of the house, again with the same key where no answer came, and another node then.
 *
 * Every attempt is told apart by a field that the state machine does not know (and keeps), so that the bytes of no two attempts are equal;
 * what makes a repeat harmless is the key.
 */
import type { Command } from '../../src/cluster/command.js';
import { TuttiError } from '../../src/core/errors.js';
import type { Prng } from '../../src/core/prng.js';
import type { Time, Timer } from '../../src/ports/time.js';
import type { Observation } from './checkers/observation.js';
import type { Machine } from './machine.js';
import { patiently } from './patience.js';
import { around, chance, pick } from './streams.js';
import { Uploaders } from './uploaders.js';

/** A client that hears nothing for this long asks somebody else, milliseconds: longer than a node waits. */
const PATIENCE_MS = 8_000;
/** How often it asks with one key. */
const ATTEMPTS_MAX = 4;
/** A wordy attempt is padded by up to this: its batch takes several pages, of which a power cut may leave some. Characters. */
const PADDING_MAX = 5_000;

/** What clients work with. */
export interface ClientsComponents {
  /** True time. */
  readonly time: Time;
  readonly prng: Prng;
  /** Whom they may ask now. */
  machines(): readonly Machine[];
  observe(observation: Observation): void;
  trace(who: string, text: string): void;
  /** Somebody begins to send a file there. */
  uploading(machine: Machine): void;
}

/** How many and how busy: see knobs.ts. */
export interface ClientsInit {
  readonly clients: number;
  readonly thinkMs: number;
  readonly readShare: number;
  readonly wordyShare: number;
  readonly filesShare: number;
}

/** What clients came to. */
export interface ClientCounts {
  writes: number;
  reads: number;
  /** Asked once more with the same key. */
  retries: number;
  /** Given up: the answer never came. */
  unanswered: number;
}

/** What the attempts at one thing have in common. */
interface Retry {
  readonly key: string;
  readonly firstSentNs: bigint;
}

/** All clients of one simulation. */
export class Clients {
  readonly counts: ClientCounts = { writes: 0, reads: 0, retries: 0, unanswered: 0 };
  readonly #parts: ClientsComponents;
  readonly #init: ClientsInit;
  readonly #uploaders: Uploaders;
  #running = false;
  #timers = new Set<Timer>();
  #asked = 0;
  #attempts = 0;
  #reads = 0;
  #underWay = 0;

  constructor(components: ClientsComponents, init: ClientsInit) {
    this.#parts = components;
    this.#init = init;
    this.#uploaders = new Uploaders({ ...components, ask: (who, command) => this.#ask(who, command) });
  }

  /** They begin to ask. */
  start(): void {
    this.#running = true;
    for (let client = 0; client < this.#init.clients; client++) this.#think(`c${client}`);
  }

  /** Files that were sent and answered, and tracks that were heard whole. */
  get files(): { readonly uploads: number; readonly heard: number } {
    return this.#uploaders;
  }

  /** Nothing that they asked is unanswered. */
  get isQuiet(): boolean {
    return this.#underWay === 0;
  }

  /** They ask nothing new; what is under way goes on. */
  stop(): void {
    this.#running = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  /** Asks `machine` for a small change now; resolves with whether it was done, or refused by the state. */
  async probe(machine: Machine): Promise<boolean> {
    const key = `probe-${this.#asked++}`;
    const firstSentNs = machine.clock()?.clusterNs ?? 0n;
    return await this.#attempt('probe', machine, { type: 'volume.set', delta: 0 }, { key, firstSentNs });
  }

  /** A strong read at `machine`; resolves with whether it was answered. */
  async read(who: string, machine: Machine): Promise<boolean> {
    const { observe, trace } = this.#parts;
    const read = this.#reads++;
    observe({ type: 'read-began', read });
    trace(who, `reads at ${machine.name}`);
    const slot = await this.#withPatience(machine.readBarrier());
    if (slot === null) {
      trace(who, 'gets no answer to its read');
      return false;
    }
    this.counts.reads++;
    observe({ type: 'read-ended', read, slot, seen: machine.appliedSlot });
    trace(who, `reads slot ${slot} at ${machine.name}`);
    return true;
  }

  #think(client: string): void {
    if (!this.#running) return;
    const { time, prng } = this.#parts;
    const timer = time.after('client', 1 + around(prng, this.#init.thinkMs), () => {
      this.#timers.delete(timer);
      void this.#act(client).then(() => this.#think(client));
    });
    this.#timers.add(timer);
  }

  async #act(client: string): Promise<void> {
    const { prng } = this.#parts;
    const machines = this.#parts.machines();
    if (machines.length === 0) return;
    if (chance(prng, this.#init.readShare)) {
      await this.read(client, pick(prng, machines));
      return;
    }
    const first = pick(prng, machines);
    const command = chance(prng, this.#init.filesShare) ? null : this.#command(first);
    if (command !== null) await this.#ask(client, command, first);
    else await this.#waited(this.#uploaders.act(client));
  }

  async #ask(client: string, command: Command, first: Machine | null = null): Promise<void> {
    const { prng } = this.#parts;
    const key = `${client}-${this.#asked++}`;
    // Cluster time at which it asks first: a retry that comes after the key was forgotten must be refused, not done again.
    const firstSentNs = first?.clock()?.clusterNs ?? 0n;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const up = this.#parts.machines();
      if (up.length > 0 && (await this.#attempt(client, pick(prng, up), command, { key, firstSentNs }))) return;
      this.counts.retries++;
    }
    this.counts.unanswered++;
  }

  async #attempt(client: string, machine: Machine, command: Command, { key, firstSentNs }: Retry): Promise<boolean> {
    const { trace } = this.#parts;
    const attempt = this.#attempts++;
    trace(client, `asks ${machine.name} for ${command.type} (${key}, attempt ${attempt})`);
    const origin = { node: machine.identity!.node, via: 'api' as const, key, firstSentNs };
    const { prng } = this.#parts;
    const padding = chance(prng, this.#init.wordyShare) ? 'x'.repeat(prng.below(PADDING_MAX)) : '';
    const asked: Command = Object.assign({ attempt, padding }, command);
    const outcome = await this.#withPatience(machine.ask(asked, origin));
    trace(
      client,
      outcome === null ? `${key}: no answer` : `${key}: ${outcome.ok ? 'done' : outcome.code} in slot ${outcome.slot}`,
    );
    if (outcome !== null) this.counts.writes++;
    return outcome !== null;
  }

  /** Null where no answer comes in time, or only that there is none. */
  async #withPatience<T>(answer: Promise<T>): Promise<T | null> {
    const given = await this.#waited(patiently(this.#parts.time, PATIENCE_MS, answer));
    return given instanceof TuttiError ? null : given;
  }

  /** Somebody waits for something. */
  async #waited<T>(answer: Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await answer;
    } finally {
      this.#underWay--;
    }
  }

  /** Something that a house is asked for; null where it has nothing yet to be asked for. */
  #command(machine: Machine): Command | null {
    const { prng } = this.#parts;
    const state = machine.state;
    const tracks = state === null ? [] : state.library.list().map(({ id }) => id);
    if (tracks.length < 2) return null;
    const queue = state?.playback.queue ?? [];
    const draw = prng.below(19);
    if (draw < 6) return { type: 'queue.add', trackIds: [pick(prng, tracks), pick(prng, tracks)] };
    if (draw < 8) return { type: 'transport.play' };
    if (draw < 9) return { type: 'transport.pause' };
    if (draw < 11) return { type: 'transport.skip' };
    if (draw < 12) return { type: 'transport.seek', positionMs: prng.below(5_000) };
    if (draw < 13) return { type: 'queue.shuffle', seed: prng.u32() };
    if (draw < 14 && queue.length > 20) return { type: 'queue.clear' };
    if (draw < 15) return { type: 'transport.mode', repeat: pick(prng, ['off', 'all', 'one'] as const) };
    if (draw < 16) return { type: 'track.rename', trackId: pick(prng, tracks), title: `song ${prng.below(20)}` };
    return { type: 'volume.set', delta: prng.below(21) - 10 };
  }
}
