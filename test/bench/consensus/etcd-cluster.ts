/**
 * The peer: etcd, of Debian's package `etcd-server`, asked over the JSON gateway of its v3 interface.
 *
 * The package is only unpacked, next to the build: installing it would start a service on this machine. Peers talk TLS, as ours do.
 *
 * Further reading: etcd 3.4, "Interacting with etcd: gRPC gateway", "Tuning", and its flags (`etcd --help`).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Contestant,
  folderOnDisk,
  freePorts,
  type Member,
  ProcessEnded,
  Program,
  type Timing,
  until,
} from './contestant.js';
import { askOnce, request } from './http-client.js';

/** Where the package is unpacked: kept, so that it is brought once. */
const UNPACKED = join(tmpdir(), 'tutti-bench-etcd-server');
/** Bytes of a value: about what one of our commands takes. */
const VALUE_BYTES = 64;

/** Path of the program, or why there is none. Brings the package with apt where it is missing. */
export function findEtcd(): { readonly path: string } | { readonly missing: string } {
  const unpacked = join(UNPACKED, 'usr', 'bin', 'etcd');
  const found = ['/usr/bin/etcd', unpacked].find((path) => existsSync(path));
  if (found !== undefined) return { path: found };
  if (process.env.TUTTI_NO_APT === '1')
    return { missing: 'etcd-server is not installed, and TUTTI_NO_APT forbids apt' };
  mkdirSync(UNPACKED, { recursive: true });
  const apt = (...words: string[]) => spawnSync('apt-get', ['-qq', ...words], { cwd: UNPACKED }).status === 0;
  const download = () => apt('download', 'etcd-server');
  // The lists of packages may never have been fetched on this machine.
  const downloaded = download() || (process.getuid?.() === 0 && apt('update') && download());
  const file = readdirSync(UNPACKED).find((name) => name.endsWith('.deb'));
  if (!downloaded || file === undefined) return { missing: 'apt could not bring etcd-server' };
  const { status } = spawnSync('dpkg-deb', ['-x', file, '.'], { cwd: UNPACKED });
  return status === 0 && existsSync(unpacked) ? { path: unpacked } : { missing: 'etcd-server could not be unpacked' };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

class EtcdMember implements Member {
  readonly port: number;
  readonly #program: Program;
  readonly #status: Buffer;
  /** Ids of all members, by index: known once the cluster runs. */
  readonly #ids: string[];

  constructor(program: Program, port: number, ids: string[]) {
    this.#program = program;
    this.port = port;
    this.#status = request('POST', '/v3/maintenance/status', port, '{}');
    this.#ids = ids;
  }

  get pid(): number {
    return this.#program.pid;
  }

  start(): void {
    this.#program.start();
  }

  end(signal: NodeJS.Signals): Promise<void> {
    return this.#program.end(signal);
  }

  async status(): Promise<EtcdStatus> {
    if (!this.#program.running) throw new ProcessEnded(this.#program);
    const { status, body } = await askOnce(this.port, this.#status);
    if (status !== 200) throw new Error(`etcd answers ${status}: ${body}`);
    return JSON.parse(body) as EtcdStatus;
  }

  async appliedIndex(): Promise<number> {
    return Number((await this.status()).raftAppliedIndex ?? 0);
  }

  async leader(): Promise<number | undefined> {
    const index = this.#ids.indexOf((await this.status()).leader ?? '');
    return index < 0 ? undefined : index;
  }

  writeRequest(n: number): Buffer {
    const value = base64(String(n).padStart(VALUE_BYTES, '.'));
    return request('POST', '/v3/kv/put', this.port, JSON.stringify({ key: base64('volume'), value }));
  }

  strongReadRequest(): Buffer {
    // Linearizable unless `serializable` is asked for.
    return request('POST', '/v3/kv/range', this.port, JSON.stringify({ key: base64('volume') }));
  }
}

/** What /v3/maintenance/status says; numbers of 64 bits are texts, and what is 0 is left out. */
interface EtcdStatus {
  readonly header: { readonly member_id: string };
  readonly leader?: string;
  readonly raftAppliedIndex?: string;
}

/** Starts three etcd processes that know each other, and waits until they agree. */
export async function startEtcd(path: string, timing?: Timing): Promise<Contestant> {
  const folder = folderOnDisk();
  const ports = await freePorts(6);
  const names = ['a', 'b', 'c'];
  const peerUrl = (index: number) => `https://127.0.0.1:${ports[3 + index]}`;
  const ids: string[] = [];
  const members = names.map((name, index) => {
    const clientUrl = `http://127.0.0.1:${ports[index]}`;
    const flags = {
      name,
      'data-dir': join(folder, name),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl(index),
      'initial-advertise-peer-urls': peerUrl(index),
      'initial-cluster': names.map((other, at) => `${other}=${peerUrl(at)}`).join(','),
      'initial-cluster-state': 'new',
      'peer-auto-tls': 'true',
      'log-level': 'error',
      ...(timing && {
        'heartbeat-interval': String(timing.heartbeatMs),
        'election-timeout': String(timing.electionMs),
      }),
    };
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    return new EtcdMember(new Program([path, ...args], { PATH: process.env.PATH }), ports[index]!, ids);
  });
  for (const member of members) member.start();
  for (const member of members) {
    const { header } = await until('etcd answers', () => member.status());
    ids.push(header.member_id);
  }
  return {
    name: 'etcd',
    members,
    async stop() {
      for (const member of members) await member.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
