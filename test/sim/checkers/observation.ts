/**
 * Observations: all that a simulation tells its checkers, in the order in which it happened in true time.
 *
 * A *process* is one life of one node, from its start to its end; the same card goes through many of them.
 */
import type { ErrorCode } from '../../../src/core/errors.js';
import type { Ballot } from '../../../src/paxos/ballot.js';

/** One life of a node: numbers rise with true time. */
export type ProcessId = number;

/** Something that happened. Slots, batches and rounds are plain numbers here. */
export type Observation =
  /** A process began on a card. `imaged`: the card was overwritten with an older image of itself since it last ran. */
  | {
      readonly type: 'started';
      readonly process: ProcessId;
      readonly node: string;
      readonly card: string;
      readonly imaged: boolean;
    }
  /** What the process found on its card. */
  | {
      readonly type: 'recovered';
      readonly process: ProcessId;
      readonly promised: Ballot;
      readonly accepted: readonly { readonly slot: number; readonly ballot: Ballot }[];
      /** Slots of which it knows that it has lost what it held. */
      readonly unknown: readonly number[];
      readonly base: number;
      readonly chosenUpTo: number;
    }
  /** The store told the process that this is durable. */
  | {
      readonly type: 'durable';
      readonly process: ProcessId;
      readonly promised: Ballot | null;
      readonly accepted: readonly { readonly slot: number; readonly ballot: Ballot }[];
    }
  /** A snapshot took the place of the log up to `base`. */
  | { readonly type: 'installed'; readonly process: ProcessId; readonly base: number }
  /** Words left the process that say what its card holds. */
  | { readonly type: 'promised'; readonly process: ProcessId; readonly ballot: Ballot }
  | { readonly type: 'accepted'; readonly process: ProcessId; readonly ballot: Ballot; readonly upTo: number }
  /** `propose` was called with these bytes. */
  | { readonly type: 'proposed'; readonly payload: string }
  /** A slot was applied, or passed over. `value` is all that agreement is about: stamps, payload, members. */
  | {
      readonly type: 'applied';
      readonly process: ProcessId;
      readonly slot: number;
      readonly value: string;
      /** Null where the slot holds no command. */
      readonly stampNs: bigint | null;
      /** The command's bytes; null where the slot holds none. */
      readonly payload: string | null;
      /** Idempotency key that took effect with this entry and no other; null where none did. */
      readonly effectOf: string | null;
    }
  /** A command was applied for the first time anywhere; these voted in its slot. */
  | { readonly type: 'chosen'; readonly slot: number; readonly voters: readonly string[] }
  /** A track was agreed, or voters changed while it was there: those of the voters whose cards have its file. */
  | {
      readonly type: 'track-counted';
      readonly why: 'chosen' | 'voters';
      readonly slot: number;
      readonly track: string;
      readonly voters: readonly string[];
      readonly holders: readonly string[];
    }
  /** Somebody was told that the file is safe, and a track since `slot`. */
  | { readonly type: 'uploaded'; readonly track: string; readonly slot: number }
  | { readonly type: 'track-removed'; readonly track: string; readonly slot: number }
  /** What the library holds at the end. */
  | { readonly type: 'library'; readonly tracks: readonly string[] }
  /** A node held a track, or let somebody hear it: `found` is the id that the bytes would have, null where there are none. */
  | {
      readonly type: 'seen';
      readonly process: ProcessId;
      readonly how: 'holds' | 'plays';
      readonly track: string;
      readonly found: string | null;
    }
  /** A snapshot took the place of the state. */
  | { readonly type: 'restored'; readonly process: ProcessId; readonly slot: number }
  /** The state's bytes as of `slot`, in short. */
  | { readonly type: 'state'; readonly process: ProcessId; readonly slot: number; readonly hash: string }
  /** A client was told that its command stands in `slot`. */
  | { readonly type: 'acknowledged'; readonly payload: string; readonly slot: number }
  | { readonly type: 'read-began'; readonly read: number }
  /** `slot`: what the barrier gave; `seen`: the state that was read. */
  | { readonly type: 'read-ended'; readonly read: number; readonly slot: number; readonly seen: number }
  /** Who says at this instant that it holds the leader's lease. */
  | { readonly type: 'lease'; readonly holders: readonly string[] }
  /** What a process takes for cluster time; `lineIsKnown` once it has heard of it. */
  | {
      readonly type: 'clock';
      readonly process: ProcessId;
      readonly clusterNs: bigint;
      readonly trueNs: bigint;
      readonly epoch: number;
      readonly lineIsKnown: boolean;
    }
  /** A process ended by itself. `causes`: errors for which its world had given cause. */
  | {
      readonly type: 'ended';
      readonly process: ProcessId;
      readonly error: Error;
      readonly causes: readonly ErrorCode[];
    }
  /** Faults are over and everyone has had time to catch up: who has applied how much. */
  | { readonly type: 'converged'; readonly nodes: readonly { readonly process: ProcessId; readonly slot: number }[] }
  /** Nothing was asked of the house for a while: what its disks had to write meanwhile. */
  | { readonly type: 'idle'; readonly seconds: number; readonly writes: number; readonly syncs: number };

/** Watches for one kind of wrong. */
export interface Checker {
  readonly name: string;
  /** What is wrong, in a sentence; undefined where all is well. */
  observe(observation: Observation): string | undefined;
}
