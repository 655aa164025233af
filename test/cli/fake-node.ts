/** A node of one small library, as far as the command line can see: it answers in the contract's JSON and records what it was asked. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { ERRORS, type ErrorCode } from '../../src/core/errors.js';
import type { Queue, QueueItem, State, Sync, Track, Transport } from '../../src/http/schema.js';

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Takes the place of the ordinary answer to the next request. */
export type Prank = (request: http.IncomingMessage, response: http.ServerResponse) => void;

const NODE_ID = 'a'.repeat(32);

export function makeTrack(id: string, title: string, settings: Partial<Track> = {}): Track {
  return {
    id: id.padEnd(64, '0'),
    title,
    fileName: `${title}.wav`,
    artist: null,
    album: null,
    number: null,
    durationMs: 187_400,
    sampleRate: 44_100,
    channels: 2,
    bits: 16,
    bytes: 33_057_404,
    addedAt: '2026-01-02T03:04:05.000Z',
    holders: [NODE_ID],
    lost: false,
    ...settings,
  };
}

export class FakeNode {
  tracks: Track[] = [];
  queue: QueueItem[] = [];
  transport: Transport = STOPPED;
  volume = 80;
  muted = false;
  repeat: State['repeat'] = 'off';
  state: Partial<State> = {};
  sync: Sync = NOTHING_IN_STEP;
  readonly requests: Recorded[] = [];
  readonly #pranks: Prank[] = [];
  readonly #server = http.createServer((request, response) => this.#serve(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next requests are answered by `pranks`, one each; what comes after them in the ordinary way. */
  prank(...pranks: Prank[]): void {
    this.#pranks.push(...pranks);
  }

  /** Writes among the requests, as `METHOD path body`. */
  get writes(): string[] {
    return this.requests
      .filter(({ method }) => method !== 'GET')
      .map(({ method, path, body }) => `${method} ${path} ${body}`.trim());
  }

  play(item: QueueItem, positionMs: number): void {
    this.transport = {
      ...STOPPED,
      status: 'playing',
      itemId: item.itemId,
      trackId: item.trackId,
      title: item.title,
      durationMs: item.durationMs,
      positionMs,
      atNs: '5000000000',
    };
  }

  enqueue(...tracks: Track[]): QueueItem[] {
    const items = tracks.map((track, index): QueueItem => {
      const seq = this.queue.length + index + 1;
      const { id: trackId, title, durationMs } = track;
      return {
        itemId: `i${seq}`,
        seq,
        trackId,
        title,
        durationMs,
        ready: true,
        addedBy: { node: NODE_ID, via: 'cli' },
      };
    });
    this.queue.push(...items);
    return items;
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const prank = this.#pranks.shift();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const path = request.url!.replace(/^\/api\/v1/, '');
      const body = Buffer.concat(chunks).toString();
      this.requests.push({ method: request.method!, path, headers: request.headers, body });
      if (prank !== undefined) prank(request, response);
      else sendJson(response, ...this.#answer(request.method!, path, body));
    });
  }

  /** HTTP status and JSON. */
  #answer(method: string, path: string, body: string): [number, object] {
    const call = `${method} ${path}`;
    if (call === 'GET /state') return [200, this.#view()];
    if (call === 'GET /sync') return [200, this.sync];
    if (call === 'GET /members') return [200, { members: this.#view().nodes }];
    if (path.startsWith('/cluster/')) return [201, { cluster: 'c'.repeat(32), node: NODE_ID }];
    if (call === 'GET /tracks') return [200, { tracksRev: 1, tracks: this.tracks }];
    if (call === 'GET /queue') return [200, this.#queueView()];
    if (method === 'PUT' && path.startsWith('/tracks/')) {
      const title = decodeURIComponent(path.slice('/tracks/'.length)).replace(/\.wav$/, '');
      const track = makeTrack('feed', title, { bytes: body.length });
      this.tracks.push(track);
      return [201, track];
    }
    if (call === 'POST /queue') {
      const { trackIds } = JSON.parse(body) as { trackIds: string[] };
      const items = this.enqueue(...trackIds.map((id) => this.tracks.find((track) => track.id === id)!));
      return [200, { slot: 7, itemIds: items.map((item) => item.itemId) }];
    }
    if (call === 'DELETE /queue') this.queue = [];
    if (call === 'POST /queue/shuffle') this.queue.reverse();
    if (call === 'POST /transport/pause') this.transport = { ...this.transport, status: 'paused' };
    if (call === 'POST /transport/stop') this.transport = STOPPED;
    if (path.startsWith('/transport/')) return [200, this.transport];
    if (call === 'PUT /volume') {
      const change = JSON.parse(body) as { volume?: number; delta?: number; muted?: boolean };
      this.volume = change.volume ?? this.volume + (change.delta ?? 0);
      this.muted = change.muted ?? this.muted;
    }
    return [200, { slot: 7 }];
  }

  #queueView(): Queue {
    return { queueVersion: 3, queueLength: this.queue.length, items: this.queue };
  }

  #view(): State {
    return {
      node: { id: NODE_ID, name: 'kitchen', version: '0.1.0', webBuild: '', access: 'open', closed: {} },
      cluster: {
        id: 'c'.repeat(32),
        leader: NODE_ID,
        leaderSinceNs: '1',
        quorum: true,
        voters: 1,
        votersOnline: 1,
        needed: 1,
        role: 'leader',
        appliedSlot: 7,
        timeNs: '7000000000',
      },
      nodes: [KITCHEN],
      nearby: [],
      tracksRev: 1,
      tracks: this.tracks,
      uploads: [],
      queueVersion: 3,
      queueLength: this.queue.length,
      queue: this.queue,
      transport: this.transport,
      repeat: this.repeat,
      volume: this.volume,
      muted: this.muted,
      alerts: [],
      ...this.state,
    };
  }
}

/** A prank: the problem document of `code`, with particulars. */
export const refuse =
  (code: ErrorCode, detail: string, particulars: object = {}): Prank =>
  (_request, response) => {
    const { status, title, advice } = ERRORS[code];
    const problem = { type: `/errors#${code}`, title, status, detail, code, advice, ...particulars };
    sendJson(response, status, problem, 'application/problem+json');
  };

/** A prank: the connection ends without an answer. */
export const hangUp: Prank = (request) => request.socket.destroy();

/** A prank: something that no node says. */
export const answer =
  (status: number, text: string): Prank =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end(text);

function sendJson(response: http.ServerResponse, status: number, body: object, mediaType = 'application/json'): void {
  response.writeHead(status, { 'content-type': mediaType }).end(JSON.stringify(body));
}

export const NOTHING_IN_STEP: Sync = {
  atNs: '0',
  nodes: [],
  pairs: [],
  spread: { p50Us: null, p95Us: null, p99Us: null, maxUs: null, pairs: 0, windowS: 600 },
};

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

export const KITCHEN = {
  id: NODE_ID,
  name: 'kitchen',
  address: '10.0.0.2:7420',
  httpUrl: 'http://10.0.0.2:8080',
  version: '0.1.0',
  role: 'voter',
  online: true,
  lastHeardNs: '7000000000',
  leader: true,
  trusted: true,
  clock: {
    locked: true,
    holdover: false,
    loose: false,
    outvoted: false,
    offsetUs: 0,
    errorUs: 11.2,
    driftPpm: 0,
    ageMs: 3,
  },
  output: {
    driver: 'virtual',
    device: '',
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
  },
  disk: {
    freeBytes: 12_345_678_901,
    totalBytes: 32_000_000_000,
    refusing: false,
    tracksHeld: 2,
    tracksMissing: { count: 0, first: [] as string[] },
  },
} as const satisfies State['nodes'][number];
