import t from 'tap';
import { parseClusterKey } from '../../src/config/cluster-key.js';

const KEY = '0123456789abcdef'.repeat(4);

t.test('a key is 64 hexadecimal digits, with white space around it or in capitals', (t) => {
  t.equal(parseClusterKey(KEY, 'x'), KEY);
  t.equal(parseClusterKey(`\n ${KEY.toUpperCase()}\r\n`, 'x'), KEY);
  t.end();
});

t.test('anything else is refused by its name and length, and not repeated: it may be nearly a key', (t) => {
  for (const text of ['', KEY.slice(1), `${KEY}0`, KEY.replace('0', 'g')]) {
    t.throws(() => parseClusterKey(text, 'the key'), {
      code: 'BAD_CONFIG',
      detail: `the key: found ${text.length} characters; right is the cluster key, 64 hexadecimal digits`,
    });
  }
  t.end();
});
