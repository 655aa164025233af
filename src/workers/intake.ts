/** The hash worker's thread: the node's track files. It blocks for as long as the card takes, which is why it is a thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { NodeDisk } from '../io/fs/node-disk.js';
import { serveTrackStore } from '../tracks/track-client.js';
import { TrackStore } from '../tracks/track-store.js';

const { dataDir } = workerData as { readonly dataDir: string };

serveTrackStore(new TrackStore({ disk: new NodeDisk({ root: dataDir }) }), parentPort!);
