/** Against files and programs that are not ours: Debian's recordings, sox and ffmpeg. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TrackScan } from '../../../src/audio/track-scan.js';
import { decodeFrames } from '../../../src/audio/wav/sample-decoder.js';
import { WavReader } from '../../../src/audio/wav/wav-reader.js';
import { BYTES_PER_SAMPLE } from '../../../src/library/sample-bytes.js';
import type { SampleFormat } from '../../../src/library/track.js';
import {
  alsaSounds,
  bytesOf,
  missing,
  pushAll,
  run,
  runForErrors,
  scratch,
  soxEncoding,
} from '../../support/wav-files.js';

const noSox = missing('sox');
const noFfmpeg = missing('ffmpeg');
const noSounds = alsaSounds().length === 0 && 'there are no sounds of alsa-utils (apt-get install alsa-utils)';
const SAMPLES = Object.keys(BYTES_PER_SAMPLE) as SampleFormat[];

/** Samples of a file as we read it, in pieces of a few kilobytes. */
function decode(file: Uint8Array) {
  const data: Uint8Array[] = [];
  const reader = new WavReader((bytes) => data.push(bytes.slice()));
  pushAll(reader, file, () => 5_000);
  const { format, frames, tags } = reader.end();
  const samples = new Float64Array(frames * format.channels);
  decodeFrames(format, bytesOf(...data), samples);
  return { format, frames, tags, samples };
}

/** The same as another program reads it: 64-bit floats, full scale 1. */
const soxDecode = (path: string): Uint8Array =>
  run('sox', [path, '-t', 'raw', '-e', 'floating-point', '-b', '64', '-']);
const rawOf = (samples: Float64Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const soxDecoded = (path: string): Float64Array => new Float64Array(soxDecode(path).slice().buffer);

/** sox computes in 32-bit integers: of floats no more than that is the same on both sides. */
function reduced(samples: Float64Array, sample: SampleFormat): Uint8Array {
  return sample.startsWith('f') ? rawOf(samples.map((x) => Math.round(x * 2 ** 24))) : rawOf(samples);
}

function scanFile(path: string) {
  const scan = new TrackScan();
  pushAll(scan, readFileSync(path), () => 65_536);
  return scan.end();
}

/** Integrated loudness by ffmpeg's meter, to three decimals; `before` is a filter to pass first. */
function ffmpegLufs(path: string, before = ''): number {
  const filter = `${before}ebur128=metadata=1,ametadata=print:key=lavfi.r128.I:file=-`;
  const lines = Buffer.from(run('ffmpeg', ['-v', 'error', '-i', path, '-af', filter, '-f', 'null', '-'])).toString();
  return Number(/.*lavfi\.r128\.I=(.*)/s.exec(lines)?.[1]);
}

t.test("Debian's recordings: the samples that sox reads, bit by bit", { skip: noSounds || noSox }, (t) => {
  for (const path of alsaSounds()) {
    const { format, samples, frames } = decode(readFileSync(path));
    t.match(format, { sampleRate: 48_000, channels: 1, sample: 's16' }, path);
    t.ok(isSame(rawOf(samples), soxDecode(path)), `${frames} frames of ${path}`);
  }
  t.end();
});

t.test("Debian's recordings: the loudness that ffmpeg measures", { skip: noSounds || noFfmpeg }, (t) => {
  for (const path of alsaSounds()) {
    const ours = scanFile(path).loudness.integratedLufs ?? Number.NaN;
    const theirs = ffmpegLufs(path);
    t.ok(Math.abs(ours - theirs) < 0.1, `${path}: ${ours.toFixed(3)}, ffmpeg ${theirs}`);
  }
  t.end();
});

t.test('what sox writes in every encoding and number of channels reads as sox reads it', { skip: noSox }, (t) => {
  const directory = scratch(t);
  for (const sample of SAMPLES) {
    for (let channels = 1; channels <= 8; channels++) {
      const path = join(directory, `${sample}-${channels}.wav`);
      const source = ['-R', '-n', '-r', '8000', '-c', String(channels), ...soxEncoding(sample), path];
      run('sox', [...source, 'synth', '0.2', 'whitenoise', 'vol', '0.9']);
      const { format, samples } = decode(readFileSync(path));
      t.match(format, { sampleRate: 8_000, channels, sample }, `${sample}, ${channels} channels`);
      t.ok(isSame(reduced(samples, sample), reduced(soxDecoded(path), sample)), 'samples');
    }
  }
  t.end();
});

t.test('every sample rate that sox writes', { skip: noSox }, (t) => {
  const directory = scratch(t);
  for (const rate of [
    8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 176_400, 192_000,
  ]) {
    const path = join(directory, `${rate}.wav`);
    run('sox', ['-n', '-r', String(rate), '-b', '16', path, 'synth', '0.1', 'sine', '1000']);
    t.match(decode(readFileSync(path)), { format: { sampleRate: rate, sample: 's16' }, frames: Math.ceil(rate / 10) });
  }
  t.end();
});

t.test('what sox writes to a pipe, not knowing its length', { skip: noSox }, (t) => {
  for (const sample of SAMPLES) {
    const file = run('sox', [
      '-n',
      '-r',
      '8000',
      '-c',
      '3',
      ...soxEncoding(sample),
      '-t',
      'wav',
      '-',
      'synth',
      '0.1',
      'sine',
      '440',
    ]);
    t.match(decode(file), { format: { sample, channels: 3 }, frames: 800 }, sample);
  }
  t.end();
});

t.test('what ffmpeg writes: floats bit by bit, EXTENSIBLE, RF64, pipes, tags', { skip: noFfmpeg }, (t) => {
  const directory = scratch(t);
  const tone = [
    '-v',
    'error',
    '-y',
    '-f',
    'lavfi',
    '-i',
    'aevalsrc=0.5*sin(440*2*PI*t)|0.25*sin(441*2*PI*t):s=44100:d=0.5',
  ];
  const codecs = {
    u8: 'pcm_u8',
    s16: 'pcm_s16le',
    s24: 'pcm_s24le',
    s32: 'pcm_s32le',
    f32: 'pcm_f32le',
    f64: 'pcm_f64le',
  };
  for (const sample of SAMPLES) {
    for (const rf64 of ['never', 'always']) {
      const path = join(directory, `${sample}-${rf64}.wav`);
      const tags = [
        '-metadata',
        'title=Für Elise',
        '-metadata',
        'artist=Ludwig',
        '-metadata',
        'track=3',
        '-metadata',
        'date=1810',
      ];
      run('ffmpeg', [...tone, ...tags, '-c:a', codecs[sample], '-rf64', rf64, path]);
      const { format, samples, tags: read } = decode(readFileSync(path));
      t.match(format, { sampleRate: 44_100, channels: 2, sample }, `${sample}, RF64 ${rf64}`);
      t.strictSame(read, { title: 'Für Elise', artist: 'Ludwig', number: 3, date: '1810' });
      const theirs = run('ffmpeg', ['-v', 'error', '-i', path, '-f', 'f64le', '-c:a', 'pcm_f64le', '-']);
      t.ok(isSame(rawOf(samples), theirs), `${sample}, RF64 ${rf64}: samples`);
    }
    const piped = run('ffmpeg', [...tone, '-c:a', codecs[sample], '-f', 'wav', '-']);
    t.match(decode(piped), { format: { sample }, frames: 22_050 }, `${sample}, piped`);
  }
  t.end();
});

t.test('formats that ffmpeg writes and Tutti does not play are named', { skip: noFfmpeg }, (t) => {
  const directory = scratch(t);
  const tone = ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'sine=d=0.2'];
  const cases = [
    ['flac', [], 'FLAC'],
    ['aiff', [], 'AIFF'],
    ['au', [], 'Sun AU'],
    ['caf', [], 'Core Audio Format'],
    ['w64', [], 'Sony Wave64'],
    ['wv', [], 'WavPack'],
    ['mp2', [], 'MPEG layer 2'],
    ['m4a', [], 'MP4 (AAC or ALAC)'],
    ['aac', [], 'AAC (ADTS)'],
    ['mka', [], 'Matroska or WebM'],
    ['avi', [], 'RIFF of the kind "AVI ", not WAVE'],
    ['wav', ['-c:a', 'pcm_alaw'], 'a WAV with format 0x0006 (A-law)'],
    ['wav', ['-c:a', 'pcm_mulaw'], 'a WAV with format 0x0007 (mu-law)'],
    ['wav', ['-c:a', 'adpcm_ms'], 'a WAV with format 0x0002 (Microsoft ADPCM)'],
    ['wav', ['-c:a', 'adpcm_ima_wav'], 'a WAV with format 0x0011 (IMA ADPCM)'],
  ] as const;
  for (const [extension, options, found] of cases) {
    const path = join(directory, `tone.${extension}`);
    run('ffmpeg', [...tone, ...options, path]);
    t.throws(() => decode(readFileSync(path)), { code: 'UNSUPPORTED_AUDIO', info: { found } }, found);
  }
  t.end();
});

t.test('loudness within 0.1 LU of ffmpeg: rates, encodings, channels, levels', { skip: noSox || noFfmpeg }, (t) => {
  const directory = scratch(t);
  const path = join(directory, 'programme.wav');
  // Noise that swells and fades every two seconds, so that both gates have work.
  const programme = ['synth', '6', 'pinknoise', 'tremolo', '0.5', '95', 'vol', '0.7'];
  const cases: (readonly [rate: number, channels: number, sample: SampleFormat])[] = [
    ...[8_000, 22_050, 44_100, 88_200, 192_000].map((rate) => [rate, 2, 's16'] as const),
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((channels) => [48_000, channels, 's24'] as const),
    [96_000, 2, 'f32'],
    [48_000, 2, 'f64'],
    [44_100, 1, 'u8'],
  ];
  let worst = 0;
  for (const [rate, channels, sample] of cases) {
    run('sox', ['-R', '-n', '-r', String(rate), '-c', String(channels), ...soxEncoding(sample), path, ...programme]);
    const ours = scanFile(path).loudness.integratedLufs ?? Number.NaN;
    // Three channels that the file does not name are left, right and centre here, and with an effects channel in ffmpeg: say which.
    const theirs = ffmpegLufs(path, channels === 3 ? 'channelmap=0|1|2:3.0,' : '');
    worst = Math.max(worst, Math.abs(ours - theirs));
    t.ok(
      Math.abs(ours - theirs) < 0.1,
      `${rate} Hz, ${channels} channels, ${sample}: ${ours.toFixed(3)}, ffmpeg ${theirs}`,
    );
  }
  t.comment(`largest difference from ffmpeg: ${worst.toFixed(3)} LU`);
  t.end();
});

t.test('the sample peak is the one that sox finds', { skip: noSox }, (t) => {
  const path = join(scratch(t), 'noise.wav');
  run('sox', ['-R', '-n', '-r', '44100', '-c', '2', '-b', '24', path, 'synth', '1', 'pinknoise', 'vol', '0.6']);
  const stat = runForErrors('sox', [path, '-n', 'stat']);
  const extremes = [/Maximum amplitude:\s+(\S+)/, /Minimum amplitude:\s+(\S+)/].map((line) =>
    Math.abs(Number(line.exec(stat)?.[1])),
  );
  t.ok(Math.abs(scanFile(path).loudness.samplePeak - Math.max(...extremes)) < 1e-6);
  t.end();
});

t.test('a copy that broke off is noticed at any length', { skip: noSounds }, (t) => {
  const file = readFileSync(alsaSounds()[0]!);
  for (const length of [10, 30, 44, 1_000, file.length - 100]) {
    t.throws(() => decode(file.subarray(0, length)), { code: 'INCOMPLETE_AUDIO' }, `${length} bytes`);
  }
  t.ok(decode(file).frames > 0);
  t.end();
});
