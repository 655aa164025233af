/** The demo as a newcomer runs it: one command, nobody looking on. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DEMO_RATE, DEMO_TITLES, demoSamples } from '../../src/cli/demo/music.js';
import { findSource, readCapture, soundOf } from '../support/capture.js';
import { temporaryFolder, until } from '../support/daemon.js';

const MAIN = fileURLToPath(new URL('../../tutti/main.js', import.meta.url));

// A minute on a machine that has time; three attempts on one that has not.
t.setTimeout(230_000);

function runDemo(folder: string, ...args: string[]) {
  return spawnSync(process.execPath, [MAIN, 'demo', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TMPDIR: folder },
  });
}

t.test(
  'the demo of three nodes: they play as one, the leader is killed in mid-song and comes back, nothing is lost or missed [row 64]',
  (t) => {
    const folder = temporaryFolder(t);
    const { status, stdout, stderr } = runDemo(folder, '--json');
    t.equal(status, 0, stderr);
    const { nodes, before, through, after, missing } = JSON.parse(stdout);
    t.equal(nodes, 3);
    t.match({ before, through, after }, { before: { faulty: [] }, through: { faulty: [] }, after: { faulty: [] } });
    for (const { spread } of [before, through, after]) t.ok(spread.medianUs <= spread.maxUs && spread.maxUs <= 1_000);
    t.same(missing, []);
    for (const title of DEMO_TITLES) t.match(stderr, `"${title}"`);
    t.match(stderr, /(kitchen|hall|attic), which leads, is killed in mid-song/);
    t.match(stderr, /Measured at the cards: all rooms at most [0-9.]+ us apart/);
    t.match(stderr, /While \w+ was dead the others missed no sample, at most/);
    t.match(stderr, /Nothing that was answered is lost/);
    t.same(readdirSync(folder).length, 1, 'everything that it makes is in one folder for temporary files');
    t.end();
  },
);

t.test('the demo of one node plays two songs and finds every sample as it went in', (t) => {
  const folder = temporaryFolder(t);
  const { status, stdout, stderr } = runDemo(folder, '--nodes', '1');
  t.equal(status, 0, stderr);
  const titles = DEMO_TITLES.slice(0, 2);
  for (const title of titles) t.match(stdout, `Playing "${title}"`);
  t.match(stdout, 'left the card as they went in');

  const capture = readCapture(/^Listen to it: (.*)$/m.exec(stdout)?.[1] ?? '');
  const songs = titles.flatMap((title) => [...demoSamples(title)]);
  // A try that a busy machine began late stands in the capture as well: the demo speaks of its last one.
  const isHeard = (sample: number) => sample !== 0;
  const begin = Math.max(0, capture.samples.findLastIndex(isHeard) - songs.findLastIndex(isHeard));
  const last = { ...capture, samples: capture.samples.subarray(begin) };
  t.match(findSource(last, soundOf(songs, 2, DEMO_RATE, 16)), { comparedFrames: songs.length / 2, differing: 0 });
  t.end();
});

/** Processes whose command line names `folder` (proc(5)). */
const processesOf = (folder: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^[0-9]+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false; // it has ended meanwhile
    }
  });

t.test('a demo that is ended in its midst leaves no node behind', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn(process.execPath, [MAIN, 'demo', '--nodes', '2'], {
    env: { PATH: process.env.PATH, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => {
    child.kill('SIGKILL');
    for (const pid of processesOf(folder)) process.kill(Number(pid), 'SIGKILL');
  });
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  await until('one has joined the other', () => told.includes('joins'));
  t.equal(processesOf(folder).length, 2);
  child.kill('SIGTERM');
  const [exitCode] = await once(child, 'exit');
  t.equal(exitCode, 143, 'as the shell says it of one that was ended');
  t.strictSame(processesOf(folder), []);
});
