/**
 * The JSON of the HTTP contract, in one place: types for the code, checks for what comes in, and the OpenAPI page, all from here.
 *
 * Instants are decimal strings of nanoseconds, since a JSON number loses count after 104 days of them. What is not known is `null`,
 * never left out. Fields may be added, and are never renamed or given another meaning.
 */
import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import { LATENCY_US } from '../core/latency.js';
import { OutputChannels } from '../core/output-channels.js';
import { Repeat, Via } from '../playback/model.js';

const text = (description: string) => Type.String({ description });
const flag = (description: string) => Type.Boolean({ description });
const number = (description: string) => Type.Number({ description });
/** A whole number from 0. */
const count = (description: string) => Type.Integer({ minimum: 0, description });
/** An instant or a span in nanoseconds, in decimal digits. */
const ns = (description: string) => Type.String({ pattern: '^-?[0-9]+$', description });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** One of a few words. */
const oneOf = <const W extends readonly string[]>(words: W, description: string) =>
  Type.Unsafe<W[number]>(Type.String({ enum: [...words], description }));
const VolumePerCent = Type.Integer({ minimum: 0, maximum: 100, description: 'Whole per cent.' });

// ---- What a node answers -------------------------------------------------------------------------------------------------------

/** A track, as every list and the upload's answer show it. */
export const Track = Type.Object({
  id: text('SHA-256 of the file, 64 hexadecimal digits.'),
  title: text('Distinct in the library, without a trailing ".wav".'),
  fileName: text('The name under which it came in: a label, never a path.'),
  artist: orNull(text('From the tags of the file.')),
  album: orNull(text('From the tags of the file.')),
  number: orNull(count('Place on the album.')),
  durationMs: number('Length in milliseconds.'),
  sampleRate: count('Frames a second.'),
  channels: count('1 to 8.'),
  bits: count('Bits of a sample: 8, 16, 24, 32 or 64.'),
  bytes: count('Size of the file.'),
  addedAt: text('Wall-clock time of the node that took it in, ISO 8601: for display.'),
  holders: Type.Array(Type.String(), {
    description: 'Ids of the nodes that hold it durably, as far as the node that answers was told.',
  }),
  lost: flag('No node has a good copy any more: it cannot be queued until the same file is sent once more.'),
});
export type Track = Static<typeof Track>;

/** The whole library: `GET /tracks`. */
export const TrackList = Type.Object({
  tracksRev: count('Moves with every change of the library.'),
  tracks: Type.Array(Track, { description: 'In the same order on every node.' }),
});
export type TrackList = Static<typeof TrackList>;

/** One place in the queue: the same track may have several. */
export const QueueItem = Type.Object({
  itemId: text('Names this place in the queue for good; the same on every node.'),
  seq: count('The same as a number that rises with every item.'),
  trackId: text('What it plays.'),
  title: text('Title of the track.'),
  durationMs: number('Length in milliseconds.'),
  ready: flag('True where the node that answers holds the file.'),
  addedBy: Type.Object({ node: text('Id of a node.'), via: Via }),
});
export type QueueItem = Static<typeof QueueItem>;

/** The whole queue, whatever its length: `GET /queue`. */
export const Queue = Type.Object({
  queueVersion: count('Moves with every change and every song that ends; never goes down.'),
  queueLength: count('Items in all.'),
  items: Type.Array(QueueItem, { description: 'The current item first, unless stopped.' }),
});
export type Queue = Static<typeof Queue>;

/** What plays and where it is: the answer to every call on the transport, and a part of the view. */
export const Transport = Type.Object({
  status: oneOf(['playing', 'paused', 'stopped'], 'What was agreed last, from `atNs` on.'),
  itemId: orNull(text('The current item; null when stopped.')),
  trackId: orNull(text('Its track.')),
  title: orNull(text('Title of its track.')),
  positionMs: number('Position in the item at `atNs`; while playing it moves on by itself.'),
  durationMs: number('Length of the item; 0 when stopped.'),
  atNs: ns('Cluster time for which this is true.'),
  startAtNs: ns(
    'Cluster time from which this holds; where it is later than `atNs`, the position stands still until then.',
  ),
  changedBy: orNull(Type.Object({ node: text('Id of a node.'), via: Via, atNs: ns('Cluster time of the change.') })),
});
export type Transport = Static<typeof Transport>;

/** A file on its way in at the node that answers, or one that has just ended. */
export const Upload = Type.Object({
  id: text('As the header Tutti-Upload named it, else made by the node.'),
  title: text('From the file name.'),
  via: oneOf(['http', 'inbox'], 'How it comes in.'),
  receivedBytes: count('Bytes taken so far.'),
  totalBytes: orNull(count('Bytes announced; null where the sender did not say.')),
  stage: oneOf(['receiving', 'replicating', 'done', 'failed'], 'done and failed stay for a minute.'),
  code: orNull(text('Why it failed: a code of the error catalogue.')),
  trackId: orNull(text('The track, once its bytes are known.')),
  needed: count('Nodes that have to hold it before it counts.'),
  progress: Type.Record(Type.String(), Type.Number(), { description: 'Bytes held, by node id.' }),
});
export type Upload = Static<typeof Upload>;

/** Something that needs attention and lasts; it is gone from the list when it is over. */
export const Alert = Type.Object({
  code: text('A code of the error catalogue.'),
  severity: oneOf(['info', 'warn', 'error'], 'How much it matters.'),
  nodeId: orNull(text('The node that it is about.')),
  trackId: orNull(text('The track that it is about.')),
  sinceNs: ns('Cluster time of its beginning.'),
});
export type Alert = Static<typeof Alert>;

/** How a node sounds: its card as it said a second ago, and what was set for it. Null where it was not heard lately. */
export const OutputView = Type.Object({
  driver: orNull(oneOf(['alsa', 'speaker', 'virtual', 'none'], 'Which adapter gives the sound.')),
  device: orNull(text('Name of the card; empty where there is none.')),
  state: orNull(oneOf(['playing', 'idle', 'closed', 'silent'], 'silent: something is due here and does not sound.')),
  reason: orNull(text('Why it is silent: a code of the error catalogue.')),
  errorUs: orNull(number('Distance of what leaves the card from what is due, microseconds.')),
  ppm: orNull(number('Rate of the card against the cluster, parts per million.')),
  underruns: orNull(count('Times that the card ran dry.')),
  snaps: orNull(count('Times that the sound was set to another position at once.')),
  late: orNull(count('Times that the sound came late.')),
  volume: VolumePerCent,
  volumeLimit: orNull(VolumePerCent),
  muted: flag('This room is muted.'),
  channels: orNull(OutputChannels),
  latencyUs: orNull(
    Type.Integer({ description: 'What amplifier and way to the ear add; the node is early by as much.' }),
  ),
});
export type OutputView = Static<typeof OutputView>;

/** How well a node knows cluster time. What is not measured is null. */
const Clock = Type.Object({
  locked: flag('Its clock is close enough for it to begin to sound, and it hears the others.'),
  holdover: flag('It goes on without word from the others.'),
  loose: flag('Close enough only because clock.max_error_us = "auto" allows more on a slow link.'),
  outvoted: flag('The leader says another time than most nodes, and is not followed.'),
  offsetUs: orNull(number('Its cluster time less that of the leader, microseconds: what it still has to make up for.')),
  errorUs: orNull(number('Its cluster time is wrong by at most so much, microseconds.')),
  driftPpm: orNull(number("By how much the leader's crystal is faster than its own, parts per million.")),
  ageMs: orNull(number('Since the last good sample, milliseconds.')),
});

/** Room on a node's disk, and what it lacks. */
const DiskView = Type.Object({
  freeBytes: count('Can still be written.'),
  totalBytes: count('Size of the disk.'),
  refusing: flag('Too full for another track.'),
  tracksHeld: count('Files at hand.'),
  tracksMissing: Type.Object({
    count: count('Files not at hand.'),
    first: Type.Array(Type.String(), { maxItems: 20 }),
  }),
});

/** A node of the cluster, as the one that answers knows it. */
export const NodeView = Type.Object({
  id: text('Kept for life.'),
  name: text('As its owner named it.'),
  address: text('host:port for peers.'),
  httpUrl: text('Where it serves this interface.'),
  version: text('Of its software.'),
  role: oneOf(['voter', 'learner'], 'Whether its vote counts.'),
  online: flag('Heard lately by the node that answers.'),
  lastHeardNs: ns('Cluster time.'),
  leader: flag('True for one node at most.'),
  trusted: flag('Its card is the one that the others know; one that is not does not vote until it is replaced.'),
  clock: Type.Union([Clock, Type.Null()], { description: 'Null of a node that was not heard lately.' }),
  output: OutputView,
  disk: Type.Union([DiskView, Type.Null()], { description: 'Null of a node that was not heard lately.' }),
});
export type NodeView = Static<typeof NodeView>;

/** Another daemon of the local network, as it says of itself: anybody may say anything there, and joining takes the key all the same. */
const Nearby = Type.Object({
  name: text('As its owner named it.'),
  cluster: orNull(text('Id of the cluster that it belongs to; null while it waits to be told of one.')),
  httpUrl: text('Where it serves this interface.'),
  address: text('host:port for peers: what joining its cluster takes.'),
  version: text('Of its software.'),
});
export type Nearby = Static<typeof Nearby>;

/** Everything but the library. */
const viewProperties = {
  node: Type.Object({
    id: orNull(text('The node that answers; null before it belongs to a cluster.')),
    name: text('Its name.'),
    version: text('Of its software.'),
    webBuild: text('Of the page that it serves; empty where it serves none.'),
    access: oneOf(['open', 'token'], 'token: changes need one.'),
    closed: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
      description:
        'Connections of peers and strangers that it closed since it started, by reason; those that happened.',
    }),
  }),
  cluster: Type.Object({
    id: orNull(text('Null before the node belongs to a cluster.')),
    leader: orNull(text('Id of the leading node.')),
    leaderSinceNs: orNull(ns('Cluster time at which its term began.')),
    quorum: flag('Changes can be agreed.'),
    voters: count('Nodes with a vote.'),
    votersOnline: count('Of these, heard lately.'),
    needed: count('Votes that make a majority.'),
    role: oneOf(
      ['leader', 'follower', 'learner', 'removed', 'waiting'],
      'Of the node that answers. removed: the others went on without it. waiting: it belongs to no cluster yet.',
    ),
    appliedSlot: count('Every write up to this slot is in this view.'),
    timeNs: ns('Cluster time at which this was sent.'),
  }),
  nodes: Type.Array(NodeView),
  nearby: Type.Optional(
    Type.Array(Nearby, {
      maxItems: 10,
      description: 'Daemons on the local network that are not of this house; those without a cluster wait for one.',
    }),
  ),
  tracksRev: count('Moves with every change of the library.'),
  uploads: Type.Array(Upload),
  queueVersion: count('Moves with every change and every song that ends; never goes down.'),
  queueLength: count('Items in all.'),
  queue: Type.Array(QueueItem, { description: 'The current item first; in events only the first 51.' }),
  transport: Transport,
  repeat: Repeat,
  volume: VolumePerCent,
  muted: flag('The whole house is muted.'),
  alerts: Type.Array(Alert),
};

/** The whole view: `GET /state`. */
export const State = Type.Object({ ...viewProperties, tracks: Type.Array(Track) });
export type State = Static<typeof State>;

/** The view without `tracks`: the event `state`. */
export const StateEvent = Type.Object(viewProperties);
export type StateEvent = Static<typeof StateEvent>;

/** The event `tracks`: what changed in the library since the revision before. */
export const TracksEvent = Type.Object({
  rev: count('The revision that this leads to.'),
  since: count('The revision that it starts from: who is at another one asks for /tracks.'),
  added: Type.Array(Track),
  changed: Type.Array(Track),
  removed: Type.Array(Type.String(), { description: 'Ids.' }),
});
export type TracksEvent = Static<typeof TracksEvent>;

/** The event `queue`: the whole of a queue that is longer than `state` shows. */
export const QueueEvent = Type.Object({ rev: count('queueVersion.'), items: Type.Array(QueueItem) });
export type QueueEvent = Static<typeof QueueEvent>;

/** The event `ping`: the node is alive, and this is its time. */
export const PingEvent = Type.Object({
  timeNs: ns('Cluster time.'),
  appliedSlot: count('See State.'),
  tracksRev: count('See State.'),
});
export type PingEvent = Static<typeof PingEvent>;

/** Cluster time at the instant of the answer, for whoever keeps it by itself: `GET /time`. Errors are in microseconds. */
export const ClusterClock = Type.Object({
  timeNs: ns('Cluster time.'),
  errorUs: orNull(number('Bound of its error; null where it is not measured.')),
});
export type ClusterClock = Static<typeof ClusterClock>;

const figures = (description: string) =>
  Type.Array(orNull(Type.Number()), { description: `${description} One a step; null where it is not known.` });

const distances = {
  p50Us: orNull(number('Half of the time no more than this, microseconds.')),
  p95Us: orNull(number('95 % of the time.')),
  p99Us: orNull(number('99 % of the time.')),
  maxUs: orNull(number('The most.')),
};

/** How one node kept in step. */
const SyncNode = Type.Object({
  id: text('Of the node.'),
  name: text('As its owner named it.'),
  online: flag('Heard lately by the node that answers.'),
  t0Ns: ns('Cluster time of the first step.'),
  stepMs: count('From one step to the next.'),
  playoutErrorUs: figures(
    'What left its card, against what was due by the cluster clock, microseconds; positive: early.',
  ),
  boundUs: figures('By how much its cluster clock could be wrong, microseconds.'),
  offsetUs: orNull(number('See Clock.')),
  errorUs: orNull(number('See Clock.')),
  driftPpm: orNull(number('See Clock.')),
  ppm: orNull(number('Rate of its card against the cluster, parts per million.')),
  underruns: orNull(count('Times that its card ran dry.')),
  snaps: orNull(count('Times that the sound was set to another position at once.')),
  late: orNull(count('Times that the sound came late.')),
});

/** How well the nodes keep in step, as they know it: `GET /sync`. */
export const Sync = Type.Object({
  atNs: ns('Cluster time.'),
  nodes: Type.Array(SyncNode),
  pairs: Type.Array(
    Type.Object({
      nodes: Type.Array(Type.String(), { minItems: 2, maxItems: 2, description: 'Ids.' }),
      seconds: count('In how many of them both sounded.'),
      ...distances,
    }),
    { description: 'Each two nodes that sounded at the same time.' },
  ),
  spread: Type.Object(
    {
      ...distances,
      pairs: count('Pairs of nodes that sounded at the same time.'),
      windowS: count('Seconds that count.'),
    },
    { description: 'How far any two nodes were apart. Null where no two sounded.' },
  ),
});
export type Sync = Static<typeof Sync>;

/** All nodes that the log counts as members, online or not: `GET /members`. */
export const Members = Type.Object({ members: Type.Array(NodeView) });
export type Members = Static<typeof Members>;

/** The answer to `POST /cluster/init` and `POST /cluster/join`: what the node is a part of from now on. */
export const Joined = Type.Object({ cluster: text('Id of the cluster.'), node: text('Id of this node in it.') });
export type Joined = Static<typeof Joined>;

/** The answer to a write that has nothing else to say. */
export const Written = Type.Object({ slot: count('The log slot that holds it; the header Tutti-Slot says the same.') });
export type Written = Static<typeof Written>;

/** The answer to `POST /queue`: under which ids the new items are found. */
export const Queued = Type.Object({
  slot: count('The log slot that holds it.'),
  itemIds: Type.Array(Type.String(), { description: 'The new items, in the order asked for.' }),
});
export type Queued = Static<typeof Queued>;

/** RFC 9457. Further members, such as `trackId`, depend on the code. */
export const Problem = Type.Object(
  {
    type: text('Address of the description of this code.'),
    title: text('What is wrong, without particulars.'),
    status: Type.Integer({ description: 'HTTP status.' }),
    detail: text('What was wrong this time and what would be right.'),
    code: text('From the catalogue: branch on this.'),
    advice: text('What can be done about it.'),
  },
  { additionalProperties: true },
);
export type Problem = Static<typeof Problem>;

/** What a probe reads: `GET /healthz` and `GET /readyz`. The status code says the same. */
export const Health = Type.Object({
  status: oneOf(['ok', 'not ready'], 'not ready comes with status 503.'),
  code: orNull(text('Why it is not ready: a code of the error catalogue.')),
});
export type Health = Static<typeof Health>;

// ---- What a caller sends -------------------------------------------------------------------------------------------------------

/** A body: nothing but these fields, so that a misspelt one is refused and not ignored. */
const body = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false });

const ItemRef = Type.String({ minLength: 1, maxLength: 32, description: 'Id of a queue item.' });
const TrackRef = Type.String({
  minLength: 1,
  maxLength: 1_000,
  description: 'Id or title of a track; a trailing ".wav" does not matter.',
});
const expectItem = {
  expectItem: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 32,
      description: 'The item that the person saw as current: with another one by now nothing is done (ITEM_CHANGED).',
    }),
  ),
};

/** `POST /queue`. Either `trackIds` or `trackId`; `beforeItemId` or `next` or neither (at the end). */
export const QueueAddBody = body({
  trackIds: Type.Optional(Type.Array(TrackRef, { minItems: 1, maxItems: 5_000 })),
  trackId: Type.Optional(TrackRef),
  beforeItemId: Type.Optional(ItemRef),
  next: Type.Optional(flag('Right after the current item.')),
});
export type QueueAddBody = Static<typeof QueueAddBody>;

/** `POST /queue/{itemId}/move`. */
export const QueueMoveBody = body({
  beforeItemId: Type.Union([ItemRef, Type.Null()], { description: 'Null: to the end.' }),
});
export type QueueMoveBody = Static<typeof QueueMoveBody>;

/** `POST /queue/shuffle`. Without a seed the node draws one. */
export const QueueShuffleBody = body({
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff, description: 'For a known order.' })),
});
export type QueueShuffleBody = Static<typeof QueueShuffleBody>;

/** `POST /transport/play`. A track to play now, an item to go to, or neither: go on. */
export const PlayBody = body({ trackId: Type.Optional(TrackRef), itemId: Type.Optional(ItemRef), ...expectItem });
export type PlayBody = Static<typeof PlayBody>;

/** `POST /transport/pause`, `/toggle`, `/stop`, `/skip` and `/previous`. */
export const ExpectBody = body(expectItem);
export type ExpectBody = Static<typeof ExpectBody>;

/** `POST /transport/seek`. Milliseconds. */
export const SeekBody = body({
  positionMs: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'From the start of the item.',
  }),
  ...expectItem,
});
export type SeekBody = Static<typeof SeekBody>;

/** `POST /transport/mode`. `expectItem` is taken, as on every call of the transport, and means nothing here. */
export const ModeBody = body({ repeat: Repeat, ...expectItem });
export type ModeBody = Static<typeof ModeBody>;

/** `PUT /volume`. Only what is given changes; `volume` or `delta`, not both. */
export const VolumeBody = body({
  volume: Type.Optional(VolumePerCent),
  delta: Type.Optional(Type.Integer({ minimum: -100, maximum: 100, description: 'Added to what it is.' })),
  muted: Type.Optional(flag('Mute is apart from volume.')),
  node: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'Id or name of one node; else the house.' }),
  ),
});
export type VolumeBody = Static<typeof VolumeBody>;

/** `PATCH /tracks/{track}`. */
export const TitleBody = body({
  title: Type.String({ minLength: 1, maxLength: 1_000, description: 'The new title.' }),
});
export type TitleBody = Static<typeof TitleBody>;

/** `POST /cluster/join`. */
export const JoinBody = body({
  address: Type.String({
    minLength: 1,
    maxLength: 300,
    description: 'A node of the cluster, as host or host:port of its cluster.listen; several with commas.',
  }),
  key: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'The cluster key; else the key file of this node has it.',
    }),
  ),
  replace: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'Id or name of the member whose place this node takes.' }),
  ),
});
export type JoinBody = Static<typeof JoinBody>;

/** Of `GET /state`, `/queue` and `/tracks`: whether the answer may lag behind what others were told. */
export const ReadQuery = body({
  consistency: Type.Optional(
    Type.Union([Type.Literal('local'), Type.Literal('strong')], {
      description: 'strong: nothing that was answered anywhere before is missing; needs a quorum, and one round trip.',
    }),
  ),
});

/** Of `DELETE /members/{node}`. */
export const RemoveQuery = body({
  acceptLoss: Type.Optional(
    Type.Union([Type.Literal('true'), Type.Literal('false')], {
      description: 'true: also where tracks have their last good copy there.',
    }),
  ),
});

/** `PUT /members/{node}/output`. Only what is given changes; not nothing. Microseconds. */
export const OutputBody = body({
  latencyUs: Type.Optional(
    Type.Integer({
      minimum: LATENCY_US.least,
      maximum: LATENCY_US.most,
      description: 'What amplifier and way to the ear add.',
    }),
  ),
  channels: Type.Optional(OutputChannels),
});
export type OutputBody = Static<typeof OutputBody>;
