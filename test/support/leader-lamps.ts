/**
 * A house of three whose leader ends again and again: killed, stopped in the middle of what it does (SIGSTOP) and in order, in turn; and the lamps
 * that say who leads, looked at all the while.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './daemon.js';
import { NODE_NAMES, type NodeName } from './three-nodes.js';
import type { WiredHouse } from './wired-house.js';

/** How a leader ends. */
const WAYS = ['SIGKILL', 'SIGSTOP', 'SIGTERM'] as const;
type Way = (typeof WAYS)[number];
const LOOK_EVERY_MS = 2;
/** What the unit runs after each end (ExecStopPost). */
const LAMPS_OFF = fileURLToPath(new URL('../../tutti/lamps-off.js', import.meta.url));

export interface LampsInit {
  /** How often the leader changes. */
  readonly changes: number;
  readonly isLit: (name: NodeName) => boolean;
  /** The node's environment, by which its lamp is found. */
  readonly envOf: (name: NodeName) => Readonly<Record<string, string>>;
}

/** Two lamps that shone at once. */
export interface Overlap {
  /** How the leader before had ended, or was ending. */
  readonly way: Way | null;
  readonly lit: readonly NodeName[];
  readonly ms: number;
}

export interface LampsSeen {
  readonly changes: number;
  /** How often all lamps were looked at. */
  readonly looks: number;
  readonly overlaps: readonly Overlap[];
}

/** Ends leader after leader, and starts them again. */
export async function watchLamps(house: WiredHouse, { changes, isLit, envOf }: LampsInit): Promise<LampsSeen> {
  const overlaps: Overlap[] = [];
  let way: Way | null = null;
  let looks = 0;
  let two: { readonly since: number; readonly lit: readonly NodeName[]; readonly way: Way | null } | null = null;
  const lit = () => NODE_NAMES.filter(isLit);
  const looking = setInterval(() => {
    looks += 1;
    const now = performance.now();
    const names = lit();
    if (names.length > 1) two ??= { since: now, lit: names, way };
    else if (two !== null) {
      overlaps.push({ way: two.way, lit: two.lit, ms: Math.round(now - two.since) });
      two = null;
    }
  }, LOOK_EVERY_MS);
  const log = () => NODE_NAMES.map((name) => [name, isLit(name), house.daemons[name].errors.slice(-2_000)]);
  const lampOff = async (name: NodeName) => {
    const env = { PATH: process.env.PATH, ...envOf(name) };
    await once(spawn(process.execPath, [LAMPS_OFF], { env, stdio: 'ignore' }), 'exit');
  };

  try {
    for (let change = 0; change < changes; change++) {
      const leader = await house.leader();
      await until('the leader alone shines', () => lit().join() === leader, log);
      way = WAYS[change % WAYS.length]!;
      const next = () => until('another shines', () => lit().some((name) => name !== leader), log);
      if (way === 'SIGTERM') await house.daemons[leader].end();
      else {
        if (way === 'SIGSTOP') {
          house.daemons[leader].process.kill('SIGSTOP');
          await next();
          // Sooner or later the watchdog ends it.
        }
        await house.kill(leader);
        await lampOff(leader);
        if (isLit(leader)) throw new Error(`the lamp of ${leader}, which was ended, still shines`);
      }
      await next();
      await until('it shines alone', () => lit().length === 1, log);
      await house.restart(leader);
    }
  } finally {
    clearInterval(looking);
  }
  return { changes, looks, overlaps };
}
