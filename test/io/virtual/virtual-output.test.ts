import { closeSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { CaptureTimes } from '../../../src/io/virtual/capture-times.js';
import { VirtualOutput, type VirtualOutputInit } from '../../../src/io/virtual/virtual-output.js';
import { WavCapture } from '../../../src/io/virtual/wav-capture.js';
import { FakeAudioOutput } from '../../../src/ports/fake-audio-output.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import { runAudioOutputContract } from '../../contract/audio-output.js';
import { codeOf, passRealTime } from '../../contract/support.js';
import { readCapture } from '../../support/capture.js';

const REQUEST = { rate: 48_000, channels: 2, bits: 24 };

const onFakeTime = (make: (time: FakeTime) => FakeAudioOutput | VirtualOutput) => () => {
  const time = new FakeTime();
  return { output: make(time), pass: () => time.advance(1) };
};
await runAudioOutputContract(
  t,
  'FakeAudioOutput',
  onFakeTime((time) => new FakeAudioOutput({ time })),
);
await runAudioOutputContract(
  t,
  'VirtualOutput',
  onFakeTime((time) => new VirtualOutput({ time })),
);
await runAudioOutputContract(
  t,
  'VirtualOutput with an odd crystal and a coarse position',
  onFakeTime((time) => new VirtualOutput({ time }, { ppm: -300, wanderPpm: 5, stepMs: 10 })),
);
await runAudioOutputContract(t, 'VirtualOutput in real time', () => ({
  output: new VirtualOutput({ time: new SystemTime() }),
  pass: passRealTime,
}));

const scratch = mkdtempSync(join(tmpdir(), 'tutti-'));
t.teardown(() => rmSync(scratch, { recursive: true }));

/** File descriptors of this process that are open on `path`. */
const openDescriptors = (path: string): number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
      } catch {
        return false;
      }
    });

/** An open card on fake time, kept fed with silence: gives how far it got. */
function card(init: VirtualOutputInit = {}) {
  const time = new FakeTime();
  const output = new VirtualOutput({ time }, init);
  const format = output.open(REQUEST);
  const silence = new Int32Array(format.bufferFrames * 2);
  let written = output.write(silence, format.bufferFrames);
  const play = (seconds: number) => {
    for (let ms = 0; ms < seconds * 1_000; ms += 20) {
      time.advance(20);
      written += output.write(silence, output.status().writableFrames);
    }
    return written - output.status().delayFrames;
  };
  return { time, output, play };
}

t.test('it plays as fast as its crystal says, to a fraction of a frame', (t) => {
  for (const ppm of [0, 80, -500]) {
    const { play } = card({ ppm });
    const expected = 60 * 48_000 * (1 + ppm / 1e6);
    t.ok(Math.abs(play(60) - expected) < 1e-3, `${ppm} ppm`);
  }
  const { time, output } = card();
  const before = output.status().delayFrames;
  time.advanceNs(12_345n);
  t.ok(Math.abs(before - output.status().delayFrames - 12_345 * 48e-6) < 1e-6, 'fractions are told');
  t.end();
});

t.test('its crystal wanders by the seed: the same each time, and never far', (t) => {
  const run = (seed: number) => card({ wanderPpm: 3, seed }).play(120);
  t.equal(run(1), run(1));
  t.not(run(1), run(2));
  const off = (run(1) / (120 * 48_000) - 1) * 1e6;
  t.ok(Math.abs(off) > 0.01 && Math.abs(off) <= 30, `${off} ppm`);
  t.end();
});

t.test('a coarse position moves in steps, and is late by less than one', (t) => {
  const { time, output } = card({ stepMs: 10 });
  const full = output.status().delayFrames;
  const seen = new Set<number>();
  for (let ms = 1; ms <= 50; ms++) {
    time.advance(1);
    const played = full - output.status().delayFrames;
    seen.add(played);
    t.ok(played <= ms * 48 && played > ms * 48 - 480);
  }
  t.same([...seen], [0, 480, 960, 1_440, 1_920, 2_400]);
  t.end();
});

t.test('it takes the rate that it is asked for at each opening, unless it was made with one', (t) => {
  const first = new VirtualOutput({ time: new FakeTime() });
  t.equal(first.open(REQUEST).rate, 48_000);
  first.close();
  const { rate, bufferFrames } = first.open({ ...REQUEST, rate: 96_000 });
  t.same([rate, bufferFrames], [96_000, 48_000]);
  t.equal(new VirtualOutput({ time: new FakeTime() }, { rate: 96_000 }).open(REQUEST).rate, 96_000);
  t.end();
});

t.test('with a capture it keeps the rate of its first opening: a file has one', (t) => {
  const path = join(scratch, 'one-rate.wav');
  const output = new VirtualOutput({ time: new FakeTime(), capture: new WavCapture({ log: new FakeLog() }, { path }) });
  t.equal(output.open(REQUEST).rate, 48_000);
  output.close();
  t.equal(output.open({ ...REQUEST, rate: 96_000 }).rate, 48_000);
  output.close();
  t.equal(readCapture(path).rate, 48_000);
  t.end();
});

t.test('the capture holds what left the card, and no more', (t) => {
  for (const bits of [16, 24, 32]) {
    const path = join(scratch, `played-${bits}.wav`);
    const time = new FakeTime();
    const output = new VirtualOutput({ time, capture: new WavCapture({ log: new FakeLog() }, { path }) });
    output.open({ ...REQUEST, bits });
    const largest = 2 ** (bits - 1) - 1;
    const samples = Int32Array.from({ length: 2 * 4_800 }, (_, i) => (i % 2 === 0 ? i : -largest - 1));
    samples[2] = largest;
    output.write(samples, 4_800);
    time.advance(10);
    output.close();
    const { rate, channels, samples: played } = readCapture(path);
    t.same({ rate, channels, frames: played.length / 2 }, { rate: 48_000, channels: 2, frames: 480 });
    t.ok(
      played.every((sample, i) => sample * 2 ** (bits - 1) === samples[i]),
      `${bits} bits`,
    );
    // Opened again, the capture goes on; sound after an underrun follows on what was before.
    output.open({ ...REQUEST, bits });
    output.write(samples, 480);
    time.advance(100);
    output.recover();
    output.write(samples, 480);
    time.advance(5);
    output.close();
    t.equal(readCapture(path).samples.length / 2, 480 + 480 + 240);
  }
  t.end();
});

t.test('a process that is killed leaves a capture that lacks a second at most', (t) => {
  const path = join(scratch, 'killed.wav');
  const time = new FakeTime();
  const output = new VirtualOutput({ time, capture: new WavCapture({ log: new FakeLog() }, { path }) });
  output.open(REQUEST);
  t.ok(existsSync(path) && readCapture(path).samples.length === 0, 'a header is there from the start');
  const silence = new Int32Array(2 * 4_800);
  for (let ms = 0; ms < 5_400; ms += 50) {
    output.write(silence, 2_400);
    time.advance(50);
    output.status();
    output.recover();
  }
  const seconds = readCapture(path).samples.length / 2 / 48_000;
  t.ok(seconds >= 4.3 && seconds <= 5.4, `${seconds} s`);
  output.close();
  t.equal(readCapture(path).samples.length / 2 / 48_000, 5.4);
  t.end();
});

t.test('a capture that cannot be written is said when the card is opened', (t) => {
  const capture = new WavCapture({ log: new FakeLog() }, { path: join(scratch, 'no', 'such', 'directory.wav') });
  const output = new VirtualOutput({ time: new FakeTime(), capture });
  t.equal(
    codeOf(() => output.open(REQUEST)),
    'OUTPUT_UNAVAILABLE',
  );
  t.end();
});

t.test('a disk that is full when the card is opened is said as an output that is not there', (t) => {
  const capture = new WavCapture({ log: new FakeLog() }, { path: '/dev/full' });
  const output = new VirtualOutput({ time: new FakeTime(), capture });
  const opened = openDescriptors('/dev/full').length;
  t.equal(
    codeOf(() => output.open(REQUEST)),
    'OUTPUT_UNAVAILABLE',
  );
  t.equal(openDescriptors('/dev/full').length, opened, 'the file is let go');
  output.close();
  t.end();
});

for (const when of ['while it plays', 'at its end']) {
  t.test(`a file that cannot be written ${when} ends the capture, is said once, and the card plays on`, (t) => {
    const path = join(scratch, `broken ${when}.wav`);
    const time = new FakeTime();
    const log = new FakeLog();
    const output = new VirtualOutput({ time, capture: new WavCapture({ log }, { path }) });
    const play = (blocks: number) => {
      for (let i = 0; i < blocks; i++) {
        output.write(new Int32Array(2 * 4_800), 4_800);
        time.advance(50);
        output.status();
        time.advance(50);
        output.recover();
      }
    };
    output.open(REQUEST);
    play(12);
    // From here on every write fails, as on a disk that was pulled out.
    for (const descriptor of openDescriptors(path)) closeSync(descriptor);
    if (when === 'while it plays') play(30);
    output.close();
    output.open(REQUEST);
    play(2);
    output.close();
    const said = log.entries.map(({ level, fields }) => [level, fields.path]);
    t.same(said, [['error', path]]);
    const seconds = readCapture(path).samples.length / 2 / 48_000;
    t.ok(seconds >= 0.9 && seconds <= 1.2, `what was there stays: ${seconds} s`);
    t.end();
  });
}

t.test('the times of a capture say when each frame left, through an underrun too', (t) => {
  const path = join(scratch, 'played.times');
  const time = new FakeTime();
  const output = new VirtualOutput(
    { time, capture: new CaptureTimes({ log: new FakeLog() }, { path }) },
    { ppm: 1_000 },
  );
  output.open(REQUEST);
  const silence = new Int32Array(2 * 4_800);
  time.advance(3);
  const startNs = Number(time.now());
  output.write(silence, 4_800);
  for (let ms = 0; ms < 120; ms += 7) {
    time.advance(7);
    output.status();
  }
  output.recover();
  time.advance(5);
  const againNs = Number(time.now());
  output.write(silence, 480);
  time.advance(20);
  output.close();
  const marks = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number)) as [number, number][];
  t.equal(marks[0]![0], 0);
  const leaves = (frame: number) =>
    frame < 4_800 ? startNs + (frame / 48_048) * 1e9 : againNs + ((frame - 4_800) / 48_048) * 1e9;
  for (const [frame, atNs] of marks) t.ok(Math.abs(atNs - leaves(frame)) < 10, `frame ${frame} at ${atNs}`);
  t.equal(marks.at(-1)![0], 4_800, 'what came after the underrun is there');
  t.end();
});

t.test('times that cannot be written are said when the card is opened', (t) => {
  const capture = new CaptureTimes({ log: new FakeLog() }, { path: join(scratch, 'no', 'such', 'directory.times') });
  t.equal(
    codeOf(() => new VirtualOutput({ time: new FakeTime(), capture }).open(REQUEST)),
    'OUTPUT_UNAVAILABLE',
  );
  t.end();
});
