/** Broken headers: every one gets a typed error or a right answer, in bounded memory and time, however its bytes are cut. */
import t from 'tap';
import { TrackScan } from '../../../src/audio/track-scan.js';
import { frameBytes } from '../../../src/audio/wav/fmt-chunk.js';
import { type WavFile, WavReader } from '../../../src/audio/wav/wav-reader.js';
import { TuttiError } from '../../../src/core/errors.js';
import { Prng } from '../../../src/core/prng.js';
import { heldBytes } from '../../support/memory.js';
import { bytesOf, chunk, extensibleBody, fmtBody, little, pushAll, wavOf } from '../../support/wav-files.js';

const HEADERS = 100_000;

const DATA = Uint8Array.from({ length: 96 }, (_, i) => i * 5);
const INFO = chunk('LIST', bytesOf('INFO', chunk('INAM', 'Song'), chunk('IART', 'Band')));
const ID3 = chunk('id3 ', bytesOf('ID3', [3, 0, 0, 0, 0, 0, 15], 'TIT2', [0, 0, 0, 5, 0, 0, 0], 'Song'));
const DS64 = chunk('ds64', bytesOf(little(200, 8), little(96, 8), little(24, 8), little(0, 4)));
const FILES: readonly Uint8Array[] = [
  wavOf([chunk('fmt ', fmtBody()), chunk('data', DATA)]),
  wavOf([
    INFO,
    chunk('fmt ', extensibleBody({ bits: 24, channelMask: 3 })),
    chunk('odd ', 'abc'),
    chunk('data', DATA),
    ID3,
  ]),
  wavOf(
    [DS64, chunk('fmt ', fmtBody({ bits: 32, tag: 3 })), chunk('data', DATA, 0xffff_ffff), INFO],
    0xffff_ffff,
    'RF64',
  ),
  wavOf([ID3, chunk('fmt ', fmtBody({ bits: 8, channels: 1 })), chunk('data', DATA, 0xffff_ffff)], 0xffff_ffff),
];

/** Values that headers go wrong at. */
const EDGES = [
  0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];

/** A file with one to four things wrong. */
function mutated(prng: Prng): Uint8Array {
  let file: Uint8Array = FILES[prng.below(FILES.length)]!.slice();
  for (let count = 1 + prng.below(4); count > 0 && file.length > 0; count--) {
    const at = prng.below(file.length);
    switch (prng.below(7)) {
      case 0: // another byte
        file[at] = prng.below(256);
        break;
      case 1: // a flipped bit
        file[at]! ^= 1 << prng.below(8);
        break;
      case 2: // another number of 32 bits, somewhere or where sizes are
        file.set(little(EDGES[prng.below(EDGES.length)]!, 4).subarray(0, file.length - at), at);
        break;
      case 3: // cut short
        file = file.slice(0, at);
        break;
      case 4: {
        // a stretch doubled, as with a chunk that is there twice
        const end = at + prng.below(file.length - at + 1);
        file = bytesOf(file.subarray(0, end), file.subarray(at));
        break;
      }
      case 5: {
        // a stretch missing
        const end = at + prng.below(Math.min(16, file.length - at) + 1);
        file = bytesOf(file.subarray(0, at), file.subarray(end));
        break;
      }
      default: // the head of one on the tail of another
        file = bytesOf(file.subarray(0, at), FILES[prng.below(FILES.length)]!.subarray(prng.below(40)));
    }
  }
  return file;
}

type Outcome =
  | { readonly file: WavFile; readonly data: Uint8Array }
  | { readonly code: string; readonly detail: string };

function outcomeOf(file: Uint8Array, pieceSize?: () => number): Outcome {
  const data: Uint8Array[] = [];
  const reader = new WavReader((bytes) => data.push(bytes));
  try {
    pushAll(reader, file, pieceSize);
    return { file: reader.end(), data: bytesOf(...data) };
  } catch (error) {
    if (error instanceof TuttiError) return { code: error.code, detail: error.detail };
    throw error;
  }
}

/** What must hold of an answer, whatever the header said; empty where all does. */
function wrongWith(outcome: Outcome, bytes: Uint8Array): string {
  if ('code' in outcome) return ['UNSUPPORTED_AUDIO', 'INCOMPLETE_AUDIO'].includes(outcome.code) ? '' : outcome.code;
  const { format, frames, tags } = outcome.file;
  const size = frameBytes(format);
  const within = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (outcome.file.bytes !== bytes.length) return 'bytes';
  if (!within(format.channels, 1, 8) || !within(format.sampleRate, 8_000, 192_000)) return 'format';
  if (!within(format.channelMask, 0, 0xffff_ffff)) return 'channel mask';
  if (!within(format.dataOffset, 44, bytes.length) || !within(frames, 1, bytes.length)) return 'place';
  if (Math.floor(outcome.data.length / size) !== frames) return 'frames';
  const there = bytes.subarray(format.dataOffset, format.dataOffset + outcome.data.length);
  if (Buffer.compare(outcome.data, there) !== 0) return 'data';
  // The field that says what the samples are lies in front of them, and the chunk's header right before.
  if (Buffer.from(bytes.subarray(format.dataOffset - 8, format.dataOffset - 4)).toString('latin1') !== 'data')
    return 'data chunk';
  const texts = Object.values(tags).filter((value) => typeof value === 'string');
  return texts.some((text) => text === '' || Buffer.byteLength(text) > 255 || hasControl(text)) ? 'tags' : '';
}

const hasControl = (text: string): boolean => [...text].some((c) => c < ' ' || (c >= '\x7f' && c < '\xa0'));

const isSame = (a: Outcome, b: Outcome): boolean => JSON.stringify(a) === JSON.stringify(b);

t.test(`${HEADERS} broken headers: a typed error or a right answer, cut anywhere`, (t) => {
  const prng = new Prng(1);
  const counts: Record<string, number> = {};
  for (let i = 0; i < HEADERS; i++) {
    const bytes = mutated(prng);
    const outcome = outcomeOf(bytes);
    const wrong = wrongWith(outcome, bytes);
    if (wrong !== '') t.fail(`file ${i}: ${wrong}`);
    const kind = 'code' in outcome ? outcome.code : 'accepted';
    counts[kind] = (counts[kind] ?? 0) + 1;
    if (i % 4 === 0) {
      const largest = 1 + prng.below(50);
      const cut = outcomeOf(bytes, () => prng.below(largest));
      if (!isSame(cut, outcome))
        t.fail(`file ${i}: cut in pieces it is ${JSON.stringify(cut)}, whole ${JSON.stringify(outcome)}`);
    }
  }
  t.comment(JSON.stringify(counts));
  for (const kind of ['accepted', 'UNSUPPORTED_AUDIO', 'INCOMPLETE_AUDIO'])
    t.ok((counts[kind] ?? 0) > HEADERS / 20, kind);
  t.end();
});

t.test('whole scans of broken files give numbers, never NaN', (t) => {
  const prng = new Prng(2);
  for (let i = 0; i < 3_000; i++) {
    const bytes = mutated(prng);
    const scan = new TrackScan();
    try {
      pushAll(scan, bytes, () => prng.below(200));
      const { loudness, peaks } = scan.end();
      if (!Number.isFinite(loudness.samplePeak) || Number.isNaN(loudness.integratedLufs) || peaks.length !== 2_048)
        t.fail(`file ${i}`);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
    }
  }
  t.end();
});

t.test('a long chain of small chunks costs time in step with its length, and no memory', (t) => {
  const link = bytesOf(chunk('LIST', bytesOf('INFO', chunk('INAM', 'Song'))), chunk('none', ''), chunk('id3 ', 'ID3'));
  const many = bytesOf(...Array.from({ length: 1_000 }, () => link));
  const reader = new WavReader();
  reader.push(bytesOf('RIFF', little(0, 4), 'WAVE', chunk('fmt ', fmtBody())));
  const before = heldBytes();
  for (let i = 0; i < 100; i++) reader.push(many);
  t.ok(heldBytes() - before < 2 ** 20);
  reader.push(chunk('data', DATA));
  t.match(reader.end(), { frames: 24, tags: { title: 'Song' } });
  t.end();
});

t.test('a header that promises the world reserves nothing', (t) => {
  const before = heldBytes();
  const readers = Array.from({ length: 1_000 }, () => {
    const reader = new WavReader();
    reader.push(bytesOf('RIFF', little(0xffff_ffff, 4), 'WAVELIST', little(0xffff_fff0, 4), 'INFO'));
    return reader;
  });
  t.ok(heldBytes() - before < 4 * 2 ** 20);
  for (const reader of readers) t.throws(() => reader.end(), { code: 'INCOMPLETE_AUDIO' });
  t.end();
});
