/** The judge must be above suspicion: the test card itself, played by a program that nobody here wrote. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Prng } from '../../src/core/prng.js';
import { passRealTime, until } from '../contract/support.js';
import { type CardCapture, firstDifference, readCardCapture } from './capture.js';
import { buildTestCard, CardControl, type CardInit, writeCardConfig } from './card.js';

const card = await buildTestCard();
const hasAplay = spawnSync('aplay', ['--version']).status === 0;
const missing = 'missing' in card ? card.missing : hasAplay ? false : 'no aplay here: apt-get install alsa-utils';
const library = 'library' in card ? card.library : '';
const options = { skip: missing };

const RATE = 48_000;

/** Noise of `frames` stereo frames in 16 bits. */
function noise(frames: number): Int16Array {
  const prng = new Prng(1);
  return Int16Array.from({ length: 2 * frames }, () => Math.floor((prng.fraction() - 0.5) * 65_536));
}

/** A card and a raw file of noise to be played to it. */
function rig(t: Test, init: CardInit, samples: Int16Array) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-card-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const capture = join(folder, 'capture');
  const control = join(folder, 'control');
  const sound = join(folder, 'noise.raw');
  writeFileSync(sound, samples);
  const { env } = writeCardConfig(
    { library },
    { path: join(folder, 'asound.conf'), cards: { card: { capture, control, ...init } } },
  );
  const args = (more: readonly string[] = []) => [
    '-q',
    '-D',
    'card',
    '-f',
    'S16_LE',
    '-c',
    '2',
    '-t',
    'raw',
    ...more,
    sound,
  ];
  const environment = { ...process.env, ...env };
  return {
    capture,
    control,
    play: (more: readonly string[] = [`-r${RATE}`], extraEnv: NodeJS.ProcessEnv = {}) =>
      spawnSync('aplay', args(more), { env: { ...environment, ...extraEnv }, encoding: 'utf8' }),
    start: (more: readonly string[] = [`-r${RATE}`]) =>
      spawn('aplay', args(more), { env: environment, stdio: ['ignore', 'ignore', 'pipe'] }),
  };
}

const widened = (samples: Int16Array): Int32Array => Int32Array.from(samples, (sample) => sample << 16);

/** Frames a second by the stamps of a capture, from its first frame on. */
function rateOf({ chunks }: CardCapture): number {
  const first = chunks[0]!;
  const last = chunks.at(-1)!;
  return (last.firstFrame * 1e9) / Number(last.hostNs - first.hostNs);
}

t.test('what is played arrives bit by bit, at the rate of the crystal', options, async (t) => {
  for (const ppm of [0, 80, -60]) {
    const samples = noise(12_000);
    const { play, capture } = rig(t, { ppm }, samples);
    const startedAt = process.hrtime.bigint();
    const { status, stderr } = play();
    const tookS = Number(process.hrtime.bigint() - startedAt) / 1e9;
    t.equal(status, 0, stderr);
    const captured = readCardCapture(capture);
    t.match(captured, { rate: RATE, channels: 2 });
    t.equal(firstDifference(captured.samples.subarray(0, samples.length), widened(samples)), -1);
    t.notOk(
      captured.samples.subarray(samples.length).some(Boolean),
      'then the silence with which aplay fills its last period',
    );
    t.equal(captured.chunks.filter(({ isFirst }) => isFirst).length, 1);
    t.ok(Math.abs((rateOf(captured) / RATE - 1) * 1e6 - ppm) < 0.01, `${ppm} ppm: ${rateOf(captured)} frames a second`);
    t.ok(tookS >= 0.24, 'and in no less than the time that it takes');
  }
});

t.test('a crystal that wanders stays near its rate, and is another with another seed', options, async (t) => {
  const runs = [1, 2].map(async (seed) => {
    const { start, capture } = rig(t, { wander: 20, seed }, noise(1.4 * RATE));
    await new Promise((resolve) => start().on('exit', resolve));
    return rateOf(readCardCapture(capture));
  });
  const rates = await Promise.all(runs);
  for (const rate of rates) t.ok(rate !== RATE && Math.abs(rate / RATE - 1) < 200e-6, `${rate} frames a second`);
  t.not(rates[0], rates[1]);
});

t.test('instants are those of the host, whatever the offset of a namespace', options, async (t) => {
  const offsetNs = 3_600_000_000_000n;
  const stampOf = (env: NodeJS.ProcessEnv) => {
    const { play, capture } = rig(t, {}, noise(480));
    t.equal(play(undefined, env).status, 0);
    return readCardCapture(capture).chunks[0]!.hostNs;
  };
  const plain = stampOf({});
  const moved = stampOf({ TUTTI_CARD_CLOCK_OFFSET_NS: `${offsetNs}` });
  const apart = moved + offsetNs - plain;
  t.ok(apart > 0n && apart < 60_000_000_000n, `the second began ${apart} ns after the first`);
});

t.test('a player that is killed loses what had not left, and a few periods', options, async (t) => {
  const { start, capture } = rig(t, {}, noise(10 * RATE));
  const player = start([`-r${RATE}`, '--period-size=480', '--buffer-size=9600']);
  const ended = new Promise((resolve) => player.on('exit', resolve));
  const size = () => (existsSync(capture) ? statSync(capture).size : 0);
  await until(() => size() > 64 + RATE * 8 * 0.3, passRealTime, 'some of it has left');
  player.kill('SIGKILL');
  await ended;
  const { samples, chunks } = readCardCapture(capture);
  t.equal(firstDifference(samples, widened(noise(samples.length / 2))), -1, 'what is there is whole');
  t.ok(chunks.length > 10, 'written as it left, period by period');
});

t.test('an underrun ends a run, and the next one is marked', options, async (t) => {
  const { start, capture, control } = rig(t, {}, noise(RATE));
  const hand = new CardControl(control);
  const player = start([`-r${RATE}`, '--period-size=480', '--buffer-size=9600']);
  const ended = new Promise((resolve) => player.on('exit', resolve));
  await until(() => existsSync(capture) && statSync(capture).size > 64 + 8 * 9_600, passRealTime, 'it plays');
  hand.underrun();
  await ended;
  hand.close();
  const { chunks, samples } = readCardCapture(capture);
  const runs = chunks.filter(({ isFirst }) => isFirst);
  t.ok(runs.length >= 2, 'aplay went on after it');
  const before = chunks[chunks.indexOf(runs[1]!) - 1]!;
  t.ok(runs[1]!.hostNs > before.hostNs, 'later');
  t.ok(samples.length < 2 * RATE, 'what was queued is lost');
});

t.test('another format goes to another file, the same format to the same', options, async (t) => {
  const { play, capture } = rig(t, {}, noise(4_800));
  for (const rate of [48_000, 44_100, 48_000, 44_100]) t.equal(play([`-r${rate}`]).status, 0);
  t.match([readCardCapture(capture).rate, readCardCapture(`${capture}.1`).rate], [48_000, 44_100]);
  for (const path of [capture, `${capture}.1`])
    t.equal(readCardCapture(path).chunks.filter(({ isFirst }) => isFirst).length, 2, path);
  t.notOk(existsSync(`${capture}.2`));
});

t.test('a card that is pulled out ends its player, and cannot be opened', options, async (t) => {
  const { start, play, capture, control } = rig(t, {}, noise(10 * RATE));
  const hand = new CardControl(control);
  const player = start();
  const ended = new Promise((resolve) => player.on('exit', resolve));
  await until(() => existsSync(capture), passRealTime, 'it plays');
  hand.pullOut();
  t.not(await ended, 0, 'aplay gives up');
  t.match(play().stderr, /No such device/);
  hand.close();
});

t.test('an option that it does not know is refused', options, async (t) => {
  const { play } = rig(t, { color: 'red' } as CardInit, noise(480));
  t.match(play().stderr, /color/);
});
