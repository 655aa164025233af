import t from 'tap';
import { Places } from '../../src/http/places.js';

t.test('one address gets only so many places, and has them back when it gives them back', (t) => {
  const places = new Places({ ofOneMax: 2 });
  const first = places.take('a');
  places.take('a');
  t.throws(() => places.take('a'), { code: 'BUSY', detail: /^a is at this 2 times/ });
  places.take('b');
  first();
  first();
  places.take('a');
  t.throws(() => places.take('a'), { code: 'BUSY' }, 'given back once, however often it is said');
  t.end();
});
