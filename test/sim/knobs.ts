/**
 * Knobs: all that makes one simulation differ from another, drawn from its seed.
 *
 * A *profile* is a way of drawing them that dwells on one part of the machine: elections, power cuts, cards. A simulation is named by its
 * profile and seed; `without` leaves kinds of fault out of it and changes nothing else, which is how a failing one is made small.
 */
import type { Prng } from '../../src/core/prng.js';
import { TIMING_DEFAULT, type Timing } from '../../src/paxos/configuration.js';
import { around, between, chance, pick, streamOf } from './streams.js';

/** Every kind of fault, by the part of the world that it strikes. */
export const FAULT_KINDS = [
  // Messages between processes.
  'loss',
  'duplicate',
  'reorder',
  // Paths between machines.
  'delay',
  'one-way',
  'partition',
  'quorum-loss',
  'constrained',
  'chained',
  'reset',
  // Processes and their power.
  'pause',
  'kill',
  'power',
  'power-in-write',
  'house-dark',
  // Cards.
  'stall',
  'slow-card',
  'sync-fails',
  'write-fails',
  'disk-full',
  'bit-flip',
  'file-flip',
  'file-loss',
  'bad-chunks',
  'last-batch',
  'misdirected-read',
  'wipe',
  'restore',
  'clone',
  // Clocks.
  'wall-step',
  // Somebody sends a file, and a machine dies, or others are to vote.
  'upload-crash',
  'upload-voters',
  // People.
  'add-member',
  'remove-member',
  'voters',
] as const;

/** A kind of fault. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Faults that strike each message by chance; the others come at instants. */
const OF_MESSAGES: readonly FaultKind[] = ['loss', 'duplicate', 'reorder'];

/** True for what strikes messages by chance. */
export const strikesMessages = (kind: FaultKind): boolean => OF_MESSAGES.includes(kind);

/** One simulation's settings. */
export interface Knobs {
  /** Machines that are members from the start, all of which vote. */
  readonly voters: number;
  /** Machines that may be let in later. */
  readonly spares: number;
  readonly timing: Timing;
  /** Rates of the machines' clocks, parts per million. */
  readonly ratesPpm: readonly number[];
  readonly delayMs: number;
  readonly jitterMs: number;
  /** What a commit takes, from and to, milliseconds. */
  readonly commitMs: readonly [number, number];
  readonly clients: number;
  /** Between two requests of a client, on average, milliseconds. */
  readonly thinkMs: number;
  /** Part of the requests that read. */
  readonly readShare: number;
  /** Part of the writes that are long. */
  readonly wordyShare: number;
  /** Part of the other requests that are about files: sent, heard, removed. */
  readonly filesShare: number;
  /** Pages of the identifier ring: few make snapshots frequent; more than what clients can have under way at once. */
  readonly ringPages: number;
  /** How long faults go on, milliseconds of true time. */
  readonly faultsMs: number;
  /** Kinds that strike: of messages the share of them, 0 to 1; of the others the mean time between two, milliseconds. */
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** No bound on damage: a loud stop is demanded, and nothing else. */
  readonly beyond: boolean;
}

/** How a profile draws: what is left out comes from `mixed`. */
interface Profile {
  /** For people: what it dwells on. */
  readonly about: string;
  /** Kinds that always strike, with their mean milliseconds (shares for messages). */
  readonly faults: Partial<Record<FaultKind, number>>;
  readonly knobs?: (prng: Prng) => Partial<Knobs>;
  /** Draw other kinds of fault too. */
  readonly mixed?: boolean;
}

const shortTiming = (heartbeatMs: number): Timing => ({
  heartbeatMs,
  electionMs: heartbeatMs * 5,
  leaseMs: Math.floor(heartbeatMs * 4.5),
});

/** Patience of the house: as it ships, and from as fast as a failover is measured to slow links. */
const TIMINGS = [
  TIMING_DEFAULT,
  TIMING_DEFAULT,
  TIMING_DEFAULT,
  ...[30, 200, 200, 300, 300, 400, 400, 500, 500, 500].map(shortTiming),
];

/** A house in which much is asked, with logs that are quickly read when a node starts. */
const busy = { clients: 3, thinkMs: 1_200, ringPages: 40 } as const;

/** All profiles by name. */
export const PROFILES = {
  mixed: { about: 'a little of everything', faults: {}, mixed: true },
  calm: { about: 'no faults at all: what is wrong here is wrong always', faults: {} },
  messages: {
    about: 'messages that are lost, doubled and overtaken',
    faults: { loss: 0.15, duplicate: 0.1, reorder: 0.1, reset: 8_000 },
  },
  elections: {
    about: 'leaders that come and go over a bad network',
    faults: {
      loss: 0.05,
      duplicate: 0.05,
      reorder: 0.05,
      partition: 6_000,
      'one-way': 6_000,
      reset: 6_000,
      pause: 8_000,
      kill: 8_000,
    },
    knobs: () => busy,
  },
  partial: {
    about: 'partitions that leave some pairs connected',
    faults: { 'quorum-loss': 15_000, constrained: 15_000, chained: 15_000 },
    knobs: (prng) => ({ voters: pick(prng, [3, 5]) }),
  },
  power: {
    about: 'power that fails, in mid-write and in the whole house',
    faults: { power: 10_000, 'power-in-write': 6_000, 'house-dark': 20_000, kill: 15_000 },
    knobs: (prng) => ({ ...busy, wordyShare: 0.5, commitMs: pick(prng, [[0.5, 2] as const, [5, 60] as const]) }),
  },
  disk: {
    about: 'cards that lie, lose and stall',
    faults: {
      'bit-flip': 5_000,
      'last-batch': 12_000,
      'misdirected-read': 12_000,
      'sync-fails': 15_000,
      'write-fails': 20_000,
      stall: 20_000,
      'slow-card': 20_000,
      power: 15_000,
    },
    knobs: () => busy,
  },
  lost: {
    about: 'the latest agreement lost on one card while the other that has it is away',
    faults: { 'last-batch': 12_000, kill: 40_000 },
    knobs: (prng) => ({ ...busy, thinkMs: 800, voters: pick(prng, [3, 3, 5]) }),
  },
  cards: {
    about: 'cards that are wiped, restored and cloned, and their replacement',
    faults: { wipe: 40_000, restore: 40_000, clone: 60_000, kill: 15_000, power: 30_000 },
    knobs: (prng) => ({ voters: pick(prng, [3, 3, 5]), spares: 1 }),
  },
  membership: {
    about: 'members that come, go and change roles while leaders fail',
    faults: { 'add-member': 12_000, 'remove-member': 15_000, voters: 15_000, kill: 15_000, partition: 15_000 },
    knobs: (prng) => ({ voters: between(prng, 1, 4), spares: 2 }),
  },
  sessions: {
    about: 'forwarding, retries and duplicates over snapshots and restarts',
    faults: { loss: 0.15, duplicate: 0.2, reset: 4_000, kill: 8_000, pause: 10_000 },
    knobs: (prng) => ({ clients: 4, thinkMs: 800, readShare: 0, ringPages: pick(prng, [32, 48]) }),
  },
  leases: {
    about: 'lamps: stopped processes, slow links, clocks 1 % apart',
    faults: { pause: 4_000, partition: 5_000, 'one-way': 5_000, delay: 5_000, kill: 10_000 },
    knobs: (prng) => ({ delayMs: pick(prng, [1, 20, 60]), thinkMs: 4_000, clients: 1 }),
  },
  reads: {
    about: 'strong reads across changes of leaders',
    faults: { loss: 0.05, partition: 5_000, 'one-way': 5_000, pause: 6_000, delay: 8_000, kill: 10_000 },
    knobs: () => ({ clients: 4, thinkMs: 600, readShare: 0.6 }),
  },
  snapshots: {
    about: 'logs so small that nodes fall out of them',
    faults: { kill: 8_000, partition: 8_000, power: 15_000, 'power-in-write': 15_000 },
    knobs: (prng) => ({ clients: 4, thinkMs: 700, ringPages: pick(prng, [32, 40]), readShare: 0.1 }),
  },
  full: {
    about: 'disks that are full for long while much is asked',
    faults: { 'disk-full': 15_000, kill: 30_000, power: 40_000 },
    knobs: (prng) => ({ clients: 4, thinkMs: 1_000, ringPages: pick(prng, [40, 64]), readShare: 0.1 }),
  },
  tracks: {
    about: 'files on cards that die, lie and are full, and peers that give what is wrong',
    faults: {
      loss: 0.04,
      'upload-crash': 8_000,
      'power-in-write': 15_000,
      'file-flip': 15_000,
      'file-loss': 15_000,
      'bad-chunks': 20_000,
      'disk-full': 40_000,
      partition: 30_000,
    },
    knobs: (prng) => ({ thinkMs: 800, clients: 3, filesShare: 0.7, voters: pick(prng, [2, 3, 3, 5]) }),
  },
  'track-members': {
    about: 'members that come, go and change roles while files are on their way',
    faults: {
      'add-member': 10_000,
      'remove-member': 15_000,
      voters: 20_000,
      'upload-voters': 6_000,
      'upload-crash': 20_000,
      'slow-card': 12_000,
      'file-flip': 30_000,
      'file-loss': 30_000,
    },
    knobs: (prng) => ({ thinkMs: 800, clients: 3, filesShare: 0.7, voters: between(prng, 2, 4), spares: 2 }),
  },
  clocks: {
    about: 'wall clocks that jump, and houses that go dark',
    faults: { 'wall-step': 5_000, 'house-dark': 20_000, kill: 10_000, partition: 10_000 },
  },
  beyond: {
    about: 'more damage than any code can mend: it must stop, loudly, and never answer wrongly',
    faults: { 'bit-flip': 3_000, 'sync-fails': 10_000, wipe: 50_000, power: 8_000, 'house-dark': 30_000 },
    knobs: () => ({ ...busy, beyond: true }),
  },
} as const satisfies Record<string, Profile>;

/** Name of a profile. */
export type ProfileName = keyof typeof PROFILES;

/** True for the name of a profile. */
export const isProfile = (name: string): name is ProfileName => Object.hasOwn(PROFILES, name);

/** What a run of many seeds is made of: half of them mixed, the rest profile by profile. */
const ROTATION: readonly ProfileName[] = (Object.keys(PROFILES) as ProfileName[]).flatMap((name) =>
  name === 'mixed' ? [] : (['mixed', name] as const),
);

/** The profile of a seed where none is asked for. */
export const profileOf = (seed: number): ProfileName => ROTATION[seed % ROTATION.length]!;

/** What kinds of fault a mixed simulation may meet, with the mean times (or shares) that they are drawn around. */
const MIXED: Readonly<Record<FaultKind, number>> = {
  loss: 0.1,
  duplicate: 0.1,
  reorder: 0.1,
  delay: 15_000,
  'one-way': 20_000,
  partition: 20_000,
  'quorum-loss': 30_000,
  constrained: 30_000,
  chained: 30_000,
  reset: 15_000,
  pause: 20_000,
  kill: 20_000,
  power: 30_000,
  'power-in-write': 30_000,
  'house-dark': 60_000,
  stall: 40_000,
  'slow-card': 30_000,
  'sync-fails': 60_000,
  'write-fails': 60_000,
  'disk-full': 40_000,
  'bit-flip': 20_000,
  'file-flip': 20_000,
  'file-loss': 30_000,
  'bad-chunks': 30_000,
  'last-batch': 40_000,
  'misdirected-read': 40_000,
  wipe: 80_000,
  restore: 80_000,
  clone: 120_000,
  'wall-step': 40_000,
  'upload-crash': 30_000,
  'upload-voters': 60_000,
  'add-member': 60_000,
  'remove-member': 80_000,
  voters: 60_000,
};

/** What a mixed simulation draws besides faults. */
function basicKnobs(prng: Prng): Omit<Knobs, 'ratesPpm' | 'faults'> {
  return {
    voters: pick(prng, [1, 2, 3, 3, 3, 3, 3, 4, 5]),
    spares: pick(prng, [0, 0, 0, 1, 2]),
    timing: pick(prng, TIMINGS),
    delayMs: pick(prng, [0.2, 0.5, 2, 10]),
    jitterMs: pick(prng, [0, 0.3, 3, 20]),
    commitMs: pick(prng, [[0.3, 1] as const, [1, 8] as const, [5, 60] as const]),
    clients: between(prng, 1, 3),
    thinkMs: pick(prng, [1_000, 2_000, 4_000]),
    readShare: pick(prng, [0.1, 0.3]),
    wordyShare: pick(prng, [0, 0, 0.2]),
    filesShare: pick(prng, [0.1, 0.2, 0.4]),
    ringPages: pick(prng, [32, 40, 48, 64, 128]),
    faultsMs: between(prng, 90_000, 200_000),
    beyond: false,
  };
}

/**
 * How much longer faults go on in a house of this patience than in one as it ships: a quick one lives through as many elections in less time,
 * and costs the most to simulate.
 */
const spanOf = ({ heartbeatMs }: Timing): number =>
  heartbeatMs < TIMING_DEFAULT.heartbeatMs ? 0.5 : heartbeatMs > 2 * TIMING_DEFAULT.heartbeatMs ? 1.3 : 1;

/** The knobs of one simulation. */
export function drawKnobs(seed: number, name: ProfileName, without: ReadonlySet<FaultKind> = new Set()): Knobs {
  const prng = streamOf(seed, 'knobs');
  const profile: Profile = PROFILES[name];
  const drawn = { ...basicKnobs(prng), ...profile.knobs?.(prng) };
  // A house whose round trips take as long as its elections would have no leader for long: nobody sets it up like that.
  const wayMs = drawn.timing.heartbeatMs / 4;
  const basic = {
    ...drawn,
    delayMs: Math.min(drawn.delayMs, wayMs),
    jitterMs: Math.min(drawn.jitterMs, wayMs),
    faultsMs: Math.round(drawn.faultsMs * spanOf(drawn.timing)),
  };
  const ratesPpm = Array.from({ length: basic.voters + basic.spares }, () => between(prng, -5_000, 5_000));
  const faults = new Map<FaultKind, number>();
  for (const kind of FAULT_KINDS) {
    const own = profile.faults[kind];
    const isDrawn = own === undefined && profile.mixed === true && chance(prng, 0.25);
    const mean = own ?? (isDrawn ? MIXED[kind] : undefined);
    // Drawn even where it is left out, so that all draws after it stay as they are.
    const value = mean === undefined ? undefined : around(prng, mean) + mean / 10;
    if (value === undefined || without.has(kind)) continue;
    faults.set(kind, strikesMessages(kind) ? Math.min(0.3, value) : value);
  }
  return { ...basic, ratesPpm, faults };
}

/** For people: the knobs in one line. */
export function knobsText(knobs: Knobs): string {
  const faults = [...knobs.faults].map(([kind, value]) =>
    strikesMessages(kind) ? `${kind} ${(100 * value).toFixed(0)} %` : `${kind} every ${(value / 1000).toFixed(0)} s`,
  );
  const { voters, spares, timing, delayMs, jitterMs, commitMs, clients, thinkMs, ringPages } = knobs;
  return [
    `${voters} voters, ${spares} spares`,
    `heartbeat ${timing.heartbeatMs} ms, election ${timing.electionMs} ms, lease ${timing.leaseMs} ms`,
    `delay ${delayMs} + ${jitterMs} ms, commit ${commitMs.join(' to ')} ms`,
    `${clients} clients every ${thinkMs} ms, ring of ${ringPages} pages`,
    faults.length === 0 ? 'no faults' : faults.join(', '),
  ].join('; ');
}
