/**
 * Node: what a person can ask for, whichever way the wish came (page, command line, button, panel, another program).
 *
 * A wish becomes a proposal to the replicated log; what the log hands back is applied to the cluster's state; and from that state follow
 * the player's program, the files on this node's disk and what everyone who watches is told. Nothing is changed but by an entry.
 *
 *     wish -> check -> log.propose ... log.apply -> cluster.apply -> program, files, listeners
 *
 * Ends of songs need no entry: a timer wakes the node then, so that watchers hear of it and the program reaches on.
 */
import { Cluster } from '../cluster/cluster.js';
import { encodeProposal } from '../cluster/codec.js';
import { COMMAND_VERSION, type Command, type CommandOf, LEAD_NS_MAX, type Origin } from '../cluster/command.js';
import type { Done, Outcome } from '../cluster/outcome.js';
import { assert } from '../core/assert.js';
import { type ErrorCode, TuttiError } from '../core/errors.js';
import {
  type BootId,
  type ClusterId,
  type Incarnation,
  type ItemId,
  isTrackId,
  type NodeId,
  type TrackId,
} from '../core/ids.js';
import type { OutputChannels } from '../core/output-channels.js';
import { type ClusterTime, NS_PER_MS, NS_PER_S } from '../core/units.js';
import { cleanTitle, titleKey } from '../library/title.js';
import type { Track } from '../library/track.js';
import type { Repeat } from '../playback/model.js';
import { endOfCurrent } from '../playback/timeline.js';
import type { PlayerStatus } from '../player/loop.js';
import type { Player } from '../player/player.js';
import type { Log } from '../ports/log.js';
import type { Random } from '../ports/random.js';
import type { Time, Timer } from '../ports/time.js';
import type { LogEntry, LogStatus, ReplicatedLog, TermStart } from '../replication/replicated-log.js';
import type { TrackClient } from '../tracks/track-client.js';
import { FREE_BYTES_MIN } from '../tracks/track-store.js';
import { addTrack, type IncomingTrack } from './add-track.js';
import { programOf, type SoundSettings } from './program.js';
import { Uploads } from './uploads.js';

/**
 * What a change of sound needs to reach this node's card beyond what is queued there already: 15 ms until the player looks at its queue
 * again and has rendered a block, and 25 ms for the reader to open another file. Milliseconds.
 */
const LEAD_BEYOND_QUEUE_MS = 40;
/** The cluster takes no longer lead. Milliseconds. */
const LEAD_MS_MAX = Number(LEAD_NS_MAX / NS_PER_MS);
/** The leader notes where the music stands this often within an item: so much of it a dark house may hear again. Milliseconds. */
const MARK_EVERY_MS = 300_000;
/** No more marks than this, however short the songs are. Nanoseconds. */
const MARK_GAP_NS_MIN = NS_PER_S;
/** No more wake-ups for ends of songs than this: a program reaches 64 songs ahead anyway. Milliseconds. */
const BOUNDARY_MS_MIN = 50;
/** How often output and disk are looked at. Milliseconds. */
const WATCH_MS = 500;
const SPACE_EVERY_MS = 10_000;
/** How many outcomes wait for their askers at most: more than can wait in a log. */
const OUTCOMES_MAX = 4_096;

/** The thread that plays. */
export type Playout = Pick<Player, 'start' | 'set' | 'setClock' | 'status' | 'stop'>;

/** What a node is made of. It starts and stops `consensus` and `playout`, and opens and closes `files`; the rest is lent to it. */
export interface NodeComponents {
  readonly time: Time;
  readonly random: Random;
  readonly log: Log;
  readonly consensus: ReplicatedLog;
  readonly files: TrackClient;
  readonly playout: Playout;
}

/** Who this node is, for as long as the process runs. */
export interface NodeInit {
  readonly id: NodeId;
  readonly incarnation: Incarnation;
  readonly bootId: BootId;
  readonly clusterId: ClusterId;
  /** As its owner named it. */
  readonly name: string;
  /** Of this software. */
  readonly version: string;
  /** host:port for peers. */
  readonly address: string;
  /** From the configuration; latency and channels may be changed from afar. */
  readonly sound: SoundSettings;
}

/** Something that needs attention. */
export interface Alert {
  readonly code: ErrorCode;
  readonly severity: 'info' | 'warn' | 'error';
  readonly since: ClusterTime;
}

/** What was asked at `transport`, and by whom it was seen. */
export interface Expecting {
  /** The item that the person saw as current. */
  readonly expectItem?: string | undefined;
}

/**
 * One node of the house, on the main thread: `start` once, then ask; `stop` is idempotent and leaves no timer.
 *
 * Every wish resolves with its {@link Outcome} once it was agreed and this node knows, a refusal too; it rejects with the errors of
 * {@link Node.ask}, or of finding what it names, where nothing came into the log. `origin` says who asks.
 */
export class Node {
  readonly init: NodeInit;
  readonly uploads: Uploads;
  readonly #time: Time;
  readonly #random: Random;
  readonly #log: Log;
  readonly #consensus: ReplicatedLog;
  readonly #files: TrackClient;
  readonly #playout: Playout;
  readonly #cluster = Cluster.empty();
  /** Outcomes by slot, until whoever proposed has fetched them; the oldest leave first. */
  readonly #outcomes = new Map<number, Outcome>();
  readonly #listeners = new Set<() => void>();
  /** Tracks whose files are in their place here, and the title that the description on the disk has. */
  readonly #held = new Map<TrackId, string>();
  /** The last of what is being done to a track's files: see {@link Node.#inTurn}. */
  readonly #turns = new Map<TrackId, Promise<void>>();
  readonly #alerts = new Map<ErrorCode, Alert>();
  #timers: Timer[] = [];
  #boundary: Timer | null = null;
  #generation = 0;
  #viewRev = 0;
  #httpUrl = '';
  #space = { freeBytes: 0, totalBytes: 0 };
  #outputState = '';
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(components: NodeComponents, init: NodeInit) {
    this.init = init;
    this.#time = components.time;
    this.#random = components.random;
    this.#log = components.log;
    this.#consensus = components.consensus;
    this.#files = components.files;
    this.#playout = components.playout;
    this.uploads = new Uploads({ time: components.time, changed: () => this.#changed() });
  }

  /** Takes part in the cluster, lists what lies on the disk, and plays. @throws TuttiError DISK_FULL, DISK_FAILED */
  async start(): Promise<void> {
    assert(this.#state === 'new', 'a node is started once');
    const stored = await this.#files.open();
    for (const problem of stored.problems) this.#log.warn('A track file was left out.', { problem });
    if (stored.removedTemporaries > 0) {
      this.#log.info('Removed what uploads that were cut off had left.', { files: stored.removedTemporaries });
    }
    this.#state = 'running';
    await this.#consensus.start({
      apply: (entry) => this.#apply(entry),
      termStart: (term) => this.#termStart(term),
      statusChanged: () => this.#changed(),
    });
    await this.#playout.start();
    this.#playout.setClock(this.#consensus.clockLine());
    await this.#describe();
    await this.#propose({
      type: 'member.boot',
      node: this.init.id,
      incarnation: this.init.incarnation,
      bootId: this.init.bootId,
    });
    for (const track of stored.tracks) await this.#restore(track);
    await this.#lookAtSpace();
    this.#refresh();
    this.#timers = [
      this.#time.every('node.watch', WATCH_MS, () => this.#watch()),
      this.#time.every('node.space', SPACE_EVERY_MS, () => this.#inBackground(this.#lookAtSpace())),
      this.#time.every('transport.mark', MARK_EVERY_MS, () => this.#mark()),
    ];
  }

  /** Idempotent: notes where the music stands, falls silent, and leaves no timer. */
  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopped';
    for (const timer of this.#timers) timer.cancel();
    this.#boundary?.cancel();
    if (this.#isPlaying()) await this.#propose({ type: 'transport.mark' });
    await this.#consensus.stop();
    await this.#playout.stop();
    await this.#files.close();
    this.#boundary?.cancel();
    this.uploads.stop();
    this.#listeners.clear();
  }

  // ---- What there is to see -----------------------------------------------------------------------------------------------------

  /** The agreed state. To be read, and never to be applied to. */
  get cluster(): Pick<Cluster, 'view' | 'library' | 'member' | 'appliedSlot' | 'playbackAt'> {
    return this.#cluster;
  }

  /** Moves with every change of what there is to see. */
  get viewRev(): number {
    return this.#viewRev;
  }

  /** Cluster time now. */
  now(): ClusterTime {
    return this.#consensus.now();
  }

  logStatus(): LogStatus {
    return this.#consensus.status();
  }

  /** How the sound leaves this node. One that has no card is silent whenever music plays, and says so. */
  outputStatus(): PlayerStatus {
    const status = this.#playout.status();
    return status.driver === 'none' && this.#isPlaying()
      ? { ...status, state: 'silent', reason: 'OUTPUT_UNAVAILABLE' }
      : status;
  }

  /** Room on the disk, as of a few seconds ago. */
  space(): { readonly freeBytes: number; readonly totalBytes: number; readonly refusing: boolean } {
    return { ...this.#space, refusing: this.#space.freeBytes <= FREE_BYTES_MIN };
  }

  /** True where this node has the file. */
  holds(track: TrackId): boolean {
    return this.#held.has(track);
  }

  get heldCount(): number {
    return this.#held.size;
  }

  alerts(): readonly Alert[] {
    return [...this.#alerts.values()];
  }

  /** How this node sounds: its configuration, and what was set from afar. */
  sound(): SoundSettings {
    const { sound, id } = this.init;
    const output = this.#cluster.member(id)?.output;
    return {
      ...sound,
      channels: output?.channels ?? sound.channels,
      latencyUs: output?.latencyUs ?? sound.latencyUs,
    };
  }

  /** What a change of sound needs to be obeyed here. A node that plays earlier by its latency has to know earlier. Milliseconds. */
  get leadMs(): number {
    const { queueMs, latencyUs } = this.sound();
    return Math.min(LEAD_MS_MAX, queueMs + LEAD_BEYOND_QUEUE_MS + Math.max(0, latencyUs) / 1_000);
  }

  /** Calls `listener` at every change of what there is to see, until the function that it gives is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ---- Tracks -------------------------------------------------------------------------------------------------------------------

  /**
   * Takes a file in. Resolves when it is durable, verified and agreed.
   * @throws TuttiError BAD_NAME, UNSUPPORTED_AUDIO, INCOMPLETE_AUDIO, TRACK_EXISTS, KEY_REUSED, DISK_FULL, BUSY, NO_QUORUM
   */
  addTrack(incoming: IncomingTrack, origin: Origin): Promise<{ readonly track: Track; readonly outcome: Done }> {
    return addTrack(
      {
        time: this.#time,
        files: this.#files,
        uploads: this.uploads,
        library: this.#cluster.library,
        self: { node: this.init.id, incarnation: this.init.incarnation },
        ask: (command, by) => this.ask(command, by),
        held: ({ id, title }) => this.#held.set(id, title),
        dropped: (id) => this.#held.delete(id),
        inTurn: (id, work) => this.#inTurn(id, work),
      },
      incoming,
      origin,
    ).finally(() => this.#inBackground(this.#lookAtSpace()));
  }

  async removeTrack(track: string, origin: Origin): Promise<Outcome> {
    return await this.ask({ type: 'track.remove', trackId: this.trackOf(track).id }, origin);
  }

  async renameTrack(track: string, title: string, origin: Origin): Promise<Outcome> {
    return await this.ask({ type: 'track.rename', trackId: this.trackOf(track).id, title }, origin);
  }

  /** The track with this id or title, with or without ".wav". @throws TuttiError TRACK_NOT_FOUND, TRACK_NOT_READY */
  trackOf(name: string): Track {
    const { library } = this.#cluster;
    const track = (isTrackId(name) ? library.get(name) : undefined) ?? library.findByTitle(name);
    if (track !== undefined) return track;
    const key = titleKey(cleanTitle(name));
    const coming = this.uploads
      .list()
      .some(
        ({ stage, title, trackId }) =>
          (stage === 'receiving' || stage === 'replicating') && (trackId === name || titleKey(title) === key),
      );
    const shown = JSON.stringify(name.slice(0, 100));
    if (coming) throw new TuttiError('TRACK_NOT_READY', `${shown} is still on its way in`);
    throw new TuttiError('TRACK_NOT_FOUND', `the library has no track with the id or title ${shown}`);
  }

  /** Bytes of a track's file from `offset` on, at most `length`; see TrackStore.read. @throws TuttiError TRACK_MISSING, DISK_FAILED */
  readTrack(id: TrackId, offset: number, length: number): Promise<Uint8Array> {
    return this.#files.read(id, offset, length);
  }

  /** The outline of a track, 2,048 bytes. @throws TuttiError TRACK_MISSING, DISK_FAILED */
  peaks(id: TrackId): Promise<Uint8Array> {
    return this.#files.peaks(id);
  }

  // ---- Queue --------------------------------------------------------------------------------------------------------------------

  /** Adds tracks, by id or title, in their order before an item, next after the current one, or at the end. */
  async enqueue(
    tracks: readonly string[],
    place: { readonly beforeItemId?: string | undefined; readonly next?: boolean | undefined },
    origin: Origin,
  ): Promise<Outcome> {
    const trackIds = tracks.map((track) => this.trackOf(track).id);
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
    return this.ask({ type: 'queue.shuffle', seed: seed ?? this.#random.u32() }, origin);
  }

  // ---- Transport ----------------------------------------------------------------------------------------------------------------

  async play(
    what: Expecting & { readonly trackId?: string | undefined; readonly itemId?: string | undefined },
    origin: Origin,
  ): Promise<Outcome> {
    const trackId = what.trackId === undefined ? undefined : this.trackOf(what.trackId).id;
    return await this.ask(
      { type: 'transport.play', ...given({ ...what, trackId }) } as CommandOf<'transport.play'>,
      origin,
    );
  }

  /** Pause where it plays, else play: by what this node knows now. */
  toggle(expecting: Expecting, origin: Origin): Promise<Outcome> {
    return this.#isPlaying() ? this.pause(expecting, origin) : this.play(expecting, origin);
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
    const node = change.node === undefined ? undefined : this.memberOf(change.node);
    return await this.ask({ type: 'volume.set', ...given({ ...change, node }) } as CommandOf<'volume.set'>, origin);
  }

  /** How one node, by id or name, sounds. */
  async setOutput(
    node: string,
    change: { readonly latencyUs?: number | undefined; readonly channels?: OutputChannels | undefined },
    origin: Origin,
  ): Promise<Outcome> {
    return await this.ask(
      { type: 'output.set', node: this.memberOf(node), ...given(change) } as CommandOf<'output.set'>,
      origin,
    );
  }

  /** The member with this id or name. @throws TuttiError NODE_NOT_FOUND */
  memberOf(name: string): NodeId {
    for (const { id } of this.logStatus().members) {
      if (id === name || this.#cluster.member(id)?.description?.name === name) return id;
    }
    throw new TuttiError(
      'NODE_NOT_FOUND',
      `the cluster has no node with the id or name ${JSON.stringify(name.slice(0, 100))}`,
    );
  }

  /** Tells the others where this node serves HTTP. */
  async announce(httpUrl: string): Promise<void> {
    this.#httpUrl = httpUrl;
    await this.#describe();
  }

  /**
   * Asks the cluster for anything. Resolves when it was decided and this node knows.
   * @throws TuttiError BAD_REQUEST, CLUSTER_TOO_OLD, BODY_TOO_LARGE, NO_QUORUM, OUTCOME_UNKNOWN: what was refused before it came into the log
   */
  async ask(command: Command, origin: Origin): Promise<Outcome> {
    const proposal = { command, origin };
    this.#cluster.check(proposal);
    const slot = await this.#consensus.propose(encodeProposal(proposal));
    const outcome = this.#outcomes.get(slot);
    this.#outcomes.delete(slot);
    assert(outcome !== undefined, 'an entry is applied before its proposer hears of it');
    return outcome;
  }

  // ---- Inside -------------------------------------------------------------------------------------------------------------------

  #transport(
    verb: 'pause' | 'stop' | 'skip' | 'previous',
    { expectItem }: Expecting,
    origin: Origin,
  ): Promise<Outcome> {
    return this.ask({ type: `transport.${verb}`, ...given({ expectItem }) } as Command, origin);
  }

  /** On this node's own account. */
  async #propose(command: Command): Promise<void> {
    const outcome = await this.ask(command, { node: this.init.id, via: 'node' });
    if (!outcome.ok) this.#log.warn('A proposal of this node was refused.', { type: command.type, code: outcome.code });
  }

  #describe(): Promise<void> {
    const { id, name, address, version } = this.init;
    return this.#propose({
      type: 'node.describe',
      node: id,
      name,
      address,
      httpUrl: this.#httpUrl,
      version,
      commandVersion: COMMAND_VERSION,
    });
  }

  /** Puts a track that lies on the disk into the library again; see memory-log.ts for why. */
  async #restore(track: Track): Promise<void> {
    this.#held.set(track.id, track.title);
    await this.#propose({ type: 'track.add', track });
  }

  #termStart(term: TermStart): Uint8Array {
    const { id } = this.init;
    const command: Command = { type: 'leader.begin', node: id, ...term, reproposed: [...term.reproposed] };
    return encodeProposal({ command, origin: { node: id, via: 'node' } });
  }

  #apply({ payload, ...place }: LogEntry): void {
    const { library } = this.#cluster;
    const revBefore = library.rev;
    const outcome = this.#cluster.applyEncoded(place, payload);
    this.#outcomes.set(place.slot, outcome);
    if (this.#outcomes.size > OUTCOMES_MAX) this.#outcomes.delete(this.#outcomes.keys().next().value!);
    if (outcome.ok && outcome.trackId !== undefined && library.rev !== revBefore) this.#keepFiles(outcome.trackId);
    this.#refresh();
    this.#changed();
  }

  /** A track was added, renamed or removed: its files follow, where they are here. */
  #keepFiles(id: TrackId): void {
    if (!this.#held.has(id)) return;
    if (this.#held.get(id) !== this.#cluster.library.get(id)?.title) {
      this.#inBackground(this.#inTurn(id, () => this.#settleFiles(id)));
    }
  }

  /** Brings the files of a track to what is agreed by now. What fails stays noted as it was, so that it is tried again. */
  async #settleFiles(id: TrackId): Promise<void> {
    const describedAs = this.#held.get(id);
    const track = this.#cluster.library.get(id);
    if (describedAs === undefined || describedAs === track?.title) return;
    if (track === undefined) {
      await this.#files.remove(id);
      this.#held.delete(id);
    } else {
      await this.#files.describe(track);
      this.#held.set(id, track.title);
    }
    this.#changed();
  }

  /**
   * One after the other for each track: an upload of bytes that are being removed must not have its files taken away under it. What is
   * agreed may have changed by the time that `work` begins.
   */
  async #inTurn<T>(id: TrackId, work: () => Promise<T>): Promise<T> {
    const result = (this.#turns.get(id) ?? Promise.resolve()).then(work);
    const over = result.then(
      () => {},
      () => {},
    );
    this.#turns.set(id, over);
    try {
      return await result;
    } finally {
      if (this.#turns.get(id) === over) this.#turns.delete(id);
    }
  }

  /** The player's program anew, and a timer for the next end of a song. */
  #refresh(): void {
    if (this.#state !== 'running') return;
    const now = this.now();
    const { playback, library } = this.#cluster;
    const agreed = { playback, library, gainSteps: this.#cluster.gainsOf(this.init.id) };
    this.#playout.set(programOf(++this.#generation, agreed, this.sound(), now));
    this.#boundary?.cancel();
    const end = endOfCurrent(this.#cluster.playbackAt(now));
    this.#boundary = end === null ? null : this.#time.after('song.end', msUntil(now, end), () => this.#songEnded());
  }

  #songEnded(): void {
    this.#refresh();
    this.#changed();
    this.#mark();
  }

  /** The leader notes where the music stands. */
  #mark(): void {
    const { markedAt } = this.#cluster.playback;
    if (this.logStatus().role !== 'leader' || !this.#isPlaying() || this.now() - markedAt < MARK_GAP_NS_MIN) return;
    this.#inBackground(this.#propose({ type: 'transport.mark' }));
  }

  #isPlaying(): boolean {
    return this.#cluster.playbackAt(this.now()).transport.status === 'playing';
  }

  #watch(): void {
    const { state, reason } = this.outputStatus();
    const output = `${state} ${reason ?? ''}`;
    if (output === this.#outputState) return;
    this.#outputState = output;
    for (const code of OUTPUT_CODES) this.#alert(code, 'warn', state === 'silent' && reason === code);
    this.#changed();
  }

  async #lookAtSpace(): Promise<void> {
    if (this.#state !== 'running') return;
    // What failed the last time.
    for (const id of this.#held.keys()) if (!this.#turns.has(id)) this.#keepFiles(id);
    const was = this.space().refusing;
    this.#space = await this.#files.space();
    const { refusing } = this.space();
    this.#alert('DISK_FULL', 'warn', refusing);
    if (refusing !== was) this.#changed();
  }

  #alert(code: ErrorCode, severity: Alert['severity'], isOn: boolean): void {
    if (!isOn) this.#alerts.delete(code);
    else if (!this.#alerts.has(code)) this.#alerts.set(code, { code, severity, since: this.now() });
  }

  #changed(): void {
    this.#viewRev += 1;
    for (const listener of this.#listeners) listener();
  }

  /** Nobody waits for it; what fails is worth a line. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!(error instanceof TuttiError)) throw error;
      this.#log.warn('Something that nobody waits for has failed.', { code: error.code, detail: error.detail });
    });
  }
}

/** Why an output can be silent although something is due. */
const OUTPUT_CODES = ['OUTPUT_UNAVAILABLE', 'NO_CLOCK', 'TRACK_MISSING', 'TRACK_UNREADABLE', 'INTERNAL'] as const;

/** Only the fields that have a value: a command's schema tells "not given" from "given as nothing". */
function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** Milliseconds from `now` to `end`, rounded up. */
const msUntil = (now: ClusterTime, end: ClusterTime): number =>
  Math.max(BOUNDARY_MS_MIN, Number((end - now + NS_PER_MS - 1n) / NS_PER_MS));
