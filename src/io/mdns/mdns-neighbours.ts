/**
 * MdnsNeighbours: says and hears by multicast DNS (RFC 6762) who is on the local network.
 *
 * Each daemon repeats itself once a minute and is forgotten three minutes after its last word, so that one whose plug was pulled does not
 * stand in the list for hours. Whatever goes wrong (no network, no multicast, a port that another program keeps to itself) is one warning.
 */
import multicastDns, { type MdnsPacket, type MulticastDns } from 'multicast-dns';
import { addTime, type LocalTime, NS_PER_S } from '../../core/units.js';
import type { Log } from '../../ports/log.js';
import type { Announcement, Neighbours } from '../../ports/neighbours.js';
import type { Random } from '../../ports/random.js';
import type { Time, Timer } from '../../ports/time.js';
import { heardIn, recordsOf, SERVICE } from './records.js';

/** Port of multicast DNS (RFC 6762, 3). */
const PORT = 5_353;
/** Between two announcements that nobody asked for. Milliseconds. */
const REPEAT_MS = 60_000;
/** How long an announcement is good for. Seconds. */
const TTL_S = 180;
/** Questions are answered once in this time at most (RFC 6762, 6: one second). Milliseconds. */
const ANSWER_MS = 1_000;
/** Neighbours that are remembered: many more than a house has rooms, and far too few to fill a memory. */
const NEIGHBOURS_MAX = 64;
/** How long a goodbye may take. Milliseconds. */
const GOODBYE_MS_MAX = 500;

/** What it works with. */
export interface MdnsComponents {
  readonly time: Time;
  readonly log: Log;
  readonly random: Random;
}

/** Where it speaks. */
export interface MdnsInit {
  /** Address of the one interface to use; null: all of them. */
  readonly interface: string | null;
  /** 5353 by default. */
  readonly port?: number;
}

interface Neighbour {
  readonly said: Announcement;
  readonly goodUntil: LocalTime;
}

/** A daemon's neighbours over multicast DNS. */
export class MdnsNeighbours implements Neighbours {
  readonly #time: Time;
  readonly #log: Log;
  readonly #init: MdnsInit;
  readonly #id: string;
  #mdns: MulticastDns | null = null;
  #own: Announcement | null = null;
  readonly #heard = new Map<string, Neighbour>();
  readonly #warned = new Set<string>();
  #repeat: Timer | null = null;
  #answer: Timer | null = null;
  #isAskedAgain = false;

  constructor({ time, log, random }: MdnsComponents, init: MdnsInit) {
    this.#time = time;
    this.#log = log;
    this.#init = init;
    this.#id = Buffer.from(random.bytes(4)).toString('hex');
  }

  start(): void {
    const { interface: address, port = PORT } = this.#init;
    // Bound to an address of its own, a socket would hear no multicast.
    const mdns = multicastDns({ port, bind: '0.0.0.0', ...(address !== null && { interface: address }) });
    this.#mdns = mdns;
    mdns.on('error', (error: Error) => this.#warn(error));
    mdns.on('warning', (error: Error) => this.#warn(error));
    mdns.on('query', (packet: MdnsPacket) => this.#asked(packet));
    mdns.on('response', (packet: MdnsPacket) => this.#hear(packet));
    mdns.query([{ name: SERVICE, type: 'PTR' }], this.#sent);
    this.#repeat = this.#time.every('mdns.repeat', REPEAT_MS, () => this.#say());
  }

  announce(announcement: Announcement): void {
    if (JSON.stringify(this.#own) === JSON.stringify(announcement)) return;
    // Under another name it is another instance.
    if (this.#own !== null && this.#own.name !== announcement.name) this.#say(0);
    this.#own = announcement;
    this.#say();
  }

  list(): readonly Announcement[] {
    const now = this.#time.now();
    const good = [...this.#heard.values()].filter(({ goodUntil }) => goodUntil > now);
    return good.map(({ said }) => said).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async stop(): Promise<void> {
    const mdns = this.#mdns;
    this.#mdns = null;
    this.#repeat?.cancel();
    this.#answer?.cancel();
    this.#heard.clear();
    if (mdns === null) return;
    if (this.#own !== null) await this.#goodbye(mdns, this.#own);
    await new Promise<void>((resolve) => mdns.destroy(resolve));
  }

  /** Resolves when it was said, or could not be. */
  #goodbye(mdns: MulticastDns, own: Announcement): Promise<void> {
    return new Promise((resolve) => {
      const patience = this.#time.after('mdns.goodbye', GOODBYE_MS_MAX, resolve);
      mdns.respond(recordsOf(own, this.#id, 0), () => {
        patience.cancel();
        resolve();
      });
    });
  }

  #say(ttlS = TTL_S): void {
    if (this.#own !== null) this.#mdns?.respond(recordsOf(this.#own, this.#id, ttlS), this.#sent);
  }

  /** The first question is answered at once, others a little later, together. */
  #asked({ questions }: MdnsPacket): void {
    const isMeant = questions.some(
      ({ name, type }) => name.toLowerCase() === SERVICE && (type === 'PTR' || type === 'ANY'),
    );
    if (!isMeant) return;
    this.#isAskedAgain = this.#answer !== null;
    if (this.#isAskedAgain) return;
    this.#say();
    this.#answer = this.#time.after('mdns.answer', ANSWER_MS, () => {
      this.#answer = null;
      if (this.#isAskedAgain) this.#say();
      this.#isAskedAgain = false;
    });
  }

  #hear(packet: MdnsPacket): void {
    const now = this.#time.now();
    for (const [instance, { goodUntil }] of this.#heard) if (goodUntil <= now) this.#heard.delete(instance);
    for (const { instance, ttlS, id, said } of heardIn(packet)) {
      if (id === this.#id) continue;
      if (said === null) this.#heard.delete(instance);
      else if (this.#heard.has(instance) || this.#heard.size < NEIGHBOURS_MAX) {
        const goodUntil = addTime(now, BigInt(Math.min(ttlS, TTL_S)) * NS_PER_S);
        this.#heard.set(instance, { said, goodUntil });
      }
    }
  }

  readonly #sent = (error?: Error | null): void => {
    if (error) this.#warn(error);
  };

  /** Once for each kind: a house without multicast would hear of it every minute. */
  #warn(error: Error): void {
    const code = 'code' in error ? String(error.code) : error.message;
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    this.#log.warn('Other nodes of the local network cannot be found by themselves; all else works.', { error });
  }
}
