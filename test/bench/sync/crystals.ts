/**
 * A clock of its own for each process: processes on one machine share one, and a clock of the cluster that measured nothing would look perfect.
 *
 * The offset comes from a time namespace (time_namespaces(7)), which the kernel itself keeps; the rate and its wander from a library that
 * is loaded ahead of the C library (test/card/skewed-clock.c).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** How a process's clock differs from the machine's. */
export interface Crystal {
  /** It reads so much more: whole seconds, as if its machine had run longer. */
  readonly offsetS: number;
  readonly ppm: number;
  /** How far its rate wanders, ppm. */
  readonly wanderPpm: number;
  readonly seed: number;
}

/** The clocks of the three nodes of every bench. */
export const CRYSTALS: readonly Crystal[] = [
  { offsetS: 0, ppm: 0, wanderPpm: 0.2, seed: 1 },
  { offsetS: 86_400, ppm: 30, wanderPpm: 0.2, seed: 2 },
  { offsetS: 1_000_000, ppm: -20, wanderPpm: 0.2, seed: 3 },
];

/** What makes a clock differ here, or why nothing can. */
export interface ClockMaker {
  /** Why offsets are left out; undefined where they are not. */
  readonly withoutOffsets?: string;
  /** The command and environment under which `command` runs by this crystal. */
  wrap(
    crystal: Crystal,
    command: readonly string[],
  ): { readonly command: readonly string[]; readonly env: Record<string, string> };
}

/** Benches run in the root of the repository. */
const SOURCE = join('test', 'card', 'skewed-clock.c');

/**
 * Compiles the library into `folder`. `baseNs` is the instant of the host's CLOCK_MONOTONIC_RAW at which all clocks begin to drift apart.
 * Gives why it cannot be where there is no compiler.
 */
export function makeClocks(folder: string, baseNs: bigint): ClockMaker | { readonly missing: string } {
  const library = join(folder, 'skewed-clock.so');
  const args = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, SOURCE, '-ldl', '-lm'];
  const { status, stderr, error } = spawnSync('gcc', args, { encoding: 'utf8' });
  if (error !== undefined) return { missing: 'there is no gcc, which makes clocks that differ' };
  if (status !== 0) throw new Error(`skewed-clock.c does not compile: ${stderr}`);
  const hasOffsets = canOffset();
  return {
    ...(!hasOffsets && { withoutOffsets: 'this user may not make time namespaces: clocks differ in rate only' }),
    wrap({ offsetS, ppm, wanderPpm, seed }, command) {
      const shiftS = hasOffsets ? offsetS : 0;
      const shiftNs = BigInt(shiftS) * 1_000_000_000n;
      return {
        command: shiftS === 0 ? command : ['unshare', '--time', '--monotonic', String(shiftS), '--', ...command],
        env: {
          LD_PRELOAD: library,
          SKEWED_CLOCK_PPM: String(ppm),
          SKEWED_CLOCK_WANDER: String(wanderPpm),
          SKEWED_CLOCK_SEED: String(seed),
          SKEWED_CLOCK_BASE: String(baseNs + shiftNs),
          // The card lives in the host's time.
          TUTTI_CARD_CLOCK_OFFSET_NS: String(shiftNs),
        },
      };
    },
  };
}

/** True where a time namespace can be made, and a program finds itself in it at once: kernels before 6.0 put only its children there. */
function canOffset(): boolean {
  const shiftS = 1e9;
  const args = ['--time', '--monotonic', String(shiftS), '--', process.execPath, '-p', 'process.hrtime()[0]'];
  return Number(spawnSync('unshare', args, { encoding: 'utf8' }).stdout) > shiftS;
}
