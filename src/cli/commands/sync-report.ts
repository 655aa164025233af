/** sync-report: how well the nodes keep in step. */
import type { Command } from 'commander';
import { Sync } from '../../http/schema.js';
import type { RunCommand, Session } from '../session.js';
import { type Column, counted, table } from '../text.js';

/** Adds `sync-report` to `program`. */
export function addSyncReportCommand(program: Command, run: RunCommand): void {
  program
    .command('sync-report')
    .summary('show how well the nodes keep in step')
    .description(
      'Shows how far any two nodes were apart while they played, in the last ten minutes, and how each stands. The figures are what the nodes know of their clocks and cards; docs/sync.md says what they cannot know.',
    )
    .action(run(syncReport));
}

type Pair = Sync['pairs'][number];
type SyncNode = Sync['nodes'][number];

async function syncReport(session: Session): Promise<void> {
  const sync = await session.client().read('/sync', Sync);
  const nameOf = (id: string) => sync.nodes.find((node) => node.id === id)?.name ?? id.slice(0, 8);
  const pairColumns: readonly Column<Pair>[] = [
    { head: 'NODES', cell: ({ nodes }) => nodes.map(nameOf).join(' - ') },
    { head: 'MEDIAN', cell: ({ p50Us }) => shownUs(p50Us), align: 'right' },
    { head: '95 %', cell: ({ p95Us }) => shownUs(p95Us), align: 'right' },
    { head: '99 %', cell: ({ p99Us }) => shownUs(p99Us), align: 'right' },
    { head: 'MOST', cell: ({ maxUs }) => shownUs(maxUs), align: 'right' },
    { head: 'SECONDS', cell: ({ seconds }) => String(seconds), align: 'right' },
  ];
  session.print(sync, () =>
    [
      spreadText(sync),
      ...(sync.pairs.length === 0 ? [] : [table(pairColumns, sync.pairs, session.bold)]),
      table(NODE_COLUMNS, sync.nodes, session.bold),
    ].join('\n'),
  );
}

function spreadText({ spread, nodes }: Sync): string {
  const { p50Us, p99Us, maxUs, pairs, windowS } = spread;
  const span = `the last ${Math.round(windowS / 60)} minutes`;
  if (pairs === 0) {
    const why = nodes.length < 2 ? 'The house has one node.' : 'No two nodes played at the same time.';
    return `${why} There is nothing to compare in ${span}.\n`;
  }
  return `Spread over ${counted(pairs, 'pair')} in ${span}: median ${shownUs(p50Us)}, 99 % within ${shownUs(p99Us)}, at most ${shownUs(maxUs)}.\n`;
}

/** Of the second under way nodes report in its middle: until then the one before counts. */
const latestOf = (errors: readonly (number | null)[]): number | null => errors.at(-1) ?? errors.at(-2) ?? null;

const NODE_COLUMNS: readonly Column<SyncNode>[] = [
  { head: 'NODE', cell: ({ name }) => name },
  { head: 'ONLINE', cell: ({ online }) => (online ? 'yes' : 'no') },
  { head: 'CLOCK OFF', cell: ({ offsetUs }) => shownUs(offsetUs), align: 'right' },
  { head: 'WITHIN', cell: ({ errorUs }) => shownUs(errorUs), align: 'right' },
  { head: 'DRIFT', cell: ({ driftPpm }) => shownPpm(driftPpm), align: 'right' },
  { head: 'CARD OFF', cell: ({ playoutErrorUs }) => shownUs(latestOf(playoutErrorUs)), align: 'right' },
  { head: 'CARD RATE', cell: ({ ppm }) => shownPpm(ppm), align: 'right' },
  { head: 'UNDERRUNS', cell: ({ underruns }) => underruns?.toString() ?? '', align: 'right' },
  { head: 'SNAPS', cell: ({ snaps }) => snaps?.toString() ?? '', align: 'right' },
  { head: 'LATE', cell: ({ late }) => late?.toString() ?? '', align: 'right' },
];

/** 7.3 us, 120 us, 4.2 ms. */
function shownUs(us: number | null): string {
  if (us === null) return '';
  const size = Math.abs(us);
  if (size >= 1_000) return `${(us / 1_000).toFixed(1)} ms`;
  return `${size < 99.95 ? us.toFixed(1) : us.toFixed(0)} us`;
}

const shownPpm = (ppm: number | null): string => (ppm === null ? '' : `${ppm.toFixed(2)} ppm`);
