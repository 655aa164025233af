/**
 * Faults: what goes wrong, kind by kind. Each injects one instance when its time has come; `world.count` says that it truly happened.
 *
 * Faults that harm a card ask the atlas first; those that end a process leave it to the house's owner to start it again.
 */
import type { Prng } from '../../src/core/prng.js';
import type { FakeNetwork } from '../../src/ports/fake-network.js';
import { TMP, TRACKS } from '../../src/tracks/paths.js';
import type { Atlas } from './atlas.js';
import type { FaultKind } from './knobs.js';
import type { Machine } from './machine.js';
import { copyDisk, filesBelow, sizeOf } from './sim-disk.js';
import { around, between, chance, pick } from './streams.js';

/** What a fault may touch. */
export interface FaultWorld {
  readonly network: FakeNetwork;
  readonly machines: readonly Machine[];
  readonly atlas: Atlas;
  /** Who leads, as far as anybody knows. */
  leader(): Machine | null;
  /** Machines that vote in the latest configuration. */
  voters(): readonly Machine[];
  /**
   * All others know of the process that runs there. An older image of a card is found out by those who know what the card did since; one
   * that only meets nodes that were away meanwhile is not, which is said in the docs, and no fault of the code.
   */
  isKnown(machine: Machine): boolean;
  /** This path is as at the beginning. */
  calmPath(path: { readonly from: string; readonly to: string }): void;
  /** Its card is in doubt from now on. */
  harm(machine: Machine): void;
  /** It happened. */
  count(kind: FaultKind): void;
  trace(who: string, text: string): void;
  /** Calls back in so many milliseconds of true time, unless the faults are over by then: then at once. */
  until(ms: number, callback: () => void): void;
  /** The owner switches a machine on again after a while. */
  startLater(machine: Machine, ms: number): void;
  /** The owner lets a machine with an empty card in, in place of its former self or anew. */
  letIn(machine: Machine): void;
  /** The owner takes a card out and puts an empty one in, after a while. */
  replaceLater(machine: Machine, ms: number): void;
  /** Calls back once, when somebody begins to send a file to a machine. */
  atNextUpload(callback: (machine: Machine) => void): void;
  /** Somebody asks for another set of members. */
  remove(machine: Machine): void;
  setVoters(machines: readonly Machine[]): void;
}

type Inject = (world: FaultWorld, prng: Prng) => unknown;

const running = ({ machines }: FaultWorld): Machine[] => machines.filter(({ isOn }) => isOn);

/** A machine that runs and may be harmed; undefined where there is none. */
function victim(world: FaultWorld, prng: Prng): Machine | undefined {
  const machines = running(world).filter(
    ({ number, isUp, isAwaitingReplacement }) => isUp && !isAwaitingReplacement && world.atlas.mayHarm(number),
  );
  return machines.length === 0 ? undefined : pick(prng, machines);
}

/** A machine whose card is harmed now, and the files of tracks on it, of which there are some; undefined where there is none. */
function harmedTrackFiles(world: FaultWorld, prng: Prng) {
  const machine = victim(world, prng);
  if (machine === undefined || !machine.disk.exists(TRACKS)) return undefined;
  const files = [TRACKS, TMP].flatMap((folder) => filesBelow(machine.disk, folder)).filter(({ size }) => size > 0);
  if (files.length === 0) return undefined;
  world.harm(machine);
  return { machine, files };
}

/** The power goes, and is back a moment later: the card is read anew. */
function cutShortly(world: FaultWorld, prng: Prng, machine: Machine): void {
  machine.cutPower();
  world.startLater(machine, 200 + around(prng, 1_000));
}

/** Cuts the path from each machine to each other where `isCut` says so, for a while. */
function cutPaths(world: FaultWorld, ms: number, isCut: (from: Machine, to: Machine) => boolean): void {
  const { network, machines } = world;
  const cuts = machines.flatMap((from) =>
    machines.filter((to) => to !== from && isCut(from, to)).map((to) => ({ from: from.host, to: to.host })),
  );
  for (const { from, to } of cuts) network.cut(from, to);
  world.trace('network', `cuts ${cuts.map(({ from, to }) => `${from}>${to}`).join(' ')} for ${ms.toFixed(0)} ms`);
  world.until(ms, () => {
    for (const path of cuts) network.heal(path);
    world.trace('network', `mends ${cuts.map(({ from, to }) => `${from}>${to}`).join(' ')}`);
  });
}

const shuffledMachines = (machines: readonly Machine[], prng: Prng): Machine[] => {
  const rest = [...machines];
  return machines.map(() => rest.splice(prng.below(rest.length), 1)[0]!);
};

/** All but the paths between `hub` and the others. */
export const allBut =
  (hub: Machine) =>
  (from: Machine, to: Machine): boolean =>
    from !== hub && to !== hub;

/** All paths of the leader, and all others but those of `hub`. */
export const leaderAndAllBut =
  (leader: Machine, hub: Machine) =>
  (from: Machine, to: Machine): boolean =>
    from === leader || to === leader || allBut(hub)(from, to);

/** All paths but those between neighbours of a line. */
export const allButNeighbours =
  (line: readonly Machine[]) =>
  (from: Machine, to: Machine): boolean =>
    Math.abs(line.indexOf(from) - line.indexOf(to)) !== 1;

/** Somebody wants others to vote; false where nobody can want that now. */
function changeVoters(world: FaultWorld, prng: Prng): boolean {
  const members = world.machines.filter(({ isUp }) => isUp);
  if (world.atlas.inDoubt.length > 0 || members.length === 0) return false;
  const count = pick(
    prng,
    [1, 2, 3, 3, 5].filter((wanted) => wanted <= members.length),
  );
  world.setVoters(shuffledMachines(members, prng).slice(0, count));
  return true;
}

const inject: Readonly<Record<Exclude<FaultKind, 'loss' | 'duplicate' | 'reorder'>, Inject>> = {
  delay: (world, prng) => {
    if (world.machines.length < 2) return;
    const [from, to] = shuffledMachines(world.machines, prng) as [Machine, Machine];
    const path = { from: from.host, to: to.host };
    world.network.setConditions({ delayMs: between(prng, 50, 600), jitterMs: between(prng, 0, 300) }, path);
    world.trace('network', `slow from ${from.name} to ${to.name}`);
    world.count('delay');
    world.until(around(prng, 3_000), () => world.calmPath(path));
  },
  'one-way': (world, prng) => {
    if (world.machines.length < 2) return;
    const [deaf, mute] = shuffledMachines(world.machines, prng) as [Machine, Machine];
    const all = chance(prng, 0.5);
    cutPaths(world, around(prng, 4_000), (from, to) => (all || from === mute) && to === deaf);
    world.count('one-way');
  },
  partition: (world, prng) => {
    if (world.machines.length < 2) return;
    const side = new Set(world.machines.filter(() => chance(prng, 0.5)));
    if (side.size === 0 || side.size === world.machines.length) return;
    cutPaths(world, around(prng, 6_000), (from, to) => side.has(from) !== side.has(to));
    world.count('partition');
  },
  'quorum-loss': (world, prng) => {
    const leader = world.leader();
    const hubs = world.voters().filter((machine) => machine !== leader);
    if (leader === null || world.voters().length < 3) return;
    cutPaths(world, around(prng, 6_000), allBut(pick(prng, hubs)));
    world.count('quorum-loss');
  },
  constrained: (world, prng) => {
    const leader = world.leader();
    const hubs = world.voters().filter((machine) => machine !== leader);
    if (leader === null || world.voters().length < 3) return;
    cutPaths(world, around(prng, 6_000), leaderAndAllBut(leader, pick(prng, hubs)));
    world.count('constrained');
  },
  chained: (world, prng) => {
    const leader = world.leader();
    if (leader === null || world.voters().length < 3) return;
    const line = [
      leader,
      ...shuffledMachines(
        world.voters().filter((machine) => machine !== leader),
        prng,
      ),
    ];
    cutPaths(world, around(prng, 6_000), allButNeighbours(line));
    world.count('chained');
  },
  reset: (world, prng) => {
    if (world.machines.length < 2) return;
    const [a, b] = shuffledMachines(world.machines, prng) as [Machine, Machine];
    world.network.reset(a.host, b.host);
    world.trace('network', `resets ${a.name} ${b.name}`);
    world.count('reset');
  },

  pause: (world, prng) => {
    const machines = running(world).filter(({ isPaused }) => !isPaused);
    if (machines.length === 0) return;
    const leader = world.leader();
    const machine = leader !== null && chance(prng, 0.5) && machines.includes(leader) ? leader : pick(prng, machines);
    machine.pause();
    world.count('pause');
    const process = machine.processId;
    world.until(around(prng, pick(prng, [200, 1_000, 3_000])), () => {
      if (machine.processId === process) machine.resume();
    });
  },
  kill: (world, prng) => {
    const machines = running(world);
    if (machines.length === 0) return;
    const leader = world.leader();
    const machine = leader !== null && chance(prng, 0.4) && machines.includes(leader) ? leader : pick(prng, machines);
    machine.kill();
    world.count('kill');
    world.startLater(machine, 50 + around(prng, pick(prng, [100, 3_000])));
  },
  power: (world, prng) => {
    const machines = running(world);
    if (machines.length === 0) return;
    const machine = pick(prng, machines);
    machine.cutPower();
    world.count('power');
    world.startLater(machine, 200 + around(prng, 3_000));
  },
  'power-in-write': (world, prng) => {
    const machines = running(world);
    if (machines.length === 0) return;
    const machine = pick(prng, machines);
    // Counted when it strikes: see owner.ts.
    machine.disk.cutPowerAt(machine.disk.changes + prng.below(12));
  },
  'house-dark': (world, prng) => {
    const machines = running(world);
    if (machines.length === 0) return;
    world.trace('house', 'is dark');
    world.count('house-dark');
    const goesDark = () => {
      for (const machine of machines) {
        if (machine.isOn) machine.cutPower();
        world.startLater(machine, 200 + around(prng, 2_000));
      }
    };
    if (chance(prng, 0.5)) {
      goesDark();
      return;
    }
    // In mid-write, and in the same one: the next batch that a leader sends around goes down nowhere, or in parts.
    for (const machine of machines) machine.disk.cutPowerAt(machine.disk.changes + prng.below(3));
    world.until(500 + around(prng, 1_000), goesDark);
  },

  stall: (world, prng) => {
    const machines = running(world);
    if (machines.length === 0) return;
    const leader = world.leader();
    const machine = leader !== null && chance(prng, 0.5) && machines.includes(leader) ? leader : pick(prng, machines);
    const ms = between(prng, 500, 8_000);
    machine.stalledUntilNs = world.network.time.now() + BigInt(ms) * 1_000_000n;
    world.trace(machine.name, `its disk stalls for ${ms} ms`);
    world.count('stall');
  },
  'slow-card': (world, prng) => {
    const machine = pick(prng, world.machines);
    machine.slowness = between(prng, 5, 30);
    world.trace(machine.name, `its disk is ${machine.slowness} times slower`);
    world.count('slow-card');
    world.until(around(prng, 6_000), () => {
      machine.slowness = 1;
    });
  },
  'sync-fails': (world, prng) => {
    const machine = victim(world, prng);
    if (machine === undefined) return;
    world.harm(machine);
    machine.needsPowerCycle = true;
    machine.failsSoon = true;
    machine.disk.failNext('sync');
    world.trace(machine.name, 'its next sync will fail');
    world.count('sync-fails');
  },
  'write-fails': (world, prng) => {
    const machine = victim(world, prng);
    if (machine === undefined) return;
    machine.failsSoon = true;
    machine.disk.failNext('write');
    world.trace(machine.name, 'its next write will fail');
    world.count('write-fails');
  },
  'disk-full': (world, prng) => {
    const machine = pick(prng, world.machines);
    if (machine.isFull) return;
    const meanMs = pick(prng, [8_000, 8_000, 40_000]);
    machine.isFull = true;
    machine.disk.setFreeBytes(0);
    world.trace(machine.name, 'its disk is full');
    world.count('disk-full');
    world.until(around(prng, meanMs), () => {
      machine.isFull = false;
      machine.fullAtNs = world.network.time.now();
      machine.disk.setFreeBytes(1e9);
    });
  },
  'bit-flip': (world, prng) => {
    const machine = victim(world, prng);
    if (machine === undefined) return;
    // Of the log: those of tracks are struck by a fault of their own.
    const files = filesBelow(machine.disk, 'consensus').filter(({ size }) => size > 0);
    if (files.length === 0) return;
    world.harm(machine);
    const times = pick(prng, [1, 1, 3, 10]);
    for (let i = 0; i < times; i++) {
      const { path, size } = pick(prng, files);
      machine.disk.flipBit(path, prng.below(size), prng.below(8));
    }
    world.trace(machine.name, `${times} bits of its card flip`);
    world.count('bit-flip');
    // It is found out when the card is read.
    if (chance(prng, 0.6)) cutShortly(world, prng, machine);
  },
  'file-flip': (world, prng) => {
    const harmed = harmedTrackFiles(world, prng);
    if (harmed === undefined) return;
    const { machine, files } = harmed;
    const times = pick(prng, [1, 1, 4]);
    for (let i = 0; i < times; i++) {
      const { path, size } = pick(prng, files);
      machine.disk.flipBit(path, prng.below(size), prng.below(8));
    }
    world.trace(machine.name, `${times} bits of its track files flip`);
    world.count('file-flip');
    // Else it is found out when it is played, given to somebody, or looked through.
    if (chance(prng, 0.3)) cutShortly(world, prng, machine);
  },
  'file-loss': (world, prng) => {
    const harmed = harmedTrackFiles(world, prng);
    if (harmed === undefined) return;
    const { machine, files } = harmed;
    const times = pick(prng, [1, 1, 4]);
    for (let i = 0; i < times; i++) {
      const { path } = pick(prng, files);
      // It may have been met before.
      const size = machine.disk.exists(path) ? sizeOf(machine.disk, path) : 0;
      if (size === 0) continue;
      const isGone = chance(prng, 0.5) && machine.disk.lose(path);
      if (!isGone) machine.disk.cutShort(path, prng.below(size));
      world.trace(machine.name, `its card ${isGone ? 'loses' : 'cuts short'} ${path.slice(0, 24)}${path.slice(-7)}`);
    }
    world.count('file-loss');
    // Else it is found out when it is played, given to somebody, or looked through.
    if (chance(prng, 0.5)) cutShortly(world, prng, machine);
  },
  'bad-chunks': (world, prng) => {
    const machine = pick(prng, world.machines);
    machine.spoils = pick(prng, [0.1, 0.5, 1]);
    world.trace(machine.name, `spoils ${100 * machine.spoils} % of the pieces of files that it sends`);
    world.count('bad-chunks');
    world.until(around(prng, 10_000), () => {
      machine.spoils = 0;
    });
  },
  'upload-crash': (world, prng) => {
    const isUploader = chance(prng, 0.5);
    const isPower = chance(prng, 0.5);
    const afterMs = pick(prng, [10, 50, 200, 1_000]) * prng.fraction();
    world.atNextUpload((uploader) => {
      world.until(afterMs, () => {
        const others = running(world).filter((machine) => machine !== uploader);
        const machine = isUploader || others.length === 0 ? uploader : pick(prng, others);
        if (!machine.isOn) return;
        if (isPower) machine.cutPower();
        else machine.kill();
        world.count('upload-crash');
        world.startLater(machine, 100 + around(prng, 2_000));
      });
    });
  },
  'last-batch': (world, prng) => {
    // What a quorum has just agreed on is known to the leader and one more, whose card loses it; the leader goes, and who was cut off is left
    // with the one that knows that it has lost something.
    const leader = world.leader();
    const others = world.voters().filter((machine) => machine !== leader && machine.isUp);
    if (leader === null || others.length < 2 || others.length % 2 === 1) return;
    const [loser, ...rest] = shuffledMachines(others, prng) as [Machine, ...Machine[]];
    const behind = new Set(rest.slice(0, others.length / 2));
    const ms = between(prng, 800, 2_500);
    cutPaths(world, ms, (from, to) => behind.has(from) !== behind.has(to));
    world.until(ms, () => {
      if (!loser.isUp || loser.isAwaitingReplacement || !world.atlas.mayHarm(loser.number)) return;
      const both = chance(prng, 0.5);
      world.harm(loser);
      loser.cutPower();
      world.startLater(loser, 100);
      if (!loser.disk.loseLastBatch(both)) return;
      world.trace(loser.name, `its card loses the last batch${both ? ' and its identifier' : ''}`);
      world.count('last-batch');
      if (!leader.isOn) return;
      leader.kill();
      // Long enough for the others to come to a ballot of their own.
      world.startLater(leader, 4_000 + around(prng, 4_000));
    });
  },
  'misdirected-read': (world, prng) => {
    const machine = victim(world, prng);
    if (machine === undefined) return;
    world.harm(machine);
    machine.cutPower();
    machine.failsSoon = true;
    machine.disk.misdirectOneOf(200);
    world.trace(machine.name, 'one of its reads will go astray');
    world.count('misdirected-read');
    world.startLater(machine, 200 + around(prng, 1_000));
  },
  wipe: (world, prng) => {
    const machine = victim(world, prng);
    if (machine === undefined) return;
    world.harm(machine);
    machine.cutPower();
    world.trace(machine.name, 'its card is wiped');
    world.count('wipe');
    world.replaceLater(machine, around(prng, 3_000));
  },
  restore: (world, prng) => {
    const machine = victim(world, prng);
    if (machine === undefined) return;
    const { identity } = machine;
    machine.cutPower();
    const image = machine.newDisk();
    copyDisk(machine.disk, image);
    world.trace(machine.name, 'an image of its card is taken');
    world.startLater(machine, 200);
    // It must have run since, and others must know: an image of a card that did nothing since is the card.
    world.until(4_000 + around(prng, 8_000), () => {
      if (machine.identity !== identity || !machine.isUp || machine.isAwaitingReplacement) return;
      if (!world.atlas.mayHarm(machine.number) || !world.isKnown(machine)) return;
      world.harm(machine);
      machine.cutPower();
      machine.insert(image, identity);
      machine.imaged = true;
      world.trace(machine.name, 'its card is overwritten with the image');
      world.count('restore');
      world.startLater(machine, 200);
      world.replaceLater(machine, 5_000 + around(prng, 5_000));
    });
  },
  clone: (world, prng) => {
    const host = world.machines.find(({ isSpare }) => isSpare);
    const machine = victim(world, prng);
    if (machine === undefined || host === undefined) return;
    const { identity } = machine;
    machine.cutPower();
    const image = machine.newDisk();
    copyDisk(machine.disk, image);
    world.trace(machine.name, 'a copy of its card is made');
    world.startLater(machine, 100);
    world.until(3_000 + around(prng, 3_000), () => {
      if (!host.isSpare || machine.identity !== identity || !machine.isUp) return;
      if (machine.isAwaitingReplacement || !world.atlas.mayHarm(machine.number) || !world.isKnown(machine)) return;
      world.harm(machine);
      machine.isAwaitingReplacement = true;
      host.insert(image, identity);
      host.imaged = true;
      host.isClone = true;
      world.trace(host.name, `runs a clone of the card of ${machine.name}`);
      world.count('clone');
      host.start();
      world.until(4_000 + around(prng, 6_000), () => {
        // It may have been wiped meanwhile, and let in under a name of its own.
        if (host.isClone) {
          if (host.isOn) host.kill();
          host.insert(host.newDisk(), null);
        }
        world.replaceLater(machine, 500);
      });
    });
  },

  'wall-step': (world, prng) => {
    const machines = running(world);
    if (machines.length === 0) return;
    pick(prng, machines).stepWallClock(pick(prng, [-1, 1]) * between(prng, 1_000, 400_000_000));
    world.count('wall-step');
  },

  'add-member': (world, prng) => {
    const spares = world.machines.filter(({ isSpare }) => isSpare);
    if (spares.length === 0) return;
    world.letIn(pick(prng, spares));
  },
  'remove-member': (world, prng) => {
    const voters = world.voters();
    if (world.atlas.inDoubt.length > 0 || voters.length < 2) return;
    const members = world.machines.filter(({ isUp, identity }) => isUp && identity !== null);
    if (members.length > 1) world.remove(pick(prng, members));
  },
  voters: (world, prng) => changeVoters(world, prng),
  'upload-voters': (world, prng) => {
    const afterMs = pick(prng, [1, 20, 100, 500]) * prng.fraction();
    world.atNextUpload(() => {
      world.until(afterMs, () => {
        if (changeVoters(world, prng)) world.count('upload-voters');
      });
    });
  },
};

/** Injects one instance of `kind`. */
export function strike(kind: FaultKind, world: FaultWorld, prng: Prng): void {
  if (kind !== 'loss' && kind !== 'duplicate' && kind !== 'reorder') inject[kind](world, prng);
}
