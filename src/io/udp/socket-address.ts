/** Socket addresses of Linux as C calls take them: struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)). */
import { isIP } from 'node:net';

/** From bits/socket.h of Linux. */
export const AF_INET = 2;
/** Likewise. */
export const AF_INET6 = 10;

const IN_BYTES = 16;
const IN6_BYTES = 28;

/**
 * The bytes of struct sockaddr for a socket of `family`; null where such a socket cannot reach it. An IPv6 socket reaches an IPv4 address as
 * ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2). A zone (fe80::1%eth0; RFC 4007, section 11) is an interface's name or number.
 * @param indexOf gives the number of the interface with a name, 0 where there is none: if_nametoindex(3)
 */
export function socketAddress(
  family: number,
  host: string,
  port: number,
  indexOf: (name: string) => number,
): Uint8Array | null {
  const version = isIP(host);
  if (version === 0) return null;
  if (family === AF_INET) {
    if (version !== 4) return null;
    const bytes = head(IN_BYTES, AF_INET, port);
    bytes.set(ipv4Bytes(host), 4);
    return bytes;
  }
  const [address, zone] = host.split('%') as [string, string?];
  const scope = zone === undefined ? 0 : /^\d+$/.test(zone) ? Number(zone) : indexOf(zone);
  if (zone !== undefined && scope === 0) return null;
  const bytes = head(IN6_BYTES, AF_INET6, port);
  bytes.set(ipv6Bytes(version === 4 ? `::ffff:${address}` : address), 8);
  // A number of the machine, not of the network.
  new DataView(bytes.buffer).setUint32(24, scope, true);
  return bytes;
}

/** The family in the machine's own order (all that Node runs on today are little-endian), the port in the network's. */
function head(length: number, family: number, port: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  return bytes;
}

const ipv4Bytes = (host: string): number[] => host.split('.').map(Number);

/** `host` is valid: isIP said so. */
function ipv6Bytes(host: string): number[] {
  // A dotted tail is two groups.
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host);
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const pair = (high: string, low: string) => ((Number(high) << 8) | Number(low)).toString(16);
  const plain = dotted ? `${dotted[1]}${pair(dotted[2]!, dotted[3]!)}:${pair(dotted[4]!, dotted[5]!)}` : host;
  const [before = '', after] = plain.split('::');
  const first = groups(before);
  const last = after === undefined ? [] : groups(after);
  const zeros = new Array<number>(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]);
}
