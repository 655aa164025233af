/** The regions of the page, by the part of the address behind `#`. */

/** All regions, in the order in which they are offered. */
export const REGIONS = ['now', 'queue', 'library', 'house', 'sync', 'setup'] as const;
/** A region. */
export type Region = (typeof REGIONS)[number];

/** `#/queue` is the queue; whatever is not known is what plays now. */
export const regionOf = (hash: string): Region => REGIONS.find((region) => hash === `#/${region}`) ?? 'now';

/** How much room there is: a phone, a tablet, a desk. */
export type Width = 'phone' | 'middle' | 'wide';

/** What stands in a column: a region, or the strip that shows the rooms in step. */
export type Part = Region | 'sync-strip';

/** What is shown at once, in columns, the region that was asked for among it. */
export function columnsShown(asked: Region, width: Width): readonly (readonly Part[])[] {
  const isDesk = ['now', 'queue', 'library', 'house'].includes(asked);
  if (width === 'wide' && isDesk) return [['library'], ['now', 'sync-strip', 'house'], ['queue']];
  if (width === 'middle' && (asked === 'now' || asked === 'queue')) return [['now'], ['queue']];
  return [[asked]];
}
