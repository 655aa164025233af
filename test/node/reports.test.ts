/** What the nodes tell each other of themselves, and what ten minutes of it come to. */
import t from 'tap';
import type { Incarnation, NodeId } from '../../src/core/ids.js';
import { decodeReport, encodeReport, type Report } from '../../src/node/report.js';
import { HISTORY_S, SyncHistory } from '../../src/node/sync-history.js';
import { NODE_ID, startHouse } from '../support/house.js';

const S = 1_000_000_000n;
const ATTIC = 'e'.repeat(32) as NodeId;
const HALL = 'f'.repeat(32) as NodeId;
const attic = { node: ATTIC, incarnation: ATTIC as string as Incarnation, address: 'attic:7420', name: 'attic' };

const reportOf = (atNs: bigint, errorUs: number | null, more: Partial<Report> = {}): Report => ({
  atNs,
  clock: {
    locked: true,
    holdover: false,
    loose: false,
    outvoted: false,
    offsetUs: 0,
    errorUs: 20,
    driftPpm: 1.5,
    ageMs: 100,
  },
  output: {
    driver: 'alsa',
    device: 'hw:0',
    state: errorUs === null ? 'idle' : 'playing',
    reason: null,
    errorUs: errorUs ?? 0,
    ppm: 3,
    underruns: 0,
    snaps: 0,
    late: 0,
    volumeLimit: 80,
  },
  needMs: 100,
  ...more,
});

t.test('a report survives the way, and what is none is passed over', (t) => {
  const report = reportOf(5n * S, -3.5);
  t.strictSame(decodeReport(encodeReport(report)), report);
  t.equal(decodeReport(encodeReport({ ...report, needMs: -1 })), null);
  t.equal(decodeReport(encodeReport({ ...report, clock: null } as unknown as Report)), null);
  t.equal(decodeReport(Uint8Array.of(0xc1)), null, 'bytes of nothing');
  t.equal(decodeReport(new Uint8Array(0)), null);
  const disk = {
    freeBytes: 5,
    totalBytes: 9,
    refusing: true,
    tracksHeld: 3,
    tracksMissing: { count: 1, first: ['a'.repeat(64)] },
  };
  t.strictSame(decodeReport(encodeReport({ ...report, disk })), { ...report, disk });
  const tooMany = { count: 21, first: Array.from({ length: 21 }, () => 'a') };
  t.equal(decodeReport(encodeReport({ ...report, disk: { ...disk, tracksMissing: tooMany } })), null);
  const newer = { ...report, fromTheFuture: 1 } as Report;
  t.match(decodeReport(encodeReport(newer)), report, 'fields that are new do no harm');
  t.end();
});

t.test(
  'every node tells the others once in each second of cluster time, and an idle house writes nothing',
  async (t) => {
    const { node, consensus, time } = await startHouse(t);
    time.advance(10_000);
    const slot = node.cluster.appliedSlot;
    const before = consensus.told.length;
    time.advance(60_000);
    t.equal(consensus.told.length - before, 60);
    t.equal(node.cluster.appliedSlot, slot);
    const seconds = consensus.told.slice(before).map((bytes) => decodeReport(bytes)!.atNs);
    for (const atNs of seconds) t.ok(atNs % S > S / 3n && atNs % S < (2n * S) / 3n, 'in the middle of the second');
    t.equal(new Set(seconds.map((atNs) => atNs / S)).size, 60);
    t.match(decodeReport(consensus.told.at(-1)!), {
      clock: { locked: true, errorUs: 0 },
      output: { driver: 'virtual', state: 'idle', volumeLimit: 100 },
      needMs: 100,
    });
  },
);

t.test('a node is shown as it said of itself, until it has not been heard for some seconds', async (t) => {
  const { node, consensus, time } = await startHouse(t);
  await consensus.changeMembers({ type: 'add', member: attic });
  t.equal(node.reportOf(ATTIC), null);
  consensus.hear(ATTIC, encodeReport(reportOf(node.now(), 4)));
  t.match(node.reportOf(ATTIC), { output: { device: 'hw:0', state: 'playing' } });
  consensus.hear(ATTIC, Uint8Array.of(1, 2, 3));
  t.match(node.reportOf(ATTIC), { output: { state: 'playing' } }, 'nonsense takes nothing away');
  consensus.hear(ATTIC, encodeReport(reportOf(node.now() + 100n * S, null)));
  t.match(node.reportOf(ATTIC), { output: { state: 'playing' } }, 'nor does what is of another time');
  time.advance(5_000);
  t.equal(node.reportOf(ATTIC), null);
});

t.test('the lead is what the slowest node needs: a card that is closed, a clock that is off', async (t) => {
  const { node, consensus, playout } = await startHouse(t);
  await consensus.changeMembers({ type: 'add', member: attic });
  t.equal(node.leadMs, 100, 'its own queue of 60 ms, 15 to hand over, and 25 to fetch, as long as that is not known');
  consensus.hear(ATTIC, encodeReport(reportOf(node.now(), null, { needMs: 130 })));
  t.equal(node.leadMs, 130);
  consensus.clockState = { errorNs: 2e6 };
  t.equal(node.leadMs, 130, 'the most, not the sum');
  playout.current = { ...playout.current, state: 'closed' };
  t.equal(node.leadMs, 502, 'a card that is to be opened first, and a clock that may be 2 ms off');
  playout.current = { ...playout.current, driver: 'none' };
  t.equal(node.leadMs, 130, 'where there is no card nothing is waited for');
});

t.test('the lead holds what this node lately took to fetch sound, and not what it might', async (t) => {
  const { node, playout } = await startHouse(t);
  playout.current = { ...playout.current, fetchMs: 0.8 };
  t.equal(node.leadMs, 85, 'a queue of 60 ms, 15 to hand over, and 10 for a file that is not in memory');
  playout.current = { ...playout.current, fetchMs: 48 };
  t.equal(node.leadMs, 123);
});

t.test('a card that is about to be let go counts as closed, and the others hear of it before it is', async (t) => {
  const { node, consensus, playout, time } = await startHouse(t);
  time.advance(10_000);
  playout.current = { ...playout.current, closesInMs: 2_000 };
  t.equal(node.leadMs, 100);
  time.advance(700);
  const before = consensus.told.length;
  playout.current = { ...playout.current, closesInMs: 999 };
  t.equal(node.leadMs, 500);
  time.advance(700);
  const [first] = consensus.told.slice(before).map((bytes) => decodeReport(bytes)!);
  t.equal(first?.needMs, 500);
  const toldAfterMs = 700 - Number(node.now() - first!.atNs) / 1e6;
  t.ok(toldAfterMs <= 500, `${toldAfterMs} ms after it was so`);
  t.ok(first!.atNs % S < S / 3n || first!.atNs % S > (2n * S) / 3n, 'not only when it tells of itself anyway');
  const told = consensus.told.length;
  time.advance(10_000);
  t.equal(consensus.told.length - told, 10, 'and no more than once a second from then on');
});

t.test('a node may start to sound once its clock is close enough, and says how it is', async (t) => {
  const { node, consensus, playout, time } = await startHouse(t);
  time.advance(100);
  t.equal(playout.mayStart, true);
  consensus.clockState = { errorNs: 600_000 };
  time.advance(100);
  t.equal(playout.mayStart, false);
  t.match(node.clockStatus(), { locked: false, loose: false, errorUs: 600 });
  consensus.clockState = { errorNs: 400_000, holdover: true };
  time.advance(100);
  t.equal(playout.mayStart, true, 'alone it goes on as long as its bound holds');
  t.match(node.clockStatus(), { locked: false, holdover: true });
  consensus.clockState = { errorNs: null };
  time.advance(100);
  t.equal(playout.mayStart, false, 'what nobody has measured is not close');
});

t.test('a leader whose clock lies is an alert for as long as it does', async (t) => {
  const { node, consensus, time } = await startHouse(t);
  consensus.clockState = { outvoted: true };
  time.advance(500);
  t.match(node.alerts(), [{ code: 'CLOCK_OUTVOTED', severity: 'error' }]);
  consensus.clockState = {};
  time.advance(500);
  t.strictSame(node.alerts(), []);
});

t.test('auto allows what the link demands, and calls that loose', async (t) => {
  const { node, consensus } = await startHouse(t, { node: { clockErrorUs: 'auto' } });
  consensus.clockState = { errorNs: 900_000, roundTripNs: 1_200_000 };
  t.match(node.clockStatus(), { locked: true, loose: true });
  consensus.clockState = { errorNs: 900_000, roundTripNs: 400_000 };
  t.match(node.clockStatus(), { locked: false, loose: false });
  consensus.clockState = { errorNs: 5_100_000, roundTripNs: 90_000_000 };
  t.match(node.clockStatus(), { locked: false }, 'never more than 5 ms');
  consensus.clockState = { errorNs: 100_000, roundTripNs: 400_000 };
  t.match(node.clockStatus(), { locked: true, loose: false });
});

t.test('distances are worked out over seconds in which both sounded', (t) => {
  const history = new SyncHistory();
  for (let second = 0n; second < 100n; second++) {
    history.note(NODE_ID, reportOf(second * S, 10));
    history.note(ATTIC, reportOf(second * S, second < 50n ? 3 : 30));
    history.note(HALL, reportOf(second * S, second < 10n ? -10 : null));
  }
  const now = 99n * S;
  t.equal(history.firstNs(now), 0n);
  t.equal(history.of(HALL, now).playoutErrorUs.filter((value) => value !== null).length, 10);
  t.equal(history.of(HALL, now).boundUs[50], 20);
  const { pairs } = history.distances(now);
  t.match(
    pairs.map(({ nodes, seconds, p50Us, p95Us, maxUs }) => [
      nodes.map((id) => id[0]).join(''),
      seconds,
      p50Us,
      p95Us,
      maxUs,
    ]),
    [
      ['ae', 100, 7, 20, 20],
      ['af', 10, 20, 20, 20],
      ['ef', 10, 13, 13, 13],
    ],
  );
  t.strictSame(history.distances(now).spread, {
    p50Us: 13,
    p95Us: 20,
    p99Us: 20,
    maxUs: 20,
    pairs: 3,
    windowS: HISTORY_S,
  });
  t.end();
});

t.test('a clock that is off its course counts as the sound that is', (t) => {
  const history = new SyncHistory();
  const off = reportOf(S, 10);
  history.note(NODE_ID, { ...off, clock: { ...off.clock, offsetUs: -50 } });
  t.equal(history.of(NODE_ID, S).playoutErrorUs[1], -40);
  history.note(ATTIC, { ...off, clock: { ...off.clock, offsetUs: null } });
  t.equal(history.of(ATTIC, S).playoutErrorUs[1], null, 'one that is not measured says nothing');
  t.end();
});

t.test('ten minutes are kept, and who has left is forgotten', (t) => {
  const history = new SyncHistory();
  for (let second = 0n; second < 1_000n; second++) history.note(NODE_ID, reportOf(second * S, Number(second)));
  const now = 1_004n * S;
  const { playoutErrorUs } = history.of(NODE_ID, now);
  t.equal(playoutErrorUs.length, HISTORY_S);
  t.equal(history.firstNs(now), 405n * S);
  t.equal(playoutErrorUs[0], 405);
  t.strictSame(playoutErrorUs.slice(-6), [999, null, null, null, null, null]);
  history.keep([ATTIC]);
  t.strictSame(new Set(history.of(NODE_ID, now).playoutErrorUs), new Set([null]));
  t.strictSame(history.distances(now).spread, {
    p50Us: null,
    p95Us: null,
    p99Us: null,
    maxUs: null,
    pairs: 0,
    windowS: HISTORY_S,
  });
  t.end();
});
