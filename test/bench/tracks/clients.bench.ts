/**
 * The experiment of the notebook: how long uploads take when 1, 2, 4 and 8 clients send at once, each its own file to another node.
 *
 * An upload is answered when a majority of the voters hold the file, synced and read back. All nodes share this machine's disk and processors, so
 * the peer is as many plain writers at once as there are nodes, which write the same bytes: what a house could do at best that does nothing else.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type House, startHouse } from '../consensus/tutti-house.js';
import { type Curve, plotOf } from '../plot.js';
import { processorS } from '../processes.js';
import { atMostTimesPeer, forInformation, type Row, type Suite } from '../row.js';
import { plainDiskRate } from './plain.js';
import { MB, type Song, songsOf } from './songs.js';
import { heldEverywhere, send } from './uploading.js';

const CLIENTS = [1, 2, 4, 8] as const;
const HOUSES = [3, 8] as const;
const COLOURS = ['#0a6', '#c50'];
/** Where the plot of docs/tracks.md is written. */
const PLOT = join('docs', 'tracks-clients.svg');
/** A song of two minutes. Bytes. */
const SONG_BYTES = 20 * MB;
/** How much longer than alone eight clients together may take, for eight times the bytes. */
const TOGETHER_MAX = 1.25;

/** What so many clients saw. Seconds. */
interface Seen {
  readonly firstS: number;
  readonly lastS: number;
  readonly everywhereS: number;
  /** Of all processors, how much the nodes took meanwhile. */
  readonly busy: number;
}

async function atOnce(house: House, clients: number, makeSong: () => Song): Promise<Seen> {
  const songs = Array.from({ length: clients }, makeSong);
  const before = processorS(house);
  const beganAt = performance.now();
  const seconds = () => (performance.now() - beganAt) / 1_000;
  const seen = await Promise.all(
    songs.map(async (song, client) => {
      const member = house.members[client % house.members.length]!;
      const id = await send(member, song);
      const answeredS = seconds();
      await heldEverywhere(house, member, id);
      return { answeredS, everywhereS: seconds() };
    }),
  );
  const answered = seen.map(({ answeredS }) => answeredS);
  const everywhereS = Math.max(...seen.map((one) => one.everywhereS));
  const busy = (processorS(house) - before) / (everywhereS * availableParallelism());
  return { firstS: Math.min(...answered), lastS: Math.max(...answered), everywhereS, busy };
}

async function inHouse(nodes: (typeof HOUSES)[number]): Promise<{ readonly rows: Row[]; readonly curve: Curve }> {
  const house = await startHouse({ nodes });
  const makeSong = songsOf(SONG_BYTES);
  try {
    // Code is compiled by then.
    await atOnce(house, nodes, makeSong);
    const rows: Row[] = [];
    const points: [number, number][] = [[0, 0]];
    let aloneS = 0;
    for (const clients of CLIENTS) {
      const { firstS, lastS, everywhereS, busy } = await atOnce(house, clients, makeSong);
      points.push([clients, everywhereS]);
      if (clients === 1) aloneS = everywhereS;
      const what = `${nodes} nodes, ${clients} x ${SONG_BYTES / MB} MB at once`;
      const plainS = (clients * SONG_BYTES) / MB / (await plainDiskRate(nodes, clients * SONG_BYTES));
      rows.push(
        forInformation({ what: `${what}: first 201`, figure: firstS, unit: 's' }),
        forInformation({ what: `${what}: last 201`, figure: lastS, unit: 's' }),
        {
          ...forInformation({ what: `${what}: all everywhere`, figure: everywhereS, unit: 's' }),
          peer: { name: `${nodes} plain writers`, figure: plainS },
          ratio: everywhereS / plainS,
        },
        forInformation({ what: `${what}: processors taken`, figure: 100 * busy, unit: '%' }),
      );
      if (clients !== CLIENTS.at(-1)) continue;
      const peer = { name: `${clients} x 1 client`, figure: clients * aloneS };
      rows.push(
        atMostTimesPeer(TOGETHER_MAX, { what: `${what}: all everywhere`, figure: everywhereS, unit: 's', peer }),
      );
    }
    return { rows, curve: { label: `house of ${nodes}`, colour: COLOURS[HOUSES.indexOf(nodes)]!, points } };
  } finally {
    await house.stop();
  }
}

async function run(): Promise<Row[]> {
  const houses = [];
  for (const nodes of HOUSES) houses.push(await inHouse(nodes));
  const title = `Until every node holds all files, ${SONG_BYTES / MB} MB from each client`;
  const axes = { x: 'clients at once', y: 's', isCentred: false };
  const curves = houses.map(({ curve }) => curve);
  writeFileSync(PLOT, plotOf(title, axes, curves));
  return houses.flatMap(({ rows }) => rows);
}

const suite: Suite = { name: 'tracks-clients', run };
export default suite;
