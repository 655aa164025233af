/**
 * Admission: how a node that is no member yet comes in.
 *
 * It holds the cluster's key, and nothing else: so it knocks at any member, says who it is, and waits. The member has the change of members agreed
 * like any other, and answers with the cluster's id and the configuration in which the new one is a learner. With these the
 * newcomer makes its store, and begins with an empty log: the leader, who finds it among the members, tells it the rest. A newcomer that
 * crashed before its store was made knocks again, and is let in as the same.
 *
 * A card that was lost or wiped comes in as a new node, by `replace`: to take the place of a member, which leaves as soon as the new one holds
 * what it had to hold (changes.ts). It
 * never gets that one's id: what the old card promised and accepted, the new one does not know, and must not speak for.
 */
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import { type ClusterId, clusterId, type NodeId } from '../core/ids.js';
import { readConfiguration, readId, writeConfiguration, writeId } from '../paxos/codec.js';
import type { Configuration } from '../paxos/configuration.js';
import type { Knocker } from '../ports/peer-link.js';
import { readIdentity, writeIdentity } from './frames.js';
import type { MemberChange, MemberIdentity } from './replicated-log.js';

/** The form of what is said at the door. */
const VERSION = 1;
const NAME_BYTES_MAX = 255;

/** Who wants to come in. */
export interface Knock {
  readonly member: MemberIdentity;
  /** Name (as people are shown it now) or id of the member in whose place it comes; null where it is one more. */
  readonly replace: string | null;
}

/** What a newcomer needs to make its store. */
export interface Admitted {
  readonly cluster: ClusterId;
  /** With the newcomer as a learner. */
  readonly configuration: Configuration;
}

/** Whom to ask, and how. */
export interface JoinInit extends Knock {
  /** "host:port" of members, asked in turn until one lets this node in. At least one. */
  readonly addresses: readonly string[];
  /** The cluster's: 32 bytes. */
  readonly key: Uint8Array;
  readonly signal?: AbortSignal;
}

/**
 * Knocks until somebody opens.
 * @throws TuttiError what the last one said: PEER_UNREACHABLE, KEY_REFUSED, NO_QUORUM, OUTCOME_UNKNOWN, BUSY, NODE_NOT_FOUND and
 * AMBIGUOUS_NAME of `replace`, BAD_REQUEST, BAD_ANSWER, PEER_TOO_OLD
 */
export async function join(components: { readonly knocker: Knocker }, init: JoinInit): Promise<Admitted> {
  const request = encodeKnock(init);
  let failure: unknown = new TuttiError('BAD_REQUEST', 'No address of a member was given.');
  for (const address of init.addresses) {
    try {
      const { key, signal } = init;
      const answer = await components.knocker.knock(address, request, { key, ...(signal && { signal }) });
      return decodeAdmitted(answer);
    } catch (error) {
      failure = error;
      if (init.signal?.aborted) break;
    }
  }
  throw failure;
}

/**
 * What a member has to do for one who knocks. `nameOf`: what a node calls itself by now; null where it has not said so, and goes by the name with
 * which it was let in. @throws TuttiError NODE_NOT_FOUND, AMBIGUOUS_NAME
 */
export function changeFor(
  { member, replace }: Knock,
  { members }: Configuration,
  nameOf: (node: NodeId) => string | null,
): MemberChange {
  if (replace === null) return { type: 'add', member };
  const others = members.filter(({ node }) => node !== member.node);
  const byId = others.find(({ node }) => node === replace);
  const byName = others.filter(({ node, name }) => (nameOf(node) ?? name) === replace);
  if (byId === undefined && byName.length > 1) {
    const ids = byName.map(({ node }) => node).join(', ');
    throw new TuttiError('AMBIGUOUS_NAME', `${byName.length} members are called ${replace}; their ids are ${ids}`);
  }
  const old = byId ?? byName[0];
  if (old !== undefined) return { type: 'replace', old: old.node, member };
  // It was replaced already, by this very node, which did not hear so.
  if (members.some(({ node }) => node === member.node)) return { type: 'add', member };
  throw new TuttiError('NODE_NOT_FOUND', `No member is called ${replace}, nor has that id.`);
}

/** A knock as bytes. */
export function encodeKnock({ member, replace }: Knock): Uint8Array {
  const to = new ByteWriter();
  to.u8(VERSION);
  writeIdentity(to, member);
  to.flag(replace !== null);
  if (replace !== null) to.text(replace);
  return to.take();
}

/** What {@link encodeKnock} encoded. @throws TuttiError BAD_FRAME */
export function decodeKnock(bytes: Uint8Array): Knock {
  const from = new ByteReader(bytes);
  checkVersion(from);
  const knock = { member: readIdentity(from), replace: from.flag() ? from.text(NAME_BYTES_MAX) : null };
  from.end();
  return knock;
}

/** The answer to a knock as bytes. */
export function encodeAdmitted({ cluster, configuration }: Admitted): Uint8Array {
  const to = new ByteWriter();
  to.u8(VERSION);
  writeId(to, cluster);
  writeConfiguration(to, configuration);
  return to.take();
}

/** What {@link encodeAdmitted} encoded. @throws TuttiError BAD_FRAME */
export function decodeAdmitted(bytes: Uint8Array): Admitted {
  const from = new ByteReader(bytes);
  checkVersion(from);
  const admitted = { cluster: clusterId(readId(from)), configuration: readConfiguration(from) };
  from.end();
  return admitted;
}

function checkVersion(from: ByteReader): void {
  const version = from.u8();
  if (version !== VERSION) from.refuse(`version ${VERSION} was expected, not ${version}`);
}
