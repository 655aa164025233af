import t from 'tap';
import { nearest } from '../../src/config/suggest.js';

const WORDS = ['listen', 'level', 'latency_us', 'driver'];

t.test('a letter too many, too few, wrong or swapped is forgiven', (t) => {
  for (const typed of ['listenn', 'lisen', 'lidten', 'lisetn', 'LISTEN'])
    t.equal(nearest(typed, WORDS), 'listen', typed);
  t.end();
});

t.test('the nearest of several wins, and the first of equals', (t) => {
  t.equal(nearest('levle', ['leave', 'level']), 'level');
  t.equal(nearest('ab', ['ac', 'ad']), 'ac');
  t.end();
});

t.test('what is far from everything is like nothing', (t) => {
  t.equal(nearest('teapot', WORDS), undefined);
  t.equal(nearest('x', WORDS), undefined);
  t.equal(nearest('', WORDS), undefined);
  t.end();
});
