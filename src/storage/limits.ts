/** Sizes of a store. What is on the disk keeps the sizes that it was formatted with; these are for new ones. */

/** The page of page caches, and the least that flash and disks write whole. Everything in a store begins at one. Bytes. */
export const PAGE_BYTES = 4_096;

/** How large the parts of a store are. */
export interface StoreLimits {
  /** One file of the log: what the largest batch may take. A multiple of {@link PAGE_BYTES}. */
  readonly segmentBytes: number;
  /** Files of the log. */
  readonly segments: number;
  /** Pages of the identifier ring: batches that can be live at once. */
  readonly ringPages: number;
  /** From one copy of the superblock to the next in the same file. Bytes, at least {@link SUPERBLOCK_BYTES_MAX}. */
  readonly superblockGapBytes: number;
  /** Kept for the snapshots of a disk that is full. Bytes; 0 for none. */
  readonly ballastBytes: number;
}

/**
 * Of a real node. A quiet house commits one page at a time: ring and log hold about 8,000 such batches, of which half are taken when a
 * snapshot is due. The gap is two erase blocks of a common SD card, so that one that dies in a power cut takes one copy with it.
 */
export const STORE_LIMITS: StoreLimits = {
  segmentBytes: 1 << 20,
  segments: 32,
  ringPages: 8_192,
  superblockGapBytes: 8 << 20,
  ballastBytes: 64 << 20,
};

/** What a new store takes on the disk, with its ballast and without snapshots. Bytes. */
export const storeBytes = (limits: StoreLimits): number =>
  limits.segments * limits.segmentBytes +
  limits.ringPages * PAGE_BYTES +
  2 * (limits.superblockGapBytes + SUPERBLOCK_BYTES_MAX) +
  limits.ballastBytes;

/** Records of any batch. */
export const BATCH_RECORDS_MAX = 1_024;
/**
 * Records of one batch in a store with such a ring, and so the slots that a lost batch can have held above the highest that is known. They are
 * unknown until others stand in their place, one a batch perhaps, and until then the log cannot be recycled: it must have room for that.
 */
export const batchRecordsMax = (ringPages: number): number =>
  Math.max(1, Math.min(BATCH_RECORDS_MAX, Math.floor(ringPages / 4)));
/** Ranges of slots of one batch: each takes at most 100 bytes, and its identifier is one page. */
export const BATCH_RANGES_MAX = 36;
/** Largest encoded configuration. Bytes. */
export const CONFIGURATION_BYTES_MAX = 64 << 10;
/** Largest table of cards. Bytes. */
export const CARDS_BYTES_MAX = 4 << 10;
/** Starts that the superblock names. Of a longer chain the oldest stays, by which peers know the card, and the latest. */
export const BOOTS_MAX = 1_024;
/** Room for one copy of the superblock, all of the above at their largest; most often it is one page. Bytes. */
export const SUPERBLOCK_BYTES_MAX = 128 << 10;
/** No store is larger in segments, ring pages, or bytes of a segment: what claims to be is damaged. */
export const GEOMETRY_MAX = { segments: 4_096, ringPages: 1 << 20, segmentBytes: 1 << 26 } as const;
/** What is filled, or read back, at once. Bytes. */
export const CHUNK_BYTES = 1 << 20;
