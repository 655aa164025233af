/** All nodes of a house lose their power at one instant: it comes back by itself, with all that anybody was told. */
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import type { Queued, State } from '../../src/http/schema.js';
import { until } from '../bench/consensus/contestant.js';
import { startHouse } from '../bench/consensus/tutti-house.js';
import { call, cutPower, darken, lighten, songIn } from '../cluster/processes/power-cut.js';

const CUTS = 3;

t.setTimeout(230_000);

await t.test(
  '[row 66] [row 71] the power is cut while people ask, again and again: nothing is lost, and nothing done late',
  async (t) => {
    const house = await startHouse();
    t.teardown(() => house.stop());
    const trackId = await songIn(house);
    const prng = new Prng(1);
    for (let cut = 1; cut <= CUTS; cut++) {
      const { verdict, answered, unanswered } = await cutPower(house, trackId, () => prng.fraction());
      t.ok(verdict.ok, `cut ${cut}: ${answered} calls answered before, ${unanswered} not`, verdict);
    }
  },
);

/** What plays when it is dark, and where it stands when it is light again. */
const STANDS_MS = 300_000;
for (const [configured, status] of [
  ['paused', 'paused'],
  ['play', 'playing'],
] as const) {
  await t.test(
    `[row 71] a house that is set to "${configured}" comes back at the last mark, and is ${status}`,
    async (t) => {
      const house = await startHouse({ env: { TUTTI_RESUME_AFTER_OUTAGE: configured } });
      t.teardown(() => house.stop());
      const [one, two, three] = house.members;
      const trackId = await songIn(house);
      const { itemIds } = await call<Queued>(one!, 'POST', '/queue', { trackIds: [trackId, trackId] });
      await call(two!, 'POST', '/transport/play');
      await call(three!, 'POST', '/transport/skip', { expectItem: itemIds[0] });
      await call(one!, 'POST', '/transport/seek', { positionMs: STANDS_MS });
      const before = await until('it has played for a while', async () => {
        const { transport } = await call<State>(two!, 'GET', '/state');
        return transport.positionMs > STANDS_MS + 500 && transport;
      });
      await darken(house);
      await lighten(house, () => 0);
      for (const member of house.members) {
        const { transport } = await until('it has applied the new term', async () => {
          const state = await call<State>(member, 'GET', '/state?consistency=strong');
          return state.transport.status === status && state;
        });
        t.equal(transport.itemId, itemIds[1]);
        t.ok(transport.positionMs >= STANDS_MS, `not before the mark: ${transport.positionMs} ms`);
        if (status === 'paused') t.ok(transport.positionMs <= before.positionMs, 'nor further than it had played');
      }
    },
  );
}
