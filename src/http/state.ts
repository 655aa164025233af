/** What a node shows, as the JSON of the contract. */
import type { ClusterView, QueueItemView, TransportView } from '../cluster/view.js';
import type { NodeId, TrackId } from '../core/ids.js';
import { BYTES_PER_SAMPLE } from '../library/sample-bytes.js';
import type { Track } from '../library/track.js';
import type { House } from '../node/house.js';
import { severityOf } from '../node/machine-troubles.js';
import type { Node } from '../node/node.js';
import type { Upload } from '../node/uploads.js';
import { msOf } from '../playback/timeline.js';
import type { Announcement } from '../ports/neighbours.js';
import type * as Json from './schema.js';

/** Queue items in an event: the current one and the next 50. */
export const EVENT_QUEUE_ITEMS = 51;
/** The longest event `state`: with long titles it shows fewer items. A house of more than some 16 nodes is longer by itself. Bytes of UTF-8. */
export const EVENT_BYTES_MAX = 12_000;
/** How much of it uploads may take. Bytes. */
const EVENT_UPLOADS_BYTES_MAX = 4_000;
/** How many neighbours are shown: an event has to stay short. */
const NEARBY_SHOWN_MAX = 10;
/** The last instant that a Date holds (ECMA-262, 21.4.1.1), milliseconds: what a wall clock says may be anything. */
const DATE_MS_MAX = 8.64e15;

/** What the HTTP layer knows beside the node. */
export interface Facade {
  readonly httpUrl: () => string;
  readonly access: 'open' | 'token';
  /** Names the page that is served; empty where there is none. */
  readonly webBuild: string;
  /** Other daemons of the local network, as they say of themselves. */
  readonly nearby: () => readonly Announcement[];
}

/** The whole view: `GET /state`. */
export function stateOf(house: House, facade: Facade): Json.State {
  const { node } = house;
  if (node === null) return { ...waitingView(house, facade), tracks: [] };
  const view = node.cluster.view(node.now());
  return {
    ...viewOf(node, facade, view, view.queue.length),
    tracks: view.tracks.map((track) => trackOf(track, node)),
  };
}

/** The event `state`: without the library, and with the head of the queue only, so that it stays short. */
export function stateEventOf(house: House, facade: Facade): Json.StateEvent {
  const { node } = house;
  if (node === null) return waitingView(house, facade);
  const view = node.cluster.view(node.now());
  const event = viewOf(node, facade, view, EVENT_QUEUE_ITEMS);
  // The current item is shown however long everything else is, and each node, though not by name what it lacks.
  const whole = { ...event, uploads: [], queue: event.queue.slice(0, 1) };
  const bare = bytesOf(whole) <= EVENT_BYTES_MAX ? whole : { ...whole, nodes: whole.nodes.map(withoutNames) };
  const room = EVENT_BYTES_MAX - bytesOf(bare);
  const uploads = uploadsWithin(event.uploads, Math.min(room, EVENT_UPLOADS_BYTES_MAX));
  const next = fitting(event.queue.slice(1), room - bytesOf(uploads));
  return { ...bare, uploads, queue: [...bare.queue, ...next] };
}

/** A node that says how many tracks it lacks, and not which. */
const withoutNames = (node: Json.NodeView): Json.NodeView => ({
  ...node,
  disk: node.disk && { ...node.disk, tracksMissing: { ...node.disk.tracksMissing, first: [] } },
});

/** What a daemon shows that belongs to no cluster: itself, and that nothing plays. */
function waitingView(house: House, facade: Facade): Json.StateEvent {
  const { init } = house;
  return {
    node: {
      id: null,
      name: init.name,
      version: init.version,
      webBuild: facade.webBuild,
      access: facade.access,
      closed: {},
    },
    cluster: {
      id: null,
      leader: null,
      leaderSinceNs: null,
      quorum: false,
      voters: 0,
      votersOnline: 0,
      needed: 0,
      role: 'waiting',
      appliedSlot: 0,
      timeNs: '0',
    },
    nodes: [],
    nearby: nearbyOf(facade, null),
    tracksRev: 0,
    uploads: [],
    queueVersion: 0,
    queueLength: 0,
    queue: [],
    transport: NOTHING_PLAYS,
    repeat: 'off',
    volume: 100,
    muted: false,
    alerts: house.troubles().map((code) => ({
      code,
      severity: severityOf(code),
      nodeId: null,
      trackId: null,
      sinceNs: '0',
    })),
  };
}

const NOTHING_PLAYS: Json.Transport = {
  status: 'stopped',
  itemId: null,
  trackId: null,
  title: null,
  positionMs: 0,
  durationMs: 0,
  atNs: '0',
  startAtNs: '0',
  changedBy: null,
};

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** As many of the first of `list` as have room, each with its comma. */
function fitting<T>(list: readonly T[], bytesMax: number): readonly T[] {
  let bytes = 0;
  const count = list.findIndex((item) => {
    bytes += bytesOf(item) + 1;
    return bytes > bytesMax;
  });
  return count < 0 ? list : list.slice(0, count);
}

/** What is over goes first, the oldest of it before the rest. */
function uploadsWithin(uploads: readonly Json.Upload[], bytesMax: number): Json.Upload[] {
  const isOver = ({ stage }: Json.Upload) => stage === 'done' || stage === 'failed';
  const byWorth = [...uploads.filter((upload) => !isOver(upload)), ...uploads.filter(isOver).reverse()];
  const shown = new Set(fitting(byWorth, bytesMax));
  return uploads.filter((upload) => shown.has(upload));
}

function viewOf(node: Node, facade: Facade, view: ClusterView, queueItems: number): Json.StateEvent {
  const { id, name, version } = node.init;
  const log = node.logStatus();
  const voters = log.members.filter(({ voter }) => voter);
  return {
    node: { id, name, version, webBuild: facade.webBuild, access: facade.access, closed: closedBy(node) },
    cluster: {
      id: node.init.clusterId,
      leader: log.leader,
      leaderSinceNs: log.leaderSince?.toString() ?? null,
      quorum: log.quorum,
      voters: voters.length,
      // One whose card is not trusted is there, and does not count.
      votersOnline: voters.filter(({ online, trusted }) => online && trusted).length,
      needed: log.needed,
      role: log.role,
      appliedSlot: view.appliedSlot,
      timeNs: view.transport.atNs.toString(),
    },
    nodes: nodesOf(node),
    nearby: nearbyOf(facade, node.init.clusterId),
    tracksRev: view.tracksRev,
    uploads: node.uploads.list().map((upload) => uploadOf(upload, id)),
    queueVersion: view.queueVersion,
    queueLength: view.queueLength,
    queue: view.queue.slice(0, queueItems).map((item) => queueItemOf(item, node)),
    transport: transportOf(view.transport),
    repeat: view.repeat,
    volume: view.volume,
    muted: view.muted,
    alerts: node.alerts().map(({ code, severity, since, node: of, track }) => ({
      code,
      severity,
      nodeId: of ?? id,
      trackId: track,
      sinceNs: since.toString(),
    })),
  };
}

/** Those that are not of this house: of its own, `nodes` says more. */
const nearbyOf = ({ nearby }: Facade, own: string | null): Json.Nearby[] =>
  nearby()
    .filter(({ cluster }) => cluster === null || cluster !== own)
    .slice(0, NEARBY_SHOWN_MAX)
    .map(({ name, cluster, httpUrl, address, version }) => ({ name, cluster, httpUrl, address, version }));

/** What its link has closed, without the reasons that never were. */
const closedBy = ({ init }: Node): Record<string, number> =>
  Object.fromEntries(Object.entries(init.closedConnections?.() ?? {}).filter(([, count]) => count > 0));

/** All members, this node first-hand, the others as they said of themselves lately. */
export const nodesOf = (node: Node): Json.NodeView[] =>
  node.members().map((member) => {
    const isSelf = member.id === node.init.id;
    const { id, name, address, httpUrl, version, voter, online, lastHeardAt, leader, trusted } = member;
    return {
      id,
      name,
      address,
      httpUrl,
      version,
      role: voter ? 'voter' : 'learner',
      online,
      lastHeardNs: lastHeardAt.toString(),
      leader,
      trusted,
      clock: isSelf ? node.clockStatus() : (node.reportOf(id)?.clock ?? null),
      output: isSelf ? ownOutput(node) : othersOutput(node, id),
      disk: isSelf ? node.disk() : (node.reportOf(id)?.disk ?? null),
    };
  });

function ownOutput(node: Node): Json.OutputView {
  const { driver, device, state, reason, errorUs, ppm, underruns, snaps, late } = node.outputStatus();
  const { volumeLimit, channels, latencyUs } = node.sound();
  const level = node.cluster.member(node.init.id)?.level;
  return {
    driver: driver as Json.OutputView['driver'],
    device,
    state,
    reason: reason ?? null,
    errorUs,
    ppm,
    underruns,
    snaps,
    late,
    volume: level?.volume ?? 100,
    volumeLimit,
    muted: level?.muted ?? false,
    channels,
    latencyUs,
  };
}

/** What nobody has heard of a node. */
const UNKNOWN_OUTPUT = {
  driver: null,
  device: null,
  state: null,
  reason: null,
  errorUs: null,
  ppm: null,
  underruns: null,
  snaps: null,
  late: null,
  volumeLimit: null,
} as const;

function othersOutput(node: Node, id: NodeId): Json.OutputView {
  const member = node.cluster.member(id);
  const { driver, device, state, reason, errorUs, ppm, underruns, snaps, late, volumeLimit } =
    node.reportOf(id)?.output ?? UNKNOWN_OUTPUT;
  return {
    driver,
    device,
    state,
    reason,
    errorUs,
    ppm,
    underruns,
    snaps,
    late,
    volume: member?.level.volume ?? 100,
    volumeLimit,
    muted: member?.level.muted ?? false,
    channels: member?.output.channels ?? null,
    latencyUs: member?.output.latencyUs ?? null,
  };
}

function uploadOf({ heldBytes, ...upload }: Upload, self: NodeId): Json.Upload {
  return { ...upload, progress: { [self]: upload.receivedBytes, ...heldBytes } };
}

/** A queue item as the contract has it. */
export const queueItemOf = (item: QueueItemView, node: { holds(track: TrackId): boolean }): Json.QueueItem => ({
  ...item,
  ready: node.holds(item.trackId),
});

/** The transport as the contract has it. */
export const transportOf = ({ atNs, startAtNs, changedBy, ...transport }: TransportView): Json.Transport => ({
  ...transport,
  atNs: atNs.toString(),
  startAtNs: startAtNs.toString(),
  changedBy: changedBy === null ? null : { ...changedBy, atNs: changedBy.atNs.toString() },
});

/** Tracks never change in place: what was worked out for one holds as long as it. */
const tracks = new WeakMap<Track, Omit<Json.Track, 'holders'>>();

/** A track as the contract has it. */
export const trackOf = (track: Track, node: Pick<Node, 'holdersOf'>): Json.Track => ({
  ...factsOf(track),
  holders: [...node.holdersOf(track.id)],
});

/** What was agreed of a track. */
function factsOf(track: Track): Omit<Json.Track, 'holders'> {
  let json = tracks.get(track);
  if (json === undefined) {
    const { id, title, fileName, format, bytes, frames, tags, addedAt, lost = false } = track;
    json = {
      id,
      title,
      fileName,
      artist: tags.artist ?? null,
      album: tags.album ?? null,
      number: tags.number ?? null,
      durationMs: msOf(frames, format.sampleRate),
      sampleRate: format.sampleRate,
      channels: format.channels,
      bits: 8 * BYTES_PER_SAMPLE[format.sample],
      bytes,
      addedAt: new Date(Math.min(addedAt, DATE_MS_MAX)).toISOString(),
      lost,
    };
    tracks.set(track, json);
  }
  return json;
}
