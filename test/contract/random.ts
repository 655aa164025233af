/** What every Random keeps. */
import type { Test } from 'tap';
import type { Random } from '../../src/ports/random.js';

export const runRandomContract = (t: Test, name: string, setup: () => Random): Promise<unknown> =>
  t.test(`${name} keeps the contract of Random`, async (t) => {
    await t.test('bytes gives as many as are asked for, of every value', (t) => {
      const random = setup();
      t.equal(random.bytes(0).length, 0);
      t.equal(random.bytes(1).length, 1);
      const seen = new Set(random.bytes(65_536));
      t.equal(seen.size, 256);
      t.end();
    });

    await t.test('two draws differ', (t) => {
      const random = setup();
      t.notSame(random.bytes(16), random.bytes(16));
      t.end();
    });

    await t.test('u32 gives whole numbers of 32 bits, each bit set and clear at times', (t) => {
      const random = setup();
      let everSet = 0;
      let everClear = 0;
      for (let i = 0; i < 200; i++) {
        const value = random.u32();
        if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) t.fail(`${value} is no number of 32 bits`);
        everSet |= value;
        everClear |= ~value;
      }
      t.equal(everSet >>> 0, 0xffff_ffff);
      t.equal(everClear >>> 0, 0xffff_ffff);
      t.end();
    });
  });
