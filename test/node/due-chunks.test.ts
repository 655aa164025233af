/** Which chunks a node plays next. */
import fc from 'fast-check';
import t from 'tap';
import { nodeId, type TrackId } from '../../src/core/ids.js';
import { Library } from '../../src/library/library.js';
import type { Track } from '../../src/library/track.js';
import { DUE_CHUNKS_MAX, dueChunks } from '../../src/node/due-chunks.js';
import type { Playback, TrackLength } from '../../src/playback/model.js';
import { segments } from '../../src/playback/timeline.js';
import { pause, play, seek, setRepeat, skip } from '../../src/playback/transport.js';
import { asked, ms, queued, seconds, song } from '../playback/songs.js';

/** Bytes of a chunk: a quarter of a second, as frames of 4 bytes. */
const CHUNK_BYTES = 48_000;

const trackOf = ({ id, frames, sampleRate }: TrackLength): Track => ({
  id,
  title: id,
  fileName: `${id}.wav`,
  format: { sampleRate, channels: 2, sample: 's16', dataOffset: 44, channelMask: 0 },
  bytes: 44 + 4 * frames,
  frames,
  chunks: { bytes: CHUNK_BYTES, root: '0'.repeat(64) },
  tags: {},
  loudness: { integratedLufs: -14, samplePeak: 0.5 },
  source: { node: nodeId('a'.repeat(32)), via: 'http' },
  holders: [],
  addedAt: 0,
});

const [first, second, third] = [seconds(2), seconds(3), song(12_000)] as const;
const TRACKS = [first, second, third];
const library = Library.of(TRACKS.map(trackOf), 1);

/** What is due at `atMs` as text: "96000@48000:0-8", a line of chunks for each stretch of them. */
function due(playback: Playback, atMs: number, lacks: (id: TrackId) => boolean = () => true): string {
  const runs: { id: TrackId; from: number; to: number }[] = [];
  for (const { trackId, chunk } of dueChunks({ playback, library }, ms(atMs), lacks)) {
    const run = runs.at(-1);
    if (run?.id === trackId && run.to + 1 === chunk) run.to = chunk;
    else runs.push({ id: trackId, from: chunk, to: chunk });
  }
  return runs.map(({ id, from, to }) => `${TRACKS.findIndex((track) => track.id === id) + 1}:${from}-${to}`).join(' ');
}

const queue = queued(...TRACKS);
const playing = play(queue, asked(0));

t.test('what plays comes first, from the frame that is due, and then what follows', (t) => {
  t.equal(due(playing, 0), '1:0-8 2:0-12 3:0-1', 'before it begins: all of it');
  t.equal(due(playing, 100 + 1_300), '1:5-8 2:0-12 3:0-1');
  t.equal(due(playing, 100 + 4_900), '2:11-12 3:0-1');
  t.equal(due(playing, 60_000), '', 'all is over');
  t.end();
});

t.test('files that are whole here are left out, and tracks without chunks', (t) => {
  t.equal(
    due(playing, 600, (id) => id !== first.id),
    '2:0-12 3:0-1',
  );
  const bare = Library.of(
    TRACKS.map(trackOf).map(({ chunks, ...rest }) => (rest.id === second.id ? rest : { ...rest, chunks: chunks! })),
    1,
  );
  t.notOk(
    dueChunks({ playback: playing, library: bare }, ms(0), () => true).some(({ trackId }) => trackId === second.id),
  );
  t.same(
    dueChunks({ playback: playing, library: Library.of([], 1) }, ms(0), () => true),
    [],
    'and those that are not in the library any more',
  );
  t.end();
});

t.test('until a command takes effect what it cuts is due, and after that what it begins', (t) => {
  t.equal(due(skip(playing, asked(1_000)), 1_000), '1:3-4 2:0-12 3:0-1');
  t.equal(due(seek(playing, asked(300), 1_500), 300), '1:0-1 1:6-8 2:0-12 3:0-1');
  t.end();
});

t.test('paused: what would sound if somebody pressed play; stopped: the queue', (t) => {
  const paused = pause(playing, asked(1_400));
  t.equal(due(paused, 1_450), '1:5-8 2:0-12 3:0-1');
  t.equal(due(paused, 90_000), '1:5-8 2:0-12 3:0-1');
  t.equal(due(queue, 90_000), '1:0-8 2:0-12 3:0-1');
  t.equal(due(queued(), 0), '');
  t.end();
});

t.test('each chunk is named once, also where a song comes round again', (t) => {
  t.equal(due(setRepeat(playing, asked(50), 'one'), 1_400), '1:5-8 1:0-4');
  t.equal(due(setRepeat(playing, asked(50), 'all'), 1_400), '1:5-8 2:0-12 3:0-1 1:0-4');
  t.end();
});

t.test('no more are named than is useful', (t) => {
  const long = seconds(3_000);
  const playback = play(queued(long, first), asked(0));
  const named = dueChunks({ playback, library: Library.of([long, first].map(trackOf), 1) }, ms(10_100), () => true);
  t.equal(named.length, DUE_CHUNKS_MAX);
  t.same(named[0], { trackId: long.id, chunk: 40, at: ms(10_100) });
  // Its first whole frame stands 11 frames before the end of a quarter of a second, for the header comes before all.
  t.ok(named[1]!.chunk === 41 && Math.abs(Number(named[1]!.at - ms(100)) / 1e6 - 491_989 / 48) < 0.001);
  t.end();
});

t.test('at any instant, the frame that sounds lies in the first chunk that is named', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 5_349 }), (atMs) => {
      const [sounding] = segments(playing, ms(atMs), 1);
      const frame = sounding!.startFrame + Math.floor((Number(ms(atMs) - sounding!.startAt) * 48_000) / 1e9);
      const chunk = Math.floor((44 + 4 * frame) / CHUNK_BYTES);
      const [named] = dueChunks({ playback: playing, library }, ms(atMs), () => true);
      return named?.trackId === sounding!.trackId && named.chunk === chunk;
    }),
  );
  t.end();
});
