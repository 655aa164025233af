/** Fetching what is not needed at first sight. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Region } from '../../model/region.js';

/** What is fetched: the other regions, and what opens over them. */
export interface Desk {
  readonly regions: Readonly<Record<Exclude<Region, 'now'>, ComponentType>>;
  /** Always there, and mostly not seen. */
  readonly overlays: readonly ComponentType[];
}

let desk: Promise<Desk | null> | null = null;
let fetched: Desk | null = null;

async function fetchDesk(): Promise<Desk> {
  const { DropZone, MainMenu, TokenDialog, HouseRegion, LibraryRegion, QueueRegion, SetupRegion, SyncRegion } =
    await import('../desk.js');
  const regions = {
    house: HouseRegion,
    library: LibraryRegion,
    queue: QueueRegion,
    setup: SetupRegion,
    sync: SyncRegion,
  };
  fetched = { regions, overlays: [DropZone, MainMenu, TokenDialog] };
  return fetched;
}

/** Begins to fetch it, where it will be needed at first sight after all. Where the line breaks just then, the next who needs it asks anew. */
export function prefetchDesk(): Promise<Desk | null> {
  desk ??= fetchDesk().catch(() => {
    desk = null;
    return null;
  });
  return desk;
}

/** The desk; null until it is here. */
export function useDesk(): Desk | null {
  const [here, setHere] = useState(fetched);
  useEffect(() => {
    if (here === null) void prefetchDesk().then(setHere);
  }, [here]);
  return here;
}
