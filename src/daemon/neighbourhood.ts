/** What this daemon tells its neighbours on the local network, and where it does. */
import { isIPv4 } from 'node:net';
import type { Config } from '../config/config.js';
import { MdnsNeighbours } from '../io/mdns/mdns-neighbours.js';
import type { House } from '../node/house.js';
import type { Log } from '../ports/log.js';
import type { Neighbours } from '../ports/neighbours.js';
import type { Random } from '../ports/random.js';
import type { Time } from '../ports/time.js';
import { peerAddress } from './addresses.js';

/** What neighbours are found with. */
export interface NeighbourhoodComponents {
  readonly time: Time;
  readonly log: Log;
  readonly random: Random;
}

/** Null where nobody is to be told: by the configuration, or because nobody else could reach a node that listens to this machine alone. */
export function neighboursFor(components: NeighbourhoodComponents, { cluster }: Config): Neighbours | null {
  const { host } = cluster.listen;
  if (!cluster.discovery || host === 'localhost' || host === '::1' || host.startsWith('127.')) return null;
  // One that listens on one address speaks there only.
  return new MdnsNeighbours(components, { interface: isIPv4(host) && host !== '0.0.0.0' ? host : null });
}

/** Keeps the neighbours up to date on what this daemon is, from now on. @returns what says it anew */
export function keepAnnounced(neighbours: Neighbours, house: House, httpUrl: () => string, config: Config): () => void {
  const { name, version } = house.init;
  const say = () => {
    const cluster = house.node?.init.clusterId ?? null;
    neighbours.announce({ name, cluster, httpUrl: httpUrl(), address: peerAddress(config), version });
  };
  neighbours.start();
  say();
  house.subscribe(say);
  return say;
}
