/**
 * The player's thread: owns the sound card, touches no disk of music. Ends by itself once it was told to stop and has faded out.
 *
 * A thread that plays to a real card runs under real-time priority, and what it reads sound from and writes it to is kept in memory,
 * where the system allows that.
 */
import { isDeepStrictEqual } from 'node:util';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { loadLibc } from '../io/libc/libc.js';
import { MemoryLock, raiseThisThread } from '../io/libc/realtime.js';
import { SystemTime } from '../io/time/system-time.js';
import type { ReaderRequest } from '../player/deck.js';
import { PlayerLoop, type PlayerStatus } from '../player/loop.js';
import type { FromPlayer, PlayerSetup, ToPlayer } from '../player/threads.js';
import { forwardingLog } from './forwarding-log.js';
import { outputFor } from './outputs.js';

/** How often it is looked whether the main thread has something new to hear. Milliseconds; what it asked for is looked at at once. */
const STATUS_EVERY_MS = 500;

const { setup, reader } = workerData as { readonly setup: PlayerSetup; readonly reader: MessagePort };
const owner = parentPort!;
const time = new SystemTime();

const tell = (message: FromPlayer) => owner.postMessage(message);

const log = forwardingLog(tell);
const libc = loadLibc();
const { driver, idleCloseS, queueMs } = setup.output;
const isRealtime = driver === 'alsa';
const memory = isRealtime ? new MemoryLock({ libc, log }) : undefined;
const { output, device } = outputFor({ time, log, ...(memory && { memory }) }, setup.output);

/** The rings come into being as programs ask for them, and pass by here. */
function send(request: ReaderRequest): void {
  if (request.type === 'fill') {
    memory?.lock(request.memory.ring);
    memory?.lock(request.memory.control);
  }
  reader.postMessage(request);
}

const loop = new PlayerLoop({ output, time, log, send }, { driver, device: device(), idleCloseS, queueMs, seed: 1 });
let told: PlayerStatus | undefined;
/** Tells how it goes, unless all is as it was told. */
function tellStatus(): void {
  const status = { ...loop.status(), device: device() };
  if (isDeepStrictEqual(status, told)) return;
  told = status;
  tell({ type: 'status', status });
}
const pulse = new Int32Array(setup.pulse);
const status = time.every('player.status', STATUS_EVERY_MS, () => {
  Atomics.add(pulse, 0, 1);
  tellStatus();
});

owner.on('message', (message: ToPlayer) => {
  switch (message.type) {
    case 'program':
      loop.setProgram(message.program);
      tellStatus();
      break;
    case 'clock':
      loop.setClock(message.line, message.mayStart);
      break;
    case 'stop':
      loop.stop(() => {
        status.cancel();
        reader.close();
        owner.close();
      });
      break;
  }
});
reader.on('message', (tookMs: number) => loop.noteFetch(tookMs));
// Last of all: what was loaded and compiled on the way need not go before everybody else.
if (isRealtime) raiseThisThread({ libc, log });
loop.start();
tellStatus();
