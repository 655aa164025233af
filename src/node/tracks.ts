/**
 * Tracks: the files of this node, in line with what is agreed and with what the others hold.
 *
 *     add-track.ts      a file comes in: kept, offered, proposed (attestation.ts: once enough hold it)
 *     track-files.ts    what lies in its place on this card
 *     ../tracks/exchange.ts   what others hold and want; what is wanted here is fetched from them
 *     scrubbing.ts      what the card has lost without saying so
 *     track-safety.ts   what a change of members would do to the tracks
 *
 * Data goes one way. What is agreed says what is wanted; what is wanted and not here is fetched; what has its place is told to the others, and
 * what is doubted is withdrawn first and looked at afterwards.
 *
 * A file goes in three steps: this node stops saying that it holds it; it has it agreed that its words of before count no more
 * (`member.retract`); and where nobody wants the file once that is applied here, it is removed. Without the second: B holds a track that is removed, and A,
 * which knows that already, but missed that B does not hold it any more, takes the same bytes in again. A counts on B's word of before, and
 * proposes the track; B removes the file; and the track is agreed, and on A alone.
 */
import { COMMAND_VERSIONS, type Command, type Origin } from '../cluster/command.js';
import type { Done, Outcome } from '../cluster/outcome.js';
import { TuttiError } from '../core/errors.js';
import type { NodeId, TrackId } from '../core/ids.js';
import { type ChunkLimits, chunkAt, chunkBytesFor, chunkOffset, chunkPlan } from '../library/chunks.js';
import type { Lack } from '../library/holding.js';
import type { ReadonlyLibrary } from '../library/library.js';
import type { Track } from '../library/track.js';
import type { MemberRecord } from '../paxos/configuration.js';
import type { WantedChunk } from '../player/checked-file.js';
import type { Log } from '../ports/log.js';
import type { PeerMail } from '../ports/peer-mail.js';
import type { Time, Timer } from '../ports/time.js';
import type { GateAnswer } from '../replication/gate.js';
import type { LogMember, SlotVoter } from '../replication/replicated-log.js';
import { TrackExchange } from '../tracks/exchange.js';
import type { ExchangeStart } from '../tracks/exchange-init.js';
import type { FetchProgress } from '../tracks/fetching-init.js';
import type { Release } from '../tracks/leaving.js';
import type { TrackClient } from '../tracks/track-client.js';
import { addTrack, type IncomingTrack } from './add-track.js';
import type { Agreement } from './agreement.js';
import { dueChunks } from './due-chunks.js';
import { refusedError } from './refused-error.js';
import { Scrubbing } from './scrubbing.js';
import { TrackFiles } from './track-files.js';
import { type AskLacks, TrackSafety } from './track-safety.js';
import type { Uploads } from './uploads.js';

/** How often the card is looked at: room, and what could not be done the last time. Milliseconds. */
const LOOK_MS = 10_000;
/**
 * How often it is looked for files that no entry speaks of, and how long one is kept from when somebody last came for it, or this process began.
 * A day: its uploader may come again, its entry may yet be applied, and another node may count on it. Milliseconds.
 */
const COLLECT_MS = 3_600_000;
const ORPHAN_MS = 24 * 3_600_000;
/** How often it is said what is heard next, while something of it may be missing. Milliseconds. */
const DUE_MS = 500;
/** How long others have to say what they hold, when they are asked. Milliseconds. */
const ASK_MS = 2_000;

/** What the tracks of a node stand on. `files` is opened and closed by them, `mail` started and stopped. */
export interface TracksComponents {
  readonly time: Time;
  readonly log: Log;
  readonly files: TrackClient;
  readonly mail: PeerMail;
  readonly agreement: Pick<Agreement, 'cluster' | 'status' | 'now' | 'clockLine' | 'readBarrier'>;
  readonly uploads: Uploads;
  /** See {@link Wishes.ask}. */
  readonly ask: (command: Command, origin: Origin) => Promise<Outcome>;
  readonly isPlaying: () => boolean;
  /** Asks members what they lack; the exchange does where it is left out. */
  readonly lacks?: AskLacks;
  /** What there is to see of tracks has changed. */
  readonly changed: () => void;
}

/** Whose they are. */
export interface TracksInit {
  readonly self: SlotVoter;
  /** For files that come in here; the simulator's are small. */
  readonly chunkLimits?: ChunkLimits;
  /** What is left out is as in a house. */
  readonly patience?: Partial<TracksPatience>;
}

/** How long the tracks leave things as they are, milliseconds: hours in a house, seconds in a simulated one. */
export interface TracksPatience {
  /** Between two looks for files that no entry speaks of. */
  readonly collectMs: number;
  /** How long such a file is kept. */
  readonly orphanMs: number;
  /** What came of a file whose offer was void. */
  readonly lingerMs: number;
  /** An offer of which nothing is heard. */
  readonly offerLapseMs: number;
  /** Between two steps of scrubbing, at most. */
  readonly scrubPauseMs: number;
}

/** `open`, then `start` once what the disk knows to be agreed was applied; `stop` is idempotent and leaves no timer. */
export class Tracks {
  readonly #parts: TracksComponents;
  readonly #self: SlotVoter;
  readonly #held: TrackFiles;
  readonly #exchange: TrackExchange;
  readonly #safety: TrackSafety;
  readonly #scrubbing: Scrubbing;
  readonly #collectMs: number;
  readonly #orphanMs: number;
  readonly #chunkLimits: ChunkLimits | undefined;
  /** Held once, found to be wrong, and not repaired yet. */
  readonly #damaged = new Set<TrackId>();
  #damagesFound = 0;
  /** What could not be removed, or not wholly. */
  readonly #unremoved = new Set<TrackId>();
  /** Something was withdrawn since this node last took its words back for that. */
  #isWithdrawn = false;
  #found: Pick<ExchangeStart, 'arriving' | 'leftOut'> = { arriving: [], leftOut: [] };
  /** The exchange was told of chunks that are due. */
  #isLacking = false;
  #members: ReadonlySet<NodeId> = new Set();
  #timers: Timer[] = [];
  #isRunning = false;

  constructor(components: TracksComponents, { self, chunkLimits, patience = {} }: TracksInit) {
    const { time, log, files, mail, agreement, changed } = components;
    this.#parts = components;
    this.#self = self;
    this.#collectMs = patience.collectMs ?? COLLECT_MS;
    this.#orphanMs = patience.orphanMs ?? ORPHAN_MS;
    this.#chunkLimits = chunkLimits;
    const { lingerMs, offerLapseMs, scrubPauseMs } = patience;
    const library = () => agreement.cluster.library;
    this.#exchange = new TrackExchange(
      { mail, files, time, log, stillCounts: (holder) => agreement.cluster.stillCounts(holder) },
      {
        self: self.node,
        incarnation: self.incarnation,
        lingerMs,
        offerLapseMs,
        ...(chunkLimits && { chunkLimits }),
      },
    );
    const exchange = this.#exchange;
    this.#held = new TrackFiles({ files, log, library, changed });
    this.#safety = new TrackSafety({
      cluster: () => agreement.cluster,
      ask: components.lacks ?? ((members, tracks) => this.#lacks(members, tracks)),
    });
    this.#scrubbing = new Scrubbing(
      {
        time,
        log,
        step: (bytesMax) => files.scrubStep(bytesMax),
        isPlaying: components.isPlaying,
        isTakingIn: () => exchange.arriving().length > 0 || components.uploads.isReceiving,
        found: ({ id, chunk }) => this.#damagedAt(id, chunk),
      },
      { pauseMsMax: scrubPauseMs },
    );
  }

  /** Finds what lies on the card. @throws TuttiError DISK_FULL, DISK_FAILED */
  async open(): Promise<void> {
    this.#found = await this.#held.open();
  }

  /** Speaks with the others from now on, and fetches what is missing. */
  start(): void {
    const { time, agreement } = this.#parts;
    this.#isRunning = true;
    this.#held.reportOrphans();
    for (const track of agreement.cluster.library.list()) this.#exchange.want(track);
    this.#exchange.start(
      { held: this.#held.ids(), ...this.#found },
      {
        arrived: (track) => this.#took(track),
        withdrawn: (id) => this.#withdrawn(id),
        released: (release) => void this.#remove(release),
        kept: () => {},
        changed: this.#parts.changed,
      },
    );
    this.#followRetraction();
    this.membersChanged();
    this.lookAtDue();
    this.#scrubbing.start();
    this.#timers = [
      time.every('tracks.look', LOOK_MS, () => this.look()),
      time.every('tracks.collect', this.#collectMs, () => this.#inBackground(this.#collect())),
      time.every('tracks.due', DUE_MS, () => {
        if (this.#parts.isPlaying()) this.lookAtDue();
      }),
    ];
    this.look();
  }

  /** Idempotent: others are asked for nothing any more, nothing is offered to them, and whoever waited for them is told. */
  withdraw(): void {
    this.#isRunning = false;
    for (const timer of this.#timers) timer.cancel();
    this.#scrubbing.stop();
    this.#exchange.stop();
  }

  /** Idempotent: {@link withdraw}, and gives up what is on its way in. */
  async stop(): Promise<void> {
    this.withdraw();
    await this.#held.close();
  }

  // What happened elsewhere.

  /** Something was agreed: that a track is added, changed or removed, or (null) something else. */
  agreed(id: TrackId | null): void {
    if (id !== null) this.#follow(id);
    this.#followRetraction();
  }

  /** The whole library was replaced. */
  replaced(before: ReadonlyLibrary): void {
    const { library } = this.#parts.agreement.cluster;
    for (const { id } of before.list()) if (library.get(id) === undefined) this.#follow(id);
    for (const { id } of library.list()) this.#follow(id);
    this.#followRetraction();
  }

  /** Who takes part has changed, perhaps. */
  membersChanged(): void {
    const members = new Set(this.#parts.agreement.status().members.map(({ node }) => node));
    for (const node of this.#members) if (!members.has(node)) this.#exchange.forget(node);
    this.#members = members;
  }

  /** Says what is heard next: what of it is missing is fetched before everything else. */
  lookAtDue(): void {
    if (!this.#isRunning) return;
    const { agreement, time } = this.#parts;
    const { cluster } = agreement;
    const line = agreement.clockLine();
    const now = agreement.now();
    const nowMs = Number(time.now()) / 1e6;
    const isWhole = this.#held.missing().length === 0;
    if (isWhole && !this.#isLacking) return;
    this.#isLacking = !isWhole;
    const due = isWhole ? [] : dueChunks(cluster, now, (id) => !this.#held.holds(id));
    this.#exchange.due(
      due.map(({ trackId, chunk, at }) => ({
        id: trackId,
        index: chunk,
        atMs: line === null ? nowMs : nowMs + Number(at - now) / 1e6,
      })),
    );
  }

  /** What plays, or is to play next, lacks a chunk on this card: silence until it is there. */
  wanted({ trackId, chunk, why }: WantedChunk): void {
    if (why === 'damaged') this.#exchange.suspected(trackId, chunk);
    else this.lookAtDue();
  }

  /** Looks at the card: how much room there is, and whether what failed the last time works by now. */
  look(): void {
    this.#inBackground(this.#held.look());
    this.#inBackground(this.#removeRest());
    this.#inBackground(this.#retractWithdrawn());
  }

  // What a person can ask for.

  /** See {@link Wishes.addTrack}. */
  async add(incoming: IncomingTrack, origin: Origin): Promise<{ readonly track: Track; readonly outcome: Done }> {
    const { time, files, agreement, uploads, ask } = this.#parts;
    const components = {
      time,
      files,
      uploads,
      ask,
      held: this.#held,
      exchange: this.#exchange,
      took: (track: Track) => this.#took(track),
      cluster: () => agreement.cluster,
      status: () => agreement.status(),
      self: this.#self,
    };
    try {
      return await addTrack(components, incoming, origin);
    } finally {
      this.look();
    }
  }

  /**
   * Bytes of a track's file that is here, from `offset` up to the end of the chunk that holds it, compared with the chunk's hash. One that is
   * wrong is looked at, and fetched anew. @throws TuttiError TRACK_MISSING, TRACK_DAMAGED, DISK_FAILED
   */
  async read({ id, bytes, chunks }: Track, offset: number): Promise<Uint8Array> {
    if (!this.holds(id)) throw new TuttiError('TRACK_MISSING', 'this node does not hold the file', { trackId: id });
    const plan = chunkPlan(bytes, chunks?.bytes ?? chunkBytesFor(bytes, this.#chunkLimits));
    const index = chunkAt(plan, offset);
    try {
      const chunk = await this.#parts.files.readChunk(id, index);
      return chunk.subarray(offset - chunkOffset(plan, index));
    } catch (error) {
      if (error instanceof TuttiError && error.code === 'TRACK_DAMAGED') this.#exchange.suspected(id, index);
      throw error;
    }
  }

  /** The outline of a track whose file is here, 2,048 bytes. @throws TuttiError TRACK_MISSING, TRACK_DAMAGED, DISK_FULL, DISK_FAILED */
  async peaks(id: TrackId): Promise<Uint8Array> {
    try {
      return await this.#parts.files.peaks(id);
    } catch (error) {
      if (error instanceof TuttiError && error.code === 'TRACK_DAMAGED') {
        const { chunk } = error.info;
        this.#exchange.suspected(id, typeof chunk === 'number' ? chunk : 0);
      }
      throw error;
    }
  }

  /** May the house change to these members? See {@link TrackSafety.gate}. */
  gate(members: readonly MemberRecord[]): Promise<GateAnswer> {
    return this.#safety.gate(members);
  }

  /** The tracks that none of these has any more. */
  lost(members: readonly LogMember[]): Promise<readonly TrackId[]> {
    return this.#safety.lost(members);
  }

  // What there is to see.

  /** True where the file of this track is here. */
  holds(id: TrackId): boolean {
    return this.#held.holds(id);
  }

  /** Who holds the file of a track, as far as this node was told. */
  holders(id: TrackId): readonly NodeId[] {
    return this.#exchange.holders(id).map(({ node }) => node);
  }

  /** Tracks of the library whose files are not here, in the library's order; not those that nobody has. */
  missing(): readonly Track[] {
    return this.#held.missing();
  }

  /** What is on its way to this node. */
  arriving(): readonly FetchProgress[] {
    return this.#exchange.arriving();
  }

  /** Files that were found to be wrong here, and are not repaired yet. */
  damaged(): readonly TrackId[] {
    return [...this.#damaged];
  }

  /** How often a file that was held was found to be wrong or gone, since the start. */
  get damagesFound(): number {
    return this.#damagesFound;
  }

  /** See {@link TrackFiles.space}. */
  space(): ReturnType<TrackFiles['space']> {
    return this.#held.space();
  }

  /** See {@link Scrubbing.progress}. */
  scrubbed(): Scrubbing['progress'] {
    return this.#scrubbing.progress;
  }

  // What was agreed.

  #follow(id: TrackId): void {
    const track = this.#parts.agreement.cluster.library.get(id);
    if (track === undefined) {
      this.#damaged.delete(id);
      this.#exchange.unwant(id);
    } else {
      this.#exchange.want(track);
      this.#held.follow(id);
    }
  }

  /** What this node said before may count no more. */
  #followRetraction(): void {
    const retractedIn = this.#parts.agreement.cluster.member(this.#self.node)?.retractedIn;
    if (retractedIn !== undefined) this.#exchange.retracted(retractedIn);
  }

  // The exchange's news.

  #took(track: Track): void {
    this.#held.took(track);
    this.#exchange.took(track.id);
    if (this.#damaged.delete(track.id)) this.#parts.log.info('A damaged file is whole again.', { track: track.id });
    // What is agreed may have changed while it came in.
    this.#held.follow(track.id);
    this.#parts.changed();
  }

  /** The card was looked through, and part of a file was not what it was. */
  #damagedAt(id: TrackId, chunk: number | null): void {
    this.#parts.log.warn('The card has lost something of a file.', { track: id, chunk });
    this.#exchange.damaged(id, chunk ?? 0);
  }

  /** Nobody is to count on a file that was held: what is wrong of it is not played, and fetched anew. */
  #withdrawn(id: TrackId): void {
    this.#parts.log.warn('A file is damaged: what is bad of it is not played, and fetched anew.', { track: id });
    this.#damaged.add(id);
    this.#damagesFound += 1;
    this.#held.lost(id);
    this.#isWithdrawn = true;
    this.#parts.changed();
  }

  /** This node has said for a while that it does not hold these files, and nobody wants them: they go once no earlier word of it counts. */
  async #remove(release: Release): Promise<void> {
    try {
      await this.#retract();
    } catch (error) {
      this.#hasToWait(error);
      for (const id of release.ids) this.#exchange.stays(id, release);
      return;
    }
    for (const id of release.ids) this.#inBackground(this.#removeReleased(id, release));
  }

  async #removeReleased(id: TrackId, release: Release): Promise<void> {
    const exchange = this.#exchange;
    try {
      const isGone = await this.#held.remove(id, () => !exchange.isReleased(id, release));
      if (isGone) exchange.dropped(id);
      else exchange.stays(id, release);
    } catch (error) {
      // Some of it may be gone.
      this.#unremoved.add(id);
      exchange.dropped(id);
      throw error;
    } finally {
      this.#parts.changed();
    }
  }

  /** Tries once more to remove what could not be removed the last time. Where somebody wants it by now, fetching it looks at what is there. */
  async #removeRest(): Promise<void> {
    const rest = [...this.#unremoved];
    this.#unremoved.clear();
    for (const id of rest) {
      try {
        await this.#held.remove(id, () => this.#exchange.isWanted(id) || this.#held.holds(id));
      } catch (error) {
        this.#unremoved.add(id);
        this.#hasToWait(error);
      }
    }
  }

  /** Who has not heard that a damaged file was withdrawn is not to count on it either. */
  async #retractWithdrawn(): Promise<void> {
    if (!this.#isWithdrawn) return;
    this.#isWithdrawn = false;
    try {
      await this.#retract();
    } catch (error) {
      this.#isWithdrawn = true;
      throw error;
    }
  }

  /** None of this node's words of before counts, and all that was agreed by them is known here. @throws TuttiError as {@link Wishes.ask} */
  async #retract(): Promise<void> {
    const { agreement, ask } = this.#parts;
    const { node } = this.#self;
    const isKnown = () => agreement.cluster.commandVersion >= COMMAND_VERSIONS['member.retract'];
    // Where some node does not know how: what was said has been heard by now, and what was proposed by it is agreed, nearly always. What this
    // node knows of the others may be of long ago.
    if (!isKnown()) await agreement.readBarrier();
    if (!isKnown()) return;
    const outcome = await ask({ type: 'member.retract', node }, { node, via: 'node' });
    if (!outcome.ok) throw refusedError(outcome);
  }

  /** Lets go of what nobody has come for. */
  async #collect(): Promise<void> {
    const { agreement, files } = this.#parts;
    // What was agreed while this node was away may speak of them.
    await agreement.readBarrier();
    const isWanted = (id: TrackId) => agreement.cluster.library.get(id) !== undefined || this.#exchange.isWanted(id);
    const idle = (await files.idle(this.#orphanMs)).filter((id) => !isWanted(id));
    for (const id of idle) if (this.#held.holds(id)) this.#exchange.unwant(id);
    const others = idle.filter((id) => !this.#held.holds(id));
    // An earlier process may have said that it holds them.
    if (others.length > 0) await this.#retract();
    for (const id of others) {
      await this.#held.inTurn(id, async () => {
        if (!isWanted(id)) await files.collect(id, this.#orphanMs);
      });
    }
  }

  /** What fails is looked at again later. */
  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#hasToWait(error));
  }

  #hasToWait(error: unknown): void {
    if (!(error instanceof TuttiError)) throw error;
    const { code, detail } = error;
    this.#parts.log.debug('Something with the track files has to wait.', { code, detail });
  }

  /** Asks members which of these tracks they lack: see {@link AskLacks}. */
  async #lacks(members: readonly SlotVoter[], tracks: readonly TrackId[]): Promise<ReadonlyMap<NodeId, Lack>> {
    const held = await this.#exchange.ask(members, ASK_MS);
    const distrusted = new Set(
      this.#parts.agreement
        .status()
        .members.filter(({ trusted }) => !trusted)
        .map(({ node }) => node),
    );
    const lacks = new Map<NodeId, Lack>();
    for (const [node, ids] of held) {
      // It may be an image of the card that votes: that one may lack what this one has.
      if (!distrusted.has(node)) lacks.set(node, new Set(tracks.filter((id) => !ids.has(id))));
    }
    return lacks;
  }
}
