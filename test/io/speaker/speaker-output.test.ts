/** SpeakerOutput with stand-ins for its package, in real processes; and with the package itself, where that is installed. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SpeakerOutput } from '../../../src/io/speaker/speaker-output.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { codeOf, passRealTime, until } from '../../contract/support.js';
import { type Behaviour, scratchFolder, standIn } from './stand-in.js';

// Each opening starts a process: a second and more on a machine that is busy with other tests.
t.setTimeout(120_000);

const REQUEST = { rate: 48_000, channels: 2, bits: 24 };
const time = new SystemTime();

function setup(t: Test, behaviour: Behaviour, device = 'auto') {
  const directory = scratchFolder(t);
  const module = standIn(directory, behaviour);
  const output = new SpeakerOutput({ time }, { device, module });
  t.teardown(() => output.close());
  const read = (name: string) =>
    existsSync(join(directory, name)) ? readFileSync(join(directory, name)) : Buffer.of();
  return { output, played: () => read('played'), opened: () => read('opened').toString().trim().split('\n') };
}

t.test('what is written reaches the package, sample by sample, in 16 bits', async (t) => {
  const { output, played, opened } = setup(t, 'plays', 'hw:1,0');
  const format = output.open({ rate: 44_100, channels: 8, bits: 24 });
  t.same(format, { rate: 44_100, channels: 2, bits: 16, bufferFrames: 22_050, periodFrames: 1_024 });
  // An odd number of frames, in more than one chunk of a pipe.
  const samples = Int32Array.from({ length: 2 * 20_001 }, (_, i) => ((i * 7_919) % 65_536) - 32_768);
  t.equal(output.write(samples, 20_001), 20_001);
  const opening = 882 * 4;
  await until(() => played().length >= opening + samples.length * 2, passRealTime, 'all of it arrives');
  const bytes = played().subarray(opening);
  t.same(
    new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
    Int16Array.from(samples),
  );
  t.same(
    opened().map((line) => JSON.parse(line)),
    [{ sampleRate: 44_100, channels: 2, bitDepth: 16, device: 'hw:1,0' }],
  );
});

t.test('a queue that ran dry is filled again by the same process; one that is emptied needs another', async (t) => {
  const { output, opened } = setup(t, 'plays');
  output.open(REQUEST);
  output.write(new Int32Array(200), 100);
  await until(() => output.status().state === 'underrun', passRealTime, 'it runs dry');
  output.recover();
  t.equal(output.write(new Int32Array(2 * 4_800), 4_800), 4_800);
  t.equal(opened().length, 1);
  output.recover();
  t.equal(opened().length, 2);
  t.equal(output.status().delayFrames, 0);
  t.end();
});

t.test('a package that is not installed: what to do', (t) => {
  const output = new SpeakerOutput({ time }, { device: 'auto', module: 'no-such-package' });
  t.throws(() => output.open(REQUEST), {
    code: 'OUTPUT_UNAVAILABLE',
    detail: /no-such-package is not installed.*alsa/,
  });
  t.end();
});

for (const [behaviour, detail] of [
  ['aborts', /default device: no device/],
  ['fails', /default device: write\(\) failed: -1/],
] as const) {
  t.test(`a package that ${behaviour} takes its process with it, and not this one`, (t) => {
    const { output } = setup(t, behaviour);
    t.throws(() => output.open(REQUEST), { code: 'OUTPUT_UNAVAILABLE', detail });
    t.equal(
      codeOf(() => output.open(REQUEST)),
      'OUTPUT_UNAVAILABLE',
      'and may be tried again',
    );
    t.end();
  });
}

/** Keeps 100 ms queued until the card is lost, and gives the reason. */
async function playUntilLost(output: SpeakerOutput): Promise<string | undefined> {
  const silence = new Int32Array(2 * 4_800);
  await until(
    () => {
      const { state, delayFrames } = output.status();
      if (state === 'underrun') output.recover();
      else if (state === 'running' && delayFrames < 4_800) output.write(silence, 4_800);
      return state === 'lost';
    },
    passRealTime,
    'it is lost',
  );
  return output.status().reason;
}

t.test('a process that dies while it plays: the card is lost, says why, and can be opened again', async (t) => {
  const { output } = setup(t, 'dies');
  output.open(REQUEST);
  t.match(await playUntilLost(output), /ended by code 3.*the device is gone/s);
  t.equal(output.write(new Int32Array(2), 1), 0, 'it takes nothing');
  output.recover();
  t.equal(output.status().state, 'lost', 'and no recovery brings it back');
  output.close();
  output.open(REQUEST);
  t.equal(output.status().state, 'running');
});

t.test('a device that takes the sound too slowly is given up, since nobody knows where it is', async (t) => {
  const { output } = setup(t, 'lags');
  output.open(REQUEST);
  t.match(await playUntilLost(output), /more slowly/);
});

t.test('a process that hangs is given up', async (t) => {
  const { output } = setup(t, 'hangs');
  output.open(REQUEST);
  t.match(await playUntilLost(output), /takes no sound any more/);
});

const isInstalled = (() => {
  try {
    createRequire(import.meta.url).resolve('speaker');
    return spawnSync('aplay', ['-d', '1', '/dev/zero'], { timeout: 3_000 }).status === 0;
  } catch {
    return false;
  }
})();

t.test(
  'the package itself',
  { skip: !isInstalled && 'the package speaker, or a sound card, is missing' },
  async (t) => {
    const output = new SpeakerOutput({ time }, { device: 'auto' });
    output.open(REQUEST);
    output.write(new Int32Array(2 * 4_800), 4_800);
    await until(() => output.status().state === 'underrun', passRealTime, 'a tenth of a second has been played');
    output.close();
    t.end();
  },
);
