/** run, demo, capabilities: what happens on this machine and asks no node. */
import type { Command } from 'commander';
import { type Config, parseConfig } from '../../config/config.js';
import { TuttiError } from '../../core/errors.js';
import { type PlaybackDevice, playbackDevices, type UsbMode } from '../capabilities.js';
import type { RunCommand, Session } from '../session.js';
import { type Column, pairs, shownRate, table } from '../text.js';

/** Read where no --config is given; there need not be one. */
const DEFAULT_CONFIG_FILE = '/etc/tutti/tutti.toml';

/** Adds `run`, `demo` and `capabilities` to `program`. The first two end with the exit code of what they ran. */
export function addLocalCommands(program: Command, run: RunCommand): void {
  program
    .command('run')
    .summary('run a node')
    .description('Runs a node until it gets SIGTERM or SIGINT.')
    .option(
      '--config <file>',
      `configuration file, ${DEFAULT_CONFIG_FILE} by default (described in docs/configuration.md)`,
    )
    .option('--data <dir>', 'data directory; goes before data_dir of the configuration')
    .action(run(runNode));
  program
    .command('demo')
    .summary('show everything on this machine')
    .description('Shows on this machine, without any hardware, what Tutti does.')
    .action(run(demo));
  program
    .command('capabilities')
    .summary('list the sound cards of this machine')
    .description(
      'Lists the sound cards of this machine with the names that output.device takes, the first choice of "auto" first. Read from /proc/asound: formats and rates are known of USB cards, and of what plays now.',
    )
    .action(run(capabilities));
}

async function runNode(session: Session, options: { config?: string; data?: string }): Promise<void> {
  session.exitCode = await session.components.run(await loadConfig(session, options));
}

async function demo(session: Session): Promise<void> {
  session.exitCode = await session.components.demo();
}

/** @throws TuttiError BAD_CONFIG, BAD_USAGE */
async function loadConfig({ components }: Session, options: { config?: string; data?: string }): Promise<Config> {
  const text = await components.files.readText(options.config ?? DEFAULT_CONFIG_FILE);
  if (text === undefined && options.config !== undefined) {
    throw new TuttiError(
      'BAD_USAGE',
      `--config: there is no file ${JSON.stringify(options.config)}; right is a TOML file.`,
    );
  }
  const env = options.data === undefined ? components.env : { ...components.env, TUTTI_DATA_DIR: options.data };
  return parseConfig(text ?? '', env, { hostname: components.hostname });
}

function capabilities(session: Session): void {
  const devices = playbackDevices(session.components.proc);
  session.print({ devices }, () =>
    devices.length === 0
      ? 'No sound card found: /proc/asound lists none that plays.'
      : [
          table(DEVICE_COLUMNS, devices, session.bold),
          ...devices.filter(({ usb }) => usb !== null && usb.modes.length > 0).map(humanUsb),
        ].join('\n'),
  );
}

const DEVICE_COLUMNS: readonly Column<PlaybackDevice>[] = [
  { head: 'DEVICE', cell: ({ address }) => address },
  { head: 'KIND', cell: ({ kind }) => kind },
  { head: 'CARD', cell: ({ card }) => card.name },
  { head: 'NAME', cell: ({ device }) => device.name },
  { head: 'DRIVER', cell: ({ card }) => card.driver },
  { head: 'IN USE BY', cell: ({ holder }) => (holder === null ? '' : holderText(holder)) },
  { head: 'PLAYING', cell: ({ playing }) => (playing === null ? '' : playingText(playing)) },
];

const holderText = ({ pid, program }: NonNullable<PlaybackDevice['holder']>): string =>
  program === null ? `process ${pid}` : `${program} (${pid})`;

const playingText = ({ format, channels, rate }: NonNullable<PlaybackDevice['playing']>): string =>
  `${format}, ${channels} ch, ${shownRate(rate)}`;

function humanUsb({ address, usb }: PlaybackDevice): string {
  const what = [usb!.id === null ? [] : [`USB ${usb!.id}`], usb!.speed === null ? [] : [`${usb!.speed} speed`]].flat();
  return `${address}${what.length === 0 ? '' : ` (${what.join(', ')})`}\n${pairs(usb!.modes.map((mode) => [modeName(mode), modeText(mode)]))}`;
}

const modeName = ({ formats, channels }: UsbMode): string => `  ${formats.join(' ')}, ${channels} ch`;

function modeText({ bits, rates, continuous, sync }: UsbMode): string {
  const range = continuous
    ? `${rates.map(shownRate).join(' to ')}`
    : `${rates.map((rate) => rate / 1_000).join(', ')} kHz`;
  return `${bits === null ? '' : `${bits} bits, `}${range}, ${sync}`;
}
