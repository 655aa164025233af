/** What a node tells Prometheus. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ERRORS } from '../../src/core/errors.js';
import { Histogram } from '../../src/core/histogram.js';
import { QUERIES } from '../../src/dev/docs.js';
import { METRICS } from '../../src/http/metrics.js';
import { ROUTES } from '../../src/http/table.js';
import { type Family, lint, parseExposition } from '../support/exposition.js';
import { addSong, buildHouse, NODE_ID, song, startHouse, type TestHouse } from '../support/house.js';

const BY = { node: NODE_ID, via: 'api' } as const;
const HOST = { host: 'kitchen.local' };

async function scrape({ http }: TestHouse): Promise<{ text: string; families: Family[] }> {
  const response = await http.inject({ url: '/metrics', headers: HOST });
  if (response.statusCode !== 200) throw new Error(response.payload);
  return { text: response.payload, families: parseExposition(response.payload) };
}

/** A node that has lived a little: songs, refusals, an upload that failed, an alert. */
async function livelyHouse(t: Parameters<typeof startHouse>[0]) {
  const house = await startHouse(t, {
    node: {
      closedConnections: () => ({ handshake: 3, broken: 0 }),
      refusedDatagrams: () => ({ malformed: 2, strangers: 1, replayed: 0 }),
    },
  });
  const { node, http, playout, time } = house;
  const { track } = await addSong(node, 'A title that nobody else has.wav', song(5_000));
  time.advance(10);
  await node.wishes.enqueue([track.id], {}, BY);
  time.advance(10);
  await node.wishes.play({}, BY);
  const call = (method: 'PUT' | 'POST' | 'GET', url: string, payload = '') =>
    http.inject({ method, url: `/api/v1${url}`, headers: HOST, ...(payload !== '' && { payload }) });
  await call('PUT', '/tracks/no%20song.mp3', 'ID3 and so on');
  await call('PUT', '/volume', '{"volume":500}');
  await call('POST', '/queue', '{"trackId":"A title that nobody else has"}');
  await call('GET', '/nothing/of/the/kind/A%20title');
  await call('GET', `/tracks/${track.id}`);
  playout.current = {
    ...playout.current,
    state: 'silent',
    reason: 'OUTPUT_UNAVAILABLE',
    underruns: 2,
    snaps: 1,
    ppm: 12.5,
  };
  time.advance(1_000);
  return { ...house, track };
}

/** The value of the one sample with these labels. */
function sampleOf(families: readonly Family[], name: string, labels: Record<string, string> = {}): number | undefined {
  const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
  return samples.find((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    ?.value;
}

t.test('the exposition keeps the rules that promtool checks, and says what was asked for in the table', async (t) => {
  const { text, families } = await scrape(await livelyHouse(t));
  t.strictSame(lint(families), []);
  const table = Object.values(METRICS).flat();
  t.strictSame(
    families.map(({ name, type }) => [name, type]),
    table.map(({ name, type }) => [name, type]),
  );
  for (const { name, samples } of families) {
    const metric = table.find((known) => known.name === name)!;
    const labels = 'labels' in metric ? metric.labels : metric.type === 'histogram' ? ['le'] : [];
    for (const sample of samples) {
      if (/_(sum|count)$/.test(sample.name) && metric.type === 'histogram') continue;
      t.strictSame(Object.keys(sample.labels).sort(), [...labels].sort(), sample.name);
    }
  }
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (promtool.error === undefined) t.strictSame([promtool.status, promtool.stdout + promtool.stderr], [0, '']);
  else t.comment('promtool (Debian package prometheus) is not here: its rules are checked by our own');
});

t.test('what the node knows is what the metrics say', async (t) => {
  const { families } = await scrape(await livelyHouse(t));
  const expected: [string, Record<string, string>, number][] = [
    ['tutti_ready', {}, 1],
    ['tutti_leader', {}, 1],
    ['tutti_role', { role: 'leader' }, 1],
    ['tutti_role', { role: 'follower' }, 0],
    ['tutti_voters', {}, 1],
    ['tutti_tracks', {}, 1],
    ['tutti_tracks_held', {}, 1],
    ['tutti_tracks_missing', {}, 0],
    ['tutti_queue_items', {}, 2],
    ['tutti_playing', {}, 1],
    ['tutti_output_state', { state: 'silent' }, 1],
    ['tutti_output_state', { state: 'playing' }, 0],
    ['tutti_output_underruns_total', {}, 2],
    ['tutti_output_snaps_total', {}, 1],
    ['tutti_output_rate_error_ratio', {}, 0.0000125],
    ['tutti_uploads_total', { outcome: 'done' }, 1],
    ['tutti_uploads_total', { outcome: 'failed' }, 1],
    ['tutti_alerts', { code: 'OUTPUT_UNAVAILABLE', severity: 'warn' }, 1],
    ['tutti_http_refusals_total', { code: 'BAD_REQUEST' }, 1],
    ['tutti_http_refusals_total', { code: 'NOT_FOUND' }, 1],
    ['tutti_http_requests_total', { method: 'POST', route: '/api/v1/queue', status: '201' }, 1],
    ['tutti_http_requests_total', { method: 'GET', route: '/api/v1/tracks/:track', status: '200' }, 1],
    ['tutti_http_requests_total', { method: 'GET', route: 'none', status: '404' }, 1],
    ['tutti_peer_connections_closed_total', { reason: 'handshake' }, 3],
    ['tutti_clock_datagrams_refused_total', { reason: 'malformed' }, 2],
    ['tutti_node_info', { name: 'kitchen', version: '1.2.3' }, 1],
  ];
  for (const [name, labels, value] of expected)
    t.equal(sampleOf(families, name, labels), value, `${name} ${Object.values(labels)}`);
  const commits = sampleOf(families, 'tutti_commit_duration_seconds_count');
  t.ok(commits !== undefined && commits >= 3, `${commits} commits`);
  t.equal(sampleOf(families, 'tutti_commit_duration_seconds_bucket', { le: '+Inf' }), commits);
  t.equal(sampleOf(families, 'tutti_playout_error_seconds'), undefined, 'what is not known has no sample');
});

t.test('labels have no more values than the program knows words', async (t) => {
  const { text, families, house } = await (async () => {
    const house = await livelyHouse(t);
    for (let at = 0; at < 50; at++) {
      await house.http.inject({ url: `/api/v1/tracks/${at}`, headers: HOST });
      await house.http.inject({ url: `/stranger/${at}`, headers: HOST });
    }
    await house.http.inject({ method: 'OPTIONS', url: '/api/v1/queue', headers: HOST });
    return { ...(await scrape(house)), house };
  })();
  t.notMatch(text, /A title/);
  t.notOk(text.includes(house.track.id) || text.includes(NODE_ID));
  const words: Readonly<Record<string, readonly string[]>> = {
    route: ['none', ...ROUTES.map(({ path, atRoot }) => `${atRoot ? '' : '/api/v1'}${path}`)],
    code: Object.keys(ERRORS),
    method: ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'other'],
  };
  for (const { labels, name } of families.flatMap(({ samples }) => samples)) {
    for (const [label, value] of Object.entries(labels)) {
      if (words[label]?.includes(value) === false) t.fail(`${name} has ${label}="${value}"`);
    }
  }
  t.ok(families.flatMap(({ samples }) => samples).length < 200, 'and there are few of them');
});

t.test('counters never go back from one scrape to the next', async (t) => {
  const house = await livelyHouse(t);
  const counters = async () =>
    (await scrape(house)).families.filter(({ type }) => type !== 'gauge').flatMap(({ samples }) => samples);
  const before = await counters();
  await house.node.wishes.volume({ volume: 3 }, BY);
  const after = await counters();
  const key = ({ name, labels }: (typeof before)[number]) => JSON.stringify([name, labels]);
  const now = new Map(after.map((sample) => [key(sample), sample.value]));
  for (const sample of before) t.ok(now.get(key(sample))! >= sample.value, sample.name);
});

t.test('a daemon that waits, or has no quorum, is scraped all the same', async (t) => {
  const waiting = await startHouse(t, { isMember: false });
  const { families } = await scrape(waiting);
  t.strictSame(lint(families), []);
  t.equal(sampleOf(families, 'tutti_ready'), 0);
  t.equal(sampleOf(families, 'tutti_leader'), undefined);
  await waiting.house.form();
  t.equal(sampleOf((await scrape(waiting)).families, 'tutti_leader'), 1);
  waiting.consensus.setQuorum(false);
  const { families: alone } = await scrape(waiting);
  t.equal(sampleOf(alone, 'tutti_ready'), 0);
  t.equal(sampleOf(alone, 'tutti_alerts', { code: 'NO_QUORUM', severity: 'error' }), 1);
});

t.test('a change of leader is counted, and a leader that comes back is none', async (t) => {
  const house = buildHouse();
  const { node, consensus } = house;
  await house.house.start();
  t.teardown(() => house.house.stop());
  consensus.setQuorum(false);
  consensus.setQuorum(true);
  t.equal(node.figures().leaderChanges, 0);
  const status = consensus.status.bind(consensus);
  consensus.status = () => ({ ...status(), leader: 'e'.repeat(32) as typeof NODE_ID, role: 'follower' });
  consensus.setQuorum(true);
  t.equal(node.figures().leaderChanges, 1);
});

t.test('a histogram counts what is at most each bound', (t) => {
  const histogram = new Histogram({ bounds: [1, 10] });
  for (const value of [0.5, 1, 5, 100]) histogram.add(value);
  t.strictSame(histogram.counts(), { bounds: [1, 10], atMost: [2, 3, 4], sum: 106.5 });
  t.end();
});

t.test('the page of metrics has every one of them, and its queries ask for none that there is not', (t) => {
  const page = readFileSync('docs/metrics.md', 'utf8');
  const table = Object.values(METRICS).flat();
  for (const { name, help } of table) t.ok(page.includes(`\`${name}\``) && page.includes(help), name);
  for (const { promql } of QUERIES) {
    for (const [name] of promql.matchAll(/tutti_\w+/g)) {
      const metric = table.find((known) => known.name === name.replace(/_bucket$/, ''));
      t.ok(metric, `${name} in ${promql}`);
      const isRated = new RegExp(`(rate|increase)\\(${name}`).test(promql);
      t.equal(isRated, metric?.type !== 'gauge', `${promql}: rates are of what only rises`);
    }
  }
  t.end();
});

t.test('the linter finds what promtool would', (t) => {
  const families = parseExposition('# HELP a_ms x\n# TYPE a_ms counter\na_ms{quantile="0.5"} 1\n');
  t.match(lint(families).join('\n'), /_total[\s\S]*quantile[\s\S]*base unit/);
  t.throws(() => parseExposition('a 1\n'));
  t.end();
});
