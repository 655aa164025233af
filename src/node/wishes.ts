/**
 * Wishes: what a person can ask for, whichever way it came: page, command line, button, panel, another program.
 *
 * Each becomes a proposal to the replicated log, and changes nothing itself. It resolves with its {@link Outcome} once it was agreed and this
 * node knows, a refusal too; it rejects with the errors of {@link Wishes.ask}, or of finding what it names, where nothing came into
 * the log. `origin` says who asks.
 */
import { type Command, type CommandOf, type Origin, TRACKS_LOST_MAX } from '../cluster/command.js';
import type { Done, Outcome } from '../cluster/outcome.js';
import { type ErrorCode, TuttiError } from '../core/errors.js';
import type { ItemId, NodeId, Slot } from '../core/ids.js';
import type { OutputChannels } from '../core/output-channels.js';
import type { Track } from '../library/track.js';
import type { Repeat } from '../playback/model.js';
import type { Log } from '../ports/log.js';
import type { Random } from '../ports/random.js';
import type { IncomingTrack } from './add-track.js';
import type { Agreement } from './agreement.js';
import type { MemberView } from './members.js';
import type { Tracks } from './tracks.js';

/** Errors of a name that may have become known meanwhile. */
const UNKNOWN: ReadonlySet<ErrorCode> = new Set(['TRACK_NOT_FOUND', 'NODE_NOT_FOUND']);

/** What was asked at `transport`, and by whom it was seen. */
export interface Expecting {
  /** The item that the person saw as current. */
  readonly expectItem?: string | undefined;
}

/** What wishes are carried out with: parts of one node. */
export interface WishesComponents {
  readonly log: Log;
  readonly random: Random;
  readonly agreement: Pick<Agreement, 'ask' | 'changeMembers' | 'readBarrier' | 'status'>;
  readonly tracks: Pick<Tracks, 'add' | 'lost'>;
  readonly isPlaying: () => boolean;
  /** Everyone who takes part. */
  readonly members: () => readonly MemberView[];
  /** The track with this id or title. @throws TuttiError TRACK_NOT_FOUND, TRACK_NOT_READY */
  readonly trackOf: (name: string) => Track;
  /** The member with this id or name. @throws TuttiError NODE_NOT_FOUND, AMBIGUOUS_NAME */
  readonly memberOf: (name: string) => NodeId;
}

/** The wishes of whoever is at one node. It holds no state of its own. */
export class Wishes {
  readonly #parts: WishesComponents;
  readonly #self: NodeId;

  constructor(components: WishesComponents, init: { readonly self: NodeId }) {
    this.#parts = components;
    this.#self = init.self;
  }

  // ---- Tracks -------------------------------------------------------------------------------------------------------------------

  /**
   * Takes a file in. Resolves when it is durable, verified and agreed.
   * @throws TuttiError BAD_NAME, UNSUPPORTED_AUDIO, INCOMPLETE_AUDIO, TRACK_EXISTS, KEY_REUSED, DISK_FULL, BUSY, NO_QUORUM
   */
  addTrack(incoming: IncomingTrack, origin: Origin): Promise<{ readonly track: Track; readonly outcome: Done }> {
    return this.#parts.tracks.add(incoming, origin);
  }

  async removeTrack(track: string, origin: Origin): Promise<Outcome> {
    const { id: trackId } = await this.#agreed(() => this.#parts.trackOf(track));
    return await this.ask({ type: 'track.remove', trackId }, origin);
  }

  async renameTrack(track: string, title: string, origin: Origin): Promise<Outcome> {
    const { id: trackId } = await this.#agreed(() => this.#parts.trackOf(track));
    return await this.ask({ type: 'track.rename', trackId, title }, origin);
  }

  // ---- Queue --------------------------------------------------------------------------------------------------------------------

  /** Adds tracks, by id or title, in their order before an item, next after the current one, or at the end. */
  async enqueue(
    tracks: readonly string[],
    place: { readonly beforeItemId?: string | undefined; readonly next?: boolean | undefined },
    origin: Origin,
  ): Promise<Outcome> {
    const trackIds = await this.#agreed(() => tracks.map((track) => this.#parts.trackOf(track).id));
    return await this.ask({ type: 'queue.add', trackIds, ...given(place) } as CommandOf<'queue.add'>, origin);
  }

  dequeue(item: string, origin: Origin): Promise<Outcome> {
    return this.ask({ type: 'queue.remove', itemId: item as ItemId }, origin);
  }

  /** Moves an item before another; null is the end. */
  move(item: string, before: string | null, origin: Origin): Promise<Outcome> {
    return this.ask({ type: 'queue.move', itemId: item as ItemId, beforeItemId: before as ItemId | null }, origin);
  }

  clear(origin: Origin): Promise<Outcome> {
    return this.ask({ type: 'queue.clear' }, origin);
  }

  shuffle(seed: number | undefined, origin: Origin): Promise<Outcome> {
    return this.ask({ type: 'queue.shuffle', seed: seed ?? this.#parts.random.u32() }, origin);
  }

  // ---- Transport ----------------------------------------------------------------------------------------------------------------

  async play(
    what: Expecting & { readonly trackId?: string | undefined; readonly itemId?: string | undefined },
    origin: Origin,
  ): Promise<Outcome> {
    const { trackId: name } = what;
    const trackId = name === undefined ? undefined : (await this.#agreed(() => this.#parts.trackOf(name))).id;
    return await this.ask(
      { type: 'transport.play', ...given({ ...what, trackId }) } as CommandOf<'transport.play'>,
      origin,
    );
  }

  /** Pause where it plays, else play: by what this node knows now. */
  toggle(expecting: Expecting, origin: Origin): Promise<Outcome> {
    return this.#parts.isPlaying() ? this.pause(expecting, origin) : this.play(expecting, origin);
  }

  pause(expecting: Expecting, origin: Origin): Promise<Outcome> {
    return this.#transport('pause', expecting, origin);
  }

  /** Silence, and back to the start of the queue. */
  stopPlaying(expecting: Expecting, origin: Origin): Promise<Outcome> {
    return this.#transport('stop', expecting, origin);
  }

  skip(expecting: Expecting, origin: Origin): Promise<Outcome> {
    return this.#transport('skip', expecting, origin);
  }

  previous(expecting: Expecting, origin: Origin): Promise<Outcome> {
    return this.#transport('previous', expecting, origin);
  }

  seek(positionMs: number, { expectItem }: Expecting, origin: Origin): Promise<Outcome> {
    return this.ask(
      { type: 'transport.seek', positionMs, ...given({ expectItem }) } as CommandOf<'transport.seek'>,
      origin,
    );
  }

  mode(repeat: Repeat, origin: Origin): Promise<Outcome> {
    return this.ask({ type: 'transport.mode', repeat }, origin);
  }

  // ---- Sound --------------------------------------------------------------------------------------------------------------------

  /** Volume and mute of the house, or of one node by id or name. */
  async volume(
    change: {
      readonly volume?: number | undefined;
      readonly delta?: number | undefined;
      readonly muted?: boolean | undefined;
      readonly node?: string | undefined;
    },
    origin: Origin,
  ): Promise<Outcome> {
    const { node: name } = change;
    const node = name === undefined ? undefined : await this.#agreed(() => this.#parts.memberOf(name));
    return await this.ask({ type: 'volume.set', ...given({ ...change, node }) } as CommandOf<'volume.set'>, origin);
  }

  /** How one node, by id or name, sounds. */
  async setOutput(
    node: string,
    change: { readonly latencyUs?: number | undefined; readonly channels?: OutputChannels | undefined },
    origin: Origin,
  ): Promise<Outcome> {
    const id = await this.#agreed(() => this.#parts.memberOf(node));
    return await this.ask({ type: 'output.set', node: id, ...given(change) } as CommandOf<'output.set'>, origin);
  }

  // ---- Members ------------------------------------------------------------------------------------------------------------------

  /**
   * Takes a node, by id or name, out of the house for good. Its card would have to join anew. `acceptLoss`: although tracks may be nowhere else;
   * those that no node has then are marked lost. Resolves with the slot that holds the last of it.
   * @throws TuttiError NODE_NOT_FOUND, TRACKS_AT_RISK, NO_QUORUM, OUTCOME_UNKNOWN, BUSY; LAST_MEMBER for a house's only node
   */
  async removeMember(name: string, { acceptLoss }: { readonly acceptLoss: boolean }): Promise<Slot> {
    const node = await this.#agreed(() => this.#parts.memberOf(name));
    if (this.#parts.members().length === 1) {
      throw new TuttiError('LAST_MEMBER', `${JSON.stringify(name.slice(0, 100))} is the only node of this cluster`);
    }
    const slot = await this.#parts.agreement.changeMembers({ type: 'remove', node, acceptLoss });
    return acceptLoss ? ((await this.#markLost()) ?? slot) : slot;
  }

  /** Asks the cluster for anything: see {@link Agreement.ask}. */
  ask(command: Command, origin: Origin): Promise<Outcome> {
    return this.#parts.agreement.ask(command, origin);
  }

  // ---- Inside ---

  /**
   * What a wish names. Somebody may have heard a moment ago, of another node, that it is there now: so nothing is called unknown before
   * this node knows all that was answered anywhere.
   * @throws TuttiError whatever `find` throws; NO_QUORUM where nobody can say
   */
  async #agreed<T>(find: () => T): Promise<T> {
    try {
      return find();
    } catch (error) {
      const isUnknown = error instanceof TuttiError && UNKNOWN.has(error.code);
      if (!isUnknown) throw error;
      await this.#parts.agreement.readBarrier();
      return find();
    }
  }

  /**
   * Marks the tracks that no node has any more. Resolves with the last slot that does so; null where there are none, or it could not be
   * agreed: the removal stands all the same, and the next one that accepts a loss looks again.
   */
  async #markLost(): Promise<Slot | null> {
    let slot: Slot | null = null;
    try {
      const lost = await this.#parts.tracks.lost(this.#parts.agreement.status().members);
      for (let at = 0; at < lost.length; at += TRACKS_LOST_MAX) {
        const trackIds = lost.slice(at, at + TRACKS_LOST_MAX);
        slot = (await this.ask({ type: 'track.lose', trackIds }, { node: this.#self, via: 'node' })).slot;
      }
      if (lost.length > 0)
        this.#parts.log.warn('No node has these tracks any more: they are marked lost.', { trackIds: lost });
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      const { code, detail } = error;
      this.#parts.log.warn('Tracks that no node has any more could not be marked lost.', { code, detail });
    }
    return slot;
  }

  #transport(
    verb: 'pause' | 'stop' | 'skip' | 'previous',
    { expectItem }: Expecting,
    origin: Origin,
  ): Promise<Outcome> {
    return this.ask({ type: `transport.${verb}`, ...given({ expectItem }) } as Command, origin);
  }
}

/** Only the fields that have a value: a command's schema tells "not given" from "given as nothing". */
function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
