/** The log's thread: owns log, ring, superblock and snapshots. It blocks, on the disk or on the flag that wakes it, and does nothing else. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { NodeDisk } from '../io/fs/node-disk.js';
import { serveLogStore } from '../replication/log-thread.js';
import { STORE_LIMITS } from '../storage/limits.js';
import { slowDisk } from './slow-disk.js';
import type { LogThreadSetup } from './spawn-log.js';

const { dataDir, port, flag, limits = STORE_LIMITS } = workerData as LogThreadSetup;

serveLogStore(
  {
    disk: slowDisk(new NodeDisk({ root: dataDir }), process.env),
    flag,
    port: {
      receive: () => receiveMessageOnPort(port)?.message as unknown,
      postMessage: (message) => port.postMessage(message),
    },
  },
  { limits },
);
port.close();
