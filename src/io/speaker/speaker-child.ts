/**
 * A process that plays through the npm package `speaker`, from the side that feeds it.
 *
 * Starting it waits until its device is open: a sound card that is open plays what it is given from then on. Loading the package ends the
 * process where there is no device, and that is seen here. What the process says goes into files without a name, which can be read
 * without waiting for an event.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TuttiError } from '../../core/errors.js';
import { addTime, nanosFromMs } from '../../core/units.js';
import type { Time } from '../../ports/time.js';
import { readRecord, type SpeakerRecord, type SpeakerSettings } from './protocol.js';

/** A process is there within a tenth of this on a Pi 3. Milliseconds. */
const START_MS_MAX = 5_000;
/** How often it is looked at while it starts. Milliseconds. */
const LOOK_EVERY_MS = 5;
/** As much as is looked at of what the process complains about. Bytes. */
const COMPLAINT_BYTES_MAX = 2_000;

const PROCESS_FILE = fileURLToPath(new URL('./speaker-process.js', import.meta.url));

/** The process, from its start to `kill`. */
export class SpeakerChild {
  readonly #process: ChildProcess;
  readonly #record: number;
  readonly #complaints: number;
  #end: string | undefined;
  #isKilled = false;

  /** Starts it, and waits for its device. @throws TuttiError OUTPUT_UNAVAILABLE with what the process said */
  constructor(components: { readonly time: Time }, settings: SpeakerSettings) {
    checkInstalled(settings.module);
    [this.#record, this.#complaints] = [namelessFile(), namelessFile()];
    this.#process = spawn(process.execPath, [PROCESS_FILE, JSON.stringify(settings)], {
      stdio: ['pipe', 'ignore', this.#complaints, this.#record],
    });
    // A pipe whose other end died: the end of the process says the same.
    this.#process.stdin!.on('error', () => {});
    this.#process.on('error', (error) => this.#ended(error.message));
    this.#process.on('exit', (code, signal) => this.#ended(`It ended by ${signal ?? `code ${code}`}.`));
    this.#awaitDevice(components.time, settings.device);
  }

  /** Why it plays no more; undefined while it does. */
  get end(): string | undefined {
    return this.#end;
  }

  /** How much of what it was given its device has taken. */
  get record(): SpeakerRecord {
    return readRecord(this.#record)!;
  }

  /** Hands it frames, signed 16 bits. */
  play(bytes: Uint8Array): void {
    this.#process.stdin!.write(bytes);
  }

  /** Idempotent: silences it at once. */
  kill(): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    this.#process.kill('SIGKILL');
    closeSync(this.#record);
    closeSync(this.#complaints);
  }

  #awaitDevice(time: Time, device: string): void {
    const giveUpAt = addTime(time.now(), nanosFromMs(START_MS_MAX));
    while (readRecord(this.#record) === undefined) {
      const isGone = !isRunning(this.#process.pid);
      if (isGone || time.now() > giveUpAt) {
        const why = isGone ? this.#complaint() : `It said nothing for ${START_MS_MAX / 1_000} s.`;
        this.kill();
        const where = device === '' ? 'the default device' : device;
        throw new TuttiError('OUTPUT_UNAVAILABLE', `The npm package speaker cannot play to ${where}: ${why}`);
      }
      sleep(LOOK_EVERY_MS);
    }
  }

  #ended(how: string): void {
    if (this.#isKilled) return;
    this.#end ??= `The process of the npm package speaker is gone. ${how} ${this.#complaint()}`.trim();
  }

  /** What it said first on its standard error: the rest is where in the code it was. An Error of JavaScript stands below that. */
  #complaint(): string {
    const bytes = Buffer.alloc(COMPLAINT_BYTES_MAX);
    const lines = bytes
      .toString('utf8', 0, readSync(this.#complaints, bytes, 0, bytes.length, 0))
      .trim()
      .split('\n');
    return lines.find((line) => /^\w*Error: /.test(line)) ?? lines[0]!;
  }
}

function checkInstalled(module: string): void {
  try {
    createRequire(import.meta.url).resolve(module);
  } catch (cause) {
    throw new TuttiError(
      'OUTPUT_UNAVAILABLE',
      `The npm package ${module} is not installed. It is optional, and npm install compiles it where a C++ compiler and libasound2-dev are; output.driver = "alsa" does without it.`,
      {},
      cause,
    );
  }
}

/** A file that goes when it is closed. */
function namelessFile(): number {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-speaker-'));
  const descriptor = openSync(join(directory, 'file'), 'wx+', 0o600);
  rmSync(directory, { recursive: true });
  return descriptor;
}

/** False for a process that has ended, also while nobody has been told yet: it is a zombie then (proc_pid_stat(5), field 3). */
function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const sleep = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};
