/** The event stream over a real connection, on fake time. */
import { once } from 'node:events';
import { connect, Server } from 'node:net';
import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import type { TrackId } from '../../src/core/ids.js';
import { HOLDERS_TOLD_MAX, STREAMS_MAX, STREAMS_OF_ONE_MAX } from '../../src/http/events.js';
import * as schema from '../../src/http/schema.js';
import { Watcher, type Watching } from '../support/event-watcher.js';
import { addSong, NODE_ID, song, startHouse, type TestHouse } from '../support/house.js';

const ATTIC = 'e'.repeat(32);
const BY = { node: NODE_ID, via: 'api' } as const;

async function start(t: Test): Promise<TestHouse & { port: number; watch(as?: Watching): Watcher }> {
  const house = await startHouse(t);
  const port = Number(new URL(await house.http.start()).port);
  const watch = (as?: Watching) => {
    const watcher = new Watcher(port, as);
    t.teardown(() => watcher.socket.destroy());
    return watcher;
  };
  return { ...house, port, watch };
}

t.test('first the view without the library, then each change, each with its form', async (t) => {
  const { node, time, watch } = await start(t);
  const watcher = watch();
  const [first] = await watcher.has('state', 1);
  t.match(watcher.text, /^HTTP\/1\.1 200 OK\r\n/);
  t.match(watcher.text, /content-type: text\/event-stream/);
  t.match(watcher.text, /retry: 500\n\n/);
  t.ok(Value.Check(schema.StateEvent, first!.data));
  t.notOk('tracks' in (first!.data as object));
  t.match(first!.id, /^[0-9]+\.[0-9]+$/);

  const { track } = await addSong(node, 'a.wav', song(1_000));
  time.advance(200);
  const [tracks] = await watcher.has('tracks', 1);
  t.ok(Value.Check(schema.TracksEvent, tracks!.data));
  t.match(tracks!.data, { since: 0, rev: 1, added: [{ id: track.id }], changed: [], removed: [] });
  await node.wishes.renameTrack('a', 'b', BY);
  time.advance(200);
  t.match((await watcher.has('tracks', 2))[1]!.data, { since: 1, rev: 2, added: [], changed: [{ title: 'b' }] });
  await node.wishes.removeTrack('b', BY);
  time.advance(200);
  t.match((await watcher.has('tracks', 3))[2]!.data, { since: 2, rev: 3, removed: [track.id] });
});

t.test('a burst of changes is one event, and there are five a second at most', async (t) => {
  const { node, time, watch } = await start(t);
  const watcher = watch();
  await watcher.has('state', 1);
  for (let volume = 0; volume < 50; volume++) {
    await node.wishes.volume({ volume }, BY);
    time.advance(20);
  }
  time.advance(200);
  await watcher.has('state', 6);
  const states = watcher.of('state').map(({ data }) => (data as schema.StateEvent).volume);
  t.ok(states.length <= 8, `${states.length} events for 50 changes in a second`);
  t.equal(states.at(-1), 49, 'the last one is the newest');
});

t.test('the end of a song is an event, in which it has left the queue and the next is current [row 20]', async (t) => {
  const { node, time, watch } = await start(t);
  await addSong(node, 'a.wav', song(1_000, 1));
  await addSong(node, 'b.wav', song(1_000, 2));
  await node.wishes.enqueue(['a', 'b'], {}, BY);
  await node.wishes.play({}, BY);
  const watcher = watch();
  await watcher.has('state', 1);
  time.advance(1_000);
  t.match(watcher.of('state').at(-1)!.data, { queueLength: 2, transport: { title: 'a' } });
  const before = watcher.of('state').length;
  time.advance(400);
  await watcher.has('state', before + 1);
  t.match(watcher.of('state').at(-1)!.data, { queueLength: 1, queue: [{ title: 'b' }], transport: { title: 'b' } });
});

t.test('a ping every three seconds tells the time', async (t) => {
  const { node, time, watch } = await start(t);
  const watcher = watch();
  await watcher.has('state', 1);
  time.advance(3_000);
  const [ping] = await watcher.has('ping', 1);
  t.ok(Value.Check(schema.PingEvent, ping!.data));
  t.equal((ping!.data as schema.PingEvent).timeNs, node.now().toString());
});

t.test('who comes back gets the newest state, and no past', async (t) => {
  const { node, watch } = await start(t);
  for (let volume = 0; volume < 10; volume++) await node.wishes.volume({ volume }, BY);
  const watcher = watch({ headers: 'Last-Event-ID: 1.1\r\n' });
  const [state] = await watcher.has('state', 1);
  t.equal((state!.data as schema.StateEvent).volume, 9);
  t.equal(watcher.events.length, 1);
});

t.test(
  'a long queue comes as an event of its own; state shows its head, and stays short with long titles',
  async (t) => {
    const { node, time, watch } = await start(t);
    const { track } = await addSong(node, 'a.wav', song(10_000));
    const watcher = watch();
    await watcher.has('state', 1);
    await node.wishes.enqueue(
      Array.from({ length: 40 }, () => track.id),
      {},
      BY,
    );
    time.advance(200);
    await watcher.has('state', 2);
    t.equal(watcher.of('queue').length, 0, '40 are all in state');
    await node.wishes.enqueue(
      Array.from({ length: 40 }, () => track.id),
      {},
      BY,
    );
    time.advance(200);
    const [queue] = await watcher.has('queue', 1);
    t.ok(Value.Check(schema.QueueEvent, queue!.data));
    t.equal((queue!.data as schema.QueueEvent).items.length, 80);
    const state = (await watcher.has('state', 3))[2]!.data as schema.StateEvent;
    t.equal(state.queueLength, 80);
    t.ok(state.queue.length > 45 && state.queue.length <= 51, `${state.queue.length} items`);
    t.ok(JSON.stringify(state).length <= 12_000);
    await node.wishes.renameTrack('a', 'long '.repeat(40), BY);
    time.advance(200);
    const short = (await watcher.has('state', 4))[3]!;
    t.ok(Buffer.byteLength(JSON.stringify(short.data)) <= 12_000);
    t.ok((short.data as schema.StateEvent).queue.length > 10);
    t.ok((short.data as schema.StateEvent).queue.length < 51);
  },
);

t.test('the event state stays short in bytes, with long titles of any script and many uploads', async (t) => {
  const { node, watch, time } = await start(t);
  const { track } = await addSong(node, 'a.wav', song(100));
  await node.wishes.renameTrack(track.id, '漢'.repeat(200), BY);
  await node.wishes.enqueue(
    Array.from({ length: 60 }, () => track.id),
    {},
    BY,
  );
  const begin = (id: string) => node.uploads.begin({ id, title: '字'.repeat(80), via: 'http', totalBytes: 1 });
  const under = begin('under way');
  for (let i = 0; i < 40; i++) begin(`over ${i}`)({ stage: 'done' });
  const newest = begin('newest');
  const watcher = watch();
  const [first] = await watcher.has('state', 1);
  const check = (data: schema.StateEvent) => {
    const bytes = Buffer.byteLength(JSON.stringify(data));
    t.ok(bytes <= 12_000 && bytes > 9_000, `${bytes} bytes`);
    t.ok(data.queue.length > 3, `${data.queue.length} items`);
    return data.uploads.map(({ id }) => id);
  };
  const shown = check(first!.data);
  t.strictSame([shown[0], shown.at(-2), shown.at(-1)], ['under way', 'over 39', 'newest'], 'what is over goes first');
  t.notOk(shown.includes('over 10'));
  under({ stage: 'done' });
  newest({ stage: 'done' });
  time.advance(200);
  t.equal(check((await watcher.has('state', 2))[1]!.data).at(-1), 'newest', 'the latest of what is over stays');
});

t.test('who holds a track is told as it changes, a part at a time', async (t) => {
  const { node, time, watch } = await start(t);
  const ids: string[] = [];
  for (let i = 0; i < HOLDERS_TOLD_MAX + 10; i++) ids.push((await addSong(node, `${i}.wav`, song(10, i))).track.id);
  const watcher = watch();
  await watcher.has('state', 1);
  const others = [...node.holdersOf(ids[0] as TrackId)];
  const told = () => watcher.of('tracks').flatMap(({ data }) => (data as schema.TracksEvent).changed);
  // As if a card came that has everything.
  Object.defineProperty(node, 'holdersOf', { value: () => [...others, ATTIC] });
  Object.defineProperty(node, 'holdingsRev', { value: node.holdingsRev + 1 });
  await node.wishes.volume({ volume: 5 }, BY);
  time.advance(1);
  await watcher.has('tracks', 1);
  t.equal(told().length, HOLDERS_TOLD_MAX);
  time.advance(200);
  await watcher.has('tracks', 2);
  // A connection that was full for a moment gets all of it instead.
  t.strictSame(new Set(told().map(({ id }) => id)), new Set(ids));
  for (const { holders } of told()) t.strictSame(holders, [...others, ATTIC]);
  for (const { data } of watcher.of('tracks')) t.match(data, { since: ids.length, rev: ids.length, added: [] });
  time.advance(3_000);
  await watcher.has('ping', 1);
  t.equal(watcher.of('tracks').length, 2, 'and not again');
});

t.test('one who does not listen is dropped, and holds up nobody', async (t) => {
  const { node, time, watch } = await start(t);
  const { track } = await addSong(node, 'a.wav', song(10_000));
  const deaf = watch();
  const other = watch();
  await Promise.all([deaf.has('state', 1), other.has('state', 1)]);
  deaf.socket.pause();
  let dropped = false;
  deaf.socket.on('close', () => {
    dropped = true;
  });
  // Queue events of about a megabyte each, until no buffer of the system takes any more; then ten seconds.
  await node.wishes.enqueue(
    Array.from({ length: 4_000 }, () => track.id),
    {},
    BY,
  );
  const knows = (version: number) => other.of('queue').some(({ data }) => (data as schema.QueueEvent).rev === version);
  for (let i = 0; i < 12; i++) {
    await node.wishes.shuffle(i, BY);
    time.advance(200);
    const { queueVersion } = node.cluster.view(node.now());
    while (!knows(queueVersion)) await once(other.socket, 'data');
  }
  for (let s = 0; s < 15; s += 3) {
    time.advance(3_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  deaf.socket.resume();
  while (!dropped) await new Promise((resolve) => setImmediate(resolve));
  t.ok(dropped);
  const pings = other.of('ping').length;
  time.advance(3_000);
  await other.has('ping', pings + 1);
});

t.test('only so many may watch; when they go there is room again', async (t) => {
  const { watch, time } = await start(t);
  const refused = async (from: string) => {
    const late = watch({ from });
    await once(late.socket, 'data');
    t.match(late.text, /^HTTP\/1\.1 429 [\s\S]*"code":"BUSY"/);
  };
  const watchers = Array.from({ length: STREAMS_OF_ONE_MAX }, () => watch());
  await Promise.all(watchers.map((watcher) => watcher.has('state', 1)));
  await refused('127.0.0.1');
  const others = Array.from({ length: STREAMS_MAX - STREAMS_OF_ONE_MAX }, () => watch({ from: '127.0.0.2' }));
  await Promise.all(others.map((watcher) => watcher.has('state', 1)));
  watchers.push(...others);
  await refused('127.0.0.3');
  for (const { socket } of watchers) socket.destroy();
  for (;;) {
    const next = watch();
    await once(next.socket, 'data');
    if (next.text.includes('200 OK')) break;
    next.socket.destroy();
  }
  t.ok(time.running().includes('events.ping'));
});

t.test('when the node stops, streams end and no timer stays', async (t) => {
  const { http, node, time, watch } = await start(t);
  const watcher = watch();
  await watcher.has('state', 1);
  const ended = once(watcher.socket, 'close');
  await http.stop();
  await ended;
  await http.stop();
  await node.stop();
  t.strictSame(time.running(), []);
});

t.test('a port that is taken is told by its name', async (t) => {
  const { port } = await start(t);
  const second = await startHouse(t, { http: { port } });
  await t.rejects(second.http.start(), { code: 'PORT_IN_USE', detail: new RegExp(`127.0.0.1:${port}.*http.listen`) });
});

t.test('a node knows its URL until its own end, which comes after that of its server', async (t) => {
  const { http } = await start(t);
  const url = http.url();
  t.match(url, /^http:\/\/127\.0\.0\.1:[0-9]+$/);
  await http.stop();
  t.equal(http.url(), url);
});

t.test('an address that is none of this machine is a mistake of the configuration', async (t) => {
  for (const host of ['192.0.2.1', 'no.such.host.invalid']) {
    const { http } = await startHouse(t, { http: { host } });
    await t.rejects(http.start(), { code: 'BAD_CONFIG', detail: /cannot listen on .*http\.listen/ }, host);
  }
  for (const [code, expected] of [
    ['EINVAL', 'BAD_CONFIG'],
    ['EAFNOSUPPORT', 'BAD_CONFIG'],
    ['EMFILE', 'PORT_IN_USE'],
  ] as const) {
    const { http } = await startHouse(t, { http: { host: '::1' } });
    const listen = Server.prototype.listen;
    t.teardown(() => {
      Server.prototype.listen = listen;
    });
    Server.prototype.listen = function (this: Server) {
      process.nextTick(() => this.emit('error', Object.assign(new Error('no'), { code, syscall: 'listen' })));
      return this;
    };
    await t.rejects(http.start(), { code: expected, detail: /\[::1\]/ }, code);
    Server.prototype.listen = listen;
  }
});

t.test('what is no HTTP at all gets a problem, too', async (t) => {
  const { port } = await start(t);
  const socket = connect(port, '127.0.0.1');
  socket.end('\x00\x01 this is not HTTP\r\n\r\n');
  let text = '';
  for await (const piece of socket.setEncoding('utf8')) text += piece;
  t.match(text, /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*problem\+json[\s\S]*"code":"BAD_REQUEST"/);
});
