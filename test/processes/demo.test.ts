/** The demo as a newcomer runs it: one command, nobody looking on. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DEMO_RATE, DEMO_TITLES, demoSamples } from '../../src/cli/demo-music.js';
import { findSource, readCapture, soundOf } from '../support/capture.js';
import { temporaryFolder } from '../support/daemon.js';

const MAIN = fileURLToPath(new URL('../../tutti/main.js', import.meta.url));

t.test(
  'the demo plays its songs, finds every sample as it went in, and leaves the capture to listen to [row 64]',
  (t) => {
    const folder = temporaryFolder(t);
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'demo'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, TMPDIR: folder },
    });
    t.equal(status, 0, stderr);
    for (const title of DEMO_TITLES) t.match(stdout, `Playing "${title}"`);
    t.match(stdout, 'left the card as they went in');

    const capture = /^Listen to it: (.*)$/m.exec(stdout)?.[1] ?? '';
    t.ok(capture.startsWith(folder), 'everything that it makes is in the folder for temporary files');
    const songs = DEMO_TITLES.flatMap((title) => [...demoSamples(title)]);
    const match = findSource(readCapture(capture), soundOf(songs, 2, DEMO_RATE, 16));
    t.match(match, { comparedFrames: songs.length / 2, differing: 0 });
    t.same(readdirSync(folder).length, 1);
    t.end();
  },
);

t.test('the songs of the demo can be told apart, are not silent and do not clip', (t) => {
  const songs = DEMO_TITLES.map(demoSamples);
  for (const song of songs) {
    const peak = song.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    t.ok(peak > 8_000 && peak < 32_767, `peak ${peak}`);
    t.equal(song.at(-1), 0, 'ends in silence');
  }
  t.not(Buffer.from(songs[0]!.buffer).compare(Buffer.from(songs[1]!.buffer)), 0);
  t.end();
});
