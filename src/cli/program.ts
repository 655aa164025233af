/**
 * The commands of `tutti`, put together. Each command file adds its own; what is common to all is here: the options that every
 * command takes, and how a handler is run.
 *
 * docs/cli.md is rendered from what this builds.
 */
import { Command } from 'commander';
import { addCompletionCommand } from './commands/completion.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addLibraryCommands } from './commands/library.js';
import { addLocalCommands } from './commands/local.js';
import { addMemberCommands } from './commands/members.js';
import { addQueueCommands } from './commands/queue.js';
import { addStatusCommand } from './commands/status.js';
import { addSyncReportCommand } from './commands/sync-report.js';
import { addTransportCommands } from './commands/transport.js';
import { addVolumeCommands } from './commands/volume.js';
import type { CliComponents } from './components.js';
import { EXAMPLES } from './examples.js';
import { EXIT_CODES } from './exit-codes.js';
import { DEFAULT_NODE } from './node-client.js';
import { type GlobalOptions, type RunCommand, Session } from './session.js';

/** How whoever runs the program learns how it went: commander's actions return nothing. */
export interface ProgramInit {
  /** Told the exit code of the command that ran. */
  readonly ended: (exitCode: number) => void;
}

/** The program. Parsing throws CommanderError for what commander itself turns down and TuttiError for the rest; it never exits. */
export function buildProgram(components: CliComponents, { ended }: ProgramInit): Command {
  const program = new Command('tutti')
    .description('Plays the same music in every room, in step. None of the nodes is in charge.')
    .version(components.version)
    .option('--json', 'results as JSON on standard output, one line each; errors as JSON on standard error')
    .option('--node <url>', `the node to ask; TUTTI_NODE, else ${DEFAULT_NODE}, by default`)
    .option(
      '--token <token>',
      'token of a node that asks for one; TUTTI_TOKEN by default, which other users cannot see',
    )
    .helpCommand('help [command]', 'show what a command takes')
    .addHelpText(
      'after',
      `\nExit codes:\n${EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padEnd(4)}${meaning}`).join('\n')}`,
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => components.stdout.write(text),
      writeErr: (text) => components.stderr.write(text),
      // Said by runCli, in the form in which every error is said.
      outputError: () => undefined,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });

  const run: RunCommand =
    <A extends unknown[]>(handler: (session: Session, ...args: A) => Promise<void> | void) =>
    async (...args) => {
      // commander ends every action's arguments with the options and the command itself.
      const command = args.at(-1) as Command;
      const session = new Session(components, command.optsWithGlobals<GlobalOptions>());
      await handler(session, ...(args.slice(0, -1) as A));
      ended(session.exitCode);
    };

  addLocalCommands(program, run);
  addDoctorCommand(program, run);
  addLibraryCommands(program, run);
  addQueueCommands(program, run);
  addTransportCommands(program, run);
  addVolumeCommands(program, run);
  addStatusCommand(program, run);
  addSyncReportCommand(program, run);
  addMemberCommands(program, run);
  addCompletionCommand(program, run);
  addExamples(program, []);
  return program;
}

/** Adds to the help of every command how it is typed, and where its exit codes are told. */
function addExamples(command: Command, path: readonly string[]): void {
  const examples = EXAMPLES[path.join(' ')];
  if (examples !== undefined) {
    const lines = examples.map((example) => `  ${example}`).join('\n');
    command.addHelpText('after', `\nExamples:\n${lines}\n\nOptions of every command and exit codes: tutti --help`);
  }
  for (const child of command.commands) addExamples(child, [...path, child.name()]);
}
