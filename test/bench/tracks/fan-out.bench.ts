/**
 * From one node to all: how soon the last node has a file, and how that compares with what link and disk give when nothing else is done.
 *
 * The rate counts from the moment at which the node that takes the file in has all of its bytes: its own reading back, the copies, and the reading
 * back of those are in it. All nodes of this machine share its disk, so the peer's disk is written to by as many at once.
 */
import { availableParallelism } from 'node:os';
import { layWires, type Wires } from '../../support/wires.js';
import { median } from '../consensus/statistics.js';
import { type House, startHouse } from '../consensus/tutti-house.js';
import { processorS } from '../processes.js';
import { atMost, forInformation, type Row, type Suite, skipped, timesPeer } from '../row.js';
import { plainDiskRate, plainLinkRate } from './plain.js';
import { MB, songsOf } from './songs.js';
import { type Copied, copyEverywhere } from './uploading.js';

/** An album. Bytes. */
const FILE_BYTES = 80 * MB;
const ROUNDS = 3;
/** What a system of 2014 took for a file of this size and five replicas. Seconds. */
const EVERYWHERE_S_MAX = 27;
/** Of the slower of link and disk. */
const SHARE_MIN = 0.7;
/** As the port of an older Raspberry Pi. 10^6 bits a second. */
const SLOW_LINK_MBITS = 100;

const HOUSES: readonly { readonly nodes: number; readonly mbits?: number }[] = [
  { nodes: 8 },
  { nodes: 3 },
  { nodes: 3, mbits: SLOW_LINK_MBITS },
  { nodes: 8, mbits: SLOW_LINK_MBITS },
];

/** What one round gave. */
interface Round extends Copied {
  /** MB a second. */
  readonly diskRate: number;
  readonly linkRate: number;
  /** Of all processors, how much the nodes took. */
  readonly busy: number;
}

async function rounds(house: House, wires: Wires | undefined): Promise<Round[]> {
  const nodes = house.members.length;
  const makeSong = songsOf(FILE_BYTES);
  const makeShort = songsOf(FILE_BYTES / 8);
  // Code is compiled by then.
  await copyEverywhere(house, house.members[0]!, makeShort());
  const found: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const diskRate = await plainDiskRate(nodes, FILE_BYTES);
    const linkRate = await plainLinkRate(FILE_BYTES, wires);
    const before = processorS(house);
    const copied = await copyEverywhere(house, house.members[round % nodes]!, makeSong());
    const busy = (processorS(house) - before) / ((copied.everywhereMs / 1_000) * availableParallelism());
    found.push({ ...copied, diskRate, linkRate, busy });
  }
  return found;
}

async function inHouse(nodes: number, mbits: number | undefined): Promise<Row[]> {
  const what = `${nodes} nodes${mbits === undefined ? '' : ` on links of ${mbits} Mbit/s`}, ${FILE_BYTES / MB} MB`;
  const wires = mbits === undefined ? undefined : layWires(nodes, { mbits });
  if (wires !== undefined && 'missing' in wires) return [skipped(what, wires.missing)];
  const house = await startHouse({ nodes, ...(wires && { wires }) });
  try {
    const found = await rounds(house, wires);
    const of = (figure: (round: Round) => number) => median(found.map(figure));
    const everywhereS = of(({ everywhereMs }) => everywhereMs / 1_000);
    const [disk, link] = [of(({ diskRate }) => diskRate), of(({ linkRate }) => linkRate)];
    const name = disk < link ? `${nodes} plain writers` : 'plain TCP';
    const rate = of(({ everywhereMs, receivedMs }) => FILE_BYTES / MB / ((everywhereMs - receivedMs) / 1_000));
    const until = { what: `${what}: until all hold it`, figure: everywhereS, unit: 's' };
    return [
      mbits === undefined ? atMost(EVERYWHERE_S_MAX, until) : forInformation(until),
      forInformation({ what: `${what}: until 201`, figure: of(({ answeredMs }) => answeredMs / 1_000), unit: 's' }),
      forInformation({
        what: `${what}: until received`,
        figure: of(({ receivedMs }) => receivedMs / 1_000),
        unit: 's',
      }),
      timesPeer(SHARE_MIN, {
        what: `${what}: fan-out`,
        figure: rate,
        unit: 'MB/s',
        peer: { name, figure: Math.min(disk, link) },
      }),
      forInformation({ what: `${what}: processors taken`, figure: 100 * of(({ busy }) => busy), unit: '%' }),
    ];
  } finally {
    await house.stop();
    wires?.remove();
  }
}

async function run(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { nodes, mbits } of HOUSES) rows.push(...(await inHouse(nodes, mbits)));
  return rows;
}

const suite: Suite = { name: 'tracks-fan-out', run };
export default suite;
