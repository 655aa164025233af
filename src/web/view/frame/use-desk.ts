/** Fetching what is not needed at first sight. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Part } from '../../model/region.js';

/** What is fetched: what stands beside what plays now, and what opens over it. */
export interface Desk {
  readonly parts: Readonly<Record<Exclude<Part, 'now'>, ComponentType>>;
  /** Always there, and mostly not seen. */
  readonly overlays: readonly ComponentType[];
}

let desk: Promise<Desk | null> | null = null;
let fetched: Desk | null = null;

async function fetchDesk(): Promise<Desk> {
  const all = await import('../desk.js');
  const parts = {
    house: all.HouseRegion,
    library: all.LibraryRegion,
    queue: all.QueueRegion,
    setup: all.SetupRegion,
    'sync-strip': all.SyncStrip,
    sync: all.SyncRegion,
  };
  fetched = { parts, overlays: [all.DropZone, all.MainMenu, all.TokenDialog] };
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
