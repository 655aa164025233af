/**
 * A proposal as bytes in the log, and back.
 *
 * The bytes are a MessagePack map `{command, origin, v}`. `v` is the command set from which on nodes understand the command whole: a node
 * that meets a higher one than its own must stop, since applying half of a command would make its state another than everyone's.
 * test/golden/commands.txt holds the bytes of every command: what is in there is in the logs of houses, and never changes.
 */
import { InvariantError } from '../core/assert.js';
import { TuttiError } from '../core/errors.js';
import { COMMAND_VERSION, type Proposal, versionOf } from './command.js';
import { pack, unpack } from './messagepack.js';

/** Longest encoded proposal. The longest sensible one, 5,000 tracks for the queue, takes 330 kB. Bytes. */
export const PROPOSAL_BYTES_MAX = 512 * 1024;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Equal proposals give equal bytes, whatever the order of their fields. @throws TuttiError BODY_TOO_LARGE above {@link PROPOSAL_BYTES_MAX}. */
export function encodeProposal(proposal: Proposal): Uint8Array {
  const bytes = pack({ ...proposal, v: versionOf(proposal.command) });
  if (bytes.length > PROPOSAL_BYTES_MAX) {
    const detail = `the command takes ${bytes.length} bytes; at most ${PROPOSAL_BYTES_MAX} fit into the log`;
    throw new TuttiError('BODY_TOO_LARGE', detail, { bytes: bytes.length, bytesMax: PROPOSAL_BYTES_MAX });
  }
  return bytes;
}

/**
 * The proposal in these bytes, with all fields that a newer version added. Only the envelope is checked: whether the command has its
 * form is for `Cluster.apply` to say, so that every node refuses it in the same way.
 * @throws TuttiError BAD_REQUEST where the bytes hold no proposal.
 * @throws InvariantError for a command of a newer command set than this build's: it must not be passed over.
 */
export function decodeProposal(bytes: Uint8Array): Proposal {
  if (bytes.length > PROPOSAL_BYTES_MAX) {
    throw new TuttiError('BAD_REQUEST', `${bytes.length} bytes are more than a proposal can have`);
  }
  const value = unpack(bytes);
  if (!isObject(value) || !isObject(value.command) || !isObject(value.origin)) {
    throw new TuttiError('BAD_REQUEST', 'a proposal is a map with the maps "command" and "origin"');
  }
  const { v, ...proposal } = value;
  if (typeof v !== 'number') throw new TuttiError('BAD_REQUEST', 'a proposal names its command set as a number "v"');
  if (v > COMMAND_VERSION) {
    throw new InvariantError(
      `the log holds a command of set ${v}, and this build knows ${COMMAND_VERSION}: upgrade it`,
    );
  }
  return proposal as unknown as Proposal;
}
