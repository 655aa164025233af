/**
 * A cable for each node, that can be pulled: nodes in network namespaces of their own (network_namespaces(7)), whose virtual Ethernet links (veth(4))
 * end in one bridge. A second link leads from each node to the bench alone, so that it can be asked how it is while the first one is down.
 *
 * A cable may be a slow one: both of its ends then let through what a token bucket gives (tc-tbf(8)); or a long one. And one node may be deaf to another: what is
 * lost is lost without a word, as on a bad line, since it is sent to a station that is not there (ip-neighbour(8)).
 *
 * Only the superuser may make all that; without it, and without iproute2, there are none.
 */
import { spawnSync } from 'node:child_process';

/** The house's network is for private use (RFC 1918), and nobody else sees it. */
const HOUSE = '10.213.0';
/** The links between nodes and bench are seen by this machine: they are of the networks for benches (RFC 2544), others for each process. */
const BENCH_BASE = (198 << 24) | (18 << 16);
const PROCESSES = 2_048;
const NODES_MAX = 16;
/** A station (MAC address) that is not there. */
const NOBODY = '02:00:00:00:00:01';

/** An address of the link to a node: 1 is the bench's end, 2 the node's. */
function benchAddress(node: number, end: 1 | 2): string {
  const address = BENCH_BASE + 4 * ((process.pid % PROCESSES) * NODES_MAX + node) + end;
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** The cables of some nodes. */
export interface Wires {
  /** The address of a node in the house. */
  houseAddress(node: number): string;
  /** Where the bench finds it. */
  benchAddress(node: number): string;
  /** The command under which `command` runs at the end of the node's cable. */
  wrap(node: number, command: readonly string[]): readonly string[];
  /** Nothing gets from the node to any other, nor to it. */
  pull(node: number): void;
  plug(node: number): void;
  /** Nothing that the node `from` sends reaches `to`, until `restore`; what `to` sends still reaches it. */
  lose(from: number, to: number): void;
  restore(from: number, to: number): void;
  /** Removes all of it. */
  remove(): void;
}

/** What a slow cable lets through at once, and how long it makes others wait before it drops something: as a switch's port does. */
const BURST = '64kb';
const QUEUE = '20ms';

export interface WiresInit {
  /** What each lets through, both ways, in 10^6 bits a second; no limit where not given. */
  readonly mbits?: number;
  /** What leaves a node is on its way for so long, give or take (tc-netem(8), which not every kernel has). Milliseconds. */
  readonly delay?: { readonly ms: number; readonly jitterMs: number };
}

/** Lays the cables, or says why it cannot. */
export function layWires(nodes: number, { mbits, delay }: WiresInit = {}): Wires | { readonly missing: string } {
  if (nodes > NODES_MAX) throw new RangeError(`${nodes} nodes; right is at most ${NODES_MAX}`);
  const id = process.pid;
  const bridge = `tb${id}`;
  const namespaceOf = (node: number) => `tutti-${id}-${node}`;
  /** Names of interfaces have 15 characters at most. */
  const linkOf = (node: number, what: 'h' | 'b') => `t${what}${id}-${node}`;
  const run = (program: string, args: readonly string[]) => spawnSync(program, args, { encoding: 'utf8' });
  const ip = (...args: readonly string[]) => run('ip', args);
  const mustRun = (program: string, args: readonly string[]) => {
    const { status, stderr, error } = run(program, args);
    if (error !== undefined || status !== 0)
      throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  };
  const must = (...args: readonly string[]) => mustRun('ip', args);
  const remove = () => {
    for (let node = 0; node < nodes; node++) {
      // A namespace lasts as long as a process in it, and its links as long: those go at once.
      for (const what of ['h', 'b'] as const) ip('link', 'del', linkOf(node, what));
      ip('netns', 'del', namespaceOf(node));
    }
    ip('link', 'del', bridge);
    process.off('exit', remove);
  };
  const inside = (node: number, ...args: readonly string[]) => must('-n', namespaceOf(node), ...args);
  const bucket = (device: string) =>
    ['qdisc', 'add', 'dev', device, 'root', 'tbf', 'rate', `${mbits}mbit`, 'burst', BURST, 'latency', QUEUE] as const;
  const neighbour = (verb: string, node: number) => ['neigh', verb, `${HOUSE}.${node + 1}`, 'dev', 'house'];
  process.once('exit', remove);
  try {
    must('link', 'add', bridge, 'type', 'bridge');
    must('link', 'set', bridge, 'up');
    for (let node = 0; node < nodes; node++) {
      const namespace = namespaceOf(node);
      must('netns', 'add', namespace);
      inside(node, 'link', 'set', 'lo', 'up');
      for (const [what, own] of [
        ['h', 'house'],
        ['b', 'bench'],
      ] as const) {
        must('link', 'add', linkOf(node, what), 'type', 'veth', 'peer', 'name', own, 'netns', namespace);
        must('link', 'set', linkOf(node, what), 'up');
        inside(node, 'link', 'set', own, 'up');
      }
      must('link', 'set', linkOf(node, 'h'), 'master', bridge);
      must('addr', 'add', `${benchAddress(node, 1)}/30`, 'dev', linkOf(node, 'b'));
      inside(node, 'addr', 'add', `${HOUSE}.${node + 1}/24`, 'dev', 'house');
      inside(node, 'addr', 'add', `${benchAddress(node, 2)}/30`, 'dev', 'bench');
      if (mbits !== undefined) {
        mustRun('tc', bucket(linkOf(node, 'h')));
        mustRun('tc', ['-n', namespace, ...bucket('house')]);
      }
      if (delay !== undefined) {
        const netem = ['netem', 'delay', `${delay.ms}ms`, `${delay.jitterMs}ms`];
        mustRun('tc', ['-n', namespace, 'qdisc', 'add', 'dev', 'house', 'root', ...netem]);
      }
    }
  } catch (error) {
    remove();
    return { missing: `no networks can be made here: ${(error as Error).message}` };
  }
  return {
    houseAddress: (node) => `${HOUSE}.${node + 1}`,
    benchAddress: (node) => benchAddress(node, 2),
    wrap: (node, command) => ['ip', 'netns', 'exec', namespaceOf(node), ...command],
    pull: (node) => must('link', 'set', linkOf(node, 'h'), 'down'),
    plug: (node) => must('link', 'set', linkOf(node, 'h'), 'up'),
    lose: (from, to) => inside(from, ...neighbour('replace', to), 'lladdr', NOBODY, 'nud', 'permanent'),
    restore: (from, to) => inside(from, ...neighbour('del', to)),
    remove,
  };
}
