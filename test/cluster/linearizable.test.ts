/** The judge of histories: it must find an order where there is one, and must refuse what no one machine could have answered. */
import t from 'tap';
import { Prng } from '../../src/core/prng.js';
import { type Answer, type Asked, type HouseState, houseModel } from './house-model.js';
import { type Call, linearize, type Model } from './linearizable.js';

/** A number that can be written and read. */
const register: Model<number, number | 'read', number | 'written'> = {
  initial: 0,
  step(state, asked, answer) {
    if (asked !== 'read') return asked;
    return answer === undefined || answer === state ? state : null;
  },
  key: String,
};
type RegisterCall = Call<number | 'read', number | 'written'>;
const write = (value: number, calledAt: number, returnedAt: number): RegisterCall => ({
  asked: value,
  answer: returnedAt === Number.POSITIVE_INFINITY ? undefined : 'written',
  calledAt,
  returnedAt,
});
const read = (value: number, calledAt: number, returnedAt: number): RegisterCall => ({
  asked: 'read',
  answer: value,
  calledAt,
  returnedAt,
});
const never = Number.POSITIVE_INFINITY;

await t.test('what one machine could have answered is found to be so', (t) => {
  const good: Record<string, RegisterCall[]> = {
    nothing: [],
    'one after another': [write(1, 0, 1), read(1, 2, 3), write(2, 4, 5), read(2, 6, 7)],
    'a read during a write sees it': [write(1, 0, 9), read(1, 1, 2), read(1, 3, 4)],
    'or does not see it yet': [write(1, 0, 9), read(0, 1, 2), read(1, 3, 4)],
    'two writes at once, in the order that shows': [write(1, 0, 9), write(2, 0, 9), read(2, 10, 11)],
    'or in the other': [write(1, 0, 9), write(2, 0, 9), read(1, 10, 11)],
    'an unanswered write that was done later': [write(1, 0, never), read(0, 1, 2), read(1, 3, 4)],
    'an unanswered write that was never done': [write(1, 0, never), read(0, 1, 2), read(0, 30, 40)],
    'a call that begins as another ends': [write(1, 0, 5), read(0, 5, 6)],
  };
  for (const [what, history] of Object.entries(good)) t.ok(linearize(register, history).ok, what);
  t.end();
});

await t.test('what it could not is refused, and where', (t) => {
  const bad: Record<string, RegisterCall[]> = {
    'a stale read': [write(1, 0, 1), read(0, 2, 3)],
    'a lost write': [write(1, 0, 1), read(1, 2, 3), read(0, 4, 5)],
    'a value that nobody wrote': [write(1, 0, 1), read(7, 2, 3)],
    'there and back again': [write(1, 0, 9), read(1, 1, 2), read(0, 3, 4)],
    'two readers who see two orders': [write(1, 0, 9), write(2, 0, 9), read(1, 10, 11), read(2, 12, 13)],
    'a write from the future': [read(1, 0, 1), write(1, 2, 3)],
    'an unanswered write that was done and undone': [write(1, 0, never), read(1, 1, 2), read(0, 3, 4)],
  };
  for (const [what, history] of Object.entries(bad)) t.notOk(linearize(register, history).ok, what);
  t.strictSame(linearize(register, [write(1, 0, 1), read(0, 2, 3)]).stuckAt, [read(0, 2, 3)]);
  t.end();
});

const EMPTY: HouseState = { queue: [], status: 'stopped', volume: 50, repeat: 'off', nextSeq: 1 };
type HouseCall = Call<Asked, Answer>;
/** Calls one after another. */
const inTurn = (...calls: readonly (readonly [Asked, Answer | undefined])[]): HouseCall[] =>
  calls.map(([asked, answer], at) => ({ asked, answer, calledAt: 2 * at, returnedAt: 2 * at + 1 }));
const saw = (queue: readonly string[], status: HouseState['status']): readonly [Asked, Answer] => [
  { what: 'read' },
  { seen: { queue, status, volume: 50, repeat: 'off' } },
];
const add = (item: string, next = false): readonly [Asked, Answer] => [
  { what: 'add', next },
  { done: true, items: [item] },
];
const done = (asked: Asked): readonly [Asked, Answer] => [asked, { done: true }];

await t.test('a house is a queue with a current item, and settings', (t) => {
  const model = houseModel(EMPTY);
  const good = inTurn(
    [{ what: 'play' }, { refused: 'QUEUE_EMPTY' }],
    add('i1'),
    add('i2'),
    done({ what: 'play' }),
    add('i3', true),
    saw(['i1', 'i3', 'i2'], 'playing'),
    [{ what: 'move', item: 'i1', before: null }, { refused: 'ITEM_PLAYING' }],
    done({ what: 'move', item: 'i2', before: 'i3' }),
    [{ what: 'move', item: 'i9', before: null }, { refused: 'ITEM_NOT_FOUND' }],
    done({ what: 'skip', expectItem: 'i1' }),
    [{ what: 'skip', expectItem: 'i1' }, { refused: 'ITEM_CHANGED' }],
    saw(['i2', 'i3'], 'playing'),
    done({ what: 'pause' }),
    done({ what: 'remove', item: 'i2' }),
    saw(['i3'], 'paused'),
    done({ what: 'remove', item: 'i3' }),
    saw([], 'stopped'),
    add('i4'),
    done({ what: 'play' }),
    done({ what: 'stop' }),
    add('i5', true),
    saw(['i5', 'i4'], 'stopped'),
  );
  t.strictSame(linearize(model, good), { ok: true, stuckAt: [] });
  const bad: Record<string, HouseCall[]> = {
    'an item that was added twice': inTurn(add('i1'), saw(['i1', 'i2'], 'stopped')),
    'an item that is gone': inTurn(add('i1'), add('i2'), saw(['i2'], 'stopped')),
    'two songs skipped for one': inTurn(
      add('i1'),
      add('i2'),
      add('i3'),
      done({ what: 'play' }),
      done({ what: 'skip', expectItem: 'i1' }),
      saw(['i3'], 'playing'),
    ),
    'a refusal by whoever is behind': inTurn(add('i1'), [
      { what: 'remove', item: 'i1' },
      { refused: 'ITEM_NOT_FOUND' },
    ]),
    'an old command that fires late': inTurn(
      add('i1'),
      done({ what: 'play' }),
      done({ what: 'pause' }),
      saw(['i1'], 'playing'),
    ),
  };
  for (const [what, history] of Object.entries(bad)) t.notOk(linearize(model, history).ok, what);
  t.end();
});

/** What a house answers that asks everybody in turn, with calls that overlap as chance has it, and some that nobody hears the answer of. */
function historyOf(prng: Prng, length: number): HouseCall[] {
  const model = houseModel(EMPTY);
  let state = model.initial;
  return Array.from({ length }, (_, at) => {
    const asked: Asked = prng.below(2) === 0 ? { what: 'read' } : { what: 'volume', volume: prng.below(1_000) };
    const { queue, status, repeat, volume } = state;
    const answer: Answer = asked.what === 'read' ? { seen: { queue, status, repeat, volume } } : { done: true };
    state = model.step(state, asked, answer)!;
    const isHeard = asked.what === 'read' || prng.below(15) > 0;
    return {
      asked,
      answer: isHeard ? answer : undefined,
      calledAt: 10 * at - prng.below(25),
      returnedAt: 10 * at + prng.below(25),
    };
  });
}

await t.test('of many histories none is refused, and none is accepted in which a read goes back in time', (t) => {
  const model = houseModel(EMPTY);
  for (let seed = 1; seed <= 50; seed++) {
    const prng = new Prng(seed);
    const history = historyOf(prng, 60);
    t.ok(linearize(model, history).ok, `seed ${seed}`);
    // The last read, answered with what a read of long before saw.
    const reads = history.filter(({ asked }) => asked.what === 'read');
    const first = reads.find(({ returnedAt }) =>
      history.some(
        ({ asked, answer, calledAt }) => asked.what === 'volume' && answer !== undefined && calledAt > returnedAt,
      ),
    )!;
    const stale = { ...reads.at(-1)!, answer: first.answer, calledAt: 5_000, returnedAt: 5_001 };
    if (JSON.stringify(reads.at(-1)!.answer) === JSON.stringify(first.answer)) continue;
    t.notOk(
      linearize(model, [
        ...history,
        { asked: { what: 'volume', volume: 2_000 }, answer: { done: true }, calledAt: 4_000, returnedAt: 4_001 },
        stale,
      ]).ok,
      `seed ${seed}, with a stale read`,
    );
  }
  t.end();
});
