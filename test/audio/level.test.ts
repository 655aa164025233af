import fc from 'fast-check';
import t from 'tap';
import { levelGain } from '../../src/audio/level.js';

t.test('a track is brought to -18 LUFS', (t) => {
  t.equal(levelGain(-18, 0.5), 1);
  t.ok(Math.abs(20 * Math.log10(levelGain(-12, 1)) - -6) < 1e-12, 'a loud one is turned down');
  t.ok(Math.abs(20 * Math.log10(levelGain(-24, 0.25)) - 6) < 1e-12, 'a quiet one up');
  t.ok(Math.abs(20 * Math.log10(levelGain(-20, 0.1, -23)) - -3) < 1e-12, 'or to another target');
  t.end();
});

t.test('as far as its peak allows', (t) => {
  t.equal(levelGain(-30, 0.5), 2);
  t.equal(levelGain(-18, 2), 0.5, 'a float file above full scale is brought below it');
  t.end();
});

t.test('what could not be measured is left as it is', (t) => {
  t.equal(levelGain(null, 0), 1);
  t.equal(levelGain(null, 0.3), 1);
  t.end();
});

t.test('no track clips', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: -70, max: 6, noNaN: true }),
      fc.double({ min: 0, max: 8, noNaN: true }),
      (lufs, peak) => peak * levelGain(lufs, peak) <= 1,
    ),
    { seed: 1, numRuns: 5_000 },
  );
  t.ok(Number.isFinite(levelGain(-70, 0)));
  t.end();
});
