/**
 * `tutti demo`: the main job on this machine, as a person would do it, with nothing installed.
 *
 * A real daemon in a process of its own, with a simulated sound card that writes down what it plays. Music is made, uploaded over HTTP,
 * queued and played; then what left the card is held against what went in, sample by sample. No step knows the daemon's insides.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { frameBytes } from '../audio/wav/fmt-chunk.js';
import { decodeFrames } from '../audio/wav/sample-decoder.js';
import { WavReader } from '../audio/wav/wav-reader.js';
import { TuttiError } from '../core/errors.js';
import { Joined, Queued, State, StateEvent, Track, Transport } from '../http/schema.js';
import type { Time } from '../ports/time.js';
import type { TextOutput } from './components.js';
import { DEMO_RATE, DEMO_TITLES, demoSamples, wavFile } from './demo-music.js';
import { EXIT } from './exit-codes.js';
import type { HttpTransport } from './http-transport.js';
import { NodeClient, nodeUrl } from './node-client.js';

/** Where the daemon listens if nobody else does: the address that every other command asks by default. */
const USUAL_PORT = 8_080;
/** How long the daemon may take to answer for the first time, milliseconds: compiled code on a slow card. */
const START_MS_MAX = 30_000;
/** How often the node is asked how far it is, milliseconds. */
const POLL_MS = 100;
/** How long what was played may take to be written down, milliseconds. */
const CAPTURE_MS_MAX = 5_000;

/** What the demo works with. */
export interface DemoComponents {
  readonly time: Time;
  readonly http: HttpTransport;
  readonly uniqueKey: () => string;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** The program that runs the daemon. */
  readonly mainFile: string;
  /** Resolves when the person has had enough (SIGINT, SIGTERM); undefined where nobody looks on. */
  readonly untilEnough?: (() => Promise<void>) | undefined;
}

/** Runs the demo and gives the exit code: 0 where every sample was as it went in. @throws TuttiError where a step failed */
export async function demo(components: DemoComponents): Promise<number> {
  const { http, uniqueKey, stdout, time, untilEnough } = components;
  const say = (text: string) => stdout.write(`${text}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'tutti-demo-'));
  const capture = join(folder, 'played.wav');
  const port = (await isFree(USUAL_PORT)) ? USUAL_PORT : await freePort();
  const node = `http://127.0.0.1:${port}`;
  const daemon = startDaemon(components, { folder, capture, port, peerPort: await freePort() });
  try {
    say(`One node, with a simulated sound card. Its files are in ${folder}`);
    const client = new NodeClient({ http, uniqueKey }, { node: nodeUrl(node), token: undefined });
    await answering(client, daemon, time);
    say(`It serves ${node}/api/v1/state`);
    await client.write('POST', '/cluster/init', Joined);
    say('It was told to form a cluster of its own (tutti init).');

    const tracks = [];
    for (const title of DEMO_TITLES) {
      const file = wavFile(demoSamples(title), DEMO_RATE);
      const path = `/tracks/${encodeURIComponent(`${title}.wav`)}`;
      const track = await client.upload(path, Track, { bytes: file.length, read: () => Readable.from([file]) });
      say(
        `Uploaded "${track.title}": ${(track.durationMs / 1000).toFixed(1)} s, ${file.length} bytes, ${track.id.slice(0, 12)}...`,
      );
      tracks.push(track);
    }
    await client.write('POST', '/queue', Queued, { trackIds: tracks.map(({ id }) => id) });
    await client.write('POST', '/transport/play', Transport);
    await played(client, daemon, time, (title) => say(`Playing "${title}"`));

    const expected = concatenated(DEMO_TITLES.map(demoSamples));
    const verdict = await verdictOn(capture, expected, { client, time });
    say(verdict.text);
    await hear(capture, say);
    if (verdict.exitCode === EXIT.ok && untilEnough !== undefined) {
      say(`The node goes on at ${node}; press Ctrl-C to end it.`);
      await Promise.race([untilEnough(), daemon.ended]);
    }
    return verdict.exitCode;
  } finally {
    daemon.process.kill('SIGTERM');
    await daemon.ended;
    // Where nobody looked on, somebody may want to look at it later.
    if (untilEnough !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Until the next look. */
const aMoment = (time: Time): Promise<void> => new Promise((resolve) => time.after('demo.poll', POLL_MS, resolve));

interface Daemon {
  readonly process: ReturnType<typeof spawn>;
  /** Resolves with its exit code, or null where a signal ended it. */
  readonly ended: Promise<number | null>;
  exited: boolean;
}

function startDaemon(
  { mainFile, stderr }: DemoComponents,
  { folder, capture, port, peerPort }: { folder: string; capture: string; port: number; peerPort: number },
): Daemon {
  const env = {
    ...process.env,
    TUTTI_NAME: 'demo',
    TUTTI_HTTP_LISTEN: `127.0.0.1:${port}`,
    TUTTI_CLUSTER_LISTEN: `127.0.0.1:${peerPort}`,
    TUTTI_OUTPUT_DRIVER: 'virtual',
    // Compilers and browsers may run beside it: the comparison must not fail because the machine is busy.
    TUTTI_OUTPUT_QUEUE_MS: '500',
    TUTTI_OUTPUT_VIRTUAL_CAPTURE: capture,
    TUTTI_LOG_LEVEL: 'warn',
  };
  const child = spawn(process.execPath, [mainFile, 'run', '--data', join(folder, 'data')], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.on('data', (text) => stderr.write(String(text)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const daemon: Daemon = { process: child, ended, exited: false };
  void ended.then(() => {
    daemon.exited = true;
  });
  return daemon;
}

/** Returns once the node answers. @throws TuttiError NODE_UNREACHABLE where it never does */
async function answering(client: NodeClient, daemon: Daemon, time: Time): Promise<void> {
  const giveUpAt = performance.now() + START_MS_MAX;
  for (;;) {
    try {
      await client.read('/state', StateEvent);
      return;
    } catch (error) {
      const tryAgain = error instanceof TuttiError && error.code === 'NODE_UNREACHABLE';
      if (!tryAgain || daemon.exited || performance.now() > giveUpAt) throw error;
      await aMoment(time);
    }
  }
}

/** Returns when the queue has been played to its end; tells each title as it begins. */
async function played(client: NodeClient, daemon: Daemon, time: Time, begins: (title: string) => void): Promise<void> {
  let itemId: string | null = null;
  for (;;) {
    const { transport } = await client.read('/state', State);
    if (transport.status === 'stopped') return;
    if (transport.itemId !== itemId && transport.title !== null) begins(transport.title);
    itemId = transport.itemId;
    if (daemon.exited) throw new TuttiError('NODE_UNREACHABLE', 'the node ended while it played');
    await aMoment(time);
  }
}

/** Holds what the card played against what it should have, once all of it was written down. */
async function verdictOn(
  capture: string,
  expected: Int16Array,
  { client, time }: { readonly client: NodeClient; readonly time: Time },
): Promise<{ readonly exitCode: number; readonly text: string }> {
  const giveUpAt = performance.now() + CAPTURE_MS_MAX;
  while (!isWithin(samplesOf(await readFile(capture)), expected)) {
    if (performance.now() > giveUpAt) {
      const { nodes } = await client.read('/state', StateEvent);
      const underruns = nodes.reduce((sum, { output }) => sum + (output.underruns ?? 0), 0);
      return underruns > 0
        ? {
            exitCode: EXIT.world,
            text: `This machine was too busy: the card ran dry ${underruns} times. Run it once more.`,
          }
        : {
            exitCode: EXIT.internal,
            text: 'What left the card is NOT what went in: a fault of Tutti, please report it.',
          };
    }
    await aMoment(time);
  }
  const seconds = (expected.length / 2 / DEMO_RATE).toFixed(1);
  const text = `All ${expected.length} samples (${seconds} s, without a gap between the songs) left the card as they went in.`;
  return { exitCode: EXIT.ok, text };
}

/** Lets a machine with a sound card sound: until the node drives one itself, what it played goes through ALSA's own player. */
async function hear(capture: string, say: (text: string) => void): Promise<void> {
  say(`Listen to it: ${capture}`);
  if (!existsSync('/proc/asound/card0')) return;
  await new Promise<void>((resolve) => {
    const player = spawn('aplay', ['-q', capture], { stdio: 'ignore' });
    player.once('error', () => resolve());
    player.once('close', () => resolve());
  });
}

/** The samples of a WAV file, interleaved, full scale = 1; all that is there of one that is still being written. */
function samplesOf(file: Uint8Array): Float64Array {
  const data: Uint8Array[] = [];
  const reader = new WavReader((bytes) => data.push(bytes));
  reader.push(file);
  if (reader.header === null) return new Float64Array(0);
  const { format } = reader.header;
  const bytes = Buffer.concat(data);
  const frames = Math.floor(bytes.length / frameBytes(format));
  const samples = new Float64Array(frames * format.channels);
  decodeFrames(format, bytes.subarray(0, frames * frameBytes(format)), samples);
  return samples;
}

/** True where `expected` (16 bits) stands whole within `played`, after silence, sample for sample. */
function isWithin(played: Float64Array, expected: Int16Array): boolean {
  const start = played.findIndex((sample) => sample !== 0) - expected.findIndex((sample) => sample !== 0);
  if (start < 0 || start + expected.length > played.length) return false;
  return expected.every((sample, index) => played[start + index] === sample / 32_768);
}

function concatenated(parts: readonly Int16Array[]): Int16Array {
  const result = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

const listening = (port: number): Promise<number | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });

const isFree = async (port: number): Promise<boolean> => (await listening(port)) !== null;

async function freePort(): Promise<number> {
  const port = await listening(0);
  if (port === null) throw new TuttiError('PORT_IN_USE', 'no free port was found on 127.0.0.1');
  return port;
}
