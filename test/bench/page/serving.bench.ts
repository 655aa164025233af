/** What a page costs the node that serves it: its files, and the events by which it is told. */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ends } from '../../support/daemon.js';
import { PageHouse } from '../../web/browser/support/page-house.js';
import { median } from '../consensus/statistics.js';
import { atMost, atMostTimesPeer, type Row, type Suite } from '../row.js';
import { withEnds } from '../with-ends.js';

const ASSETS = fileURLToPath(new URL('../../../web/assets/', import.meta.url));
const ASKED = 400;
const QUEUED = 30;
const IDLE_S = 10;
const CHANGES_S = 5;
const CHANGES_PER_S = 20;

/** How long it takes until all of an answer is here, milliseconds. */
const answeredMs = (agent: Agent, url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const beganMs = performance.now();
    request(url, { agent, headers: { 'accept-encoding': 'br' } }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - beganMs));
    })
      .on('error', reject)
      .end();
  });

/** The page's largest file from a node, and the same bytes from a server that does nothing else. */
async function files(bench: Ends, house: PageHouse): Promise<Row> {
  const scripts = readdirSync(ASSETS).filter((file) => /^(index|page)-.*\.js$/.test(file));
  const packed = (file: string) => readFileSync(join(ASSETS, `${file}.br`));
  const name = scripts.reduce((a, b) => (packed(b).length > packed(a).length ? b : a));
  const bytes = packed(name);
  const plain = createServer((_, response) => response.writeHead(200, { 'content-encoding': 'br' }).end(bytes));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  bench.teardown(() => {
    agent.destroy();
    plain.closeAllConnections();
    plain.close();
  });
  const { port } = new URL(house.address('kitchen'));
  const [ours, theirs]: [number[], number[]] = [[], []];
  // In turns, so that both have the same moments.
  for (let asked = 0; asked < ASKED; asked += 1) {
    ours.push(await answeredMs(agent, `http://127.0.0.1:${port}/assets/${name}`));
    theirs.push(await answeredMs(agent, `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`));
  }
  const peer = { name: 'node:http alone', figure: median(theirs) };
  return atMostTimesPeer(3, { what: "to serve the page's largest file", figure: median(ours), unit: 'ms', peer });
}

interface Told {
  readonly bytes: number;
  readonly atMs: number;
}

/** Notes every event by its name. */
async function listen(bench: Ends, house: PageHouse): Promise<Map<string, Told[]>> {
  const told = new Map<string, Told[]>();
  const { port } = new URL(house.address('kitchen'));
  const asked = request(`http://127.0.0.1:${port}/api/v1/events`, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (piece: string) => {
      const blocks = `${text}${piece}`.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const name = /^event: (.*)$/m.exec(block)?.[1] ?? '';
        const one = { bytes: Buffer.byteLength(block) + 2, atMs: performance.now() };
        told.set(name, [...(told.get(name) ?? []), one]);
      }
    });
  });
  asked.on('error', () => {}).end();
  bench.teardown(() => asked.destroy());
  return told;
}

async function events(bench: Ends, house: PageHouse): Promise<Row[]> {
  await house.begin(Array.from({ length: QUEUED }, (_, at) => at % house.trackIds.length));
  const told = await listen(bench, house);
  const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
  const states = () => told.get('state') ?? [];
  await wait(2);
  const before = states().length;
  await wait(IDLE_S);
  const idle = (states().length - before) / IDLE_S;
  const beforeChanges = states().length;
  for (let change = 0; change < CHANGES_S * CHANGES_PER_S; change += 1) {
    void house.daemons.attic.call('PUT', '/volume', { volume: 20 + (change % 40) });
    await wait(1 / CHANGES_PER_S);
  }
  const during = states().slice(beforeChanges);
  const busy = (1_000 * (during.length - 1)) / (during.at(-1)!.atMs - during[0]!.atMs);
  const largest = Math.max(...states().map(({ bytes }) => bytes)) / 1_000;
  return [
    atMost(12, { what: `a state event, ${QUEUED} songs in the queue, three nodes`, figure: largest, unit: 'kB' }),
    atMost(5, { what: `state events each second, ${CHANGES_PER_S} changes each second`, figure: busy, unit: '' }),
    atMost(0, { what: 'state events each second, nothing changes', figure: idle, unit: '' }),
  ];
}

function run(): Promise<Row[]> {
  return withEnds(async (bench) => {
    const house = await PageHouse.start(bench);
    return [await files(bench, house), ...(await events(bench, house))];
  });
}

const suite: Suite = { name: 'page-serving', run };
export default suite;
