/**
 * What a daemon says of itself, as records of DNS-SD (RFC 6763): a pointer from the service to an instance, where that listens (SRV), and
 * the rest as text (TXT).
 */
import type { MdnsPacket, MdnsRecord } from 'multicast-dns';
import type { Announcement } from '../../ports/neighbours.js';

/** The service: peers' TCP port is the one that it names. */
export const SERVICE = '_tutti._tcp.local';
/** The word for a daemon that belongs to no cluster yet. */
const WAITING = 'waiting';
/** Entries of a TXT record that are looked at. */
const ENTRIES_MAX = 16;
/** Of an instance's name before its id: a label of DNS has 63 bytes. */
const LABEL_NAME_BYTES_MAX = 40;
/** A label of DNS that cannot be (RFC 1035, 2.3.4). */
const LABEL_TOO_LONG = /[^.:/]{64}/;
/** Of a name, a version, an address and a URL, bytes: with all of them at their longest, a packet stays below what a datagram of ours may hold. */
const WORDS_BYTES_MAX = 160;

const CLUSTER = /^[0-9a-f]{32}$/;
/** No control characters, nothing that is longer than anybody means. */
const FIELD = /^[^\p{Cc}]{1,240}$/u;

/**
 * The records of a daemon. A name that is too long is cut; an address or a URL that is too long for DNS is left out, for half of one leads
 * nowhere, and nobody lists what has none. @param id tells its instance from others of the same name; @param ttlS 0 takes them back */
export function recordsOf(announcement: Announcement, id: string, ttlS: number): MdnsRecord[] {
  const { name, cluster, httpUrl, address, version } = announcement;
  const instance = `${cut(name.replace(/[.\p{Cc}]/gu, '-'), LABEL_NAME_BYTES_MAX)}-${id}.${SERVICE}`;
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  const target = address.slice(0, address.lastIndexOf(':'));
  const places = Object.entries({ url: httpUrl, address }).filter(([, place]) => fitsDns(place));
  const words = {
    id,
    name: cut(name, WORDS_BYTES_MAX),
    cluster: cluster ?? WAITING,
    version: cut(version, WORDS_BYTES_MAX),
  };
  const data = [...Object.entries(words), ...places].map(([key, value]) => `${key}=${value}`);
  return [
    { name: SERVICE, type: 'PTR', ttl: ttlS, data: instance },
    ...(fitsDns(address) ? [{ name: instance, type: 'SRV', ttl: ttlS, data: { port, target } }] : []),
    { name: instance, type: 'TXT', ttl: ttlS, data },
  ];
}

const fitsDns = (place: string): boolean => Buffer.byteLength(place) <= WORDS_BYTES_MAX && !LABEL_TOO_LONG.test(place);

/** What a packet says of one instance; `said` is null where it says goodbye. */
export interface Heard {
  readonly instance: string;
  readonly ttlS: number;
  readonly id: string | null;
  readonly said: Announcement | null;
}

/** What a packet from anybody says of instances of our service. What is not as ours say it is left out. */
export function heardIn({ answers, additionals }: MdnsPacket): Heard[] {
  const records = [...answers, ...additionals];
  return answers.flatMap(({ name, type, ttl = 0, data: instance }): Heard[] => {
    if (type !== 'PTR' || name.toLowerCase() !== SERVICE || typeof instance !== 'string') return [];
    if (ttl === 0) return [{ instance, ttlS: 0, id: null, said: null }];
    const text = records.find((record) => record.type === 'TXT' && record.name === instance)?.data;
    const fields = fieldsOf(text);
    const said = announcementOf(fields);
    return said === null ? [] : [{ instance, ttlS: ttl, id: fields.get('id') ?? null, said }];
  });
}

function fieldsOf(text: unknown): Map<string, string> {
  const entries = Array.isArray(text) ? text.slice(0, ENTRIES_MAX) : [];
  return new Map(
    entries.map((entry: unknown) => {
      const words = entry instanceof Uint8Array ? Buffer.from(entry).toString('utf8') : String(entry);
      const at = words.indexOf('=');
      return [words.slice(0, at), words.slice(at + 1)];
    }),
  );
}

function announcementOf(fields: ReadonlyMap<string, string>): Announcement | null {
  const [name, cluster, httpUrl, address, version] = ['name', 'cluster', 'url', 'address', 'version'].map((key) => {
    const value = fields.get(key) ?? '';
    return FIELD.test(value) ? value : null;
  });
  if (!name || !cluster || !httpUrl || !address || !version) return null;
  const isHouse = CLUSTER.test(cluster);
  if ((!isHouse && cluster !== WAITING) || !/^https?:\/\/\S+$/.test(httpUrl) || !/^\S+:\d{1,5}$/.test(address))
    return null;
  return { name, cluster: isHouse ? cluster : null, httpUrl, address, version };
}

/** At most so many bytes of UTF-8, no character cut in two. */
function cut(text: string, bytesMax: number): string {
  let result = '';
  for (const character of text) {
    if (Buffer.byteLength(result + character) > bytesMax) break;
    result += character;
  }
  return result;
}
