/** run, demo, repair: what happens on this machine and asks no node. */
import type { Command } from 'commander';
import { TuttiError } from '../../core/errors.js';
import type { RepairReport } from '../components.js';
import { EXIT } from '../exit-codes.js';
import { type ConfigOptions, loadConfig, withConfigOptions } from '../load-config.js';
import type { RunCommand, Session } from '../session.js';
import { counted } from '../text.js';
import { addCapabilitiesCommand } from './capabilities.js';

/** Adds `run`, `demo`, `repair` and `capabilities` to `program`. The first two end with the exit code of what they ran. */
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
    .description('Shows on this machine, without any hardware, what Tutti does.')
    .action(run(demo));
  withConfigOptions(program.command('repair'))
    .summary('check the log of a node that does not run')
    .description(
      'Checks log and snapshot of a node that does not run. A damaged entry is fetched from the other nodes when the node runs again; a node that is alone can only give it up.',
    )
    .option('--accept-loss', 'give up the entries that are damaged: what they held is lost for good')
    .action(run(repair));
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

async function demo(session: Session): Promise<void> {
  session.exitCode = await session.components.demo();
}

async function repair(session: Session, options: ConfigOptions & { readonly acceptLoss?: boolean }): Promise<void> {
  const config = await loadConfig(session, options);
  const report = await session.components.repair(config, { acceptLoss: options.acceptLoss === true });
  const isWhole = report.damage.length === 0 && report.unknownSlots.length === 0;
  if (!isWhole && !report.lossAccepted) session.exitCode = EXIT.world;
  session.print(report, () => (isWhole ? 'The log is whole.' : humanRepair(report)));
}

function humanRepair({ damage, unknownSlots, lossAccepted }: RepairReport): string {
  const lost = counted(unknownSlots.length, 'entry').replace('entrys', 'entries');
  const advice = lossAccepted
    ? `${lost} given up: what they held is lost.`
    : 'Start the node while the others run: what they have, it fetches. If it is alone, tutti repair --accept-loss gives up what is damaged.';
  return [...damage, ...(unknownSlots.length === 0 ? [] : [`Damaged: slots ${unknownSlots.join(', ')}`]), advice].join(
    '\n',
  );
}
