/**
 * What the sound cards of this machine can do: the kernel's list, with what alsa-lib says of each, and the names of its configuration.
 *
 * A card that somebody plays on cannot be asked; then the kernel's list has to do, which knows formats and rates of USB cards. Names that
 * a configuration file defines (a card with an equalizer before it, a card that is none) are found by their hint, as `aplay -L` does.
 */
import { TuttiError } from '../../core/errors.js';
import { loadLibc } from '../libc/libc.js';
import { type AlsaLoading, loadAlsa } from './alsa-library.js';
import { byChoice } from './device-choice.js';
import { COMMON_RATES, type PcmLimits, PcmQueries, type Span } from './pcm-limits.js';
import { type PcmName, pcmNames } from './pcm-names.js';
import { type PlaybackDevice, playbackDevices, type UsbMode } from './proc-cards.js';
import { type ProcFiles, procFiles } from './proc-files.js';

/** What a PCM can do, or why that is not known. */
export interface Capabilities {
  readonly limits: PcmLimits | null;
  /** Who said so. */
  readonly source: 'alsa-lib' | '/proc/asound' | null;
  /** Why alsa-lib could not be asked; null where it was. */
  readonly unavailable: string | null;
}

/** A place of a card to play to. */
export type DeviceCapabilities = PlaybackDevice & Capabilities;

/** A name of alsa-lib's configuration to play to. */
export type NamedCapabilities = PcmName & Capabilities;

/** All that there is to play to. */
export interface SoundCards {
  /** In the order in which `output.device = "auto"` chooses. */
  readonly devices: readonly DeviceCapabilities[];
  /** What alsa-lib knows beside the cards' own names. */
  readonly named: readonly NamedCapabilities[];
  /** Why alsa-lib cannot be called on this machine, and what would bring it; null where it can. */
  readonly missing: string | null;
}

/** Where it is looked for. */
export interface SoundCardsComponents {
  readonly proc: ProcFiles;
  readonly alsa: AlsaLoading;
}

/**
 * Names that come with alsa-lib and lead to no card: they convert rates and channels for another PCM, or drop all. Of `jack` it is known
 * that opening it starts a server.
 */
const NO_OUTPUTS: ReadonlySet<string> = new Set(
  'null lavrate samplerate speexrate speex upmix vdownmix oss jack'.split(' '),
);

/** Asks the kernel and alsa-lib. Opens each PCM that nobody holds, for a moment and in silence. */
export function soundCards({ proc, alsa }: SoundCardsComponents = { proc: procFiles, alsa: loadAlsa() }): SoundCards {
  const queries = alsa.alsa && new PcmQueries({ alsa: alsa.alsa });
  return {
    devices: byChoice(playbackDevices(proc)).map((device) => ({ ...device, ...deviceCapabilities(device, queries) })),
    named: namedPcms(alsa).map((named) => ({ ...named, ...capabilities(named.name, queries) })),
    missing: alsa.missing ?? null,
  };
}

function capabilities(name: string, queries: PcmQueries | undefined): Capabilities {
  if (queries === undefined) return { limits: null, source: null, unavailable: 'alsa-lib cannot be called' };
  try {
    return { limits: queries.limits(name), source: 'alsa-lib', unavailable: null };
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error;
    return { limits: null, source: null, unavailable: error.detail };
  }
}

function deviceCapabilities(device: PlaybackDevice, queries: PcmQueries | undefined): Capabilities {
  const asked = capabilities(device.address, queries);
  const modes = device.usb?.modes ?? [];
  if (asked.limits !== null || modes.length === 0) return asked;
  return { ...asked, limits: limitsOfUsb(modes), source: '/proc/asound' };
}

/** A name with an argument for the card leads to a card that is in the list already. */
function namedPcms({ alsa }: AlsaLoading): PcmName[] {
  const libc = loadLibc();
  const names = alsa === undefined || libc === undefined ? [] : pcmNames({ alsa, libc });
  return names.filter(({ name }) => !name.includes('CARD=') && !NO_OUTPUTS.has(name));
}

/** What the altsettings of a USB card come to. */
function limitsOfUsb(modes: readonly UsbMode[]): PcmLimits {
  const rates = modes.flatMap((mode) => mode.rates);
  const names = [...new Set(modes.flatMap(({ formats }) => formats))];
  return {
    formats: names.map((name) => {
      const having = modes.filter(({ formats }) => formats.includes(name));
      // Of an altsetting with several formats the kernel tells one number of bits.
      const bits = Math.min(bitsOfName(name), Math.max(...having.map((mode) => mode.bits ?? 0)));
      return { name, bits: bits > 0 ? bits : null, rates: [...new Set(having.flatMap(ratesOf))].toSorted(byNumber) };
    }),
    rate: spanOf(rates),
    channels: spanOf(modes.map(({ channels }) => channels)),
    bufferFrames: null,
    periodFrames: null,
  };
}

/** 24 of S24_3LE, 1 of DSD_U8 (whose samples are single bits), and no limit where a name has no number. */
const bitsOfName = (name: string): number =>
  name.startsWith('DSD') ? 1 : Number(/\d+/.exec(name)?.[0] ?? Number.POSITIVE_INFINITY);

const byNumber = (a: number, b: number): number => a - b;

/** 0 to 0 where the kernel's file was cut short. */
const spanOf = (values: readonly number[]): Span =>
  values.length === 0 ? { min: 0, max: 0 } : { min: Math.min(...values), max: Math.max(...values) };

function ratesOf({ rates, continuous }: UsbMode): readonly number[] {
  if (!continuous) return rates;
  const { min, max } = spanOf(rates);
  return COMMON_RATES.filter((rate) => rate >= min && rate <= max);
}
