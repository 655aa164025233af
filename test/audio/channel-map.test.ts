import fc from 'fast-check';
import t from 'tap';
import { channelMatrix, isIdentity, mixChannels } from '../../src/audio/channel-map.js';
import { InvariantError } from '../../src/core/assert.js';
import type { OutputChannels } from '../../src/core/output-channels.js';

const count = fc.integer({ min: 1, max: 8 });
const mask = fc.oneof(
  fc.constantFrom(0, 0x3, 0x33, 0x3f, 0x60f, 0x63f, 0x70f, 0xff),
  fc.integer({ min: 0, max: 2 ** 20 }),
);
const select = fc.constantFrom<OutputChannels>('stereo', 'left', 'right', 'mono');

/** Gains of each card channel, as rows. */
const rows = (matrix: Float64Array, columns: number) =>
  Array.from({ length: matrix.length / columns }, (_, row) =>
    Array.from(matrix.subarray(row * columns, (row + 1) * columns)),
  );

/** `matrix` times one frame. */
const mixed = (matrix: Float64Array, frame: readonly number[]) => {
  const out = new Float64Array(matrix.length / frame.length);
  mixChannels(matrix, Float64Array.from(frame), frame.length, out, out.length, 1);
  return Array.from(out);
};

t.test('no mix can exceed full scale, and none turns a phase', (t) => {
  fc.assert(
    fc.property(count, mask, count, select, (from, mask, to, select) =>
      rows(channelMatrix(from, mask, to, select), from).every(
        (row) => row.every((gain) => gain >= 0) && row.reduce((sum, gain) => sum + gain, 0) <= 1 + 1e-12,
      ),
    ),
    { seed: 1, numRuns: 3_000 },
  );
  t.end();
});

t.test('every speaker but the effects channel is heard somewhere', (t) => {
  const LFE_BIT = 3;
  for (let bit = 0; bit < 18; bit++) {
    // Three channels, so that the mask counts: the speaker in question beside the front pair, or the front three.
    const mask = bit < 3 ? 0b111 : 0b11 | (1 << bit);
    for (let to = 1; to <= 8; to++) {
      const matrix = channelMatrix(3, mask, to, 'stereo');
      const column = rows(matrix, 3).map((row) => row[2]!);
      const lost = bit === LFE_BIT && to < 6;
      t.equal(
        column.every((gain) => gain === 0),
        lost,
        `bit ${bit} on ${to} channels`,
      );
    }
  }
  t.end();
});

t.test('left and right of a stereo image never change sides', (t) => {
  const SIDES = { left: [0, 4, 6, 9, 12, 15], right: [1, 5, 7, 10, 14, 17] };
  for (const [side, bits] of Object.entries(SIDES)) {
    for (const bit of bits) {
      const mask = bit < 2 ? 0b111 : 0b111 | (1 << bit);
      const channels = bit < 2 ? 3 : 4;
      const channel = bit < 2 ? bit : 3;
      const [left, right] = rows(channelMatrix(channels, mask, 2, 'stereo'), channels).map((row) => row[channel]!);
      t.ok(side === 'left' ? left! > 0 && right === 0 : left === 0 && right! > 0, `bit ${bit} is on the ${side}`);
    }
  }
  t.end();
});

t.test('equal layouts pass bit by bit', (t) => {
  for (let channels = 1; channels <= 8; channels++) {
    const matrix = channelMatrix(channels, 0, channels, 'stereo');
    t.ok(isIdentity(matrix, channels, channels), `${channels} channels`);
    const frame = Array.from({ length: channels }, (_, i) => 0.1 * i - 0.3);
    t.strictSame(mixed(matrix, frame), frame);
  }
  t.ok(isIdentity(channelMatrix(2, 0x3, 2, 'stereo'), 2, 2));
  t.ok(isIdentity(channelMatrix(2, 0x30, 2, 'stereo'), 2, 2), 'two channels are left and right whatever the mask says');
  t.ok(isIdentity(channelMatrix(6, 0x3f, 6, 'stereo'), 6, 6));
  t.ok(isIdentity(channelMatrix(6, 0x60f, 6, 'stereo'), 6, 6), '5.1 with side speakers is 5.1');
  t.notOk(isIdentity(channelMatrix(2, 0, 2, 'mono'), 2, 2));
  t.notOk(isIdentity(channelMatrix(1, 0, 2, 'stereo'), 1, 2));
  t.notOk(isIdentity(channelMatrix(4, 0x107, 4, 'stereo'), 4, 4), 'four channels with a centre are not two pairs');
  t.end();
});

t.test('one channel plays at full level on both sides', (t) => {
  t.strictSame(mixed(channelMatrix(1, 0, 2, 'stereo'), [0.7]), [0.7, 0.7]);
  t.strictSame(mixed(channelMatrix(1, 0x1, 2, 'stereo'), [0.7]), [0.7, 0.7], 'also where a file calls it "left"');
  t.strictSame(mixed(channelMatrix(1, 0, 6, 'stereo'), [0.7]), [0.7, 0.7, 0, 0, 0, 0]);
  t.strictSame(mixed(channelMatrix(1, 0, 1, 'stereo'), [0.7]), [0.7]);
  t.end();
});

t.test('stereo on one speaker is the mean of both sides', (t) => {
  const [sample] = mixed(channelMatrix(2, 0, 1, 'stereo'), [0.5, 0.25]);
  t.ok(Math.abs(sample! - 0.375) < 1e-15);
  t.end();
});

t.test('5.1 to stereo: centre and surrounds 3 dB down, no effects channel, all scaled to fit', (t) => {
  const scale = 1 / (1 + 2 * Math.SQRT1_2);
  const half = Math.SQRT1_2;
  const [left, right] = rows(channelMatrix(6, 0x3f, 2, 'stereo'), 6);
  const near = (got: number[], wanted: number[]) => got.every((gain, i) => Math.abs(gain - wanted[i]! * scale) < 1e-12);
  t.ok(near(left!, [1, 0, half, 0, half, 0]), String(left));
  t.ok(near(right!, [0, 1, half, 0, 0, half]), String(right));
  t.end();
});

t.test('5.1 to one speaker: front at 3 dB, surrounds at 6 dB below the centre', (t) => {
  const scale = 1 / (1 + 2 * Math.SQRT1_2 + 1);
  const [row] = rows(channelMatrix(6, 0, 1, 'stereo'), 6);
  const wanted = [Math.SQRT1_2, Math.SQRT1_2, 1, 0, 0.5, 0.5];
  t.ok(
    row!.every((gain, i) => Math.abs(gain - wanted[i]! * scale) < 1e-12),
    String(row),
  );
  t.end();
});

t.test('stereo on a surround card plays in front only', (t) => {
  t.strictSame(mixed(channelMatrix(2, 0, 8, 'stereo'), [0.5, -0.5]), [0.5, -0.5, 0, 0, 0, 0, 0, 0]);
  t.end();
});

t.test('a mask that names another number of speakers is not believed', (t) => {
  t.strictSame(channelMatrix(6, 0x3, 2, 'stereo'), channelMatrix(6, 0x3f, 2, 'stereo'));
  t.strictSame(channelMatrix(6, 0xfc0000, 2, 'stereo'), channelMatrix(6, 0, 2, 'stereo'), 'bits that no speaker has');
  t.end();
});

t.test('a node of a stereo pair plays its side on all its channels', (t) => {
  t.strictSame(mixed(channelMatrix(2, 0, 2, 'left'), [0.5, -0.25]), [0.5, 0.5]);
  t.strictSame(mixed(channelMatrix(2, 0, 2, 'right'), [0.5, -0.25]), [-0.25, -0.25]);
  t.strictSame(mixed(channelMatrix(2, 0, 2, 'mono'), [0.5, -0.25]), [0.125, 0.125]);
  t.strictSame(mixed(channelMatrix(2, 0, 1, 'left'), [0.5, -0.25]), [0.5]);
  t.strictSame(mixed(channelMatrix(1, 0, 2, 'right'), [0.5]), [0.5, 0.5], 'one channel is on either side');
  const [stereoLeft] = rows(channelMatrix(6, 0, 2, 'stereo'), 6);
  t.strictSame(rows(channelMatrix(6, 0, 3, 'left'), 6), [stereoLeft, stereoLeft, stereoLeft]);
  t.end();
});

t.test('frames are mixed one by one', (t) => {
  const output = new Float64Array(7).fill(9);
  mixChannels(channelMatrix(2, 0, 2, 'mono'), Float64Array.of(1, 0, 0, -1, 0.5, 0.5), 2, output, 2, 3);
  t.strictSame(Array.from(output), [0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 9]);
  t.end();
});

t.test('more than eight channels are our own mistake', (t) => {
  t.throws(() => channelMatrix(9, 0, 2, 'stereo'), InvariantError);
  t.throws(() => channelMatrix(2, 0, 0, 'stereo'), InvariantError);
  t.end();
});
