/** The parts of the HTTP layer that are functions of their arguments. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { Guard } from '../../src/http/guard.js';
import { asTuttiError, problemOf } from '../../src/http/problem.js';
import { parseRange } from '../../src/http/range.js';

const guard = new Guard({
  name: 'Kitchen',
  addresses: () => ['192.0.2.1', 'fe80::1', '2001:db8::7', 'PI-17', 'PI-17.local'],
  token: null,
});

t.test('a write is for a host that is this node', (t) => {
  for (const host of [
    'kitchen',
    'KITCHEN.local:8080',
    'kitchen.local.',
    'localhost:1',
    '127.0.0.1:8080',
    '127.1.2.3',
    '192.0.2.1:80',
    '[fe80::1]:8080',
    '[::1]',
    '[::1]:65535',
    '[FE80:0:0:0:0:0:0:1]',
    '[2001:0db8::0007]:8080',
    'pi-17.local:8080',
    'Pi-17',
  ]) {
    t.doesNotThrow(() => guard.checkWrite({ host }), host);
  }
  for (const host of [
    undefined,
    '',
    'evil.example',
    'kitchen.example',
    '192.0.2.2',
    '127.0.0.1.evil.example',
    'fe80::1',
    'kitchen.local.evil',
    'evil.example@kitchen.local',
    'kitchen.local@evil.example:80',
    'kitchen.local/evil.example',
    'kitchen.local:80:80',
    '[fe80::2]',
    '[::]',
    '[fe80::1',
    '[2001:db8::7]evil',
    '[kitchen]',
    '0x7f.1',
    '0',
    'xn--kitchen.local',
    'kitchen..local',
    ' kitchen',
  ]) {
    t.throws(() => guard.checkWrite(host === undefined ? {} : { host }), { code: 'FORBIDDEN_ORIGIN' }, String(host));
  }
  t.end();
});

t.test('a write comes from nowhere, or from this very place', (t) => {
  const host = 'kitchen.local:8080';
  for (const origin of ['http://kitchen.local:8080', 'https://kitchen.local:8080', 'HTTP://Kitchen.local:8080']) {
    t.doesNotThrow(() => guard.checkWrite({ host, origin }), origin);
  }
  for (const origin of [
    'null',
    '',
    'http://kitchen.local',
    'http://kitchen.local:8081',
    'http://192.0.2.1:8080',
    'file://',
  ]) {
    t.throws(() => guard.checkWrite({ host, origin }), { code: 'FORBIDDEN_ORIGIN' }, origin);
  }
  t.end();
});

t.test('ranges of bytes, by the letter of RFC 9110', (t) => {
  t.strictSame(parseRange('bytes=0-499', 1_000), { start: 0, length: 500 });
  t.strictSame(parseRange('bytes=500-', 1_000), { start: 500, length: 500 });
  t.strictSame(parseRange('bytes=-1', 1_000), { start: 999, length: 1 });
  t.strictSame(parseRange('bytes=-5000', 1_000), { start: 0, length: 1_000 });
  t.strictSame(parseRange('bytes=0-9999999', 1_000), { start: 0, length: 1_000 });
  for (const header of ['bytes=1000-', 'bytes=1000-2000', 'bytes=-0'])
    t.equal(parseRange(header, 1_000), 'unsatisfiable', header);
  for (const header of [
    undefined,
    'items=0-1',
    'bytes=5-4',
    'bytes=0-1,3-4',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=1 -2',
  ]) {
    t.equal(parseRange(header, 1_000), null, String(header));
  }
  t.end();
});

t.test('no particular of an error can pass for a member of the problem', (t) => {
  const problem = problemOf(new TuttiError('TRACK_EXISTS', 'why', { status: 200, code: 'FINE', trackId: 'x' }));
  t.match(problem, {
    status: 409,
    code: 'TRACK_EXISTS',
    detail: 'why',
    trackId: 'x',
    type: 'urn:tutti:error:TRACK_EXISTS',
  });
  t.end();
});

t.test('what the framework refuses has a code of ours; anything else is a bug', (t) => {
  t.equal(asTuttiError(Object.assign(new Error('x'), { code: 'FST_ERR_CTP_BODY_TOO_LARGE' }))?.code, 'BODY_TOO_LARGE');
  t.equal(asTuttiError(Object.assign(new Error('x'), { code: 'FST_ERR_UNHEARD_OF' })), null);
  t.equal(asTuttiError('text'), null);
  t.end();
});
