/** The fakes keep the contracts of their ports: what is proven with them holds for the real ones. */
import t from 'tap';
import { type NodeId, nodeId } from '../../src/core/ids.js';
import { FakeButtons, FakeLamp, FakePanel } from '../../src/ports/fake-controls.js';
import { FakeDatagram } from '../../src/ports/fake-datagram.js';
import { FakeDisk } from '../../src/ports/fake-disk.js';
import { FakeInbox } from '../../src/ports/fake-inbox.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { FakeNetwork } from '../../src/ports/fake-network.js';
import { FakeKnocker, FakePeerLink } from '../../src/ports/fake-peer-link.js';
import { FakeRandom } from '../../src/ports/fake-random.js';
import { FakeServiceNotify } from '../../src/ports/fake-service-notify.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { runButtonsContract, runLampContract, runPanelContract } from '../contract/controls.js';
import { runDatagramContract } from '../contract/datagram.js';
import { runDiskContract } from '../contract/disk.js';
import { runInboxContract } from '../contract/inbox.js';
import { runLogContract } from '../contract/log.js';
import { QUIET_HANDLERS, runPeerLinkContract } from '../contract/peer-link.js';
import { runRandomContract } from '../contract/random.js';
import { runServiceNotifyContract } from '../contract/service-notify.js';
import { runLifecycleContract } from '../contract/support.js';
import { runTimeContract } from '../contract/time.js';

const passFor = (time: FakeTime) => () => time.advance(0.25);

await runTimeContract(t, 'FakeTime', () => {
  const time = new FakeTime();
  return { time, pass: passFor(time), stall: (ms) => time.advance(ms) };
});

await runRandomContract(t, 'FakeRandom', () => new FakeRandom(7));

await runLogContract(t, 'FakeLog', ({ debug }) => {
  const log = new FakeLog({ debug });
  return { log, lines: () => log.entries };
});

await runDiskContract(t, 'FakeDisk', () => ({ disk: new FakeDisk(), close: () => {} }));

await runDatagramContract(t, 'FakeDatagram', () => {
  const time = new FakeTime();
  const network = new FakeNetwork({ time }, { jitterMs: 2 });
  const make = (port = 0) => new FakeDatagram({ network }, { host: '10.0.0.1', port });
  return { time, pass: passFor(time), make };
});

await runLifecycleContract(t, 'FakeDatagram', () => {
  const time = new FakeTime();
  const network = new FakeNetwork({ time });
  const datagram = new FakeDatagram({ network }, { host: '10.0.0.1', port: 7 });
  const other = new FakeDatagram({ network }, { host: '10.0.0.2', port: 7 });
  let calls = 0;
  return {
    start: async () => {
      await other.start(() => {});
      await datagram.start(() => calls++);
    },
    stop: () => datagram.stop(),
    provoke: () => void other.send(Uint8Array.of(1), { host: '10.0.0.1', port: 7 }),
    calls: () => calls,
    hasHandlers: true,
    pass: passFor(time),
    timers: () => time.running(),
    handles: () => [],
    close: () => other.stop(),
  };
});

const addressOf = (node: NodeId) => ({ host: `10.0.0.${node.charCodeAt(0)}`, port: 7_420 });

await runPeerLinkContract(t, 'FakePeerLink', () => {
  const time = new FakeTime();
  const network = new FakeNetwork({ time }, { jitterMs: 2 });
  const addressText = ({ host, port }: ReturnType<typeof addressOf>) => `${host}:${port}`;
  return {
    pass: passFor(time),
    make: (node, { elsewhere = false, ...options } = {}) => {
      const address = { ...addressOf(node), ...(elsewhere ? { port: 7_421 } : {}) };
      const link = new FakePeerLink({ network }, { node, address, ...options });
      return Promise.resolve({ link, address: addressText(address) });
    },
    makeSame: (node) => new FakePeerLink({ network }, { node, address: addressOf(node) }),
    breakConnections: (a, b) => network.reset(addressOf(a).host, addressOf(b).host),
    knocker: new FakeKnocker({ network }, { host: '10.0.0.9' }),
    key: new Uint8Array(32),
    deserted: '10.0.0.8:7420',
  };
});

await runLifecycleContract(t, 'FakePeerLink', () => {
  const time = new FakeTime();
  const network = new FakeNetwork({ time });
  const [a, b] = [nodeId('a'), nodeId('b')];
  const link = new FakePeerLink({ network }, { node: a, address: addressOf(a) });
  const peer = new FakePeerLink({ network }, { node: b, address: addressOf(b) });
  let calls = 0;
  const count = () => void calls++;
  return {
    start: async () => {
      link.setPeers(new Map([[b, `${addressOf(b).host}:7420`]]));
      peer.setPeers(new Map([[a, `${addressOf(a).host}:7420`]]));
      await peer.start(QUIET_HANDLERS);
      await link.start({ ...QUIET_HANDLERS, message: count, up: count, down: count });
    },
    stop: async () => {
      await link.stop();
      await peer.stop();
    },
    provoke: () => void peer.send(a, 'control', Uint8Array.of(1)),
    calls: () => calls,
    hasHandlers: true,
    pass: passFor(time),
    timers: () => time.running(),
    handles: () => [],
    close: () => {},
  };
});

await runButtonsContract(t, 'FakeButtons', () => {
  const time = new FakeTime();
  const buttons = new FakeButtons({ time });
  return {
    buttons,
    down: (button) => buttons.down(button),
    up: (button) => buttons.up(button),
    wait: (ms) => time.advance(ms),
    pass: passFor(time),
    missing: () => new FakeButtons({ time }, { missing: 'There is no GPIO chip.' }),
    close: () => {},
  };
});

await runLifecycleContract(t, 'FakeButtons', () => {
  const time = new FakeTime();
  const buttons = new FakeButtons({ time });
  let calls = 0;
  return {
    start: () => buttons.start(() => calls++),
    stop: () => buttons.stop(),
    provoke: () => {
      buttons.down('play');
      buttons.up('play');
    },
    calls: () => calls,
    hasHandlers: true,
    pass: passFor(time),
    timers: () => time.running(),
    handles: () => [],
    close: () => {},
  };
});

await runLampContract(t, 'FakeLamp', () => {
  const lamp = new FakeLamp();
  return { lamp, lit: () => lamp.lit, close: () => {} };
});

await runPanelContract(t, 'FakePanel', () => {
  const panel = new FakePanel();
  return {
    panel,
    plugIn: () => panel.plugIn(),
    pullOut: () => panel.pullOut(),
    type: (bytes) => panel.type(bytes),
    received: () => panel.received,
    pass: () => {},
    close: () => {},
  };
});

await runLifecycleContract(t, 'FakePanel', () => {
  const panel = new FakePanel();
  let calls = 0;
  const count = () => void calls++;
  return {
    start: () => panel.start({ line: count, connected: count }),
    stop: () => panel.stop(),
    provoke: () => {
      panel.plugIn();
      panel.type(Buffer.from('play\n'));
    },
    calls: () => calls,
    hasHandlers: true,
    pass: () => {},
    timers: () => [],
    handles: () => [],
    close: () => {},
  };
});

await runInboxContract(t, 'FakeInbox', () => {
  const inbox = new FakeInbox();
  return {
    inbox,
    put: (name, text) => inbox.put(name, Buffer.from(text)),
    hold: (name, text) => {
      inbox.write(name, Buffer.from(text));
      return () => inbox.put(name, Buffer.from(text));
    },
    take: (name) => inbox.take(name),
    putFolder: (name) => inbox.putFolder(name),
    obstruct: (isObstructed) => inbox.protect(isObstructed),
    names: () => inbox.names(),
    rejected: () => inbox.rejected,
    pass: () => {},
    close: () => {},
  };
});

await runLifecycleContract(t, 'FakeInbox', () => {
  const inbox = new FakeInbox();
  let calls = 0;
  return {
    start: () => inbox.start({ seen: () => calls++, left: () => calls++, troubled: () => {} }),
    stop: () => inbox.stop(),
    provoke: () => inbox.put('a.wav', Uint8Array.of(1)),
    calls: () => calls,
    hasHandlers: true,
    pass: () => {},
    timers: () => [],
    handles: () => [],
    close: () => {},
  };
});

await runServiceNotifyContract(t, 'FakeServiceNotify', () => {
  const notify = new FakeServiceNotify();
  return { notify, told: () => notify.messages, pass: () => {}, close: () => {} };
});
