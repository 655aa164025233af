/** Pieces of a node's view, for tests of what the page makes of them. */
import type { NodeView, QueueItem, Track, Transport } from '../../../src/http/schema.js';

export const item = (itemId: string, durationMs = 10_000, extra: Partial<QueueItem> = {}): QueueItem => ({
  itemId,
  seq: Number(itemId.replace(/\D/g, '')) || 0,
  trackId: `track-${itemId}`,
  title: `Song ${itemId}`,
  durationMs,
  ready: true,
  addedBy: { node: 'n1', via: 'web' },
  ...extra,
});

/** What is agreed while `current` plays. */
export const playing = (current: QueueItem, positionMs: number, extra: Partial<Transport> = {}): Transport => ({
  status: 'playing',
  itemId: current.itemId,
  trackId: current.trackId,
  title: current.title,
  positionMs,
  durationMs: current.durationMs,
  atNs: '0',
  startAtNs: '0',
  changedBy: null,
  ...extra,
});

export const STOPPED: Transport = {
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

export const track = (id: string, extra: Partial<Track> = {}): Track => ({
  id,
  title: `Song ${id}`,
  fileName: `${id}.wav`,
  artist: null,
  album: null,
  number: null,
  durationMs: 10_000,
  sampleRate: 44_100,
  channels: 2,
  bits: 16,
  bytes: 1_000_000,
  addedAt: '2026-01-01T00:00:00.000Z',
  holders: ['n1'],
  lost: false,
  ...extra,
});

export const node = (
  name: string,
  extra: Partial<NodeView> = {},
  output: Partial<NodeView['output']> = {},
): NodeView => ({
  id: `id-${name}`,
  name,
  address: `${name}:7420`,
  httpUrl: `http://${name}:8080`,
  version: '1',
  role: 'voter',
  online: true,
  lastHeardNs: '0',
  leader: false,
  trusted: true,
  clock: {
    locked: true,
    holdover: false,
    loose: false,
    outvoted: false,
    offsetUs: 0,
    errorUs: 20,
    driftPpm: 0,
    ageMs: 100,
  },
  output: {
    driver: 'virtual',
    device: 'card',
    state: 'playing',
    reason: null,
    errorUs: 0,
    ppm: 0,
    underruns: 0,
    snaps: 0,
    late: 0,
    volume: 100,
    volumeLimit: 100,
    muted: false,
    channels: 'stereo',
    latencyUs: 0,
    ...output,
  },
  disk: {
    freeBytes: 1e9,
    totalBytes: 2e9,
    refusing: false,
    tracksHeld: 3,
    tracksMissing: { count: 0, first: [] },
  },
  ...extra,
});
