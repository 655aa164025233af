/**
 * ChosenOutput: the sound card that the configuration means.
 *
 * Which one that is, is decided at each opening: a USB card may be there only now, or under another name than before. "auto" may stand for
 * several cards of a kind, of which the first that opens is taken. Once it is open its mixer is set for playing.
 */
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import {
  ABSENT,
  type AudioOutput,
  isOfAbsence,
  type OutputFormat,
  type OutputRequest,
  type OutputStatus,
} from '../../ports/audio-output.js';
import type { Log } from '../../ports/log.js';
import type { AlsaLoading } from './alsa-library.js';
import { devicesForAuto } from './device-choice.js';
import { Mixers, mixerOf } from './mixer.js';
import { playbackDevices } from './proc-cards.js';
import type { ProcFiles } from './proc-files.js';

/** What the choice is made and carried out with. */
export interface ChosenOutputComponents {
  readonly log: Log;
  readonly proc: ProcFiles;
  readonly alsa: AlsaLoading;
  /** The adapter for what ALSA calls `device`. */
  readonly output: (device: string) => AudioOutput;
}

/** From the configuration. */
export interface ChosenOutputInit {
  /** "auto", or what ALSA calls the device. */
  readonly device: string;
  readonly mixer: 'unmute' | 'keep';
}

/** One card at a time, by whatever name it has at the moment. */
export class ChosenOutput implements AudioOutput {
  readonly #components: ChosenOutputComponents;
  readonly #init: ChosenOutputInit;
  readonly #mixers: Mixers | undefined;
  /** By device. They are kept, because an attempt every few seconds for days must not leave anything behind. */
  readonly #outputs = new Map<string, AudioOutput>();
  #device: string;
  #output: AudioOutput | undefined;

  constructor(components: ChosenOutputComponents, init: ChosenOutputInit) {
    this.#components = components;
    this.#init = init;
    const { alsa } = components.alsa;
    if (init.mixer === 'unmute' && alsa !== undefined) this.#mixers = new Mixers({ alsa });
    this.#device = init.device;
  }

  /** What the choice fell on last; before that, what the configuration says. */
  get device(): string {
    return this.#device;
  }

  open(request: OutputRequest): OutputFormat {
    assert(this.#output === undefined, 'a card is opened once until it is closed');
    const refusals: TuttiError[] = [];
    for (const device of this.#candidates()) {
      const output = this.#outputFor(device);
      try {
        const format = output.open(request);
        this.#output = output;
        this.#device = device;
        this.#unmute(device);
        return format;
      } catch (error) {
        if (!(error instanceof TuttiError)) throw error;
        refusals.push(error);
      }
    }
    const detail = refusals.length === 0 ? NO_CARD : refusals.map((refusal) => refusal.detail).join(' ');
    throw new TuttiError('OUTPUT_UNAVAILABLE', detail, refusals.every(isOfAbsence) ? ABSENT : {});
  }

  write(samples: Int32Array, frameCount: number): number {
    return this.#opened().write(samples, frameCount);
  }

  status(): OutputStatus {
    return this.#opened().status();
  }

  recover(): void {
    this.#opened().recover();
  }

  close(): void {
    this.#output?.close();
    this.#output = undefined;
  }

  #candidates(): readonly string[] {
    const { device } = this.#init;
    return device === 'auto' ? devicesForAuto(playbackDevices(this.#components.proc)) : [device];
  }

  #outputFor(device: string): AudioOutput {
    const output = this.#outputs.get(device) ?? this.#components.output(device);
    this.#outputs.set(device, output);
    return output;
  }

  #opened(): AudioOutput {
    assert(this.#output !== undefined, 'the card is open');
    return this.#output;
  }

  #unmute(device: string): void {
    if (this.#mixers === undefined) return;
    const { log } = this.#components;
    const mixer = mixerOf(device);
    const settings = this.#mixers.unmute(mixer);
    if (typeof settings === 'string') log.debug('The sound card has no mixer.', { mixer, why: settings });
    else log.info('The mixer of the sound card is set for playing.', { mixer, settings });
  }
}

const NO_CARD = 'There is no sound card: plug one in, or name one of another kind in output.device.';
