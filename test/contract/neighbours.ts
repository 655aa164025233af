/** What every Neighbours keeps. */
import type { Test } from 'tap';
import type { Announcement, Neighbours } from '../../src/ports/neighbours.js';
import { type Pass, until } from './support.js';

/** Two daemons on one network, neither started. */
export interface NeighboursSetup {
  readonly kitchen: Neighbours;
  readonly attic: Neighbours;
  readonly pass: Pass;
}

export const WAITS: Announcement = {
  name: 'attic',
  cluster: null,
  httpUrl: 'http://192.0.2.2:8080',
  address: '192.0.2.2:7420',
  version: '1.2.3',
};
export const IN_HOUSE: Announcement = {
  name: 'Küche',
  cluster: 'c'.repeat(32),
  httpUrl: 'http://192.0.2.1:8080',
  address: '192.0.2.1:7420',
  version: '1.2.3',
};

export const runNeighboursContract = (t: Test, name: string, setup: () => NeighboursSetup): Promise<unknown> =>
  t.test(`${name} keeps the contract of Neighbours`, async (t) => {
    await t.test('two find each other, whoever comes first, and neither finds itself', async (t) => {
      const { kitchen, attic, pass } = setup();
      kitchen.start();
      kitchen.announce(IN_HOUSE);
      attic.start();
      attic.announce(WAITS);
      await until(() => kitchen.list().length > 0 && attic.list().length > 0, pass, 'both hear of both');
      t.strictSame(kitchen.list(), [WAITS]);
      t.strictSame(attic.list(), [IN_HOUSE]);
      await Promise.all([kitchen.stop(), attic.stop()]);
    });

    await t.test('what one says anew replaces what it said, and its end takes it away', async (t) => {
      const { kitchen, attic, pass } = setup();
      kitchen.start();
      attic.start();
      attic.announce(WAITS);
      await until(() => kitchen.list().length > 0, pass, 'it is heard');
      const joined = { ...WAITS, cluster: IN_HOUSE.cluster };
      attic.announce(joined);
      await until(() => kitchen.list()[0]?.cluster !== null, pass, 'the change is heard');
      t.strictSame(kitchen.list(), [joined]);
      await attic.stop();
      await until(() => kitchen.list().length === 0, pass, 'the goodbye is heard');
      await attic.stop();
      t.strictSame(attic.list(), [], 'who has stopped hears nobody');
      await kitchen.stop();
    });
  });
