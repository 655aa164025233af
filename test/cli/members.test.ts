/** init, join, invite, members, repair, and the options of run on an empty data directory. */
import t, { type Test } from 'tap';
import { smallHouseText } from '../../src/cli/commands/members.js';
import type { FirstStart, RepairReport } from '../../src/cli/components.js';
import type { Config } from '../../src/config/config.js';
import { FakeNode, KITCHEN, refuse } from './fake-node.js';
import { filesOf, type Settings, tutti } from './harness.js';

const KEY = 'ab'.repeat(32);
const ATTIC = { ...KITCHEN, id: 'e'.repeat(32), name: 'attic', address: '10.0.0.3:7420', leader: false } as const;

async function house(t: Test) {
  const node = new FakeNode();
  await node.start();
  t.teardown(() => node.stop());
  const ask = (line: string, settings: Settings = {}) => tutti([...line.split(' '), '--node', node.url], settings);
  return { node, ask };
}

t.test('init and join say which cluster the node belongs to', async (t) => {
  const { node, ask } = await house(t);
  t.match(await ask('init'), { exitCode: 0, stdout: /^Formed the cluster c{32}\. tutti invite says how/ });
  t.match(await ask(`join 10.0.0.2 --key ${KEY} --replace attic`), { exitCode: 0, stdout: 'Joined the cluster ' });
  await ask('join 10.0.0.2,hall:7421');
  t.strictSame(node.writes, [
    'POST /cluster/init',
    `POST /cluster/join {"address":"10.0.0.2","key":"${KEY}","replace":"attic"}`,
    'POST /cluster/join {"address":"10.0.0.2,hall:7421"}',
  ]);
  node.prank(refuse('ALREADY_A_MEMBER', 'kitchen belongs to the cluster c'));
  t.match(await ask('init'), { exitCode: 1, stdout: '', stderr: /^ALREADY_A_MEMBER: kitchen belongs/ });
});

const near = (name: string, cluster: string | null) => ({
  name,
  cluster,
  httpUrl: `http://${name}:8080`,
  address: `${name}:7420`,
  version: '1.2.3',
});

t.test(
  'find lists who is nearby; join without an address takes the one house that there is, and guesses nothing',
  async (t) => {
    const { node, ask } = await house(t);
    t.match(await ask('find'), { exitCode: 0, stdout: /^No other node is heard of.*tutti join ADDRESS/ });
    t.match(await ask('join'), {
      exitCode: 2,
      stderr: /ADDRESS: found none, and no house is heard of nearby; right is/,
    });
    node.state = { nearby: [near('attic', null), near('hall', 'c'.repeat(32)), near('loft', 'c'.repeat(32))] };
    const { stdout } = await ask('find');
    t.match(stdout, /^attic +waits +attic:7420 +http:\/\/attic:8080 +1\.2\.3$/m);
    t.match(stdout, /^hall +cccccccc +hall:7420/m);
    t.strictSame(JSON.parse((await ask('find --json')).stdout), node.state);
    t.match(await ask(`join --key ${KEY}`), { exitCode: 0, stdout: /^Joined/ });
    t.strictSame(node.writes, [`POST /cluster/join {"address":"hall:7420,loft:7420","key":"${KEY}"}`]);
    node.state = { nearby: [near('hall', 'c'.repeat(32)), near('next-door', 'f'.repeat(32))] };
    t.match(await ask('join'), {
      exitCode: 2,
      stderr: /2 houses nearby: hall of cccccccc \(hall:7420\), next-door of ffffffff \(next-door:7420\)/,
    });
    t.equal(node.writes.length, 1);
  },
);

t.test('invite prints the line for the other node, with the key of this machine', async (t) => {
  const { node, ask } = await house(t);
  const files = filesOf({ '/var/lib/tutti/cluster.key': `${KEY}\n`, '/d/cluster.key': `${'cd'.repeat(32)}\n` });
  const line = `tutti join ${KITCHEN.address} --key ${KEY}`;
  t.match(await ask('invite', { files }), { exitCode: 0, stdout: `${line}\n`, stderr: '' });
  t.match((await ask('invite --data /d', { files })).stdout, / --key (cd){32}\n$/);
  t.strictSame(JSON.parse((await ask('invite --json', { files })).stdout), {
    address: KITCHEN.address,
    key: KEY,
    line,
  });
  t.notOk(
    node.requests.some(({ path, body }) => `${path}${body}`.includes(KEY)),
    'the key does not leave this machine',
  );
  t.match(await ask('invite'), { exitCode: 1, stderr: /NOT_A_MEMBER: there is no cluster key at \/var\/lib/ });
  const broken = await ask('invite', { files: filesOf({ '/var/lib/tutti/cluster.key': KEY.slice(1) }) });
  t.match(broken, { exitCode: 2, stderr: /cluster\.key: found 63 characters; right is .* 64 hexadecimal digits/ });
  t.notMatch(broken.stderr, KEY.slice(5, 20));
  node.state = { nodes: [] };
  t.match(await ask('invite', { files }), { exitCode: 1, stderr: /NOT_A_MEMBER: kitchen belongs to no cluster/ });
});

t.test('members lists the nodes', async (t) => {
  const { node, ask } = await house(t);
  node.state = { nodes: [KITCHEN, { ...ATTIC, role: 'learner', online: false, trusted: false }] };
  const { stdout } = await ask('members');
  t.strictSame(
    stdout.split('\n').map((line) => line.replaceAll(/ +/g, ' ')),
    [
      'NODE ROLE ONLINE CARD ADDRESS VERSION ID',
      `kitchen leader yes trusted 10.0.0.2:7420 0.1.0 ${KITCHEN.id}`,
      `attic learner no not trusted 10.0.0.3:7420 0.1.0 ${ATTIC.id}`,
      '',
    ],
  );
  t.equal(JSON.parse((await ask('members --json')).stdout).members.length, 2);
  node.state = { nodes: [] };
  t.match((await ask('members')).stdout, 'This node belongs to no cluster yet: tutti init');
});

t.test('members remove names the node, and loss is accepted only where that is said', async (t) => {
  const { node, ask } = await house(t);
  t.match(await ask('members remove attic'), { exitCode: 0, stdout: 'Removed: attic\n' });
  await ask('members remove attic --accept-loss');
  t.strictSame(node.writes, ['DELETE /members/attic', 'DELETE /members/attic?acceptLoss=true']);
  node.prank(refuse('TRACKS_AT_RISK', '1 track would be on fewer than 2 of the 2 nodes that vote then: "Blue".'));
  const atRisk = { exitCode: 3, stderr: /TRACKS_AT_RISK: 1 track .*"Blue".*--accept-loss/s };
  t.match(await ask('members remove attic'), atRisk, 'what would be lost, and how to go on all the same');
  t.match(await ask('members remvoe'), {
    exitCode: 2,
    stderr: /found "remvoe"; right is remove, or nothing\. Did you/,
  });
});

t.test('a small house is told what it can and cannot do', async (t) => {
  const { node, ask } = await house(t);
  t.equal(smallHouseText([KITCHEN]), null, 'one node knows');
  t.equal(smallHouseText([KITCHEN, ATTIC, { ...ATTIC, name: 'hall' }]), null, 'three need no words');
  t.match(
    smallHouseText([KITCHEN, { ...ATTIC, role: 'learner' }]),
    /^2 nodes, of which kitchen votes: while kitchen is off/,
  );
  t.match(smallHouseText([KITCHEN, ATTIC]), /kitchen and attic vote: while kitchen and attic are not both on/);
  const learner = { ...ATTIC, role: 'learner' } as const;
  const three = smallHouseText([KITCHEN, learner, { ...learner, name: 'hall', online: false }]);
  t.match(three, /^3 nodes, of which kitchen votes: .*As soon as enough of the others are on/);
  t.notMatch(three, /third machine/, 'it is there');
  node.state = {
    nodes: [
      KITCHEN,
      { ...ATTIC, role: 'learner', output: { ...KITCHEN.output, state: null }, disk: null, clock: null },
    ],
  };
  const { stdout } = await ask('status');
  t.match(stdout, /^House +2 nodes.*A third machine cures it.*output\.driver = "none"/m);
  t.match(stdout, /^attic +learner +yes$/m, 'what only the other node knows is left out');
});

t.test('run is told what to do on an empty data directory', async (t) => {
  const told: FirstStart[] = [];
  const run = (_config: Config, first: FirstStart) => {
    told.push(first);
    return Promise.resolve(0);
  };
  for (const line of ['run', 'run --init', 'run --join kitchen.local', 'run --join kitchen.local,10.0.0.3:7421']) {
    t.equal((await tutti(line.split(' '), { run })).exitCode, 0);
  }
  t.strictSame(told, [
    { init: false, join: [] },
    { init: true, join: [] },
    { init: false, join: ['kitchen.local'] },
    { init: false, join: ['kitchen.local', '10.0.0.3:7421'] },
  ]);
  t.match(await tutti(['run', '--init', '--join', 'a'], { run }), { exitCode: 2, stderr: /found both; right is one/ });
  t.match(await tutti(['run', '--join', 'a,,b'], { run }), { exitCode: 2, stderr: /--join: found "a,,b"/ });
  t.equal(told.length, 4);
});

t.test('repair says what is damaged, and gives it up only where that is accepted', async (t) => {
  const whole: RepairReport = {
    damage: [],
    mended: [],
    unknownSlots: [],
    snapshot: null,
    others: 2,
    lossAccepted: false,
  };
  let report = whole;
  const asked: unknown[] = [];
  const repair = ({ dataDir }: Config, options: { readonly acceptLoss: boolean }) => {
    asked.push([dataDir, options]);
    return Promise.resolve(report);
  };
  const ask = (line: string) => tutti(line.split(' '), { repair });
  t.match(await ask('repair --data /d'), { exitCode: 0, stdout: 'The log is whole.\n' });
  report = { ...whole, mended: ['a copy differed'] };
  t.match(await ask('repair'), { exitCode: 0, stdout: 'a copy differed\nThe log is whole.\n' });
  report = { ...whole, damage: ['a page of the log is torn'], unknownSlots: [5, 6] };
  t.match(await ask('repair'), {
    exitCode: 3,
    stdout: /^a page of the log is torn\nDamaged: slots 5, 6\nStart the node while the others run/,
  });
  report = { ...report, lossAccepted: true };
  t.match(await ask('repair --accept-loss'), { exitCode: 0, stdout: /2 entries given up: what they held is lost/ });
  t.strictSame(JSON.parse((await ask('repair --accept-loss --json')).stdout), report);
  const snapshot = { slot: 9, missing: [3] };
  report = { ...whole, damage: ['the snapshot is damaged'], unknownSlots: [12], snapshot, others: 0 };
  t.match(await ask('repair'), { exitCode: 3, stdout: /Damaged: slots 3, 12\nNo other node .* gives up 2 entries/ });
  report = { ...report, snapshot: { slot: 9, missing: null } };
  t.match(await ask('repair --accept-loss'), {
    exitCode: 3,
    stdout: /the titles .* are lost\. The files of the tracks are not: .*start anew/,
  });
  report = { ...whole, damage: ['an identifier is damaged'], others: 0 };
  t.match(await ask('repair'), { exitCode: 3, stdout: /Nothing is lost: start the node/ });
  t.strictSame(asked.slice(0, 2), [
    ['/d', { acceptLoss: false }],
    ['/var/lib/tutti', { acceptLoss: false }],
  ]);
});
