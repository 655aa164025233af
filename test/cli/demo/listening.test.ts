/** The judge of the demo: it finds where a room is, how far apart two are, and a single frame that is missing. */
import t from 'tap';
import { find, follow } from '../../../src/cli/demo/listening.js';
import { DEMO_RATE, DEMO_TITLES, demoSamples } from '../../../src/cli/demo/music.js';
import { Recording } from '../../../src/cli/demo/recording.js';
import { listen } from '../../../src/cli/demo/spread.js';

const music = Float64Array.from(
  demoSamples(DEMO_TITLES[0]!).filter((_, index) => index % 2 === 0),
  (sample) => sample / 32_768,
);
/** Within the first chord, which sounds all the while. Frames. */
const FROM = 10_000;
const FRAMES = 30_000;

/** The music as it left a card from `position` on, by cubic interpolation (Catmull and Rom): `ratio` of its frames for each of the card's. */
const played = (position: number, ratio = 1): Float64Array =>
  Float64Array.from({ length: FRAMES }, (_, index) => {
    const at = position + index * ratio;
    const whole = Math.floor(at);
    const x = at - whole;
    const [a, b, c, d] = [-1, 0, 1, 2].map((i) => music[whole + i] ?? 0) as [number, number, number, number];
    return b + (x / 2) * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)));
  });

const START = { around: FROM, reach: 3_000 };

t.test('a room is found in the music to a hundredth of a frame, and followed at the rate of its card', (t) => {
  const sound = played(FROM + 0.37, 1.0001);
  const start = find(sound, music, 1_000, START)!;
  t.ok(Math.abs(start.position - (FROM + 0.37 + 1_000 * 1.0001)) < 0.01, `${start.position}`);
  const { places, faults } = follow(sound, music, start, sound.length);
  t.equal(faults, 0);
  t.ok(places.length > 200);
  const worst = Math.max(...places.map(({ frame, position }) => Math.abs(position - (FROM + 0.37 + frame * 1.0001))));
  t.ok(worst < 0.01, `${worst} frames off at worst`);
  t.end();
});

t.test('one frame that is missing, doubled or silent is a fault; other music is not found at all', (t) => {
  const whole = played(FROM);
  const start = find(whole, music, 1_000, START)!;
  const harmed = {
    missing: [...whole.slice(0, 15_000), ...whole.slice(15_001)],
    doubled: [...whole.slice(0, 15_000), whole[14_999]!, ...whole.slice(15_000)],
    silent: whole.map((sample, index) => (index >= 15_000 && index < 15_010 ? 0 : sample)),
  };
  for (const [what, samples] of Object.entries(harmed)) {
    const { faults } = follow(Float64Array.from(samples), music, start, FRAMES);
    t.ok(faults > 0, what);
  }
  const noise = Float64Array.from({ length: FRAMES }, (_, index) => Math.sin(index * index) / 4);
  t.equal(find(noise, music, 1_000, START), undefined);
  t.equal(find(new Float64Array(FRAMES), music, 1_000, START), undefined);
  t.end();
});

/** To some milliseconds: the first room is found from there. */
const PLAYED = { music, rate: DEMO_RATE, place: { atNs: 500e6, position: 0.48 * DEMO_RATE } };

/** What a card of this rate played that began at `startNs` with the music's beginning. */
function recording(startNs: number, ppm: number): Recording {
  const nsPerFrame = 1e9 / (DEMO_RATE * (1 + ppm / 1e6));
  const marks = [0, 10_000, 20_000, FRAMES].map((frame) => ({ frame, atNs: startNs + frame * nsPerFrame }));
  return new Recording(played(0, 1 / (1 + ppm / 1e6)), DEMO_RATE, marks);
}

t.test('two rooms are as far apart as their cards were', (t) => {
  const players = [
    { name: 'kitchen', recording: recording(5e6, 0) },
    { name: 'hall', recording: recording(5e6 + 40e3, 80) },
  ];
  const { faulty, spread } = listen(players, { fromNs: 100e6, toNs: 600e6 }, PLAYED);
  t.same(faulty, []);
  t.ok(Math.abs(spread!.medianUs - 40) < 0.5 && Math.abs(spread!.maxUs - 40) < 0.5, JSON.stringify(spread));
  t.end();
});

t.test('a room whose card stood still, or plays another place, is faulty', (t) => {
  const well = recording(0, 0);
  const nsPerFrame = 1e9 / DEMO_RATE;
  const stood = new Recording(well.left, DEMO_RATE, [
    { frame: 0, atNs: 0 },
    { frame: 10_000, atNs: 10_000 * nsPerFrame },
    { frame: 20_000, atNs: 20_000 * nsPerFrame + 50e6 },
    { frame: FRAMES, atNs: FRAMES * nsPerFrame + 50e6 },
  ]);
  t.equal(stood.frameAt(15_000 * nsPerFrame), undefined);
  const late = recording(200e6, 0);
  const hear = (other: Recording) =>
    listen(
      [
        { name: 'kitchen', recording: well },
        { name: 'hall', recording: other },
      ],
      { fromNs: 250e6, toNs: 600e6 },
      PLAYED,
    );
  t.same(hear(well).faulty, []);
  t.same(hear(late).faulty, ['kitchen', 'hall'], 'nobody can say which of the two is right');
  t.same(hear(late).spread, null);
  t.end();
});

t.test('the songs of the demo can be told apart, are not silent and do not clip', (t) => {
  const songs = DEMO_TITLES.map(demoSamples);
  for (const song of songs) {
    const peak = song.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    t.ok(peak > 8_000 && peak < 32_767, `peak ${peak}`);
    t.equal(song.at(-1), 0, 'ends in silence');
  }
  t.not(Buffer.from(songs[0]!.buffer).compare(Buffer.from(songs[1]!.buffer)), 0);
  t.not(Buffer.from(songs[1]!.buffer).compare(Buffer.from(songs[2]!.buffer)), 0);
  t.end();
});
