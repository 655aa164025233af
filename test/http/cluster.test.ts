/** Calls on who is in the house, and what a daemon answers that is in none yet. */
import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import { TuttiError } from '../../src/core/errors.js';
import type { Incarnation, NodeId } from '../../src/core/ids.js';
import * as schema from '../../src/http/schema.js';
import type { MachineTrouble } from '../../src/node/machine-troubles.js';
import { CLUSTER_ID, type HouseInit, NODE_ID, startHouse } from '../support/house.js';

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

async function start(t: Test, init: HouseInit = {}) {
  const house = await startHouse(t, init);
  const call = async (method: Method, path: string, body?: object, headers: Record<string, string> = {}) => {
    const url = path.endsWith('z') ? path : `/api/v1${path}`;
    const response = await house.http.inject({
      method,
      url,
      headers: { host: 'kitchen.local:8080', ...headers },
      ...(body !== undefined && { payload: body }),
    });
    return { status: response.statusCode, headers: response.headers, json: response.json() };
  };
  return { ...house, call };
}

const attic = {
  node: 'e'.repeat(32) as NodeId,
  incarnation: 'e'.repeat(32) as Incarnation,
  address: 'attic:7420',
  name: 'attic',
};

t.test('a daemon that waits says what is wrong with its machine', async (t) => {
  const troubles: MachineTrouble[] = ['BAD_CONFIG', 'PRESS_REFUSED'];
  const { call } = await start(t, { isMember: false, machineTroubles: () => troubles });
  const { json } = await call('GET', '/state');
  t.match(json.alerts, [
    { code: 'BAD_CONFIG', severity: 'warn', nodeId: null },
    { code: 'PRESS_REFUSED', severity: 'info', nodeId: null },
  ]);
  troubles.pop();
  t.match(await call('GET', '/state', undefined, { 'if-none-match': '*' }), {
    status: 200,
    json: { alerts: [{ code: 'BAD_CONFIG' }] },
  });
});

t.test('a daemon that waits says so, and refuses every wish with what to do', async (t) => {
  const { call } = await start(t, { isMember: false });
  const state = (await call('GET', '/state')).json;
  const [error] = Value.Errors(schema.State, state);
  t.equal(error, undefined, `${error?.instancePath} ${error?.message}`);
  t.match(state, {
    node: { id: null, name: 'kitchen' },
    cluster: { id: null, role: 'waiting', quorum: false, leader: null },
    nodes: [],
    transport: { status: 'stopped' },
  });
  t.strictSame((await call('GET', '/members')).json, { members: [] });
  t.equal((await call('GET', '/healthz')).status, 200);
  t.equal((await call('GET', '/readyz')).status, 503);
  t.equal((await call('GET', '/openapi.json')).status, 200);
  for (const [method, path, body] of [
    ['POST', '/transport/play', {}],
    ['PUT', '/volume', { volume: 5 }],
    ['PUT', '/tracks/a.wav', undefined],
    ['DELETE', '/queue', undefined],
    ['DELETE', '/members/attic', undefined],
    ['GET', '/queue', undefined],
    ['GET', '/tracks', undefined],
    ['GET', '/time', undefined],
    ['GET', '/state?consistency=strong', undefined],
  ] as const) {
    const answer = await call(method, path, body);
    t.match(answer, { status: 409, json: { code: 'NOT_A_MEMBER', advice: /tutti init.*tutti join/ } }, path);
  }
});

t.test('init makes a node of it, once', async (t) => {
  const { call } = await start(t, { isMember: false });
  t.match(await call('POST', '/cluster/init', undefined, { origin: 'http://evil.example' }), { status: 403 });
  const answer = await call('POST', '/cluster/init');
  t.strictSame([answer.status, answer.json], [201, { cluster: CLUSTER_ID, node: NODE_ID }]);
  t.match((await call('GET', '/state')).json.cluster, { id: CLUSTER_ID, role: 'leader', quorum: true });
  t.equal((await call('GET', '/readyz')).status, 200);
  t.equal((await call('PUT', '/volume', { volume: 5 })).status, 200);
  t.match(await call('POST', '/cluster/init'), { status: 409, json: { code: 'ALREADY_A_MEMBER' } });
});

t.test('join hands on what it was told, and what it was refused with', async (t) => {
  const { call, ground } = await start(t, { isMember: false });
  ground.failures.push(new TuttiError('KEY_REFUSED', 'the cluster at attic:7420 has another key'));
  const body = { address: 'attic:7420,hall', key: 'ab'.repeat(32), replace: 'cellar' };
  t.match(await call('POST', '/cluster/join', body), { status: 403, json: { code: 'KEY_REFUSED' } });
  t.match(await call('POST', '/cluster/join', body), { status: 201, json: { cluster: CLUSTER_ID } });
  t.strictSame(ground.joins[1], { addresses: ['attic:7420', 'hall'], key: 'ab'.repeat(32), replace: 'cellar' });
  const other = await start(t, { isMember: false });
  t.equal((await other.call('POST', '/cluster/join', { address: 'hall' })).status, 201);
  t.strictSame(other.ground.joins, [{ addresses: ['hall'], key: null, replace: undefined }]);
  t.match(await other.call('POST', '/cluster/join', {}), { status: 400, json: { detail: /address: missing/ } });
});

t.test('joining that is tried in the background shows why it has not worked', async (t) => {
  const { call, house, ground } = await start(t, { isMember: false });
  ground.failures.push(new TuttiError('PEER_UNREACHABLE'));
  house.joinWhenPossible({ addresses: ['attic'], key: null });
  await new Promise((resolve) => setImmediate(resolve));
  t.match((await call('GET', '/state')).json.alerts, [{ code: 'PEER_UNREACHABLE', severity: 'warn' }]);
});

t.test('members: of another node only what is agreed is known, and null stands for the rest', async (t) => {
  const { call, consensus } = await start(t);
  await consensus.changeMembers({ type: 'add', member: attic });
  const { json } = await call('GET', '/members');
  t.ok(Value.Check(schema.Members, json));
  t.match(json.members, [
    { id: NODE_ID, role: 'voter', leader: true, trusted: true, clock: { locked: true }, output: { state: String } },
    { id: attic.node, name: 'attic', role: 'learner', clock: null, disk: null, output: { state: null, volume: 100 } },
  ]);
  t.match((await call('GET', '/state')).json.cluster, { voters: 1, votersOnline: 1, needed: 1 });
});

t.test('a voter whose card is not trusted does not count as online, and every node says which it is', async (t) => {
  const { call, consensus, time } = await start(t);
  await consensus.changeMembers({ type: 'add', member: attic });
  await consensus.changeMembers({ type: 'voters', voters: [NODE_ID, attic.node] });
  t.match((await call('GET', '/state')).json.cluster, { voters: 2, votersOnline: 2 });
  consensus.distrusted.add(attic.node);
  time.advance(500);
  const { cluster, alerts } = (await call('GET', '/state')).json;
  t.match(cluster, { voters: 2, votersOnline: 1 });
  t.match(alerts, [{ code: 'CARD_NOT_TRUSTED', severity: 'error', nodeId: attic.node }]);
});

t.test('connections that were closed are counted where people look', async (t) => {
  const closed = { handshake: 3, broken: 0 };
  const { call } = await start(t, { node: { closedConnections: () => closed } });
  t.strictSame((await call('GET', '/state')).json.node.closed, { handshake: 3 });
});

t.test('a node is removed by its name, and the answer names the slot', async (t) => {
  const { call, consensus } = await start(t);
  t.match(await call('DELETE', '/members/kitchen'), { status: 409, json: { code: 'LAST_MEMBER' } });
  t.match(await call('DELETE', '/members/attic'), { status: 404, json: { code: 'NODE_NOT_FOUND' } });
  const changes: unknown[] = [];
  const change = consensus.changeMembers.bind(consensus);
  consensus.changeMembers = (wanted) => {
    changes.push(wanted);
    return change(wanted);
  };
  await consensus.changeMembers({ type: 'add', member: attic });
  const answer = await call('DELETE', '/members/attic?acceptLoss=true');
  t.match(answer, { status: 200, json: { slot: Number }, headers: { 'tutti-slot': /^[0-9]+$/ } });
  t.strictSame(changes[1], { type: 'remove', node: attic.node, acceptLoss: true });
  t.match(await call('DELETE', '/members/attic?acceptLoss=perhaps'), { status: 400 });
  consensus.changeMembers = () => Promise.reject(new TuttiError('TRACKS_AT_RISK', '2 tracks would be on too few'));
  await change({ type: 'add', member: attic });
  t.match(await call('DELETE', '/members/attic'), {
    status: 409,
    json: { code: 'TRACKS_AT_RISK', detail: '2 tracks would be on too few', advice: /--accept-loss/ },
  });
});

t.test('a strong read asks the others first, and says where it cannot; a plain one never does', async (t) => {
  const { call, consensus } = await start(t);
  let barriers = 0;
  const barrier = consensus.readBarrier.bind(consensus);
  consensus.readBarrier = () => {
    barriers += 1;
    return barrier();
  };
  for (const path of ['/state', '/queue', '/tracks']) {
    t.equal((await call('GET', `${path}?consistency=local`)).status, 200);
    t.equal(barriers, 0);
    t.equal((await call('GET', `${path}?consistency=strong`)).status, 200);
    t.equal(barriers, 1);
    barriers = 0;
  }
  consensus.setQuorum(false);
  t.match(await call('GET', '/state?consistency=strong'), { status: 503, json: { code: 'NO_QUORUM' } });
  t.match(await call('GET', '/state'), { status: 200, json: { alerts: [{ code: 'NO_QUORUM' }] } });
});

t.test('whoever watches a daemon that waits sees it become a node', async (t) => {
  const troubles: MachineTrouble[] = [];
  const { house, http, time } = await start(t, { isMember: false, machineTroubles: () => troubles });
  const url = await http.start();
  const response = await fetch(`${url}/api/v1/events`);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const sees = async (what: RegExp) => {
    while (!what.test(text)) text += (await reader.read()).value ?? '';
    return text;
  };
  t.match(await sees(/event: state/), /"role":"waiting"/);
  time.advance(3_000);
  await sees(/event: ping\ndata: \{"timeNs":"0"/);
  troubles.push('PANEL_UNAVAILABLE');
  time.advance(3_000);
  time.advance(1_000);
  await sees(/"code":"PANEL_UNAVAILABLE"/);
  await house.form();
  time.advance(1_000);
  t.match(await sees(/"role":"leader"/), new RegExp(`"id":"${CLUSTER_ID}"`));
  await reader.cancel();
});

t.test('the view names the daemons nearby that are not of this house, and no more than ten', async (t) => {
  const near = (name: string, cluster: string | null) => ({
    name,
    cluster,
    httpUrl: `http://${name}:8080`,
    address: `${name}:7420`,
    version: '1.2.3',
  });
  const nearby = () => [near('attic', null), near('hall', CLUSTER_ID), near('next-door', 'f'.repeat(32))];
  const member = await start(t, { http: { nearby } });
  t.strictSame((await member.call('GET', '/state')).json.nearby, [nearby()[0], nearby()[2]]);
  const waits = await start(t, { isMember: false, http: { nearby } });
  t.strictSame((await waits.call('GET', '/state')).json.nearby, nearby());
  const many = await start(t, { http: { nearby: () => Array.from({ length: 30 }, (_, i) => near(`n${i}`, null)) } });
  t.equal((await many.call('GET', '/state')).json.nearby.length, 10);
});
