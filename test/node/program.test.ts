/** From what was agreed to the player's program. */
import t from 'tap';
import { nodeId } from '../../src/core/ids.js';
import { addTime, type ClusterTime, NS_PER_MS } from '../../src/core/units.js';
import { Library } from '../../src/library/library.js';
import type { Track } from '../../src/library/track.js';
import { programOf, type SoundSettings } from '../../src/node/program.js';
import type { Playback, TrackLength } from '../../src/playback/model.js';
import { addItems } from '../../src/playback/queue.js';
import { foldTo } from '../../src/playback/timeline.js';
import { mark, pause, play, setRepeat, skip } from '../../src/playback/transport.js';
import { PROGRAM_SEGMENTS_MAX } from '../../src/player/program.js';
import { asked, ms, queued, seconds, song } from '../playback/songs.js';

const SETTINGS: SoundSettings = { channels: 'stereo', latencyUs: 0, queueMs: 60, volumeLimit: 100, level: 'off' };

/** A library entry of this length. */
const trackOf = ({ id, frames, sampleRate }: TrackLength): Track => ({
  id,
  title: id,
  fileName: `${id}.wav`,
  format: { sampleRate, channels: 2, sample: 's16', dataOffset: 44, channelMask: 0 },
  bytes: 44 + 4 * frames,
  frames,
  tags: {},
  loudness: { integratedLufs: -14, samplePeak: 0.5 },
  source: { node: nodeId('a'.repeat(32)), via: 'http' },
  holders: [],
  addedAt: 0,
});

/** The segments of the program at `now`, for `tracks` that play from 100 ms on. */
function segmentsOf(
  tracks: readonly TrackLength[],
  now: ClusterTime,
  settings: Partial<SoundSettings> = {},
  change = (p: Playback) => p,
) {
  const playback = change(play(queued(...tracks), asked(0)));
  const library = Library.of(tracks.map(trackOf), 1);
  return programOf(1, { playback, library, gainSteps: [] }, { ...SETTINGS, ...settings }, now).segments;
}
const repeatOne = (playback: Playback) => setRepeat(playback, asked(50), 'one');

t.test('tracks of 5 ms: what is over leaves room for all that is to come', (t) => {
  const now = ms(60_002);
  for (const latencyUs of [0, 1_000_000, -1_000_000]) {
    const heardAt = addTime(now, BigInt(latencyUs) * 1_000n);
    const segments = segmentsOf([song(240)], now, { latencyUs }, repeatOne);
    const ahead = segments.filter(({ endAt }) => endAt > heardAt);
    t.equal(ahead.length, PROGRAM_SEGMENTS_MAX, `latency of ${latencyUs} us`);
    t.ok(ahead[0]!.startAt <= heardAt, 'from what is to sound at this instant on');
    t.ok(
      segments[0]!.endAt <= addTime(heardAt, -200n * NS_PER_MS),
      'and something of what is over, for a clock that is behind',
    );
    t.ok(
      segments.every(({ endAt }, i) => i === segments.length - 1 || endAt <= segments[i + 1]!.startAt),
      'in order',
    );
  }
  t.end();
});

t.test('what is agreed of a file and its chunks reaches the player; a track without chunks is played as it is', (t) => {
  const chunks = { bytes: 65_536, root: 'c'.repeat(64) };
  const [old, checked] = [trackOf(seconds(1)), { ...trackOf(seconds(2)), chunks }];
  const playback = play(queued(seconds(1), seconds(2)), asked(0));
  const agreed = { playback, library: Library.of([old, checked], 1), gainSteps: [] };
  t.match(programOf(1, agreed, SETTINGS, ms(1)).segments, [
    { trackId: old.id, file: `tracks/${old.id}.wav`, chunks: undefined },
    { trackId: checked.id, file: `tracks/${checked.id}.wav`, chunks: { ...chunks, fileBytes: checked.bytes } },
  ]);
  t.end();
});

t.test('tracks of a frame: what is over is bounded', (t) => {
  t.ok(segmentsOf([song(1)], ms(60_000), {}, repeatOne).length <= 2 * PROGRAM_SEGMENTS_MAX);
  t.end();
});

t.test('a node that is late by its latency still has the song that is over for the others', (t) => {
  const tracks = [seconds(10), seconds(20)];
  const items = (latencyUs: number) => segmentsOf(tracks, ms(11_000), { latencyUs }).map(({ itemId }) => itemId);
  t.same(items(-1_000_000), ['i1', 'i2']);
  t.same(items(0), ['i2']);
  t.end();
});

t.test('a command soon after the end of a song cuts nothing of it in a room that is behind', (t) => {
  const tracks = [seconds(10), seconds(20), seconds(30)];
  const changes = {
    skip: (playback: Playback) => skip(playback, asked(10_300)),
    pause: (playback: Playback) => pause(playback, asked(10_300)),
    mark: (playback: Playback) => mark(playback, asked(10_300)),
    add: (playback: Playback) => addItems(playback, asked(10_300), [seconds(5)], 'end').playback,
  };
  for (const [name, change] of Object.entries(changes)) {
    const first = segmentsOf(tracks, ms(10_301), { latencyUs: -1_000_000 }, (p) => change(foldTo(p, ms(10_300))))[0]!;
    t.match(first, { itemId: 'i1', startAt: ms(100), endAt: ms(10_100), complete: true }, name);
  }
  t.end();
});

t.test('at the beginning of the clock nothing lies before it', (t) => {
  t.same(
    segmentsOf([seconds(10)], ms(1), { latencyUs: -1_000_000 }).map(({ itemId, startAt }) => [itemId, startAt]),
    [['i1', ms(100)]],
  );
  t.end();
});
