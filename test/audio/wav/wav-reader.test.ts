import t from 'tap';
import { TAG_BYTES_MAX, WavReader } from '../../../src/audio/wav/wav-reader.js';
import { TuttiError } from '../../../src/core/errors.js';
import { Prng } from '../../../src/core/prng.js';
import {
  bytesOf,
  chunk,
  extensibleBody,
  type Fmt,
  fmtBody,
  little,
  plainWav,
  pushAll,
  subFormat,
  wavOf,
} from '../../support/wav-files.js';

const fmt = (options: Fmt = {}) => chunk('fmt ', fmtBody(options));
/** Two frames of 16-bit stereo. */
const DATA = new Uint8Array([1, 0, 2, 0, 3, 0, 4, 0]);

function read(file: Uint8Array, pieceSize?: () => number) {
  const data: Uint8Array[] = [];
  const reader = new WavReader((bytes) => data.push(bytes.slice()));
  pushAll(reader, file, pieceSize);
  return { ...reader.end(), data: bytesOf(...data) };
}

/** The error that the file gets. */
function refusal(file: Uint8Array): TuttiError {
  try {
    read(file);
  } catch (error) {
    if (error instanceof TuttiError) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

t.test('a plain file: format, frames, size, and the bytes of its samples', (t) => {
  t.match(read(plainWav({}, DATA)), {
    format: { sampleRate: 44_100, channels: 2, sample: 's16', dataOffset: 44, channelMask: 0 },
    frames: 2,
    bytes: 52,
    tags: {},
    data: DATA,
  });
  t.end();
});

t.test('each encoding is recognised', (t) => {
  const cases = [
    [1, 8, 'u8'],
    [1, 16, 's16'],
    [1, 24, 's24'],
    [1, 32, 's32'],
    [3, 32, 'f32'],
    [3, 64, 'f64'],
    // Fewer bits than the bytes hold stand at their top.
    [1, 12, 's16'],
    [1, 20, 's24'],
  ] as const;
  for (const [tag, bits, sample] of cases) {
    const data = new Uint8Array(Math.ceil(bits / 8) * 2);
    t.equal(read(plainWav({ tag, bits, channels: 2 }, data)).format.sample, sample, `format ${tag}, ${bits} bits`);
    const extensible = wavOf([
      chunk('fmt ', extensibleBody({ tag, bits, channels: 2, channelMask: 3 })),
      chunk('data', data),
    ]);
    t.match(read(extensible).format, { sample, channelMask: 3, dataOffset: 68 }, `extensible ${tag}, ${bits} bits`);
  }
  t.end();
});

t.test('the limits of rate and channels are within', (t) => {
  for (const sampleRate of [8_000, 192_000])
    t.equal(read(plainWav({ sampleRate }, DATA)).format.sampleRate, sampleRate);
  for (const channels of [1, 8]) {
    t.equal(read(plainWav({ channels }, new Uint8Array(16))).format.channels, channels);
  }
  t.end();
});

t.test('valid bits below the size of a sample, or left at zero, change nothing', (t) => {
  for (const validBits of [0, 20, 24]) {
    const file = wavOf([chunk('fmt ', extensibleBody({ bits: 24, validBits })), chunk('data', new Uint8Array(12))]);
    t.match(read(file), { format: { sample: 's24' }, frames: 2 });
  }
  t.end();
});

t.test('a wrong byte rate is of no consequence', (t) => {
  for (const byteRate of [0, 1, 0xffff_ffff]) t.equal(read(plainWav({ byteRate }, DATA)).frames, 2);
  t.end();
});

t.test('what cannot be played is named', (t) => {
  const cases: readonly (readonly [file: Uint8Array, found: string])[] = [
    [new Uint8Array(0), 'an empty file'],
    [bytesOf('R'), 'unknown contents (first bytes 52)'],
    [bytesOf([0, 1, 2, 3, 4], 'whatever it is'), 'unknown contents (first bytes 00 01 02 03)'],
    [bytesOf([0xff, 0xfb, 0x90, 0], new Uint8Array(20)), 'MP3'],
    [bytesOf([0xff, 0xf1, 0x50, 0x80], new Uint8Array(20)), 'AAC (ADTS)'],
    [bytesOf([0xff, 0xfd, 0x50, 0x80], new Uint8Array(20)), 'MPEG layer 2'],
    [bytesOf([0xff, 0xff, 0xff, 0xff], new Uint8Array(20)), 'unknown contents (first bytes ff ff ff ff)'],
    [bytesOf([0xff]), 'unknown contents (first bytes ff)'],
    [bytesOf('ID3\x03', new Uint8Array(20)), 'MP3 (it starts with an ID3 tag)'],
    [bytesOf('fLaC', new Uint8Array(20)), 'FLAC'],
    [bytesOf('OggS', new Uint8Array(20)), 'Ogg (Vorbis, Opus or FLAC)'],
    [bytesOf('FORM\0\0\0\0AIFF', new Uint8Array(20)), 'AIFF'],
    [bytesOf('FORM\0\0\0\0AIFC', new Uint8Array(20)), 'AIFF-C'],
    [bytesOf('\0\0\0\x20ftypM4A ', new Uint8Array(20)), 'MP4 (AAC or ALAC)'],
    [bytesOf('RIFX\0\0\0\0WAVE', new Uint8Array(20)), 'big-endian WAV (RIFX)'],
    [bytesOf('RIFF\0\0\0\0AVI ', new Uint8Array(20)), 'RIFF of the kind "AVI ", not WAVE'],
    [wavOf([fmt({ tag: 0x55 }), chunk('data', DATA)]), 'a WAV with format 0x0055 (MPEG layer 3)'],
    [wavOf([fmt({ tag: 6 }), chunk('data', DATA)]), 'a WAV with format 0x0006 (A-law)'],
    [wavOf([fmt({ tag: 0x1234 }), chunk('data', DATA)]), 'a WAV with format 0x1234'],
    [
      wavOf([chunk('fmt ', extensibleBody({ tag: 0x92 })), chunk('data', DATA)]),
      'a WAV with format 0x0092 (AC-3 over S/PDIF)',
    ],
    [
      wavOf([
        chunk('fmt ', extensibleBody({ guid: bytesOf(subFormat(1).subarray(0, 15), [0x72]) })),
        chunk('data', DATA),
      ]),
      'a WAV with the sub-format 00000001-0000-0010-8000-00aa00389b72',
    ],
    [
      wavOf([chunk('fmt ', fmtBody({ tag: 0xfffe })), chunk('data', DATA)]),
      'a WAV of format 0xfffe (EXTENSIBLE) whose fmt chunk has 16 bytes',
    ],
    [wavOf([chunk('fmt ', extensibleBody({ validBits: 17 })), chunk('data', DATA)]), '17 valid bits in samples of 16'],
    [wavOf([fmt({ channels: 0 }), chunk('data', DATA)]), '0 channels'],
    [wavOf([fmt({ channels: 16 }), chunk('data', DATA)]), '16 channels'],
    [wavOf([fmt({ sampleRate: 7_999 }), chunk('data', DATA)]), 'a sample rate of 7999 Hz'],
    [wavOf([fmt({ sampleRate: 192_001 }), chunk('data', DATA)]), 'a sample rate of 192001 Hz'],
    [wavOf([fmt({ bits: 0 }), chunk('data', DATA)]), 'PCM of 0 bits'],
    [wavOf([fmt({ bits: 40 }), chunk('data', DATA)]), 'PCM of 40 bits'],
    [wavOf([fmt({ tag: 3, bits: 16 }), chunk('data', DATA)]), 'floats of 16 bits'],
    [wavOf([fmt({ blockAlign: 0 }), chunk('data', DATA)]), 'a WAV whose frames have 0 bytes'],
    [wavOf([fmt({ blockAlign: 3 }), chunk('data', DATA)]), 'a WAV whose frames have 3 bytes'],
    [wavOf([chunk('fmt ', fmtBody().subarray(0, 14)), chunk('data', DATA)]), 'a WAV whose fmt chunk has 14 bytes'],
    [wavOf([chunk('fmt ', ''), chunk('data', DATA)]), 'a WAV whose fmt chunk has 0 bytes'],
    [wavOf([fmt(), fmt(), chunk('data', DATA)]), 'a WAV with two fmt chunks'],
    [wavOf([chunk('data', DATA), fmt()]), 'a WAV without a fmt chunk before its data'],
    [wavOf([fmt(), chunk('LIST', 'INFO')]), 'a WAV without a data chunk'],
    [wavOf([fmt(), chunk('data', ''), chunk('junk', 'more')]), 'a WAV without a single frame of sound'],
    [plainWav({}, DATA.subarray(0, 3)), 'a WAV without a single frame of sound'],
  ];
  for (const [file, found] of cases) {
    const error = refusal(file);
    t.match({ code: error.code, found: error.info.found }, { code: 'UNSUPPORTED_AUDIO', found }, found);
    t.ok(error.detail.includes(found));
  }
  t.end();
});

t.test('a file that ends before its header says so is incomplete, wherever it was cut', (t) => {
  const file = wavOf([chunk('JUNK', 'xyz'), fmt(), chunk('data', DATA), chunk('LIST', 'INFOIART\x02\0\0\0x\0')]);
  for (let length = 4; length < file.length - 9; length++) {
    const error = refusal(file.subarray(0, length));
    t.equal(error.code, 'INCOMPLETE_AUDIO', `${length} of ${file.length} bytes`);
    t.equal(error.info.came, length);
    t.ok(Number(error.info.promised) > length);
  }
  t.equal(read(file).frames, 2);
  t.end();
});

t.test('a form size that counts its own header, or a missing padding byte, is no sign of a cut', (t) => {
  const file = wavOf([fmt({ channels: 1, bits: 8 }), chunk('data', new Uint8Array(3))], 36 + 3 + 9);
  t.equal(read(file.subarray(0, -1)).frames, 3);
  t.end();
});

t.test('a form size that is too small does no harm: chunks behind it count', (t) => {
  const file = wavOf([fmt(), chunk('data', DATA), chunk('LIST', 'INFOIART\x02\0\0\0x\0')], 4);
  t.match(read(file), { frames: 2, tags: { artist: 'x' } });
  t.end();
});

t.test('unknown chunks on either side of the data are passed over, odd ones with their padding', (t) => {
  const odd = chunk('odd ', 'abc');
  const file = wavOf([
    odd,
    chunk('none', ''),
    fmt(),
    chunk('bext', new Uint8Array(700)),
    odd,
    chunk('data', DATA),
    odd,
  ]);
  const { frames, data, format } = read(file);
  t.strictSame([frames, data], [2, DATA]);
  t.strictSame(file.subarray(format.dataOffset, format.dataOffset + 8), DATA);
  t.end();
});

t.test('a padding byte that was forgotten is noticed', (t) => {
  const unpadded = bytesOf('odd ', little(3, 4), 'abc');
  const file = wavOf([
    unpadded,
    fmt({ channels: 1, bits: 8 }),
    bytesOf('data', little(3, 4), [1, 2, 3]),
    chunk('LIST', 'INFOIART\x02\0\0\0x\0'),
  ]);
  t.match(read(file), { frames: 3, tags: { artist: 'x' } });
  t.end();
});

t.test('bytes behind the last chunk that are no chunk are ignored', (t) => {
  t.equal(read(bytesOf(plainWav({}, DATA), 'tail')).frames, 2);
  t.equal(read(bytesOf(plainWav({}, DATA), 'garbage of many bytes')).frames, 2);
  t.end();
});

t.test('of several data chunks the first is the music', (t) => {
  t.strictSame(read(wavOf([fmt(), chunk('data', DATA), chunk('data', new Uint8Array(80)), fmt()])).data, DATA);
  t.end();
});

t.test('a size that pipes leave behind means: until the end of the file', (t) => {
  for (const size of [0xffff_ffff, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000]) {
    const file = wavOf([fmt(), bytesOf('data', little(size, 4), DATA, [9, 9])], size);
    t.match(read(file), { frames: 2, data: bytesOf(DATA, [9, 9]) }, size.toString(16));
  }
  t.end();
});

t.test('a recorder that was switched off left a size of 0: the data go on to the end', (t) => {
  for (const riffSize of [0, 36]) {
    t.equal(read(wavOf([fmt(), bytesOf('data', little(0, 4), DATA)], riffSize)).frames, 2);
  }
  t.end();
});

t.test('RF64 and BW64 have their sizes in ds64', async (t) => {
  const ds64 = (riffSize: number, dataSize: number) =>
    chunk('ds64', bytesOf(little(riffSize, 8), little(dataSize, 8), little(2, 8), little(0, 4)));
  const dataOf = (size: number) => bytesOf('data', little(size, 4), DATA);
  for (const form of ['RF64', 'BW64']) {
    const file = wavOf(
      [ds64(88, 8), fmt(), dataOf(0xffff_ffff), chunk('LIST', 'INFOIART\x02\0\0\0x\0')],
      0xffff_ffff,
      form,
    );
    t.match(read(file), { frames: 2, data: DATA, tags: { artist: 'x' } }, form);
  }

  await t.test('beyond 4 GiB the promise is kept in full', (t) => {
    const error = refusal(wavOf([ds64(2 ** 33, 2 ** 33 - 100), fmt(), dataOf(0xffff_ffff)], 0xffff_ffff, 'RF64'));
    t.match(error, { code: 'INCOMPLETE_AUDIO', info: { promised: 2 ** 33 - 1 } });
    t.end();
  });
  await t.test('a small file may state its sizes where RIFF does', (t) => {
    t.equal(read(wavOf([ds64(0, 0), fmt(), dataOf(8)], 80, 'RF64')).frames, 2);
    t.end();
  });
  await t.test('without a ds64, with one of zeros, of all ones, or cut short, the data go on to the end', (t) => {
    const ones = chunk('ds64', new Uint8Array(28).fill(0xff));
    for (const start of [[], [ds64(0, 0)], [ones], [chunk('ds64', new Uint8Array(8))]]) {
      t.equal(read(wavOf([...start, fmt(), dataOf(0xffff_ffff)], 0xffff_ffff, 'RF64')).frames, 2);
    }
    t.end();
  });
  await t.test('in a plain RIFF a ds64 means nothing', (t) => {
    t.equal(read(wavOf([ds64(2 ** 33, 2 ** 33), fmt(), chunk('data', DATA)])).frames, 2);
    t.end();
  });
});

t.test('the header is known before the music is over, and says how large the file must be', (t) => {
  const headerAfter = (file: Uint8Array) => {
    const reader = new WavReader();
    reader.push(file.subarray(0, 43));
    t.equal(reader.header, null);
    reader.push(file.subarray(43, 46));
    return reader.header;
  };
  const complete = wavOf([fmt(), chunk('data', DATA), chunk('tail', new Uint8Array(100))]);
  const format = { sampleRate: 44_100, channels: 2, sample: 's16', channelMask: 0, dataOffset: 44 };
  t.strictSame(headerAfter(complete), { format, dataBytes: 8, fileBytes: complete.length - 9 });
  const piped = wavOf([fmt(), chunk('data', DATA, 0xffff_ffff)], 0xffff_ffff);
  t.strictSame(headerAfter(piped), { format, dataBytes: null, fileBytes: null });
  t.end();
});

t.test('how the bytes are cut into pieces makes no difference', (t) => {
  const info = chunk('LIST', 'INFOINAM\x04\0\0\0song');
  const file = wavOf([
    chunk('odd ', 'abc'),
    chunk('fmt ', extensibleBody({ bits: 24 })),
    info,
    chunk('data', new Uint8Array(60)),
    info,
  ]);
  const whole = read(file);
  const prng = new Prng(7);
  t.strictSame(
    read(file, () => 1),
    whole,
    'byte by byte',
  );
  for (let i = 0; i < 200; i++)
    t.strictSame(
      read(file, () => prng.below(40)),
      whole,
    );
  t.end();
});

t.test('a chunk of tags is kept up to a limit, and the rest of it passed over', (t) => {
  const list = bytesOf(
    'INFOINAM\x04\0\0\0songJUNK',
    little(TAG_BYTES_MAX, 4),
    new Uint8Array(TAG_BYTES_MAX),
    'IART\x02\0\0\0me',
  );
  const file = wavOf([fmt(), chunk('LIST', list), chunk('data', DATA)]);
  t.match(
    read(file, () => 1000),
    { frames: 2, tags: { title: 'song' } },
  );
  t.notOk(read(file).tags.artist);
  t.end();
});

t.test('tags that the end of the file cuts, and no size promised, are read as far as they go', (t) => {
  const file = bytesOf(plainWav({}, DATA), 'LIST', little(500, 4), 'INFOINAM\x04\0\0\0song');
  t.strictSame(read(file).tags, { title: 'song' });
  t.end();
});
