/** capabilities: what the sound cards of this machine can do, for people and as JSON. */
import type { Command } from 'commander';
import type { Capabilities, DeviceCapabilities, NamedCapabilities, SoundCards } from '../../io/alsa/capabilities.js';
import type { PcmFormat, PcmLimits, Span } from '../../io/alsa/pcm-limits.js';
import type { PlaybackDevice, UsbMode } from '../../io/alsa/proc-cards.js';
import type { RunCommand, Session } from '../session.js';
import { type Column, pairs, shownRate, table } from '../text.js';

/** Adds `capabilities` to `program`. */
export function addCapabilitiesCommand(program: Command, run: RunCommand): void {
  program
    .command('capabilities')
    .summary('list the sound cards of this machine')
    .description(
      'Lists the sound cards of this machine with the names that output.device takes, the first choice of "auto" first, and what each can do. alsa-lib is asked where it can open the card; /proc/asound tells the rest.',
    )
    .action(run(capabilities));
}

function capabilities(session: Session): void {
  const { devices, named, missing } = session.components.soundCards();
  session.print({ devices, named }, () => human({ devices, named, missing }, session.bold));
}

function human({ devices, named, missing }: SoundCards, bold: (text: string) => string): string {
  return [
    devices.length === 0 ? NO_CARD : table(DEVICE_COLUMNS, devices, bold),
    ...(missing === null ? [] : [`Formats and rates are known of USB cards only. ${missing}\n`]),
    // What is so for all of them has been said.
    ...devices.map((device) => deviceText(missing === null ? device : { ...device, unavailable: null })),
    ...named.map(namedText),
  ].join('\n');
}

const NO_CARD = `No sound card found: /proc/asound lists none that plays.
On a Pi, name the card in /boot/firmware/config.txt (dtoverlay=hifiberry-dac, dtparam=audio=on) and restart, or plug in a USB one.
In a container, hand in /dev/snd. Without a card, output.driver = "virtual" plays to a simulated one.
`;

const DEVICE_COLUMNS: readonly Column<DeviceCapabilities>[] = [
  { head: 'DEVICE', cell: ({ address }) => address },
  { head: 'KIND', cell: ({ kind }) => kind },
  { head: 'CARD', cell: ({ card }) => card.name },
  { head: 'NAME', cell: ({ device }) => device.name },
  { head: 'DRIVER', cell: ({ card }) => card.driver },
  { head: 'IN USE BY', cell: ({ holder }) => (holder === null ? '' : holderText(holder)) },
  { head: 'PLAYING', cell: ({ playing }) => (playing === null ? '' : playingText(playing)) },
];

const holderText = ({ pid, program }: NonNullable<PlaybackDevice['holder']>): string =>
  program === null ? `process ${pid}` : `${program} (${pid})`;

const playingText = ({ format, channels, rate }: NonNullable<PlaybackDevice['playing']>): string =>
  `${format}, ${channels} ch, ${shownRate(rate)}`;

function deviceText(device: DeviceCapabilities): string {
  const { address, hw, usb, monitorFile } = device;
  const what = [hw, device.interface, ...(usb === null ? [] : usbWords(usb))].join(', ');
  return `${address} (${what})\n${pairs([...capabilityRows(device), ['  monitor', monitorFile]])}`;
}

/** How a USB card is named, how fast its bus is, and who paces it. */
function usbWords({ id, speed, modes }: NonNullable<PlaybackDevice['usb']>): string[] {
  const sync = [...new Set(modes.map((mode: UsbMode) => mode.sync))];
  return [
    ...(id === null ? [] : [id]),
    ...(speed === null ? [] : [`${speed} speed`]),
    ...(sync.length === 0 ? [] : [sync.join(' and ')]),
  ];
}

const namedText = (named: NamedCapabilities): string =>
  `${named.name}${named.description === '' ? '' : ` (${named.description})`}\n${pairs(capabilityRows(named))}`;

type Row = readonly [string, string];

function capabilityRows({ limits, unavailable }: Capabilities): Row[] {
  const why: Row[] = unavailable === null ? [] : [['  not asked', unavailable]];
  return limits === null ? why : [...why, ...limitRows(limits)];
}

function limitRows({ formats, channels, bufferFrames, periodFrames }: PcmLimits): Row[] {
  return [
    ...byRates(formats).map((alike): Row => [`  ${alike.map(formatName).join(' ')}`, ratesText(alike[0]!.rates)]),
    ['  channels', spanText(channels)],
    ...(bufferFrames === null ? [] : [['  buffer', `${spanText(bufferFrames)} frames`] as const]),
    ...(periodFrames === null ? [] : [['  period', `${spanText(periodFrames)} frames`] as const]),
  ];
}

/** Most cards have the same rates in all formats: those share a line. */
function byRates(formats: readonly PcmFormat[]): readonly (readonly PcmFormat[])[] {
  const groups = new Map<string, PcmFormat[]>();
  for (const format of formats) {
    const key = String(format.rates);
    groups.set(key, [...(groups.get(key) ?? []), format]);
  }
  return [...groups.values()];
}

/** S32_LE that carries 24 bits says so. */
const formatName = ({ name, bits }: PcmFormat): string =>
  bits === null || name.includes(String(bits)) ? name : `${name} (${bits} bits)`;

const ratesText = (rates: readonly number[]): string =>
  rates.length === 0 ? 'no common rate' : `${rates.map((rate) => rate / 1_000).join(', ')} kHz`;

const spanText = ({ min, max }: Span): string => (min === max ? String(min) : `${min} to ${max}`);
