import t from 'tap';
import { parseId3 } from '../../../src/audio/wav/id3-tags.js';
import { parseInfoList } from '../../../src/audio/wav/info-tags.js';
import { mergeTags } from '../../../src/audio/wav/tags.js';
import { decodeUtf8, decodeUtf16, decodeWindows1252, tidyText } from '../../../src/audio/wav/text.js';
import { WavReader } from '../../../src/audio/wav/wav-reader.js';
import { Prng } from '../../../src/core/prng.js';
import { bytesOf, chunk, fmtBody, pushAll, wavOf } from '../../support/wav-files.js';

const info = (...fields: readonly (readonly [id: string, text: Uint8Array | string])[]) =>
  bytesOf('INFO', ...fields.map(([id, text]) => chunk(id, bytesOf(text, [0]))));

/** Seven bits a byte, most significant first. */
const synchsafe = (size: number) => [(size >> 21) & 0x7f, (size >> 14) & 0x7f, (size >> 7) & 0x7f, size & 0x7f];
const big = (size: number) => [(size >>> 24) & 0xff, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff];
const tag = (major: number, flags: number, body: Uint8Array) =>
  bytesOf('ID3', [major, 0, flags], synchsafe(body.length), body);
const frame22 = (id: string, content: Uint8Array) => bytesOf(id, big(content.length).slice(1), content);
const frame23 = (id: string, content: Uint8Array, flags = 0) => bytesOf(id, big(content.length), [0, flags], content);
const frame24 = (id: string, content: Uint8Array, flags = 0) =>
  bytesOf(id, synchsafe(content.length), [0, flags], content);
const latin = (text: string) => bytesOf([0], text);

t.test('LIST INFO: every field, whatever id a program chose for the number', (t) => {
  const list = info(
    ['INAM', 'Song'],
    ['IART', 'Band'],
    ['IPRD', 'Album'],
    ['ICRD', '2004-05-06'],
    ['IGNR', 'Rock'],
    ['ISFT', 'x'],
  );
  t.strictSame(parseInfoList(list), {
    title: 'Song',
    artist: 'Band',
    album: 'Album',
    date: '2004-05-06',
    genre: 'Rock',
  });
  for (const id of ['ITRK', 'IPRT', 'TRCK']) t.strictSame(parseInfoList(info([id, '7'])), { number: '7' });
  t.end();
});

t.test('LIST INFO: UTF-8 where it is that, else Windows-1252', (t) => {
  t.equal(parseInfoList(info(['INAM', Buffer.from('Für Elise – “live”')])).title, 'Für Elise – “live”');
  t.equal(parseInfoList(info(['INAM', 'F\xfcr Elise \x96 \x93live\x94']))?.title, 'Für Elise – “live”');
  t.end();
});

t.test('LIST INFO: what is broken costs no more than itself', (t) => {
  t.strictSame(parseInfoList(bytesOf('adtlINAM\x04\0\0\0song')), {}, 'a list of something else');
  t.strictSame(parseInfoList(new Uint8Array(0)), {});
  t.strictSame(parseInfoList(bytesOf('INFOINAM\xff\xff\xff\xffsong')), { title: 'song' }, 'a size beyond the end');
  t.strictSame(parseInfoList(bytesOf('INFOISFT\x03\0\0\0abcINAM\x04\0\0\0song')), { title: 'song' }, 'no padding byte');
  t.strictSame(parseInfoList(bytesOf('INFOINAM\x06\0\0\0so\0ng!')), { title: 'so' }, 'text behind the zero byte');
  t.strictSame(parseInfoList(info(['INAM', 'first'], ['INAM', 'second'])), { title: 'first' });
  t.end();
});

t.test('ID3: versions 2.2, 2.3 and 2.4', (t) => {
  const fields = { title: 'Song', artist: 'Band', album: 'Album', number: '3/12', date: '2004', genre: 'Rock' };
  const v22 = [
    ['TT2', 'Song'],
    ['TP1', 'Band'],
    ['TAL', 'Album'],
    ['TRK', '3/12'],
    ['TYE', '2004'],
    ['TCO', '(17)'],
  ] as const;
  t.strictSame(parseId3(tag(2, 0, bytesOf(...v22.map(([id, text]) => frame22(id, latin(text)))))), fields);
  const v23 = [
    ['TIT2', 'Song'],
    ['TPE1', 'Band'],
    ['TALB', 'Album'],
    ['TRCK', '3/12'],
    ['TYER', '2004'],
    ['TCON', 'Rock'],
  ] as const;
  t.strictSame(parseId3(tag(3, 0, bytesOf(...v23.map(([id, text]) => frame23(id, latin(text)))))), fields);
  const v24 = [
    ['TIT2', 'Song'],
    ['TPE1', 'Band'],
    ['TALB', 'Album'],
    ['TRCK', '3/12'],
    ['TDRC', '2004'],
    ['TCON', '17'],
  ] as const;
  t.strictSame(parseId3(tag(4, 0, bytesOf(...v24.map(([id, text]) => frame24(id, latin(text))), [0, 0, 0]))), fields);
  t.end();
});

t.test('ID3: the four encodings of text', (t) => {
  const title = (content: Uint8Array) => parseId3(tag(4, 0, frame24('TIT2', content))).title;
  const text = 'Für 🎵';
  const utf16le = Buffer.from(text, 'utf16le');
  const utf16be = Buffer.from(utf16le).swap16();
  t.equal(title(bytesOf([0], 'F\xfcr')), 'Für');
  t.equal(title(bytesOf([1, 0xff, 0xfe], utf16le)), text);
  t.equal(title(bytesOf([1, 0xfe, 0xff], utf16be)), text);
  t.equal(title(bytesOf([1], utf16le)), text, 'without a byte order mark');
  t.equal(title(bytesOf([2], utf16be)), text);
  t.equal(title(bytesOf([3], Buffer.from(text))), text);
  t.equal(title(bytesOf([3], 'F\xfcr')), 'Für', 'said to be UTF-8, and is not');
  t.end();
});

t.test('ID3: unsynchronisation, over the tag up to 2.3 and over each frame in 2.4', (t) => {
  // U+FFxx in UTF-16 has 0xff bytes, behind each of which a zero was put.
  const content = bytesOf([1, 0xff, 0, 0xfe, 0x41, 0, 0xff, 0, 0x01]);
  const plain = 'A\u01ff';
  const frameOf23 = bytesOf('TIT2', big(content.length - 2), [0, 0], content);
  t.equal(parseId3(tag(3, 0x80, frameOf23)).title, plain);
  t.equal(parseId3(tag(4, 0x80, frame24('TIT2', content))).title, plain);
  const two = bytesOf(frame24('TIT2', content), frame24('TPE1', latin('Band')));
  t.strictSame(parseId3(tag(4, 0x80, two)), { title: plain, artist: 'Band' });
  t.equal(parseId3(tag(4, 0, frame24('TIT2', content, 0x02))).title, plain);
  t.end();
});

t.test('ID3: extended headers are passed over', (t) => {
  t.equal(parseId3(tag(3, 0x40, bytesOf(big(6), new Uint8Array(6), frame23('TIT2', latin('Song'))))).title, 'Song');
  t.equal(
    parseId3(tag(4, 0x40, bytesOf(synchsafe(6), new Uint8Array(2), frame24('TIT2', latin('Song'))))).title,
    'Song',
  );
  t.end();
});

t.test('ID3: what frame flags put before the text, and frames that cannot be read', (t) => {
  t.equal(parseId3(tag(3, 0, frame23('TIT2', bytesOf([9], latin('Song')), 0x20))).title, 'Song', 'group, 2.3');
  t.equal(parseId3(tag(4, 0, frame24('TIT2', bytesOf([9], latin('Song')), 0x40))).title, 'Song', 'group, 2.4');
  t.equal(
    parseId3(tag(4, 0, frame24('TIT2', bytesOf([0, 0, 0, 5], latin('Song')), 0x01))).title,
    'Song',
    'length, 2.4',
  );
  const after = (unreadable: Uint8Array, readable: Uint8Array, major: number) =>
    parseId3(tag(major, 0, bytesOf(unreadable, readable))).title;
  for (const flags of [0x80, 0x40])
    t.equal(after(frame23('TIT2', latin('?'), flags), frame23('TIT2', latin('Song')), 3), 'Song');
  for (const flags of [0x08, 0x04])
    t.equal(after(frame24('TIT2', latin('?'), flags), frame24('TIT2', latin('Song')), 4), 'Song');
  t.end();
});

t.test('ID3: plain sizes in 2.4, which some programs write, are noticed', (t) => {
  const long = 'x'.repeat(200);
  const body = bytesOf(frame23('COMM', latin(long)), frame23('TIT2', latin('Song')));
  t.equal(parseId3(tag(4, 0, body)).title, 'Song');
  t.end();
});

t.test('ID3: genres by number, by name, and both', (t) => {
  const genre = (text: string) => parseId3(tag(4, 0, frame24('TCON', latin(text)))).genre;
  t.equal(genre('17'), 'Rock');
  t.equal(genre('(17)'), 'Rock');
  t.equal(genre('(17)Slow Rock'), 'Slow Rock');
  t.equal(genre('(4)(20)'), 'Disco; Alternative');
  t.equal(genre('(RX)(CR)'), 'Remix; Cover');
  t.equal(genre('4\x0020'), 'Disco; Alternative');
  t.equal(genre('Drum & Bass'), 'Drum & Bass');
  t.equal(genre('(255)'), '255');
  t.equal(genre('125'), 'Dance Hall');
  t.end();
});

t.test('ID3: several texts in one frame are all shown', (t) => {
  t.equal(parseId3(tag(4, 0, frame24('TPE1', latin('One\0Two\0')))).artist, 'One; Two');
  t.end();
});

t.test('ID3: broken tags give what can be read and nothing else', (t) => {
  t.strictSame(parseId3(new Uint8Array(0)), {});
  t.strictSame(parseId3(bytesOf('ID3')), {});
  t.strictSame(parseId3(bytesOf('TAG', new Uint8Array(20))), {});
  for (const major of [1, 5]) t.strictSame(parseId3(tag(major, 0, frame23('TIT2', latin('Song')))), {});
  const body = frame23('TIT2', latin('Song'));
  t.strictSame(parseId3(bytesOf('ID3', [3, 0, 0], synchsafe(1000), body)), { title: 'Song' }, 'a size beyond the end');
  t.strictSame(parseId3(tag(3, 0, bytesOf(body, 'TPE1'))), { title: 'Song' }, 'a frame header cut short');
  t.strictSame(parseId3(tag(2, 0, bytesOf(frame22('TT2', latin('Song')), 'TP1'))), { title: 'Song' });
  t.strictSame(parseId3(tag(4, 0, bytesOf(frame24('TIT2', latin('Song')), 'TPE1'))), { title: 'Song' });
  t.strictSame(parseId3(tag(3, 0x40, bytesOf(big(0xffff_ffff)))), {}, 'an extended header beyond the end');
  t.end();
});

t.test('any bytes behind a tag header are read without an error and without end', (t) => {
  const prng = new Prng(3);
  const good = bytesOf(
    frame24('TIT2', latin('Song')),
    frame24('TCON', latin('(17)')),
    frame24('TPE1', bytesOf([1, 0xff, 0xfe, 0x41, 0])),
  );
  for (let i = 0; i < 20_000; i++) {
    const body = good.slice();
    for (let n = prng.below(4); n >= 0; n--) body[prng.below(body.length)] = prng.below(256);
    const texts = Object.values(parseId3(tag(2 + prng.below(3), prng.below(256), body)));
    if (!texts.every((text) => typeof text === 'string' && text.length <= 3 * body.length)) t.fail(`round ${i}`);
  }
  t.end();
});

t.test('id3 wins over INFO, field by field, before or after the data', (t) => {
  const id3 = chunk('id3 ', tag(3, 0, bytesOf(frame23('TIT2', latin('From id3')), frame23('TALB', latin('  ')))));
  const list = chunk('LIST', info(['INAM', 'From INFO'], ['IART', 'Band'], ['IPRD', 'Album']));
  const data = chunk('data', new Uint8Array(8));
  const expected = { title: 'From id3', artist: 'Band', album: 'Album' };
  for (const order of [
    [id3, list, data],
    [list, data, id3],
    [data, id3, list],
  ]) {
    const reader = new WavReader();
    pushAll(reader, wavOf([chunk('fmt ', fmtBody()), ...order]));
    t.strictSame(reader.end().tags, expected);
  }
  const reader = new WavReader();
  pushAll(
    reader,
    wavOf([
      chunk('fmt ', fmtBody()),
      data,
      chunk('ID3 ', id3.subarray(8)),
      list,
      chunk('LIST', info(['IART', 'Other'])),
    ]),
  );
  t.strictSame(reader.end().tags, expected, 'a chunk named in capitals; the first of two lists');
  t.end();
});

t.test('numbers are those of an album, dates have no time of day', (t) => {
  const number = (text: string) => mergeTags({ number: text }).number;
  t.strictSame(['3', '03', '3/12', ' 7 '].map(number), [3, 3, 3, 7]);
  t.strictSame(['', '0', 'A1', '-1', '10000', '123456789012345678'].map(number), new Array(6).fill(undefined));
  const date = (text: string) => mergeTags({ date: text }).date;
  t.strictSame(['2004', '2004-05-06', '2004-05-06T12:30', 'May 2004', ''].map(date), [
    '2004',
    '2004-05-06',
    '2004-05-06',
    'May 2004',
    undefined,
  ]);
  t.strictSame(Object.keys(mergeTags({ title: '\0', number: 'x' }, {})), [], 'what says nothing is absent');
  t.end();
});

t.test('tidy text: no control characters, no half characters, no more than 255 bytes', (t) => {
  t.equal(tidyText('  a\r\n\tb\u2028c  '), 'a b c');
  t.equal(tidyText('a\0\u0001\u007f\u0081\ufeff\ufffe\uffffb'), 'ab');
  t.equal(tidyText('a\ud800b\udc00'), 'a\ufffdb\ufffd');
  t.equal(tidyText('x'.repeat(300)).length, 255);
  t.equal(tidyText('é'.repeat(300)), 'é'.repeat(127));
  t.equal(tidyText('€'.repeat(300)), '€'.repeat(85));
  t.equal(tidyText('🎵'.repeat(300)), '🎵'.repeat(63));
  t.end();
});

t.test('UTF-8 and UTF-16 read every character, as Node does', (t) => {
  let text = '';
  for (let point = 1; point < 0x110000; point += 97)
    if (point < 0xd800 || point > 0xdfff) text += String.fromCodePoint(point);
  t.equal(decodeUtf8(Buffer.from(text)), text);
  t.equal(decodeUtf16(Buffer.from(text, 'utf16le'), false), text);
  t.equal(decodeUtf16(Buffer.from(`${text}x`, 'utf16le').subarray(0, -1), false), text, 'a last odd byte is dropped');
  t.end();
});

t.test('what is not UTF-8 by RFC 3629 is refused, whatever strict decoders refuse', (t) => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const expected = (bytes: Uint8Array) => {
    try {
      return strict.decode(bytes);
    } catch {
      return null;
    }
  };
  const edges = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5,
    0xff,
  ];
  const prng = new Prng(5);
  for (let i = 0; i < 50_000; i++) {
    const bytes = Uint8Array.from({ length: 1 + prng.below(5) }, () => edges[prng.below(edges.length)]!);
    if (decodeUtf8(bytes) !== expected(bytes)) t.fail(Buffer.from(bytes).toString('hex'));
  }
  t.end();
});

t.test('Windows-1252 has its own letters from 0x80 to 0x9f, and those of Latin-1 elsewhere', (t) => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const text = decodeWindows1252(all);
  const latin1 = Buffer.from(all).toString('latin1');
  t.equal(text.slice(0, 0x80) + text.slice(0xa0), latin1.slice(0, 0x80) + latin1.slice(0xa0));
  t.equal(text.slice(0x80, 0xa0).replace(/[\u0080-\u009f]/g, '_'), '€_‚ƒ„…†‡ˆ‰Š‹Œ_Ž__‘’“”•–—˜™š›œ_žŸ');
  t.end();
});
