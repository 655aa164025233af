import t from 'tap';
import { keyLines } from '../../src/config/key-lines.js';

const linesOf = (text: string) => Object.fromEntries(keyLines(text));

t.test('keys are found under their tables', (t) => {
  const text = 'name = "a"\n\n[http]\n  listen = "x"\n[ output . virtual ]\nppm = 1\n';
  t.same(linesOf(text), {
    name: 1,
    http: 3,
    'http.listen': 4,
    output: 5,
    'output.virtual': 5,
    'output.virtual.ppm': 6,
  });
  t.end();
});

t.test('dotted and quoted keys are found', (t) => {
  t.same(linesOf('a.b = 1\n"c" . \'d\' = 2'), { a: 1, 'a.b': 1, c: 2, 'c.d': 2 });
  t.same(linesOf('[[items]]\na = 1\n[[items]]\na = 2'), { items: 1, 'items.a': 2 }, 'the first mention counts');
  t.end();
});

t.test('what strings and comments hold is no key', (t) => {
  t.same(linesOf('a = """\nb = 1\n""" # x\nc = 2'), { a: 1, c: 4 });
  t.same(linesOf("a = '''\n[b]\nc = 1'''\nd = 2"), { a: 1, d: 4 });
  t.same(linesOf('# a = 1\nb = "[ # { "\nc = 1 # [\nd = 2'), { b: 2, c: 3, d: 4 });
  t.same(linesOf('a = """one line"""\nb = 1'), { a: 1, b: 2 });
  t.end();
});

t.test('what stands in lists and inline tables over several lines is passed over', (t) => {
  t.same(linesOf('a = [\n  "x",\n  [1],\n]\nb = { c = 1 }\nd = 2'), { a: 1, b: 5, d: 6 });
  t.end();
});
