/** The regions beside what plays now. They are fetched a moment after the page, so that the song and its buttons wait for nothing. */
export { DropZone } from './frame/drop-zone.js';
export { MainMenu } from './frame/main-menu.js';
export { TokenDialog } from './frame/token-dialog.js';
export { HouseRegion } from './house/house-region.js';
export { LibraryRegion } from './library/library-region.js';
export { QueueRegion } from './queue/queue-region.js';
export { SetupRegion } from './setup/setup-region.js';
export { SyncRegion } from './sync/sync-region.js';
export { SyncStrip } from './sync/sync-strip.js';
