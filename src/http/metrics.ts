/**
 * What a node tells Prometheus: one table, from which /metrics and docs/metrics.md are made.
 *
 * Nothing is kept here: each metric is read, when it is asked for, from what the node knows or counts anyway. So it costs nothing to be
 * never asked, and prom-client, which writes the exposition, is loaded by the first who asks. Names keep Prometheus' rules (base units, `_total`
 * for what only rises), and no label has more values than the program knows words: no title, no id, no address.
 * What is not known, or not yet, has no sample.
 */
import type { Histogram as PromHistogram, Registry } from 'prom-client';
import type { HistogramCounts } from '../core/histogram.js';
import type { House } from '../node/house.js';
import type { Figures, Node } from '../node/node.js';
import type { HttpCounts } from './counts.js';
import type { EventStreams } from './events.js';
import { STREAMS_MAX } from './events.js';
import { isReady } from './readiness.js';

/** Samples of a metric with labels: the labels' values in the order of their names, and the value; null where there is none. */
type Labelled = Iterable<readonly [labels: readonly string[], value: number | null]>;

/** What is read of the process. */
export interface ProcessFigures {
  readonly cpuS: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** Time in which the event loop was not waiting. */
  readonly activeS: number;
  readonly uptimeS: number;
}

/** What metrics are read from. */
export interface MetricsSource {
  readonly house: House;
  readonly counts: HttpCounts;
  readonly events: Pick<EventStreams, 'size' | 'dropped'>;
  readonly process: () => ProcessFigures;
}

/** A node as one scrape sees it: what is dear to work out is worked out once. */
interface NodeSource {
  readonly node: Node;
  readonly figures: Figures;
  readonly clock: ReturnType<Node['clockStatus']>;
  readonly output: ReturnType<Node['outputStatus']>;
  readonly log: ReturnType<Node['logStatus']>;
  readonly disk: ReturnType<Node['disk']>;
  readonly spread: ReturnType<Node['syncHistory']['distances']>['spread'];
}

interface Described {
  readonly name: string;
  /** One sentence, with the unit where the name has none. */
  readonly help: string;
}

/** A metric of every daemon. `histogram`s and what is `ofNode` are not there while it waits. */
type Metric = Described &
  (
    | { readonly type: 'gauge' | 'counter'; readonly of: (source: MetricsSource) => number | null }
    | {
        readonly type: 'gauge' | 'counter';
        readonly labels: readonly string[];
        readonly each: (source: MetricsSource) => Labelled;
      }
    | { readonly type: 'gauge' | 'counter'; readonly ofNode: (source: NodeSource) => number | null }
    | {
        readonly type: 'gauge' | 'counter';
        readonly labels: readonly string[];
        readonly eachOfNode: (source: NodeSource) => Labelled;
      }
    | { readonly type: 'histogram'; readonly countsOf: (source: NodeSource) => HistogramCounts }
  );

const bit = (is: boolean): number => (is ? 1 : 0);
/** Microseconds, and parts per million, in base units. */
const micro = (value: number | null): number | null => (value === null ? null : value / 1e6);
/** One sample for each word, 1 for the one that holds. */
const oneOf = (words: readonly string[], now: string): Labelled =>
  words.map((word) => [[word], bit(word === now)] as const);

/** All metrics, by what they are about. */
export const METRICS: Readonly<Record<string, readonly Metric[]>> = {
  'In step': [
    {
      name: 'tutti_sync_spread_seconds',
      type: 'gauge',
      help: 'How far any two nodes were apart at their cards in the last ten minutes, as they know it: the share of time that label stat names was no further.',
      labels: ['stat'],
      eachOfNode: ({ spread }) => [
        [['p50'], micro(spread.p50Us)],
        [['p95'], micro(spread.p95Us)],
        [['p99'], micro(spread.p99Us)],
        [['max'], micro(spread.maxUs)],
      ],
    },
    {
      name: 'tutti_sync_pairs',
      type: 'gauge',
      help: 'Pairs of nodes that sounded at the same time in the last ten minutes.',
      ofNode: ({ spread }) => spread.pairs,
    },
    {
      name: 'tutti_playout_error_seconds',
      type: 'gauge',
      help: 'What leaves this card against what is due by the cluster clock of this node; positive: early. Only while something sounds.',
      ofNode: ({ output }) => (output.state === 'playing' ? micro(output.errorUs) : null),
    },
    {
      name: 'tutti_clock_error_bound_seconds',
      type: 'gauge',
      help: 'By how much the cluster time of this node can be wrong at most.',
      ofNode: ({ clock }) => micro(clock.errorUs),
    },
    {
      name: 'tutti_clock_offset_seconds',
      type: 'gauge',
      help: 'Cluster time of this node less that of the leader: what it still has to make up for.',
      ofNode: ({ clock }) => micro(clock.offsetUs),
    },
    {
      name: 'tutti_clock_drift_ratio',
      type: 'gauge',
      help: "By how much the leader's crystal is faster than that of this node; one part per million is 0.000001.",
      ofNode: ({ clock }) => micro(clock.driftPpm),
    },
    {
      name: 'tutti_clock_sample_age_seconds',
      type: 'gauge',
      help: 'Since the last good measurement of the clock.',
      ofNode: ({ clock }) => (clock.ageMs === null ? null : clock.ageMs / 1_000),
    },
    {
      name: 'tutti_clock_locked',
      type: 'gauge',
      help: '1 while cluster time is known well enough to begin to sound.',
      ofNode: ({ clock }) => bit(clock.locked),
    },
    {
      name: 'tutti_clock_holdover',
      type: 'gauge',
      help: '1 while this node goes on without word from the others.',
      ofNode: ({ clock }) => bit(clock.holdover),
    },
    {
      name: 'tutti_clock_outvoted',
      type: 'gauge',
      help: '1 while the leader says another time than most nodes, and is not followed.',
      ofNode: ({ clock }) => bit(clock.outvoted),
    },
  ],
  Sound: [
    {
      name: 'tutti_output_state',
      type: 'gauge',
      help: '1 for the state that the output is in. silent: something is due and does not sound.',
      labels: ['state'],
      eachOfNode: ({ output }) => oneOf(['playing', 'idle', 'closed', 'silent'], output.state),
    },
    {
      name: 'tutti_output_underruns_total',
      type: 'counter',
      help: 'Times that the card ran dry.',
      ofNode: ({ output }) => output.underruns,
    },
    {
      name: 'tutti_output_snaps_total',
      type: 'counter',
      help: 'Times that the sound was set to another position at once.',
      ofNode: ({ output }) => output.snaps,
    },
    {
      name: 'tutti_output_late_total',
      type: 'counter',
      help: 'Times that the sound came late.',
      ofNode: ({ output }) => output.late,
    },
    {
      name: 'tutti_output_clipped_samples_total',
      type: 'counter',
      help: 'Samples beyond full scale.',
      ofNode: ({ output }) => output.clipped,
    },
    {
      name: 'tutti_output_rate_error_ratio',
      type: 'gauge',
      help: 'By how much the card is faster than it says; one part per million is 0.000001.',
      ofNode: ({ output }) => micro(output.ppm),
    },
    {
      name: 'tutti_playing',
      type: 'gauge',
      help: '1 while the house plays, by what is agreed.',
      ofNode: ({ node }) => bit(node.cluster.view(node.now()).transport.status === 'playing'),
    },
    {
      name: 'tutti_queue_items',
      type: 'gauge',
      help: 'Items in the queue.',
      ofNode: ({ node }) => node.cluster.view(node.now()).queueLength,
    },
    {
      name: 'tutti_command_lead_seconds',
      type: 'gauge',
      help: 'What this node would add to a command, as the leader, for it to reach every card in time.',
      ofNode: ({ node }) => node.leadMs / 1_000,
    },
  ],
  Agreement: [
    {
      name: 'tutti_ready',
      type: 'gauge',
      help: '1 while changes can be agreed, as /readyz says.',
      of: ({ house }) => bit(isReady(house)),
    },
    {
      name: 'tutti_leader',
      type: 'gauge',
      help: '1 on the node that leads. The sum over the house is 1, or 0 during an election.',
      ofNode: ({ log }) => bit(log.role === 'leader'),
    },
    {
      name: 'tutti_role',
      type: 'gauge',
      help: '1 for the part that this node has.',
      labels: ['role'],
      eachOfNode: ({ log }) => oneOf(['leader', 'follower', 'learner', 'removed'], log.role),
    },
    {
      name: 'tutti_leader_changes_total',
      type: 'counter',
      help: 'Times that another node led than before, as this node saw it.',
      ofNode: ({ figures }) => figures.leaderChanges,
    },
    {
      name: 'tutti_ballot_configuration',
      type: 'gauge',
      help: "Configuration of the leader's ballot: moves with every change of members.",
      ofNode: ({ log }) => log.ballot?.configId ?? null,
    },
    {
      name: 'tutti_ballot_round',
      type: 'gauge',
      help: "Round of the leader's ballot: moves with every election within a configuration.",
      ofNode: ({ log }) => log.ballot?.round ?? null,
    },
    {
      name: 'tutti_members',
      type: 'gauge',
      help: 'Nodes of the cluster.',
      ofNode: ({ log }) => log.members.length,
    },
    {
      name: 'tutti_members_online',
      type: 'gauge',
      help: 'Nodes that this one hears, itself among them.',
      ofNode: ({ log }) => log.members.filter(({ online }) => online).length,
    },
    {
      name: 'tutti_voters',
      type: 'gauge',
      help: 'Nodes with a vote.',
      ofNode: ({ log }) => log.members.filter(({ voter }) => voter).length,
    },
    {
      name: 'tutti_voters_online',
      type: 'gauge',
      help: 'Nodes with a vote that this one hears and whose cards are trusted.',
      ofNode: ({ log }) => log.members.filter(({ voter, online, trusted }) => voter && online && trusted).length,
    },
    {
      name: 'tutti_votes_needed',
      type: 'gauge',
      help: 'Votes that make a majority.',
      ofNode: ({ log }) => log.needed,
    },
    {
      name: 'tutti_commit_duration_seconds',
      type: 'histogram',
      help: 'From the stamp of an entry until it was applied here.',
      countsOf: ({ figures }) => figures.commitTimes,
    },
    {
      name: 'tutti_commands_total',
      type: 'counter',
      help: 'What was asked at this node, by what came of it: done, refused by what is agreed, or failed without an outcome.',
      labels: ['outcome'],
      eachOfNode: ({ figures: { asked } }) => Object.entries(asked).map(([outcome, count]) => [[outcome], count]),
    },
    {
      name: 'tutti_applied_slot',
      type: 'gauge',
      help: 'Every entry of the log up to this one was applied here.',
      ofNode: ({ log }) => log.appliedSlot,
    },
    {
      name: 'tutti_chosen_slot',
      type: 'gauge',
      help: 'The latest entry of the log that any node is known to know as chosen. Less tutti_applied_slot: how far this node is behind.',
      ofNode: ({ log }) => log.chosenSlot,
    },
    {
      name: 'tutti_peer_connections_closed_total',
      type: 'counter',
      help: 'Connections of peers and strangers that this node closed, by reason.',
      labels: ['reason'],
      eachOfNode: ({ node }) =>
        Object.entries(node.init.closedConnections?.() ?? {}).map(([reason, count]) => [[reason], count]),
    },
    {
      name: 'tutti_clock_datagrams_refused_total',
      type: 'counter',
      help: "Datagrams at the clock's port that had no effect, by reason: malformed, of strangers (without the cluster's key), replayed.",
      labels: ['reason'],
      eachOfNode: ({ node }) =>
        Object.entries(node.init.refusedDatagrams?.() ?? {}).map(([reason, count]) => [[reason], count]),
    },
  ],
  Files: [
    {
      name: 'tutti_tracks',
      type: 'gauge',
      help: 'Tracks of the library.',
      ofNode: ({ node }) => node.cluster.library.size,
    },
    {
      name: 'tutti_tracks_held',
      type: 'gauge',
      help: 'Of these, held by this node.',
      ofNode: ({ disk }) => disk.tracksHeld,
    },
    {
      name: 'tutti_tracks_missing',
      type: 'gauge',
      help: 'Of these, not held by this node, though some node has them.',
      ofNode: ({ disk }) => disk.tracksMissing.count,
    },
    {
      name: 'tutti_tracks_lost',
      type: 'gauge',
      help: 'Of these, held by no node any more.',
      ofNode: ({ node }) => node.cluster.library.list().filter(({ lost }) => lost === true).length,
    },
    {
      name: 'tutti_tracks_arriving',
      type: 'gauge',
      help: 'Files that are on their way to this node from others.',
      ofNode: ({ node }) => node.arrivingTracks().length,
    },
    {
      name: 'tutti_tracks_damaged',
      type: 'gauge',
      help: 'Files that were found to be wrong on this card, and are not repaired yet.',
      ofNode: ({ figures }) => figures.tracksDamaged,
    },
    {
      name: 'tutti_damages_found_total',
      type: 'counter',
      help: 'Times that a file on this card was found to be wrong or gone.',
      ofNode: ({ figures }) => figures.damagesFound,
    },
    {
      name: 'tutti_scrub_read_bytes',
      type: 'gauge',
      help: 'How far the card was looked through in this round.',
      ofNode: ({ figures }) => figures.scrubbed.bytesDone,
    },
    {
      name: 'tutti_scrub_size_bytes',
      type: 'gauge',
      help: 'How much there is to look through in a round; 0 before the first look.',
      ofNode: ({ figures }) => figures.scrubbed.bytesTotal,
    },
    {
      name: 'tutti_disk_free_bytes',
      type: 'gauge',
      help: 'What can still be written to the card.',
      ofNode: ({ disk }) => disk.freeBytes,
    },
    {
      name: 'tutti_disk_size_bytes',
      type: 'gauge',
      help: 'Size of the card.',
      ofNode: ({ disk }) => disk.totalBytes,
    },
    {
      name: 'tutti_disk_refusing',
      type: 'gauge',
      help: '1 while the card is too full for another track.',
      ofNode: ({ disk }) => bit(disk.refusing),
    },
    {
      name: 'tutti_uploads',
      type: 'gauge',
      help: 'Files on their way in from people, by stage.',
      labels: ['stage'],
      eachOfNode: ({ node }) =>
        ['receiving', 'replicating'].map((stage) => [
          [stage],
          node.uploads.list().filter((upload) => upload.stage === stage).length,
        ]),
    },
    {
      name: 'tutti_uploads_total',
      type: 'counter',
      help: 'Files that people sent to this node, by what came of them.',
      labels: ['outcome'],
      eachOfNode: ({ figures: { uploads } }) => [
        [['done'], uploads.done],
        [['failed'], uploads.failed],
      ],
    },
    {
      name: 'tutti_upload_received_bytes_total',
      type: 'counter',
      help: 'Bytes of files that people sent to this node.',
      ofNode: ({ figures }) => figures.uploads.receivedBytes,
    },
  ],
  'The node': [
    {
      name: 'tutti_node_info',
      type: 'gauge',
      help: 'Always 1: the name and version of this node.',
      labels: ['name', 'version'],
      each: ({ house: { init } }) => [[[init.name, init.version], 1]],
    },
    {
      name: 'tutti_alerts',
      type: 'gauge',
      help: 'What needs attention on this node: how many alerts of each code there are.',
      labels: ['code', 'severity'],
      each: ({ house }) => alertsOf(house),
    },
    {
      name: 'tutti_http_requests_total',
      type: 'counter',
      help: 'Answers of this interface, by method, call and status.',
      labels: ['method', 'route', 'status'],
      each: ({ counts }) =>
        counts.answers().map(({ method, route, status, count }) => [[method, route, String(status)], count]),
    },
    {
      name: 'tutti_http_refusals_total',
      type: 'counter',
      help: 'Refused calls of this interface, by code of the error catalogue.',
      labels: ['code'],
      each: ({ counts }) => [...counts.refusals()].map(([code, count]) => [[code], count]),
    },
    {
      name: 'tutti_event_streams',
      type: 'gauge',
      help: `Pages and programs that watch this node; at most ${STREAMS_MAX}.`,
      of: ({ events }) => events.size,
    },
    {
      name: 'tutti_event_streams_dropped_total',
      type: 'counter',
      help: 'Watchers that were dropped because they took nothing for too long.',
      of: ({ events }) => events.dropped,
    },
    {
      name: 'tutti_process_cpu_seconds_total',
      type: 'counter',
      help: 'Processor time of the process, all threads.',
      of: ({ process }) => process().cpuS,
    },
    {
      name: 'tutti_process_resident_memory_bytes',
      type: 'gauge',
      help: 'Memory of the process that is in RAM.',
      of: ({ process }) => process().residentBytes,
    },
    {
      name: 'tutti_process_heap_bytes',
      type: 'gauge',
      help: 'Memory in use by objects of the main thread.',
      of: ({ process }) => process().heapBytes,
    },
    {
      name: 'tutti_event_loop_active_seconds_total',
      type: 'counter',
      help: 'Time in which the main thread did not wait. Its rate near 1: it is too busy.',
      of: ({ process }) => process().activeS,
    },
    {
      name: 'tutti_process_uptime_seconds',
      type: 'gauge',
      help: 'Since the process was started.',
      of: ({ process }) => process().uptimeS,
    },
  ],
};

/** Each code as often as it holds. */
function alertsOf({ node, trouble }: House): Labelled {
  const alerts = node?.alerts() ?? (trouble === null ? [] : [{ code: trouble, severity: 'warn' }]);
  const counts = new Map<string, [labels: readonly string[], count: number]>();
  for (const { code, severity } of alerts) {
    const known = counts.get(code) ?? [[code, severity], 0];
    counts.set(code, [known[0], known[1] + 1]);
  }
  return counts.values();
}

/** The exposition of one server. */
export class Metrics {
  readonly #source: MetricsSource;
  #registry: Promise<Registry> | null = null;
  /** Of the scrape that is under way; null while the daemon waits. */
  #nodeSource: NodeSource | null = null;

  constructor(source: MetricsSource) {
    this.#source = source;
  }

  /** Prometheus' text format, version 0.0.4. */
  async text(): Promise<{ readonly text: string; readonly contentType: string }> {
    this.#registry ??= this.#register();
    const registry = await this.#registry;
    const { node } = this.#source.house;
    this.#nodeSource = node === null ? null : sourceOf(node);
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  async #register(): Promise<Registry> {
    const { Counter, Gauge, Registry } = await import('prom-client');
    const registry = new Registry();
    for (const metric of Object.values(METRICS).flat()) {
      const { name, help, type } = metric;
      if (type === 'histogram') {
        registry.registerMetric(this.#histogram(metric));
        continue;
      }
      const labelNames = 'labels' in metric ? [...metric.labels] : [];
      const samples = () => this.#samples(metric);
      const withLabels = (values: readonly string[]) =>
        Object.fromEntries(labelNames.map((label, at) => [label, values[at]!]));
      const init = { name, help, labelNames, registers: [registry] };
      if (type === 'gauge') {
        new Gauge({
          ...init,
          collect() {
            this.reset();
            if (labelNames.length === 0) this.remove();
            for (const [labels, value] of samples()) this.set(withLabels(labels), value);
          },
        });
      } else {
        new Counter({
          ...init,
          collect() {
            this.reset();
            if (labelNames.length === 0) this.remove();
            for (const [labels, value] of samples()) this.inc(withLabels(labels), value);
          },
        });
      }
    }
    return registry;
  }

  *#samples(metric: Exclude<Metric, { type: 'histogram' }>): Iterable<readonly [readonly string[], number]> {
    for (const [labels, value] of this.#read(metric)) if (value !== null) yield [labels, value];
  }

  #read(metric: Exclude<Metric, { type: 'histogram' }>): Labelled {
    if ('of' in metric) return [[[], metric.of(this.#source)]];
    if ('each' in metric) return metric.each(this.#source);
    const source = this.#nodeSource;
    if (source === null) return [];
    return 'ofNode' in metric ? [[[], metric.ofNode(source)]] : metric.eachOfNode(source);
  }

  /** The package's own histogram counts by itself; this one shows what was counted elsewhere. */
  #histogram({ name, help, countsOf }: Extract<Metric, { type: 'histogram' }>): PromHistogram {
    const get = () => {
      const source = this.#nodeSource;
      const values = source === null ? [] : bucketsOf(name, countsOf(source));
      return Promise.resolve({ name, help, type: 'histogram', values, aggregator: 'sum' });
    };
    return { name, get } as unknown as PromHistogram;
  }
}

function bucketsOf(name: string, { bounds, atMost, sum }: HistogramCounts) {
  const all = atMost.at(-1)!;
  return [
    ...atMost.map((value, at) => ({ metricName: `${name}_bucket`, labels: { le: bounds[at] ?? '+Inf' }, value })),
    { metricName: `${name}_sum`, labels: {}, value: sum },
    { metricName: `${name}_count`, labels: {}, value: all },
  ];
}

const sourceOf = (node: Node): NodeSource => ({
  node,
  figures: node.figures(),
  clock: node.clockStatus(),
  output: node.outputStatus(),
  log: node.logStatus(),
  disk: node.disk(),
  spread: node.syncHistory.distances(node.now()).spread,
});
