/** What the cluster has agreed on about each node: who it says it is, and how it is to sound. Votes and roles are the log's own matter. */
import type { BootId, Incarnation, NodeId, Slot } from '../core/ids.js';
import type { OutputChannels } from '../core/output-channels.js';
import { compareText } from '../library/title.js';
import type { CommandOf } from './command.js';
import { FULL_LEVEL, type Level } from './volume.js';

/** A node as it described itself, with the fields that a newer version added. */
export type Description = Omit<CommandOf<'node.describe'>, 'type' | 'node'>;

/** A node, by what it said and what was set for it: an immutable value, the same on every node. */
export interface Member {
  readonly node: NodeId;
  /** Null until it has described itself. */
  readonly description: Description | null;
  /** The latest start of its process that the log knows of; null where there is none. */
  readonly boot: { readonly incarnation: Incarnation; readonly bootId: BootId } | null;
  /** Slot in which it last took back its words on files. Left out where it never has, as builds that do not know this leave it out. */
  readonly retractedIn?: Slot;
  readonly level: Level;
  /** What was set from afar; null where the node's own configuration holds. Microseconds; see OutputChannels. */
  readonly output: { readonly latencyUs: number | null; readonly channels: OutputChannels | null };
}

/** A node of which nothing is known yet. */
export const newMember = (node: NodeId): Member => ({
  node,
  description: null,
  boot: null,
  level: FULL_LEVEL,
  output: { latencyUs: null, channels: null },
});

/** Members by id: an order that no map's history can change. */
export const byNode = (a: Member, b: Member): number => compareText(a.node, b.node);

/** The newest command set that every described member knows; 1 where none is described. */
export function leastCommandVersion(members: Iterable<Member>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { description } of members) {
    if (description !== null) least = Math.min(least, description.commandVersion);
  }
  return Number.isFinite(least) ? least : 1;
}
