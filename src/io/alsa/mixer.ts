/**
 * The mixer of a sound card, set for playing: switches on, hardware volume at 0 dB. The volume that people hear is Tutti's own, in the
 * samples; a card that comes up muted, as many do, would stay silent without a word.
 *
 * 0 dB is where the card passes samples as they are. A control that does not reach it gets as near as it can from below; one that does not
 * tell its decibels is left alone, because its top may be far above. So are controls that bring something else to the output than our
 * sound: a microphone switched to the loudspeaker howls.
 *
 * Further reading: alsa-lib, "Mixer interface", simple elements.
 */
import type { AlsaLibrary, Pointer } from './alsa-library.js';

/** Parts of names of controls that bring other sound to the output (names by Documentation/sound/designs/control-names.rst of Linux). */
const OTHER_SOURCES = /mic|capture|input|aux|\bcd\b|line(?! ?out)|beep|pc speaker|loopback|sidetone|monitor|boost/i;

/** What was set on one control. */
export interface MixerSetting {
  readonly control: string;
  /** True where a switch was turned on, or was on already. */
  readonly isOn: boolean;
  /** Where its volume stands now, decibels; null where it has none, or does not tell. */
  readonly decibels: number | null;
}

/**
 * The name of the control device for the PCM `device`: hw:CARD for a card, or the same name, since a definition of a PCM may come with one of a
 * mixer.
 */
export function mixerOf(device: string): string {
  const [, byName] = /CARD=([^,']+)/.exec(device) ?? [];
  const [, first] = /^(?:plug)?hw:([^,=]+)/.exec(device) ?? [];
  const card = byName ?? first;
  return card === undefined ? device : `hw:${card}`;
}

/** Sets mixers of cards. One for each thread: what it looks up in alsa-lib is kept. */
export class Mixers {
  readonly #alsa: AlsaLibrary;
  #calls: MixerCalls | undefined;

  constructor(components: { readonly alsa: AlsaLibrary }) {
    this.#alsa = components.alsa;
  }

  /** Sets the mixer `name` for playing. Gives what was set, or in words why there is no such mixer: some cards have none. */
  unmute(name: string): readonly MixerSetting[] | string {
    this.#calls ??= bindMixerCalls(this.#alsa);
    const calls = this.#calls;
    const handle: [Pointer | null] = [null];
    const opened = calls.open(handle, 0);
    if (opened < 0 || handle[0] === null) return this.#alsa.textOf(opened);
    const mixer = handle[0];
    try {
      const result = attach(calls, mixer, name);
      return result < 0 ? this.#alsa.textOf(result) : unmuteAll(calls, mixer);
    } finally {
      calls.close(mixer);
    }
  }
}

/** Connects an empty mixer with a card. Gives a result of alsa-lib. */
function attach(calls: MixerCalls, mixer: Pointer, name: string): number {
  const attached = calls.attach(mixer, name);
  if (attached < 0) return attached;
  const registered = calls.register(mixer, null, null);
  return registered < 0 ? registered : calls.load(mixer);
}

function unmuteAll(calls: MixerCalls, mixer: Pointer): MixerSetting[] {
  const settings: MixerSetting[] = [];
  for (let element = calls.first(mixer); isThere(element); element = calls.next(element)) {
    const setting = unmute(calls, element);
    if (setting !== undefined) settings.push(setting);
  }
  return settings;
}

const isThere = (pointer: Pointer | null): pointer is Pointer => pointer !== null && pointer !== 0n;

/** Gives what was set; undefined where the element has nothing to set. */
function unmute(calls: MixerCalls, element: Pointer): MixerSetting | undefined {
  const control = calls.name(element) ?? '';
  if (OTHER_SOURCES.test(control)) return undefined;
  const isOn = calls.hasSwitch(element) === 1 && calls.setSwitch(element, 1) >= 0;
  const decibels = calls.hasVolume(element) === 1 ? setVolume(calls, element) : null;
  return isOn || decibels !== null ? { control, isOn, decibels } : undefined;
}

/** As near to 0 dB as the element goes from below. Hundredths of a decibel are alsa-lib's unit. */
function setVolume(calls: MixerCalls, element: Pointer): number | null {
  const [least, most]: [[number], [number]] = [[0], [0]];
  if (calls.range(element, least, most) < 0) return null;
  const wanted = Math.max(Number(least[0]), Math.min(0, Number(most[0])));
  // -1: rounded down to a step that the card has.
  if (calls.setDecibels(element, wanted, -1) < 0) return null;
  const now: [number] = [0];
  // 0: the first channel, which every element has; all were set alike.
  return calls.getDecibels(element, 0, now) < 0 ? null : Number(now[0]) / 100;
}

type MixerCalls = ReturnType<typeof bindMixerCalls>;

function bindMixerCalls({ bind }: AlsaLibrary) {
  return {
    open: bind<(mixer: [Pointer | null], mode: number) => number>('int snd_mixer_open(_Out_ void **mixer, int mode)'),
    attach: bind<(mixer: Pointer, name: string) => number>('int snd_mixer_attach(void *mixer, const char *name)'),
    register: bind<(mixer: Pointer, options: null, classes: null) => number>(
      'int snd_mixer_selem_register(void *mixer, void *options, void *classes)',
    ),
    load: bind<(mixer: Pointer) => number>('int snd_mixer_load(void *mixer)'),
    close: bind<(mixer: Pointer) => number>('int snd_mixer_close(void *mixer)'),
    first: bind<(mixer: Pointer) => Pointer | null>('void *snd_mixer_first_elem(void *mixer)'),
    next: bind<(element: Pointer) => Pointer | null>('void *snd_mixer_elem_next(void *element)'),
    name: bind<(element: Pointer) => string | null>('const char *snd_mixer_selem_get_name(void *element)'),
    hasSwitch: bind<(element: Pointer) => number>('int snd_mixer_selem_has_playback_switch(void *element)'),
    setSwitch: bind<(element: Pointer, on: number) => number>(
      'int snd_mixer_selem_set_playback_switch_all(void *element, int on)',
    ),
    hasVolume: bind<(element: Pointer) => number>('int snd_mixer_selem_has_playback_volume(void *element)'),
    range: bind<(element: Pointer, least: [number], most: [number]) => number>(
      'int snd_mixer_selem_get_playback_dB_range(void *element, _Out_ long *least, _Out_ long *most)',
    ),
    setDecibels: bind<(element: Pointer, value: number, direction: number) => number>(
      'int snd_mixer_selem_set_playback_dB_all(void *element, long value, int direction)',
    ),
    getDecibels: bind<(element: Pointer, channel: number, value: [number]) => number>(
      'int snd_mixer_selem_get_playback_dB(void *element, int channel, _Out_ long *value)',
    ),
  };
}
