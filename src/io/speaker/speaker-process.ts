/**
 * The process that holds the npm package `speaker`: plays what comes on standard input, signed 16 bits, and records how far it has come.
 *
 * It begins with a moment of silence, which opens the device, or ends the process. It ends with its input, without the package's own end,
 * which waits for the device to run empty.
 */
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { SystemTime } from '../time/system-time.js';
import { RECORD_DESCRIPTOR, type SpeakerSettings, writeRecord } from './protocol.js';

/** Silence that opens the device. Milliseconds. */
const OPENING_MS = 20;
const BYTES_PER_SAMPLE = 2;

type Speaker = new (options: Readonly<Record<string, unknown>>) => Writable;

const { module, device, rate, channels } = JSON.parse(process.argv[2]!) as SpeakerSettings;
const frameBytes = BYTES_PER_SAMPLE * channels;
const time = new SystemTime();

const SpeakerClass = createRequire(import.meta.url)(module) as Speaker;
const speaker = new SpeakerClass({
  channels,
  bitDepth: 8 * BYTES_PER_SAMPLE,
  sampleRate: rate,
  ...(device !== '' && { device }),
});
speaker.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

/** Resolves once the device has taken `bytes`. */
const play = (bytes: Buffer) => new Promise<void>((resolve) => speaker.write(bytes, () => resolve()));

await play(Buffer.alloc(Math.ceil((rate * OPENING_MS) / 1_000) * frameBytes));
let frames = 0;
writeRecord(RECORD_DESCRIPTOR, { frames, at: time.now() });

// Whole frames at a time: a pipe may cut anywhere.
let rest: Buffer = Buffer.alloc(0);
for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
  const bytes = Buffer.concat([rest, chunk]);
  const whole = bytes.length - (bytes.length % frameBytes);
  rest = bytes.subarray(whole);
  await play(bytes.subarray(0, whole));
  frames += whole / frameBytes;
  writeRecord(RECORD_DESCRIPTOR, { frames, at: time.now() });
}
process.exit(0);
