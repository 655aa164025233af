/** One set of connections serves consensus and the tracks, and neither sees the other. */
import t, { type Test } from 'tap';
import { type NodeId, nodeId } from '../../src/core/ids.js';
import { FakeNetwork } from '../../src/ports/fake-network.js';
import { FakeKnocker, FakePeerLink } from '../../src/ports/fake-peer-link.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { PeerLink } from '../../src/ports/peer-link.js';
import type { Time } from '../../src/ports/time.js';
import { PeerHub } from '../../src/replication/peer-hub.js';
import { QUIET_HANDLERS, runPeerLinkContract } from '../contract/peer-link.js';
import { type PeerMailSetup, runPeerMailContract } from '../contract/peer-mail.js';
import { passRealTime, until } from '../contract/support.js';
import { makeStation, realTime } from '../io/net/rig.js';

const A = nodeId('a'.repeat(32));
const B = nodeId('b'.repeat(32));

const hostOf = (node: NodeId) => `10.0.0.${node.charCodeAt(0)}`;

/** Hubs that are told of one another by `connect`. */
interface Hubs {
  readonly add: (node: NodeId, hub: PeerHub, address: string) => PeerHub;
  readonly connect: () => Promise<void>;
}

function newHubs(t: Test): Hubs {
  const hubs = new Map<NodeId, { readonly hub: PeerHub; readonly address: string }>();
  return {
    add: (node, hub, address) => {
      hubs.set(node, { hub, address });
      t.teardown(() => hub.link.stop());
      return hub;
    },
    connect: async () => {
      for (const [node, { hub }] of hubs) {
        const others = [...hubs].filter(([other]) => other !== node);
        hub.link.setPeers(new Map(others.map(([other, { address }]) => [other, address])));
        await hub.link.start(QUIET_HANDLERS);
      }
    },
  };
}

interface FakeHubs extends PeerMailSetup {
  readonly time: FakeTime;
  readonly network: FakeNetwork;
  readonly hubs: ReadonlyMap<NodeId, PeerHub>;
}

function hubOver(link: PeerLink, time: Time): PeerHub {
  const hub = new PeerHub({ time });
  hub.over(link);
  return hub;
}

function fakeHubs(t: Test): FakeHubs {
  const time = new FakeTime();
  const network = new FakeNetwork({ time }, { jitterMs: 2 });
  const hubs = new Map<NodeId, PeerHub>();
  const { add, connect } = newHubs(t);
  return {
    time,
    network,
    hubs,
    pass: () => time.advance(0.25),
    make: (node) => {
      const link = new FakePeerLink({ network }, { node, address: { host: hostOf(node), port: 7_420 } });
      const hub = add(node, hubOver(link, time), `${hostOf(node)}:7420`);
      hubs.set(node, hub);
      return Promise.resolve(hub.mail);
    },
    connect,
    breakConnections: (a, b) => network.reset(hostOf(a), hostOf(b)),
  };
}

await runPeerMailContract(t, 'PeerHub over FakePeerLink', fakeHubs);

await runPeerMailContract(t, 'PeerHub over TlsPeerLink', (t) => {
  const { add, connect } = newHubs(t);
  const breaks = new Map<NodeId, () => void>();
  return {
    pass: passRealTime,
    make: async (node) => {
      const { link, address, proxy } = await makeStation(t, node);
      breaks.set(node, () => proxy.breakAll());
      return add(node, hubOver(link, realTime), address).mail;
    },
    connect,
    breakConnections: (a, b) => {
      for (const node of [a, b]) breaks.get(node)!();
    },
  };
});

await runPeerLinkContract(t, 'PeerHub’s link', () => {
  const time = new FakeTime();
  const network = new FakeNetwork({ time }, { jitterMs: 2 });
  const newLink = (node: NodeId, port: number, options = {}): PeerHub =>
    hubOver(new FakePeerLink({ network }, { node, address: { host: hostOf(node), port }, ...options }), time);
  return {
    pass: () => time.advance(0.25),
    make: (node, { elsewhere = false, ...options } = {}) => {
      const port = elsewhere ? 7_421 : 7_420;
      return Promise.resolve({ link: newLink(node, port, options).link, address: `${hostOf(node)}:${port}` });
    },
    makeSame: (node) => newLink(node, 7_420).link,
    breakConnections: (a, b) => network.reset(hostOf(a), hostOf(b)),
    knocker: new FakeKnocker({ network }, { host: '10.0.0.9' }),
    key: new Uint8Array(32),
    deserted: '10.0.0.8:7420',
  };
});

t.test('consensus hears nothing of the mail, the mail nothing of consensus', async (t) => {
  const { make, hubs, pass, time } = fakeHubs(t);
  const heard: string[] = [];
  for (const node of [A, B]) {
    const mail = await make(node);
    const hub = hubs.get(node)!;
    hub.link.setPeers(
      new Map([A, B].filter((other) => other !== node).map((other) => [other, `${hostOf(other)}:7420`])),
    );
    await hub.link.start({ ...QUIET_HANDLERS, message: (_, __, bytes) => heard.push(`${node[0]} consensus ${bytes}`) });
    mail.start({ message: (_, __, bytes) => heard.push(`${node[0]} mail ${bytes}`), up: () => {}, down: () => {} });
  }
  const a = hubs.get(A)!;
  await until(() => a.link.send(B, 'control', Uint8Array.of(63, 1)), pass, 'they are up');
  t.ok(a.mail.send(B, 'control', Uint8Array.of(64, 2)));
  t.ok(a.link.send(B, 'control', new Uint8Array(0)));
  // Nor what is the hub's own, or nobody's.
  for (const first of [240, 241, 255]) t.ok(a.link.send(B, 'control', Uint8Array.of(first, 0xff)));
  await until(() => heard.length >= 3, pass, 'all arrive');
  time.advance(50);
  t.same(heard.toSorted(), ['b consensus ', 'b consensus 63,1', 'b mail 64,2']);
});

t.test('a round trip that takes longer than before is noticed before it is over', async (t) => {
  const { make, connect, hubs, network, pass, time } = fakeHubs(t);
  for (const node of [A, B]) (await make(node)).start({ message: () => {}, up: () => {}, down: () => {} });
  await connect();
  const { mail } = hubs.get(A)!;
  await until(() => mail.roundTripMs(B) !== null, pass, 'the first is measured');
  network.setConditions({ delayMs: 1_000 });
  time.advance(250);
  const before = mail.roundTripMs(B)!;
  time.advance(300);
  const meanwhile = mail.roundTripMs(B)!;
  t.ok(before.latest < 20 && meanwhile.latest >= 300, `${before.latest} ms, then ${meanwhile.latest} ms`);
  time.advance(2_000);
  const after = mail.roundTripMs(B)!;
  t.ok(after.latest >= 2_000 && after.least === before.least, `${after.least} to ${after.latest} ms`);
});

t.test('nobody is probed while nobody asks', async (t) => {
  const { make, connect, hubs, pass, time } = fakeHubs(t);
  for (const node of [A, B]) (await make(node)).start({ message: () => {}, up: () => {}, down: () => {} });
  await connect();
  const { mail } = hubs.get(A)!;
  await until(() => mail.roundTripMs(B) !== null, pass, 'it is measured');
  time.advance(1_000);
  t.same(time.running(), []);
});
