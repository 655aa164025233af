/**
 * Mutants at work: a copy of the compiled tree with one bug in it, and simulations until a checker finds it out.
 *
 * The copy is made of hard links, beside the tree itself, so that packages are found from there too; only the changed files are written
 * anew, transpiled from the changed source.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { MUTANTS, type Mutant } from './mutants.js';
import { runAll } from './pool.js';
import { nameOf, runSeed, type SeedResult } from './run-seed.js';

/** A mutant that lives longer than this has survived. */
const SEEDS_MAX = 500;

/** The compiled tree that this file belongs to. */
const TREE = fileURLToPath(new URL('../../', import.meta.url));

/** How mutants are run. */
export interface MutateInit {
  readonly jobs: number;
  print(text: string): void;
  say(text: string): void;
}

/** The source with the change. @throws Error where its place is not found exactly once */
export function patched(source: string, { file, find, replace }: Mutant['patches'][number]): string {
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} holds ${count} times: ${find}`);
  return source.replace(find, () => replace);
}

/** Links every compiled file below `from` into `to`. */
function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.name.endsWith('.js')) linkSync(source, target);
  }
}

/** Writes the mutated tree; gives its folder. */
function writeMutant(mutant: Mutant): string {
  const folder = join(TREE, '.mutants', mutant.name);
  rmSync(folder, { recursive: true, force: true });
  linkTree(join(TREE, 'src'), join(folder, 'src'));
  linkTree(join(TREE, 'test', 'sim'), join(folder, 'test', 'sim'));
  const sources = new Map<string, string>();
  for (const patch of mutant.patches) {
    const source = sources.get(patch.file) ?? readFileSync(patch.file, 'utf8');
    sources.set(patch.file, patched(source, patch));
  }
  for (const [file, source] of sources) {
    const target = join(folder, file.replace(/\.ts$/, '.js'));
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    // A link is shared with the tree itself: write a new file.
    rmSync(target);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  return folder;
}

/**
 * Runs one; gives the simulation that found it out, and how many it took. A simulation in which the code without the bug fails too has
 * found nothing out: `excused` is told, and the hunt goes on.
 */
export async function hunt(
  mutant: Mutant,
  { jobs, excused }: { readonly jobs: number; readonly excused: (result: SeedResult) => void },
): Promise<{ readonly seeds: number; readonly found: SeedResult | null }> {
  const folder = writeMutant(mutant);
  let seed = 1;
  let seeds = 0;
  let found: SeedResult | null = null;
  try {
    while (found === null && seed <= SEEDS_MAX) {
      const suspects: SeedResult[] = [];
      await runAll({
        jobs,
        worker: pathToFileURL(join(folder, 'test', 'sim', 'worker.js')),
        next: () => (seed > SEEDS_MAX ? null : nameOf(seed++, mutant.profile)),
        ended: (result) => {
          seeds++;
          if (result.violation !== null) suspects.push(result);
          return suspects.length === 0;
        },
      });
      for (const suspect of suspects) {
        if ((await runSeed(suspect.name)).violation === null) found ??= suspect;
        else excused(suspect);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { seeds, found };
}

/** Runs all mutants, or those whose name holds `word`; gives the command's exit status. */
export async function runMutants(word: string, { jobs, print, say }: MutateInit): Promise<number> {
  const chosen = MUTANTS.filter(({ name }) => name.includes(word));
  if (chosen.length === 0) {
    say(`tutti: no mutant is called "${word}"; there are ${MUTANTS.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  let survivors = 0;
  for (const mutant of chosen) {
    const startedAt = performance.now();
    const { seeds, found } = await hunt(mutant, {
      jobs,
      excused: ({ name }) => print(`          seed ${name.seed} of ${name.profile} fails without ${mutant.name} too`),
    });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    if (found === null) {
      survivors++;
      print(`SURVIVED  ${mutant.name}: ${mutant.bug} (${seeds} seeds of ${mutant.profile}, ${seconds} s)`);
    } else {
      const { checker } = found.violation!;
      print(`caught    ${mutant.name}: after ${seeds} seeds of ${mutant.profile} by "${checker}" (${seconds} s)`);
    }
  }
  print(`${chosen.length - survivors} of ${chosen.length} mutants caught`);
  rmSync(join(TREE, '.mutants'), { recursive: true, force: true });
  say(`tutti: mutants ran below ${relative(process.cwd(), TREE)}`);
  return survivors === 0 ? 0 : 1;
}
