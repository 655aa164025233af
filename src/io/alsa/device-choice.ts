/**
 * Which sound card `output.device = "auto"` stands for.
 *
 * Whoever puts a converter on the header of a Pi, or plugs one in, means it to be heard; the jack and HDMI are there anyway. So the best
 * kind that is there wins, and what others hold of that kind comes last. A worse kind is no substitute for a better one that is busy:
 * music that comes out of the wrong place is harder to understand than a card that is shown as taken.
 */
import type { CardKind, PlaybackDevice } from './proc-cards.js';

/** From the most to the least likely to be what was meant. */
const KIND_ORDER: readonly CardKind[] = ['i2s', 'usb', 'headphones', 'hdmi', 'other'];

/** What the choice goes by. */
export type Choosable = Pick<PlaybackDevice, 'address' | 'kind' | 'holder'>;

const rankOf = ({ kind }: Choosable): number => KIND_ORDER.indexOf(kind);

/** `devices` in the order of the choice; those of equal rank keep theirs. */
export const byChoice = <D extends Choosable>(devices: readonly D[]): D[] =>
  devices.toSorted((a, b) => rankOf(a) - rankOf(b) || Number(a.holder !== null) - Number(b.holder !== null));

/** Addresses to try, one after the other, until one opens: all devices of the best kind. Empty where there is no card. */
export function devicesForAuto(devices: readonly Choosable[]): string[] {
  const ordered = byChoice(devices);
  return ordered.filter((device) => rankOf(device) === rankOf(ordered[0]!)).map(({ address }) => address);
}
