import t from 'tap';
import { type Budget, search } from './small-world.js';

/** States of the one search that does not come to its end in a plain run; TUTTI_SMALL_WORLD=3000000 goes further. */
const STATES_MAX = Number(process.env.TUTTI_SMALL_WORLD ?? 25_000);

/** What may happen in each search, and whether it comes to its end. */
const SEARCHES: { readonly name: string; readonly budget: Budget; readonly whole: boolean }[] = [
  {
    name: 'one ballot, one command, one message that overtakes others',
    budget: { campaigns: 1, proposals: 1, doubles: 0, overtakes: 1, crashes: 0 },
    whole: true,
  },
  {
    name: 'one ballot, one crash',
    budget: { campaigns: 1, proposals: 0, doubles: 0, overtakes: 0, crashes: 1 },
    whole: true,
  },
  {
    name: 'one ballot, one command, one message twice',
    budget: { campaigns: 1, proposals: 1, doubles: 1, overtakes: 0, crashes: 0 },
    whole: true,
  },
  {
    name: 'two ballots, two slots',
    budget: { campaigns: 2, proposals: 0, doubles: 0, overtakes: 0, crashes: 0 },
    whole: true,
  },
  {
    name: 'two ballots, one command, one message that overtakes others, one twice, one crash',
    budget: { campaigns: 2, proposals: 1, doubles: 1, overtakes: 1, crashes: 1 },
    whole: false,
  },
];

t.setTimeout(240_000);

for (const { name, budget, whole } of SEARCHES) {
  t.test(`${name}: in every state there is agreement, and no promise goes back`, (t) => {
    const { states, steps, ends, complete, applied } = search(budget, whole ? Number.POSITIVE_INFINITY : STATES_MAX);
    t.comment(`${states} states, ${steps} steps, ${ends} ends${complete ? ', all of them' : ', cut short'}`);
    t.ok(applied >= 1, 'something was chosen');
    if (whole) t.ok(complete, 'nothing was left out');
    t.end();
  });
}
