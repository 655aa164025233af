/** The benches' own tools: a figure is worth as much as what measured it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { askOnce, HttpConnection, parseAnswer, request } from './http-client.js';
import { atOnce, latenciesOf, oneByOne } from './load.js';
import { median, percentile } from './statistics.js';

t.test('a percentile is the nearest rank: a value that was measured', (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.equal(percentile(hundred, 0.5), 50);
  t.equal(percentile(hundred, 0.99), 99);
  t.equal(percentile(hundred, 1), 100);
  t.equal(percentile([7], 0.99), 7);
  t.equal(percentile([7, 3], 0), 3);
  t.equal(median([10, 9, 100]), 10, 'by number, not by text');
  t.same(latenciesOf([1, 2, 3, 4]), { p50: 2, p99: 4, max: 4 });
  t.throws(() => median([]), RangeError);
  t.end();
});

t.test('an answer is whole with its last byte and not before, however it says where it ends', (t) => {
  const answers: readonly (readonly [string, string])[] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
    ['HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 0\r\n\r\n', ''],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', ''],
  ];
  for (const [text, body] of answers) {
    for (let length = 0; length < text.length; length++) t.equal(parseAnswer(text.slice(0, length)), undefined);
    t.same(parseAnswer(text), { status: 200, body });
  }
  t.same(parseAnswer('HTTP/1.1 503 Service Unavailable\r\n\r\n'), { status: 503, body: '' });
  t.end();
});

t.test('beside a real server', async (t) => {
  const seen: string[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const server = createServer((incoming, outgoing) => {
    mostUnderWay = Math.max(mostUnderWay, ++underWay);
    let body = '';
    incoming.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    incoming.on('end', () => {
      seen.push(`${incoming.method} ${incoming.url} ${body}`);
      setTimeout(() => {
        underWay--;
        outgoing.statusCode = incoming.url === '/no' ? 500 : 200;
        outgoing.end(body);
      }, 2);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const put = (n: number) => request('PUT', '/volume', port, JSON.stringify({ n }));

  t.same(await askOnce(port, put(1)), { status: 200, body: '{"n":1}' });
  seen.length = 0;
  const took = await oneByOne(port, put, 3);
  t.equal(took.length, 3);
  t.ok(Math.min(...took) >= 1, 'the wait for the answer is in the figure');
  t.same(seen, ['PUT /volume {"n":0}', 'PUT /volume {"n":1}', 'PUT /volume {"n":2}']);
  t.equal(mostUnderWay, 1);

  seen.length = 0;
  t.ok((await atOnce(port, put, 4, 40)) > 0);
  t.equal(new Set(seen).size, 40, 'each request once');
  t.equal(mostUnderWay, 4);

  await t.rejects(
    oneByOne(port, () => request('GET', '/no', port), 1),
    { message: /^answered 500/ },
  );

  const connection = await HttpConnection.open(port);
  const first = connection.send(put(1));
  await t.rejects(connection.send(put(2)), { message: /is waiting/ });
  await first;
  const lost = connection.send(put(3));
  connection.close();
  await t.rejects(lost, { message: /was closed/ });
  await t.rejects(connection.send(put(4)), { message: /was closed/ });
});
