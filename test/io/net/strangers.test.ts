/** Whoever does not belong gets a closed connection, is counted, and costs nothing; members do not notice. */
import { spawnSync } from 'node:child_process';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TLSSocket,
} from 'node:tls';
import t, { type Test } from 'tap';
import { parseHostPort } from '../../../src/config/host-port.js';
import { clusterId, type Incarnation, nodeId } from '../../../src/core/ids.js';
import { Prng } from '../../../src/core/prng.js';
import type { CloseReason } from '../../../src/io/net/counters.js';
import { FrameReader, HEADER_BYTES, KIND, LIMITS_OF_GUEST, writeHeader } from '../../../src/io/net/frames.js';
import { decodeRefusal, encodeHello, encodeKnock } from '../../../src/io/net/greeting.js';
import { GREETING_SWEEPS, SWEEP_MS, WAITING_MAX } from '../../../src/io/net/limits.js';
import { clientOptions, serverOptions, TLS_SUITE } from '../../../src/io/net/psk.js';
import { TlsKnocker } from '../../../src/io/net/tls-knocker.js';
import { WaitingRoom } from '../../../src/io/net/waiting-room.js';
import { FakeTime } from '../../../src/ports/fake-time.js';
import { KNOCK_BYTES_MAX } from '../../../src/ports/peer-link.js';
import { QUIET_HANDLERS } from '../../contract/peer-link.js';
import { codeOf, passRealTime, rejectionOf, until } from '../../contract/support.js';
import { A, B, CLUSTER, INCARNATION, KEY, makeStation, realTime, type Station } from './rig.js';

/** A link that is asked by strangers, on a clock of its own, with a member that it is up with. */
async function besieged(t: Test) {
  const time = new FakeTime();
  const a = await makeStation(t, A, { time });
  const b = await makeStation(t, B, { time });
  const seen = { ups: 0, downs: 0, messages: 0 };
  a.link.setPeers(new Map([[B, b.address]]));
  b.link.setPeers(new Map([[A, a.address]]));
  await a.link.start({
    ...QUIET_HANDLERS,
    up: () => void seen.ups++,
    down: () => void seen.downs++,
    message: () => void seen.messages++,
    knock: () => Promise.resolve(Uint8Array.of(1)),
  });
  await b.link.start(QUIET_HANDLERS);
  await until(() => seen.ups === 1, passRealTime, 'they are up');
  return { a, b, time, seen, counted: (reason: CloseReason) => a.link.counters()[reason] };
}

/** A TCP connection to a link, and whether it was closed. */
async function knockOnTcp(station: Station): Promise<{ readonly socket: Socket; isClosed: boolean }> {
  const { host, port } = parseHostPort(station.link.address())!;
  const visitor = { socket: connectTcp({ host, port }), isClosed: false };
  visitor.socket.on('error', () => {}).resume();
  visitor.socket.on('close', () => {
    visitor.isClosed = true;
  });
  await new Promise((resolve) => visitor.socket.once('connect', resolve));
  return visitor;
}

interface Visitor {
  readonly socket: TLSSocket;
  isSecure: boolean;
  isClosed: boolean;
  readonly received: Buffer[];
  readonly tickets: Buffer[];
}

/** A TLS connection to a link, once it stands or is refused. */
async function visit(station: Station, options: ConnectionOptions): Promise<Visitor> {
  const { host, port } = parseHostPort(station.link.address())!;
  const socket = connectTls({ ...options, host, port });
  const visitor: Visitor = { socket, isSecure: false, isClosed: false, received: [], tickets: [] };
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => visitor.received.push(chunk));
  socket.on('session', (ticket) => visitor.tickets.push(ticket));
  socket.on('close', () => {
    visitor.isClosed = true;
  });
  socket.once('secureConnect', () => {
    visitor.isSecure = true;
  });
  await until(() => visitor.isSecure || visitor.isClosed, passRealTime, 'TLS stands or is refused');
  return visitor;
}

function frame(kind: number, body: Uint8Array, claimed = body.length): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + body.length);
  writeHeader(bytes, 0, kind as 1, claimed);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

const hello = (change: Partial<Parameters<typeof encodeHello>[0]> = {}): Uint8Array =>
  encodeHello({
    cluster: CLUSTER,
    node: B,
    to: A,
    incarnation: INCARNATION,
    session: '3'.repeat(32),
    channel: 'control',
    count: 0,
    address: '127.0.0.1:1',
    card: new Uint8Array(0),
    ...change,
  });

/** Messages still pass between the members. */
async function proveThatMembersTalk(t: Test, { b, seen }: Awaited<ReturnType<typeof besieged>>): Promise<void> {
  const before = seen.messages;
  t.ok(b.link.send(A, 'control', Uint8Array.of(1)));
  await until(() => seen.messages === before + 1, passRealTime, 'a message passes');
  t.same([seen.ups, seen.downs], [1, 0], 'members do not notice');
}

t.test('random bytes, and other protocols, are closed and counted', async (t) => {
  const siege = await besieged(t);
  const prng = new Prng(1);
  const openings = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from('SSH-2.0-OpenSSH_9.7\r\n'),
    ...Array.from({ length: 40 }, () =>
      Buffer.from(Array.from({ length: 1 + prng.below(400) }, () => prng.below(256))),
    ),
  ];
  for (const opening of openings) {
    const visitor = await knockOnTcp(siege.a);
    visitor.socket.end(opening);
    await until(() => visitor.isClosed, passRealTime, 'it is closed');
  }
  await until(() => siege.counted('handshake') === openings.length, passRealTime, 'all are counted');
  await proveThatMembersTalk(t, siege);
});

t.test('one suite is spoken, with forward secrecy, and another key gets nowhere', async (t) => {
  const siege = await besieged(t);
  const right = clientOptions(KEY);
  const good = await visit(siege.a, right);
  t.ok(good.isSecure);
  t.equal(good.socket.getProtocol(), 'TLSv1.3');
  t.equal(good.socket.getCipher().standardName, TLS_SUITE);
  t.match(good.socket.getEphemeralKeyInfo(), { type: 'ECDH' }, 'an ephemeral exchange beside the key');
  good.socket.destroy();
  const others: readonly (readonly [string, ConnectionOptions])[] = [
    ['a wrong key', clientOptions(new Uint8Array(32).fill(8))],
    ['another suite', { ...right, ciphers: 'TLS_AES_128_GCM_SHA256' }],
    ['another identity', { ...right, pskCallback: () => ({ psk: Buffer.alloc(32), identity: 'else' }) }],
    [
      'an old version',
      { ...right, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-PSK-CHACHA20-POLY1305' },
    ],
    [
      'an old version without forward secrecy',
      { ...right, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'PSK' },
    ],
    ['no key', { minVersion: 'TLSv1.3', ciphers: TLS_SUITE, rejectUnauthorized: false }],
  ];
  let refused = 0;
  for (const [what, options] of others) {
    const visitor = await visit(siege.a, options);
    await until(() => visitor.isClosed, passRealTime, `${what} is closed`);
    t.notOk(visitor.isSecure, what);
    t.same(visitor.received, []);
    refused++;
    await until(() => siege.counted('handshake') === refused, passRealTime, `${what} is counted`);
  }
  await proveThatMembersTalk(t, siege);
});

t.test('a ticket of an earlier connection is no way in', async (t) => {
  const siege = await besieged(t);
  // A client that would take one.
  const { secureOptions: _none, ...willing } = clientOptions(KEY);
  const first = await visit(siege.a, willing);
  first.socket.write(frame(KIND.knock, encodeKnock(new Uint8Array(0))));
  await until(() => first.isClosed, passRealTime, 'the knock is answered');
  t.comment(`tickets: ${first.tickets.length}`);
  const session = first.tickets[0];
  const { pskCallback: _, ...keyless } = clientOptions(KEY);
  const second = await visit(siege.a, session === undefined ? keyless : { ...keyless, session });
  await until(() => second.isClosed, passRealTime, 'it is closed');
  t.notOk(second.isSecure);
});

t.test('a client believes no certificate, and no server without the key', async (t) => {
  const knocker = new TlsKnocker({ time: realTime });
  const serve = async (server: ReturnType<typeof createTcpServer>) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => new Promise((resolve) => server.close(resolve)));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const knock = (address: string) => rejectionOf(knocker.knock(address, Uint8Array.of(1), { key: KEY }));
  const http = await serve(
    createTcpServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ),
  );
  t.equal(await knock(http), 'BAD_ANSWER');
  const otherKey = await serve(createTlsServer(serverOptions(new Uint8Array(32).fill(9))));
  t.equal(await knock(otherKey), 'KEY_REFUSED');
  const hangsUp = await serve(createTcpServer((socket) => socket.destroy()));
  t.equal(await knock(hangsUp), 'PEER_UNREACHABLE');
  const pem = selfSigned();
  if (pem === undefined) {
    t.comment('not tried with a certificate: this machine has no openssl');
    return;
  }
  const certified = createTlsServer({ key: pem, cert: pem, minVersion: 'TLSv1.3', ciphers: TLS_SUITE });
  t.equal(await knock(await serve(certified)), 'BAD_ANSWER');
});

t.test('a key of another length is refused before it is used', async (t) => {
  for (const key of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(33)]) {
    t.equal(
      codeOf(() => serverOptions(key)),
      'BAD_REQUEST',
    );
    t.equal(await rejectionOf(new TlsKnocker({ time: realTime }).knock('127.0.0.1:1', KEY, { key })), 'BAD_REQUEST');
  }
  for (const address of ['', 'kitchen', 'kitchen:0', 'http://kitchen:7420', '[::1']) {
    const knocker = new TlsKnocker({ time: realTime });
    t.equal(await rejectionOf(knocker.knock(address, KEY, { key: KEY })), 'BAD_REQUEST', address);
  }
  t.same(realTime.running(), [], 'and no timer runs');
});

t.test('what was recorded of a real conversation opens nothing when it is played again', async (t) => {
  const siege = await besieged(t);
  // A client's part of a whole handshake with a hello is longer than this, an attempt that was given up is not.
  const recordings = [...siege.a.proxy.recordings, ...siege.b.proxy.recordings]
    .map((chunks) => Buffer.concat(chunks))
    .filter(({ length }) => length > 350);
  t.ok(recordings.length >= 2, 'control and bulk were recorded');
  const before = siege.counted('handshake');
  let replays = 0;
  for (const recording of recordings) {
    const visitor = await knockOnTcp(siege.a);
    visitor.socket.write(recording);
    await until(() => visitor.isClosed, passRealTime, 'it is closed');
    replays++;
    await until(() => siege.counted('handshake') === before + replays, passRealTime, 'it is counted');
  }
  await proveThatMembersTalk(t, siege);
});

t.test('who holds the key and does not belong hears why', async (t) => {
  const siege = await besieged(t);
  const { a, counted } = siege;
  const other = hello();
  const ofVersion = Uint8Array.from(other);
  ofVersion[5] = 9;
  const cases: readonly (readonly [CloseReason, Uint8Array, RegExp])[] = [
    ['other-version', ofVersion, /version 1 .* version 9/],
    ['other-cluster', hello({ cluster: clusterId('d'.repeat(32)) }), /cluster c{32}, not d{32}/],
    ['not-a-member', hello({ node: nodeId('e'.repeat(32)) }), /no member e{32}/],
    ['not-a-member', hello({ node: A }), /no member a{32}/],
    ['other-node', hello({ to: nodeId('e'.repeat(32)) }), /node a{32}, not e{32}/],
    ['duplicate', hello({ channel: 'bulk', count: 99, incarnation: '9'.repeat(32) as Incarnation }), /already/],
  ];
  for (const [reason, body, detail] of cases) {
    const before = counted(reason);
    const visitor = await visit(a, clientOptions(KEY));
    visitor.socket.write(frame(KIND.hello, body));
    await until(() => visitor.isClosed, passRealTime, `${reason}: it is closed`);
    const reader = new FrameReader(LIMITS_OF_GUEST);
    reader.add(Buffer.concat(visitor.received));
    t.ok(reader.next(), `${reason}: there is an answer`);
    t.equal(reader.kind, KIND.refusal);
    t.match(decodeRefusal(reader.body), { version: 1, code: reason, detail });
    t.equal(counted(reason), before + 1);
  }
  await proveThatMembersTalk(t, siege);
});

t.test('frames that may not come, lengths that are too long, and mutated hellos close the connection', async (t) => {
  const siege = await besieged(t);
  const prng = new Prng(2);
  const bad = [
    frame(KIND.message, Uint8Array.of(1)),
    frame(KIND.welcome, hello()),
    frame(KIND.ping, new Uint8Array(0)),
    frame(99, new Uint8Array(0)),
    frame(KIND.hello, new Uint8Array(0), 0xffff_ffff),
    frame(KIND.knock, new Uint8Array(0), KNOCK_BYTES_MAX + 1_000),
    frame(KIND.hello, new Uint8Array(0)),
    frame(KIND.hello, hello().subarray(0, -1)),
    frame(KIND.hello, Buffer.concat([hello(), Uint8Array.of(0)])),
    frame(KIND.knock, Buffer.from('Tutt\u0000\u0001\u0005ab', 'latin1')),
    ...Array.from({ length: 20 }, () =>
      Buffer.from(Array.from({ length: 5 + prng.below(60) }, () => 128 + prng.below(128))),
    ),
  ];
  let closed = 0;
  for (const bytes of bad) {
    const visitor = await visit(siege.a, clientOptions(KEY));
    visitor.socket.write(bytes);
    await until(() => visitor.isClosed, passRealTime, `${bytes.subarray(0, 8).toString('hex')} is closed`);
    closed++;
    t.equal(siege.counted('bad-frame'), closed);
  }
  await proveThatMembersTalk(t, siege);
});

t.test('who says nothing, or a byte now and then, is closed when its time is over', async (t) => {
  const siege = await besieged(t);
  const { a, time, counted } = siege;
  const silent = await knockOnTcp(a);
  const trickling = await knockOnTcp(a);
  const secure = await visit(a, clientOptions(KEY));
  const slowHello = frame(KIND.hello, hello());
  // A record of TLS that promises 512 bytes.
  const clientHello = Uint8Array.of(0x16, 3, 1, 2, 0, 1);
  for (let second = 0; second <= GREETING_SWEEPS; second++) {
    t.notOk(silent.isClosed || trickling.isClosed || secure.isClosed, `after ${second} s they are there`);
    trickling.socket.write(clientHello.subarray(second, second + 1));
    secure.socket.write(slowHello.subarray(second, second + 1));
    for (let turn = 0; turn < 5; turn++) await passRealTime();
    time.advance(SWEEP_MS);
  }
  await until(() => silent.isClosed && trickling.isClosed && secure.isClosed, passRealTime, 'all are closed');
  t.equal(counted('timeout'), 3);
  await proveThatMembersTalk(t, siege);
});

t.test('a place is freed at the cost of the address that has the most', (t) => {
  const room = new WaitingRoom();
  const dropped: string[] = [];
  const guest = (host: string, name: string) => ({
    host,
    drop: (reason: string) => void dropped.push(`${name} ${reason}`),
  });
  const member = guest('10.0.0.2', 'member');
  room.enter(guest('10.0.0.9', 'first'));
  room.enter(member);
  for (let number = 0; number < WAITING_MAX; number++) room.enter(guest('10.0.0.9', `${number}`));
  t.same(
    dropped,
    ['first crowded', '0 crowded'],
    'the oldest of the flood, though the member is older than the second',
  );
  t.equal(room.size, WAITING_MAX);
  room.leave(member);
  room.enter(guest('10.0.0.3', 'other'));
  t.equal(dropped.length, 2, 'a place that was left is free');
  t.end();
});

t.test('a flood of connections fills a few places, pushes out its own, and members talk on', async (t) => {
  const siege = await besieged(t);
  const { a, b, counted, seen } = siege;
  const descriptors = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPS')).length;
  const before = descriptors();
  const visitors: Awaited<ReturnType<typeof knockOnTcp>>[] = [];
  for (let round = 0; round < 10; round++) {
    const made = await Promise.all(Array.from({ length: WAITING_MAX }, () => knockOnTcp(a)));
    for (const { socket } of made) socket.write(Uint8Array.of(0x16, 3, 1));
    visitors.push(...made);
    const messages = seen.messages;
    for (let message = 0; message < 20; message++) t.ok(b.link.send(A, 'control', new Uint8Array(200)));
    await until(() => seen.messages === messages + 20, passRealTime, 'messages pass meanwhile');
  }
  await until(() => counted('crowded') === 9 * WAITING_MAX, passRealTime, 'those who are too many are dropped');
  const open = () => visitors.filter(({ isClosed }) => !isClosed).length;
  await until(() => open() === WAITING_MAX, passRealTime, 'the last ones wait');
  // Both ends of each are in this process.
  t.ok(descriptors() - before <= 2 * WAITING_MAX + 4, `${descriptors() - before} sockets more than before`);
  const guest = await visit(a, clientOptions(KEY));
  t.ok(guest.isSecure, 'who holds the key gets in meanwhile');
  guest.socket.destroy();
  t.same([seen.ups, seen.downs], [1, 0]);
  for (const { socket } of visitors) socket.destroy();
});

/** A key with a certificate of its own making, in PEM; undefined where this machine has no openssl. */
function selfSigned(): Buffer | undefined {
  const options =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 -days 2 -keyout - -out -';
  const { status, stdout } = spawnSync('openssl', ['req', ...options.split(' ')]);
  return status === 0 ? stdout : undefined;
}
