/** Pool: simulations on several processor cores, in processes of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { SeedName, SeedResult } from './run-seed.js';

/** How a run of many goes. */
export interface PoolInit {
  /** Processes at once. */
  readonly jobs: number;
  /** The worker's file: another tree's where a mutant is tried. */
  readonly worker?: URL;
  /** The next simulation; null where there is none left. */
  next(): SeedName | null;
  /** One has ended; false where it is enough. */
  ended(result: SeedResult): boolean;
}

/** A simulation that takes more processor time than this runs in a circle: others take a second or two. Milliseconds. */
const SEED_CPU_MS_MAX = 60_000;
/** How often that is looked at, milliseconds. */
const LOOK_MS = 2_000;
/** What the kernel counts processor time in, per second (proc(5), sysconf(_SC_CLK_TCK)): 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;
/** Complains where code under test ends the whole process, or never gives it back. */
const ENDS = 'no broken invariant';

/** What is said of a simulation that did not come to an end. */
const brokenOff = (name: SeedName, text: string): SeedResult => ({
  name,
  violation: { checker: ENDS, text, atMs: 0 },
  simulatedMs: 0,
  cpuMs: 0,
  faults: {},
  writes: 0,
  reads: 0,
  retries: 0,
  unanswered: 0,
  uploads: 0,
  heard: 0,
  slots: 0,
  terms: 0,
  restores: 0,
  stoppedLoudly: false,
});

/** Runs what `next` names until it names no more, or it is enough. */
export async function runAll({ jobs, worker, next, ended }: PoolInit): Promise<void> {
  const file = worker ?? new URL('./worker.js', import.meta.url);
  const children = new Set<ChildProcess>();
  let isEnough = false;
  const report = (result: SeedResult): void => {
    if (isEnough || ended(result)) return;
    isEnough = true;
    for (const child of children) child.kill();
  };
  /** One process after another, each until there is nothing left to do, or a simulation ended it. */
  const runInTurn = async (): Promise<void> => {
    let name = next();
    while (name !== null && !isEnough) name = await runIn(newChild(file, children), { first: name, next, report });
  };
  await Promise.all(Array.from({ length: jobs }, runInTurn));
}

function newChild(file: URL, children: Set<ChildProcess>): ChildProcess {
  // A young generation that holds most of one simulation's garbage saves a tenth of the time.
  const child = fork(file, { execArgv: ['--enable-source-maps', '--max-semi-space-size=64'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Processor time that a process has used, milliseconds; 0 where it is gone. Fields 14 and 15 of its stat (proc(5)), behind its name in brackets. */
function cpuMsOf({ pid }: ChildProcess): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_S;
  } catch {
    return 0;
  }
}

/** Gives simulations to a process; resolves with the next one where the process is gone, with null where none is left. */
function runIn(
  child: ChildProcess,
  init: {
    readonly first: SeedName;
    readonly next: () => SeedName | null;
    readonly report: (result: SeedResult) => void;
  },
): Promise<SeedName | null> {
  return new Promise((resolve) => {
    let running: SeedName | null = null;
    let timer: NodeJS.Timeout | undefined;
    const give = (name: SeedName | null): void => {
      running = name;
      clearInterval(timer);
      if (name === null) {
        if (child.connected) child.disconnect();
        return;
      }
      // Not by the clock on the wall: what the machine does besides is no fault of the simulation.
      const startedAtMs = cpuMsOf(child);
      timer = setInterval(() => {
        if (cpuMsOf(child) - startedAtMs > SEED_CPU_MS_MAX) child.kill('SIGKILL');
      }, LOOK_MS);
      child.send(name, () => {});
    };
    child.on('message', (result: SeedResult) => {
      init.report(result);
      give(init.next());
    });
    child.once('exit', (code, signal) => {
      clearInterval(timer);
      if (running !== null) init.report(brokenOff(running, `its process ended (${signal ?? `exit status ${code}`})`));
      resolve(running === null ? null : init.next());
    });
    give(init.first);
  });
}
