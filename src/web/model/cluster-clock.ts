/**
 * Cluster time as the page keeps it. The clock of a phone is anything; the node's is what the music goes by.
 *
 * A probe brackets the node's time between two readings of this machine's monotonic clock: the node read its clock at some moment between
 * them, so the middle is wrong by half the round trip at most, however unequal the two ways are. The tightest bracket wins, and grows
 * wider with age, since crystals differ. What the stream says in passing bounds the time from one side only: it cannot be early.
 */
import { msBetween } from './instants.js';

/** One question for the time, as it was answered. */
export interface Probe {
  /** Monotonic local time, milliseconds. */
  readonly sentMs: number;
  readonly receivedMs: number;
  /** Cluster time, decimal nanoseconds. */
  readonly timeNs: string;
}

interface Bracket {
  /** Cluster milliseconds since the base, less local milliseconds. */
  readonly offsetMs: number;
  readonly errorMs: number;
  readonly takenMs: number;
}

/** What is known of cluster time. Immutable. */
export interface ClusterClock {
  /** Cluster times are counted from here, so that they fit a number. */
  readonly baseNs: bigint;
  readonly brackets: readonly Bracket[];
}

/** Two crystals drift apart by no more than this. Milliseconds for each millisecond. */
const DRIFT = 200e-6;
/** A word without a question: how late it may be. Milliseconds. */
const WORD_ERROR_MS = 300;
const BRACKETS_KEPT = 8;

const errorAt = ({ errorMs, takenMs }: Bracket, nowMs: number): number =>
  errorMs + DRIFT * Math.max(0, nowMs - takenMs);

function best({ brackets }: ClusterClock, nowMs: number): Bracket {
  return brackets.reduce((a, b) => (errorAt(b, nowMs) < errorAt(a, nowMs) ? b : a));
}

/** Takes a probe in. A bracket that contradicts it is from before a leap of cluster time, and goes. */
export function withProbe(clock: ClusterClock | null, { sentMs, receivedMs, timeNs }: Probe): ClusterClock {
  const baseNs = clock?.baseNs ?? BigInt(timeNs);
  const middleMs = (sentMs + receivedMs) / 2;
  const taken: Bracket = {
    offsetMs: msBetween(baseNs, timeNs) - middleMs,
    errorMs: (receivedMs - sentMs) / 2,
    takenMs: receivedMs,
  };
  const kept = (clock?.brackets ?? []).filter(
    (bracket) => Math.abs(bracket.offsetMs - taken.offsetMs) <= errorAt(bracket, receivedMs) + taken.errorMs,
  );
  return { baseNs, brackets: [taken, ...kept].slice(0, BRACKETS_KEPT) };
}

/** Takes in what the stream said of the time, heard at `heardMs`. It counts where nothing better is known, or where it refutes what is. */
export function withWord(clock: ClusterClock | null, timeNs: string, heardMs: number): ClusterClock {
  const baseNs = clock?.baseNs ?? BigInt(timeNs);
  const word: Bracket = { offsetMs: msBetween(baseNs, timeNs) - heardMs, errorMs: WORD_ERROR_MS, takenMs: heardMs };
  if (clock === null) return { baseNs, brackets: [word] };
  const known = best(clock, heardMs);
  const isRefuted = word.offsetMs > known.offsetMs + errorAt(known, heardMs);
  return isRefuted ? { baseNs, brackets: [word] } : clock;
}

/** Cluster time at `localMs`, milliseconds since the base. */
export const clusterMs = (clock: ClusterClock, localMs: number): number => localMs + best(clock, localMs).offsetMs;

/** An instant of the contract, milliseconds since the base. */
export const instantMs = ({ baseNs }: ClusterClock, timeNs: string): number => msBetween(baseNs, timeNs);

/** By how much cluster time may be wrong here, milliseconds. */
export const clockErrorMs = (clock: ClusterClock, localMs: number): number => errorAt(best(clock, localMs), localMs);
