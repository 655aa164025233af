/** Pool: simulations on several processor cores, in processes of their own. */
import { type ChildProcess, fork } from 'node:child_process';
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

/** Runs what `next` names until it names no more. Rejects where a worker ends. */
export async function runAll({ jobs, worker, next, ended }: PoolInit): Promise<void> {
  const file = worker ?? new URL('./worker.js', import.meta.url);
  const children: ChildProcess[] = [];
  let isEnough = false;
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(file, {
        // A young generation that holds most of one simulation's garbage saves a tenth of the time.
        execArgv: ['--enable-source-maps', '--max-semi-space-size=64'],
      });
      children.push(child);
      const give = () => {
        const name = isEnough ? null : next();
        if (name === null) {
          child.disconnect();
          resolve();
        } else child.send(name);
      };
      child.on('message', (result: SeedResult) => {
        if (!isEnough && !ended(result)) {
          isEnough = true;
          for (const other of children) if (other !== child) other.kill();
        }
        give();
      });
      child.on('exit', (code) =>
        isEnough || code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`)),
      );
      give();
    });
  await Promise.all(Array.from({ length: jobs }, runOne));
}
