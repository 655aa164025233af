/** The hash worker's thread: the node's track files. It blocks for as long as the card takes, which is why it is a thread. */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { NodeDisk } from '../io/fs/node-disk.js';
import { SystemTime } from '../io/time/system-time.js';
import { serveTrackStore } from '../tracks/track-client.js';
import { TrackStore } from '../tracks/track-store.js';
import { waitForLog } from './log-pace.js';
import type { IntakeThreadSetup } from './spawn-intake.js';

const { dataDir, commits } = workerData as IntakeThreadSetup;

const store = new TrackStore(
  {
    disk: new NodeDisk({ root: dataDir }),
    time: new SystemTime(),
    pace: waitForLog(commits, () => performance.now()),
  },
  { scrubFrom: randomBytes(32).toString('hex') },
);
serveTrackStore(store, parentPort!);
