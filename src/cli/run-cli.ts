/** From the words of the command line to an exit code. Whatever goes wrong on the way is said once, on standard error. */
import { type Command, CommanderError } from 'commander';
import { TuttiError } from '../core/errors.js';
import { inSources } from '../io/log/source-positions.js';
import type { CliComponents } from './components.js';
import { EXIT } from './exit-codes.js';
import { buildProgram } from './program.js';
import { Session } from './session.js';

/**
 * Runs one command and gives the exit code (exit-codes.ts). Never throws, and never ends the process.
 *
 * @param argv what was typed after `tutti`
 */
export async function runCli(argv: readonly string[], components: CliComponents): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(components, { ended: (code) => (exitCode = code) });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok; // help and version
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage; // no command: it has shown the help
    const problem = asTuttiError(error, program, argv);
    const session = new Session(components, { json: argv.includes('--json') });
    session.reportError(problem);
    if (problem.code === 'INTERNAL' && error instanceof Error)
      components.stderr.write(`${inSources(String(error.stack))}\n`);
    return session.exitCode;
  }
}

function asTuttiError(error: unknown, program: Command, argv: readonly string[]): TuttiError {
  if (error instanceof TuttiError) return error;
  if (error instanceof CommanderError) {
    const found = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    const usage = usageOf(program, argv);
    return new TuttiError('BAD_USAGE', `${found}; right is: ${usage}`, { usage }, error);
  }
  return new TuttiError('INTERNAL', error instanceof Error ? error.message : String(error), {}, error);
}

/** How the command that was meant is used: `tutti queue mv [options] <item> <before>`. */
function usageOf(program: Command, argv: readonly string[]): string {
  let names = program.name();
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) continue;
    command = next;
    names += ` ${word}`;
  }
  return `${names} ${command.usage()}`;
}
