/** What passes between the main thread and those of player and reader: plain values, copied on the way. */

import type { ClockLine } from '../core/clock-line.js';
import type { LogLine } from '../ports/log.js';
import type { WantedChunk } from './checked-file.js';
import type { PlayerStatus } from './loop.js';
import type { Program } from './program.js';

/** How the sound leaves; `auto` was decided before. */
export interface OutputSetup {
  readonly driver: 'alsa' | 'speaker' | 'virtual' | 'none';
  readonly device: string;
  /** With nothing due for this long the card is let go. Seconds. */
  readonly idleCloseS: number;
  /** Sound that is kept in the card's queue. Milliseconds. */
  readonly queueMs: number;
  /** The card's own mixer, for driver alsa: `unmute` sets it for playing at each opening; `keep`, the default, leaves it alone. */
  readonly mixer?: 'unmute' | 'keep';
  readonly virtual: {
    /** How much faster than nominal the simulated card's crystal runs. Parts per million. */
    readonly ppm: number;
    /** WAV file that gets what was played; empty for none. */
    readonly capture: string;
    /** Path of a text file; empty or absent: nothing is written. */
    readonly captureTimes?: string;
  };
}

/** What a player is made with. */
export interface PlayerInit {
  /** Root of the Disk that programs name their files on. */
  readonly dataDir: string;
  readonly output: OutputSetup;
}

/** What both threads are started with, and keep until they end. */
export interface PlayerSetup extends PlayerInit {
  /** One 32-bit number, which the player's thread counts up twice a second for as long as it turns. */
  readonly pulse: SharedArrayBuffer;
}

/** From the main thread. A program, and a clock line, takes the place of the one before. */
export type ToPlayer =
  | { readonly type: 'program'; readonly program: Program }
  /** `mayStart`: false while the line is not sure enough for what is silent to begin. */
  | { readonly type: 'clock'; readonly line: ClockLine; readonly mayStart: boolean }
  /** Fade out, close the card, end the thread. */
  | { readonly type: 'stop' };

/** From the player's thread: its status several times a second, and lines for the node's log. */
export type FromPlayer = { readonly type: 'status'; readonly status: PlayerStatus } | LogLine;

/** From the reader's thread: that it listens, first of all, and then what it lacks. */
export type FromReader = { readonly type: 'listening' } | { readonly type: 'wanted'; readonly chunk: WantedChunk };

/** The player's and the reader's threads, running. */
export interface PlayerThreads {
  /** Hands a message to the player's thread; dropped once that has ended. */
  send(message: ToPlayer): void;
  /** Resolves once both threads have ended by themselves, or were made to after `graceMs` milliseconds. */
  end(graceMs: number): Promise<void>;
}

/** What the threads call back on the main thread. */
export interface PlayerThreadsHandlers {
  message(message: FromPlayer): void;
  /** The reader needs a chunk of a track that it cannot have, and waits for it. Called once for each chunk, and again where it turns out damaged. */
  wanted(chunk: WantedChunk): void;
  /** A thread ended that was not told to. Called once at most. */
  died(error: Error): void;
}

/** Starts both threads; resolves once they run. */
export type SpawnPlayerThreads = (setup: PlayerSetup, handlers: PlayerThreadsHandlers) => Promise<PlayerThreads>;
