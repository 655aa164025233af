/**
 * ProcessFiles: the files' side of one process: the real store on the machine's card, behind the real client, and the real Tracks on top of
 * it, which speak with the other nodes over the process's link.
 */
import type { Origin } from '../../src/cluster/command.js';
import type { ChunkLimits } from '../../src/library/chunks.js';
import type { Track } from '../../src/library/track.js';
import type { IncomingTrack } from '../../src/node/add-track.js';
import type { Agreement } from '../../src/node/agreement.js';
import { Tracks, type TracksPatience } from '../../src/node/tracks.js';
import { Uploads } from '../../src/node/uploads.js';
import { CheckedFile, CheckedFiles, HeldChunk } from '../../src/player/checked-file.js';
import type { Disk } from '../../src/ports/disk.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import type { PeerLink } from '../../src/ports/peer-link.js';
import type { Time } from '../../src/ports/time.js';
import type { GateQuestion } from '../../src/replication/gate.js';
import { PeerHub } from '../../src/replication/peer-hub.js';
import type { SlotVoter } from '../../src/replication/replicated-log.js';
import { TrackClient } from '../../src/tracks/track-client.js';
import { TrackStore } from '../../src/tracks/track-store.js';
import { FilesPort, type FilesPortInit } from './files-port.js';

/** How the tiny files of a simulated house are cut. */
export const SIM_CHUNKS: ChunkLimits = { bytesMin: 64, bytesMax: 256, countAim: 16 };

/** Seconds where a house has hours, so that every one of them passes within a simulation. */
export const SIM_PATIENCE: TracksPatience = {
  collectMs: 15_000,
  orphanMs: 30_000,
  lingerMs: 15_000,
  offerLapseMs: 25_000,
  scrubPauseMs: 15_000,
};

/** How long every track is said to be, seconds: the files of a queue that is worth the name would be large. */
const TRACK_S = 20;

/** The real store, but for the lengths of tracks. */
class SimTrackStore extends TrackStore {
  override verify(...call: Parameters<TrackStore['verify']>): ReturnType<TrackStore['verify']> {
    const taken = super.verify(...call);
    return taken && { ...taken, frames: TRACK_S * taken.format.sampleRate };
  }
}

/** What they stand on. */
export interface ProcessFilesComponents {
  /** The process's clock. */
  readonly time: Time;
  readonly disk: Disk;
}

/** The files of one process. `over` the link, `open` the card, `start` once the log is there. */
export class ProcessFiles {
  readonly #time: Time;
  readonly #hub: PeerHub;
  readonly #client: TrackClient;
  readonly #heard: CheckedFiles;
  readonly #uploads: Uploads;
  #tracks: Tracks | null = null;

  constructor({ time, disk }: ProcessFilesComponents, init: FilesPortInit) {
    this.#time = time;
    this.#hub = new PeerHub({ time });
    this.#uploads = new Uploads({ time, changed: () => {} });
    this.#heard = new CheckedFiles({ disk, time, wanted: (chunk) => this.tracks.wanted(chunk) });
    const store = new SimTrackStore({ disk, time, pace: () => {} }, { limits: SIM_CHUNKS });
    this.#client = new TrackClient({ port: new FilesPort({ time, store }, init) });
  }

  /** The face of the link that consensus sees. */
  over(link: PeerLink): PeerLink {
    return this.#hub.over(link);
  }

  /** Of which the log asks before voters change. */
  readonly gate: GateQuestion = (members) => this.tracks.gate(members);

  /** Finds what lies on the card. @throws TuttiError DISK_FAILED */
  open(agreement: Agreement, self: SlotVoter): Promise<void> {
    const time = this.#time;
    this.#tracks = new Tracks(
      {
        time,
        log: new FakeLog(),
        files: this.#client,
        mail: this.#hub.mail,
        agreement,
        uploads: this.#uploads,
        ask: (command, origin) => agreement.ask(command, origin),
        isPlaying: () => agreement.cluster.playback.transport.status === 'playing',
        changed: () => {},
      },
      { self, chunkLimits: SIM_CHUNKS, patience: SIM_PATIENCE },
    );
    return this.#tracks.open();
  }

  get tracks(): Tracks {
    return this.#tracks!;
  }

  /** See {@link Tracks.add}; resolves with the slot. */
  async add(incoming: IncomingTrack, origin: Origin): Promise<number> {
    const { outcome } = await this.tracks.add(incoming, origin);
    return outcome.slot;
  }

  /** All of a track as the reader would play it; null where some of it is not here, or not right, which it tells the tracks. */
  listen({ id, bytes, chunks }: Track): Uint8Array | null {
    if (chunks === undefined) return null;
    const track = { trackId: id, chunks: { ...chunks, fileBytes: bytes } };
    const file = new CheckedFile({ files: this.#heard, held: new HeldChunk() }, track);
    const all = new Uint8Array(bytes);
    return file.read(all, 0) === bytes ? all : null;
  }

  /** Somebody is sending a file, or waits for what comes of it. */
  get isTakingIn(): boolean {
    return this.#uploads.list().some(({ stage }) => stage === 'receiving' || stage === 'replicating');
  }
}
