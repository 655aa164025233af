/**
 * Liveness: what a house must come to once the faults are over.
 *
 * Somebody is served within four election timeouts and what restarts take; all come to hold the same; a leader that is cut off or whose disk
 * hangs is replaced in time; every card gets the files of the library, and no others; and a house that nobody asks falls silent. Each has its
 * bound, for without one a promise of progress cannot be broken.
 */
import { DISK_STALL_MS } from '../../src/paxos/limits.js';
import type { FakeNetwork } from '../../src/ports/fake-network.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import { EVERYWHERE, LIVENESS } from './checkers/checkers.js';
import type { Clients } from './clients.js';
import type { EventLoop } from './event-loop.js';
import type { FaultSchedule } from './fault-schedule.js';
import { allBut, allButNeighbours, leaderAndAllBut } from './faults.js';
import type { House } from './house.js';
import type { Knobs } from './knobs.js';
import type { Machine } from './machine.js';
import type { Owner } from './owner.js';
import type { Reference } from './reference.js';
import { pick, streamOf } from './streams.js';
import type { Trace } from './trace.js';
import type { TrackLedger } from './track-ledger.js';
import type { Witness } from './witness.js';

/** How long a house may take to come up at first, milliseconds. */
const FORMING_MS = 30_000;
/** How long everyone may take to hold the same once faults are over, milliseconds: time-outs of connections, snapshots, replacements. */
const CONVERGING_MS = 60_000;
/** How often it is asked of every card whether it has all files, nanoseconds of true time. */
const FILES_QUESTION_NS = 500_000_000n;
/** How long the files may take then, milliseconds: a peer that gave a wrong piece is not asked for a minute, and what nobody wants lingers. */
const FILES_SETTLE_MS = 240_000;
/** How long an idle house is watched, milliseconds. */
const IDLE_MS = 10_000;
/** And how long it may take before it is idle, milliseconds. */
const FALLING_SILENT_MS = 60_000;
/** Commands, one after another, of which none may wait for a disk that hangs. */
const STALLED_PROBES = 6;
/** How long that disk hangs, nanoseconds: longer than all of them are given. */
const STALL_NS = 60_000_000_000n;
/** A log that is full for want of room for a snapshot finds out within this that there is room again: see replication/snapshots.ts. Milliseconds. */
const ROOM_FOUND_MS = 10_000;
/** A new leader's phase 1, its first entry and a command: round trips with a commit at each end, some of them asked for once more. */
const COMMAND_STEPS = 6;
/** A new connection after a lost one, milliseconds: see FakePeerLink. */
const RECONNECT_MS = 400;
/** Between two looks whether a machine that did not answer does now, milliseconds. */
const ASK_AGAIN_MS = 50;

/** What it takes to ask that of a house. */
export interface LivenessComponents {
  readonly time: FakeTime;
  readonly loop: EventLoop;
  readonly network: FakeNetwork;
  readonly house: House;
  readonly owner: Owner;
  readonly clients: Clients;
  readonly schedule: FaultSchedule;
  readonly ledger: TrackLedger;
  readonly reference: Reference;
  readonly witness: Witness;
  /** Null where nobody reads it. */
  readonly trace: Trace | null;
}

/** Demands it of one house. */
export class Liveness {
  readonly #parts: LivenessComponents;
  readonly #seed: number;
  readonly #knobs: Knobs;

  constructor(components: LivenessComponents, init: { readonly seed: number; readonly knobs: Knobs }) {
    this.#parts = components;
    this.#seed = init.seed;
    this.#knobs = init.knobs;
  }

  /** Demands that somebody leads, of a house that was started just now. */
  async form(): Promise<void> {
    const { loop, house } = this.#parts;
    const isLed = loop.nowAndThen(() => house.leader() !== null);
    if (!(await loop.pass(FORMING_MS, isLed))) {
      this.#violate(`nobody leads ${FORMING_MS} ms after all have started`);
    }
  }

  /**
   * Demands progress, agreement, and silence, of a house whose faults are over just now. True where nobody is served, which only a house
   * beyond the atlas may come to.
   */
  async settle(): Promise<boolean> {
    const { loop, house, clients, reference, witness } = this.#parts;
    const { beyond, voters } = this.#knobs;
    const boundMs = this.#progressMs();
    const served = await this.#isServed(boundMs, house.machines);
    if (!served) {
      if (!beyond) this.#violate(`nobody is served ${boundMs.toFixed(0)} ms after the faults are over`);
      return true;
    }
    const haveConverged = loop.nowAndThen(() => this.#haveConverged());
    const converged = await loop.pass(CONVERGING_MS, haveConverged);
    if (!converged) {
      if (!beyond) this.#violate(`${this.#whoIsApart()} ${CONVERGING_MS} ms after the faults are over`);
      return false;
    }
    if (voters >= 3 && !beyond) await this.#hardCase();
    clients.stop();
    await loop.pass(CONVERGING_MS, () => clients.isQuiet && haveConverged());
    if (!beyond) {
      await this.#settleFiles();
      // Who lets a file go has that agreed.
      await loop.pass(CONVERGING_MS, haveConverged);
    }
    for (const machine of house.members()) machine.hashState();
    reference.hashState();
    witness.observe({
      type: 'converged',
      nodes: house.members().map((machine) => ({ process: machine.processId!, slot: machine.appliedSlot })),
    });
    await this.#fallSilent();
    return false;
  }

  // ---- Progress -------------------------------------------------------------------------------------------------------------------

  /** How long a quorum may take to serve somebody: restarted nodes keep their leases, connections come up, then four election timeouts. */
  #progressMs(): number {
    const { timing, delayMs, jitterMs, commitMs, faults } = this.#knobs;
    const roundTripMs = 2 * (delayMs + jitterMs);
    const roomMs = faults.has('disk-full') ? ROOM_FOUND_MS : 0;
    return roomMs + timing.leaseMs * 1.05 + RECONNECT_MS + 4 * timing.electionMs + 20 * (roundTripMs + 2 * commitMs[1]);
  }

  /** How long it may take in a house in which nothing is restarted: four election timeouts, of the slowest clock, and the first command. */
  #takeoverMs(): number {
    const { timing, delayMs, jitterMs, commitMs } = this.#knobs;
    return 1.01 * (4 * timing.electionMs) + COMMAND_STEPS * (2 * (delayMs + jitterMs) + commitMs[1]);
  }

  /** Whether anybody at any of `machines` gets something done within `ms`. */
  async #isServed(ms: number, machines: readonly Machine[]): Promise<boolean> {
    const { loop, clients } = this.#parts;
    let served = false;
    let over = false;
    const ask = async (machine: Machine): Promise<void> => {
      while (!served && !over) {
        if (machine.answers && (await clients.probe(machine))) served = true;
        else await loop.wait(ASK_AGAIN_MS);
      }
    };
    for (const machine of machines) void ask(machine);
    await loop.pass(ms, () => served);
    over = true;
    return served;
  }

  /**
   * A hard case after all is well: a partition that leaves a node with a quorum, though its leader has none; or a leader whose disk
   * hangs while its network is fine. Somebody must be served within the same bound.
   */
  async #hardCase(): Promise<void> {
    const { time, loop, network, house, schedule, witness, trace } = this.#parts;
    // Whose log is full may not have tried yet whether there is room again, and cannot serve before.
    if (this.#knobs.faults.has('disk-full')) await loop.pass(ROOM_FOUND_MS);
    const prng = streamOf(this.#seed, 'hard case');
    const leader = house.leader();
    const voters = house.voters();
    const others = voters.filter((machine) => machine !== leader);
    if (leader === null || voters.length < 3) return;
    const hub = pick(prng, others);
    const kind = pick(prng, ['quorum-loss', 'constrained', 'chained', 'stall'] as const);
    const isCut = {
      'quorum-loss': allBut(hub),
      constrained: leaderAndAllBut(leader, hub),
      chained: allButNeighbours([leader, hub, ...others.filter((machine) => machine !== hub)]),
      stall: () => false,
    }[kind];
    for (const from of house.machines) {
      for (const to of house.machines) if (from !== to && isCut(from, to)) network.cut(from.host, to.host);
    }
    if (kind === 'stall') leader.stalledUntilNs = time.now() + STALL_NS;
    trace?.line('world', `${kind}: leader ${leader.name}, hub ${hub.name}`);
    schedule.count(kind);
    const boundMs = this.#takeoverMs() + (kind === 'stall' ? DISK_STALL_MS : 0);
    const asked = kind === 'stall' ? others : voters;
    // The others' disks are enough for the first few commands: it is their leader's queue that fills.
    for (let times = kind === 'stall' ? STALLED_PROBES : 1; times > 0 && witness.violation === null; times--) {
      const served = await this.#isServed(boundMs, asked);
      if (!served) this.#violate(`nobody is served within ${boundMs.toFixed(0)} ms of a ${kind}`);
    }
    network.heal();
    leader.stalledUntilNs = 0n;
    if (kind !== 'stall' || !leader.isOn) return;
    // What its disk was asked for meanwhile is still to come: nobody waits a minute for it.
    leader.cutPower();
    leader.start();
  }

  // ---- Agreement ------------------------------------------------------------------------------------------------------------------

  #haveConverged(): boolean {
    const { house, owner } = this.#parts;
    const latest = house.latest();
    if (
      latest === null ||
      owner.isChangingMembers ||
      house.hasLostVoter() ||
      house.machines.some(({ isAwaitingReplacement }) => isAwaitingReplacement)
    ) {
      return false;
    }
    return house
      .members()
      .every(
        (machine) => machine.isUp && machine.appliedSlot === latest.appliedSlot && machine.status()!.trouble === null,
      );
  }

  #whoIsApart(): string {
    const { house } = this.#parts;
    const apart = house
      .members()
      .map(
        (machine) =>
          `${machine.name} (${machine.isUp ? `slot ${machine.appliedSlot}, ${machine.status()!.trouble ?? 'well'}` : 'not up'})`,
      );
    return `not all have slot ${house.latest()?.appliedSlot ?? 0}: ${apart.join(', ')};`;
  }

  /** Demands that every card has the files of the library, and no others. */
  async #settleFiles(): Promise<void> {
    const { loop, house, ledger, witness } = this.#parts;
    const { library } = this.#parts.reference;
    const isTakingIn = () => house.machines.some((machine) => machine.isTakingIn);
    const problem = (machine: Machine) => ledger.problem(machine, library);
    const areThere = () => !isTakingIn() && house.members().every((machine) => problem(machine) === null);
    if (!(await loop.pass(FILES_SETTLE_MS, loop.nowAndThen(areThere, FILES_QUESTION_NS)))) {
      const apart = house.members().map((machine) => `${machine.name} ${problem(machine) ?? 'is well'}`);
      const waits = isTakingIn() ? ', and somebody still waits for an upload' : '';
      witness.violate(EVERYWHERE, `${FILES_SETTLE_MS} ms after all agree, ${apart.join(', ')}${waits}`);
    }
    witness.observe({ type: 'library', tracks: library.list().map(({ id }) => id) });
  }

  // ---- Silence --------------------------------------------------------------------------------------------------------------------

  /**
   * A house that nobody asks anything must fall silent. What it still owes itself comes first: a change of voters waits until somebody has
   * been steady for a while.
   */
  async #fallSilent(): Promise<void> {
    const { loop, house, witness } = this.#parts;
    const members = house.members();
    const counts = () =>
      members
        .map(({ disk }) => disk.counts)
        .reduce((sum, { writes, syncs }) => ({ writes: sum.writes + writes, syncs: sum.syncs + syncs }), {
          writes: 0,
          syncs: 0,
        });
    for (let waitedMs = 0; ; waitedMs += IDLE_MS) {
      const before = counts();
      await loop.pass(IDLE_MS);
      const after = counts();
      const [writes, syncs] = [after.writes - before.writes, after.syncs - before.syncs];
      if (writes + syncs > 0 && waitedMs < FALLING_SILENT_MS && witness.violation === null) continue;
      witness.observe({ type: 'idle', seconds: IDLE_MS / 1_000, writes, syncs });
      return;
    }
  }

  #violate(text: string): void {
    this.#parts.witness.violate(LIVENESS, text);
  }
}
