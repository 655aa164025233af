/**
 * The whole agreed state as bytes: equal states give equal bytes, and unequal ones do not.
 *
 * Nodes compare these bytes' hash at equal slots, and a node that has fallen behind starts from them. Nothing in them depends on a
 * map's history: tracks and members are ordered by id, keys of objects by messagepack.ts, and what is a sequence (queue, history,
 * outcomes in log order) stays one. A change of this form is a new {@link SNAPSHOT_VERSION}; older ones stay readable.
 */
import { type Static, Type } from 'typebox';
import { type ErrorCode, type ErrorInfo, isErrorCode, TuttiError } from '../core/errors.js';
import type { BootId, Incarnation, ItemId, NodeId, Slot, TrackId } from '../core/ids.js';
import { matches } from '../core/matches.js';
import { OutputChannels } from '../core/output-channels.js';
import type { ClusterTime } from '../core/units.js';
import { Track } from '../library/track.js';
import { type Playback, Repeat, Via } from '../playback/model.js';
import { COMMANDS } from './command.js';
import { pack, unpack } from './messagepack.js';
import { type Level as HouseLevel, LEVEL_STEPS_MAX } from './volume.js';

/**
 * The newest form of the snapshot that this build writes. The second knows words on files that were taken back: a build that does not must not go on
 * from one, or it would count them. A state in which there are none is written in the first, and has the same bytes in old builds and new.
 */
export const SNAPSHOT_VERSION = 2;

const Whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const SlotNumber = Type.Unsafe<Slot>(Whole);
const Ns = Type.BigInt();
const Time = Type.Unsafe<ClusterTime>(Ns);
const Node = Type.Unsafe<NodeId>(Type.String());
const Item = Type.Unsafe<ItemId>(Type.String());
const TrackRef = Type.Unsafe<TrackId>(Type.String());
const PerCent = Type.Integer({ minimum: 0, maximum: 100 });
const Nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);

const Wisher = { node: Node, via: Via };

const QueueItem = Type.Object({
  id: Item,
  seq: Whole,
  trackId: TrackRef,
  frames: Whole,
  sampleRate: Whole,
  addedBy: Type.Object(Wisher),
});

const Segment = Type.Object({
  itemId: Item,
  trackId: TrackRef,
  startAt: Time,
  endAt: Time,
  startFrame: Whole,
  sampleRate: Whole,
  complete: Type.Boolean(),
});

const PlaybackFields = Type.Object({
  queue: Type.Array(QueueItem),
  history: Type.Array(QueueItem),
  transport: Type.Union([
    Type.Object({ status: Type.Literal('stopped') }),
    Type.Object({ status: Type.Literal('playing'), itemId: Item, startedAt: Time, startFrame: Whole }),
    Type.Object({ status: Type.Literal('paused'), itemId: Item, frame: Whole }),
  ]),
  effectiveAt: Time,
  tail: Type.Array(Segment),
  repeat: Repeat,
  nextSeq: Whole,
  queueVersion: Whole,
  changedBy: Nullable(Type.Object({ ...Wisher, at: Time })),
  markedAt: Time,
});

const LevelStep = { volume: PerCent, muted: Type.Boolean(), at: Time };
const Level = Type.Unsafe<HouseLevel>(
  Type.Object({
    ...LevelStep,
    before: Type.Array(Type.Object(LevelStep), { minItems: 1, maxItems: 2 * LEVEL_STEPS_MAX }),
  }),
);

const { type: _type, node: _node, ...description } = COMMANDS['node.describe'].properties;

const Member = Type.Object({
  node: Node,
  description: Nullable(Type.Object(description)),
  boot: Nullable(
    Type.Object({
      incarnation: Type.Unsafe<Incarnation>(Type.String()),
      bootId: Type.Unsafe<BootId>(Type.String()),
    }),
  ),
  retractedIn: Type.Optional(SlotNumber),
  level: Level,
  output: Type.Object({ latencyUs: Nullable(Type.Integer()), channels: Nullable(OutputChannels) }),
});

const KeptOutcome = Type.Object({
  key: Type.String(),
  purpose: Type.String(),
  slot: SlotNumber,
  stampNs: Ns,
  refusal: Nullable(
    Type.Object({
      code: Type.Unsafe<ErrorCode>(Type.Refine(Type.String(), isErrorCode, () => 'must be a code of the catalogue')),
      info: Type.Unsafe<ErrorInfo>(Type.Object({})),
    }),
  ),
  items: Nullable(Type.Object({ firstSeq: Whole, count: Whole })),
  trackId: Nullable(TrackRef),
  title: Nullable(Type.String()),
});

/** A leader's term, as its `leader.begin` said. */
const Term = Type.Object({ node: Node, epoch: Whole, since: Time });
export type Term = Static<typeof Term>;

/** When the transport was changed: which slots a new leader has to look for among those that it brought back. */
const TransportChange = Type.Object({ slot: SlotNumber, at: Time });
export type TransportChange = Static<typeof TransportChange>;

const Snapshot = Type.Object({
  version: Type.Union([Type.Literal(1), Type.Literal(SNAPSHOT_VERSION)]),
  slot: SlotNumber,
  stamp: Time,
  term: Nullable(Term),
  reserveUntilNs: Ns,
  transportChanges: Type.Array(TransportChange),
  playback: Type.Unsafe<Playback>(PlaybackFields),
  tracksRev: Whole,
  /** By id. */
  tracks: Type.Array(Track),
  house: Level,
  /** By node. */
  members: Type.Array(Member),
  /** In log order. */
  outcomes: Type.Array(KeptOutcome),
  forgottenNs: Ns,
});
/** The state as a plain value. */
export type Snapshot = Static<typeof Snapshot>;

/** The bytes of a state. */
export const encodeSnapshot = (snapshot: Snapshot): Uint8Array => pack(snapshot);

/** The state in these bytes, its form checked; whether it hangs together is for `Cluster.restore`. @throws TuttiError BAD_SNAPSHOT */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  let value: unknown;
  try {
    value = unpack(bytes);
  } catch (cause) {
    throw new TuttiError('BAD_SNAPSHOT', `the snapshot is damaged: ${(cause as TuttiError).detail}`, {}, cause);
  }
  if (!matches(Snapshot, value)) {
    throw new TuttiError(
      'BAD_SNAPSHOT',
      `this build reads snapshots up to version ${SNAPSHOT_VERSION}, and this is none`,
    );
  }
  return value;
}
