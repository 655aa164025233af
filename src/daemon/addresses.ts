/** Under which addresses this machine is found. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Config } from '../config/config.js';
import { type HostPort, hostPortText } from '../config/host-port.js';
import type { Time, Timer } from '../ports/time.js';

/** How often it is looked whether this machine has another address. Milliseconds. */
const LOOK_EVERY_MS = 5_000;
/** Listening there is listening on every address of the machine. */
const EVERYWHERE: readonly string[] = ['0.0.0.0', '::'];

/** Addresses of this machine, as they are at the moment, and its names: on the local network it is found by them whatever the node is called. */
export const ownAddresses = (): string[] => [
  ...Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address)),
  hostname(),
  `${hostname()}.local`,
];

/** The host by which others find this node's HTTP. */
export function httpHost({ cluster, http }: Config): string {
  if (!EVERYWHERE.includes(http.listen.host)) return http.listen.host;
  return cluster.advertise?.host ?? outwardAddress();
}

/** host:port by which peers find this node, as of now: a Pi may get another address while it runs. */
export function peerAddress({ cluster: { listen, advertise } }: Config): string {
  if (advertise !== null) return hostPortText(advertise);
  return hostPortText({ ...listen, host: EVERYWHERE.includes(listen.host) ? outwardAddress() : listen.host });
}

/** Calls `moved` whenever `urlNow` is another than it was: a Pi starts before its network is there, and may get another address later. */
export function watchUrl(time: Time, urlNow: () => string, moved: (url: string) => void): Timer {
  let url = urlNow();
  return time.every('http.url', LOOK_EVERY_MS, () => {
    const now = urlNow();
    if (now === url) return;
    url = now;
    moved(url);
  });
}

/** Where the clock's socket is bound for peers that reach this node at `listen`: it takes addresses only. */
export async function clockAddress({ host, port }: HostPort): Promise<HostPort> {
  return isIP(host) === 0 ? { host: (await lookup(host)).address, port } : { host, port };
}

/** The first address on the local network; where there is none, nobody else can reach this machine anyway. */
function outwardAddress(): string {
  const outward = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  return outward?.address ?? '127.0.0.1';
}
