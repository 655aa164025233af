/** Which driver is which adapter: the one place that knows. */
import { TuttiError } from '../core/errors.js';
import { loadAlsa } from '../io/alsa/alsa-library.js';
import { AlsaOutput } from '../io/alsa/alsa-output.js';
import { ChosenOutput } from '../io/alsa/chosen-output.js';
import { procFiles } from '../io/alsa/proc-files.js';
import type { MemoryLock } from '../io/libc/realtime.js';
import { SpeakerOutput } from '../io/speaker/speaker-output.js';
import { CaptureTimes } from '../io/virtual/capture-times.js';
import { type Capture, VirtualOutput } from '../io/virtual/virtual-output.js';
import { WavCapture } from '../io/virtual/wav-capture.js';
import type { OutputSetup } from '../player/threads.js';
import type { AudioOutput } from '../ports/audio-output.js';
import type { Log } from '../ports/log.js';
import type { Time } from '../ports/time.js';

/** What adapters are made with. */
export interface OutputComponents {
  readonly time: Time;
  readonly log: Log;
  /** Locks what is written to a real card; absent where nothing is to be locked. */
  readonly memory?: MemoryLock;
}

/** An adapter, and what the device is called at the moment. */
export interface ChosenAdapter {
  readonly output: AudioOutput;
  readonly device: () => string;
}

/** The adapter for `setup`. Never throws: what cannot be had shows when it is opened. */
export function outputFor(components: OutputComponents, setup: OutputSetup): ChosenAdapter {
  const { time, log, memory } = components;
  const { driver, device, mixer = 'keep', virtual } = setup;
  switch (driver) {
    case 'alsa': {
      const alsa = loadAlsa();
      const adapter = (name: string) => new AlsaOutput({ time, alsa, ...(memory && { memory }) }, { device: name });
      const chosen = new ChosenOutput({ log, alsa, proc: procFiles, output: adapter }, { device, mixer });
      return { output: chosen, device: () => chosen.device };
    }
    case 'speaker':
      return { output: new SpeakerOutput({ time }, { device }), device: () => device };
    case 'virtual': {
      const { ppm, capture: sound, captureTimes: times = '' } = virtual;
      const captures = [
        ...(sound === '' ? [] : [new WavCapture({ log }, { path: sound })]),
        ...(times === '' ? [] : [new CaptureTimes({ log }, { path: times })]),
      ];
      const capture = captures.length === 0 ? {} : { capture: together(captures) };
      return { output: new VirtualOutput({ time, ...capture }, { ppm }), device: () => device };
    }
    default:
      return { output: noOutput(driver), device: () => device };
  }
}

const together = (captures: readonly Capture[]): Capture => ({
  begin(format) {
    for (const capture of captures) capture.begin(format);
  },
  add(samples, start, count, at) {
    for (const capture of captures) capture.add(samples, start, count, at);
  },
  end() {
    for (const capture of captures) capture.end();
  },
});

/** A node without a card has no player's thread; should there be one all the same, it says so and goes on. */
function noOutput(driver: string): AudioOutput {
  const refuse = (): never => {
    throw new TuttiError('OUTPUT_UNAVAILABLE', `output.driver is "${driver}": there is no sound card to open.`);
  };
  return { open: refuse, write: refuse, status: refuse, recover: refuse, close: () => {} };
}
