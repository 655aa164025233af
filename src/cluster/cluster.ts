/**
 * The replicated state machine: what the house has agreed on.
 *
 * Every node feeds the same log entries to its own `Cluster`, in order, and so every node holds the same state, to the byte
 * (`snapshot`). That is all that there is to agreement on music; how the log comes about is no business of this folder. Entries change the
 * state and nothing else does: what moves with time alone (an item that ends) is worked out when somebody looks.
 *
 * A command that cannot be done is *refused*: an outcome like any other, the same on every node, and nothing has changed. What throws is
 * a bug, or a log from a newer version; then the process must stop, for a state that is no longer everyone's is worth nothing.
 *
 * Further reading: F. B. Schneider, "Implementing Fault-Tolerant Services Using the State Machine Approach", ACM Computing Surveys, 1990.
 */
import type { TSchema } from 'typebox';
import { Errors } from 'typebox/value';
import { assert, InvariantError } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import { type NodeId, type Slot, slot as slotOf, type TrackId } from '../core/ids.js';
import { matches } from '../core/matches.js';
import { type ClusterTime, clusterTime, NS_PER_S } from '../core/units.js';
import { checkHeld, stands } from '../library/holding.js';
import { Library, type ReadonlyLibrary, trackOf } from '../library/library.js';
import { compareText } from '../library/title.js';
import type { Holder } from '../library/track.js';
import { type Asked, expectCurrent, type Reduced } from '../playback/change.js';
import { checkPlayback } from '../playback/invariants.js';
import { EMPTY_PLAYBACK, type Playback, type TrackLength } from '../playback/model.js';
import { addItems, clearQueue, forgetTrack, moveItem, removeItem, shuffleQueue } from '../playback/queue.js';
import { foldTo } from '../playback/timeline.js';
import {
  interrupt,
  mark,
  pause,
  play,
  playItem,
  playTrack,
  previous,
  seek,
  setRepeat,
  skip,
  stop,
} from '../playback/transport.js';
import { decodeProposal } from './codec.js';
import {
  COMMANDS,
  type Command,
  type CommandOf,
  type CommandType,
  type Entry,
  type EntryPlace,
  isCommandType,
  LEAD_NS_MAX,
  Origin,
  type Proposal,
  versionOf,
} from './command.js';
import { IdempotencyTable } from './idempotency.js';
import { byNode, leastCommandVersion, type Member, newMember } from './member.js';
import type { Done, Outcome } from './outcome.js';
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_VERSION, type Term, type TransportChange } from './snapshot.js';
import { type ClusterView, Viewer } from './view.js';
import { changeLevel, FULL_LEVEL, type GainStep, gainSteps, type Level } from './volume.js';

/** A transport command that a new leader brings back, and that is older than this, must not be heard: whoever gave it has gone. */
export const STALE_TRANSPORT_NS = 5n * NS_PER_S;
/** How many changes of the transport are remembered for the next leader: more than a house makes within an election. */
export const TRANSPORT_CHANGES_MAX = 16;

/** What a command makes known besides its success. */
type Particulars = Omit<Done, 'ok' | 'slot'>;

type TransportCommand = Extract<Command, { type: `transport.${string}` }>;
type QueueCommand = Extract<Command, { type: `queue.${string}` }>;

/**
 * One node's copy of the agreed state. Whoever owns it feeds it every slot once, in order, by `apply`, `applyEncoded` or `pass`, and hands
 * it to others for reading only. After an InvariantError it must not be used any more.
 */
export class Cluster {
  #appliedSlot = slotOf(0);
  #lastStamp = clusterTime(0n);
  #library = new Library();
  #playback: Playback = EMPTY_PLAYBACK;
  #house: Level = FULL_LEVEL;
  #members = new Map<NodeId, Member>();
  #term: Term | null = null;
  #reserveUntilNs = 0n;
  /** The latest changes of what sounds, in order. */
  #transportChanges: readonly TransportChange[] = [];
  #outcomes = new IdempotencyTable();

  // Not state: what views have worked out already.
  readonly #viewer = new Viewer();
  #folded: { readonly from: Playback; readonly at: ClusterTime; readonly playback: Playback } | null = null;

  /** The state before the first entry. */
  static empty(): Cluster {
    return new Cluster();
  }

  /** The state that `snapshot()` wrote. @throws TuttiError BAD_SNAPSHOT for other bytes. */
  static restore(bytes: Uint8Array): Cluster {
    const snapshot = decodeSnapshot(bytes);
    const cluster = new Cluster();
    cluster.#appliedSlot = snapshot.slot;
    cluster.#lastStamp = snapshot.stamp;
    cluster.#library = Library.of(snapshot.tracks, snapshot.tracksRev);
    cluster.#playback = snapshot.playback;
    cluster.#house = snapshot.house;
    cluster.#members = new Map(snapshot.members.map((member) => [member.node, member]));
    cluster.#term = snapshot.term;
    cluster.#reserveUntilNs = snapshot.reserveUntilNs;
    cluster.#transportChanges = snapshot.transportChanges;
    cluster.#outcomes = IdempotencyTable.of(snapshot.outcomes, snapshot.forgottenNs);
    try {
      assert(cluster.#library.size === snapshot.tracks.length, 'every track is there once');
      assert(cluster.#members.size === snapshot.members.length, 'every member is there once');
      cluster.invariants();
    } catch (cause) {
      if (!(cause instanceof InvariantError)) throw cause;
      throw new TuttiError('BAD_SNAPSHOT', `the snapshot contradicts itself: ${cause.message}`, {}, cause);
    }
    return cluster;
  }

  /** The last slot that was applied; 0 before the first. */
  get appliedSlot(): Slot {
    return this.#appliedSlot;
  }

  /** See {@link IdempotencyTable.addedUnder}. */
  addedUnder(key: string): TrackId | null {
    return this.#outcomes.addedUnder(key);
  }

  /** Stamp of the last command; 0 before the first. */
  get lastStamp(): ClusterTime {
    return this.#lastStamp;
  }

  /** Queue and transport as of the last command that changed them. For what they are at an instant, see `playbackAt`. */
  get playback(): Playback {
    return this.#playback;
  }

  /** The tracks as of the last slot: one object for the life of this one, which changes with it. */
  get library(): ReadonlyLibrary {
    return this.#library;
  }

  /** The volume of the house. */
  get house(): Level {
    return this.#house;
  }

  /** Who leads since when, as the log says; null before the first leader. */
  get term(): Term | null {
    return this.#term;
  }

  /** Up to where a leader after an outage must not use cluster time again, nanoseconds. */
  get reserveUntilNs(): bigint {
    return this.#reserveUntilNs;
  }

  /** What is known of one node; undefined where nothing is. */
  member(node: NodeId): Member | undefined {
    return this.#members.get(node);
  }

  /** All nodes that something is known of, by id. */
  get members(): readonly Member[] {
    return [...this.#members.values()].sort(byNode);
  }

  /** True for a word on a file that its node has not taken back. */
  stillCounts(holder: Holder): boolean {
    return stands(holder, this.#members.get(holder.node)?.retractedIn);
  }

  /** The newest command set that every node knows. */
  get commandVersion(): number {
    return leastCommandVersion(this.#members.values());
  }

  /** How loud a node is and was: steps in order of time, the first of which holds from ever. */
  gainsOf(node: NodeId): GainStep[] {
    return gainSteps(this.#house, this.#members.get(node)?.level ?? FULL_LEVEL);
  }

  /** Queue and transport as of `at`: what is over by then has left the queue. */
  playbackAt(at: ClusterTime): Playback {
    // Time mostly moves on: go on from the last answer. Folding in two steps is folding in one.
    const known = this.#folded;
    const start = known !== null && known.from === this.#playback && known.at <= at ? known.playback : this.#playback;
    const playback = foldTo(start, at);
    this.#folded = { from: this.#playback, at, playback };
    return playback;
  }

  /** The agreed part of `GET /state` as of `at`. */
  view(at: ClusterTime): ClusterView {
    const playback = this.playbackAt(at);
    return this.#viewer.view(
      { appliedSlot: this.#appliedSlot, library: this.#library, playback, house: this.#house },
      at,
    );
  }

  /**
   * Whether a proposal may go into the log at all: to be asked before it is proposed. Whether it can be done, only `apply` knows.
   * @throws TuttiError BAD_REQUEST, naming each field that is not as it should be; CLUSTER_TOO_OLD where some node does not know it.
   */
  check({ command, origin }: Proposal): void {
    const type: string = command.type;
    if (!isCommandType(type)) throw new TuttiError('BAD_REQUEST', `there is no command "${type}"`, { type });
    const problems = [
      ...errorsOf(COMMANDS[type], command).map((error) => describe('command', error)),
      ...errorsOf(Origin, origin).map((error) => describe('origin', error)),
    ];
    const wrong = problems.length > 0 ? problems.join('; ') : contradiction(command);
    if (wrong !== null) throw new TuttiError('BAD_REQUEST', wrong, { type });
    const needed = versionOf(command);
    if (needed > this.commandVersion) {
      const detail = `${type} needs command set ${needed}, and some node knows only ${this.commandVersion}`;
      throw new TuttiError('CLUSTER_TOO_OLD', detail, { type });
    }
  }

  /**
   * Applies the next entry of the log, as decoded from its bytes.
   * @throws InvariantError where the entry is not the next, its stamp does not rise, or its command is of a newer version.
   */
  apply(entry: Entry): Outcome {
    const type: string = entry.command.type;
    // Before all else, so that a node that is restarted in a newer version finds everything as it was.
    if (typeof type === 'string' && !isCommandType(type)) {
      throw new InvariantError(`the log holds the command "${type}", which this build does not know: upgrade it`);
    }
    this.#advance(entry);
    return this.#decide(entry);
  }

  /** Applies an entry as its bytes stand in the log. Bytes that hold no proposal are refused like any bad command. @throws InvariantError as `apply`. */
  applyEncoded(place: EntryPlace, bytes: Uint8Array): Outcome {
    let proposal: Proposal;
    try {
      proposal = decodeProposal(bytes);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#advance(place);
      return refusal(place.slot, error);
    }
    const { command, origin } = proposal;
    const { slot, stampNs, leadNs, voters } = place;
    return this.apply({ command, origin, slot, stampNs, leadNs, voters });
  }

  /**
   * Passes over a slot that holds no command: a no-op, or a change of membership. That one says who the nodes are from now on, and what
   * was known of others is dropped.
   */
  pass(slot: Slot, nodes?: ReadonlySet<NodeId>): void {
    this.#takeSlot(slot);
    if (nodes === undefined) return;
    for (const node of this.#members.keys()) if (!nodes.has(node)) this.#members.delete(node);
  }

  /** The whole state: equal states give equal bytes, unequal ones do not. */
  snapshot(): Uint8Array {
    return encodeSnapshot({
      version: [...this.#members.values()].some(({ retractedIn }) => retractedIn !== undefined) ? SNAPSHOT_VERSION : 1,
      slot: this.#appliedSlot,
      stamp: this.#lastStamp,
      term: this.#term,
      reserveUntilNs: this.#reserveUntilNs,
      transportChanges: [...this.#transportChanges],
      playback: this.#playback,
      tracksRev: this.#library.rev,
      tracks: [...this.#library.list()].sort((a, b) => compareText(a.id, b.id)),
      house: this.#house,
      members: [...this.members],
      outcomes: this.#outcomes.list(),
      forgottenNs: this.#outcomes.forgottenNs,
    });
  }

  /** For tests and after `restore`: that the parts fit together. @throws InvariantError */
  invariants(): void {
    this.#library.checkInvariants();
    checkPlayback(this.#playback);
    const { queue, history, markedAt, changedBy } = this.#playback;
    for (const item of [...queue, ...history]) {
      const track = this.#library.get(item.trackId);
      assert(track !== undefined, 'an item names a track of the library');
      assert(
        item.frames === track.frames && item.sampleRate === track.format.sampleRate,
        'an item is as long as its track',
      );
    }
    assert(markedAt <= this.#lastStamp, 'the mark is not ahead of the log');
    assert(changedBy === null || changedBy.at <= this.#lastStamp, 'no change is ahead of the log');
    this.#outcomes.checkInvariants(this.#lastStamp);
    assert(
      this.#transportChanges.length <= TRANSPORT_CHANGES_MAX,
      'at most 16 changes of the transport are remembered',
    );
    for (const [node, member] of this.#members) {
      assert(member.node === node, 'a member is filed under its id');
      assert((member.retractedIn ?? 0) <= this.#appliedSlot, 'no word is taken back ahead of the log');
    }
  }

  #takeSlot(slot: Slot): void {
    assert(slot === this.#appliedSlot + 1, `slot ${slot} follows ${this.#appliedSlot}`);
    this.#appliedSlot = slot;
  }

  #advance({ slot, stampNs, leadNs }: EntryPlace): void {
    assert(stampNs > this.#lastStamp, 'stamps rise from entry to entry');
    assert(leadNs >= 0n && leadNs <= LEAD_NS_MAX, 'a lead is 0 to 10 s');
    this.#takeSlot(slot);
    this.#lastStamp = clusterTime(stampNs);
    this.#outcomes.trim(stampNs);
  }

  #decide({ command, origin, slot, stampNs, leadNs, voters }: Entry): Outcome {
    let key: string | undefined;
    let outcome: Outcome;
    try {
      if (!matches(Origin, origin)) throw malformed('origin');
      const { type } = command;
      if (!isCommandType(type)) throw malformed('command');
      if (!matches(COMMANDS[type], command)) throw malformed(type);
      const wrong = contradiction(command);
      if (wrong !== null) throw new TuttiError('BAD_REQUEST', wrong, { type });
      const known = this.#outcomes.recall(origin, command, stampNs);
      if (known !== undefined) return known;
      key = origin.key;
      const asked = { stamp: clusterTime(stampNs), leadNs, by: { node: origin.node, via: origin.via } };
      outcome = { ok: true, slot, ...this.#change(command, asked, { slot, voters }) };
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      outcome = refusal(slot, error);
    }
    if (key !== undefined) this.#outcomes.keep(key, command, stampNs, outcome);
    return outcome;
  }

  /** Does one command: everything that may refuse it comes before the first assignment. @throws TuttiError */
  #change(command: Command, asked: Asked, { slot, voters }: Pick<EntryPlace, 'slot' | 'voters'>): Particulars {
    switch (command.type) {
      case 'track.add': {
        const { track } = command;
        // Counted by whoever proposes it as well, but by the voters of then; what is in the library already is refused for that.
        if (this.#library.lacks(track.id)) checkHeld(track, voters, (holder) => this.stillCounts(holder));
        const { id, title } = this.#library.add(track);
        return { trackId: id, title };
      }
      case 'track.lose':
        this.#library.lose(command.trackIds);
        return {};
      case 'track.remove': {
        const { id } = trackOf(this.#library, command.trackId);
        this.#reduced((playback) => forgetTrack(playback, asked, id), slot);
        this.#library.remove(id);
        return { trackId: id };
      }
      case 'track.rename': {
        const { id, title } = this.#library.rename(command.trackId, command.title);
        return { trackId: id, title };
      }
      case 'queue.add':
      case 'queue.remove':
      case 'queue.move':
      case 'queue.clear':
      case 'queue.shuffle':
        return this.#reduced((playback) => this.#onQueue(playback, command, asked), slot);
      case 'transport.play':
      case 'transport.pause':
      case 'transport.stop':
      case 'transport.skip':
      case 'transport.previous':
      case 'transport.seek':
      case 'transport.mode':
      case 'transport.mark':
        return this.#reduced((playback) => this.#onTransport(playback, command, asked), slot);
      case 'volume.set':
        this.#setVolume(command, asked);
        return {};
      case 'output.set': {
        const member = this.#memberOf(command.node);
        const { latencyUs = member.output.latencyUs, channels = member.output.channels } = command;
        this.#members.set(command.node, { ...member, output: { latencyUs, channels } });
        return {};
      }
      case 'node.describe': {
        const { type: _type, node, ...description } = command;
        this.#members.set(node, { ...this.#memberOrNew(node), description });
        return {};
      }
      case 'leader.begin':
        this.#begin(command, asked, slot);
        return {};
      case 'leader.reserve':
        this.#reserve(command.reserveUntilNs);
        return {};
      case 'member.boot': {
        const { node, incarnation, bootId } = command;
        this.#members.set(node, { ...this.#memberOrNew(node), boot: { incarnation, bootId } });
        return {};
      }
      case 'member.retract': {
        const { node } = command;
        this.#members.set(node, { ...this.#memberOrNew(node), retractedIn: slot });
        return {};
      }
    }
  }

  #onQueue(playback: Playback, command: QueueCommand, asked: Asked): Reduced | Playback {
    switch (command.type) {
      case 'queue.add': {
        const tracks = command.trackIds.map((id) => this.#lengthOf(id));
        const before = command.beforeItemId;
        const place = before !== undefined ? { before } : command.next === true ? 'next' : 'end';
        return addItems(playback, asked, tracks, place);
      }
      case 'queue.remove':
        return removeItem(playback, asked, command.itemId);
      case 'queue.move':
        return moveItem(playback, asked, command.itemId, command.beforeItemId);
      case 'queue.clear':
        return clearQueue(playback, asked, command.current === true);
      case 'queue.shuffle':
        return shuffleQueue(playback, asked, command.seed);
    }
  }

  #onTransport(playback: Playback, command: TransportCommand, asked: Asked): Reduced | Playback {
    if (command.type === 'transport.mode') return setRepeat(playback, asked, command.repeat);
    if (command.type === 'transport.mark') return mark(playback, asked);
    expectCurrent(playback, command.expectItem);
    switch (command.type) {
      case 'transport.play':
        if (command.trackId !== undefined) return playTrack(playback, asked, this.#lengthOf(command.trackId));
        return command.itemId === undefined ? play(playback, asked) : playItem(playback, asked, command.itemId);
      case 'transport.pause':
        return pause(playback, asked);
      case 'transport.stop':
        return stop(playback, asked);
      case 'transport.skip':
        return skip(playback, asked);
      case 'transport.previous':
        return previous(playback, asked);
      case 'transport.seek':
        return seek(playback, asked, command.positionMs);
    }
  }

  #setVolume({ node, ...change }: CommandOf<'volume.set'>, asked: Asked): void {
    if (node === undefined) {
      this.#house = changeLevel(this.#house, asked, change);
      return;
    }
    const member = this.#memberOf(node);
    this.#members.set(node, { ...member, level: changeLevel(member.level, asked, change) });
  }

  /**
   * A leader's term begins. What it brought back from before may be stale, and must not be heard.
   *
   * The house at night: the music is paused. A leader takes "play" at 23:00 and dies before anyone else has it on disk. At 03:00 it is back,
   * and the new term finds the entry: it was never refused to anybody, so it must be chosen, and it is applied with its stamp of 23:00.
   * By the timeline the queue has long run out, and nobody has heard a note of it. The begin, four hours younger, undoes that: paused
   * where the music is known to have stood, which is the entry's own stamp, and so its start frame. The queue is whole.
   * The same rule serves a skip that was pressed while music played: it comes back ten seconds late, the rooms fall silent, and "play"
   * goes on with the next song from its start. Were it taken up at the begin's stamp, its first ten seconds would never have
   * been heard; where some room did hear them, it hears them twice, which is the lesser evil.
   * A change of epoch says that the whole house was dark, and cluster time has leapt by up to a day. Nothing sounded meanwhile, so music
   * that was playing stands at the last mark, not where a day's leap would have brought it.
   * The epoch never goes back. A leader that was lost before its begin, with the next epoch, was chosen leaves that to the leader after it,
   * which brings it back in the slot below its own begin, and who may have found a live clock and no reason to leap: but time has leapt.
   * A stale pause, stop or mark leaves nothing playing or changes nothing, and there is nothing to interrupt. An entry that was brought
   * back within 5 s is what somebody still waits for.
   */
  #begin(command: CommandOf<'leader.begin'>, asked: Asked, slot: Slot): void {
    const { node, reserveUntilNs, reproposed } = command;
    const epoch = Math.max(command.epoch, this.#term?.epoch ?? 0);
    const broughtBack = new Set(reproposed);
    const stale = this.#transportChanges.some(
      (change) => broughtBack.has(change.slot) && asked.stamp - change.at > STALE_TRANSPORT_NS,
    );
    if (stale || epoch !== this.#term?.epoch) this.#play(interrupt(this.#playback, asked), slot);
    this.#term = { node, epoch, since: asked.stamp };
    this.#reserve(reserveUntilNs);
  }

  /** Reserved time is never given back: an entry that comes late cannot lower it. */
  #reserve(untilNs: bigint): void {
    if (untilNs > this.#reserveUntilNs) this.#reserveUntilNs = untilNs;
  }

  /** Reduces the playback as of the last stamp. No change leaves it as it was: a fold without its mark would stand ahead of the mark. */
  #reduced(reduce: (folded: Playback) => Reduced | Playback, slot: Slot): Particulars {
    const folded = foldTo(this.#playback, this.#lastStamp);
    const result = reduce(folded);
    if (!('itemIds' in result)) {
      if (result !== folded) this.#play(result, slot);
      return {};
    }
    this.#play(result.playback, slot);
    return { itemIds: result.itemIds };
  }

  #play(playback: Playback, slot: Slot): void {
    // Every change of sound names its author anew; nothing else does.
    if (playback.changedBy !== this.#playback.changedBy) {
      const change = { slot, at: this.#lastStamp };
      this.#transportChanges = [...this.#transportChanges, change].slice(-TRANSPORT_CHANGES_MAX);
    }
    this.#playback = playback;
  }

  /** @throws TuttiError TRACK_NOT_FOUND, TRACK_LOST */
  #lengthOf(id: TrackId): TrackLength {
    const { frames, format, title, lost = false } = trackOf(this.#library, id);
    if (lost) throw new TuttiError('TRACK_LOST', `no node has a good copy of "${title}"`, { trackId: id, title });
    return { id, frames, sampleRate: format.sampleRate };
  }

  /** Of itself a node may say something before anything else is known of it. */
  #memberOrNew(node: NodeId): Member {
    return this.#members.get(node) ?? newMember(node);
  }

  #memberOf(node: NodeId): Member {
    const member = this.#members.get(node);
    if (member === undefined) throw new TuttiError('NODE_NOT_FOUND', `the cluster knows no node ${node}`, { node });
    return member;
  }
}

const refusal = (slot: Slot, { code, detail, info }: TuttiError): Outcome => ({ ok: false, slot, code, detail, info });

/** A refusal that becomes part of the state: it names no field, since what a schema library calls it may change with its version. */
const malformed = (what: CommandType | 'command' | 'origin') =>
  new TuttiError('BAD_REQUEST', `the entry's ${what} does not have its form`, { type: what });

/** What is wrong with a value. Listing that takes long, so it is asked for only where something is. */
const errorsOf = (schema: TSchema, value: unknown): ReturnType<typeof Errors> =>
  matches(schema, value) ? [] : Errors(schema, value);

const describe = (what: string, { instancePath, message }: { instancePath: string; message: string }): string =>
  `${what}${instancePath.replaceAll('/', '.')} ${message}`;

/** What a schema does not say: fields that exclude one another, and wishes for nothing. */
function contradiction(command: Command): string | null {
  switch (command.type) {
    case 'queue.add':
      if (command.beforeItemId === undefined || command.next === undefined) return null;
      return 'give beforeItemId or next, not both';
    case 'transport.play':
      if (command.trackId === undefined || command.itemId === undefined) return null;
      return 'give trackId or itemId, not both';
    case 'volume.set':
      if (command.volume !== undefined && command.delta !== undefined) return 'give volume or delta, not both';
      if (command.volume !== undefined || command.delta !== undefined || command.muted !== undefined) return null;
      return 'give volume, delta or muted';
    case 'output.set':
      return command.latencyUs === undefined && command.channels === undefined ? 'give latencyUs or channels' : null;
    default:
      return null;
  }
}
