/** Starts the clock's thread. */
import { type MessagePort, Worker } from 'node:worker_threads';
import type { BootId, NodeId } from '../core/ids.js';
import type { Log } from '../ports/log.js';
import type { PeerClocks } from '../ports/peer-clocks.js';
import { programFile } from '../program-files.js';
import { ClockThread } from '../timekeeping/clock-thread.js';
import { firstMessage } from './first-message.js';

/** Largest heap, so that a leak ends the thread and not the whole machine. It gets by with two or three. MB. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 };

/** What the thread is told when it starts. */
export interface ClockThreadSetup {
  readonly node: NodeId;
  /** This start of the process. */
  readonly boot: BootId;
  /** The cluster's key, 32 bytes. */
  readonly key: Uint8Array;
  /** Where its UDP socket is bound: the peers' port, on UDP. */
  readonly listen: { readonly host: string; readonly port: number };
  /** By which the leader's lamp is ordered: see io/gpio/lease-lamp.ts. Undefined where there is no lamp. */
  readonly lamp?: MessagePort | undefined;
}

/**
 * The clocks of other nodes, measured on a thread of its own, which ends with `stop`, and with the process.
 * @param components `died` is called once where the thread ends unasked: no line is renewed any more
 */
export function spawnClock(
  init: ClockThreadSetup,
  components: { readonly log: Log; readonly died: (error: Error) => void },
): PeerClocks {
  const { log, died } = components;
  const worker = new Worker(programFile('clock'), {
    workerData: init,
    transferList: init.lamp === undefined ? [] : [init.lamp],
    resourceLimits: RESOURCE_LIMITS,
    // As for the player's threads (spawn.ts): no loader of the main thread's in so small a heap.
    execArgv: [],
  });
  const listens = firstMessage(worker);
  const thread = new ClockThread({
    port: worker,
    log,
    died,
    end: async () => {
      // Ended while it loads koffi, a thread takes the whole process with it (napi_throw is fatal there: node-addon-api, pull request 902).
      await listens;
      await worker.terminate();
    },
  });
  worker.once('error', (error) => thread.died(error));
  worker.once('exit', (code) => thread.died(new Error(`the clock's thread ended with code ${code}`)));
  return thread;
}
