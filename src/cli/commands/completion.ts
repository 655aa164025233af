/** completion: scripts by which shells complete commands. */
import { Argument, type Command } from 'commander';
import { commandTree } from '../command-tree.js';
import { completionScript, SHELLS, type Shell } from '../completion.js';
import type { RunCommand } from '../session.js';

/** Adds `completion` to `program`. To be added last: it knows what was added before. */
export function addCompletionCommand(program: Command, run: RunCommand): void {
  program
    .command('completion')
    .summary('print what makes a shell complete commands')
    .description(
      'Prints the script by which a shell completes commands and options. For bash: source <(tutti completion bash), in ~/.bashrc for good. For zsh: tutti completion zsh > _tutti in a directory of $fpath. For fish: tutti completion fish > ~/.config/fish/completions/tutti.fish.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action(
      run((session, shell: Shell) => {
        const script = completionScript(shell, commandTree(program));
        session.print({ shell, script }, () => script);
      }),
    );
}
