/**
 * How sound leaves this node: from the configuration to what the player's thread is started with.
 *
 * Here `output.driver = "auto"` is decided, once for the life of the process: alsa where alsa-lib and a sound card are there, or a device is
 * named, else none. A card that is plugged in later is found by the driver alsa, which looks for it at each opening.
 */
import type { Config } from '../config/config.js';
import { loadAlsa } from '../io/alsa/alsa-library.js';
import { playbackDevices } from '../io/alsa/proc-cards.js';
import { type ProcFiles, procFiles } from '../io/alsa/proc-files.js';
import type { OutputSetup } from '../player/threads.js';
import type { Log } from '../ports/log.js';

/** What the decision goes by. */
export interface OutputSetupComponents {
  readonly log: Log;
  readonly proc?: ProcFiles;
  /** Why alsa-lib cannot be called; undefined where it can. */
  readonly missing?: () => string | undefined;
}

/** The player's part of `output`, with no driver "auto" in it. */
export function outputSetup(components: OutputSetupComponents, output: Config['output']): OutputSetup {
  const { idleCloseS, queueMs, mixer, virtual } = output;
  const driver = output.driver === 'auto' ? autoDriver(components, output.device) : output.driver;
  return {
    driver,
    device: deviceFor(driver, output.device),
    idleCloseS,
    queueMs,
    mixer,
    virtual: { ppm: virtual.ppm, capture: virtual.capture ?? '', captureTimes: virtual.captureTimes ?? '' },
  };
}

function autoDriver(components: OutputSetupComponents, device: string): 'alsa' | 'none' {
  const { log, proc = procFiles, missing = () => loadAlsa().missing } = components;
  const why = missing() ?? (device === 'auto' && playbackDevices(proc).length === 0 ? NO_CARD : undefined);
  if (why !== undefined) log.warn('This node finds no sound card: it is silent.', { driver: 'none', why });
  return why === undefined ? 'alsa' : 'none';
}

const NO_CARD = '/proc/asound lists no card that plays; output.driver = "alsa" waits for one';

/** What the node says of its device. Those of alsa are looked up at each opening; the other drivers have one. */
function deviceFor(driver: OutputSetup['driver'], device: string): string {
  if (driver === 'virtual') return 'virtual';
  return driver === 'none' && device === 'auto' ? '' : device;
}
