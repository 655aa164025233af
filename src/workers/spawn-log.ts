/** Starts the log's thread. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { programFile } from '../program-files.js';
import { FLAG_BYTES, LogThread } from '../replication/log-thread.js';
import type { StoreLimits } from '../storage/limits.js';

/**
 * Largest heap, so that a leak ends the thread and not the whole machine. What it needs most for is a snapshot, which is not on the heap.
 * MB.
 */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

/** What a test changes. */
export interface LogThreadTuning {
  /** Sizes of a store that is made: those of a real node where they are left out. */
  readonly limits?: StoreLimits;
}

/** What the thread is told when it starts. */
export interface LogThreadSetup extends LogThreadTuning {
  readonly dataDir: string;
  readonly port: MessagePort;
  readonly flag: SharedArrayBuffer;
}

/**
 * A thread for the store in the folder `consensus` below `dataDir`. It ends when the store is closed, and with the process.
 * @param died called once where the thread ends that was not told to, unless the store was open: then its `failed` is
 */
export function spawnLog(dataDir: string, died: (error: Error) => void, tuning: LogThreadTuning = {}): LogThread {
  const { port1, port2 } = new MessageChannel();
  const flag = new SharedArrayBuffer(FLAG_BYTES);
  const setup: LogThreadSetup = { ...tuning, dataDir, port: port2, flag };
  const worker = new Worker(programFile('log'), {
    workerData: setup,
    transferList: [port2],
    resourceLimits: RESOURCE_LIMITS,
    // As for the player's threads (spawn.ts): no loader of the main thread's in so small a heap.
    execArgv: [],
  });
  const thread = new LogThread({
    port: port1,
    flag,
    died,
    end: async () => {
      port1.close();
      await worker.terminate();
    },
  });
  worker.once('error', (error) => thread.died(error));
  worker.once('exit', (code) => thread.died(new Error(`the log's thread ended with code ${code}`)));
  return thread;
}
