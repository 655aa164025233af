/** Who may change what plays: not a page of another site, nobody without the token where one is wanted, and nobody who takes for ever. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { JSON_BYTES_MAX, JSON_MS_MAX } from '../../src/http/json-body.js';
import { ADDRESSES_MAX, REFUSED_AT_ONCE, REFUSED_EVERY_MS, RefusalLimit } from '../../src/http/refusal-limit.js';
import type { Route } from '../../src/http/route.js';
import { ROUTES } from '../../src/http/table.js';
import { LINGER_MS } from '../../src/http/upload.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { addSong, type HouseInit, song, startHouse } from '../support/house.js';

const urlOf = ({ path, atRoot }: Route) => `${atRoot ? '' : '/api/v1'}${path.replace(/:\w+/g, 'a')}`;
const writes = ROUTES.filter(({ method }) => method !== 'GET');
const reads = ROUTES.filter(({ method, path }) => method === 'GET' && path !== '/events');

async function start(t: Test, init: HouseInit = {}) {
  const house = await startHouse(t, init);
  await addSong(house.node, 'a.wav', song(100));
  const slot = house.node.cluster.appliedSlot;
  const call = async (method: Route['method'] | 'OPTIONS', url: string, headers: Record<string, string>, more = {}) => {
    const all = { host: 'kitchen.local:8080', ...headers };
    const { statusCode, headers: said, payload } = await house.http.inject({ method, url, headers: all, ...more });
    const type = String(said['content-type'] ?? '');
    return { status: statusCode, headers: said, json: type.includes('json') ? JSON.parse(payload) : null };
  };
  return { ...house, call, slot };
}

t.test("a stranger's page is refused on every call that changes something, and nothing has changed", async (t) => {
  const { call, node, slot, disk } = await start(t);
  const files = disk.list('tracks').length;
  for (const route of writes) {
    const what = `${route.method} ${route.path}`;
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: 'http://kitchen.local' },
      { origin: 'https://kitchen.local:8443' },
      { host: 'evil.example:8080' },
      { host: 'evil.example:8080', origin: 'http://evil.example:8080' },
      { host: 'kitchen.local.evil.example' },
    ] as Record<string, string>[]) {
      const answer = await call(route.method, urlOf(route), headers, {
        payload: Buffer.from(song(200, 9)),
        remoteAddress: what,
      });
      t.match(answer, { status: 403, json: { code: 'FORBIDDEN_ORIGIN' } }, `${what} ${JSON.stringify(headers)}`);
    }
  }
  t.equal(node.cluster.appliedSlot, slot);
  t.equal(disk.list('tracks').length, files);
  t.strictSame(disk.list('tmp'), []);
});

t.test('nothing is changed by reading, and no page of another site is let read', async (t) => {
  const { call, node, slot } = await start(t);
  for (const route of reads) {
    const answer = await call('GET', urlOf(route), { origin: 'http://evil.example' });
    t.ok(answer.status < 500, `${route.path}: ${answer.status}`);
    for (const header of Object.keys(answer.headers)) t.notMatch(header, /^access-control-/);
  }
  for (const route of ROUTES) {
    const asked = { origin: 'http://evil.example', 'access-control-request-method': route.method };
    const answer = await call('OPTIONS', urlOf(route), asked);
    t.equal(answer.status, 405, 'a browser that asks first whether it may is told no');
    for (const header of Object.keys(answer.headers)) t.notMatch(header, /^access-control-/);
  }
  t.equal(node.cluster.appliedSlot, slot);
});

t.test('with a token, every call that changes something wants it, and none that reads', async (t) => {
  const { call, node, slot } = await start(t, { http: { token: 'secret' } });
  for (const route of writes) {
    const what = `${route.method} ${route.path}`;
    for (const authorization of [undefined, 'Bearer wrong', 'Basic c2VjcmV0', 'secret', 'Bearer secret2', 'Bearer ']) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const answer = await call(route.method, urlOf(route), headers, { remoteAddress: what });
      const refusal = { status: 401, headers: { 'www-authenticate': 'Bearer' }, json: { code: 'UNAUTHORIZED' } };
      t.match(answer, refusal, `${what} ${authorization}`);
      t.notMatch(JSON.stringify(answer.json), /secret"/);
    }
  }
  for (const route of reads) t.not((await call('GET', urlOf(route), {})).status, 401, route.path);
  t.equal(node.cluster.appliedSlot, slot);
});

t.test('who guesses tokens is told to wait, even when a guess is right; who is right is never counted', async (t) => {
  const { call, time } = await start(t, { http: { token: 'secret' } });
  const put = (authorization: string | null, remoteAddress: string) =>
    call('PUT', '/api/v1/volume', authorization === null ? {} : { authorization }, {
      payload: '{"muted":false}',
      remoteAddress,
    });
  for (let at = 0; at < 3 * REFUSED_AT_ONCE; at++) t.equal((await put('Bearer secret', '192.0.2.7')).status, 200);
  for (let at = 0; at < REFUSED_AT_ONCE; at++) t.equal((await put(`Bearer ${at}`, '192.0.2.7')).status, 401);
  const limited = { status: 429, json: { code: 'TOO_MANY_REFUSED' }, headers: { 'retry-after': '1' } };
  t.match(await put('Bearer 31', '192.0.2.7'), limited);
  t.match(await put('Bearer secret', '192.0.2.7'), limited);
  t.match(await put(null, '192.0.2.7'), limited);
  t.equal((await put('Bearer secret', '192.0.2.8')).status, 200, 'another address is another matter');
  t.equal((await call('GET', '/api/v1/state', {}, { remoteAddress: '192.0.2.7' })).status, 200, 'reading is free');
  time.advance(2 * REFUSED_EVERY_MS);
  t.equal((await put('Bearer secret', '192.0.2.7')).status, 200);
});

t.test('a page of another site cannot lock out the person at whose browser it runs', async (t) => {
  const { call } = await start(t);
  const put = (headers: Record<string, string>) =>
    call('PUT', '/api/v1/volume', headers, { payload: '{"muted":false}', remoteAddress: '192.0.2.7' });
  for (let at = 0; at < REFUSED_AT_ONCE; at++) t.equal((await put({ origin: 'http://evil.example' })).status, 403);
  t.match(await put({ origin: 'http://evil.example' }), { status: 429, json: { code: 'TOO_MANY_REFUSED' } });
  t.equal((await put({ origin: 'http://kitchen.local:8080' })).status, 200);
});

t.test('however many addresses are refused, few are remembered', (t) => {
  const time = new FakeTime();
  const limit = new RefusalLimit({ time });
  for (let at = 0; at < REFUSED_AT_ONCE; at++) limit.note('first');
  t.equal(limit.waitS('first'), 1);
  for (let at = 0; at < ADDRESSES_MAX; at++) limit.note(`address ${at}`);
  t.equal(limit.waitS('first'), 0, 'the one that was refused longest ago is forgotten');
  for (let at = 0; at < 10 * REFUSED_AT_ONCE; at++) limit.note('stubborn');
  t.equal(limit.waitS('stubborn'), 1, 'nobody is locked out for longer than a moment after the last refusal');
  time.advance(REFUSED_EVERY_MS * REFUSED_AT_ONCE);
  t.equal(limit.waitS('stubborn'), 0);
  t.end();
});

t.test('a body has to be there in time and within bounds, however it is sent', async (t) => {
  const { http, time } = await start(t);
  const port = Number(new URL(await http.start()).port);
  const send = (head: string): Socket => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    socket.write(`PUT /api/v1/volume HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`);
    return socket;
  };
  const answer = async (socket: Socket) => String((await once(socket, 'data'))[0]);
  const announced = send(`Content-Length: ${JSON_BYTES_MAX + 1}`);
  t.match(await answer(announced), /^HTTP\/1\.1 413 [\s\S]*"code":"BODY_TOO_LARGE"/, 'before a byte of it came');
  const chunked = send('Transfer-Encoding: chunked');
  const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`;
  for (let sent = 0; sent <= JSON_BYTES_MAX; sent += 0x8000) chunked.write(chunk);
  t.match(await answer(chunked), /^HTTP\/1\.1 413 /);
  const slow = send('Content-Length: 12');
  slow.write('{"vol');
  while (!time.running().includes('http.body')) await new Promise((resolve) => setImmediate(resolve));
  time.advance(JSON_MS_MAX);
  t.match(await answer(slow), /^HTTP\/1\.1 408 [\s\S]*"code":"TOO_SLOW"/);
  time.advance(LINGER_MS);
  while (!announced.closed || !slow.closed) await new Promise((resolve) => setImmediate(resolve));
  const right = send('Content-Length: 13');
  right.write('{"volume":');
  await new Promise((resolve) => setImmediate(resolve));
  right.write('5 }');
  t.match(await answer(right), /^HTTP\/1\.1 200 /);
});
