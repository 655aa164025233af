/**
 * Nine real nodes on this machine: they agree, have every file and play it, each on a simulated card of a rate of its own.
 *
 * They share its processors, which nine Pis do not: what they say of their cards' spread is for information, and what a commit takes too.
 */
import { plainWav } from '../../support/wav-files.js';
import { leaderOf, type Member, until } from '../consensus/contestant.js';
import { askOnce, request } from '../consensus/http-client.js';
import { latenciesOf, oneByOne } from '../consensus/load.js';
import { startHouse } from '../consensus/tutti-house.js';
import { processorS, residentMb } from '../processes.js';
import { atLeast, atMost, forInformation, type Row, type Suite } from '../row.js';

const NODES = 9;
/** How far the slowest and the fastest card are from the right rate. */
const PPM_MOST = 80;
const SONG = { sampleRate: 22_050, seconds: 60 } as const;
const COMMITS = 200;
/** How long all play before they are asked how well. Seconds. */
const PLAYED_S = 20;

const ask = async ({ port }: Pick<Member, 'port'>, method: string, path: string, body?: unknown): Promise<unknown> => {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return JSON.parse((await askOnce(port, request(method, `/api/v1${path}`, port, text))).body);
};

/** Of GET /sync. */
interface Sync {
  readonly spread: { readonly p50Us: number; readonly p99Us: number; readonly pairs: number };
}
/** Of GET /state. */
interface State {
  readonly nodes: readonly { readonly output: { readonly state: string; readonly underruns: number } }[];
  readonly tracks: readonly { readonly holders: readonly string[] }[];
}

async function run(): Promise<Row[]> {
  const startedAt = performance.now();
  const house = await startHouse({
    nodes: NODES,
    env: { TUTTI_OUTPUT_DRIVER: 'virtual', TUTTI_OUTPUT_QUEUE_MS: '500' },
    envOf: (index) => ({ TUTTI_OUTPUT_VIRTUAL_PPM: String(PPM_MOST * ((2 * index) / (NODES - 1) - 1)) }),
  });
  try {
    const formedS = (performance.now() - startedAt) / 1_000;
    const leader = await leaderOf(house);
    const latencies = latenciesOf(await oneByOne(leader.port, (n) => leader.writeRequest(n), COMMITS));

    const samples = new Uint8Array(SONG.sampleRate * SONG.seconds * 2).map((_, at) =>
      at % 2 === 0 ? at * 7 : at >> 9,
    );
    const song = plainWav({ sampleRate: SONG.sampleRate, channels: 1, bits: 16 }, samples);
    const upload = await fetch(`http://127.0.0.1:${leader.port}/api/v1/tracks/song.wav`, { method: 'PUT', body: song });
    const { id } = (await upload.json()) as { readonly id: string };
    const state = async () => (await ask(leader, 'GET', '/state')) as State;
    await until('all hold the song', async () => (await state()).tracks[0]?.holders.length === NODES);
    await ask(leader, 'POST', '/transport/play', { trackId: id });
    const isPlaying = async () => (await state()).nodes.filter(({ output }) => output.state === 'playing').length;
    await until('all play', async () => (await isPlaying()) === NODES);
    const before = processorS(house);
    await new Promise((resolve) => setTimeout(resolve, PLAYED_S * 1_000));
    const share = ((processorS(house) - before) / PLAYED_S / NODES) * 100;
    const { spread } = (await ask(leader, 'GET', '/sync')) as Sync;
    const playing = await isPlaying();
    const resident = Math.max(...house.members.map(({ pid }) => residentMb(pid)));
    const what = `${NODES} nodes`;
    return [
      forInformation({ what: `${what}: formed, one after another`, figure: formedS, unit: 's' }),
      forInformation({ what: `${what}: commit, one after another: p50`, figure: latencies.p50, unit: 'ms' }),
      forInformation({ what: `${what}: commit, one after another: p99`, figure: latencies.p99, unit: 'ms' }),
      atLeast(NODES, { what: `${what}: play, ${PLAYED_S} s after the first note`, figure: playing, unit: 'nodes' }),
      atLeast((NODES * (NODES - 1)) / 2, { what: `${what}: pairs that are compared`, figure: spread.pairs, unit: '' }),
      forInformation({ what: `${what}: spread as they measure it: p50`, figure: spread.p50Us, unit: 'us' }),
      atMost(1_000, { what: `${what}: spread as they measure it: p99`, figure: spread.p99Us, unit: 'us' }),
      forInformation({ what: `${what}: processor of a node that plays`, figure: share, unit: '% of a core' }),
      forInformation({ what: `${what}: resident memory of the largest`, figure: resident, unit: 'MB' }),
    ];
  } finally {
    await house.stop();
  }
}

const suite: Suite = { name: 'cluster-nine', run };
export default suite;
