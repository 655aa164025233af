/** A house that stands still: one view, told once by a server that there is not, at a moment that does not pass. Pictures are taken of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { StateEvent, Sync, TrackList } from '../../../../src/http/schema.js';
import { stateEventOf } from '../../../../src/http/state.js';
import { contentSecurityPolicy, stylesIn } from '../../../../src/http/web-files.js';
import { buildHouse } from '../../../support/house.js';
import { item, node, playing, track } from '../../model/views.js';

/** The built page, beside the compiled tests. */
const PAGE = fileURLToPath(new URL('../../../../web/', import.meta.url));
/** Where it is opened. */
export const STILL_ADDRESS = 'http://kitchen.local:8080/';

const MINUTE_MS = 60_000;
const SONGS: readonly (readonly [title: string, artist: string, minutes: number])[] = [
  ['Morning in the kitchen', 'The Two Lamps', 3.4],
  ['Evening in the hall', 'The Two Lamps', 4.1],
  ['Rain on the attic', 'The Two Lamps', 2.8],
  ['Ein sehr langer Titel, der auf zwei Zeilen gehört und danach abgeschnitten wird', 'Kapelle am Hang', 5.6],
  ['Ὕμνος εἰς τὴν ἐλευθερίαν', 'Χορωδία', 3.9],
  ['أغنية المطبخ', 'فرقة البيت', 2.2],
];

const tracks = SONGS.map(([title, artist, minutes], at) =>
  track(`t${at}`, { title, artist, album: 'House music', number: at + 1, durationMs: minutes * MINUTE_MS }),
);
const queue = tracks.map(({ id, title, durationMs }, at) => item(`i${at}`, durationMs, { trackId: id, title }));

/** A full house in which the first song plays. */
export const STILL_VIEW: StateEvent = {
  node: { id: 'id-kitchen', name: 'kitchen', version: '1.0.0', webBuild: '', access: 'open', closed: {} },
  cluster: {
    id: 'house',
    leader: 'id-kitchen',
    leaderSinceNs: '0',
    quorum: true,
    voters: 3,
    votersOnline: 3,
    needed: 2,
    role: 'leader',
    appliedSlot: 120,
    timeNs: '600000000000',
  },
  nodes: [
    node('kitchen', { leader: true }, { errorUs: 1 }),
    node('attic', {}, { errorUs: -2, volume: 80 }),
    node('hall', {}, { errorUs: 3 }),
  ],
  nearby: [],
  tracksRev: 6,
  uploads: [],
  queueVersion: 9,
  queueLength: queue.length,
  queue,
  transport: playing(queue[0]!, 1.3 * MINUTE_MS, { atNs: '600000000000', startAtNs: '590000000000' }),
  repeat: 'off',
  volume: 65,
  muted: false,
  alerts: [],
};

/** The same house as a node sees it that has lost the others. */
export const CUT_OFF_VIEW: StateEvent = {
  ...STILL_VIEW,
  cluster: { ...STILL_VIEW.cluster, quorum: false, votersOnline: 1, leader: null, role: 'follower' },
  nodes: STILL_VIEW.nodes.map(({ name }) =>
    name === 'kitchen'
      ? node(name, {}, { errorUs: 1 })
      : node(name, { online: false, clock: null, disk: null }, { state: null, errorUs: null }),
  ),
  alerts: [{ code: 'NO_QUORUM', severity: 'error', nodeId: 'id-kitchen', trackId: null, sinceNs: '0' }],
};

/** What a node shows that belongs to no house yet, and whose settings have a mistake: in its own words, since there is no more to it. */
export const WAITING_VIEW: StateEvent = stateEventOf(
  buildHouse({ isMember: false, machineTroubles: () => ['BAD_CONFIG'] }).house,
  { httpUrl: () => STILL_ADDRESS, access: 'open', webBuild: '', nearby: () => [] },
);

const wave = (seconds: number, phase: number, us: number) =>
  Array.from({ length: seconds }, (_, at) => Math.round(10 * us * Math.sin(at / 9 + phase)) / 10);

const SYNC: Sync = {
  atNs: '600000000000',
  nodes: STILL_VIEW.nodes.map(({ id, name }, at) => ({
    id,
    name,
    online: true,
    t0Ns: '0',
    stepMs: 1_000,
    playoutErrorUs: wave(600, at, 2 + at),
    boundUs: wave(600, 0, 0).map(() => 20),
    offsetUs: at,
    errorUs: 20,
    driftPpm: at - 1,
    ppm: 2 * at,
    underruns: 0,
    snaps: 0,
    late: 0,
  })),
  pairs: [{ nodes: ['id-kitchen', 'id-hall'], seconds: 300, p50Us: 2, p95Us: 4, p99Us: 5, maxUs: 6 }],
  spread: { p50Us: 2, p95Us: 4, p99Us: 5, maxUs: 6, pairs: 3, windowS: 300 },
};

const LIST: TrackList = { tracksRev: STILL_VIEW.tracksRev, tracks };

/** The outline of a song: the same for all. */
const peaks = Buffer.from(
  Array.from({ length: 2_048 }, (_, at) => Math.round(40 + 150 * Math.abs(Math.sin(at / 47) * Math.sin(at / 301)))),
);

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json',
};

/** Has the page talk to a house that stands still, instead of to a node. In the page, `tell(name, event)` tells it something else. */
export async function standStill(page: Page, view: StateEvent): Promise<void> {
  const json = (value: unknown) => ({ contentType: 'application/json', body: JSON.stringify(value) });
  const answers: Readonly<Record<string, object>> = {
    '/api/v1/tracks': json(LIST),
    '/api/v1/queue': json({ queueVersion: view.queueVersion, queueLength: queue.length, items: queue }),
    '/api/v1/sync': json(SYNC),
    '/api/v1/members': json({ members: view.nodes }),
    '/api/v1/time': json({ timeNs: view.cluster.timeNs, errorUs: 1 }),
  };
  await page.addInitScript(`
    window.EventSource = class {
      #takers = {};
      constructor() {
        window.tell = (name, event) => this.#takers[name]({ type: name, data: JSON.stringify(event) });
      }
      addEventListener(name, take) {
        this.#takers[name] = take;
        if (name === 'state') queueMicrotask(() => window.tell(name, ${JSON.stringify(view)}));
      }
      close() {}
    };
  `);
  await page.clock.install({ time: 0 });
  await page.route('**/*', (route) => {
    const { pathname } = new URL(route.request().url());
    const known = pathname.endsWith('/peaks')
      ? { contentType: 'application/octet-stream', body: peaks }
      : answers[pathname];
    if (known !== undefined) return route.fulfill(known);
    const path = pathname === '/' ? 'index.html' : pathname.slice(1);
    const body = readFileSync(join(PAGE, path));
    const contentType = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    if (path !== 'index.html') return route.fulfill({ contentType, body });
    const text = body.toString('utf8').replaceAll('%NODE%', view.node.name).replaceAll('%BUILD%', '');
    return route.fulfill({
      contentType,
      body: text,
      headers: { 'content-security-policy': contentSecurityPolicy(stylesIn(text), []) },
    });
  });
}
