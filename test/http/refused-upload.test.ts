/** How a refused upload ends on a real connection: the answer must come through to whoever is still sending. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { SLOW_BYTES, SLOW_MS, UPLOADS_OF_ONE_MAX } from '../../src/http/upload.js';
import { INTAKES_MAX } from '../../src/tracks/track-store.js';
import { song, startHouse, type TestHouse } from '../support/house.js';

/** More than all buffers on the way hold. */
const FILM_BYTES = 16 << 20;
/** More than the node looks at before it refuses. */
const FIRST_BYTES = 512 << 10;

t.test('who asks for the connection to be closed can send all of a file that was refused before that', async (t) => {
  const { http } = await startHouse(t);
  const port = Number(new URL(await http.start()).port);
  const socket = connect(port, '127.0.0.1');
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  const head = ['PUT /api/v1/tracks/film.wav HTTP/1.1', 'Host: localhost', 'Connection: close'];
  socket.write(`${[...head, `Content-Length: ${FILM_BYTES}`].join('\r\n')}\r\n\r\n`);
  const film = Buffer.alloc(FILM_BYTES, 'ID3');
  socket.write(film.subarray(0, FIRST_BYTES));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.match(answer.toString(), /^HTTP\/1\.1 415 /);
  const closed = once(socket, 'close');
  socket.write(film.subarray(FIRST_BYTES));
  await closed;
  t.strictSame(errors, []);
  t.equal(socket.bytesWritten > FILM_BYTES, true, 'it could send it to its end');
});

t.test(
  'who sends a film where a few words are taken can send it to its end, and hears that it is too large',
  async (t) => {
    const { http } = await startHouse(t);
    const port = Number(new URL(await http.start()).port);
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    const head = ['POST /api/v1/transport/play HTTP/1.1', 'Host: localhost', `Content-Length: ${FILM_BYTES}`];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    t.match(answer.toString(), /^HTTP\/1\.1 413 /);
    socket.write(Buffer.alloc(FILM_BYTES));
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [next] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean];
    t.match(String(next), /^HTTP\/1\.1 200 /, 'the connection is as good as before');
    t.strictSame(errors, []);
  },
);

/** One who sends a file of ten minutes, a piece at a time. */
function sender(t: Test, port: number, file: Uint8Array, name = 'song', from = '127.0.0.1') {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  t.teardown(() => socket.destroy());
  const head = [`PUT /api/v1/tracks/${name}.wav HTTP/1.1`, 'Host: localhost', `Content-Length: ${file.length}`];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  let sent = 0;
  const send = (bytes: number) => {
    socket.write(file.subarray(sent, sent + bytes));
    sent += bytes;
  };
  return { send, answer: async () => String((await once(socket, 'data'))[0]) };
}

const received = ({ node }: TestHouse) =>
  node.uploads.list().reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test('who hardly sends gives up its place, and hears why', async (t) => {
  const house = await startHouse(t);
  const { http, time, node } = house;
  const port = Number(new URL(await http.start()).port);
  const file = song(60_000);
  const tricklers = Array.from({ length: INTAKES_MAX }, (_, at) =>
    sender(t, port, file, `song ${at}`.replace(' ', ''), at < UPLOADS_OF_ONE_MAX ? '127.0.0.1' : '127.0.0.2'),
  );
  for (const { send } of tricklers) send(100);
  while (received(house) < 100 * INTAKES_MAX) await turn();
  const answers = tricklers.map(({ answer }) => answer());
  const oneMore = sender(t, port, file, 'more');
  oneMore.send(100);
  t.match(await oneMore.answer(), /^HTTP\/1\.1 429 [\s\S]*"code":"BUSY"/, 'one address has only so many places');
  time.advance(SLOW_MS / 2);
  for (const { send } of tricklers) send(100);
  while (received(house) < 200 * INTAKES_MAX) await turn();
  t.equal(node.uploads.list().filter(({ stage }) => stage === 'receiving').length, INTAKES_MAX, 'not yet');
  time.advance(SLOW_MS / 2);
  for (const answer of await Promise.all(answers)) t.match(answer, /^HTTP\/1\.1 408 [\s\S]*"code":"TOO_SLOW"/);
  const put = await http.inject({
    method: 'PUT',
    url: '/api/v1/tracks/a.wav',
    headers: { host: 'localhost' },
    payload: Buffer.from(song(100)),
  });
  t.equal(put.statusCode, 201, 'there is room for others');
});

t.test('who sends just enough is waited for, however long it takes', async (t) => {
  const house = await startHouse(t);
  const { http, time } = house;
  const file = song(5_000);
  const { send, answer } = sender(t, Number(new URL(await http.start()).port), file);
  const answered = answer();
  for (let sent = 0; sent < file.length; sent += SLOW_BYTES) {
    send(SLOW_BYTES);
    while (received(house) < Math.min(sent + SLOW_BYTES, file.length)) await turn();
    time.advance(SLOW_MS - 1);
  }
  t.match(await answered, /^HTTP\/1\.1 201 /);
  t.notOk(time.running().includes('upload.slow'), 'no timer stays');
});
