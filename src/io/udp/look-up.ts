/**
 * LookUp: from where a peer is said to be to the IP address that datagrams go to.
 *
 * An address is itself, and found at once; a name (kitchen.local) is asked of the system. Datagrams that nobody can deliver are lost in silence,
 * so where the address itself shows that they will be, the owner is told, once for each address.
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Addresses of which the owner was told: more than any house has. */
const TOLD_MAX = 256;

/** Why an address cannot be reached. */
type Warn = (text: string, fields: { readonly address: string }) => void;

/** Looks up for a socket that is bound to `listenHost`. `found` gets null where there is no address now, or none that the socket reaches. */
export function lookUpFor(
  listenHost: string,
  warn: Warn,
): (host: string, found: (host: string | null) => void) => void {
  const isIpv6 = isIP(listenHost) === 6;
  const told = new Set<string>();
  const why = (host: string): string | null => {
    if (isIP(host) === 6 && !isIpv6)
      return 'it is an IPv6 address, and cluster.listen is an IPv4 one: "[::]:7420" takes both';
    const zone = host.split('%')[1];
    // A link-local address is one of each network: it says by its zone which one is meant, as this machine calls it.
    if (zone === undefined || /^\d+$/.test(zone) || networkInterfaces()[zone] !== undefined) return null;
    return `this machine has no network interface called ${zone}`;
  };
  return (host, found) => {
    if (isIP(host) === 0) {
      lookup(host, { family: isIpv6 ? 0 : 4 }, (error, address) => found(error === null ? address : null));
      return;
    }
    const reason = why(host);
    if (reason !== null && !told.has(host)) {
      if (told.size === TOLD_MAX) told.clear();
      told.add(host);
      warn(`the clock of a peer cannot be measured: ${reason}`, { address: host });
    }
    found(reason === null ? host : null);
  };
}
