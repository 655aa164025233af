/** What checkers take for durable is what the store has kept, and nothing that it refused. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { slot } from '../../src/core/ids.js';
import type { LogStore } from '../../src/replication/log-store.js';
import type { Observation } from './checkers/observation.js';
import { tapped } from './tapped-store.js';

t.test('a snapshot that was refused is not taken for one that the card holds', (t) => {
  const seen: Observation[] = [];
  let refused: Error | null = new TuttiError('DISK_FULL', 'There is no room.');
  const store: Pick<LogStore, 'saveSnapshot'> = { saveSnapshot: (_slot, _bytes, done) => done(refused) };
  const watched = tapped(store as LogStore, { process: 1, observe: (what) => seen.push(what), trace: null });
  const told: (Error | null)[] = [];
  watched.saveSnapshot(slot(7), new Uint8Array(3), (error) => told.push(error));
  t.same(seen, []);
  refused = null;
  watched.saveSnapshot(slot(9), new Uint8Array(3), (error) => told.push(error));
  t.same(seen, [{ type: 'installed', process: 1, base: 9 }]);
  t.match(told, [{ code: 'DISK_FULL' }, null], 'the replica hears of both');
  t.end();
});
