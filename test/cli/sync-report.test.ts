/** sync-report shows how far nodes are apart, and how each of them stands. */
import t, { type Test } from 'tap';
import type { Sync } from '../../src/http/schema.js';
import { FakeNode, KITCHEN } from './fake-node.js';
import { tutti } from './harness.js';

const ATTIC_ID = 'e'.repeat(32);
const NODE: Sync['nodes'][number] = {
  id: KITCHEN.id,
  name: 'kitchen',
  online: true,
  t0Ns: '1000000000',
  stepMs: 1_000,
  playoutErrorUs: [1.5, null, -2.25],
  boundUs: [20, 20, 20],
  offsetUs: 0,
  errorUs: 0,
  driftPpm: 0,
  ppm: 12.345,
  underruns: 0,
  snaps: 1,
  late: 2,
};
const SYNC: Sync = {
  atNs: '3000000000',
  nodes: [
    NODE,
    { ...NODE, id: ATTIC_ID, name: 'attic', online: false, errorUs: 1_234, ppm: null, playoutErrorUs: [null] },
  ],
  pairs: [{ nodes: [KITCHEN.id, ATTIC_ID], seconds: 580, p50Us: 7.25, p95Us: 21, p99Us: 130, maxUs: 4_200 }],
  spread: { p50Us: 7.25, p95Us: 21, p99Us: 130, maxUs: 4_200, pairs: 1, windowS: 600 },
};

async function house(t: Test, sync: Sync) {
  const node = new FakeNode();
  await node.start();
  t.teardown(() => node.stop());
  node.sync = sync;
  return (...words: string[]) => tutti(['sync-report', ...words, '--node', node.url]);
}

t.test('a table of pairs and one of nodes', async (t) => {
  const ask = await house(t, SYNC);
  const { exitCode, stdout } = await ask();
  t.equal(exitCode, 0);
  t.equal(
    stdout,
    [
      'Spread over 1 pair in the last 10 minutes: median 7.3 us, 99 % within 130 us, at most 4.2 ms.',
      '',
      'NODES            MEDIAN     95 %    99 %    MOST  SECONDS',
      'kitchen - attic  7.3 us  21.0 us  130 us  4.2 ms      580',
      '',
      'NODE     ONLINE  CLOCK OFF  WITHIN     DRIFT  CARD OFF  CARD RATE  UNDERRUNS  SNAPS  LATE',
      'kitchen  yes        0.0 us  0.0 us  0.00 ppm   -2.3 us  12.35 ppm          0      1     2',
      'attic    no         0.0 us  1.2 ms  0.00 ppm                               0      1     2',
      '',
    ].join('\n'),
  );
});

t.test('--json gives what the node said', async (t) => {
  const ask = await house(t, SYNC);
  t.strictSame(JSON.parse((await ask('--json')).stdout), SYNC);
});

t.test('where nothing can be compared it says why', async (t) => {
  const nothing = { ...SYNC, pairs: [], spread: { ...SYNC.spread, pairs: 0 } };
  const ask = await house(t, nothing);
  t.match((await ask()).stdout, /^No two nodes played at the same time\. There is nothing to compare in the last 10/);
  const alone = await house(t, { ...nothing, nodes: [NODE] });
  t.match((await alone()).stdout, /^The house has one node\./);
});
