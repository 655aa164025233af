/** The two secrets of a node, each in a file that only its owner can read: the token for HTTP, and the key of the cluster. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { KEY_BYTES, parseClusterKey } from '../config/cluster-key.js';
import { TuttiError } from '../core/errors.js';

/** Bytes of a token: as hard to guess as a key. */
const TOKEN_BYTES = 32;
/** For its owner only. */
const MODE = 0o600;

/** The token that writes need; made where there is none. @throws TuttiError BAD_CONFIG */
export function loadToken(path: string): string {
  const made = randomBytes(TOKEN_BYTES).toString('hex');
  if (makeSecret(path, made, 'http.token_file')) return made;
  const token = readSecret(path, 'http.token_file')!;
  if (token === '') throw badFile(path, 'http.token_file', new Error('it is empty'));
  return token;
}

/** The cluster's key in `path`; null where there is no file. @throws TuttiError BAD_CONFIG */
export function readKey(path: string): Uint8Array | null {
  const text = readSecret(path, 'cluster.key_file');
  return text === null ? null : keyBytes(text, `cluster.key_file: ${path}`);
}

/** Makes a key for a new cluster, unless the file holds one. True where it was made. @throws TuttiError BAD_CONFIG */
export function makeKey(path: string): boolean {
  const isMade = makeSecret(path, randomBytes(KEY_BYTES).toString('hex'), 'cluster.key_file');
  if (!isMade) readKey(path);
  return isMade;
}

/** Keeps a key that was given by hand. True where the file was made. @throws TuttiError BAD_CONFIG as {@link checkKey} */
export function keepKey(path: string, key: Uint8Array): boolean {
  const isMade = makeSecret(path, Buffer.from(key).toString('hex'), 'cluster.key_file');
  if (!isMade) checkKey(path, key);
  return isMade;
}

/** Takes back what {@link makeKey} or {@link keepKey} has made: nothing came of it. */
export const dropKey = (path: string): void => rmSync(path, { force: true });

/** Where there is a key file, it must hold this key. @throws TuttiError BAD_CONFIG */
export function checkKey(path: string, key: Uint8Array): void {
  const known = readKey(path);
  if (known === null || Buffer.compare(known, key) === 0) return;
  throw new TuttiError(
    'BAD_CONFIG',
    `cluster.key_file: ${path} holds another key than the one that was given; right is to move it away first`,
  );
}

/** The key that a person typed. @throws TuttiError BAD_REQUEST: no file of this node is at fault */
export function typedKey(text: string): Uint8Array {
  try {
    return keyBytes(text, 'key');
  } catch (error) {
    throw error instanceof TuttiError ? new TuttiError('BAD_REQUEST', error.detail) : error;
  }
}

const keyBytes = (text: string, source: string): Uint8Array =>
  Uint8Array.from(Buffer.from(parseClusterKey(text, source), 'hex'));

/** Makes the file, durably: a cluster's key that is gone after a power cut locks its other nodes out. False where there is one already. */
function makeSecret(path: string, secret: string, setting: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx', MODE);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw badFile(path, setting, error);
  }
  try {
    writeSync(file, `${secret}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
  return true;
}

/** Null where there is none. */
function readSecret(path: string, setting: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw badFile(path, setting, error);
  }
}

const badFile = (path: string, setting: string, cause: unknown): TuttiError =>
  new TuttiError('BAD_CONFIG', `${setting}: ${path}: ${cause instanceof Error ? cause.message : cause}`, {}, cause);
