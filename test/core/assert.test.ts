/** Broken invariants end the calculation loudly, as errors of their own kind. */
import t from 'tap';
import { assert, InvariantError, unreachable } from '../../src/core/assert.js';
import { TuttiError } from '../../src/core/errors.js';

t.test('assert passes what holds and says what does not', (t) => {
  t.doesNotThrow(() => assert(true, 'one is one'));
  t.throws(() => assert(false, 'the queue is sorted'), {
    name: 'InvariantError',
    message: 'broken invariant: the queue is sorted',
  });
  t.end();
});

t.test('unreachable names the value that should not be', (t) => {
  t.throws(() => unreachable({ type: 'odd' } as never), { name: 'InvariantError', message: /\{"type":"odd"\}/ });
  t.end();
});

t.test('a mistake of ours can be told from what the world does wrong', (t) => {
  const mistake = new InvariantError('x');
  t.notOk(mistake instanceof TuttiError);
  t.notOk(new TuttiError('INTERNAL') instanceof InvariantError);
  t.end();
});
