/**
 * Commits on slow disks: every sync of every node's log takes 10 or 50 ms longer, as on an SD card. What a sync takes without that is measured
 * beside it, on the same disk and as seldom.
 *
 * A batch takes two syncs, one after the other (body, then identifier), on leader and followers alike and at the same time: a commit that
 * takes more than two syncs waits for somebody who should have worked in parallel.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { plainWav } from '../../support/wav-files.js';
import { atMost, forInformation, type Row, type Suite } from '../row.js';
import { folderOnDisk, leaderOf } from './contestant.js';
import { askOnce, request } from './http-client.js';
import { latenciesOf, oneByOne } from './load.js';
import { startHouse } from './tutti-house.js';

/** What a sync takes longer, and how many commits are measured. */
const DISKS = [
  { delayMs: 10, commits: 400 },
  { delayMs: 50, commits: 150 },
] as const;
/** A song that is still playing when it is asked for. */
const SONG_S = 60;
/** What a commit may take beside two syncs and two round trips. Milliseconds. */
const REST_MS = 5;

/** How many plain syncs are timed. */
const SYNCS = 100;

/** What writing a page and syncing it takes in a process that does nothing else, with such a rest before each: the median, milliseconds. */
async function plainSyncMs(restMs: number): Promise<number> {
  const folder = folderOnDisk();
  const file = openSync(join(folder, 'page'), 'w');
  const page = new Uint8Array(4_096).fill(1);
  const took: number[] = [];
  for (let count = 0; count < SYNCS; count++) {
    await new Promise((resolve) => setTimeout(resolve, restMs));
    const startedAt = performance.now();
    writeSync(file, page, 0, page.length, 0);
    fdatasyncSync(file);
    took.push(performance.now() - startedAt);
  }
  closeSync(file);
  rmSync(folder, { recursive: true });
  return latenciesOf(took).p50;
}

/** The 99th percentile of commits, the round trip of a request that agrees on nothing, and what a command waits for its sound. */
async function onDisk(syncDelayMs: number, commits: number) {
  const house = await startHouse({ syncDelayMs });
  try {
    const leader = await leaderOf(house);
    const commit = (n: number) => leader.writeRequest(n);
    await oneByOne(leader.port, commit, commits / 10);
    const { p99 } = latenciesOf(await oneByOne(leader.port, commit, commits));
    const probe = request('GET', '/healthz', leader.port);
    const roundTrip = latenciesOf(await oneByOne(leader.port, () => probe, 200)).p50;
    return { p99, roundTrip, soundMs: await commandToSound(leader.port) };
  } finally {
    await house.stop();
  }
}

/** From a command's stamp to the instant at which it is heard everywhere, milliseconds: what the leader adds, going by its last commits. */
async function commandToSound(port: number): Promise<number> {
  const api = async (method: string, path: string, body?: unknown) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return JSON.parse((await askOnce(port, request(method, `/api/v1${path}`, port, text))).body) as never;
  };
  const song = plainWav({ sampleRate: 8_000, channels: 1, bits: 8 }, new Uint8Array(SONG_S * 8_000));
  const upload = await fetch(`http://127.0.0.1:${port}/api/v1/tracks/song.wav`, { method: 'PUT', body: song });
  const { id } = (await upload.json()) as { readonly id: string };
  await api('POST', '/queue', { trackId: id });
  await api('POST', '/transport/play');
  const { transport } = (await api('GET', '/state')) as { readonly transport: Transport };
  return Number(BigInt(transport.startAtNs) - BigInt(transport.changedBy.atNs)) / 1e6;
}

/** What is read of the transport in GET /state: cluster times in nanoseconds, as texts. */
interface Transport {
  readonly startAtNs: string;
  readonly changedBy: { readonly atNs: string };
}

async function run(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { delayMs, commits } of DISKS) {
    const { p99, roundTrip, soundMs } = await onDisk(delayMs, commits);
    const plain = await plainSyncMs(delayMs);
    const most = Number((2 * (delayMs + plain) + 2 * roundTrip + REST_MS).toFixed(1));
    rows.push(forInformation({ what: `a plain sync, ${delayMs} ms after the last: p50`, figure: plain, unit: 'ms' }));
    rows.push(atMost(most, { what: `commit, syncs ${delayMs} ms longer: p99`, figure: p99, unit: 'ms' }));
    rows.push(forInformation({ what: `command to sound, syncs ${delayMs} ms longer`, figure: soundMs, unit: 'ms' }));
  }
  return rows;
}

const suite: Suite = { name: 'consensus-slow-disk', run };
export default suite;
