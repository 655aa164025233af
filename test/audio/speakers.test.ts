import t from 'tap';
import { fileSpeakers, usualLayout } from '../../src/audio/speakers.js';
import { InvariantError } from '../../src/core/assert.js';

t.test('a file without a mask means the usual layout', (t) => {
  for (let channels = 1; channels <= 8; channels++) {
    const layout = usualLayout(channels);
    t.equal(new Set(layout).size, channels, `${channels} channels are ${channels} speakers`);
    t.strictSame(fileSpeakers(channels, 0), layout);
  }
  t.strictSame(usualLayout(6), ['FL', 'FR', 'FC', 'LFE', 'BL', 'BR']);
  t.end();
});

t.test('a mask names the speakers, lowest bit first', (t) => {
  t.strictSame(fileSpeakers(3, 0x0b), ['FL', 'FR', 'LFE']);
  t.strictSame(fileSpeakers(4, 0x2_8003), ['FL', 'FR', 'TBL', 'TBR'], 'up to the last bit that has a speaker');
  t.end();
});

t.test('a mask is not believed where it names another number of speakers, nor of one channel or two', (t) => {
  t.strictSame(fileSpeakers(3, 0x3f), usualLayout(3));
  t.strictSame(fileSpeakers(3, 0xfffc_0003), usualLayout(3), 'bits that no speaker has do not count');
  t.strictSame(fileSpeakers(1, 0x1), ['FC']);
  t.strictSame(fileSpeakers(2, 0x30), ['FL', 'FR']);
  t.end();
});

t.test('no channels, or more than eight, are our own mistake', (t) => {
  for (const channels of [0, 9, 1.5]) t.throws(() => usualLayout(channels), InvariantError, `${channels}`);
  t.throws(() => fileSpeakers(9, 0x1ff), InvariantError, 'also where the mask names as many');
  t.end();
});
