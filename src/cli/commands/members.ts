/** init, join, invite, find, members: which nodes make up the house. */
import type { Command } from 'commander';
import { parseClusterKey } from '../../config/cluster-key.js';
import { nearest } from '../../config/suggest.js';
import { TuttiError } from '../../core/errors.js';
import { Joined, Members, type NodeView, State, Written } from '../../http/schema.js';
import { ID_DIGITS_SHOWN } from '../find.js';
import { type ConfigOptions, loadConfig, withConfigOptions } from '../load-config.js';
import type { NodeClient } from '../node-client.js';
import { ProgressLine } from '../progress.js';
import type { RunCommand, Session } from '../session.js';
import { type Column, counted, table } from '../text.js';
import { watchFilling } from '../watching.js';

/** Of a house nearby, addresses that are tried. */
const ADDRESSES_MAX = 5;

/** Adds `init`, `join`, `invite`, `find` and `members`, with `remove` below it, to `program`. */
export function addMemberCommands(program: Command, run: RunCommand): void {
  program
    .command('init')
    .summary('form a cluster of one node')
    .description('Forms a cluster of the asked node alone, and makes its key. Others are let in by tutti invite.')
    .action(run(init));
  program
    .command('join')
    .summary('let a node join a cluster')
    .description(
      'Lets the asked node, which belongs to no cluster yet, join the one of another node. tutti invite prints the whole line.',
    )
    .argument(
      '[address]',
      'a node of the cluster, as host or host:port of its cluster.listen; several with commas; by default the house that the asked node hears of on the local network, where there is one only',
    )
    .option('--key <key>', 'the cluster key; by default the key file of the asked node has it')
    .option('--replace <name>', 'take the place of this member, whose card is gone: its name or id')
    .action(run(join));
  withConfigOptions(program.command('invite'))
    .summary('print the line that lets a node join')
    .description(
      'Prints the command that lets another node join. The key in it is read from the key file on this machine, so this is for who may read that file.',
    )
    .action(run(invite));
  program
    .command('find')
    .summary('show nodes nearby that are not of this house')
    .description(
      'Shows the nodes that the asked node hears of on the local network and that are not of its house: those that wait to be told of one, and other houses. They say so of themselves; whether one is let in is for the key to say.',
    )
    .action(run(findNearby));
  const members = program
    .command('members')
    .summary('show or remove nodes')
    .description('Shows the nodes of the cluster.')
    // What follows and is no command of its own is turned down below, with better words than "too many arguments".
    .allowExcessArguments()
    .action(run((session) => showMembers(session, members)));
  members
    .command('remove')
    .summary('take a node out')
    .description('Takes a node out of the cluster for good. To come back it has to join anew.')
    .argument('<node>', 'name or id of a node, from tutti members')
    .option('--accept-loss', 'also where tracks have their last good copy there')
    .action(run(remove));
}

async function init(session: Session): Promise<void> {
  const joined = await session.client().write('POST', '/cluster/init', Joined);
  session.print(joined, () => `Formed the cluster ${joined.cluster}. tutti invite says how other nodes join it.`);
}

async function join(
  session: Session,
  typed: string | undefined,
  { key, replace }: { readonly key?: string; readonly replace?: string },
): Promise<void> {
  const client = session.client();
  const address = typed ?? (await houseNearby(client));
  const body = { address, ...(key === undefined ? {} : { key }), ...(replace === undefined ? {} : { replace }) };
  const joined = await client.write('POST', '/cluster/join', Joined, body);
  session.print(joined, () => `Joined the cluster ${joined.cluster}.`);
  const line = new ProgressLine({ output: session.components.stderr }, { name: 'filling' });
  if (session.json || !line.isSeen) return;
  const tracks = await watchFilling({ session, client, line }, { node: joined.node });
  line.end();
  if (tracks !== null && tracks > 0)
    session.print(joined, () => `It holds ${tracks === 1 ? 'the track' : `all ${tracks} tracks`} of the house.`);
}

/** Peer addresses of the one house that the node hears of. @throws TuttiError BAD_USAGE where there is none, or more than one */
async function houseNearby(client: NodeClient): Promise<string> {
  const { nearby = [] } = await client.read('/state', State);
  const inHouses = nearby.filter(({ cluster }) => cluster !== null);
  const houses = new Set(inHouses.map(({ cluster }) => cluster));
  if (houses.size === 1)
    return inHouses
      .slice(0, ADDRESSES_MAX)
      .map(({ address }) => address)
      .join(',');
  const right = 'right is the address of a node of the house, as tutti invite prints it';
  if (houses.size === 0)
    throw new TuttiError('BAD_USAGE', `ADDRESS: found none, and no house is heard of nearby; ${right}.`);
  const candidates = inHouses.map(({ address }) => address);
  const named = inHouses.map(({ name, cluster, address }) => `${name} of ${shortId(cluster)} (${address})`).join(', ');
  throw new TuttiError('BAD_USAGE', `ADDRESS: found none, and ${houses.size} houses nearby: ${named}; ${right}.`, {
    candidates,
  });
}

const shortId = (cluster: string | null): string => (cluster === null ? '' : cluster.slice(0, ID_DIGITS_SHOWN));

type Neighbour = NonNullable<State['nearby']>[number];

const NEARBY_COLUMNS: readonly Column<Neighbour>[] = [
  { head: 'NODE', cell: ({ name }) => name },
  { head: 'HOUSE', cell: ({ cluster }) => (cluster === null ? 'waits' : shortId(cluster)) },
  { head: 'ADDRESS', cell: ({ address }) => address },
  { head: 'PAGE', cell: ({ httpUrl }) => httpUrl },
  { head: 'VERSION', cell: ({ version }) => version },
];

async function findNearby(session: Session): Promise<void> {
  const { nearby = [] } = await session.client().read('/state', State);
  session.print({ nearby }, () =>
    nearby.length === 0
      ? 'No other node is heard of. Networks that carry no multicast hide them; tutti join ADDRESS does without.'
      : table(NEARBY_COLUMNS, nearby, session.bold),
  );
}

async function invite(session: Session, options: ConfigOptions): Promise<void> {
  const { cluster } = await loadConfig(session, options);
  const text = await session.components.files.readText(cluster.keyFile);
  if (text === undefined) {
    throw new TuttiError('NOT_A_MEMBER', `there is no cluster key at ${cluster.keyFile} on this machine`);
  }
  const key = parseClusterKey(text, cluster.keyFile);
  const { node, nodes } = await session.client().read('/state', State);
  const self = nodes.find(({ id }) => id === node.id);
  if (self === undefined) throw new TuttiError('NOT_A_MEMBER', `${node.name} belongs to no cluster yet`);
  const line = `tutti join ${self.address} --key ${key}`;
  session.print({ address: self.address, key, line }, () => line);
}

const MEMBER_COLUMNS: readonly Column<NodeView>[] = [
  { head: 'NODE', cell: ({ name }) => name },
  { head: 'ROLE', cell: ({ leader, role }) => (leader ? 'leader' : role) },
  { head: 'ONLINE', cell: ({ online }) => (online ? 'yes' : 'no') },
  { head: 'CARD', cell: ({ trusted }) => (trusted ? 'trusted' : 'not trusted') },
  { head: 'ADDRESS', cell: ({ address }) => address },
  { head: 'VERSION', cell: ({ version }) => version },
  { head: 'ID', cell: ({ id }) => id },
];

async function showMembers(session: Session, command: Command): Promise<void> {
  const [excess] = command.args;
  if (excess !== undefined) {
    const near = nearest(excess, ['remove']);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    throw new TuttiError('BAD_USAGE', `members: found ${JSON.stringify(excess)}; right is remove, or nothing.${hint}`);
  }
  const answer = await session.client().read('/members', Members);
  session.print(answer, () =>
    answer.members.length === 0
      ? 'This node belongs to no cluster yet: tutti init forms one, tutti join lets it join one.'
      : table(MEMBER_COLUMNS, answer.members, session.bold),
  );
}

async function remove(session: Session, name: string, options: { readonly acceptLoss?: boolean }): Promise<void> {
  const client = session.client();
  const query = options.acceptLoss === true ? '?acceptLoss=true' : '';
  const written = await client.write('DELETE', `/members/${encodeURIComponent(name)}${query}`, Written);
  session.print(written, () => `Removed: ${name}`);
}

/**
 * What a house of this many nodes can and cannot do when one is off; null from three voters on, which need no words. Two nodes agree
 * no more safely than one: a majority of two is both.
 */
export function smallHouseText(nodes: readonly NodeView[]): string | null {
  const voters = nodes.filter(({ role }) => role === 'voter');
  if (nodes.length < 2 || voters.length > 2) return null;
  const names = voters.map(({ name }) => name).join(' and ');
  const cure =
    nodes.length === 2
      ? 'A third machine cures it; one without a sound card will do (output.driver = "none").'
      : 'As soon as enough of the others are on and have caught up, three of them vote, and any one may be off.';
  const without = voters.length === 1 ? `${names} is off` : `${names} are not both on`;
  return `${counted(nodes.length, 'node')}, of which ${names} ${voters.length === 1 ? 'votes' : 'vote'}: while ${without}, what was agreed plays on, and nothing can be changed. ${cure}`;
}
