/** status: how the house is, as one node sees it. */
import type { Command } from 'commander';
import { ERRORS, isErrorCode } from '../../core/errors.js';
import { type Alert, type NodeView, State } from '../../http/schema.js';
import type { RunCommand, Session } from '../session.js';
import { type Column, counted, pairs, shownBytes, shownTitle, table } from '../text.js';
import { smallHouseText } from './members.js';
import { humanTransport, positionAt } from './transport.js';
import { humanVolume } from './volume.js';

/** Adds `status` to `program`. Everything that it shows comes of one `GET /state`, so that it fits together. */
export function addStatusCommand(program: Command, run: RunCommand): void {
  program
    .command('status')
    .summary('show how the house is')
    .description('Shows what plays, the nodes and whatever is wrong, as the asked node sees it.')
    .action(run(status));
}

async function status(session: Session): Promise<void> {
  const client = session.client();
  const state = await client.read('/state', State);
  const advice = smallHouseText(state.nodes);
  const strangers = strangersText(state.node.closed);
  session.print(state, () =>
    [
      pairs([
        ['Node', `${state.node.name} (${state.node.version}) at ${client.node.origin}, ${ROLES[state.cluster.role]}`],
        ['Cluster', humanCluster(state)],
        ...(advice === null ? [] : [['House', advice] as const]),
        ...(strangers === null ? [] : [['Strangers', strangers] as const]),
        ['Music', humanTransport(state.transport, positionAt(state))],
        ['Queue', `${counted(state.queueLength, 'item')}, repeat ${state.repeat}`],
        ['Volume', humanVolume(state.volume, state.muted)],
        ['Library', counted(state.tracks.length, 'track')],
        ...state.uploads
          .filter(({ stage }) => stage !== 'done')
          .map((upload): [string, string] => ['Upload', humanUpload(upload)]),
        ...state.alerts.map((alert): [string, string] => [alert.severity, humanAlert(alert, state)]),
      ]),
      ...(state.nodes.length === 0 ? [] : [table(NODE_COLUMNS, state.nodes, session.bold)]),
    ].join('\n'),
  );
}

const ROLES: Readonly<Record<State['cluster']['role'], string>> = {
  leader: 'leads',
  follower: 'votes',
  learner: 'follows without a vote',
  removed: 'was taken out of the cluster',
  waiting: 'waits',
};

function humanCluster({ cluster, nodes }: State): string {
  if (cluster.id === null) return 'none yet: tutti init forms one, tutti join lets this node join one';
  const votes = `${cluster.votersOnline} of ${counted(cluster.voters, 'voter')} online`;
  const leader = nodes.find((node) => node.id === cluster.leader)?.name;
  const led = leader === undefined ? 'no leader' : `${leader} leads`;
  return cluster.quorum ? `${votes}, ${led}` : `no quorum: ${votes}, ${cluster.needed} needed`;
}

/** What strangers, or peers that are not as they should be, were turned away for. What ends by itself says nothing of anybody. */
const TURNED_AWAY: Readonly<Record<string, string>> = {
  handshake: 'without the key',
  timeout: 'too slow',
  crowded: 'too many at once',
  busy: 'too many knocks',
  'bad-frame': 'not in the form of a peer',
  'other-version': 'of another version',
  'other-cluster': 'of another cluster',
  'not-a-member': 'no members',
  'other-node': 'for another node',
};

function strangersText(closed: State['node']['closed']): string | null {
  const seen = Object.entries(TURNED_AWAY).filter(([reason]) => (closed[reason] ?? 0) > 0);
  if (seen.length === 0) return null;
  const sum = seen.reduce((total, [reason]) => total + closed[reason]!, 0);
  const parts = seen.map(([reason, text]) => `${closed[reason]} ${text}`);
  return `${counted(sum, 'connection')} turned away since the start: ${parts.join(', ')}`;
}

function humanUpload({ title, stage, code, receivedBytes, totalBytes }: State['uploads'][number]): string {
  const name = shownTitle(title);
  if (stage === 'failed') return `${name}: failed${code === null ? '' : ` (${code})`}`;
  const total = totalBytes === null ? '' : ` of ${shownBytes(totalBytes)}`;
  return `${name}: ${stage}, ${shownBytes(receivedBytes)}${total}`;
}

function humanAlert({ code, nodeId, trackId }: Alert, state: State): string {
  const what = isErrorCode(code) ? ERRORS[code].title : code;
  const node = state.nodes.find(({ id }) => id === nodeId)?.name;
  const track = state.tracks.find(({ id }) => id === trackId)?.title;
  const about = [node, track === undefined ? undefined : shownTitle(track)].filter((text) => text !== undefined);
  return about.length === 0 ? what : `${what} (${about.join(', ')})`;
}

const NODE_COLUMNS: readonly Column<NodeView>[] = [
  { head: 'NODE', cell: (node) => node.name },
  { head: 'ROLE', cell: (node) => (node.leader ? 'leader' : node.role) },
  { head: 'ONLINE', cell: (node) => (node.online ? 'yes' : 'no') },
  { head: 'CLOCK', cell: ({ clock }) => clockText(clock) },
  { head: 'SOUND', cell: ({ output }) => soundText(output) },
  { head: 'FREE', cell: ({ disk }) => (disk === null ? '' : shownBytes(disk.freeBytes)), align: 'right' },
  { head: 'TRACKS', cell: ({ disk }) => (disk === null ? '' : tracksText(disk)), align: 'right' },
];

function clockText(clock: NodeView['clock']): string {
  if (clock === null) return '';
  const { locked, holdover, loose, outvoted, errorUs } = clock;
  if (!locked && !holdover) return 'no lock';
  const words = [
    errorUs === null ? 'not measured' : `within ${Math.ceil(errorUs)} us`,
    ...(holdover ? ['alone'] : []),
    ...(loose ? ['loose'] : []),
    ...(outvoted ? ['not as the leader'] : []),
  ];
  return words.join(', ');
}

/** Of another node it is known only to itself. */
const soundText = (output: NodeView['output']): string =>
  output.state === null ? '' : `${output.driver}: ${output.state}${reasonText(output)}`;

const reasonText = ({ reason }: NodeView['output']): string => (reason === null ? '' : ` (${reason})`);

const tracksText = ({ tracksHeld, tracksMissing }: NonNullable<NodeView['disk']>): string =>
  tracksMissing.count === 0 ? String(tracksHeld) : `${tracksHeld}, ${tracksMissing.count} missing`;
