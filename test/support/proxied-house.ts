/** Three real daemons, each of which others find behind a proxy: the network between them is the test's. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { TcpProxy } from '../io/net/tcp-proxy.js';
import { type Daemon, peerPortOf } from './daemon.js';
import { formHouse, kill, NODE_NAMES, type NodeName, startNode } from './three-nodes.js';

export class ProxiedHouse {
  /** Those that run, or ran last. */
  readonly daemons: Record<NodeName, Daemon>;
  readonly #t: Test;
  readonly #folder: string;
  readonly #proxies: ReadonlyMap<NodeName, TcpProxy>;
  readonly #addresses: ReadonlyMap<NodeName, string>;

  private constructor(
    t: Test,
    folder: string,
    daemons: Record<NodeName, Daemon>,
    proxies: ReadonlyMap<NodeName, TcpProxy>,
    addresses: ReadonlyMap<NodeName, string>,
  ) {
    this.daemons = daemons;
    this.#t = t;
    this.#folder = folder;
    this.#proxies = proxies;
    this.#addresses = addresses;
  }

  /** A house whose data lies below `folder`. Everything of it ends with `t`. */
  static async start(t: Test, folder: string): Promise<ProxiedHouse> {
    const proxies = new Map<NodeName, TcpProxy>();
    const addresses = new Map<NodeName, string>();
    for (const name of NODE_NAMES) {
      const port = await peerPortOf(join(folder, name));
      const proxy = new TcpProxy(() => `127.0.0.1:${port}`);
      proxies.set(name, proxy);
      addresses.set(name, await proxy.start());
      t.teardown(() => proxy.stop());
    }
    const extras = Object.fromEntries([...addresses].map(([name, address]) => [name, behind(address)]));
    return new ProxiedHouse(t, folder, await formHouse(t, folder, extras), proxies, addresses);
  }

  dataDir(name: NodeName): string {
    return join(this.#folder, name);
  }

  /** Starts one that was ended. */
  async restart(name: NodeName): Promise<Daemon> {
    const daemon = await startNode(this.#t, this.#folder, name, [], behind(this.#addresses.get(name)!));
    this.daemons[name] = daemon;
    return daemon;
  }

  /** Ends it as a power cut would. */
  kill(name: NodeName): Promise<void> {
    return kill(this.daemons[name]);
  }

  /** So many bytes a second pass from now on, each way of each connection; null: as many as there are. */
  set bytesPerS(bytes: number | null) {
    for (const proxy of this.#proxies.values()) proxy.bytesPerS = bytes;
  }

  /** Bytes that nodes have sent one another until now. */
  get passedBytes(): number {
    return [...this.#proxies.values()].reduce((sum, { passedBytes }) => sum + passedBytes, 0);
  }

  /** Nothing passes any more, as when somebody pulls the switch's plug; `mend` is the end of that. */
  cut(): void {
    for (const proxy of this.#proxies.values()) proxy.isSilent = true;
  }

  /** All connections are made anew. */
  mend(): void {
    for (const proxy of this.#proxies.values()) {
      proxy.breakAll();
      proxy.isSilent = false;
    }
  }
}

const behind = (address: string) => ({ env: { TUTTI_CLUSTER_ADVERTISE: address } });
