/**
 * The npm package serialport: serial lines.
 *
 * It is an optional package, with a binary for each machine that Tutti runs on: it is looked for when there is a panel.
 *
 * Further reading: https://serialport.io/docs/api-stream
 */
import { createRequire } from 'node:module';

/** A line, open or not. It must not be used again once it has been closed. */
export interface SerialLine {
  readonly isOpen: boolean;
  /** Bytes that wait to be sent. */
  readonly writableLength: number;
  open(opened: (error: Error | null) => void): void;
  /** False: enough waits by now, and `drain` says when it was sent. */
  write(bytes: Uint8Array): boolean;
  close(closed?: (error: Error | null) => void): void;
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** `close`: it was closed, or its device is gone. `end`: the other side has hung up. `drain`: what waited was sent. */
  on(event: 'close' | 'end' | 'drain', listener: () => void): unknown;
}

/** What of serialport is used. */
export interface Serialport {
  readonly SerialPort: new (options: {
    readonly path: string;
    readonly baudRate: number;
    readonly autoOpen: false;
    /** Bytes that may wait to be sent before `write` says that it is enough. */
    readonly highWaterMark: number;
  }) => SerialLine;
}

/** The package, or why it cannot be had, in a clause. */
export type FoundSerialport = Serialport | { readonly missing: string };

/** Looks for it. */
export function loadSerialport(): FoundSerialport {
  try {
    return createRequire(import.meta.url)('serialport') as Serialport;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    return { missing: `the package serialport does not load (${why})` };
  }
}
