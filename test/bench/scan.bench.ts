/**
 * Reading a track when it is taken in: header, loudness, peaks in one pass, beside the hash that makes its id.
 *
 * Peer in the same run: ffmpeg's `ebur128` filter with sample peaks, written in C with vector instructions, over the same file (whole process).
 * The hash is the floor: the file has to go through it anyway.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackScan } from '../../src/audio/track-scan.js';
import { Prng } from '../../src/core/prng.js';
import { missing, plainWav } from '../support/wav-files.js';
import { type Row, type Suite, timesPeer } from './row.js';

/** Length of the file, and how often each pass is measured; the best counts. */
const SECONDS = 120;
const ROUNDS = 3;
const RATE = 44_100;
/** As the intake hands bytes on. */
const PIECE_BYTES = 256 * 1024;
/** What a track's intake may fall behind ffmpeg: the scan is a part of an upload that the disk holds up anyway. */
const RATIO_MIN = 0.5;

function music(): Uint8Array {
  const prng = new Prng(1);
  const data = new Uint8Array(SECONDS * RATE * 4);
  const view = new DataView(data.buffer);
  for (let offset = 0; offset < data.length; offset += 2) view.setInt16(offset, (prng.u32() >>> 18) - 8_192, true);
  return plainWav({ sampleRate: RATE, channels: 2, bits: 16 }, data);
}

/** Seconds of sound per second of work, the best of several rounds. */
function timesRealTime(work: () => void): number {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    work();
    best = Math.max(best, SECONDS / ((performance.now() - startedAt) / 1_000));
  }
  return best;
}

function inPieces(file: Uint8Array, take: (piece: Uint8Array) => void): void {
  for (let at = 0; at < file.length; at += PIECE_BYTES) take(file.subarray(at, at + PIECE_BYTES));
}

function ffmpegSpeed(file: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  const path = join(folder, 'music.wav');
  writeFileSync(path, file);
  const speed = timesRealTime(() => {
    const args = ['-v', 'quiet', '-i', path, '-af', 'ebur128=peak=sample:framelog=verbose', '-f', 'null', '-'];
    const { status } = spawnSync('ffmpeg', args);
    if (status !== 0) throw new Error(`ffmpeg ended with ${status}`);
  });
  rmSync(folder, { recursive: true });
  return speed;
}

function run(): Row[] {
  const file = music();
  const what = 'stereo of 16 bits, 44.1 kHz: header, loudness, peaks';
  const unit = 'x real time';
  const figure = timesRealTime(() => {
    const scan = new TrackScan();
    inPieces(file, (piece) => scan.push(piece));
    scan.end();
  });
  const hash = timesRealTime(() => {
    const sha = createHash('sha256');
    inPieces(file, (piece) => sha.update(piece));
    sha.digest();
  });
  const rows: Row[] = [
    { what, figure, unit, peer: { name: 'SHA-256 alone', figure: hash }, ratio: figure / hash, met: true },
  ];
  const why = missing('ffmpeg');
  if (why !== false) rows.push({ what: `${what}: ${why}`, figure, unit, met: true });
  else
    rows.push(
      timesPeer(RATIO_MIN, { what, figure, unit, peer: { name: 'ffmpeg ebur128', figure: ffmpegSpeed(file) } }),
    );
  return rows;
}

const suite: Suite = { name: 'scan', run: () => Promise.resolve(run()) };
export default suite;
