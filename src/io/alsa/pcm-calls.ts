/**
 * The functions of alsa-lib that playing needs, with their prototypes from alsa/pcm.h and its constants, typed.
 *
 * Structures whose layout is alsa-lib's own (`snd_pcm_hw_params_t` and the like) are bytes here: it tells how many, and we lend them.
 */
import type { AlsaLibrary, Memory, Pointer } from './alsa-library.js';

/** snd_pcm_stream_t */
export const STREAM_PLAYBACK = 0;
/** snd_pcm_access_t: frames one after the other, by `snd_pcm_writei`. */
export const ACCESS_RW_INTERLEAVED = 3;

/** Modes of `snd_pcm_open`. A plug that may not convert shows what the card behind it takes. */
export const MODE = {
  nonBlocking: 0x1,
  noResampling: 0x10000,
  noChannelMixing: 0x20000,
  noConversion: 0x40000,
} as const;

/** snd_pcm_state_t, in its order. */
export const STATES = [
  'open',
  'setup',
  'prepared',
  'running',
  'xrun',
  'draining',
  'paused',
  'suspended',
  'disconnected',
] as const;
/** What a pcm is doing. */
export type PcmState = (typeof STATES)[number];

/** snd_pcm_tstamp_t: stamps are taken. */
export const TSTAMP_ENABLE = 1;
/** snd_pcm_tstamp_type_t: stamps are of CLOCK_MONOTONIC_RAW, as LocalTime is. */
export const TSTAMP_TYPE_MONOTONIC_RAW = 2;

/** Results below 0, from errno-base.h. */
export const ERROR = {
  noEntry: -2,
  interrupted: -4,
  again: -11,
  notPermitted: -13,
  busy: -16,
  noDevice: -19,
  invalid: -22,
  /** EPIPE: the queue ran dry. */
  xrun: -32,
  /** ESTRPIPE: the machine was asleep. */
  suspended: -86,
} as const;

const PROTOTYPES = {
  open: 'int snd_pcm_open(_Out_ void **pcm, const char *name, int stream, int mode)',
  close: 'int snd_pcm_close(void *pcm)',
  prepare: 'int snd_pcm_prepare(void *pcm)',
  resume: 'int snd_pcm_resume(void *pcm)',
  drop: 'int snd_pcm_drop(void *pcm)',
  availUpdate: 'long snd_pcm_avail_update(void *pcm)',
  writei: 'long snd_pcm_writei(void *pcm, const void *buffer, unsigned long frames)',

  hwSizeof: 'size_t snd_pcm_hw_params_sizeof()',
  hwAny: 'int snd_pcm_hw_params_any(void *pcm, void *params)',
  hwSetResample: 'int snd_pcm_hw_params_set_rate_resample(void *pcm, void *params, unsigned int on)',
  hwSetAccess: 'int snd_pcm_hw_params_set_access(void *pcm, void *params, int access)',
  hwTestFormat: 'int snd_pcm_hw_params_test_format(void *pcm, void *params, int format)',
  hwSetFormat: 'int snd_pcm_hw_params_set_format(void *pcm, void *params, int format)',
  hwTestChannels: 'int snd_pcm_hw_params_test_channels(void *pcm, void *params, unsigned int channels)',
  hwSetChannels: 'int snd_pcm_hw_params_set_channels(void *pcm, void *params, unsigned int channels)',
  hwTestRate: 'int snd_pcm_hw_params_test_rate(void *pcm, void *params, unsigned int rate, int direction)',
  hwSetRateNear:
    'int snd_pcm_hw_params_set_rate_near(void *pcm, void *params, _Inout_ unsigned int *rate, void *direction)',
  hwSetPeriodNear:
    'int snd_pcm_hw_params_set_period_size_near(void *pcm, void *params, _Inout_ unsigned long *frames, void *direction)',
  hwSetBufferNear: 'int snd_pcm_hw_params_set_buffer_size_near(void *pcm, void *params, _Inout_ unsigned long *frames)',
  hwInstall: 'int snd_pcm_hw_params(void *pcm, void *params)',
  hwGetPeriod: 'int snd_pcm_hw_params_get_period_size(void *params, _Out_ unsigned long *frames, void *direction)',
  hwGetBuffer: 'int snd_pcm_hw_params_get_buffer_size(void *params, _Out_ unsigned long *frames)',
  hwGetRate: 'int snd_pcm_hw_params_get_rate(void *params, _Out_ unsigned int *rate, void *direction)',
  hwGetSignificantBits: 'int snd_pcm_hw_params_get_sbits(void *params)',

  swSizeof: 'size_t snd_pcm_sw_params_sizeof()',
  swCurrent: 'int snd_pcm_sw_params_current(void *pcm, void *params)',
  swSetStartThreshold: 'int snd_pcm_sw_params_set_start_threshold(void *pcm, void *params, unsigned long frames)',
  swSetStopThreshold: 'int snd_pcm_sw_params_set_stop_threshold(void *pcm, void *params, unsigned long frames)',
  swSetTstampMode: 'int snd_pcm_sw_params_set_tstamp_mode(void *pcm, void *params, int mode)',
  swSetTstampType: 'int snd_pcm_sw_params_set_tstamp_type(void *pcm, void *params, int type)',
  swInstall: 'int snd_pcm_sw_params(void *pcm, void *params)',

  statusSizeof: 'size_t snd_pcm_status_sizeof()',
  status: 'int snd_pcm_status(void *pcm, void *status)',
  statusState: 'int snd_pcm_status_get_state(const void *status)',
  statusDelay: 'long snd_pcm_status_get_delay(const void *status)',
  statusAvail: 'unsigned long snd_pcm_status_get_avail(const void *status)',
  statusTstamp: 'void snd_pcm_status_get_htstamp(const void *status, void *timespec)',
} as const;

/** The functions of {@link PROTOTYPES} that have no other type than this: a number from pointers, texts and numbers. */
type Call = (...values: readonly (Memory | string | number)[]) => number;
/** alsa-lib's functions for playing, by shorter names. */
export type PcmCalls = Readonly<Record<keyof typeof PROTOTYPES, Call>>;

/** Looks all of them up. @throws Error where this alsa-lib lacks one: it is older than 1.0.29 of 2015 */
export function bindPcmCalls(alsa: AlsaLibrary): PcmCalls {
  const entries = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, alsa.bind<Call>(prototype)]);
  return Object.fromEntries(entries) as PcmCalls;
}

/** What a call that takes `_Out_` or `_Inout_` leaves in a list of one. */
export const outcome = (call: (list: [number]) => number, start = 0): number | undefined => {
  const list: [number] = [start];
  return call(list) < 0 ? undefined : Number(list[0]);
};

/** Opens the pcm `name` for playing, without waiting for whoever holds it. Gives the handle, or a result below 0. */
export function openPcm(calls: PcmCalls, name: string, mode: number): Pointer | number {
  const handle: [Pointer | null] = [null];
  const result = calls.open(handle, name, STREAM_PLAYBACK, mode | MODE.nonBlocking);
  return result < 0 ? result : handle[0]!;
}
