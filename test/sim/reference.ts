/**
 * Reference: the state machine that no fault strikes.
 *
 * It is fed once with each slot, by whichever process gets there first, and never restored from anything: what it says of an entry, and the
 * state that it comes to, all others are held against.
 */
import { Cluster } from '../../src/cluster/cluster.js';
import { decodeProposal } from '../../src/cluster/codec.js';
import type { Command } from '../../src/cluster/command.js';
import type { NodeId, Slot, TrackId } from '../../src/core/ids.js';
import type { ReadonlyLibrary } from '../../src/library/library.js';
import type { LogEntry } from '../../src/replication/replicated-log.js';
import type { ProcessId } from './checkers/observation.js';
import type { House } from './house.js';
import { type Identity, textOf } from './machine.js';
import { HASH_EVERY_SLOTS, hashOf } from './tapped-log.js';
import type { Trace } from './trace.js';
import type { TrackLedger } from './track-ledger.js';
import type { Witness } from './witness.js';

/** Under which its states are told to the checkers: it counts as a process of its own. */
const REFERENCE_PROCESS: ProcessId = 0;

/** What a reference works with. */
export interface ReferenceComponents {
  readonly house: House;
  readonly ledger: TrackLedger;
  readonly witness: Witness;
  /** Null where nobody reads it. */
  readonly trace: Trace | null;
}

/** One entry for checkers. */
interface Words {
  readonly entry: LogEntry;
  readonly text: string;
  /** All that agreement is about. */
  readonly value: string;
}

/** Learns of everything that processes apply, and tells the checkers what is to be thought of it. */
export class Reference {
  readonly #parts: ReferenceComponents;
  readonly #cluster = Cluster.empty();
  /** What was applied last in each slot. */
  readonly #words = new Map<number, Words>();
  #founders: readonly Identity[] = [];

  constructor(components: ReferenceComponents) {
    this.#parts = components;
  }

  /** The house was formed just now: these vote in its first configuration, of which the log does not say who votes. */
  begin(founders: readonly Identity[]): void {
    this.#founders = founders;
  }

  /** Highest slot that anybody has applied. */
  get appliedSlot(): Slot {
    return this.#cluster.appliedSlot;
  }

  /** The tracks that were agreed on. */
  get library(): ReadonlyLibrary {
    return this.#cluster.library;
  }

  /** A process has applied an entry. */
  applied(process: ProcessId, entry: LogEntry): void {
    const { house, witness, trace } = this.#parts;
    const { slot, stampNs, leadNs, voters: slotVoters, payload } = entry;
    if (trace !== null) {
      const { command } = decodeProposal(payload);
      trace.line(`p${process}`, `applies slot ${slot} of ${stampNs}: ${JSON.stringify(command, asText)}`);
    }
    let effectOf: string | null = null;
    if (this.#isNext(slot)) {
      const proposal = decodeProposal(payload);
      const outcome = this.#cluster.apply({ slot, stampNs, leadNs, voters: slotVoters, ...proposal });
      const tookEffect = outcome.ok && outcome.slot === slot;
      if (tookEffect) effectOf = proposal.origin.key ?? null;
      const voters = nodesOf(house.membersAt(process).filter(({ voter }) => voter));
      if (voters.length > 0) witness.observe({ type: 'chosen', slot, voters });
      if (tookEffect) this.#noteTrack(proposal.command, entry);
      this.#noteState();
    }
    const { value, text } = this.#wordsOf(entry);
    witness.observe({ type: 'applied', process, slot, value, stampNs, payload: text, effectOf });
  }

  /** A process has passed over a slot that holds no command; `members` where they vote from here on. */
  passed(process: ProcessId, slot: Slot, members: readonly NodeId[] | undefined): void {
    const { trace, witness } = this.#parts;
    if (this.#isNext(slot)) {
      this.#cluster.pass(slot, members && new Set(members));
      this.#noteState();
      if (members !== undefined) this.#noteVoters(process, slot);
    }
    trace?.line(`p${process}`, `passes slot ${slot}`);
    const value = members === undefined ? 'nothing' : `members ${members.join(' ')}`;
    witness.observe({ type: 'applied', process, slot, value, stampNs: null, payload: null, effectOf: null });
  }

  /** Tells the checkers the state that it has. */
  hashState(): void {
    const slot = this.appliedSlot;
    const hash = hashOf(this.#cluster.snapshot());
    this.#parts.witness.observe({ type: 'state', process: REFERENCE_PROCESS, slot, hash });
  }

  #isNext(slot: Slot): boolean {
    return slot === this.appliedSlot + 1;
  }

  #noteState(): void {
    if (this.appliedSlot % HASH_EVERY_SLOTS === 0) this.hashState();
  }

  #noteTrack(command: Command, { slot, voters }: LogEntry): void {
    const { witness } = this.#parts;
    if (command.type === 'track.remove') witness.observe({ type: 'track-removed', track: command.trackId, slot });
    else if (command.type === 'track.add' && command.track.chunks !== undefined)
      this.#countTrack('chosen', slot, command.track.id, voters.length === 0 ? this.#founders : voters);
  }

  /** Others vote from here on. */
  #noteVoters(process: ProcessId, slot: Slot): void {
    const voters = this.#parts.house.membersAt(process).filter(({ voter }) => voter);
    if (voters.length === 0) return;
    for (const { id, lost } of this.library.list()) if (lost !== true) this.#countTrack('voters', slot, id, voters);
  }

  #countTrack(why: 'chosen' | 'voters', slot: Slot, track: TrackId, voters: readonly Identity[]): void {
    const { ledger, witness } = this.#parts;
    const holders = nodesOf(ledger.counting(voters, track));
    witness.observe({ type: 'track-counted', why, slot, track, voters: nodesOf(voters), holders });
  }

  /** What it holds, as texts: the same ones as for the first entry that was the same there, which costs least to compare. */
  #wordsOf(entry: LogEntry): Words {
    const { slot, stampNs, leadNs, payload } = entry;
    const known = this.#words.get(slot);
    if (known !== undefined && isSame(known.entry, entry)) return known;
    const text = textOf(payload);
    const words = { entry, text, value: `${stampNs} ${leadNs} ${namesOf(entry)} ${text}` };
    this.#words.set(slot, words);
    return words;
  }
}

const isSame = (a: LogEntry, b: LogEntry): boolean =>
  a.stampNs === b.stampNs &&
  a.leadNs === b.leadNs &&
  namesOf(a) === namesOf(b) &&
  Buffer.compare(a.payload, b.payload) === 0;

const nodesOf = (some: readonly Pick<Identity, 'node'>[]): NodeId[] => some.map(({ node }) => node);

const namesOf = ({ voters }: LogEntry): string => nodesOf(voters).join(' ');

/** For JSON, which knows no bigint; and what only fills pages is told by its length. */
const asText = (key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${value}` : key === 'padding' ? (value as string).length : value;
