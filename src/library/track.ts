/**
 * What the cluster knows of a track: facts read once from its file when it was taken in, and agreed. No node works them out again.
 */
import { type Static, Type } from 'typebox';
import type { NodeId, Slot, TrackId } from '../core/ids.js';

/** Encodings of a sample in a WAV file: signed whole numbers (8 bits: unsigned, as the format has it), or IEEE 754 floats. */
export const SampleFormat = Type.Union([
  Type.Literal('u8'),
  Type.Literal('s16'),
  Type.Literal('s24'),
  Type.Literal('s32'),
  Type.Literal('f32'),
  Type.Literal('f64'),
]);
export type SampleFormat = Static<typeof SampleFormat>;

/** What the samples of a WAV file are and where they begin: enough to read them without its header. */
export const AudioFormat = Type.Object({
  /** Frames a second, 8,000 to 192,000. */
  sampleRate: Type.Integer({ minimum: 8_000, maximum: 192_000 }),
  /** 1 to 8, interleaved in the order of the file. */
  channels: Type.Integer({ minimum: 1, maximum: 8 }),
  sample: SampleFormat,
  /** Offset of the first sample in the file, in bytes. */
  dataOffset: Type.Integer({ minimum: 0 }),
  /** Which speaker each channel is for: the bits of WAVEFORMATEXTENSIBLE's dwChannelMask, 0 where the file does not say. */
  channelMask: Type.Integer({ minimum: 0 }),
});
export type AudioFormat = Static<typeof AudioFormat>;

/** What the file says of itself (LIST INFO or id3), made fit to be shown: no control characters, and no field that says nothing. */
export const Tags = Type.Object({
  title: Type.Optional(Type.String()),
  artist: Type.Optional(Type.String()),
  album: Type.Optional(Type.String()),
  /** Place on the album, from 1. */
  number: Type.Optional(Type.Integer({ minimum: 1 })),
  date: Type.Optional(Type.String()),
  genre: Type.Optional(Type.String()),
});
export type Tags = Static<typeof Tags>;

/** How loud the whole track is, by which every node brings it to the same level. */
export const Loudness = Type.Object({
  /** Integrated loudness by ITU-R BS.1770-4, LUFS; null where every block is below the gate (silence, or under 400 ms). */
  integratedLufs: Type.Union([Type.Number(), Type.Null()]),
  /** Largest absolute sample, 1 = full scale; floats may exceed it. */
  samplePeak: Type.Number({ minimum: 0 }),
});
export type Loudness = Static<typeof Loudness>;

/**
 * How the file is cut into chunks, and the SHA-256 (64 digits) of its manifest: see chunks.ts. Tracks of the first command set have none:
 * their manifests are believed when the whole file turns out to be right.
 */
export const Chunks = Type.Object({
  /** Of each chunk but the last: a power of two. */
  bytes: Type.Integer({ minimum: 1, maximum: 4 << 20 }),
  root: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
export type Chunks = Static<typeof Chunks>;

/** A node that gave its word that it holds the bytes durably, and in which incarnation of its card. */
export const Holder = Type.Object({
  node: Type.Unsafe<NodeId>(Type.String()),
  incarnation: Type.String(),
  /** Slot in which the node had last taken its words back when it gave this one (`member.retract`); left out where it never had. */
  sinceSlot: Type.Optional(Type.Unsafe<Slot>(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }))),
});
export type Holder = Static<typeof Holder>;

/** A track as the log carries it. Fields that a newer version added are kept as they came. */
export const Track = Type.Object({
  id: Type.Unsafe<TrackId>(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  /** A wish: in the library it is distinct, without control characters and without a trailing ".wav" (title.ts). */
  title: Type.String({ minLength: 1 }),
  /** The name under which it was handed in: a label, never a path. */
  fileName: Type.String(),
  format: AudioFormat,
  /** Size of the file. */
  bytes: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  /** Length in sample frames at its own rate; at least 1. */
  frames: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  chunks: Type.Optional(Chunks),
  tags: Tags,
  loudness: Loudness,
  /** How it came in, and by which node. */
  source: Type.Object({
    node: Type.Unsafe<NodeId>(Type.String()),
    via: Type.Union([Type.Literal('http'), Type.Literal('inbox')]),
  }),
  /** The proof of durability at the slot that added it; never changed later. */
  holders: Type.Array(Holder),
  /** Wall-clock time of the taking node, milliseconds since 1970: for display, never for decisions. */
  addedAt: Type.Integer({ minimum: 0 }),
  /** No node has a good copy of the file any more. Of a track in the library only; whoever adds one has no say in it. */
  lost: Type.Optional(Type.Boolean()),
});
export type Track = Static<typeof Track>;
