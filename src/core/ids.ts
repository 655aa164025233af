/** Identities: text and counters that name one thing each, and cannot be taken for one another. */
import type { Brand } from './brand.js';

/** A cluster: 32 hexadecimal digits, random, made by `tutti init`. */
export type ClusterId = Brand<string, 'ClusterId'>;
/** A node: 32 hexadecimal digits, random, made at its first start and kept for life. */
export type NodeId = Brand<string, 'NodeId'>;
/** One formatting of a node's card: 32 hexadecimal digits, random. A wiped card is another incarnation. */
export type Incarnation = Brand<string, 'Incarnation'>;
/** One start of a node's process: 32 hexadecimal digits, random. */
export type BootId = Brand<string, 'BootId'>;
/** A track: the SHA-256 of its file's bytes, 64 lower-case hexadecimal digits. */
export type TrackId = Brand<string, 'TrackId'>;
/** One place in the queue. Unique for the life of the cluster; the same on every node. */
export type ItemId = Brand<string, 'ItemId'>;
/** A place in the replicated log: a whole number from 1. */
export type Slot = Brand<number, 'Slot'>;

const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_64 = /^[0-9a-f]{64}$/;

/** Names `text` a node’s id; the shape is for {@link isRandomId} to check. */
export const nodeId = (text: string): NodeId => text as NodeId;
/** Names `text` a cluster’s id, unchecked. */
export const clusterId = (text: string): ClusterId => text as ClusterId;
/** Names `text` a track’s id; the shape is for {@link isTrackId} to check. */
export const trackId = (text: string): TrackId => text as TrackId;
/** Names `text` a queue item’s id, unchecked. */
export const itemId = (text: string): ItemId => text as ItemId;
/** Names `value` a place in the log, unchecked. */
export const slot = (value: number): Slot => value as Slot;

/** True for text that has a track id's shape; says nothing of whether the track exists. */
export const isTrackId = (text: string): text is TrackId => HEX_64.test(text);

/** True for text that has the shape of a node's, a cluster's, a boot's or an incarnation's id. */
export const isRandomId = (text: string): boolean => HEX_32.test(text);
