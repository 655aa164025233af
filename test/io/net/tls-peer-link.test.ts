/** The real link keeps the contract of PeerLink, over TLS on the loopback. */
import t from 'tap';
import { parseHostPort } from '../../../src/config/host-port.js';
import type { NodeId } from '../../../src/core/ids.js';
import { TlsKnocker } from '../../../src/io/net/tls-knocker.js';
import { TlsPeerLink } from '../../../src/io/net/tls-peer-link.js';
import { SystemRandom } from '../../../src/io/random/system-random.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import { QUIET_HANDLERS, runPeerLinkContract } from '../../contract/peer-link.js';
import { passRealTime, processHandles, runLifecycleContract } from '../../contract/support.js';
import { A, B, CLUSTER, INCARNATION, KEY, makeStation, realTime, type Station } from './rig.js';
import { TcpProxy } from './tcp-proxy.js';

await runPeerLinkContract(t, 'TlsPeerLink', async (t) => {
  const stations = new Map<NodeId, Station[]>();
  // A port that was free a moment ago, and that nobody else is given: the system hands them out in turn.
  const probe = new TcpProxy(() => '');
  const deserted = await probe.start();
  await probe.stop();
  return {
    pass: passRealTime,
    make: async (node, { elsewhere: _, ...options } = {}) => {
      const station = await makeStation(t, node, options);
      stations.set(node, [...(stations.get(node) ?? []), station]);
      return station;
    },
    makeSame: (node) => {
      const listen = parseHostPort(stations.get(node)![0]!.link.address())!;
      return new TlsPeerLink(
        { time: realTime, random: new SystemRandom(), log: new FakeLog() },
        {
          cluster: CLUSTER,
          node,
          incarnation: INCARNATION,
          key: KEY,
          listen,
          advertise: () => '',
          card: () => new Uint8Array(0),
        },
      );
    },
    breakConnections: (a, b) => {
      for (const node of [a, b]) for (const { proxy } of stations.get(node)!) proxy.breakAll();
    },
    knocker: new TlsKnocker({ time: realTime }),
    key: KEY,
    deserted,
  };
});

await runLifecycleContract(t, 'TlsPeerLink', async () => {
  const a = await makeStation(t, A);
  const b = await makeStation(t, B);
  let calls = 0;
  const count = () => void calls++;
  a.link.setPeers(new Map([[B, b.address]]));
  b.link.setPeers(new Map([[A, a.address]]));
  return {
    start: async () => {
      await b.link.start(QUIET_HANDLERS);
      await a.link.start({ ...QUIET_HANDLERS, message: count, up: count, down: count, refused: count });
    },
    stop: async () => {
      await a.link.stop();
      await b.link.stop();
    },
    provoke: () => void b.link.send(A, 'control', Uint8Array.of(1)),
    calls: () => calls,
    hasHandlers: true,
    pass: passRealTime,
    timers: () => realTime.running(),
    handles: processHandles,
    close: async () => {
      await a.proxy.stop();
      await b.proxy.stop();
    },
  };
});
