/**
 * What the command line needs of the outside, so that every command can be run within a test: nothing in this folder but system.ts
 * touches the process, the disk or the network by itself.
 */
import type { Config } from '../config/config.js';
import type { SoundCards } from '../io/alsa/capabilities.js';
import type { Facts } from './doctor/facts.js';
import type { HttpTransport } from './http-transport.js';

/** Standard output or standard error. */
export interface TextOutput {
  write(text: string): void;
  /** True where a person looks on: then there may be colours and a progress bar. */
  readonly isTerminal: boolean;
}

/** A local file that is to be sent. */
export interface SourceFile {
  /** Size as it was opened. */
  readonly bytes: number;
  /** Its first `bytes` bytes, from the beginning at each call. A file that became shorter meanwhile makes it throw. */
  read(): AsyncIterable<Uint8Array>;
}

/** Files of the machine on which the command is typed: a configuration, or WAVs to be sent. */
export interface LocalFiles {
  /** The text of a file, or undefined where there is none. @throws TuttiError BAD_USAGE where it cannot be read */
  readText(path: string): Promise<string | undefined>;
  /** @throws TuttiError BAD_USAGE where it is not a file that can be read */
  open(path: string): Promise<SourceFile>;
}

/** What a daemon does on an empty data directory: forms a cluster, joins one, or (neither) waits to be told. */
export interface FirstStart {
  readonly init: boolean;
  /** Addresses of nodes of the cluster to join; empty for none. */
  readonly join: readonly string[];
}

/** What was found in a node's log, and done. */
export interface RepairReport {
  /** Sentences on what is damaged; empty where nothing is. */
  readonly damage: readonly string[];
  /** Sentences on what was damaged, and was mended with what this card has beside it. */
  readonly mended: readonly string[];
  /** Slots whose entries are not known any more, and were given up where `lossAccepted`. */
  readonly unknownSlots: readonly number[];
  /**
   * Where the snapshot is damaged: its slot, and which slots are lost were it given up, as they were where `lossAccepted`; null in their
   * place where that would leave nothing to begin with. Null where it is whole.
   */
  readonly snapshot: { readonly slot: number; readonly missing: readonly number[] | null } | null;
  /** Other nodes that are members: they may have what is damaged here. */
  readonly others: number;
  readonly lossAccepted: boolean;
}

/** Everything that a command may touch beside its arguments. system.ts has the real ones; tests hand in their own. */
export interface CliComponents {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: LocalFiles;
  /** What there is to play to on this machine. */
  readonly soundCards: () => SoundCards;
  /** What the doctor looks at on this machine. */
  readonly probe: (config: Config) => Promise<Facts>;
  readonly http: HttpTransport;
  /** A text that no other call gives: an Idempotency-Key. */
  readonly uniqueKey: () => string;
  /** Monotonic milliseconds, for the progress bar. */
  readonly nowMs: () => number;
  /** Resolves after so many milliseconds, or at once when `signal` aborts. */
  readonly waitMs: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** What a node is called that was given no name. */
  readonly hostname: string;
  /** Of this software. */
  readonly version: string;
  /** Runs the daemon until it is told to stop, and gives the exit code. */
  readonly run: (config: Config, first: FirstStart) => Promise<number>;
  /** Looks at the log of a node that does not run, and gives up what is damaged beyond repair where that is accepted. */
  readonly repair: (config: Config, options: { readonly acceptLoss: boolean }) => Promise<RepairReport>;
  /** Switches off the lamps of a node that was killed, and gives how many there are. */
  readonly lampOff: (config: Config) => Promise<number>;
  /** Shows everything on this machine with so many nodes, and gives the exit code. */
  readonly demo: (options: { readonly nodes: number; readonly json: boolean }) => Promise<number>;
}
