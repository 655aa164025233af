/** The reader's thread: brings sound from disk into the rings that it shares with the player's. Ends when that one closes their channel. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { NodeDisk } from '../io/fs/node-disk.js';
import { SystemTime } from '../io/time/system-time.js';
import type { ReaderRequest } from '../player/deck.js';
import { Reader } from '../player/reader.js';
import type { FromReader } from '../player/threads.js';

const { dataDir, requests } = workerData as { readonly dataDir: string; readonly requests: MessagePort };

const tell = (message: FromReader) => parentPort!.postMessage(message);

const reader = new Reader({
  disk: new NodeDisk({ root: dataDir }),
  time: new SystemTime(),
  fetched: (tookMs) => requests.postMessage(tookMs),
  wanted: (chunk) => tell({ type: 'wanted', chunk }),
});
requests.on('message', (request: ReaderRequest) => reader.handle(request));
requests.on('close', () => reader.stop());
tell({ type: 'listening' });
