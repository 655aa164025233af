/** The outside world as the command line meets it: this process, this disk, this network. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { ERRORS, TuttiError } from '../core/errors.js';
import { soundCards } from '../io/alsa/capabilities.js';
import { SystemTime } from '../io/time/system-time.js';
import type { CliComponents, LocalFiles, SourceFile, TextOutput } from './components.js';
import { probe } from './doctor/probe.js';
import { exitCodeOf } from './exit-codes.js';
import { nodeHttpTransport } from './http-transport.js';

/** Everything but what only the composition root has. */
export function systemComponents(
  own: Pick<CliComponents, 'version' | 'run' | 'repair' | 'lampOff' | 'demo'>,
): CliComponents {
  return {
    stdout: textOutput(process.stdout, (why) => {
      process.stderr.write(`${ERRORS.DISK_FAILED.title} The result cannot be written: ${why}.\n`);
      // Whatever the command came to, nobody has it.
      process.once('exit', () => {
        process.exitCode = exitCodeOf('DISK_FAILED');
      });
    }),
    // Where errors cannot be told, that cannot be told either.
    stderr: textOutput(process.stderr, () => {}),
    env: process.env,
    files: localFiles,
    soundCards: () => soundCards(),
    probe,
    http: nodeHttpTransport,
    uniqueKey: randomUUID,
    nowMs: () => performance.now(),
    waitMs,
    hostname: hostname(),
    ...own,
  };
}

/** Waits by Node's clock: no library of C is loaded for that. */
function waitMs(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = new SystemTime({ libc: undefined }).after('cli.wait', ms, () => settle());
    const settle = () => {
      timer.cancel();
      signal?.removeEventListener('abort', settle);
      resolve();
    };
    signal?.addEventListener('abort', settle);
  });
}

/** `failed` is told once why nothing can be written: a full disk, mostly. */
function textOutput(stream: NodeJS.WriteStream, failed: (why: string) => void): TextOutput {
  let hasFailed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `tutti ls | head -1` closes the pipe early: that is the reader's right, not an error.
    if (error.code === 'EPIPE' || hasFailed) return;
    hasFailed = true;
    failed(error.message);
  });
  return { write: (text) => void stream.write(text), isTerminal: stream.isTTY === true };
}

/** Real files. */
export const localFiles: LocalFiles = {
  async readText(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw unreadable(path, error);
    }
  },
  async open(path) {
    try {
      // Opened, and not only looked at: a file without read permission should come to light before anything is sent.
      const handle = await open(path, 'r');
      const stats = await handle.stat().finally(() => handle.close());
      if (!stats.isFile()) throw new Error('it is not a file');
      return sourceFile(path, stats.size);
    } catch (error) {
      throw unreadable(path, error);
    }
  },
};

function sourceFile(path: string, bytes: number): SourceFile {
  return {
    bytes,
    async *read() {
      let read = 0;
      // `end` is the last byte that is read: a file that grows meanwhile is sent as it was.
      const chunks = bytes === 0 ? [] : createReadStream(path, { end: bytes - 1 });
      for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
        read += chunk.length;
        yield chunk;
      }
      if (read < bytes) {
        throw new TuttiError(
          'INCOMPLETE_AUDIO',
          `${path} became shorter while it was sent; send it again when it is whole.`,
        );
      }
    },
  };
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

function unreadable(path: string, cause: unknown): TuttiError {
  const reasons: Record<string, string> = {
    ENOENT: 'there is none of this name',
    EACCES: 'it may not be read by you',
    EISDIR: 'it is a directory',
  };
  const reason = reasons[codeOf(cause) ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
  return new TuttiError(
    'BAD_USAGE',
    `FILE: ${JSON.stringify(path)}: ${reason}; right is a file that can be read.`,
    {},
    cause,
  );
}
