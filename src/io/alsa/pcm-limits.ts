/**
 * What a PCM can do, by asking alsa-lib: it opens the PCM without waiting, and tries formats and rates on its configuration space
 * (snd_pcm_hw_params_test_*), which sets nothing and makes no sound.
 *
 * Further reading: alsa-lib, "PCM interface", section on hardware parameters.
 */
import { TuttiError } from '../../core/errors.js';
import type { AlsaLibrary, Pointer } from './alsa-library.js';
import { bindPcmCalls, MODE, openPcm, type PcmCalls } from './pcm-calls.js';

/** snd_pcm_format_t ends here (alsa/pcm.h of 1.2.8). */
const FORMAT_LAST = 52;

/** Rates that music and voice come in, and what converters are sold with. Frames a second. */
export const COMMON_RATES: readonly number[] = [
  8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 176_400, 192_000,
  352_800, 384_000, 705_600, 768_000,
];

/** From the least to the most that is possible, both included. */
export interface Span {
  readonly min: number;
  readonly max: number;
}

/** A sample format that the PCM takes. */
export interface PcmFormat {
  /** In ALSA's words, such as S24_3LE. */
  readonly name: string;
  /** Bits that count; null for a format that has no such number. */
  readonly bits: number | null;
  /** Which common rates work in this format, frames a second. */
  readonly rates: readonly number[];
}

/** What a PCM takes without converting. */
export interface PcmLimits {
  readonly formats: readonly PcmFormat[];
  readonly rate: Span;
  readonly channels: Span;
  /** Null where only the card itself could say. */
  readonly bufferFrames: Span | null;
  readonly periodFrames: Span | null;
}

/** Asks alsa-lib about PCMs. */
export class PcmQueries {
  readonly #alsa: AlsaLibrary;
  readonly #calls: PcmCalls;
  readonly #formatName: (format: number) => string | null;
  readonly #formatWidth: (format: number) => number;
  readonly #spans: ReturnType<typeof spansOf>;

  constructor(components: { readonly alsa: AlsaLibrary }) {
    const { alsa } = components;
    this.#alsa = alsa;
    this.#calls = bindPcmCalls(alsa);
    this.#formatName = alsa.bind('const char *snd_pcm_format_name(int format)');
    this.#formatWidth = alsa.bind('int snd_pcm_format_width(int format)');
    this.#spans = spansOf(alsa);
  }

  /** What the PCM `name` takes. @throws TuttiError OUTPUT_UNAVAILABLE where it cannot be opened, with what alsa-lib said */
  limits(name: string): PcmLimits {
    const asItIs = MODE.noResampling | MODE.noChannelMixing | MODE.noConversion;
    const pcm = openPcm(this.#calls, name, asItIs);
    if (typeof pcm === 'number') throw new TuttiError('OUTPUT_UNAVAILABLE', this.#alsa.textOf(pcm));
    try {
      return this.#limitsOf(pcm);
    } finally {
      this.#calls.close(pcm);
    }
  }

  #limitsOf(pcm: Pointer): PcmLimits {
    const params = new Uint8Array(this.#calls.hwSizeof());
    this.#reset(pcm, params);
    const { rate, channels, bufferFrames, periodFrames } = this.#spans;
    const spans = {
      rate: rate(params),
      channels: channels(params),
      bufferFrames: bufferFrames(params),
      periodFrames: periodFrames(params),
    };
    const formats: PcmFormat[] = [];
    for (let format = 0; format <= FORMAT_LAST; format++) {
      const name = this.#formatName(format);
      if (name === null) continue;
      this.#reset(pcm, params);
      // Which rates work may depend on the format: it is set, in these parameters only, before they are tried.
      if (this.#calls.hwSetFormat(pcm, params, format) < 0) continue;
      const rates = COMMON_RATES.filter((each) => this.#calls.hwTestRate(pcm, params, each, 0) === 0);
      const width = this.#formatWidth(format);
      formats.push({ name, bits: width > 0 ? width : null, rates });
    }
    return { formats, ...spans };
  }

  /** All that the PCM takes, save for rates that alsa-lib would have to convert. */
  #reset(pcm: Pointer, params: Uint8Array): void {
    const result = this.#calls.hwAny(pcm, params);
    if (result < 0) throw new TuttiError('OUTPUT_UNAVAILABLE', this.#alsa.textOf(result));
    this.#calls.hwSetResample(pcm, params, 0);
  }
}

/** Functions that read the least and the most of a parameter. */
function spansOf(alsa: AlsaLibrary) {
  /** @param rest further arguments, which are pointers that may be null */
  const spanOf = (what: string, type: string, rest = '') => {
    const bound = (end: string) => {
      const prototype = `int snd_pcm_hw_params_get_${what}_${end}(const void *params, _Out_ ${type} *value${rest})`;
      const call = alsa.bind<(params: Uint8Array, value: [number], ...rest: readonly null[]) => number>(prototype);
      return (params: Uint8Array): number => {
        const value: [number] = [0];
        call(params, value, ...(rest === '' ? [] : [null]));
        return Number(value[0]);
      };
    };
    const [min, max] = [bound('min'), bound('max')];
    return (params: Uint8Array): Span => ({ min: min(params), max: max(params) });
  };
  return {
    rate: spanOf('rate', 'unsigned int', ', void *direction'),
    channels: spanOf('channels', 'unsigned int'),
    bufferFrames: spanOf('buffer_size', 'unsigned long'),
    periodFrames: spanOf('period_size', 'unsigned long', ', void *direction'),
  };
}
