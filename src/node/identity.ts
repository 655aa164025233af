/** Who this node is: made at its first start, and kept on its card for life. */
import { TuttiError } from '../core/errors.js';
import { type Incarnation, isRandomId, type NodeId, nodeId } from '../core/ids.js';
import type { Disk } from '../ports/disk.js';
import type { Random } from '../ports/random.js';
import { writeDurably } from '../tracks/durable-write.js';

const FILE = 'node.json';
/** Two ids in JSON; anything longer is not ours. Bytes. */
const BYTES_MAX = 4_096;

/** What tells this node and its card from all others: two random ids of 32 hexadecimal digits, in `node.json` of the data directory. */
export interface Identity {
  readonly node: NodeId;
  /** Of this card. */
  readonly incarnation: Incarnation;
}

/** 32 hexadecimal digits. */
export const randomId = (random: Random): string => Buffer.from(random.bytes(16)).toString('hex');

/**
 * Reads the identity, or makes one on a card that has none.
 * @throws TuttiError DISK_FAILED where there is one that cannot be read: a new one would be another node
 */
export function loadIdentity(disk: Disk, random: Random): Identity {
  if (disk.exists(FILE)) return readIdentity(disk);
  const identity = { node: nodeId(randomId(random)), incarnation: randomId(random) as Incarnation };
  writeDurably(disk, `${FILE}.new`, '', FILE, new TextEncoder().encode(`${JSON.stringify(identity)}\n`));
  return identity;
}

function readIdentity(disk: Disk): Identity {
  const file = disk.open(FILE, 'read');
  const bytes = new Uint8Array(BYTES_MAX);
  const text = new TextDecoder().decode(bytes.subarray(0, file.read(bytes, 0)));
  file.close();
  try {
    const { node, incarnation } = JSON.parse(text) as Record<string, unknown>;
    if (isId(node) && isId(incarnation)) return { node: nodeId(node), incarnation: incarnation as Incarnation };
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
  }
  throw new TuttiError('DISK_FAILED', `${FILE} in the data directory does not hold this node's identity any more`);
}

const isId = (value: unknown): value is string => typeof value === 'string' && isRandomId(value);
