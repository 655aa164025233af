/** Addresses as people write them: "0.0.0.0:8080", "kitchen.local:7420", "[::1]:8080". */

/** Where something listens or is reached. `host` has no brackets. */
export interface HostPort {
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose where something listens. */
  readonly port: number;
}

/** Highest port of TCP and UDP (RFC 9293, section 3.1: 16 bits). */
const PORT_MAX = 65_535;

/** A name or an IPv4 address: letters, digits, dots, hyphens (RFC 1123, section 2.1); underscores, which mDNS names have at times. */
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;
/** An IPv6 address with its zone (RFC 4007, section 11), as far as its letters tell: the system knows the rest. */
const IPV6 = /^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?$/;

/** Reads "host:port"; an IPv6 host stands in brackets. `defaultPort` serves where no port is named. Undefined: it is no address. */
export function parseHostPort(text: string, defaultPort?: number): HostPort | undefined {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, bracketed, plain, portText] = parts;
  const port = portText === undefined ? defaultPort : Number(portText);
  if (port === undefined || port > PORT_MAX) return undefined;
  if (bracketed !== undefined) return IPV6.test(bracketed) ? { host: bracketed, port } : undefined;
  return HOST_NAME.test(plain!) ? { host: plain!, port } : undefined;
}

/** The address as text that {@link parseHostPort} reads back. */
export const hostPortText = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
