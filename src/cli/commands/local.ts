/** run, demo, repair, lamp-off: what happens on this machine and asks no node. */
import type { Command } from 'commander';
import { TuttiError } from '../../core/errors.js';
import { readCount } from '../arguments.js';
import type { RepairReport } from '../components.js';
import { DEMO_NODES_MAX } from '../demo/rooms.js';
import { EXIT } from '../exit-codes.js';
import { type ConfigOptions, loadConfig, withConfigOptions } from '../load-config.js';
import type { RunCommand, Session } from '../session.js';
import { counted } from '../text.js';
import { addCapabilitiesCommand } from './capabilities.js';

/** Adds `run`, `demo`, `repair`, `lamp-off` and `capabilities` to `program`. The first two end with the exit code of what they ran. */
export function addLocalCommands(program: Command, run: RunCommand): void {
  withConfigOptions(program.command('run'))
    .summary('run a node')
    .description(
      'Runs a node until it gets SIGTERM or SIGINT. On an empty data directory it waits to be told by tutti init or tutti join, unless an option says it.',
    )
    .option('--init', 'on an empty data directory: form a cluster of this one node')
    .option(
      '--join <addresses>',
      'on an empty data directory: join the cluster of one of these nodes (host or host:port, with commas), with the key of cluster.key_file, as soon as that is possible',
    )
    .action(run(runNode));
  program
    .command('demo')
    .summary('show everything on this machine')
    .description(
      'Shows on this machine, without any hardware, what Tutti does. Several nodes form a house and play music that is made on the spot; the one that leads is killed in mid-song and started again; what the simulated cards wrote down says how far apart the rooms were, and that nothing was missed. Takes a minute, then stays up until Ctrl-C where a person looks on.',
    )
    .option(
      '--nodes <n>',
      `so many nodes, 1 to ${DEMO_NODES_MAX}; with 1 every sample is held against what went in`,
      '3',
    )
    .action(run(demo));
  withConfigOptions(program.command('repair'))
    .summary('check the log of a node that does not run')
    .description(
      'Checks log and snapshot of a node that does not run, mends what it can with what the card has beside it, and notes its look in the superblock as a start does. What is damaged beyond that is fetched from the other nodes when the node runs again; a node that is alone can only give it up.',
    )
    .option(
      '--accept-loss',
      'give up the entries and the snapshot that are damaged: what only they held is lost for good',
    )
    .action(run(repair));
  withConfigOptions(program.command('lamp-off'))
    .summary('switch off the lamps of a node that was killed')
    .description(
      'Switches off the leader lamp and the status lamp of a node that does not run: one that was killed cannot do it itself, and a Raspberry Pi keeps the level of a line. After a node that was killed the systemd unit does the same.',
    )
    .action(run(lampOff));
  addCapabilitiesCommand(program, run);
}

async function runNode(
  session: Session,
  options: ConfigOptions & { readonly init?: boolean; readonly join?: string },
): Promise<void> {
  const { init = false, join } = options;
  if (init && join !== undefined) {
    throw new TuttiError('BAD_USAGE', '--init and --join: found both; right is one of them, or neither.');
  }
  const addresses = join === undefined ? [] : join.split(',').map((address) => address.trim());
  if (addresses.includes('')) {
    throw new TuttiError(
      'BAD_USAGE',
      `--join: found ${JSON.stringify(join)}; right is an address such as kitchen.local or 10.0.0.2:7420, several with commas.`,
    );
  }
  const config = await loadConfig(session, options);
  session.exitCode = await session.components.run(config, { init, join: addresses });
}

async function demo(session: Session, { nodes }: { readonly nodes: string }): Promise<void> {
  const count = readCount('--nodes', DEMO_NODES_MAX, nodes);
  session.exitCode = await session.components.demo({ nodes: count, json: session.json });
}

async function lampOff(session: Session, options: ConfigOptions): Promise<void> {
  const lamps = await session.components.lampOff(await loadConfig(session, options));
  session.print({ lamps }, () => (lamps === 0 ? 'This node has no lamp.' : `${counted(lamps, 'lamp')} off.`));
}

async function repair(session: Session, options: ConfigOptions & { readonly acceptLoss?: boolean }): Promise<void> {
  const config = await loadConfig(session, options);
  const report = await session.components.repair(config, { acceptLoss: options.acceptLoss === true });
  const isWhole = report.damage.length === 0 && report.unknownSlots.length === 0;
  if (!isWhole && !report.lossAccepted) session.exitCode = EXIT.world;
  session.print(report, () =>
    [...report.mended, ...(isWhole ? ['The log is whole.'] : humanRepair(report))].join('\n'),
  );
}

function humanRepair(report: RepairReport): string[] {
  const lost = [...(report.snapshot?.missing ?? []), ...report.unknownSlots];
  return [
    ...report.damage,
    ...(lost.length === 0 ? [] : [`Damaged: slots ${lost.join(', ')}`]),
    adviceOn(report, lost),
  ];
}

function adviceOn({ snapshot, others, lossAccepted }: RepairReport, lost: readonly number[]): string {
  const entries = counted(lost.length, 'entry').replace('entrys', 'entries');
  if (lossAccepted) return `${entries} given up: what they held is lost.`;
  if (others > 0) {
    return 'Start the node while the others run: what they have, it fetches. What nobody has, a node that votes alone gives up by tutti repair --accept-loss.';
  }
  if (snapshot?.missing === null) {
    return 'No other node has what is damaged, and what is left of the log does not begin anywhere: the queue, the volume, the titles and the settings of the house are lost. The files of the tracks are not: docs/operations.md says under "A node says that its snapshot cannot be read" how to start anew with them.';
  }
  return lost.length > 0
    ? `No other node has what is damaged. tutti repair --accept-loss gives up ${entries}, and keeps the rest.`
    : 'Nothing is lost: start the node, which writes anew what is damaged.';
}
