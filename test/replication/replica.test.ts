/** Replicas agree, through the loss of leaders, power and connections. */
import t from 'tap';
import type { NodeId } from '../../src/core/ids.js';
import { slot } from '../../src/core/ids.js';
import { RESERVE_NS } from '../../src/replication/leadership.js';
import { bytes, id, TestCluster, type TestNode, turn } from './cluster.js';

t.test('a node that is alone leads when start returns, and applies what it proposes', async (t) => {
  const cluster = new TestCluster('a');
  const [a] = cluster.nodes;
  await a!.format(cluster.configuration());
  await cluster.settle(a!.start());
  t.equal(a!.replica.status().role, 'leader');
  const slot = await cluster.settle(a!.replica.propose(bytes('hello')));
  t.strictSame(a!.recorder.texts, ['hello']);
  t.equal(a!.replica.status().appliedSlot, slot);
  await a!.replica.stop();
  t.strictSame(cluster.time.running(), []);
});

t.test('three nodes agree, whoever is asked', async (t) => {
  const cluster = await new TestCluster('abc').start();
  await cluster.awaitLeader();
  const proposals = cluster.nodes.flatMap((node, n) =>
    ['x', 'y', 'z'].map((text) => node.replica.propose(bytes(`${text}${n}`))),
  );
  await cluster.settle(Promise.all(proposals));
  const [a, b, c] = cluster.nodes;
  await cluster.until(
    () =>
      b!.recorder.lines.length === a!.recorder.lines.length && c!.recorder.lines.length === a!.recorder.lines.length,
    'all applied all',
  );
  t.strictSame(b!.recorder.lines, a!.recorder.lines);
  t.strictSame(c!.recorder.lines, a!.recorder.lines);
  t.equal(a!.recorder.texts.length, 9);
  await cluster.stop();
});

t.test('the leader is killed, and the others go on', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  await cluster.settle(leader.replica.propose(bytes('before')));
  await leader.kill();
  const others = cluster.nodes.filter((node) => node !== leader);
  await cluster.settle(others[0]!.replica.propose(bytes('after')));
  t.strictSame(others[0]!.recorder.texts, ['before', 'after']);
  await cluster.until(() => others[1]!.recorder.texts.length === 2, 'the other has it');
  await cluster.settle(leader.start());
  await cluster.until(() => leader.recorder.texts.length === 2, 'and who comes back');
  await cluster.stop();
});

t.test('a proposal that its leader takes down with it is asked for again, and counts once', async (t) => {
  let timesTwice = 0;
  // The leader is lost after every millisecond of the proposal's way to the disks and back; whoever asked leads next, or does not.
  for (const which of [0, 1]) {
    for (let diesAfterMs = 0; diesAfterMs <= 8; diesAfterMs++) {
      const cluster = await new TestCluster('abc').start();
      const leader = await cluster.awaitLeader();
      await cluster.pass(500);
      const others = cluster.nodes.filter((node) => node !== leader);
      const proposal = others[which]!.replica.propose(bytes('once'));
      for (let passed = 0; passed < diesAfterMs; passed++) {
        await turn();
        cluster.time.advance(1);
      }
      await leader.kill();
      const slot = await cluster.settle(proposal);
      // If it came twice, that is in the log by then.
      await cluster.settle(others[1 - which]!.replica.propose(bytes('after')));
      await cluster.until(() => others.every(({ recorder }) => recorder.texts.length >= 2), 'both have both');
      for (const { recorder } of others) {
        t.strictSame(recorder.texts, ['once', 'after'], `the leader was lost after ${diesAfterMs} ms`);
        t.ok(recorder.lines.includes(`${slot}:once`), 'the answer names the slot that counts');
      }
      if (others[0]!.recorder.passed.length > 0) timesTwice++;
      await cluster.stop();
    }
  }
  t.ok(timesTwice > 0, 'of all these, some stood in the log twice');
});

t.test(
  'everything is restarted at once, and all that was acknowledged is there; cluster time leaps, under a new epoch',
  async (t) => {
    const cluster = await new TestCluster('abc').start();
    const leader = await cluster.awaitLeader();
    for (const text of ['a', 'b', 'c']) await cluster.settle(leader.replica.propose(bytes(text)));
    const before = leader.replica.now();
    for (const node of cluster.nodes) await node.kill();
    await cluster.settle(Promise.all(cluster.nodes.map((node) => node.start())));
    const next = await cluster.awaitLeader();
    await cluster.settle(next.replica.propose(bytes('d')));
    t.strictSame(next.recorder.texts, ['a', 'b', 'c', 'd']);
    t.equal(next.recorder.epoch(), 2);
    t.ok(next.replica.now() > before + RESERVE_NS - 10_000_000_000n, 'it goes on from what was reserved');
    await cluster.stop();
  },
);

t.test('a house whose leader changes goes on in its time', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  await cluster.pass(1_000);
  const others = cluster.nodes.filter((node) => node !== leader);
  const before = others.map(({ replica }) => replica.now());
  await leader.kill();
  const next = await cluster.awaitLeader();
  const passed = next.replica.now() - before[others.indexOf(next)]!;
  t.equal(next.recorder.epoch(), 1);
  t.ok(passed > 0n && passed < 3_000_000_000n, `${passed} ns`);
  await cluster.stop();
});

t.test('a log that is full is taken into snapshots, and a node that was away gets one', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  const away = cluster.nodes.find((node) => node !== leader)!;
  await away.kill();
  const texts = Array.from({ length: 150 }, (_, n) => `entry ${n}`);
  for (const text of texts) await cluster.settle(leader.replica.propose(bytes(text)));
  t.ok(leader.disk.list('consensus/snapshots').length > 0, 'a snapshot was taken');
  await cluster.settle(away.start());
  await cluster.until(() => away.recorder.texts.length === 150, 'it has all of it');
  t.strictSame(away.recorder.texts, texts);
  await cluster.settle(away.replica.propose(bytes('more')));
  for (const node of cluster.nodes) await node.kill();
  await cluster.settle(Promise.all(cluster.nodes.map((node) => node.start())));
  await cluster.until(() => cluster.nodes.every(({ recorder }) => recorder.texts.length === 151), 'all have all again');
  await cluster.stop();
});

t.test('a read barrier gives a slot at or above all that was answered before', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  const slot = await cluster.settle(leader.replica.propose(bytes('a')));
  for (const node of cluster.nodes) {
    const read = await cluster.settle(node.replica.readBarrier());
    t.ok(read >= slot);
    t.ok(node.replica.status().appliedSlot >= read);
  }
  const [first, second] = cluster.nodes.filter((node) => node !== leader);
  await first!.kill();
  await second!.kill();
  await t.rejects(cluster.settle(leader.replica.readBarrier()), { code: 'NO_QUORUM' });
  await cluster.stop();
});

t.test('nodes come in by knocking, and are made voters when that makes the count odd', async (t) => {
  const cluster = new TestCluster('abc');
  const [a, b, c] = cluster.nodes as [TestNode, TestNode, TestNode];
  await a.format({ ...cluster.configuration(), members: cluster.configuration().members.slice(0, 1) });
  await cluster.settle(a.start());
  await cluster.settle(a.replica.propose(bytes('first')));
  await cluster.admit(b, a);
  t.match(b.replica.status(), { role: 'learner' });
  await cluster.until(() => b.recorder.texts.length === 1, 'the newcomer has what was there');
  await cluster.settle(b.replica.propose(bytes('through a learner')));
  // At a learner: it passes the change on to the leader.
  await cluster.admit(c, b);
  await cluster.until(() => a.replica.status().members.filter(({ voter }) => voter).length === 3, 'all three vote');
  t.equal(a.replica.status().needed, 2);
  await cluster.awaitLeader();
  await a.kill();
  await cluster.settle(b.replica.propose(bytes('without the first')));
  t.strictSame(b.recorder.texts, ['first', 'through a learner', 'without the first']);
  await cluster.stop();
});

t.test('a member is removed, and told so; a lost card is replaced by a new one', async (t) => {
  const cluster = await new TestCluster('abcd').start('d');
  const leader = await cluster.awaitLeader();
  const voters = cluster.nodes.slice(0, 3);
  const gone = voters.find((node) => node !== leader)!;
  await t.rejects(cluster.settle(leader.replica.changeMembers({ type: 'remove', node: id('x'), acceptLoss: false })), {
    code: 'NODE_NOT_FOUND',
  });
  await cluster.settle(leader.replica.changeMembers({ type: 'remove', node: gone.id, acceptLoss: false }));
  await cluster.until(() => gone.replica.status().role === 'removed', 'it knows that it is out');
  await cluster.until(
    () => cluster.leader?.replica.status().members.filter(({ voter }) => voter).length === 3,
    'the learner votes in its place',
  );
  await cluster.settle(cluster.leader!.replica.propose(bytes('three again')));
  const lost = voters.find((node) => node !== gone && node !== cluster.leader)!;
  await lost.kill();
  const fresh = cluster.addNode('e');
  await cluster.admit(fresh, cluster.leader!, lost.id);
  await cluster.until(() => fresh.recorder.texts.includes('three again'), 'it has what was agreed');
  const has = (node: NodeId) => fresh.replica.status().members.some((member) => member.node === node);
  await cluster.until(() => !has(lost.id), 'the lost one is out');
  t.ok(has(fresh.id));
  await cluster.stop();
});

t.test('while a card is replaced three votes count at every instant, and the new one gets the place', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  await cluster.settle(leader.replica.propose(bytes('before')));
  const lost = cluster.nodes.find((node) => node !== leader)!;
  const other = cluster.nodes.find((node) => node !== leader && node !== lost)!;
  await lost.kill();
  const votes = new Set<number>();
  const voters = () => leader.replica.status().members.filter(({ voter }) => voter);
  const watched = leader.recorder.statusChanged.bind(leader.recorder);
  leader.recorder.statusChanged = () => {
    votes.add(voters().length);
    watched();
  };
  const fresh = cluster.addNode('e');
  await cluster.admit(fresh, other, lost.id);
  t.ok(
    voters().some(({ node }) => node === lost.id),
    'whose card is lost keeps its place until somebody can take it',
  );
  await cluster.until(() => voters().some(({ node }) => node === fresh.id), 'the new one votes');
  t.notOk(leader.replica.status().members.some(({ node }) => node === lost.id));
  t.strictSame([...votes], [3]);
  await cluster.awaitLeader();
  await other.kill();
  await cluster.settle(leader.replica.propose(bytes('with the new one')));
  await cluster.until(() => fresh.recorder.texts.length === 2, 'the new one has it too');
  t.strictSame(fresh.recorder.texts, ['before', 'with the new one']);
  await cluster.stop();
});

t.test('a leader that falls while somebody waits to take a place leaves that to the next', async (t) => {
  const cluster = await new TestCluster('abcd').start();
  const leader = await cluster.awaitLeader();
  const [lost, ...others] = cluster.nodes.filter((node) => node !== leader);
  await lost!.kill();
  const fresh = cluster.addNode('e');
  await cluster.admit(fresh, leader, lost!.id);
  await leader.kill();
  await cluster.settle(leader.start());
  const isDone = (node: TestNode) => {
    const { members } = node.replica.status();
    return members.length === 4 && members.some(({ node, voter }) => voter && node === fresh.id);
  };
  await cluster.until(() => [...others, fresh].every(isDone), 'the place is taken');
  t.notOk(fresh.replica.status().members.some(({ node }) => node === lost!.id));
  await cluster.stop();
});

t.test('whom a newcomer replaces is said by the name that is shown, or by id', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  const [attic, hall] = cluster.nodes.filter((node) => node !== leader) as [TestNode, TestNode];
  for (const [node, name] of [
    [attic, 'attic'],
    [hall, 'hall'],
    [leader, 'hall'],
  ] as const) {
    await cluster.settle(leader.replica.propose(bytes(`call ${node.id} ${name}`)));
  }
  await cluster.until(() => attic.recorder.texts.length === 3, 'all know the names');
  const fresh = cluster.addNode('e');
  await t.rejects(cluster.admit(fresh, attic, attic.host), { code: 'NODE_NOT_FOUND' }, 'it had that name once');
  await t.rejects(cluster.admit(fresh, attic, 'hall'), { code: 'AMBIGUOUS_NAME', detail: new RegExp(hall.id) });
  await hall.kill();
  await cluster.admit(fresh, attic, hall.id);
  const isOut = (node: TestNode) => leader.replica.status().members.every((member) => member.node !== node.id);
  await cluster.until(() => isOut(hall), 'by id');
  await attic.kill();
  await cluster.admit(cluster.addNode('f'), leader, 'attic');
  await cluster.until(() => isOut(attic), 'by name');
  await cluster.stop();
});

t.test(
  'a voter that works is not taken out while another is off: the two that are left could agree on nothing',
  async (t) => {
    const cluster = await new TestCluster('abc').start();
    const leader = await cluster.awaitLeader();
    const [off, works] = cluster.nodes.filter((node) => node !== leader);
    await off!.kill();
    await cluster.until(
      () => leader.replica.status().members.some(({ node, online }) => node === off!.id && !online),
      'the leader has noticed',
    );
    const remove = (node: NodeId) =>
      cluster.settle(cluster.leader!.replica.changeMembers({ type: 'remove', node, acceptLoss: false }));
    await t.rejects(remove(works!.id), { code: 'NO_QUORUM', detail: /would vote then/ });
    await cluster.settle(cluster.leader!.replica.propose(bytes('nothing is locked')));
    await remove(off!.id);
    await cluster.settle(cluster.leader!.replica.propose(bytes('two go on')));
    await cluster.stop();
  },
);

t.test(
  'a proposal that was sent and not answered has an unknown outcome; one that never left was not agreed',
  async (t) => {
    const cluster = await new TestCluster('abc').start();
    const leader = await cluster.awaitLeader();
    await cluster.settle(leader.replica.propose(bytes('a')));
    const others = cluster.nodes.filter((node) => node !== leader);
    const slow = leader.replica.propose(bytes('b'));
    for (const other of others) await other.kill();
    await t.rejects(cluster.settle(slow), { code: 'OUTCOME_UNKNOWN' });
    await t.rejects(cluster.settle(leader.replica.propose(bytes('c'))), { code: 'NO_QUORUM' });
    await cluster.stop();
  },
);

t.test('a disk that fails ends the node, loudly, and nothing is said any more', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  leader.disk.failNext('sync');
  const proposal = leader.replica.propose(bytes('a'));
  proposal.catch(() => {});
  await cluster.until(() => leader.failures.length === 1, 'it says so', 20_000, leader);
  t.match(leader.failures[0], { code: 'DISK_FAILED' });
  await t.rejects(leader.replica.propose(bytes('b')), { code: 'NO_QUORUM' });
  leader.failures.length = 0;
  const others = cluster.nodes.filter((node) => node !== leader);
  await cluster.settle(others[0]!.replica.propose(bytes('c')));
  t.ok(others[0]!.recorder.texts.includes('c'));
  await cluster.stop();
});

t.test('an idle house writes nothing', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  await cluster.settle(leader.replica.propose(bytes('a')));
  await cluster.pass(2_000);
  const before = cluster.nodes.map(({ disk }) => disk.changes);
  await cluster.pass(30_000);
  t.strictSame(
    cluster.nodes.map(({ disk }) => disk.changes),
    before,
  );
  await cluster.stop();
});

t.test('a node whose snapshot is damaged gets a good one from a peer, and does not vote before', async (t) => {
  const cluster = await new TestCluster('abc').start();
  const leader = await cluster.awaitLeader();
  const texts = Array.from({ length: 100 }, (_, n) => `entry ${n}`);
  for (const text of texts) await cluster.settle(leader.replica.propose(bytes(text)));
  await cluster.settle(leader.replica.propose(bytes('last')));
  const victim = cluster.nodes.find((node) => node !== leader)!;
  await cluster.until(() => victim.recorder.texts.length === 101, 'it has all of it');
  await victim.kill();
  const { disk } = victim;
  // The one before as well: with that, the log would make up for it.
  for (const { name } of disk.list('consensus/snapshots')) {
    disk.flipBit(`consensus/snapshots/${name}`, 100, 0, { cached: true });
  }
  await cluster.settle(victim.start());
  t.match(victim.replica.status(), { trouble: 'LOG_DAMAGED' });
  await cluster.until(() => victim.recorder.texts.length === 101, 'it is mended');
  t.strictSame(victim.recorder.texts, [...texts, 'last']);
  t.equal(victim.replica.status().trouble, null);
  await leader.kill();
  await cluster.settle(victim.replica.propose(bytes('it votes again')));
  await cluster.stop();
});

t.test('a node whose state differs from a majority says so, and takes theirs', async (t) => {
  const cluster = await new TestCluster('abc', { hashEverySlots: 10 }).start();
  const leader = await cluster.awaitLeader();
  const victim = cluster.nodes.find((node) => node !== leader)!;
  await cluster.settle(victim.replica.propose(bytes('a')));
  victim.recorder.lines[1] = '2:something else';
  for (let n = 0; n < 10; n++) await cluster.settle(leader.replica.propose(bytes(`${n}`)));
  await cluster.until(() => victim.replica.status().trouble === 'STATE_DIFFERS', 'it says so');
  await cluster.until(() => victim.replica.status().trouble === null, 'it is mended');
  t.ok(victim.recorder.texts.includes('a'));
  await cluster.settle(victim.replica.propose(bytes('z')));
  await cluster.until(() => leader.recorder.lines.length === victim.recorder.lines.length, 'both have all');
  t.strictSame(victim.recorder.lines, leader.recorder.lines);
  await cluster.stop();
});

t.test(
  'a state that differs is replaced also where this node keeps a snapshot of it, as of the very same slot',
  async (t) => {
    const cluster = await new TestCluster('abc', { hashEverySlots: 10 }).start();
    const leader = await cluster.awaitLeader();
    const victim = cluster.nodes.find((node) => node !== leader)!;
    await cluster.settle(victim.replica.propose(bytes('a')));
    victim.recorder.lines[1] = '2:something else';
    while (leader.replica.status().appliedSlot < 10) await cluster.settle(leader.replica.propose(bytes('more')));
    await cluster.until(() => victim.replica.status().trouble === 'STATE_DIFFERS', 'it says so');
    t.equal(victim.replica.status().appliedSlot, 10);
    let isSaved = false;
    victim.store.saveSnapshot(slot(10), bytes('what it would have kept a moment before'), () => {
      isSaved = true;
    });
    await cluster.until(() => isSaved, 'it is on its disk');
    await cluster.until(() => victim.replica.status().trouble === null, 'it is mended');
    t.strictSame(victim.recorder.lines, leader.recorder.lines);
    await victim.kill();
    await cluster.settle(victim.start());
    t.strictSame(victim.recorder.lines, leader.recorder.lines, 'on its disk too');
    await cluster.stop();
  },
);

t.test('the leader itself may be the one that differs', async (t) => {
  const cluster = await new TestCluster('abc', { hashEverySlots: 10 }).start();
  const leader = await cluster.awaitLeader();
  await cluster.settle(leader.replica.propose(bytes('a')));
  leader.recorder.lines[1] = '2:something else';
  for (let n = 0; n < 8; n++) await cluster.settle(leader.replica.propose(bytes(`${n}`)));
  await cluster.until(() => leader.replica.status().trouble === 'STATE_DIFFERS', 'it says so');
  await cluster.until(() => leader.replica.status().trouble === null, 'it is mended');
  t.ok(leader.recorder.texts.includes('a'));
  await cluster.stop();
});
