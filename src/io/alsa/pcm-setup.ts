/**
 * Agreeing with a card on how to play: format, channels, rate, queue.
 *
 * A card is asked by the name that was given and must take what we have as it is; a plug in that name is told not to convert, so that it
 * shows what the card behind it takes. Only where that finds nothing, the card is asked through a plug that may convert samples and mix
 * channels. alsa-lib never changes the rate: the player has a better resampler, and it needs one anyway to follow the clock.
 *
 * Rate goes before width: a card that has few bits at the right rate loses less, with dither, than one that has many at another.
 *
 * Further reading: alsa-lib, "PCM interface", sections on hardware and software parameters; https://www.alsa-project.org/wiki/FramesPeriods
 */
import type { OutputRequest } from '../../ports/audio-output.js';
import type { Pointer } from './alsa-library.js';
import {
  ACCESS_RW_INTERLEAVED,
  ERROR,
  MODE,
  openPcm,
  outcome,
  type PcmCalls,
  TSTAMP_ENABLE,
  TSTAMP_TYPE_MONOTONIC_RAW,
} from './pcm-calls.js';
import { FORMATS, type PcmFormat } from './sample-packer.js';

/** A card fetches sound, and moves its position where it cannot do better, once a period. Milliseconds. */
const PERIOD_MS = 10;
/** Queue to ask for. The player keeps less in it (`output.queue_ms`), and may be told to keep this much on a busy machine. Milliseconds. */
const BUFFER_MS = 200;
/** A shorter queue than this is none that a program without a kernel's help can keep filled. Milliseconds. */
const BUFFER_MS_MIN = 20;
/** Rates that cards have, for where the asked one is missing. Frames a second. */
const RATES = [
  44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 352_800, 384_000, 32_000, 22_050, 16_000, 11_025, 8_000,
];
const CHANNELS_MAX = 8;

/** A pcm that is ready for its first frame, and what was agreed. */
export interface PcmSetup {
  readonly handle: Pointer;
  /** The name it was opened by: that of a plug where the card itself could not. */
  readonly name: string;
  readonly format: PcmFormat;
  /** Significant bits: 16, 24 or 32, at most those of the format. */
  readonly bits: number;
  readonly rate: number;
  readonly channels: number;
  readonly bufferFrames: number;
  readonly periodFrames: number;
  /** True where alsa-lib agreed to stamp positions with CLOCK_MONOTONIC_RAW. */
  readonly isStamped: boolean;
}

/** Why a pcm cannot be had: in words, whether asking it through a plug could help, and whether there is none. */
export interface PcmRefusal {
  readonly refusal: string;
  readonly isOfParameters: boolean;
  readonly isAbsent: boolean;
}

/** The name under which alsa-lib converts for the pcm `name`. */
export function plugNameOf(name: string): string {
  if (name.startsWith('hw:')) return `plug${name}`;
  const converts = /^(plughw|plug|default|sysdefault)(:|$)/.test(name);
  // Quoted, because a name such as dmix:CARD=x,DEV=0 has commas of its own.
  return converts ? name : `plug:'${name}'`;
}

/** Opens the card that ALSA calls `device`, as near to `request` as it can. A refusal leaves nothing open. */
export function setUpPcm(
  components: { readonly calls: PcmCalls; readonly textOf: (result: number) => string },
  init: { readonly device: string; readonly request: OutputRequest },
): PcmSetup | PcmRefusal {
  const { device, request } = init;
  const asItIs = MODE.noResampling | MODE.noChannelMixing | MODE.noConversion;
  const bare = setUp(components, device, asItIs, request);
  if (!('refusal' in bare) || !bare.isOfParameters) return bare;
  const plug = setUp(components, plugNameOf(device), MODE.noResampling, request);
  return 'refusal' in plug ? { ...plug, refusal: `${bare.refusal} And converted: ${plug.refusal}` } : plug;
}

function setUp(
  components: { readonly calls: PcmCalls; readonly textOf: (result: number) => string },
  name: string,
  mode: number,
  request: OutputRequest,
): PcmSetup | PcmRefusal {
  const { calls, textOf } = components;
  const handle = openPcm(calls, name, mode);
  if (typeof handle === 'number') {
    const isAbsent = handle === ERROR.noDevice || handle === ERROR.noEntry;
    const refusal = `ALSA cannot open ${name}: ${textOf(handle)}.${hintFor(handle)}`;
    return { refusal, isOfParameters: false, isAbsent };
  }
  const setup = agree(calls, handle, request);
  if (typeof setup !== 'string') return { handle, name, ...setup };
  calls.close(handle);
  return { refusal: `${name} ${setup}.`, isOfParameters: true, isAbsent: false };
}

const hintFor = (result: number): string => {
  if (result === ERROR.busy) return ' Another program plays through it.';
  if (result === ERROR.notPermitted) return ' Sound cards are for members of the group audio: usermod -aG audio USER.';
  if (result === ERROR.noEntry) return ' There is no card of this name: see tutti capabilities.';
  return '';
};

/** The agreement, or what the card does not do. */
function agree(calls: PcmCalls, handle: Pointer, request: OutputRequest): Omit<PcmSetup, 'handle' | 'name'> | string {
  const params = new Uint8Array(calls.hwSizeof());
  if (calls.hwAny(handle, params) < 0) return 'has no way to play at all';
  calls.hwSetResample(handle, params, 0);
  if (calls.hwSetAccess(handle, params, ACCESS_RW_INTERLEAVED) < 0) return 'takes no interleaved samples';

  const channels = channelsToTry(request.channels).find((n) => calls.hwTestChannels(handle, params, n) === 0);
  if (channels === undefined || calls.hwSetChannels(handle, params, channels) < 0) {
    return `takes none of 1 to ${CHANNELS_MAX} channels`;
  }
  const wanted = ratesToTry(request.rate).find((n) => calls.hwTestRate(handle, params, n, 0) === 0) ?? request.rate;
  outcome((list) => calls.hwSetRateNear(handle, params, list, null), wanted);
  const format = FORMATS.find(({ code }) => calls.hwTestFormat(handle, params, code) === 0);
  if (format === undefined || calls.hwSetFormat(handle, params, format.code) < 0) {
    return `takes no whole-number samples of ${FORMATS.map(({ name }) => name).join(', ')}`;
  }
  // Wishes: where a card has its own idea of its queue, that is what it gives.
  outcome((list) => calls.hwSetPeriodNear(handle, params, list, null), Math.round((wanted * PERIOD_MS) / 1_000));
  outcome((list) => calls.hwSetBufferNear(handle, params, list), Math.round((wanted * BUFFER_MS) / 1_000));
  if (calls.hwInstall(handle, params) < 0) return `refuses ${format.name} at ${wanted} Hz in ${channels} channels`;

  const rate = outcome((list) => calls.hwGetRate(params, list, null));
  const periodFrames = outcome((list) => calls.hwGetPeriod(params, list, null));
  const bufferFrames = outcome((list) => calls.hwGetBuffer(params, list));
  if (rate === undefined || periodFrames === undefined || bufferFrames === undefined)
    return 'does not say what it gives';
  if (bufferFrames < 2 * periodFrames || bufferFrames * 1_000 < BUFFER_MS_MIN * rate) {
    return `has a queue of ${bufferFrames} frames in periods of ${periodFrames}: too short`;
  }
  const bits = Math.min(request.bits, significantBits(calls.hwGetSignificantBits(params), format));
  const isStamped = setUpSoftware(calls, handle, bufferFrames);
  if (isStamped === undefined) return 'cannot be started by its first frame';
  return { format, bits, rate, channels, bufferFrames, periodFrames, isStamped };
}

/** How the card starts and stops, and what its stamps are of. Gives whether they are of our clock; undefined where the card refuses. */
function setUpSoftware(calls: PcmCalls, handle: Pointer, bufferFrames: number): boolean | undefined {
  const params = new Uint8Array(calls.swSizeof());
  if (calls.swCurrent(handle, params) < 0) return undefined;
  // The first write starts it, and it stops when the queue is empty.
  if (calls.swSetStartThreshold(handle, params, 1) < 0) return undefined;
  if (calls.swSetStopThreshold(handle, params, bufferFrames) < 0) return undefined;
  const isStamped =
    calls.swSetTstampMode(handle, params, TSTAMP_ENABLE) >= 0 &&
    calls.swSetTstampType(handle, params, TSTAMP_TYPE_MONOTONIC_RAW) >= 0;
  if (calls.swInstall(handle, params) >= 0) return isStamped;
  // Kernels before 3.17 have no CLOCK_MONOTONIC_RAW for stamps.
  calls.swSetTstampType(handle, params, 0);
  return calls.swInstall(handle, params) >= 0 ? false : undefined;
}

/** The asked number, then more (nothing is lost), then fewer. */
const channelsToTry = (asked: number): number[] => {
  const more = Array.from({ length: CHANNELS_MAX - asked }, (_, i) => asked + 1 + i);
  const fewer = Array.from({ length: asked - 1 }, (_, i) => asked - 1 - i);
  return [asked, ...more, ...fewer];
};

/** The asked rate, then the nearest above (nothing that is heard is lost), then the nearest below. */
const ratesToTry = (asked: number): number[] => {
  const above = RATES.filter((rate) => rate > asked).sort((a, b) => a - b);
  const below = RATES.filter((rate) => rate < asked).sort((a, b) => b - a);
  return [asked, ...above, ...below];
};

/** Bits that the converter makes use of, to the next of 16, 24 and 32; drivers that say nothing say 0 or less. */
const significantBits = (told: number, format: PcmFormat): number => {
  const bits = told > 0 ? Math.min(told, format.bits) : format.bits;
  return bits <= 16 ? 16 : bits <= 24 ? 24 : 32;
};
