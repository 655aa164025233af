/**
 * Node: one room of the house.
 *
 * A wish becomes a proposal to the replicated log; what the log hands back is applied to the cluster's state; and from that state follow
 * the player's program, the files on this node's disk and what everyone who watches is told. Nothing is changed but by an entry.
 *
 *     wish -> check -> log.propose ... log.apply -> cluster.apply -> program, files, listeners
 *
 * The parts, each in its own file: wishes.ts (what a person can ask for), agreement.ts (the log and the state), playing.ts (the player),
 * tracks.ts (the files), duties.ts (what the node proposes unasked), troubles.ts (what it raises alerts for), uploads.ts. This class holds
 * them together, and says what there is to see.
 */
import type { Origin } from '../cluster/command.js';
import { assert } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import type { HistogramCounts } from '../core/histogram.js';
import { isTrackId, type NodeId, type Slot, type TrackId } from '../core/ids.js';
import type { ClusterTime } from '../core/units.js';
import { cleanTitle, titleKey } from '../library/title.js';
import type { Track } from '../library/track.js';
import type { PlayerStatus } from '../player/loop.js';
import type { LeaseLamp } from '../ports/controls.js';
import type { Log } from '../ports/log.js';
import type { PeerMail } from '../ports/peer-mail.js';
import type { Random } from '../ports/random.js';
import type { Time, Timer } from '../ports/time.js';
import type { GateQuestion } from '../replication/gate.js';
import type { LogStatus, ReplicatedLog } from '../replication/replicated-log.js';
import type { FetchProgress } from '../tracks/fetching-init.js';
import type { InboxClient } from '../tracks/inbox-client.js';
import type { TrackClient } from '../tracks/track-client.js';
import type { IncomingTrack } from './add-track.js';
import { type AgreedState, Agreement } from './agreement.js';
import { type Alert, Alerts } from './alerts.js';
import type { ClockStatus } from './clock-status.js';
import { Duties } from './duties.js';
import { InboxTaker } from './inbox.js';
import { LeaderLamp } from './leader-lamp.js';
import type { MachineTrouble } from './machine-troubles.js';
import { findMember, type MemberView, membersOf } from './members.js';
import type { NodeInit } from './node-init.js';
import { Playing, type Playout } from './playing.js';
import type { SoundSettings } from './program.js';
import { type DiskStatus, MISSING_SHOWN_MAX, type Report } from './report.js';
import { Reports } from './reports.js';
import type { SyncHistory } from './sync-history.js';
import type { AskLacks } from './track-safety.js';
import { Tracks } from './tracks.js';
import { raiseAlerts } from './troubles.js';
import { Uploads } from './uploads.js';
import { Wishes } from './wishes.js';

/** How often the output is looked at. Milliseconds. */
const WATCH_MS = 500;

/** What a node is made of. It starts and stops `consensus`, `playout`, `mail`, `inbox` and `lamp`, and opens and closes `files`; the rest is lent to it. */
export interface NodeComponents {
  readonly time: Time;
  readonly random: Random;
  readonly log: Log;
  readonly consensus: ReplicatedLog;
  readonly files: TrackClient;
  /** What nodes say to each other of their files. */
  readonly mail: PeerMail;
  /** Asks members what they lack; they are asked over `mail` where it is left out. */
  readonly lacks?: AskLacks;
  /** A folder into which people copy music; a node without one is given it over HTTP. */
  readonly inbox?: InboxClient;
  readonly playout: Playout;
  /** Lit while this node leads; a node without one leads all the same. */
  readonly lamp?: LeaseLamp;
  /** What is wrong with buttons, status lamp, panel and settings. */
  readonly machineTroubles?: () => readonly MachineTrouble[];
}

/** What a node counts: for metrics. All but what is said otherwise since its start. */
export interface Figures {
  /** From an entry's stamp until it was applied here, seconds. */
  readonly commitTimes: HistogramCounts;
  /** See {@link Agreement.asked}. */
  readonly asked: Agreement['asked'];
  /** How often another node led than before. */
  readonly leaderChanges: number;
  /** See {@link Uploads.totals}. */
  readonly uploads: Uploads['totals'];
  /** See {@link Tracks.scrubbed}: of the round that goes on. */
  readonly scrubbed: ReturnType<Tracks['scrubbed']>;
  /** Now. */
  readonly tracksDamaged: number;
  readonly damagesFound: number;
}

/** One node of the house, on the main thread: `start` once, then ask and look; `stop` is idempotent and leaves no timer. */
export class Node {
  readonly init: NodeInit;
  readonly uploads: Uploads;
  /** What a person can ask of it. */
  readonly wishes: Wishes;
  readonly #time: Time;
  readonly #agreement: Agreement;
  readonly #playing: Playing;
  readonly #reports: Reports;
  readonly #tracks: Tracks;
  readonly #inbox: InboxTaker | null;
  readonly #duties: Duties;
  readonly #alerts: Alerts;
  readonly #lamp: LeaderLamp | null;
  readonly #machineTroubles: () => readonly MachineTrouble[];
  readonly #listeners = new Set<() => void>();
  #timers: Timer[] = [];
  #viewRev = 0;
  #holdingsRev = 0;
  #outputState = '';
  /** Who led last. */
  #leader: NodeId | null = null;
  #leaderChanges = 0;
  #starting: Promise<void> | null = null;
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(components: NodeComponents, init: NodeInit) {
    const { time, log, files } = components;
    this.init = init;
    this.#time = time;
    this.uploads = new Uploads({ time, changed: () => this.#changed() });
    const agreement = new Agreement({ log: components.consensus }, { self: init.id });
    this.#agreement = agreement;
    this.#alerts = new Alerts({ now: () => agreement.now() });
    this.#duties = new Duties({ time, log, agreement }, init);
    this.#playing = new Playing(
      {
        time,
        agreement,
        playout: components.playout,
        othersNeedMs: () => this.#reports.othersNeedMs,
        songEnded: () => this.#songEnded(),
        wanted: (chunk) => this.#tracks.wanted(chunk),
      },
      init,
    );
    this.#reports = new Reports(
      {
        time,
        agreement,
        look: () => ({ ...this.#playing.report(), disk: this.disk() }),
        changed: () => this.#changed(),
      },
      { self: init.id },
    );
    const { lamp } = components;
    const leaseUntil = () => agreement.leaseUntil();
    this.#lamp = lamp === undefined ? null : new LeaderLamp({ time, log, lamp, leaseUntil });
    this.#machineTroubles = components.machineTroubles ?? (() => []);
    this.#tracks = new Tracks(
      {
        time,
        log,
        files,
        mail: components.mail,
        agreement,
        uploads: this.uploads,
        ask: (command, origin) => agreement.ask(command, origin),
        isPlaying: () => this.#playing.isPlaying(),
        changed: () => this.#filesChanged(),
        ...(components.lacks && { lacks: components.lacks }),
      },
      { self: { node: init.id, incarnation: init.incarnation } },
    );
    this.wishes = new Wishes(
      {
        log,
        random: components.random,
        agreement,
        tracks: this.#tracks,
        isPlaying: () => this.#playing.isPlaying(),
        members: () => this.members(),
        trackOf: (name) => this.trackOf(name),
        memberOf: (name) => this.memberOf(name),
      },
      { self: init.id },
    );
    const { inbox } = components;
    const addTrack = (incoming: IncomingTrack, origin: Origin) => this.wishes.addTrack(incoming, origin);
    this.#inbox =
      inbox === undefined
        ? null
        : new InboxTaker(
            { inbox, time, log, uploads: this.uploads, addTrack, changed: () => this.#watch() },
            { self: init.id },
          );
  }

  /** Takes part in the cluster, lists what lies on the disk, and plays. @throws TuttiError DISK_FULL, DISK_FAILED, STORE_UNREADABLE */
  async start(): Promise<void> {
    assert(this.#state === 'new', 'a node is started once');
    this.#state = 'running';
    this.#starting = this.#startParts();
    await this.#starting;
    this.#starting = null;
  }

  async #startParts(): Promise<void> {
    await this.#unlessStopped(this.#tracks.open());
    const agreed = this.#agreement.start({
      applied: (track) => this.#applied(track),
      replaced: (before) => {
        this.#tracks.replaced(before);
        this.#applied(null);
      },
      statusChanged: () => this.#statusChanged(),
      told: (from, bytes) => this.#reports.heard(from, bytes),
      darknessEnded: (item) => this.#duties.darknessEnded(item),
    });
    await this.#unlessStopped(agreed);
    this.#tracks.start();
    await this.#unlessStopped(this.#playing.start());
    await this.#unlessStopped(this.#lamp?.start());
    this.#reports.start();
    this.#duties.start();
    this.#inbox?.start();
    this.#watch();
    this.#timers = [this.#time.every('node.watch', WATCH_MS, () => this.#watch())];
  }

  /** Idempotent: falls silent, notes where the music stands, and leaves no timer. A start that is under way is given up. */
  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopped';
    if (this.#starting !== null) {
      // It may wait for what only a quorum, or a disk that hangs, can give.
      await this.#agreement.stop();
      await this.#starting.catch(() => {});
    }
    for (const timer of this.#timers) timer.cancel();
    // It fades at once: what follows may take a slow card or house so long that the service manager cuts in.
    const silence = this.#playing.stop();
    // Before the rest: a card that is slow has enough to do with the chunks that have come, and a file of the inbox may wait for other nodes.
    this.#tracks.withdraw();
    await this.#inbox?.stop();
    this.#reports.stop();
    await this.#duties.stop();
    await this.#lamp?.stop();
    await this.#agreement.stop();
    await silence;
    await this.#tracks.stop();
    this.uploads.stop();
    this.#listeners.clear();
  }

  // ---- What there is to see -----------------------------------------------------------------------------------------------------

  /** The agreed state. Another object after a snapshot took its place: ask for it each time. */
  get cluster(): AgreedState {
    return this.#agreement.cluster;
  }

  /** Moves with every change of what there is to see. */
  get viewRev(): number {
    return this.#viewRev;
  }

  /** Cluster time now. */
  now(): ClusterTime {
    return this.#agreement.now();
  }

  logStatus(): LogStatus {
    return this.#agreement.status();
  }

  /** Everyone who takes part. */
  members(): readonly MemberView[] {
    return membersOf(this.logStatus(), this.cluster);
  }

  /** See {@link Playing.status}. */
  outputStatus(): PlayerStatus {
    return this.#playing.status();
  }

  /** How well this node knows cluster time. */
  clockStatus(): ClockStatus {
    return this.#playing.clockStatus();
  }

  /** What another node said of itself lately; null where it was not heard. */
  reportOf(node: NodeId): Report | null {
    return this.#reports.of(node);
  }

  /** How far the nodes were out of step, for the last ten minutes. */
  get syncHistory(): SyncHistory {
    return this.#reports.history;
  }

  /** Room on the disk, as of a few seconds ago, and what of the library is not on it. */
  disk(): DiskStatus {
    const missing = this.missingTracks();
    return {
      ...this.#tracks.space(),
      tracksHeld: this.cluster.library.list().filter(({ id }) => this.#tracks.holds(id)).length,
      tracksMissing: { count: missing.length, first: missing.slice(0, MISSING_SHOWN_MAX).map(({ id }) => id) },
    };
  }

  /** True where this node has the file. */
  holds(track: TrackId): boolean {
    return this.#tracks.holds(track);
  }

  /** Tracks of the library that this node has no file of. */
  missingTracks(): readonly Track[] {
    return this.#tracks.missing();
  }

  /** Who holds the file of a track, as far as this node was told. */
  holdersOf(track: TrackId): readonly NodeId[] {
    return this.#tracks.holders(track);
  }

  /** Moves with every change of who holds what, or how far it is. */
  get holdingsRev(): number {
    return this.#holdingsRev;
  }

  /** Since the start, and as it stands: what there is to count. */
  figures(): Figures {
    const { commitTimes, asked } = this.#agreement;
    return {
      commitTimes: commitTimes.counts(),
      asked,
      leaderChanges: this.#leaderChanges,
      uploads: this.uploads.totals,
      scrubbed: this.#tracks.scrubbed(),
      tracksDamaged: this.#tracks.damaged().length,
      damagesFound: this.#tracks.damagesFound,
    };
  }

  /** Files that are on their way to this node. */
  arrivingTracks(): readonly FetchProgress[] {
    return this.#tracks.arriving();
  }

  alerts(): readonly Alert[] {
    return this.#alerts.list();
  }

  /** See {@link Playing.sound}. */
  sound(): SoundSettings {
    return this.#playing.sound();
  }

  /** See {@link Playing.leadMs}. */
  get leadMs(): number {
    return this.#playing.leadMs;
  }

  /** Calls `listener` at every change of what there is to see, until the function that it gives is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when everything that was answered anywhere in the house before this call can be seen here. @throws TuttiError NO_QUORUM */
  readBarrier(): Promise<Slot> {
    return this.#agreement.readBarrier();
  }

  // ---- What was named ----------------------------------------

  /** The track with this id or title, with or without ".wav". @throws TuttiError TRACK_NOT_FOUND, TRACK_NOT_READY */
  trackOf(name: string): Track {
    const { library } = this.cluster;
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

  /** The member with this id or name. @throws TuttiError NODE_NOT_FOUND */
  memberOf(name: string): NodeId {
    return findMember(this.members(), name).id;
  }

  /** See {@link Tracks.read}. */
  readTrack(track: Track, offset: number): Promise<Uint8Array> {
    return this.#tracks.read(track, offset);
  }

  /** See {@link Tracks.peaks}. */
  peaks(id: TrackId): Promise<Uint8Array> {
    return this.#tracks.peaks(id);
  }

  // ---- What others ask and are told --------------------

  /** May the house change to these members? Asked by whoever leads: see {@link TrackSafety.gate}. */
  readonly gate: GateQuestion = (members) => this.#tracks.gate(members);

  /** Tells the others where this node serves HTTP. */
  announce(httpUrl: string): void {
    this.#duties.announce(httpUrl);
  }

  // ---- Inside -------------------------------------------------------------------------------------------------------------------

  /** What a step of starting comes to. @throws TuttiError NO_QUORUM where this node is stopping by then */
  async #unlessStopped(step: Promise<void> | undefined): Promise<void> {
    await step;
    if (this.#state !== 'running') throw new TuttiError('NO_QUORUM', 'this node is stopping');
  }

  #applied(track: TrackId | null): void {
    this.#tracks.agreed(track);
    this.#playing.refresh();
    this.#duties.applied();
    this.#changed();
  }

  #statusChanged(): void {
    const { leader } = this.logStatus();
    if (leader !== null && leader !== this.#leader) {
      if (this.#leader !== null) this.#leaderChanges += 1;
      this.#leader = leader;
    }
    this.#playing.followClock();
    this.#tracks.membersChanged();
    this.#duties.look();
    this.#watch();
    this.#changed();
  }

  #songEnded(): void {
    this.#changed();
    this.#duties.mark();
  }

  #filesChanged(): void {
    this.#holdingsRev += 1;
    this.#watch();
    this.#changed();
  }

  /** Looks at everything that nobody tells of by itself. */
  #watch(): void {
    if (this.#state !== 'running') return;
    const output = this.outputStatus();
    const { cluster } = this;
    const sounds = `${output.state} ${output.reason ?? ''}`;
    const news = raiseAlerts(this.#alerts, {
      self: this.init.id,
      output,
      log: this.logStatus(),
      queue: cluster.playback.queue,
      library: cluster.library,
      missing: this.missingTracks(),
      damaged: this.#tracks.damaged(),
      isFull: this.#tracks.space().refusing,
      inbox: this.#inbox?.troubles() ?? [],
      machine: this.#machineTroubles(),
      lamp: this.#lamp?.trouble() ?? null,
      outvoted: this.clockStatus().outvoted,
    });
    const isNews = news || sounds !== this.#outputState;
    this.#outputState = sounds;
    this.#reports.needs(this.#playing.needMs);
    if (isNews) this.#changed();
  }

  #changed(): void {
    this.#viewRev += 1;
    for (const listener of this.#listeners) listener();
  }
}
