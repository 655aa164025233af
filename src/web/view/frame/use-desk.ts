/** Fetching what is not needed at first sight. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Region } from '../../model/region.js';

/** What is fetched: the other regions, and what opens over them. */
export interface Desk {
  readonly regions: Readonly<Record<Exclude<Region, 'now'>, ComponentType>>;
  /** Always there, and mostly closed. */
  readonly overlays: readonly ComponentType[];
}

let desk: Promise<Desk> | null = null;
let fetched: Desk | null = null;

async function fetchDesk(): Promise<Desk> {
  const { MainMenu, TokenDialog, HouseRegion, LibraryRegion, QueueRegion, SetupRegion, SyncRegion } = await import(
    '../desk.js'
  );
  const regions = {
    house: HouseRegion,
    library: LibraryRegion,
    queue: QueueRegion,
    setup: SetupRegion,
    sync: SyncRegion,
  };
  fetched = { regions, overlays: [MainMenu, TokenDialog] };
  return fetched;
}

/** The desk; null until it is here. */
export function useDesk(): Desk | null {
  const [here, setHere] = useState(fetched);
  useEffect(() => {
    if (here !== null) return;
    desk ??= fetchDesk();
    // Where the line broke just then the page is asked for anew, by the next who needs it.
    desk.then(setHere, () => {
      desk = null;
    });
  }, [here]);
  return here;
}
