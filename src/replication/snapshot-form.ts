/** What a snapshot of a node is, as bytes: the state as of a slot with everything that consensus needs to go on from there. */
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import { type ClusterId, clusterId, type Slot, slot as slotOf } from '../core/ids.js';
import { readConfiguration, readId, writeConfiguration, writeId } from '../paxos/codec.js';
import type { Configuration } from '../paxos/configuration.js';
import { Sessions } from '../paxos/sessions.js';
import { SNAPSHOT_BYTES_MAX } from './frames.js';

const VERSION = 1;
const SESSIONS_BYTES_MAX = 32 << 20;

/** A node's state as of `slot`. Equal states give equal bytes on all nodes. */
export interface Snapshot {
  /** A snapshot of another cluster is refused. */
  readonly cluster: ClusterId;
  readonly slot: Slot;
  /** In which the slot after this one stands. */
  readonly configuration: Configuration;
  /** Highest stamp so far, nanoseconds. */
  readonly lastStampNs: bigint;
  /** Without it, what the log holds twice would be applied twice by whoever begins here. */
  readonly sessions: Sessions;
  /** What the handlers gave. */
  readonly state: Uint8Array;
}

/** The bytes of a snapshot. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const to = new ByteWriter();
  to.u8(VERSION);
  writeId(to, snapshot.cluster);
  to.varint(snapshot.slot);
  writeConfiguration(to, snapshot.configuration);
  to.u63(snapshot.lastStampNs);
  to.bytes(snapshot.sessions.encode());
  to.bytes(snapshot.state);
  return to.take();
}

/** What {@link encodeSnapshot} encoded. @throws TuttiError BAD_SNAPSHOT where it is none, or of another cluster */
export function decodeSnapshot(bytes: Uint8Array, cluster: ClusterId): Snapshot {
  let snapshot: Snapshot;
  try {
    const from = new ByteReader(bytes);
    const version = from.u8();
    if (version !== VERSION) from.refuse(`a snapshot of version ${VERSION} was expected, not ${version}`);
    snapshot = {
      cluster: clusterId(readId(from)),
      slot: slotOf(from.varint()),
      configuration: readConfiguration(from),
      lastStampNs: from.u63(),
      sessions: Sessions.decode(from.bytes(SESSIONS_BYTES_MAX)),
      state: from.bytes(SNAPSHOT_BYTES_MAX),
    };
    from.end();
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error;
    throw new TuttiError('BAD_SNAPSHOT', error.detail, {}, error);
  }
  if (snapshot.cluster !== cluster) {
    throw new TuttiError('BAD_SNAPSHOT', `It is of the cluster ${snapshot.cluster}, and this is ${cluster}.`);
  }
  return snapshot;
}
