/** The configuration of the node on this machine, for commands that are about it and not about a node that answers. */
import type { Command } from 'commander';
import { type Config, parseConfig } from '../config/config.js';
import { TuttiError } from '../core/errors.js';
import type { Session } from './session.js';

/** Read where no --config is given; there need not be one. */
export const DEFAULT_CONFIG_FILE = '/etc/tutti/tutti.toml';

/** What {@link withConfigOptions} adds. */
export interface ConfigOptions {
  readonly config?: string;
  readonly data?: string;
}

/** Gives `command` the options by which a configuration is found. */
export const withConfigOptions = (command: Command): Command =>
  command
    .option(
      '--config <file>',
      `configuration file, ${DEFAULT_CONFIG_FILE} by default (described in docs/configuration.md)`,
    )
    .option('--data <dir>', 'data directory; goes before data_dir of the configuration');

/** @throws TuttiError BAD_CONFIG, BAD_USAGE */
export async function loadConfig({ components }: Session, options: ConfigOptions): Promise<Config> {
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
