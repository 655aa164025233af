/** The hash worker's thread: the node's track files, and the folder into which people copy music. It blocks for as long as the card takes, which is why it is a thread. */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { NodeDisk } from '../io/fs/node-disk.js';
import { FolderInbox } from '../io/inbox/folder-inbox.js';
import { lookForWritersBy } from '../io/inbox/open-writers.js';
import { loadLibc } from '../io/libc/libc.js';
import { SystemTime } from '../io/time/system-time.js';
import { serveInbox } from '../tracks/inbox-client.js';
import { serveTrackStore } from '../tracks/track-client.js';
import { TrackStore } from '../tracks/track-store.js';
import { forwardingLog } from './forwarding-log.js';
import { waitForLog } from './log-pace.js';
import { slowDisk } from './slow-disk.js';
import type { IntakeThreadSetup } from './spawn-intake.js';

const { dataDir, inboxDir, commits, inbox } = workerData as IntakeThreadSetup;
const time = new SystemTime();

const store = new TrackStore(
  {
    disk: slowDisk(new NodeDisk({ root: dataDir }), process.env),
    time,
    pace: waitForLog(commits, () => performance.now()),
  },
  { scrubFrom: randomBytes(32).toString('hex') },
);
serveTrackStore(store, parentPort!);

const log = forwardingLog((line) => inbox.postMessage(line));
const lookForWriters = lookForWritersBy(loadLibc());
serveInbox(new FolderInbox({ time, log, lookForWriters }, { folder: inboxDir }), inbox);
