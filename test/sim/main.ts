/**
 * `npm run sim`: the seeded simulator of the cluster, from the command line.
 *
 *     npm run sim                            3,000 seeds
 *     npm run sim -- --seeds N               seeds 1 to N
 *     npm run sim -- --seconds N             as many seeds as fit
 *     npm run sim -- --seed N                one seed, with a trace of all that happens: the same bytes at every run
 *     npm run sim -- --profile NAME          seeds of one profile
 *     npm run sim -- --mutants [NAME]        applies known bugs to the code; each must be found out
 *
 * A failing seed is shrunk, and printed with the command that runs it again.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { FAULT_KINDS, type FaultKind, isProfile, knobsText, PROFILES, type ProfileName } from './knobs.js';
import { runMutants } from './mutate.js';
import { runAll } from './pool.js';
import { knobsOf, nameOf, replayCommand, runSeed, type SeedName, type SeedResult } from './run-seed.js';
import { shrink } from './shrink.js';
import { Totals } from './totals.js';

const SEEDS_DEFAULT = 3_000;
/** Failing seeds that are shrunk and shown; more of them would say the same. */
const FAILURES_SHOWN = 3;
/** How often a long run says how far it is, milliseconds. */
const PROGRESS_MS = 10_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** What was asked for. */
interface Options {
  readonly seeds: number | null;
  readonly seconds: number | null;
  readonly seed: number | null;
  readonly from: number;
  readonly profile: ProfileName | null;
  readonly without: readonly FaultKind[];
  readonly faultsMs: number | null;
  /** Null for no mutants, empty for all. */
  readonly mutants: string | null;
  readonly jobs: number;
}

function wholeNumber(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a whole number, not "${text}"`);
  return value;
}

function readOptions(args: readonly string[]): Options {
  const string = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seeds: string,
      seconds: string,
      seed: string,
      from: string,
      profile: string,
      without: string,
      'faults-ms': string,
      jobs: string,
      mutants: { type: 'boolean' },
    },
  });
  const { profile = null } = values;
  if (profile !== null && !isProfile(profile)) {
    throw new Error(`there is no profile "${profile}"; there are ${Object.keys(PROFILES).join(', ')}`);
  }
  const without = (values.without ?? '').split(',').filter((kind) => kind !== '') as FaultKind[];
  for (const kind of without) if (!FAULT_KINDS.includes(kind)) throw new Error(`there is no kind of fault "${kind}"`);
  if (positionals.length > (values.mutants === true ? 1 : 0)) throw new Error(`"${positionals.at(-1)}" is too much`);
  return {
    seeds: wholeNumber('seeds', values.seeds),
    seconds: wholeNumber('seconds', values.seconds),
    seed: wholeNumber('seed', values.seed),
    from: wholeNumber('from', values.from) ?? 1,
    profile,
    without,
    faultsMs: wholeNumber('faults-ms', values['faults-ms']),
    mutants: values.mutants === true ? (positionals[0] ?? '') : null,
    jobs: wholeNumber('jobs', values.jobs) ?? Math.min(2, availableParallelism()),
  };
}

/** One seed with its trace. */
async function replay(name: SeedName): Promise<number> {
  print(`seed ${name.seed} of ${name.profile}: ${knobsText(knobsOf(name))}`);
  const { violation } = await runSeed(name, print);
  if (violation === null) return 0;
  print(`${violation.checker}: ${violation.text}`);
  return 1;
}

/** What failed, as small as it goes. */
async function show(failure: SeedResult): Promise<void> {
  const { name } = failure;
  const violation = failure.violation!;
  print(`seed ${name.seed} of ${name.profile}: ${violation.checker}: ${violation.text.slice(0, 1_000)}`);
  const knobs = knobsOf(name);
  const small = await shrink(name, {
    kinds: [...knobs.faults.keys()],
    faultsMs: knobs.faultsMs,
    failedAtMs: violation.atMs,
    fails: async (smaller) => (await runSeed(smaller)).violation?.checker === violation.checker,
  });
  print(`  knobs: ${knobsText(knobsOf(small))}`);
  print(`  again: ${replayCommand(small)}`);
}

/** Many seeds. */
async function runMany(options: Options): Promise<number> {
  const { seconds, from, profile, without, faultsMs, jobs } = options;
  const seeds = options.seeds ?? (seconds === null ? SEEDS_DEFAULT : Number.POSITIVE_INFINITY);
  const startedAt = performance.now();
  const endsAt = seconds === null ? Number.POSITIVE_INFINITY : startedAt + 1_000 * seconds;
  const totals = new Totals();
  let seed = from;
  const progress = setInterval(() => say(`tutti: ${totals.text().split('\n')[0]}`), PROGRESS_MS);
  try {
    await runAll({
      jobs,
      next: () => {
        if (seed >= from + seeds || performance.now() > endsAt) return null;
        return { ...nameOf(seed++, profile ?? undefined), without, faultsMs };
      },
      ended: (result) => {
        totals.add(result);
        const { name, violation } = result;
        if (violation !== null) say(`tutti: seed ${name.seed} of ${name.profile}: ${violation.checker}`);
        return totals.failures.length < FAILURES_SHOWN;
      },
    });
  } finally {
    clearInterval(progress);
  }
  print(totals.text());
  print(`took ${((performance.now() - startedAt) / 1_000).toFixed(0)} s on ${jobs} cores`);
  const { failures, missing } = totals;
  for (const failure of failures.sort((a, b) => a.name.seed - b.name.seed)) await show(failure);
  if (profile === null && totals.seeds >= SEEDS_DEFAULT && missing.length > 0) {
    print(`never happened: ${missing.join(', ')}`);
    return 1;
  }
  return failures.length === 0 ? 0 : 1;
}

/** The whole command; gives its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    say(`tutti: ${(error as Error).message}`);
    return 2;
  }
  const { seed, profile, without, faultsMs, mutants, jobs } = options;
  if (mutants !== null) return await runMutants(mutants, { jobs, print, say });
  if (seed !== null) return await replay({ ...nameOf(seed, profile ?? undefined), without, faultsMs });
  return await runMany(options);
}

process.exitCode = await main(process.argv.slice(2));
