/** How a refused upload ends on a real connection: the answer must come through to whoever is still sending. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { startHouse } from '../support/house.js';

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
