/** The program as an earlier commit has it: what stands on the cards of a house that is upgraded. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Builds `commit` below `folder`, with the packages that are installed here. Gives its `main.js`, or why there is none: a checkout without
 * history, or a commit that needs other packages.
 */
export function buildEarlier(
  folder: string,
  commit: string,
): { readonly program: string } | { readonly missing: string } {
  const source = join(folder, 'earlier');
  const run = (program: string, args: readonly string[], cwd: string) =>
    execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    mkdirSync(source);
    const archive = join(folder, 'earlier.tar');
    run('git', ['archive', `--output=${archive}`, commit], ROOT);
    run('tar', ['-xf', archive], source);
    symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'));
    run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'], source);
    run(process.execPath, [join('src', 'dev', 'bundle.mjs')], source);
  } catch (error) {
    return { missing: `${commit} cannot be built here: ${(error as Error).message.split('\n')[0]}` };
  }
  const program = join(source, 'dist', 'tutti', 'main.js');
  return existsSync(program) ? { program } : { missing: `${commit} made no ${program}` };
}
