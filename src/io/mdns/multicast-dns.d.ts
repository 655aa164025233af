/** The part of multicast-dns that is used here; it brings no types of its own. */
declare module 'multicast-dns' {
  import type { EventEmitter } from 'node:events';

  export interface MdnsRecord {
    readonly name: string;
    readonly type: string;
    /** Seconds; 0: the record is withdrawn. */
    readonly ttl?: number;
    readonly data?: unknown;
  }
  export interface MdnsPacket {
    readonly questions: readonly { readonly name: string; readonly type: string }[];
    readonly answers: readonly MdnsRecord[];
    readonly additionals: readonly MdnsRecord[];
  }
  /** Emits `ready`, `query` and `response` with a packet, `error` where it cannot listen, `warning` for all else that fails. */
  export interface MulticastDns extends EventEmitter {
    query(questions: readonly { readonly name: string; readonly type: string }[], done?: (error?: Error) => void): void;
    respond(answers: readonly MdnsRecord[], done?: (error?: Error) => void): void;
    destroy(done?: () => void): void;
  }
  export default function multicastDns(options: {
    /** Address of the interface; all of them where it is left out. */
    readonly interface?: string;
    /** Address to bind to. */
    readonly bind?: string;
    readonly port?: number;
  }): MulticastDns;
}
