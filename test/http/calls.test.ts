/** Every call of the HTTP interface, and what bad input gets: without a connection. */
import type { InjectOptions } from 'fastify';
import t, { type Test } from 'tap';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { ERRORS, isErrorCode } from '../../src/core/errors.js';
import * as schema from '../../src/http/schema.js';
import { chunkBytesFor } from '../../src/library/chunks.js';
import { FREE_BYTES_MIN, INTAKES_MAX } from '../../src/tracks/track-store.js';
import { addSong, type HouseInit, NODE_ID, song, startHouse, type TestHouse } from '../support/house.js';

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

/** A house and a way to call it. Every problem that it answers is checked for its form. */
async function start(t: Test, init: HouseInit = {}) {
  const house = await startHouse(t, init);
  const call = async (method: Method, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const url = path.startsWith('/healthz') || path.startsWith('/readyz') ? path : `/api/v1${path}`;
    const isRaw = body instanceof Uint8Array || typeof body === 'string';
    const options: InjectOptions = {
      method,
      url,
      headers: {
        host: 'kitchen.local:8080',
        ...(body !== undefined && !isRaw && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: isRaw ? (Buffer.from(body) as Buffer) : JSON.stringify(body) }),
    };
    const response = await house.http.inject(options);
    const type = String(response.headers['content-type'] ?? '');
    const json = type.includes('json') && method !== 'HEAD' ? response.json() : null;
    if (response.statusCode >= 400 && method !== 'HEAD') {
      t.match(type, /^application\/problem\+json/);
      t.ok(Value.Check(schema.Problem, json), 'a problem has its form');
      t.ok(
        isErrorCode(json.code) && ERRORS[json.code as 'INTERNAL'].status === response.statusCode,
        `${json.code} is of the catalogue`,
      );
    }
    return { status: response.statusCode, headers: response.headers, json, bytes: response.rawPayload };
  };
  return { ...house, call };
}

/** Three songs of 5 s in the library, and in the queue. */
async function withQueue(house: TestHouse & { call: Awaited<ReturnType<typeof start>>['call'] }) {
  const tracks = [];
  for (const seed of [1, 2, 3]) tracks.push((await addSong(house.node, `song ${seed}.wav`, song(5_000, seed))).track);
  const { json } = await house.call('POST', '/queue', { trackIds: tracks.map(({ id }) => id) });
  return { tracks, itemIds: json.itemIds as string[] };
}

t.test('every answer has the form that the contract gives it', async (t) => {
  const house = await start(t);
  const { itemIds, tracks } = await withQueue(house);
  const { call } = house;
  await call('POST', '/transport/play');
  const check = async (path: string, form: TSchema) => {
    const { status, json } = await call('GET', path);
    t.equal(status, 200, path);
    const [error] = Value.Errors(form, json);
    t.equal(error, undefined, `${path} ${error?.instancePath} ${error?.message}`);
    return json;
  };
  const state = await check('/state', schema.State);
  t.match(state, {
    node: { name: 'kitchen', id: NODE_ID, access: 'open' },
    cluster: { role: 'leader', quorum: true, votersOnline: 1 },
  });
  t.match(state.transport, {
    status: 'playing',
    itemId: itemIds[0],
    title: 'song 1',
    positionMs: 0,
    durationMs: 5_000,
  });
  t.ok(BigInt(state.transport.startAtNs) > BigInt(state.transport.atNs), 'the lead still runs');
  t.equal(state.queue.length, 3);
  t.match(state.queue[0], { ready: true, addedBy: { node: NODE_ID, via: 'api' } });
  await check('/queue', schema.Queue);
  await check('/tracks', schema.TrackList);
  const track = await check(`/tracks/${tracks[0]!.id}`, schema.Track);
  t.match(track, {
    title: 'song 1',
    durationMs: 5_000,
    bits: 16,
    channels: 1,
    addedAt: '2024-01-01T00:00:00.000Z',
    holders: [NODE_ID],
    lost: false,
  });
  t.strictSame(await check('/tracks/song%201.wav', schema.Track), track, 'by title as well');
  await check('/time', schema.ClusterClock);
  await check('/members', schema.Members);
  await check('/healthz', schema.Health);
  await check('/readyz', schema.Health);
});

t.test('an upload answers with the track, its slot and its place', async (t) => {
  const { call } = await start(t);
  const answer = await call('PUT', `/tracks/${encodeURIComponent('Zoë: "Lied" #1.wav')}`, song(200), {
    'tutti-upload': 'my-upload',
  });
  t.equal(answer.status, 201);
  t.ok(Value.Check(schema.Track, answer.json));
  t.match(answer.json, { title: 'Zoë: "Lied" #1', fileName: 'Zoë: "Lied" #1.wav' });
  t.match(answer.headers, { 'tutti-slot': /^[0-9]+$/, location: `/api/v1/tracks/${answer.json.id}` });
  t.match((await call('GET', '/state')).json.uploads, [
    { id: 'my-upload', stage: 'done', progress: { [NODE_ID]: 19_244 }, needed: 1 },
  ]);
  const again = await call('PUT', '/tracks/other.wav', song(200));
  t.match(again, {
    status: 409,
    json: {
      code: 'TRACK_EXISTS',
      title: ERRORS.TRACK_EXISTS.title,
      trackTitle: 'Zoë: "Lied" #1',
      trackId: answer.json.id,
      detail: /Zoë/,
    },
    headers: { 'tutti-slot': answer.headers['tutti-slot'] },
  });
});

t.test('uploads that cannot be taken are refused with their reason', async (t) => {
  const { call, disk } = await start(t);
  const expected: [string, Uint8Array, Record<string, string>, string][] = [
    ['/tracks/a.mp3', Buffer.from('ID3\x04 and so on, for quite a while longer'), {}, 'UNSUPPORTED_AUDIO'],
    ['/tracks/empty.wav', new Uint8Array(), {}, 'UNSUPPORTED_AUDIO'],
    ['/tracks/cut.wav', song(200).subarray(0, 1_000), {}, 'INCOMPLETE_AUDIO'],
    ['/tracks/a%0Ab.wav', song(200), {}, 'BAD_NAME'],
    ['/tracks/a%00.wav', song(200), {}, 'BAD_NAME'],
    [`/tracks/${'x'.repeat(300)}.wav`, song(200), {}, 'BAD_NAME'],
    ['/tracks/%ff%fe.wav', song(200), {}, 'BAD_NAME'],
    ['/tracks/a.wav', song(200), { 'tutti-upload': 'no spaces' }, 'BAD_REQUEST'],
    ['/tracks/a.wav', song(200), { 'tutti-via': 'button' }, 'BAD_REQUEST'],
  ];
  for (const [path, body, headers, code] of expected) {
    t.match((await call('PUT', path, body, headers)).json, { code }, path.slice(0, 30));
  }
  t.match((await call('GET', '/tracks')).json, { tracks: [] });
  disk.setFreeBytes(FREE_BYTES_MIN);
  t.match(await call('PUT', '/tracks/a.wav', song(200)), { status: 507, json: { code: 'DISK_FULL' } });
  t.strictSame(disk.list('tmp'), []);
});

t.test('a path in a name is a label', async (t) => {
  const { call, disk } = await start(t);
  t.match((await call('PUT', '/tracks/..%2F..%2Fpasswd.wav', song(100))).json, { title: '../../passwd' });
  t.match(await call('PUT', '/tracks/../x.wav', song(100)), { status: 404, json: { code: 'NOT_FOUND' } });
  t.strictSame(
    disk.list('').map(({ name }) => name),
    ['tmp', 'tracks'],
  );
});

t.test('too many uploads at once are told to come later', async (t) => {
  const { call, store } = await start(t);
  for (let i = 0; i < INTAKES_MAX; i++) store.begin(null);
  t.match(await call('PUT', '/tracks/a.wav', song(100)), { status: 429, json: { code: 'BUSY' } });
});

t.test('a file comes back whole or in ranges, and is known by its hash', async (t) => {
  const { call, node, disk } = await start(t);
  const file = song(4_000);
  const { track } = await addSong(node, 'Zoë.wav', file);
  const path = `/tracks/${track.id}/audio`;
  const whole = await call('GET', path);
  t.equal(whole.status, 200);
  t.ok(whole.bytes.equals(file));
  t.match(whole.headers, {
    'content-type': 'audio/wav',
    'accept-ranges': 'bytes',
    'content-length': String(file.length),
    'content-disposition': "attachment; filename*=UTF-8''Zo%C3%AB.wav",
    etag: `"${track.id}"`,
  });
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 0],
    ['bytes=1000-300000', 1_000, 300_000],
    ['bytes=384000-', 384_000, file.length - 1],
    ['bytes=-44', file.length - 44, file.length - 1],
    ['bytes=100-99999999', 100, file.length - 1],
  ] as const) {
    const part = await call('GET', path, undefined, { range });
    t.equal(part.status, 206, range);
    t.equal(part.headers['content-range'], `bytes ${start}-${end}/${file.length}`);
    t.ok(part.bytes.equals(file.subarray(start, end + 1)));
  }
  const beyond = await call('GET', path, undefined, { range: `bytes=${file.length}-` });
  t.match(beyond, { status: 416, json: { code: 'BAD_RANGE' }, headers: { 'content-range': `bytes */${file.length}` } });
  t.equal((await call('GET', path, undefined, { 'if-none-match': `"${track.id}"` })).status, 304);
  t.equal((await call('GET', path, undefined, { range: 'bytes=0-9', 'if-range': '"other"' })).status, 200);
  t.match(await call('HEAD', path), { status: 200, headers: { 'content-length': String(file.length) } });
  const peaks = await call('GET', `/tracks/${track.id}/peaks`);
  t.equal(peaks.bytes.length, 2_048);
  t.equal(
    (await call('GET', `/tracks/${track.id}/peaks`, undefined, { 'if-none-match': `"${track.id}"` })).status,
    304,
  );
  for (const known of ['*', `"other", W/"${track.id}"`]) {
    t.equal((await call('GET', path, undefined, { 'if-none-match': known })).status, 304, known);
  }
  disk.remove(`tracks/${track.id}.wav`);
  t.match(await call('GET', path), { status: 500, json: { code: 'TRACK_DAMAGED', trackId: track.id } });
  while (node.holds(track.id)) await new Promise((resolve) => setImmediate(resolve));
  t.match(await call('GET', path), { status: 503, json: { code: 'TRACK_MISSING' } });
  t.match(await call('GET', `/tracks/${track.id}/peaks`), { status: 503, json: { code: 'TRACK_MISSING' } });
});

t.test('a download hands out no byte that is not what it was, and the damage is seen to', async (t) => {
  const { call, node, http, disk } = await start(t);
  const file = song(8_000);
  const { track } = await addSong(node, 'a.wav', file);
  const path = `/tracks/${track.id}/audio`;
  const second = chunkBytesFor(file.length);
  const wav = disk.open(`tracks/${track.id}.wav`, 'write');
  wav.write(new Uint8Array([1, 2, 3]), second + 100);
  const right = await call('GET', path, undefined, { range: `bytes=0-${second - 1}` });
  t.ok(right.bytes.equals(file.subarray(0, second)), 'a range that is right is handed out');
  t.ok(node.holds(track.id));
  const response = await fetch(`${await http.start()}/api/v1${path}`);
  t.equal(response.status, 200, 'the first chunk is right');
  await t.rejects(response.arrayBuffer(), 'the second is not: the connection is cut');
  while (node.holds(track.id)) await new Promise((resolve) => setImmediate(resolve));
  t.match(await call('GET', path), { status: 503, json: { code: 'TRACK_MISSING' } });
});

t.test('an outline that was lost is drawn again', async (t) => {
  const { call, node, disk } = await start(t);
  const { track } = await addSong(node, 'a.wav', song(4_000));
  const path = `/tracks/${track.id}/peaks`;
  const before = await call('GET', path);
  disk.remove(`tracks/${track.id}.peaks`);
  const after = await call('GET', path);
  t.equal(after.status, 200);
  t.ok(after.bytes.equals(before.bytes));
  t.ok(disk.exists(`tracks/${track.id}.peaks`));
});

t.test('tracks are renamed and removed', async (t) => {
  const { call, node } = await start(t);
  const { track } = await addSong(node, 'a.wav', song(100));
  const renamed = await call('PATCH', `/tracks/${track.id}`, { title: 'B.wav' });
  t.match(renamed, { status: 200, json: { id: track.id, title: 'B' }, headers: { 'tutti-slot': /./ } });
  t.match(await call('PATCH', `/tracks/${track.id}`, { title: '\n' }), {
    status: 400,
    json: { code: 'BAD_NAME', slot: Number },
    headers: { 'tutti-slot': /./ },
  });
  t.match(await call('PATCH', `/tracks/${track.id}`, '{"title":"a\\ud800"}'), {
    status: 400,
    json: { code: 'BAD_NAME', detail: /not valid Unicode/ },
  });
  t.match(await call('DELETE', '/tracks/b'), { status: 200, json: { slot: Number } });
  t.match(await call('DELETE', '/tracks/b'), { status: 404, json: { code: 'TRACK_NOT_FOUND' } });
  t.match(await call('GET', `/tracks/${track.id}/audio`), { status: 404, json: { code: 'TRACK_NOT_FOUND' } });
});

t.test('the queue: add, move, shuffle, remove, clear', async (t) => {
  const house = await start(t);
  const { call } = house;
  const { itemIds, tracks } = await withQueue(house);
  const order = async () => ((await call('GET', '/queue')).json as schema.Queue).items.map(({ itemId }) => itemId);
  const [a, b, c] = itemIds as [string, string, string];
  const added = await call('POST', '/queue', { trackId: 'song 2', beforeItemId: a });
  t.match(added, { status: 201, json: { slot: Number, itemIds: [String] }, headers: { 'tutti-slot': /./ } });
  const d = added.json.itemIds[0] as string;
  t.strictSame(await order(), [d, a, b, c]);
  t.match(await call('POST', `/queue/${c}/move`, { beforeItemId: a }), { status: 200, json: { slot: Number } });
  t.strictSame(await order(), [d, c, a, b]);
  await call('POST', `/queue/${d}/move`, { beforeItemId: null });
  t.strictSame(await order(), [c, a, b, d]);
  await call('DELETE', `/queue/${a}`);
  t.strictSame(await order(), [c, b, d]);
  t.match(await call('DELETE', `/queue/${a}`), { status: 404, json: { code: 'ITEM_NOT_FOUND', slot: Number } });
  t.match(await call('POST', '/queue/shuffle', { seed: 7 }), { status: 200 });
  t.strictSame((await order()).sort(), [b, c, d].sort());
  t.equal((await call('POST', '/queue/shuffle')).status, 200, 'without a body');
  t.equal((await call('DELETE', '/queue')).status, 200);
  t.strictSame(await order(), []);
  t.match(await call('POST', '/queue', { trackIds: [tracks[0]!.id, 'nothing of the kind'] }), {
    status: 404,
    json: { code: 'TRACK_NOT_FOUND' },
  });
  t.strictSame(await order(), [], 'nothing half done');
});

t.test('the transport: each verb answers with what is agreed then', async (t) => {
  const house = await start(t);
  const { call, time } = house;
  t.match(await call('POST', '/transport/play'), {
    status: 409,
    json: { code: 'QUEUE_EMPTY', slot: Number },
    headers: { 'tutti-slot': /./ },
  });
  const { itemIds } = await withQueue(house);
  const [a, b, c] = itemIds;
  time.advance(1);
  t.match((await call('POST', '/transport/play', undefined, { 'tutti-via': 'web' })).json, {
    status: 'playing',
    itemId: a,
    changedBy: { node: NODE_ID, via: 'web' },
  });
  time.advance(1_100);
  t.match((await call('POST', '/transport/pause', { expectItem: a })).json, {
    status: 'paused',
    itemId: a,
    positionMs: 1_100,
  });
  t.match((await call('POST', '/transport/toggle')).json, { status: 'playing', itemId: a });
  t.match((await call('POST', '/transport/seek', { positionMs: 4_000 })).json, { positionMs: 4_000, itemId: a });
  t.match((await call('POST', '/transport/skip', { expectItem: a })).json, { itemId: b });
  t.match(await call('POST', '/transport/skip', { expectItem: a }), { status: 409, json: { code: 'ITEM_CHANGED' } });
  t.match((await call('POST', '/transport/previous')).json, { itemId: String, title: 'song 1' });
  t.match((await call('POST', '/transport/play', { itemId: c })).json, { itemId: c });
  t.match((await call('POST', '/transport/mode', { repeat: 'one' })).json, { status: 'playing' });
  t.equal((await call('GET', '/state')).json.repeat, 'one');
  t.match((await call('POST', '/transport/play', { trackId: 'song 2.wav' })).json, { title: 'song 2' });
  t.match(await call('POST', '/transport/seek', { positionMs: 5_001 }), {
    status: 422,
    json: { code: 'BAD_POSITION' },
  });
  t.match((await call('POST', '/transport/stop')).json, {
    status: 'stopped',
    itemId: null,
    title: null,
    positionMs: 0,
  });
  t.match((await call('POST', '/transport/skip')).json, { code: 'NOTHING_PLAYING', slot: Number });
});

t.test('volume of the house and of a room, and how a room sounds', async (t) => {
  const { call } = await start(t);
  t.match(await call('PUT', '/volume', { volume: 40 }), { status: 200, json: { slot: Number } });
  t.equal((await call('PUT', '/volume', { delta: -15, node: 'kitchen' })).status, 200);
  t.equal((await call('PUT', '/volume', { muted: true })).status, 200);
  t.equal((await call('PUT', '/members/kitchen/output', { latencyUs: 1_500, channels: 'mono' })).status, 200);
  const { json } = await call('GET', '/state');
  t.match(json, {
    volume: 40,
    muted: true,
    nodes: [{ output: { volume: 85, muted: false, latencyUs: 1_500, channels: 'mono' } }],
  });
  t.match(await call('PUT', '/volume', { volume: 40, node: 'attic' }), {
    status: 404,
    json: { code: 'NODE_NOT_FOUND' },
  });
  t.match(await call('PUT', '/members/attic/output', { channels: 'mono' }), {
    status: 404,
    json: { code: 'NODE_NOT_FOUND' },
  });
});

t.test('bodies that are wrong are refused, each field by name, with what would be right', async (t) => {
  const { call, node } = await start(t);
  const slot = node.cluster.appliedSlot;
  const expected: [Method, string, unknown, RegExp][] = [
    ['PUT', '/volume', { volume: 101 }, /volume: found 101; right is a whole number from 0 to 100/],
    [
      'PUT',
      '/volume',
      { volume: 1.5, mute: true },
      /mute: there is no such field; right is the fields volume, .*; volume: found 1.5/,
    ],
    ['PUT', '/volume', {}, /volume, delta or muted/],
    ['PUT', '/volume', { volume: 1, delta: 1 }, /not both/],
    ['PUT', '/volume', [], /the body: found a list; right is a JSON object/],
    ['PUT', '/volume', '"loud"', /the body: found "loud"/],
    ['PUT', '/volume', '{"volume":', /the body is not JSON/],
    ['PUT', '/volume', '{"__proto__":{"volume":5}}', /__proto__: there is no such field/],
    ['POST', '/transport/seek', {}, /positionMs: missing; right is a whole number from 0/],
    ['POST', '/transport/seek', { positionMs: -1 }, /positionMs: found -1/],
    ['POST', '/transport/mode', { repeat: 'twice' }, /repeat: found "twice"; right is "off" or "all" or "one"/],
    ['POST', '/transport/play', { expectItem: '' }, /expectItem: found ""; right is a text of 1 to 32/],
    ['POST', '/transport/play', { trackId: 5 }, /trackId: found 5/],
    ['POST', '/queue', {}, /exactly one/],
    ['POST', '/queue', { trackIds: [] }, /trackIds: found a list; right is a list of 1 to 5000/],
    ['POST', '/queue', { trackIds: ['a'], trackId: 'a' }, /exactly one/],
    ['POST', '/queue/i1/move', {}, /beforeItemId: missing; right is a text .* or null/],
    ['POST', '/queue/shuffle', { seed: 2 ** 32 }, /seed: found/],
    ['PATCH', '/tracks/a', { title: 5 }, /title: found 5; right is a text of 1 to 1000/],
    ['PUT', '/members/kitchen/output', {}, /latencyUs, channels, or both/],
    ['PUT', '/members/kitchen/output', { channels: 'rear' }, /channels: found "rear"; right is "stereo" or "left"/],
    ['DELETE', '/queue', { all: true }, /takes no body/],
    // Nested so deep that whoever walks it overflows.
    ['PUT', '/volume', '['.repeat(200_000) + ']'.repeat(200_000), /the body: found a list/],
    ['PUT', '/volume', `{"volume":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /volume: found a list/],
    ['PUT', '/volume', `${'{"volume":'.repeat(90_000)}1${'}'.repeat(90_000)}`, /volume: found an object/],
    ['PUT', '/volume', { volume: 'x'.repeat(1_000) }, /volume: found "x{60}"…; right/],
    ['PUT', '/members/kitchen/output', { latencyUs: 5_000_001 }, /right is a whole number from -1000000 to 5000000/],
    ['PUT', '/volume?volume=5', { volume: 6 }, /this call takes no query; found "volume"/],
    ['GET', '/time?a=1&b', undefined, /this call takes no query; found "a", "b"/],
    ['GET', '/state?a=1', undefined, /a: there is no such field; right is the fields consistency/],
    ['GET', '/queue?consistency=weak', undefined, /consistency: found "weak"; right is "local" or "strong"/],
    ['GET', '/openapi.json?x', undefined, /this call takes no query; found "x"/],
    ['PUT', '/tracks/a.wav?title=b', 'RIFF', /this call takes no query; found "title"/],
  ];
  for (const [method, path, body, detail] of expected) {
    const { status, json } = await call(method, path, body);
    t.equal(status, 400, `${method} ${path} ${JSON.stringify(body)}`);
    t.match(json, { code: 'BAD_REQUEST', detail });
  }
  t.equal(node.cluster.appliedSlot, slot, 'none of them came into the log');
  const long = await call('PUT', '/volume', ' '.repeat(2 ** 20 + 1));
  t.match(long, { status: 413, json: { code: 'BODY_TOO_LARGE' } });
});

t.test('bodies are read as JSON whatever they say of themselves, and an empty one is none', async (t) => {
  const { call } = await start(t);
  t.equal(
    (await call('PUT', '/volume', '{"volume":5}', { 'content-type': 'application/x-www-form-urlencoded' })).status,
    200,
  );
  t.equal((await call('PUT', '/volume', '{"volume":6}')).status, 200);
  t.equal((await call('POST', '/queue/shuffle', '', { 'content-type': 'application/json' })).status, 200);
  t.equal((await call('GET', '/state')).json.volume, 6);
});

t.test('calls that there are not', async (t) => {
  const { call } = await start(t);
  for (const [method, path] of [
    ['GET', '/nothing'],
    ['PUT', '/queue/a/b'],
    ['GET', '/tracks/a/b/c'],
    ['OPTIONS', '/'],
  ] as const) {
    t.match(await call(method, path), {
      status: 404,
      json: { code: 'NOT_FOUND', detail: `there is no call ${method} /api/v1${path}` },
    });
  }
  for (const [method, path, allow] of [
    ['PUT', '/queue', 'DELETE, GET, HEAD, POST'],
    ['DELETE', '/state?x=1', 'GET, HEAD'],
    ['OPTIONS', '/volume', 'PUT'],
    ['HEAD', '/events', 'GET'],
    ['POST', '/tracks/a', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['GET', '/transport/play', 'POST'],
    ['PUT', '/healthz', 'GET, HEAD'],
  ] as const) {
    const answer = await call(method, path);
    t.match(answer, { status: 405, headers: { allow } }, `${method} ${path}`);
    if (method !== 'HEAD') t.match(answer.json, { code: 'METHOD_NOT_ALLOWED', detail: `right is ${allow}` });
  }
  for (const body of ['', '{', '[]']) {
    const said = { 'content-type': 'application/json' };
    const what = `with ${JSON.stringify(body)}, which nobody reads`;
    t.match(await call('POST', '/nothing', body, said), { status: 404, json: { code: 'NOT_FOUND' } }, what);
    t.match(await call('POST', '/openapi.json', body, said), { status: 405, headers: { allow: 'GET, HEAD' } }, what);
  }
  t.match(await call('GET', '/tracks/%ff'), { status: 400, json: { code: 'BAD_NAME' } });
  t.match(await call('GET', `/tracks/${'x'.repeat(10_000)}`), {
    status: 400,
    json: { code: 'BAD_NAME', detail: /too long/ },
  });
  t.match(await call('GET', '/%ff'), { status: 400, json: { code: 'BAD_REQUEST' } });
});

t.test('a view that is known is not sent again', async (t) => {
  const { call, node, time } = await start(t);
  const state = await call('GET', '/state');
  const tracks = await call('GET', '/tracks');
  const known = (etag: unknown) => ({ 'if-none-match': String(etag) });
  time.advance(10);
  t.equal((await call('GET', '/state', undefined, known(state.headers.etag))).status, 304);
  t.equal((await call('GET', '/tracks', undefined, known(tracks.headers.etag))).status, 304);
  await addSong(node, 'a.wav', song(100));
  t.equal((await call('GET', '/state', undefined, known(state.headers.etag))).status, 200);
  t.equal((await call('GET', '/tracks', undefined, known(tracks.headers.etag))).status, 200);
});

t.test('a repeat with its key is done once, and says the slot of the first', async (t) => {
  const house = await start(t);
  const { call, node, time } = house;
  await addSong(node, 'a.wav', song(1_000));
  const headers = { 'idempotency-key': 'press-1', 'tutti-first-sent': '1000000000' };
  const first = await call('POST', '/queue', { trackId: 'a' }, headers);
  const again = await call('POST', '/queue', { trackId: 'a' }, headers);
  t.strictSame(again.json, first.json);
  t.equal(again.headers['tutti-slot'], first.headers['tutti-slot']);
  t.equal((await call('GET', '/queue')).json.queueLength, 1);
  time.advance(601_000);
  t.match(await call('POST', '/queue', { trackId: 'a' }, headers), {
    status: 409,
    json: { code: 'RETRY_EXPIRED' },
    headers: { 'tutti-slot': /./ },
  });
  for (const firstSent of ['9999999999999999999', '9223372036854775808', 'now']) {
    const { json } = await call('POST', '/queue', { trackId: 'a' }, { 'tutti-first-sent': firstSent });
    t.match(json, { code: 'BAD_REQUEST', detail: /^the header Tutti-First-Sent: / }, firstSent);
  }
  for (const bad of [
    { 'idempotency-key': '' },
    { 'idempotency-key': 'x'.repeat(256) },
    { 'idempotency-key': 'ä' },
    { 'tutti-first-sent': 'now' },
    { 'tutti-via': 'fax' },
  ] as Record<string, string>[]) {
    t.match(
      await call('POST', '/queue', { trackId: 'a' }, bad),
      { status: 400, json: { code: 'BAD_REQUEST' } },
      JSON.stringify(bad).slice(0, 40),
    );
  }
});

t.test("only this node's own page may change things, and a token is asked for where one is wanted", async (t) => {
  const { call } = await start(t, { http: { token: 'secret' } });
  const bearer = { authorization: 'Bearer secret' };
  const put = (headers: Record<string, string>) => call('PUT', '/volume', { volume: 5 }, headers);
  t.equal((await put(bearer)).status, 200);
  t.equal((await put({ ...bearer, origin: 'http://kitchen.local:8080' })).status, 200);
  t.match(await put({ ...bearer, origin: 'http://evil.example' }), { status: 403, json: { code: 'FORBIDDEN_ORIGIN' } });
  t.match(await put({ ...bearer, host: 'evil.example' }), { status: 403, json: { code: 'FORBIDDEN_ORIGIN' } });
  t.equal((await put({ authorization: 'bearer  secret' })).status, 200, 'the name of the scheme in any case');
  t.match(await put({ authorization: 'Bearer SECRET' }), { status: 401 });
  t.match(await put({}), { status: 401, json: { code: 'UNAUTHORIZED' } });
  t.match(await put({ authorization: 'Bearer wrong' }), { status: 401, json: { code: 'UNAUTHORIZED' } });
  t.match(await call('PUT', '/tracks/a.wav', song(100)), { status: 401 });
  const state = await call('GET', '/state', undefined, { host: 'evil.example' });
  t.match(state, { status: 200, json: { volume: 5, node: { access: 'token' } } }, 'reading is free');
});

t.test('without a quorum, reads go on and writes are refused', async (t) => {
  const { call, consensus } = await start(t);
  await consensus.stop();
  t.match(await call('PUT', '/volume', { volume: 5 }), { status: 503, json: { code: 'NO_QUORUM' } });
  t.match((await call('GET', '/state')).json.cluster, { quorum: false, leader: null });
  t.equal((await call('GET', '/healthz')).status, 200);
  const { http } = await start(t);
  t.equal((await http.inject('/readyz')).statusCode, 200);
});

t.test('a node that cannot agree is not ready', async (t) => {
  const { http, consensus } = await start(t);
  await consensus.stop();
  const response = await http.inject('/readyz');
  t.equal(response.statusCode, 503);
  t.strictSame(response.json(), { status: 'not ready', code: 'NO_QUORUM' });
});

t.test('a mistake of ours is told in the log, and not to the caller', async (t) => {
  const { call, node, log } = await start(t);
  Object.defineProperty(node, 'logStatus', {
    configurable: true,
    value: () => {
      throw new Error('a secret of the inside');
    },
  });
  const { status, json } = await call('GET', '/members');
  t.equal(status, 500);
  t.equal(json.code, 'INTERNAL');
  t.notMatch(JSON.stringify(json), /secret/);
  t.ok(log.entries.some(({ level }) => level === 'error'));
  Reflect.deleteProperty(node, 'logStatus');
});

t.test('the OpenAPI page names every call, with its bodies and answers', async (t) => {
  const { call } = await start(t);
  const { json } = await call('GET', '/openapi.json');
  t.equal(json.openapi, '3.1.0');
  t.strictSame(Object.keys(json.paths).sort(), [
    '/api/v1/cluster/init',
    '/api/v1/cluster/join',
    '/api/v1/events',
    '/api/v1/members',
    '/api/v1/members/{node}',
    '/api/v1/members/{node}/output',
    '/api/v1/openapi.json',
    '/api/v1/queue',
    '/api/v1/queue/shuffle',
    '/api/v1/queue/{itemId}',
    '/api/v1/queue/{itemId}/move',
    '/api/v1/state',
    '/api/v1/sync',
    '/api/v1/time',
    '/api/v1/tracks',
    '/api/v1/tracks/{track}',
    '/api/v1/tracks/{track}/audio',
    '/api/v1/tracks/{track}/peaks',
    ...['mode', 'pause', 'play', 'previous', 'seek', 'skip', 'stop', 'toggle'].map(
      (verb) => `/api/v1/transport/${verb}`,
    ),
    '/api/v1/volume',
    '/healthz',
    '/metrics',
    '/readyz',
  ]);
  const seek = json.paths['/api/v1/transport/seek'].post;
  t.match(seek.requestBody.content['application/json'].schema, { required: ['positionMs'] });
  t.match(seek.responses, { 200: Object, 409: { description: /ITEM_CHANGED/ }, 422: { description: 'BAD_POSITION' } });
});
