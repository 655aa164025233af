/** What a node proposes unasked, and that it proposes nothing else. */
import t, { type Test } from 'tap';
import { decodeProposal, encodeProposal } from '../../src/cluster/codec.js';
import type { Command } from '../../src/cluster/command.js';
import { TuttiError } from '../../src/core/errors.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import type { LogHandlers, LogStatus } from '../../src/replication/replicated-log.js';
import { addSong, buildHouse, type HouseInit, NODE_ID, song } from '../support/house.js';
import { plainWav } from '../support/wav-files.js';

const BY = { node: NODE_ID, via: 'api' } as const;
const MINUTE_MS = 60_000;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Lets hours pass on a machine whose event loop comes round once a minute: every timer fires then, and a day takes no time. */
function passHours(time: FakeTime, hours: number): void {
  for (let minute = 0; minute < Math.round(60 * hours); minute++) {
    time.after('busy', 0, () => time.advance(MINUTE_MS));
    time.advance(0);
  }
}

/** A running node, with all that it proposed since it was started. */
async function start(t: Test, init: HouseInit = {}) {
  const house = buildHouse(init);
  const { consensus } = house;
  const proposed: Command[] = [];
  const propose = consensus.propose.bind(consensus);
  let refusals = 0;
  consensus.propose = (payload) => {
    if (refusals-- > 0) return Promise.reject(new TuttiError('OUTCOME_UNKNOWN'));
    proposed.push(decodeProposal(payload).command);
    return propose(payload);
  };
  let handlers: LogHandlers | undefined;
  const startLog = consensus.start.bind(consensus);
  consensus.start = (given) => {
    handlers = given;
    return startLog(given);
  };
  await house.house.start();
  await settled();
  t.teardown(() => house.house.stop());
  return {
    ...house,
    handlers: handlers!,
    refuse: (count: number) => {
      refusals = count;
    },
    /** Types of what was proposed since the last call. */
    news: () => proposed.splice(0).map(({ type }) => type),
  };
}

t.test('a start is told once, and a description only where it changed', async (t) => {
  const { news, house, time } = await start(t);
  t.strictSame(news(), ['leader.begin', 'member.boot']);
  house.announce('http://kitchen:8080');
  await settled();
  t.strictSame(news(), ['node.describe']);
  house.announce('http://kitchen:8080');
  time.advance(2 * 60_000);
  await settled();
  t.strictSame(news(), []);
});

t.test('an idle house proposes nothing, but for more cluster time once a day', async (t) => {
  const { news, time } = await start(t);
  news();
  passHours(time, 22.9);
  await settled();
  t.strictSame(news(), []);
  passHours(time, 0.2);
  await settled();
  t.strictSame(news(), ['leader.reserve']);
  passHours(time, 22.5);
  await settled();
  t.strictSame(news(), []);
});

t.test('without a quorum nothing is proposed, and when it is back everything that is due', async (t) => {
  const { news, house, consensus, time } = await start(t);
  news();
  consensus.setQuorum(false);
  house.announce('http://kitchen:8080');
  time.advance(60_000);
  await settled();
  t.strictSame(news(), []);
  consensus.setQuorum(true);
  await settled();
  t.strictSame(news(), ['node.describe']);
});

t.test('what was not agreed is tried again after a second', async (t) => {
  const { news, house, refuse, time } = await start(t);
  news();
  refuse(2);
  house.announce('http://kitchen:8080');
  await settled();
  t.strictSame(news(), []);
  time.advance(1_000);
  await settled();
  time.advance(999);
  await settled();
  t.strictSame(news(), []);
  time.advance(1);
  await settled();
  t.strictSame(news(), ['node.describe']);
});

t.test('only the leader notes where the music stands, save at an end', async (t) => {
  const { news, node, consensus, time } = await start(t);
  const longSong = plainWav({ channels: 1, sampleRate: 8_000, bits: 8 }, new Uint8Array(700 * 8_000).fill(200));
  await addSong(node, 'a.wav', longSong);
  await node.wishes.play({ trackId: 'a' }, BY);
  news();
  time.advance(300_000);
  await settled();
  t.strictSame(news(), ['transport.mark']);
  const status = consensus.status.bind(consensus);
  consensus.status = (): LogStatus => ({ ...status(), role: 'follower', leader: null });
  time.advance(300_000);
  await settled();
  t.strictSame(news(), []);
  await node.stop();
  t.strictSame(news(), ['transport.mark']);
});

t.test('an end waits for its mark a second at most', async (t) => {
  const { node, consensus, time } = await start(t);
  await addSong(node, 'a.wav', song(5_000));
  await node.wishes.play({ trackId: 'a' }, BY);
  consensus.propose = () => new Promise(() => {});
  let over = false;
  const stopping = node.stop().then(() => {
    over = true;
  });
  await settled();
  t.notOk(over);
  time.advance(1_000);
  await stopping;
  t.strictSame(time.running(), []);
});

for (const [resumeAfterOutage, status] of [
  ['paused', 'paused'],
  ['play', 'playing'],
] as const) {
  t.test(`a house that was dark comes up ${status} where its owner wants that`, async (t) => {
    const { node, consensus, handlers, time } = await start(t, { node: { resumeAfterOutage } });
    await addSong(node, 'a.wav', song(60_000));
    await node.wishes.play({ trackId: 'a' }, BY);
    time.advance(10_000);
    const term = { epoch: 2, reserveUntilNs: node.now() + 1n, reproposed: [] };
    await consensus.propose(handlers.termStart(term));
    await settled();
    t.match(node.cluster.view(node.now()).transport, { status, title: 'a' });
  });
}

t.test('what stood paused when the house went dark stays so', async (t) => {
  const { node, news, consensus, handlers } = await start(t, { node: { resumeAfterOutage: 'play' } });
  await addSong(node, 'a.wav', song(60_000));
  await node.wishes.play({ trackId: 'a' }, BY);
  await node.wishes.pause({}, BY);
  news();
  await consensus.propose(handlers.termStart({ epoch: 2, reserveUntilNs: node.now() + 1n, reproposed: [] }));
  await settled();
  t.notOk(news().includes('transport.play'));
});

t.test('only the leader reserves cluster time', async (t) => {
  const { news, consensus, time } = await start(t);
  news();
  const status = consensus.status.bind(consensus);
  consensus.status = (): LogStatus => ({ ...status(), role: 'follower' });
  passHours(time, 23.5);
  await settled();
  t.strictSame(news(), []);
});

/** The beginning of a term after an outage, as another node, or an earlier process of this one, proposed it. */
const darkness = (reserveUntilNs: bigint): Uint8Array => {
  const command: Command = { type: 'leader.begin', node: NODE_ID, epoch: 7, reserveUntilNs, reproposed: [] };
  return encodeProposal({ command, origin: { node: NODE_ID, via: 'node' } });
};

/** A house that plays, goes dark, and comes up again under another leader. */
async function darkened(t: Test) {
  const house = await start(t, { node: { resumeAfterOutage: 'play' } });
  const { node, consensus, handlers, news } = house;
  await addSong(node, 'a.wav', song(60_000));
  await node.wishes.play({ trackId: 'a' }, BY);
  news();
  const status = consensus.status.bind(consensus);
  let role: LogStatus['role'] = 'follower';
  consensus.status = () => ({ ...status(), role });
  await consensus.propose(darkness(node.now()));
  await settled();
  t.match(node.cluster.view(node.now()).transport, { status: 'paused' });
  t.equal(handlers.epoch(), 7);
  t.notOk(news().includes('transport.play'), 'that is for the one who leads');
  const lead = async () => {
    role = 'leader';
    handlers.statusChanged();
    await settled();
    return news().includes('transport.play');
  };
  return { ...house, lead };
}

t.test('who leads next lets the music go on, where the first one after an outage did not come to it', async (t) => {
  const { node, time, lead } = await darkened(t);
  time.advance(5_000);
  t.ok(await lead());
  t.match(node.cluster.view(node.now()).transport, { status: 'playing', title: 'a' });
});

t.test('music that was not let go on is let go on at the next try, unless somebody has touched it', async (t) => {
  for (const isTouched of [false, true]) {
    const { node, time, lead, refuse, news } = await darkened(t);
    refuse(1);
    t.notOk(await lead());
    if (isTouched) await node.wishes.seek(5, {}, BY);
    time.advance(1_000);
    await settled();
    t.equal(news().includes('transport.play'), !isTouched);
  }
});

t.test('an outage of long ago, which a start applies once more, wakes nobody', async (t) => {
  const { node, time, lead } = await darkened(t);
  time.advance(31_000);
  t.notOk(await lead());
  t.match(node.cluster.view(node.now()).transport, { status: 'paused' });
});
