/**
 * Quantities: what a number counts is part of its type.
 *
 * Times are nanoseconds in a `bigint`: a double is exact only up to 104 days of them, and a house plays for years. Two kinds of time
 * never mix: `LocalTime` is one machine's monotonic clock, `ClusterTime` is what the nodes agree on.
 */
import type { Brand } from './brand.js';

/** A span of time in nanoseconds; may be negative. */
export type Nanos = Brand<bigint, 'Nanos'>;
/** An instant of this machine's CLOCK_MONOTONIC_RAW, in nanoseconds since an arbitrary start. Never crosses the network. */
export type LocalTime = Brand<bigint, 'LocalTime'>;
/** An instant that all nodes agree on, in nanoseconds since the cluster began. Never steps, never runs backwards. */
export type ClusterTime = Brand<bigint, 'ClusterTime'>;
/** A count of sample frames (one sample per channel), at the rate of the thing that it counts. A whole number from 0. */
export type Frames = Brand<number, 'Frames'>;

/** Names `value` a span of nanoseconds. */
export const nanos = (value: bigint): Nanos => value as Nanos;
/** Names `value` an instant of this machine. */
export const localTime = (value: bigint): LocalTime => value as LocalTime;
/** Names `value` an instant of the cluster. */
export const clusterTime = (value: bigint): ClusterTime => value as ClusterTime;
/** Names `value` a count of frames. */
export const frames = (value: number): Frames => value as Frames;

/** Nanoseconds in a second, for whole-number arithmetic on times. */
export const NS_PER_S = 1_000_000_000n;
/** Nanoseconds in a millisecond. */
export const NS_PER_MS = 1_000_000n;

/** `ms` milliseconds as nanoseconds; fractions of a nanosecond are dropped. */
export const nanosFromMs = (ms: number): Nanos => BigInt(Math.trunc(ms * 1e6)) as Nanos;

/** `at` moved by `by`, in the clock of `at`. */
export const addTime = <T extends LocalTime | ClusterTime>(at: T, by: bigint): T => (at + by) as T;

/** The later of two instants of one clock. */
export const laterOf = <T extends LocalTime | ClusterTime>(a: T, b: T): T => (a > b ? a : b);

/** The earlier of two instants of one clock. */
export const earlierOf = <T extends LocalTime | ClusterTime>(a: T, b: T): T => (a < b ? a : b);
