/** Starts the hash worker's thread. */
import { Worker } from 'node:worker_threads';
import { programFile } from '../program-files.js';
import type { StorePort } from '../tracks/track-client.js';

/** Largest heap, so that a leak ends the thread and not the whole machine. It gets by with a few; pieces of files are not on it. MB. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** The thread that keeps the track files, running: a TrackClient at `port` talks to it. */
export interface IntakeThread {
  readonly port: StorePort;
  /** Idempotent: ends the thread, whatever it is at. */
  end(): Promise<void>;
}

/** What the thread is told when it starts. */
export interface IntakeThreadSetup {
  readonly dataDir: string;
  /** How many commits the log has under way: see log-pace.ts. */
  readonly commits: SharedArrayBuffer;
}

/** @param died called once where the thread ends that was not told to: nothing can be taken in any more */
export function spawnIntake(setup: IntakeThreadSetup, died: (error: Error) => void): IntakeThread {
  const worker = new Worker(new URL('./intake.js', import.meta.url), {
    workerData: setup,
    resourceLimits: RESOURCE_LIMITS,
    // As for the player's threads (spawn.ts): no loader of the main thread's in so small a heap.
    execArgv: [],
  });
  let ending = false;
  worker.once('error', (error) => {
    ending = true;
    died(error);
  });
  worker.once('exit', (code) => {
    if (!ending) died(new Error(`the hash worker's thread ended with code ${code}`));
  });
  return {
    port: worker,
    end: async () => {
      ending = true;
      await worker.terminate();
    },
  };
}
