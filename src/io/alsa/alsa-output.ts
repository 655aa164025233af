/**
 * AlsaOutput: a sound card through ALSA.
 *
 * What was agreed with the card is in pcm-setup.ts, how its position is read in pcm-reader.ts, how samples are packed in
 * sample-packer.ts. This file is the card's life: opened, started by its first frame, out of breath, gone, closed. Nothing here waits:
 * the pcm is in non-blocking mode, and a write takes what fits.
 *
 * Instants are CLOCK_MONOTONIC_RAW on both sides: the Time port's, and the stamps of the card.
 */
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import {
  ABSENT,
  type AudioOutput,
  type OutputFormat,
  type OutputRequest,
  type OutputStatus,
} from '../../ports/audio-output.js';
import type { Time } from '../../ports/time.js';
import type { MemoryLock } from '../libc/realtime.js';
import { type AlsaLibrary, type AlsaLoading, loadAlsa } from './alsa-library.js';
import { bindPcmCalls, ERROR, type PcmCalls } from './pcm-calls.js';
import { PcmReader, type PcmReading } from './pcm-reader.js';
import { type PcmSetup, setUpPcm } from './pcm-setup.js';
import { PositionCheck } from './position-check.js';
import { SamplePacker } from './sample-packer.js';

/** A reading that took longer says little about where the card was: it is not held against it. Nanoseconds. */
const CREDIBLE_NS_MAX = 500_000;
/**
 * A card counts the frames that have begun to leave, in whole numbers. So in what it says is left the frame that is on its way out is
 * missing: between nothing and one frame, half of one on average. Before the first frame has begun, nothing is missing.
 */
const FRAME_UNDER_WAY = 0.5;

/** What an open card consists of. */
interface OpenPcm {
  readonly setup: PcmSetup;
  readonly reader: PcmReader;
  readonly packer: SamplePacker;
  readonly check: PositionCheck;
}

/** What the card is played by: the clock, and alsa-lib where it is not to be loaded from the system. */
export interface AlsaOutputComponents {
  readonly time: Pick<Time, 'now'>;
  readonly alsa?: AlsaLoading;
  /** Keeps what is written to the card from being paged out; absent where it need not be. */
  readonly memory?: Pick<MemoryLock, 'lock'>;
}

/** The card that ALSA calls `device`: `hw:CARD=NAME,DEV=0`, `plughw:...`, `default`, or any name of asound.conf. */
export class AlsaOutput implements AudioOutput {
  readonly #time: Pick<Time, 'now'>;
  readonly #device: string;
  readonly #memory: AlsaOutputComponents['memory'];
  #alsa: AlsaLoading | undefined;
  #calls: PcmCalls | undefined;
  #pcm: OpenPcm | undefined;
  #state: OutputStatus['state'] = 'running';
  /** Why it is `lost`. */
  #reason = '';
  /** Frames since the card was opened or recovered. */
  #written = 0;

  constructor(components: AlsaOutputComponents, init: { readonly device: string }) {
    this.#time = components.time;
    this.#alsa = components.alsa;
    this.#memory = components.memory;
    this.#device = init.device;
  }

  /** What was agreed with the card, while it is open: for people who look into it. */
  get setup(): PcmSetup | undefined {
    return this.#pcm?.setup;
  }

  open(request: OutputRequest): OutputFormat {
    assert(this.#pcm === undefined, 'a card is opened once until it is closed');
    const { alsa, calls } = this.#library();
    const setup = setUpPcm({ calls, textOf: alsa.textOf }, { device: this.#device, request });
    if ('refusal' in setup) throw new TuttiError('OUTPUT_UNAVAILABLE', setup.refusal, setup.isAbsent ? ABSENT : {});
    const { format, bits, rate, channels, bufferFrames, periodFrames } = setup;
    const packer = new SamplePacker({ format, bits, samples: bufferFrames * channels });
    this.#memory?.lock(packer.memory);
    const reader = new PcmReader({ calls, time: this.#time }, setup);
    this.#pcm = { setup, reader, packer, check: new PositionCheck({ rate }) };
    this.#begin();
    return { rate, channels, bits, bufferFrames, periodFrames };
  }

  write(samples: Int32Array, frameCount: number): number {
    const { setup, packer } = this.#opened();
    assert(samples.length >= frameCount * setup.channels, 'the samples hold the frames that are said to be there');
    if (this.#state !== 'running') return 0;
    this.#memory?.lock(samples.buffer);
    const frames = Math.min(frameCount, setup.bufferFrames);
    if (frames === 0) return 0;
    const calls = this.#calls!;
    const packed = packer.pack(samples, frames * setup.channels);
    let taken = calls.writei(setup.handle, packed, frames);
    if (taken === ERROR.again) {
      // alsa-lib refuses a write that does not fit where there is room for less than a period. What does fit, it takes.
      const room = calls.availUpdate(setup.handle);
      taken = room > 0 ? calls.writei(setup.handle, packed, Math.min(room, frames)) : room;
    }
    if (taken >= 0) this.#written += taken;
    else if (taken !== ERROR.again && taken !== ERROR.interrupted) this.#failed(taken);
    return Math.max(taken, 0);
  }

  status(): OutputStatus {
    const pcm = this.#opened();
    if (this.#state === 'lost') return this.#standing();
    const reading = pcm.reader.read();
    if (reading.result < 0) this.#failed(reading.result);
    else this.#follow(pcm, reading);
    if (this.#state !== 'running') return this.#standing();
    const { delayFrames } = reading;
    return {
      state: 'running',
      delayFrames: delayFrames < this.#written ? delayFrames + FRAME_UNDER_WAY : this.#written,
      at: reading.at,
      uncertaintyNs: reading.tookNs,
      writableFrames: reading.writableFrames,
    };
  }

  recover(): void {
    const { setup } = this.#opened();
    if (this.#state === 'lost') return;
    const calls = this.#calls!;
    // For a machine that was asleep; a driver that cannot go on where it was says so, and is prepared like any other.
    calls.resume(setup.handle);
    calls.drop(setup.handle);
    const result = calls.prepare(setup.handle);
    if (result < 0) this.#failed(result);
    else this.#begin();
  }

  close(): void {
    if (this.#pcm === undefined) return;
    const { handle } = this.#pcm.setup;
    this.#pcm = undefined;
    this.#calls!.drop(handle);
    this.#calls!.close(handle);
  }

  /** @throws TuttiError OUTPUT_UNAVAILABLE with what is to be installed */
  #library(): { readonly alsa: AlsaLibrary; readonly calls: PcmCalls } {
    this.#alsa ??= loadAlsa();
    if (this.#alsa.missing !== undefined) throw new TuttiError('OUTPUT_UNAVAILABLE', this.#alsa.missing);
    const { alsa } = this.#alsa;
    try {
      this.#calls ??= bindPcmCalls(alsa);
      return { alsa, calls: this.#calls };
    } catch (cause) {
      throw new TuttiError('OUTPUT_UNAVAILABLE', 'The alsa-lib of this machine is older than 1.0.29.', {}, cause);
    }
  }

  #opened(): OpenPcm {
    assert(this.#pcm !== undefined, 'the card is open');
    return this.#pcm;
  }

  /** The queue is empty, and the next frame starts the card. */
  #begin(): void {
    this.#state = 'running';
    this.#written = 0;
    this.#pcm!.check.reset();
  }

  /** A call gave `result`, below 0. */
  #failed(result: number): void {
    if (result === ERROR.xrun || result === ERROR.suspended) this.#state = 'underrun';
    else
      this.#lose(result === ERROR.noDevice ? 'The card is gone.' : `ALSA says: ${this.#alsa!.alsa!.textOf(result)}.`);
  }

  /** Takes over what a reading says about how the card is. */
  #follow({ setup, check }: OpenPcm, { state, delayFrames, at, tookNs }: PcmReading): void {
    if (state === 'xrun' || state === 'suspended') {
      this.#state = 'underrun';
    } else if (state === 'disconnected') {
      this.#failed(ERROR.noDevice);
    } else if (state === 'running') {
      const lie = tookNs <= CREDIBLE_NS_MAX ? check.watch(at, this.#written - delayFrames) : undefined;
      if (lie !== undefined) this.#lose(lie);
    } else if (state !== 'prepared') {
      this.#lose(`${setup.name} was stopped by somebody else: it is in state "${state}".`);
    }
  }

  #lose(reason: string): void {
    this.#state = 'lost';
    this.#reason = reason;
  }

  /** The status of a card that does not play. */
  #standing(): OutputStatus {
    const status = { state: this.#state, delayFrames: 0, at: this.#time.now(), writableFrames: 0 };
    return this.#state === 'lost' ? { ...status, reason: this.#reason } : status;
  }
}
