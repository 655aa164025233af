/**
 * TrackSafety: what a change of members would do to the tracks of the house, and which of them are gone for good.
 *
 * The nodes concerned are asked each time. What they reported earlier is of then, and a card may have lost since what it held. The arithmetic
 * is in library/holding.ts; who asks, when, and how often, is replication's (gate.ts) for a change that is wanted, and the node's own for what
 * a person has given up.
 */
import type { NodeId, TrackId } from '../core/ids.js';
import { majorityOf } from '../core/majority.js';
import { type Lack, tracksAtRisk, tracksLost } from '../library/holding.js';
import type { GateAnswer, GateQuestion } from '../replication/gate.js';
import type { LogMember, SlotVoter } from '../replication/replicated-log.js';
import type { AgreedState } from './agreement.js';

/** Names that an answer spells out; the rest is counted. An answer has to fit into one message, 2,000 bytes. */
const NAMES_MAX = 3;
/** And characters of each. */
const NAME_LENGTH_MAX = 60;

/**
 * Asks these members, each with the card that it takes part with, which of these tracks they lack on it: the file is not there, whole, verified
 * and durable. Resolves within two seconds; who has not answered by then is left out, and so is whoever has another card.
 */
export type AskLacks = (
  members: readonly SlotVoter[],
  tracks: readonly TrackId[],
) => Promise<ReadonlyMap<NodeId, Lack>>;

/** What safety is judged by. */
export interface TrackSafetyComponents {
  /** As it is agreed now. */
  readonly cluster: () => Pick<AgreedState, 'library' | 'member'>;
  readonly ask: AskLacks;
}

/** Judges by what is agreed now, and by what nodes say now. */
export class TrackSafety {
  readonly #cluster: TrackSafetyComponents['cluster'];
  readonly #ask: AskLacks;

  constructor({ cluster, ask }: TrackSafetyComponents) {
    this.#cluster = cluster;
    this.#ask = ask;
  }

  /** Open where every track is on a majority of those of `members` that vote; else TRACKS_AT_RISK, and which are not. */
  readonly gate: GateQuestion = async (members): Promise<GateAnswer> => {
    const tracks = this.#tracks();
    if (tracks.length === 0) return { isOpen: true };
    const voters = members.filter(({ voter }) => voter);
    const ids = voters.map(({ node }) => node);
    const lacks = await this.#ask(voters, tracks);
    const atRisk = tracksAtRisk(tracks, lacks, ids);
    if (atRisk.length === 0) return { isOpen: true };
    const silent = ids.filter((node) => (lacks.get(node) ?? 'unknown') === 'unknown');
    const nameOf = (node: NodeId) =>
      this.#cluster().member(node)?.description?.name ?? voters.find((voter) => voter.node === node)!.name;
    const one = atRisk.length === 1;
    const detail =
      `${one ? '1 track' : `${atRisk.length} tracks`} would be on fewer than ${majorityOf(ids.length)} of the ${ids.length} nodes that vote then: ` +
      `${someOf(atRisk.map((id) => this.#titleOf(id)))}.` +
      (silent.length === 0 ? '' : ` Nothing was heard of what these have: ${someOf(silent.map(nameOf))}.`);
    return { isOpen: false, code: 'TRACKS_AT_RISK', detail };
  };

  /** The tracks that nobody has any more; none where somebody cannot be asked, who may have them all. */
  async lost(members: readonly LogMember[]): Promise<readonly TrackId[]> {
    const tracks = this.#tracks();
    if (tracks.length === 0) return [];
    const lacks = await this.#ask(members, tracks);
    return tracksLost(
      tracks,
      lacks,
      members.map(({ node }) => node),
    );
  }

  /** Those that are not given up yet: of the others no node has a copy that could be kept safe. */
  #tracks(): readonly TrackId[] {
    const tracks = this.#cluster().library.list();
    return tracks.filter(({ lost }) => lost !== true).map(({ id }) => id);
  }

  #titleOf(id: TrackId): string {
    return this.#cluster().library.get(id)?.title ?? id;
  }
}

/** The first names, each in quotes, and how many more there are. */
function someOf(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).map((name) => JSON.stringify(name.slice(0, NAME_LENGTH_MAX)));
  const more = names.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`;
}
