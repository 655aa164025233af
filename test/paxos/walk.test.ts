import t from 'tap';
import { Walk } from './walk.js';

/** Walks of a plain run; more by the variable TUTTI_WALKS. A failing seed says so, and fails again alone. */
const WALKS = Number(process.env.TUTTI_WALKS ?? 900);
const MOVES = 1_500;

/** Everything that a walk can meet; what none of them met is a hole in this test. */
const FAULTS = [
  'loss',
  'double',
  'crash',
  'crash in mid-write',
  'restart',
  'damage',
  'damage of the identifier too',
  'pause',
  'cut one way',
  'cut one link',
  'cut quorum loss',
  'cut constrained',
  'cut chain',
  'compact',
  'install',
  'reconfigure',
  'campaign out of turn',
];

t.setTimeout(240_000);

t.test('whatever happens, nodes agree; and once it is over, they work again within four election timeouts', (t) => {
  const counts = new Map<string, number>();
  let applied = 0;
  let reads = 0;
  for (let seed = 1; seed <= WALKS; seed++) {
    const walk = new Walk(seed, counts);
    try {
      walk.wander(MOVES);
      walk.settle();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    applied += walk.world.oracle.appliedUpTo;
    reads += walk.world.readsAnswered;
  }
  t.comment([...counts].map(([what, times]) => `${what}: ${times}`).join(', '));
  for (const what of FAULTS) t.ok((counts.get(what) ?? 0) >= 10, `${what} happened`);
  t.ok(applied > 20 * WALKS, `${applied} slots were chosen`);
  t.ok(reads > WALKS, `${reads} reads were answered`);
  t.end();
});

t.test('the same seed walks the same way', (t) => {
  const traceOf = (seed: number) => {
    const walk = new Walk(seed);
    const trace: string[] = [];
    walk.world.look = ({ id }, { type }, { persist, sendNow, apply }) =>
      trace.push(`${walk.world.nowMs} ${id} ${type} ${persist.length} ${sendNow.length} ${apply.length}`);
    walk.wander(MOVES);
    walk.settle();
    return trace.join('\n');
  };
  t.equal(traceOf(7), traceOf(7));
  t.not(traceOf(7), traceOf(8));
  t.end();
});
