/** Starts the hash worker's thread. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { programFile } from '../program-files.js';
import type { StorePort } from '../tracks/track-client.js';

/** Largest heap, so that a leak ends the thread and not the whole machine. It gets by with a few; pieces of files are not on it. MB. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** The thread that keeps the track files and looks after the inbox, running: a TrackClient at `port` talks to it. */
export interface IntakeThread {
  readonly port: StorePort;
  /** An InboxClient at this one hears of what is copied in. */
  readonly inbox: StorePort;
  /** Idempotent: ends the thread, whatever it is at. */
  end(): Promise<void>;
}

/** What it works on. */
export interface IntakeThreadInit {
  readonly dataDir: string;
  /** The folder into which people copy music. */
  readonly inboxDir: string;
  /** How many commits the log has under way: see log-pace.ts. */
  readonly commits: SharedArrayBuffer;
}

/** What the thread is told when it starts. */
export interface IntakeThreadSetup extends IntakeThreadInit {
  readonly inbox: MessagePort;
}

/** @param died called once where the thread ends that was not told to: nothing can be taken in any more */
export function spawnIntake(init: IntakeThreadInit, died: (error: Error) => void): IntakeThread {
  const { port1, port2 } = new MessageChannel();
  const setup: IntakeThreadSetup = { ...init, inbox: port2 };
  const worker = new Worker(programFile('intake'), {
    workerData: setup,
    transferList: [port2],
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
    inbox: port1,
    end: async () => {
      ending = true;
      port1.close();
      await worker.terminate();
    },
  };
}
