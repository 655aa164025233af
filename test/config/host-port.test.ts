import fc from 'fast-check';
import t from 'tap';
import { hostPortText, parseHostPort } from '../../src/config/host-port.js';

t.test('addresses with ports', (t) => {
  t.same(parseHostPort('0.0.0.0:8080'), { host: '0.0.0.0', port: 8080 });
  t.same(parseHostPort('kitchen.local:0'), { host: 'kitchen.local', port: 0 });
  t.same(parseHostPort('[::1]:65535'), { host: '::1', port: 65535 });
  t.same(parseHostPort('[fe80::1%eth0]:80'), { host: 'fe80::1%eth0', port: 80 });
  t.end();
});

t.test('a default port serves where none is named', (t) => {
  t.same(parseHostPort('kitchen', 7420), { host: 'kitchen', port: 7420 });
  t.same(parseHostPort('[::1]', 7420), { host: '::1', port: 7420 });
  t.equal(parseHostPort('kitchen'), undefined);
  t.end();
});

t.test('what is no address', (t) => {
  for (const text of [
    '',
    ':80',
    'a:',
    'a:65536',
    'a:123456',
    'a:-1',
    '::1:80',
    '[a]:80',
    '[]:80',
    'a b:80',
    '-a:80',
    'a/b:80',
    '[::1:80',
  ]) {
    t.equal(parseHostPort(text), undefined, text);
  }
  t.end();
});

t.test('an address written out is read back', (t) => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
  const property = fc.property(host, fc.integer({ min: 0, max: 65_535 }), (host, port) => {
    const address = parseHostPort(hostPortText({ host, port }));
    return address?.host === host && address.port === port;
  });
  fc.assert(property, { seed: 1, numRuns: 500 });
  t.end();
});
