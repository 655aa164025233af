/**
 * Which sound cards this machine has and what the kernel says of them, without opening one: read from /proc/asound.
 *
 * That tree names every card. Of USB cards it tells formats and rates too; of others only what is playing now. What a card can do is
 * alsa-lib's to say (pcm-limits.ts), which has to open it; this works also while somebody else holds the card.
 *
 * Further reading: Documentation/sound/designs/procfile.rst of the Linux kernel; sound/core/init.c (cards), sound/core/pcm.c (info,
 * status, hw_params) and sound/usb/proc.c (stream files) print what is parsed here.
 */
import type { ProcFiles } from './proc-files.js';

/** i2s: on the Pi's header. other: a guess would be wrong. */
export type CardKind = 'i2s' | 'usb' | 'headphones' | 'hdmi' | 'other';

/** One way in which a USB card takes sound. */
export interface UsbMode {
  /** Sample formats in ALSA's words, such as S24_3LE. */
  readonly formats: readonly string[];
  /** Bits that count; null where the kernel does not say (before 4.19). */
  readonly bits: number | null;
  readonly channels: number;
  /** Frames a second: single ones, or all from the first to the last where `continuous`. */
  readonly rates: readonly number[];
  readonly continuous: boolean;
  /** Who paces the transfer: async is the card's own crystal, adaptive and sync follow the computer. */
  readonly sync: 'async' | 'adaptive' | 'sync' | 'none';
}

/** A place to play to. */
export interface PlaybackDevice {
  /** What `output.device` takes: stable, where numbers change from boot to boot. */
  readonly address: string;
  /** The same place by its numbers of today, such as hw:0,0. */
  readonly hw: string;
  readonly kind: CardKind;
  /** What leaves the machine. For cards on the Pi's header it is what follows them; a name with "digi" tells of S/PDIF. */
  readonly interface: 'usb' | 'digital' | 'analog';
  readonly card: { readonly number: number; readonly id: string; readonly driver: string; readonly name: string };
  readonly device: { readonly number: number; readonly id: string; readonly name: string };
  /** File that shows format and rate while something plays. */
  readonly monitorFile: string;
  /** Null where it is no USB card. `id`: vendor and product; `speed`: full, high, super; `streamFile`: where the kernel shows its modes. */
  readonly usb: {
    readonly id: string | null;
    readonly speed: string | null;
    readonly streamFile: string;
    readonly modes: readonly UsbMode[];
  } | null;
  /** Who has it open. `program` is null where the process may not be looked at. */
  readonly holder: { readonly pid: number; readonly program: string | null } | null;
  /** What is being played now; null while it is closed. */
  readonly playing: { readonly format: string; readonly channels: number; readonly rate: number } | null;
}

/** Every device that plays, by the numbers of cards and devices. */
export function playbackDevices(proc: ProcFiles): PlaybackDevice[] {
  return cards(proc.text('/proc/asound/cards') ?? '').flatMap((card) =>
    proc
      .names(`/proc/asound/card${card.number}`)
      .flatMap((name) => /^pcm(\d+)p$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
      .map((number) => playbackDevice(proc, card, number)),
  );
}

interface Card {
  readonly number: number;
  readonly id: string;
  readonly driver: string;
  readonly name: string;
  readonly longName: string;
}

/** Two lines a card: ` 1 [DAC            ]: USB-Audio - USB Audio DAC`, and the long name. */
function cards(text: string): Card[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const parts = /^\s*(\d+) \[([^\]]*)\]: (.*?) - (.*)$/.exec(line);
    if (parts === null) return [];
    const [, number, id, driver, name] = parts;
    return [
      {
        number: Number(number),
        id: id!.trim(),
        driver: driver!.trim(),
        name: name!.trim(),
        longName: (lines[index + 1] ?? '').trim(),
      },
    ];
  });
}

function playbackDevice(proc: ProcFiles, card: Card, number: number): PlaybackDevice {
  const directory = `/proc/asound/card${card.number}`;
  const info = fields(proc.text(`${directory}/pcm${number}p/info`) ?? '');
  const device = { number, id: info.get('id') ?? '', name: info.get('name') ?? '' };
  const kind = kindOf(card, device.id);
  return {
    address: addressOf(card, number),
    hw: `hw:${card.number},${number}`,
    kind,
    interface: interfaceOf(kind, `${card.driver} ${card.id} ${card.name} ${device.id} ${device.name}`),
    card: { number: card.number, id: card.id, driver: card.driver, name: card.name },
    device,
    monitorFile: `${directory}/pcm${number}p/sub0/hw_params`,
    usb: usbOf(proc, directory, card, number),
    ...inUse(proc, `${directory}/pcm${number}p`),
  };
}

/** A guess by the drivers' names: /proc does not say how a card is wired. */
function kindOf(card: Card, deviceId: string): CardKind {
  if (card.driver === 'USB-Audio') return 'usb';
  if (/hdmi/i.test(`${card.driver} ${card.name} ${deviceId}`)) return 'hdmi';
  if (card.driver.startsWith('bcm2835')) return 'headphones';
  // ASoC numbers its links: "HifiBerry DAC HiFi pcm5102a-hifi-0" (soc_new_pcm in sound/soc/soc-pcm.c). On a Pi these are I2S.
  if (/\S-\d+$/.test(deviceId)) return 'i2s';
  return 'other';
}

/**
 * HDMI of a Pi under the KMS driver takes only IEC 958 subframes, which no conversion behind plughw: makes; alsa-lib's own definition
 * for that card (cards/vc4-hdmi.conf), reached as sysdefault:, does. (raspberrypi/linux#6015)
 */
const addressOf = ({ driver, id }: Card, device: number): string =>
  driver === 'vc4-hdmi' ? `sysdefault:CARD=${id}` : `hw:CARD=${id},DEV=${device}`;

/** By the names again: the kernel does not say what is soldered to a card. */
function interfaceOf(kind: CardKind, names: string): PlaybackDevice['interface'] {
  if (kind === 'usb') return 'usb';
  return kind === 'hdmi' || /s\/?pdif|iec958|optical|toslink|digi/i.test(names) ? 'digital' : 'analog';
}

function usbOf(proc: ProcFiles, directory: string, card: Card, number: number): PlaybackDevice['usb'] {
  if (card.driver !== 'USB-Audio') return null;
  const streamFile = `${directory}/stream${number}`;
  return {
    id: proc.text(`${directory}/usbid`)?.trim() ?? null,
    // "... at usb-0000:01:00.0-1.2, high speed"
    speed: /, (\S+) speed$/.exec(card.longName)?.[1] ?? null,
    streamFile,
    modes: usbModes(proc.text(streamFile) ?? ''),
  };
}

/** The altsettings under "Playback:", each with what it says of itself. */
function usbModes(text: string): UsbMode[] {
  const playback = /^Playback:\n((?: .*\n?)*)/m.exec(text)?.[1] ?? '';
  return playback
    .split(/^ {4}Altset \d+$/m)
    .slice(1)
    .map((part) => {
      const says = fields(part);
      const rates = says.get('Rates') ?? '';
      return {
        formats: (says.get('Format') ?? '').split(/\s+/).filter((name) => name !== ''),
        bits: says.has('Bits') ? Number(says.get('Bits')) : null,
        channels: Number(says.get('Channels') ?? 0),
        rates: (rates.match(/\d+/g) ?? []).map(Number),
        continuous: rates.endsWith('(continuous)'),
        sync: syncOf(says.get('Endpoint') ?? ''),
      };
    });
}

/** `0x01 (1 OUT) (ASYNC)`, in older kernels `1 OUT (ASYNC)`. */
function syncOf(endpoint: string): UsbMode['sync'] {
  const word = /\(([A-Z]+)\)$/.exec(endpoint)?.[1];
  switch (word) {
    case 'ASYNC':
      return 'async';
    case 'ADAPTIVE':
      return 'adaptive';
    case 'SYNC':
      return 'sync';
    default:
      return 'none';
  }
}

/** Who holds any of the device's subdevices, and what is played there. */
function inUse(proc: ProcFiles, directory: string): Pick<PlaybackDevice, 'holder' | 'playing'> {
  for (const name of proc.names(directory)) {
    if (!/^sub\d+$/.test(name)) continue;
    const pid = Number(fields(proc.text(`${directory}/${name}/status`) ?? '').get('owner_pid') ?? 0);
    if (!(pid > 0)) continue;
    const params = fields(proc.text(`${directory}/${name}/hw_params`) ?? '');
    const rate = Number(/^\d+/.exec(params.get('rate') ?? '')?.[0] ?? 0);
    return {
      holder: { pid, program: proc.text(`/proc/${pid}/comm`)?.trim() ?? null },
      playing:
        rate > 0 ? { format: params.get('format') ?? '', channels: Number(params.get('channels') ?? 0), rate } : null,
    };
  }
  return { holder: null, playing: null };
}

/** `name: value` lines; the first of a name counts. */
function fields(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const parts = /^\s*([A-Za-z][\w ]*?)\s*: ?(.*)$/.exec(line);
    if (parts !== null && !found.has(parts[1]!)) found.set(parts[1]!, parts[2]!.trim());
  }
  return found;
}
