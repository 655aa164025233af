/**
 * What can be asked of the cluster: the payload of a log entry. This file *is* the log's format.
 *
 * A command is a plain object with a `type`; it is encoded with MessagePack (codec.ts). The rules that keep old logs readable for
 * ever: a field is never renamed, never changes its meaning, and is never required where it was not; what is new is a new optional
 * field or a new type, with the version in {@link COMMAND_VERSIONS} from which nodes know it. Fields that a node does not know are kept.
 * Times and frames are whole numbers; nothing here is a float that two machines could print differently, save the loudness
 * that was measured once. Nor may a schema ask what the engine's or a library's Unicode tables answer: every node must refuse alike.
 */
import { type Static, type TSchema, Type } from 'typebox';
import type { BootId, Incarnation, ItemId, NodeId, Slot, TrackId } from '../core/ids.js';
import { LATENCY_US } from '../core/latency.js';
import { OutputChannels } from '../core/output-channels.js';
import { Track } from '../library/track.js';
import { Repeat, Via } from '../playback/model.js';

const Node = Type.Unsafe<NodeId>(Type.String({ minLength: 1 }));
const Item = Type.Unsafe<ItemId>(Type.String({ minLength: 1 }));
const TrackRef = Type.Unsafe<TrackId>(Type.String({ pattern: '^[0-9a-f]{64}$' }));
/** The item that the person saw as current when asking: another one by now, and the command is refused with ITEM_CHANGED. */
const expectItem = { expectItem: Type.Optional(Item) };
const PerCent = Type.Integer({ minimum: 0, maximum: 100 });

const command = <T extends string, P extends Record<string, TSchema>>(type: T, properties: P) =>
  Type.Object({ type: Type.Literal(type), ...properties });

/** An instant or span of cluster time in nanoseconds, as 64 bits hold it. */
const Ns = Type.BigInt({ minimum: 0n, maximum: 2n ** 63n - 1n });

/** Tracks in one `track.lose`: half of what fits into an entry. */
export const TRACKS_LOST_MAX = 4_000;

/** Each command's schema by its type. */
export const COMMANDS = {
  'track.add': command('track.add', { track: Track }),
  'track.remove': command('track.remove', { trackId: TrackRef }),
  'track.rename': command('track.rename', { trackId: TrackRef, title: Type.String({ minLength: 1 }) }),
  /** No node has a good copy of these any more. */
  'track.lose': command('track.lose', { trackIds: Type.Array(TrackRef, { minItems: 1, maxItems: TRACKS_LOST_MAX }) }),

  /** Adds tracks in their order before an item, next after the current one, or (neither given) at the end. Not both. */
  'queue.add': command('queue.add', {
    trackIds: Type.Array(TrackRef, { minItems: 1, maxItems: 5_000 }),
    beforeItemId: Type.Optional(Item),
    next: Type.Optional(Type.Boolean()),
  }),
  'queue.remove': command('queue.remove', { itemId: Item }),
  /** Moves an item before another; null is the end. */
  'queue.move': command('queue.move', { itemId: Item, beforeItemId: Type.Union([Item, Type.Null()]) }),
  /** Empties the queue; `current` ends the current item too. */
  'queue.clear': command('queue.clear', { current: Type.Optional(Type.Boolean()) }),
  /** Shuffles what is not current; the seed makes it the same on every node. */
  'queue.shuffle': command('queue.shuffle', { seed: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }) }),

  /** Resumes, or starts the queue; with `trackId` plays that now, with `itemId` drops what is before it in the queue. Not both. */
  'transport.play': command('transport.play', {
    trackId: Type.Optional(TrackRef),
    itemId: Type.Optional(Item),
    ...expectItem,
  }),
  'transport.pause': command('transport.pause', expectItem),
  /** Silence, and back to the start of the queue, which is kept. */
  'transport.stop': command('transport.stop', expectItem),
  'transport.skip': command('transport.skip', expectItem),
  /** Back to the start of the item above 3 s, else to the item before. */
  'transport.previous': command('transport.previous', expectItem),
  'transport.seek': command('transport.seek', {
    positionMs: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    ...expectItem,
  }),
  'transport.mode': command('transport.mode', { repeat: Repeat }),
  /** Where the music stood, for a house that goes dark: logged by the leader, changes nothing that is heard. */
  'transport.mark': command('transport.mark', {}),

  /** Volume in whole per cent and mute, of every room (`node` absent: the house) or of one. Only what is given changes; not nothing. */
  'volume.set': command('volume.set', {
    node: Type.Optional(Node),
    volume: Type.Optional(PerCent),
    /** Added to the volume as it is when applied; the sum is kept within 0 to 100. Not together with `volume`. */
    delta: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
    muted: Type.Optional(Type.Boolean()),
  }),
  /** How one node sounds, changed from anywhere. Only what is given changes; not nothing. */
  'output.set': command('output.set', {
    node: Node,
    latencyUs: Type.Optional(Type.Integer({ minimum: LATENCY_US.least, maximum: LATENCY_US.most })),
    channels: Type.Optional(OutputChannels),
  }),

  /** A node says who it is. `commandVersion` is the highest that it can apply: the least of all members gates newer commands. */
  'node.describe': command('node.describe', {
    node: Node,
    name: Type.String({ minLength: 1 }),
    address: Type.String(),
    httpUrl: Type.String(),
    version: Type.String(),
    commandVersion: Type.Integer({ minimum: 1 }),
  }),
  /** A leader's term begins: `epoch` moves on where cluster time leapt, `reproposed` are the slots that it brought back from before. */
  'leader.begin': command('leader.begin', {
    node: Node,
    epoch: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    reserveUntilNs: Ns,
    reproposed: Type.Array(Type.Unsafe<Slot>(Type.Integer({ minimum: 1 }))),
  }),
  /** More cluster time is reserved: a leader after an outage goes on from here. */
  'leader.reserve': command('leader.reserve', { reserveUntilNs: Ns }),
  /** A node's process started: the chain of these tells a restored or cloned card from the real one. */
  'member.boot': command('member.boot', {
    node: Node,
    incarnation: Type.Unsafe<Incarnation>(Type.String()),
    bootId: Type.Unsafe<BootId>(Type.String()),
  }),
  /** A node takes back what it said of the files that it holds: of its words only those count that it gives after this. See holding.ts. */
  'member.retract': command('member.retract', { node: Node }),
} as const;

/** The types of command that this build knows, such as `queue.add`. A log may hold others, of a newer version. */
export type CommandType = keyof typeof COMMANDS;
/** The command of one type. Checked against its schema at apply, once more and on every node: bytes of the log are not trusted. */
export type CommandOf<T extends CommandType> = Static<(typeof COMMANDS)[T]>;
/** Anything that can stand in the log, as a tagged union over `type`. */
export type Command = { [T in CommandType]: CommandOf<T> }[CommandType];

/** The command set of this build. A node says it in `node.describe`. */
export const COMMAND_VERSION = 3;

/** From which command set on a type is known. */
export const COMMAND_VERSIONS: Readonly<Record<CommandType, number>> = {
  'track.add': 1,
  'track.remove': 1,
  'track.rename': 1,
  'track.lose': 2,
  'queue.add': 1,
  'queue.remove': 1,
  'queue.move': 1,
  'queue.clear': 1,
  'queue.shuffle': 1,
  'transport.play': 1,
  'transport.pause': 1,
  'transport.stop': 1,
  'transport.skip': 1,
  'transport.previous': 1,
  'transport.seek': 1,
  'transport.mode': 1,
  'transport.mark': 1,
  'volume.set': 1,
  'output.set': 1,
  'node.describe': 1,
  'leader.begin': 1,
  'leader.reserve': 1,
  'member.boot': 1,
  'member.retract': 3,
};

/** True for text that is a command's type in this build. */
export const isCommandType = (text: unknown): text is CommandType =>
  typeof text === 'string' && Object.hasOwn(COMMANDS, text);

/**
 * The least command set that knows `command` with all its fields: for fields of a later set this is where they are looked for. The second
 * brought chunks, and with them that holders are compared with voters: a node that passes over that may add what the others refuse. While
 * some node of the house knows the first set only, a track is proposed without its chunks, which is what that set knows of it. (Holders whose
 * words were taken back need no such care: a build that knows the second set only has stopped at the entry that took them back.)
 */
export const versionOf = (command: Command): number =>
  command.type === 'track.add' && command.track.chunks !== undefined ? 2 : COMMAND_VERSIONS[command.type];

/** Who asked, and what makes a repeat harmless. */
export const Origin = Type.Object({
  node: Node,
  via: Via,
  /**
   * A client's Idempotency-Key: a second command with the same key gets the first one's outcome. Printable ASCII. A pattern says so and
   * not `maxLength`, which counts what a reader takes for one letter, by tables that the next version of the library may extend.
   */
  key: Type.Optional(Type.String({ pattern: '^[ -~]{1,255}$' })),
  /** Cluster time at which the client says it first sent this, nanoseconds. */
  firstSentNs: Type.Optional(Ns),
});
export type Origin = Static<typeof Origin>;

/** What a node proposes. */
export interface Proposal {
  readonly command: Command;
  readonly origin: Origin;
}

/** One whose vote counts in a slot, and by which card: what a holder of a file is compared with. */
export interface Voter {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
}

/** The place of something in the log, with the leader's stamps. */
export interface EntryPlace {
  readonly slot: Slot;
  /** Cluster time at which the leader took it, nanoseconds; strictly above the entry before. */
  readonly stampNs: bigint;
  /** What the leader added for a change of sound to reach every card in time, nanoseconds; 0 to 10 s. */
  readonly leadNs: bigint;
  /** Who votes in this slot's configuration; nobody where the log does not say, which is in the first one only. */
  readonly voters: readonly Voter[];
}

/** What the log hands to `apply`: a proposal with its place. */
export interface Entry extends Proposal, EntryPlace {}

/** The most that a leader may add: a node that is slower has its own trouble. Nanoseconds. */
export const LEAD_NS_MAX = 10_000_000_000n;
