/** Real links on the loopback, each behind a proxy that is its address, so that tests own the network between them. */
import type { Test } from 'tap';
import { clusterId, type Incarnation, type NodeId, nodeId } from '../../../src/core/ids.js';
import { TlsPeerLink, type TlsPeerLinkInit } from '../../../src/io/net/tls-peer-link.js';
import { SystemRandom } from '../../../src/io/random/system-random.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import type { Time } from '../../../src/ports/time.js';
import { TcpProxy } from './tcp-proxy.js';

export const KEY = new Uint8Array(32).fill(7);
export const CLUSTER = clusterId('c'.repeat(32));
export const A = nodeId('a'.repeat(32));
export const B = nodeId('b'.repeat(32));
export const INCARNATION = '1'.repeat(32) as Incarnation;
export const realTime = new SystemTime();

/** A link with its proxy. */
export interface Station {
  readonly link: TlsPeerLink;
  readonly proxy: TcpProxy;
  /** Of the proxy: where peers find it. */
  readonly address: string;
  readonly log: FakeLog;
}

export type StationOptions = Partial<TlsPeerLinkInit> & { readonly time?: Time; readonly port?: number };

/** A link that is not started. Its proxy runs, and ends with the test. */
export async function makeStation(t: Test, node: NodeId, options: StationOptions = {}): Promise<Station> {
  const { time = realTime, port = 0, ...init } = options;
  const log = new FakeLog();
  const proxy: TcpProxy = new TcpProxy(() => link.address());
  const address = await proxy.start();
  const link: TlsPeerLink = new TlsPeerLink(
    { time, random: new SystemRandom(), log },
    {
      cluster: CLUSTER,
      node,
      incarnation: INCARNATION,
      key: KEY,
      listen: { host: '127.0.0.1', port },
      advertise: () => address,
      card: () => new Uint8Array(0),
      ...init,
    },
  );
  t.teardown(async () => {
    await link.stop();
    await proxy.stop();
  });
  return { link, proxy, address, log };
}
