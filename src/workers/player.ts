/** The player's thread: owns the sound card, touches no disk of music. Ends by itself once it was told to stop and has faded out. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { TuttiError } from '../core/errors.js';
import { SystemTime } from '../io/time/system-time.js';
import { VirtualOutput } from '../io/virtual/virtual-output.js';
import { WavCapture } from '../io/virtual/wav-capture.js';
import { PlayerLoop } from '../player/loop.js';
import type { FromPlayer, OutputSetup, PlayerSetup, ToPlayer } from '../player/threads.js';
import type { AudioOutput } from '../ports/audio-output.js';
import type { Log, LogFields, LogLevel } from '../ports/log.js';

/** How often the main thread hears how it goes. Milliseconds. */
const STATUS_EVERY_MS = 200;

const { setup, reader } = workerData as { readonly setup: PlayerSetup; readonly reader: MessagePort };
const owner = parentPort!;
const time = new SystemTime();

const tell = (message: FromPlayer) => owner.postMessage(message);

/** A Log whose lines the main thread writes. */
function forwardingLog(): Log {
  const line = (level: LogLevel) => (text: string | (() => string), fields?: LogFields) =>
    tell({ type: 'log', level, text: typeof text === 'string' ? text : text(), ...(fields && { fields }) });
  return {
    debug: () => {},
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: () => forwardingLog(),
  };
}

const log = forwardingLog();

/** The one place that knows which driver is which adapter. @throws TuttiError OUTPUT_UNAVAILABLE */
function outputOf({ driver, virtual }: OutputSetup): AudioOutput {
  if (driver !== 'virtual')
    throw new TuttiError('OUTPUT_UNAVAILABLE', `There is no driver "${driver}" in this version yet.`);
  const capture = virtual.capture === '' ? undefined : new WavCapture({ log }, { path: virtual.capture });
  return new VirtualOutput({ time, ...(capture && { capture }) }, { ppm: virtual.ppm });
}

const { driver, device, idleCloseS, queueMs } = setup.output;
const loop = new PlayerLoop(
  { output: outputOf(setup.output), time, log, send: (request) => reader.postMessage(request) },
  { driver, device, idleCloseS, queueMs, seed: 1 },
);
const tellStatus = () => tell({ type: 'status', status: loop.status() });
const status = time.every('player.status', STATUS_EVERY_MS, tellStatus);

owner.on('message', (message: ToPlayer) => {
  switch (message.type) {
    case 'program':
      loop.setProgram(message.program);
      break;
    case 'clock':
      loop.setClock(message.line);
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
loop.start();
tellStatus();
