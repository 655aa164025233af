/**
 * Starts the player's and the reader's threads and connects them.
 *
 * The player talks to the reader over a channel of their own: requests for sound never wait for the main thread. The reader ends when
 * that channel closes, so it needs no orders of its own.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { FromPlayer, FromReader, SpawnPlayerThreads } from '../player/threads.js';
import type { Time } from '../ports/time.js';
import { programFile } from '../program-files.js';
import { firstMessage } from './first-message.js';

/**
 * Largest heaps of the two threads, so that a leak ends one of them instead of the whole node. Both get by with a few MB; rings of
 * samples are not on the heap. MB.
 */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 };

/** The {@link SpawnPlayerThreads} of real worker threads; `time` is the main thread's. */
export const spawnPlayerThreads =
  (time: Time): SpawnPlayerThreads =>
  async (setup, handlers) => {
    const { port1, port2 } = new MessageChannel();
    const start = (name: 'player' | 'reader', workerData: object, port: typeof port1) =>
      new Worker(programFile(name), {
        workerData,
        transferList: [port],
        resourceLimits: RESOURCE_LIMITS,
        // Whatever loader or inspector the main thread was started with has no room in so small a heap.
        execArgv: [],
      });
    const reader = start('reader', { dataDir: setup.dataDir, requests: port2 }, port2);
    const player = start('player', { setup, reader: port1 }, port1);

    let ending = false;
    let dead = false;
    const died = (error: Error) => {
      if (ending || dead) return;
      dead = true;
      handlers.died(error);
      void Promise.all([player.terminate(), reader.terminate()]);
    };
    const watch = (worker: Worker, name: string) => {
      worker.on('error', died);
      return new Promise<void>((resolve) => {
        worker.once('exit', (code) => {
          died(new Error(`the ${name}'s thread ended with code ${code}`));
          resolve();
        });
      });
    };
    const ended = Promise.all([watch(player, 'player'), watch(reader, 'reader')]);
    player.on('message', (message: FromPlayer) => handlers.message(message));
    reader.on('message', (message: FromReader) => {
      if (message.type === 'wanted') handlers.wanted(message.chunk);
    });
    await Promise.race([Promise.all([firstMessage(player), firstMessage(reader)]), ended]);

    return {
      send: (message) => player.postMessage(message),
      end: async (graceMs) => {
        ending = true;
        const terminate = () => void Promise.all([player.terminate(), reader.terminate()]);
        const timer = time.after('player.end', graceMs, terminate);
        await ended;
        timer.cancel();
      },
    };
  };
