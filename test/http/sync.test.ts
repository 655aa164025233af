/** GET /sync, and what GET /state shows of other nodes. */
import t from 'tap';
import { Value } from 'typebox/value';
import type { Incarnation, NodeId } from '../../src/core/ids.js';
import * as schema from '../../src/http/schema.js';
import { encodeReport, type Report } from '../../src/node/report.js';
import { NODE_ID, startHouse } from '../support/house.js';

const ATTIC = 'e'.repeat(32) as NodeId;
const attic = { node: ATTIC, incarnation: ATTIC as string as Incarnation, address: 'attic:7420', name: 'attic' };
const REPORT: Omit<Report, 'atNs'> = {
  clock: {
    locked: true,
    holdover: false,
    loose: false,
    outvoted: false,
    offsetUs: 2,
    errorUs: 25,
    driftPpm: 12.5,
    ageMs: 700,
  },
  output: {
    driver: 'alsa',
    device: 'hw:CARD=DAC,DEV=0',
    state: 'playing',
    reason: null,
    errorUs: 6,
    ppm: -31,
    underruns: 1,
    snaps: 2,
    late: 3,
    volumeLimit: 60,
  },
  needMs: 100,
};

async function start(t: Parameters<typeof startHouse>[0]) {
  const house = await startHouse(t);
  await house.consensus.changeMembers({ type: 'add', member: attic });
  const get = async (path: string) => {
    const answer = await house.http.inject({
      method: 'GET',
      url: `/api/v1${path}`,
      headers: { host: 'kitchen.local:8080' },
    });
    return { status: answer.statusCode, json: answer.json() };
  };
  return { ...house, get };
}

t.test('whoever asks soon after another gets what that one was told', async (t) => {
  const { get, time } = await start(t);
  const atNs = async () => (await get('/sync')).json.atNs;
  const first = await atNs();
  time.advance(400);
  t.equal(await atNs(), first);
  time.advance(200);
  t.not(await atNs(), first);
});

t.test('a house that has not played has nothing to compare', async (t) => {
  const { get } = await start(t);
  const { status, json } = await get('/sync');
  t.equal(status, 200);
  t.ok(Value.Check(schema.Sync, json));
  t.match(json, {
    nodes: [
      { id: NODE_ID, name: 'kitchen', stepMs: 1_000, errorUs: 0 },
      { id: ATTIC, name: 'attic', errorUs: null, underruns: null },
    ],
    pairs: [],
    spread: { p50Us: null, maxUs: null, pairs: 0, windowS: 600 },
  });
});

t.test('while two nodes play, it says how far they are apart, second by second', async (t) => {
  const { get, time, node, consensus, playout } = await start(t);
  playout.current = { ...playout.current, state: 'playing', errorUs: -4 };
  for (let second = 0; second < 30; second++) {
    time.advance(1_000);
    consensus.hear(ATTIC, encodeReport({ ...REPORT, atNs: node.now() }));
  }
  const { json } = await get('/sync');
  t.ok(Value.Check(schema.Sync, json));
  t.match(json.spread, { p50Us: 12, p99Us: 12, maxUs: 12, pairs: 1 });
  t.match(json.pairs, [{ nodes: [NODE_ID, ATTIC], p50Us: 12 }]);
  t.ok(json.pairs[0].seconds >= 28);
  const [kitchen, loft] = json.nodes;
  t.equal(kitchen.playoutErrorUs.length, kitchen.boundUs.length);
  t.equal(kitchen.playoutErrorUs.at(-2), -4);
  t.equal(loft.playoutErrorUs.at(-2), 8, 'card and clock together');
  t.match(loft, { offsetUs: 2, errorUs: 25, driftPpm: 12.5, ppm: -31, underruns: 1, snaps: 2, late: 3 });
  const last = BigInt(kitchen.t0Ns) + BigInt(kitchen.stepMs * (kitchen.boundUs.length - 1)) * 1_000_000n;
  t.ok(node.now() - last < 1_000_000_000n, 'the last step is the present second');
});

t.test('the view of any node shows the clocks and cards of all', async (t) => {
  const { get, node, consensus, time } = await start(t);
  const before = node.viewRev;
  consensus.hear(ATTIC, encodeReport({ ...REPORT, atNs: node.now() }));
  t.ok(node.viewRev > before, 'a card that plays now is news');
  const rev = node.viewRev;
  consensus.hear(ATTIC, encodeReport({ ...REPORT, atNs: node.now() }));
  t.equal(node.viewRev, rev, 'figures that move are not');
  const { json } = await get('/state');
  t.ok(Value.Check(schema.State, json));
  t.match(json.nodes[1], {
    clock: { locked: true, errorUs: 25, driftPpm: 12.5 },
    output: { driver: 'alsa', state: 'playing', underruns: 1, snaps: 2, late: 3, volume: 100, volumeLimit: 60 },
  });
  time.advance(10_000);
  t.match((await get('/state')).json.nodes[1], { clock: null, output: { state: null, volume: 100 } });
});

t.test('the time comes with its bound', async (t) => {
  const { get, consensus } = await start(t);
  t.match((await get('/time')).json, { errorUs: 0 });
  consensus.clockState = { errorNs: 33_300 };
  t.match((await get('/time')).json, { errorUs: 33.3 });
});
