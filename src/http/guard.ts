/**
 * Who may change what plays.
 *
 * Any page in any browser in the house can make that browser send a request here, unasked, and browsers do not say to plain
 * `http` sites where it came from (no Sec-Fetch-*). They do say `Origin`. So a write needs an `Origin` that is absent or this very place;
 * and a `Host` that is this node, or else a page could point a name of its own at the node's address ("DNS rebinding") and be its
 * own origin. A token, where the owner wants one, comes on top.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { TuttiError } from '../core/errors.js';

/** Which hosts are this node, and whether a write needs a token too. */
export interface GuardInit {
  /** The node's name: it and `<name>.local` are hosts. */
  readonly name: string;
  /** Further hosts: addresses of this machine, as they are at the moment, and the address listened on. */
  readonly addresses: () => readonly string[];
  /** Null: whoever reaches the node may change things. */
  readonly token: string | null;
}

/** Judges writes by their headers alone, before any of their body is read. Reads are for everyone. */
export class Guard {
  readonly #init: GuardInit;

  constructor(init: GuardInit) {
    this.#init = init;
  }

  /** True of a call that names a token where one is asked for: it may be a guess. */
  isGuess({ authorization }: IncomingHttpHeaders): boolean {
    return this.#init.token !== null && authorization !== undefined;
  }

  /** @throws TuttiError FORBIDDEN_ORIGIN, UNAUTHORIZED */
  checkWrite(headers: IncomingHttpHeaders): void {
    const { host, origin, authorization } = headers;
    if (host === undefined || !this.#isThisNode(hostName(host))) {
      throw new TuttiError(
        'FORBIDDEN_ORIGIN',
        `the header Host says ${JSON.stringify(host ?? '')}; right is a name or address of this node, such as ${this.#init.name}.local`,
      );
    }
    if (origin !== undefined && !isOriginOf(origin, host)) {
      throw new TuttiError('FORBIDDEN_ORIGIN', `the request comes from ${JSON.stringify(origin)}, and this is ${host}`);
    }
    const { token } = this.#init;
    // The scheme's name is written in any case (RFC 9110, section 11.1).
    if (token !== null && !sameText(authorization?.replace(/^bearer +/i, 'Bearer ') ?? '', `Bearer ${token}`)) {
      throw new TuttiError(
        'UNAUTHORIZED',
        authorization === undefined ? 'no token was sent' : 'the token is not the right one',
      );
    }
  }

  #isThisNode(host: string): boolean {
    const name = this.#init.name.toLowerCase();
    return (
      ['localhost', '[::1]', name, `${name}.local`].includes(host) ||
      /^127(\.[0-9]{1,3}){3}$/.test(host) ||
      this.#init.addresses().some((address) => host === hostName(address.includes(':') ? `[${address}]` : address))
    );
  }
}

/** The host of "host:port", in lower case, without the dot that may end a full name. IPv6 addresses keep their brackets, and are written short. */
export function hostName(host: string): string {
  const name = host
    .toLowerCase()
    .replace(/:[0-9]*$/, '')
    .replace(/\.$/, '');
  if (!/^\[[0-9a-f:.]+\]$/.test(name)) return name;
  try {
    return new URL(`http://${name}`).hostname;
  } catch {
    return name;
  }
}

/** True where `origin` is the very place that `host` names, by either scheme: a proxy may add TLS. */
const isOriginOf = (origin: string, host: string): boolean =>
  [`http://${host}`, `https://${host}`].some((place) => place.toLowerCase() === origin.toLowerCase());

/** Takes as long for any wrong text: how long must not tell how much of it was right. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
