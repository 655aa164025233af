/**
 * Neighbours: daemons of Tutti on the local network, as they say of themselves. Real: io/mdns. Fake: fake-neighbours.ts.
 *
 * For convenience, never for membership: whoever is on the network may claim anything, and who is let in is the key's business. So nothing
 * here ever fails; where the network does not carry it, nobody is there.
 */

/** What a daemon says of itself. */
export interface Announcement {
  /** As its owner named it. */
  readonly name: string;
  /** Id of the cluster that it belongs to; null while it waits to be told of one. */
  readonly cluster: string | null;
  /** Where it serves its page and HTTP API. */
  readonly httpUrl: string;
  /** host:port at which peers reach it: what tutti join takes. */
  readonly address: string;
  /** Of its software. */
  readonly version: string;
}

/** `start` once; `stop` is idempotent. */
export interface Neighbours {
  /** Listens from now on. */
  start(): void;
  /** Says this to the others, now and whenever somebody asks, until something else is said. */
  announce(announcement: Announcement): void;
  /** The others that were heard lately, by name. */
  list(): readonly Announcement[];
  /** Says goodbye, and lets everything go. */
  stop(): Promise<void>;
}
