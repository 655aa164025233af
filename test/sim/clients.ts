/**
 * Clients: people and their programs, who ask any node of the house, again with the same key where no answer came, and another node then.
 *
 * Every attempt is told apart by a field that the state machine does not know (and keeps), so that the bytes of no two attempts are equal;
 * what makes a repeat harmless is the key.
 */
import type { Command } from '../../src/cluster/command.js';
import { TuttiError } from '../../src/core/errors.js';
import type { TrackId } from '../../src/core/ids.js';
import type { Prng } from '../../src/core/prng.js';
import type { Time, Timer } from '../../src/ports/time.js';
import type { Observation } from './checkers/observation.js';
import type { Machine } from './machine.js';
import { around, chance, pick } from './streams.js';

/** A client that hears nothing for this long asks somebody else, milliseconds: longer than a node waits. */
const PATIENCE_MS = 8_000;
/** How often it asks with one key. */
const ATTEMPTS_MAX = 4;
/** A wordy attempt is padded by up to this: its batch takes several pages, of which a power cut may leave some. Characters. */
const PADDING_MAX = 5_000;
/** Tracks that the house may know. */
const TRACKS = 6;

/** What clients work with. */
export interface ClientsComponents {
  /** True time. */
  readonly time: Time;
  readonly prng: Prng;
  /** Whom they may ask now. */
  machines(): readonly Machine[];
  observe(observation: Observation): void;
  trace(who: string, text: string): void;
}

/** How many and how busy: see knobs.ts. */
export interface ClientsInit {
  readonly clients: number;
  readonly thinkMs: number;
  readonly readShare: number;
  readonly wordyShare: number;
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
  #running = false;
  #timers = new Set<Timer>();
  #asked = 0;
  #attempts = 0;
  #reads = 0;
  #underWay = 0;

  constructor(components: ClientsComponents, init: ClientsInit) {
    this.#parts = components;
    this.#init = init;
  }

  /** They begin to ask. */
  start(): void {
    this.#running = true;
    for (let client = 0; client < this.#init.clients; client++) this.#think(`c${client}`);
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
    const key = `${client}-${this.#asked++}`;
    const first = pick(prng, machines);
    const command = this.#command(first);
    // Cluster time at which it asks first: a retry that comes after the key was forgotten must be refused, not done again.
    const firstSentNs = first.clock()?.clusterNs ?? 0n;
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
    let giveUp = () => {};
    const patience = new Promise<null>((resolve) => {
      giveUp = () => resolve(null);
    });
    const timer = this.#parts.time.after('patience', PATIENCE_MS, giveUp);
    this.#underWay++;
    try {
      return await Promise.race([answer, patience]);
    } catch (error) {
      if (error instanceof TuttiError) return null;
      throw error;
    } finally {
      this.#underWay--;
      timer.cancel();
    }
  }

  /** Something that a house is asked for. */
  #command(machine: Machine): Command {
    const { prng } = this.#parts;
    const state = machine.state;
    const tracks = state === null ? [] : state.library.list().map(({ id }) => id);
    if (tracks.length < 2) return addTrack(prng.below(TRACKS));
    const queue = state?.playback.queue ?? [];
    const draw = prng.below(20);
    if (draw < 6) return { type: 'queue.add', trackIds: [pick(prng, tracks), pick(prng, tracks)] };
    if (draw < 8) return { type: 'transport.play' };
    if (draw < 9) return { type: 'transport.pause' };
    if (draw < 11) return { type: 'transport.skip' };
    if (draw < 12) return { type: 'transport.seek', positionMs: prng.below(5_000) };
    if (draw < 13) return { type: 'queue.shuffle', seed: prng.u32() };
    if (draw < 14 && queue.length > 20) return { type: 'queue.clear' };
    if (draw < 15) return { type: 'transport.mode', repeat: pick(prng, ['off', 'all', 'one'] as const) };
    if (draw < 16) return addTrack(prng.below(TRACKS));
    if (draw < 17) return { type: 'track.remove', trackId: pick(prng, tracks) };
    return { type: 'volume.set', delta: prng.below(21) - 10 };
  }
}

const addTrack = (number: number): Command => ({
  type: 'track.add',
  track: {
    id: String(number).repeat(64) as TrackId,
    title: `track ${number}`,
    fileName: `track ${number}.wav`,
    format: { sampleRate: 48_000, channels: 2, sample: 's16', dataOffset: 44, channelMask: 0 },
    bytes: 44 + 4 * 48_000 * (20 + number),
    frames: 48_000 * (20 + number),
    tags: {},
    loudness: { integratedLufs: -18, samplePeak: 0.5 },
    source: { node: '0'.repeat(32) as never, via: 'http' },
    holders: [],
    addedAt: 0,
  },
});
