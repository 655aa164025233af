/**
 * The test card, ready to use: compiles tutti-card.c and writes the asound.conf that defines cards of it.
 *
 * alsa-lib reads ALSA_CONFIG_PATH from the environment of the *process*: a program that is started gets it from {@link CardConfig.env}, a
 * test that plays by itself calls {@link useCards} on its main thread (a worker's `process.env` is a copy that C does not see).
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Tests run in the root of the repository. */
const SOURCES = join('test', 'card');
/** What alsa-lib reads where no other file is named: it defines `hw`, `plughw`, `plug` and `default`. */
const SYSTEM_CONFIG = '/usr/share/alsa/alsa.conf';

/** The compiled card, or what this machine lacks to compile it: the reason with which a test is skipped. */
export type TestCard = { readonly library: string } | { readonly missing: string };

/** Compiles the card, once for each version of its source. */
export const buildTestCard = (): Promise<TestCard> => build('tutti-card');

/** Compiles the mixer of tutti-mixer.c. */
export const buildTestMixer = (): Promise<TestCard> => build('tutti-mixer');

async function build(name: string): Promise<TestCard> {
  const source = join(SOURCES, `${name}.c`);
  const lacks = (what: string, packages: string): TestCard => ({
    missing: `no ${what} here: apt-get install ${packages}`,
  });
  if (!existsSync('/usr/include/alsa/asoundlib.h')) return lacks('headers of alsa-lib', 'libasound2-dev');
  if (!existsSync(SYSTEM_CONFIG)) return lacks(SYSTEM_CONFIG, 'libasound2-data');
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const library = join(tmpdir(), `${name}-${hash}.so`);
  if (existsSync(library)) return { library };
  // Several test processes may compile at once: each its own file, and the last one stays.
  const own = `${library}.${process.pid}`;
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-DPIC'];
  try {
    await promisify(execFile)('gcc', [...flags, '-o', own, source, '-lasound', '-lm']);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return lacks('C compiler', 'gcc libc6-dev');
    throw error;
  }
  renameSync(own, library);
  return { library };
}

/** One card; tutti-card.c says what each option does, and what holds where it is left out. */
export interface CardInit {
  readonly ppm?: number;
  readonly wander?: number;
  readonly seed?: number;
  readonly rates?: readonly number[];
  readonly formats?: readonly ('S16_LE' | 'S24_3LE' | 'S24_LE' | 'S32_LE' | 'S16_BE')[];
  readonly channels?: readonly number[];
  readonly bufferBytes?: number;
  readonly stepUs?: number;
  readonly fifo?: number;
  readonly startUs?: number;
  /** Path of the capture file: capture.ts reads it. */
  readonly capture?: string;
  /** Path of the control file: {@link CardControl} writes it. Needed for a card that can be busy. */
  readonly control?: string;
}

/** A configuration of alsa-lib that was written. */
export interface CardConfig {
  /** To be added to the environment of a program that plays to the cards. */
  readonly env: { readonly ALSA_CONFIG_PATH: string };
}

const NAMES = { bufferBytes: 'buffer_bytes', stepUs: 'step_us', startUs: 'start_us' } as const;

const written = (value: string | number | readonly (string | number)[]): string => {
  if (typeof value === 'string') return `"${value}"`;
  return typeof value === 'number' ? `${value}` : `[ ${value.join(' ')} ]`;
};

/**
 * Writes `path`: the system's definitions, and a pcm for each of `cards` by its name.
 * @param init `extra`: more of the configuration's own language, to be added at the end
 */
export function writeCardConfig(
  { library }: { readonly library: string },
  init: { readonly path: string; readonly cards: Readonly<Record<string, CardInit>>; readonly extra?: string },
): CardConfig {
  const pcms = Object.entries(init.cards).map(([name, card]) => {
    const options = Object.entries(card).map(([key, value]) => {
      return `  ${NAMES[key as keyof typeof NAMES] ?? key} ${written(value)}`;
    });
    return [`pcm.${name} {`, '  type tutti_card', ...options, '}'].join('\n');
  });
  const type = `pcm_type.tutti_card { lib "${library}" }`;
  writeFileSync(init.path, [`<${SYSTEM_CONFIG}>`, type, ...pcms, init.extra ?? '', ''].join('\n'));
  return { env: { ALSA_CONFIG_PATH: init.path } };
}

/** Makes the cards of `config` those of this process, from the next opening on. */
export const useCards = (config: CardConfig): void => {
  Object.assign(process.env, config.env);
};

/** A hand on a card while it plays: struct control of tutti-card.c. */
export class CardControl {
  readonly #descriptor: number;
  readonly #words = new Int32Array(8);

  /** @param path that of {@link CardInit.control}; made where there is none */
  constructor(path: string) {
    this.#descriptor = openSync(path, existsSync(path) ? 'r+' : 'w+');
    ftruncateSync(this.#descriptor, this.#words.byteLength);
  }

  /** Pulls the card out: who holds it sees ENODEV for ever, and nobody can open it until {@link plugIn}. */
  pullOut(): void {
    this.#set(0, 1);
  }

  plugIn(): void {
    this.#set(0, 0);
  }

  /** Has the card lose its queue at this moment, as if it had run dry. */
  underrun(): void {
    this.#set(1, this.#words[1]! + 1);
  }

  /** From now on the card tells a delay that is `frames` more than the true one. 0: the true one. */
  lieAboutDelay(frames: number): void {
    this.#set(2, frames);
  }

  /** From now on the crystal is `ppm` faster than configured. */
  bendRate(ppm: number): void {
    this.#set(3, ppm);
  }

  /** The position that the card tells stands still, or moves again. */
  stick(isStuck: boolean): void {
    this.#set(4, isStuck ? 1 : 0);
  }

  /** From now on the card's clock reads `ns` and stands there: a test that moves it itself does not depend on how busy the machine is. */
  setClock(ns: bigint): void {
    new BigInt64Array(this.#words.buffer)[3] = ns;
    this.#write();
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #set(word: number, value: number): void {
    this.#words[word] = value;
    this.#write();
  }

  #write(): void {
    writeSync(this.#descriptor, this.#words, 0, this.#words.byteLength, 0);
  }
}
