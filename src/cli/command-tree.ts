/** The commands as a tree of plain values, read from commander's own: for whatever shows all of them. */
import type { Command } from 'commander';

/** One command. */
export interface CommandNode {
  /** Words after `tutti`: `['queue', 'add']`; none for `tutti` itself. */
  readonly path: readonly string[];
  readonly summary: string;
  /** Long forms of its own options, such as `--nodes`. */
  readonly options: readonly string[];
  /** What its first argument takes, where that is one of a few words. */
  readonly words: readonly string[];
  /** True where an argument is a file of this machine. */
  readonly takesFiles: boolean;
  readonly below: readonly CommandNode[];
}

/** Options whose value is a path are written with one of these. */
const PATH_VALUE = /<(file|dir)>/;

/** The tree from `command` on. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const { registeredArguments, options } = command;
  return {
    path,
    summary: command.summary() || command.description(),
    options: options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long])),
    words: registeredArguments[0]?.argChoices ?? [],
    takesFiles:
      registeredArguments.some((argument) => argument.name() === 'file') ||
      options.some(({ flags }) => PATH_VALUE.test(flags)),
    below: command.commands.map((child) => commandTree(child, [...path, child.name()])),
  };
}

/** The tree as a list, parents before what is below them. */
export const flat = (node: CommandNode): CommandNode[] => [node, ...node.below.flatMap(flat)];
