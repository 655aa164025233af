/**
 * Scripts by which shells complete what is typed after `tutti`, made of the commands as they are.
 *
 * All three work alike: the words before the one that is typed lead down the tree as far as they are commands, and what can follow there is
 * offered. Nothing is asked of a node: a key that is pressed twice must not wait for the network.
 */
import { type CommandNode, flat } from './command-tree.js';

/** The shells that there are scripts for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** One of them. */
export type Shell = (typeof SHELLS)[number];

/** The script for a shell. @param root of all commands */
export function completionScript(shell: Shell, root: CommandNode): string {
  switch (shell) {
    case 'bash':
      return bash(root);
    case 'zsh':
      return zsh(root);
    case 'fish':
      return fish(root);
  }
}

/** How a place in the tree is written in the scripts: `/queue/add`. */
const placeOf = ({ path }: CommandNode): string => path.map((word) => `/${word}`).join('');

/** What can follow a command, options of every command among them. */
const following = (node: CommandNode, root: CommandNode): string[] => [
  ...node.below.map(({ path }) => path.at(-1)!),
  ...node.words,
  ...new Set([...node.options, ...root.options, '--help']),
];

/** The part that is common to bash and zsh: walks down the tree. `case` patterns are the same in both. */
const walk = (root: CommandNode): string => {
  const places = flat(root).slice(1).map(placeOf);
  return `    case "$place/$word" in ${places.join('|')}) place="$place/$word" ;; esac`;
};

function bash(root: CommandNode): string {
  const cases = flat(root).map((node) => {
    const files = node.takesFiles ? '' : ' compopt +o default 2>/dev/null;';
    return `    "${placeOf(node)}")${files} words="${following(node, root).join(' ')}" ;;`;
  });
  return `# tutti completion bash: put it where bash finds it, or: source <(tutti completion bash)
_tutti() {
  local word place="" words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${walk(root)}
  done
  case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tutti tutti
`;
}

function zsh(root: CommandNode): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const cases = flat(root).map((node) => {
    const commands = node.below.map(({ path, summary }) => quoted(`${path.at(-1)}:${summary.replaceAll(':', '\\:')}`));
    const others = following(node, root).slice(node.below.length).map(quoted);
    const files = node.takesFiles ? ' _files;' : '';
    return `    ("${placeOf(node)}") offered=(${[...commands, ...others].join(' ')});${files} ;;`;
  });
  return `#compdef tutti
# tutti completion zsh: put it into a directory of $fpath as _tutti
_tutti() {
  local word place=""
  local -a offered
  for word in "\${(@)words[2,CURRENT-1]}"; do
${walk(root)}
  done
  case "$place" in
${cases.join('\n')}
  esac
  _describe tutti offered
}
if [ "$funcstack[1]" = "_tutti" ]; then _tutti "$@"; else compdef _tutti tutti; fi
`;
}

function fish(root: CommandNode): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = flat(root).flatMap((node) => {
    const condition = `-n "test (__tutti_place) = '${placeOf(node)}'"`;
    const files = node.takesFiles ? [`complete -c tutti ${condition} -F`] : [];
    return [
      ...files,
      ...node.below.map(
        ({ path, summary }) => `complete -c tutti ${condition} -a ${path.at(-1)} -d ${quoted(summary)}`,
      ),
      ...node.words.map((word) => `complete -c tutti ${condition} -a ${word}`),
      ...node.options.map((option) => `complete -c tutti ${node === root ? '' : `${condition} `}-l ${option.slice(2)}`),
    ];
  });
  const places = flat(root).slice(1).map(placeOf).join(' ');
  return `# tutti completion fish: put it into ~/.config/fish/completions/tutti.fish
function __tutti_place
  set -l place ''
  for word in (commandline -opc)[2..-1]
    contains -- "$place/$word" ${places}; and set place "$place/$word"
  end
  echo "$place"
end
complete -c tutti -f
${lines.join('\n')}
`;
}
