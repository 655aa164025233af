/**
 * World: one simulated house, from the first start of its machines to the moment when all of them agree again.
 *
 * Everything runs on one clock that moves from event to event, so that an hour takes seconds and a seed gives the same history at every
 * run. First the faults strike, and nothing wrong may ever be said or done (safety). Then they stop, and within four election timeouts
 * somebody must be served; everyone must come to hold the same, and an idle house must fall silent (liveness). Checkers watch both.
 *
 * Further reading: TigerBeetle's simulator, docs/internals/vopr.md of its repository; FoundationDB's, W. Zhou et al., "FoundationDB: A
 * Distributed Unbundled Transactional Key Value Store", SIGMOD 2021, section 4.
 */
import { Cluster } from '../../src/cluster/cluster.js';
import { decodeProposal } from '../../src/cluster/codec.js';
import type { Command } from '../../src/cluster/command.js';
import { type ErrorCode, TuttiError } from '../../src/core/errors.js';
import { type NodeId, nodeId, type Slot, slot, type TrackId } from '../../src/core/ids.js';
import type { Prng } from '../../src/core/prng.js';
import { addTime } from '../../src/core/units.js';
import type { Configuration } from '../../src/paxos/configuration.js';
import { DISK_STALL_MS } from '../../src/paxos/limits.js';
import { PowerCut } from '../../src/ports/fake-disk.js';
import { FakeNetwork } from '../../src/ports/fake-network.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import type { LogEntry } from '../../src/replication/replicated-log.js';
import { Atlas } from './atlas.js';
import { EVERYWHERE, firstViolation, LIVENESS, newCheckers, type Violation } from './checkers/checkers.js';
import type { Checker, Observation, ProcessId } from './checkers/observation.js';
import { Clients } from './clients.js';
import type { Engine } from './engine.js';
import { allBut, allButNeighbours, type FaultWorld, leaderAndAllBut, strike } from './faults.js';
import { type FaultKind, type Knobs, strikesMessages } from './knobs.js';
import { type Identity, Machine, textOf } from './machine.js';
import { around, between, chance, pick, streamOf } from './streams.js';
import { HASH_EVERY_SLOTS, hashOf } from './tapped-log.js';
import { Trace } from './trace.js';
import { placed, TrackLedger } from './track-ledger.js';

/** What a call to the thread of the track files takes, from and to, milliseconds. */
const FILES_MS = [0.1, 5] as const;
/** Clocks and leases are looked at this often, milliseconds of true time; a prime, to keep no step with heartbeats. */
const SAMPLE_MS = 113;
/** How often it is asked whether the house has come to what it is to come to, nanoseconds of true time. */
const QUESTION_NS = 20_000_000n;
/** How many events are handled before the process looks at anything else. */
const BATCH = 64;
/** How long a house may take to come up at first, milliseconds. */
const FORMING_MS = 30_000;
/** How long everyone may take to hold the same once faults are over, milliseconds: time-outs of connections, snapshots, replacements. */
const CONVERGING_MS = 60_000;
/** And of its files, nanoseconds of true time. */
const FILES_QUESTION_NS = 500_000_000n;
/** How often it is looked whether every file is what its name says, milliseconds. */
const FILES_LOOK_MS = 4_999;
/** How long the files may take then, milliseconds: a peer that gave a wrong piece is not asked for a minute, and what nobody wants lingers. */
const FILES_SETTLE_MS = 240_000;
/** How long an idle house is watched, milliseconds. */
const IDLE_MS = 10_000;
/** And how long it may take before it is idle, milliseconds. */
const FALLING_SILENT_MS = 60_000;
/** Commands, one after another, of which none may wait for a disk that hangs. */
const STALLED_PROBES = 6;
/** A log that is full for want of room for a snapshot finds out within this that there is room again: see replication/snapshots.ts. Milliseconds. */
const ROOM_FOUND_MS = 10_000;
/** A new leader's phase 1, its first entry and a command: round trips with a commit at each end, some of them asked for once more. */
const COMMAND_STEPS = 6;
/** A new connection after a lost one, milliseconds: see FakePeerLink. */
const RECONNECT_MS = 400;

/** One simulation. */
export interface WorldInit {
  readonly seed: number;
  readonly knobs: Knobs;
}

/** What a world is made with. */
export interface WorldComponents {
  /** Makes what runs on the machines, and lets it see what checkers and readers of traces are to know. */
  readonly engine: (eyes: Pick<World, 'observe' | 'network'> & { readonly trace: World['trace'] | null }) => Engine;
  /** Null where nobody reads it. */
  readonly trace: ((line: string) => void) | null;
}

/** What a simulation came to. */
export interface Outcome {
  readonly violation: Violation | null;
  /** True time that passed, milliseconds. */
  readonly simulatedMs: number;
  /** How often each kind of fault truly happened. */
  readonly faults: Readonly<Record<string, number>>;
  readonly writes: number;
  readonly reads: number;
  readonly retries: number;
  readonly unanswered: number;
  /** Files that were sent and answered, and tracks that were heard whole. */
  readonly uploads: number;
  readonly heard: number;
  /** Highest slot that was applied. */
  readonly slots: number;
  /** Times that somebody became leader. */
  readonly terms: number;
  readonly restores: number;
  /** Nobody could be served at the end, and said so: only beyond the atlas. */
  readonly stoppedLoudly: boolean;
}

/** One house in one seed. To be run once. */
export class World implements FaultWorld {
  readonly machines: readonly Machine[];
  readonly network: FakeNetwork;
  readonly atlas: Atlas;
  /** Which cards have which files. */
  readonly #ledger: TrackLedger;
  /** Who votes in the first configuration. */
  #founders: readonly Identity[] = [];
  #atNextUpload: ((machine: Machine) => void) | null = null;
  readonly #time: FakeTime;
  readonly #knobs: Knobs;
  readonly #seed: number;
  /** What the owner of the house draws: names of cards, whom to ask. */
  readonly #owner: Prng;
  readonly #engine: Engine;
  readonly #trace: Trace | null;
  readonly #clients: Clients;
  readonly #checkers: readonly Checker[] = newCheckers();
  readonly #counts = new Map<FaultKind, number>();
  /** The state machine that no fault strikes: fed once with each slot. */
  readonly #reference = Cluster.empty();
  /** What was applied last in each slot. */
  readonly #words = new Map<number, Words>();
  /** Who has led most recently, by what machines say. */
  readonly #leaders = new Set<Machine>();
  /** The highest slot of which a process found that its card has lost it: above what was ever there, where it does not know what that was. */
  readonly #lostUpTo = new Map<ProcessId, number>();
  /** Process that ran, and slot that was agreed, when a card came into doubt. */
  readonly #doubts = new Map<number, { readonly process: ProcessId; readonly slot: number }>();
  /** Whose place a newcomer was let in to take. */
  readonly #formers = new Map<NodeId, NodeId>();
  /** Things that end when the faults do. */
  #untils = new Set<() => void>();
  #faultsOn = false;
  #processes = 0;
  #changes = 0;
  #terms = 0;
  #restores = 0;
  #violation: Violation | null = null;

  constructor(components: WorldComponents, { seed, knobs }: WorldInit) {
    this.#seed = seed;
    this.#owner = streamOf(seed, 'owner');
    this.#knobs = knobs;
    this.#time = new FakeTime({ startNs: 0n });
    const { trace: write } = components;
    this.#trace = write && new Trace({ write, nowNs: () => this.#time.now() });
    this.network = new FakeNetwork(
      { time: this.#time },
      { seed: streamOf(seed, 'network').u32(), delayMs: knobs.delayMs, jitterMs: knobs.jitterMs },
    );
    this.#engine = components.engine({
      network: this.network,
      observe: (observation) => this.observe(observation),
      trace: this.#trace && ((who, text) => this.trace(who, text)),
    });
    this.machines = knobs.ratesPpm.map((ratePpm, number) => this.#newMachine(number, ratePpm));
    this.#ledger = new TrackLedger({ machines: this.machines });
    this.atlas = new Atlas(
      { voters: () => this.voters().map(({ number }) => number), isChanging: () => this.#isChanging() },
      { isUnbounded: knobs.beyond },
    );
    this.#clients = new Clients(
      {
        time: this.#time,
        prng: streamOf(seed, 'clients'),
        machines: () => this.machines.filter(({ answers }) => answers),
        observe: (observation) => this.observe(observation),
        trace: (who, text) => this.trace(who, text),
        uploading: (machine) => this.#uploading(machine),
      },
      knobs,
    );
  }

  /** Lives through the whole of it. */
  async run(): Promise<Outcome> {
    const { faultsMs, beyond } = this.#knobs;
    this.#form();
    const formed = await this.#pass(
      FORMING_MS,
      this.#nowAndThen(() => this.leader() !== null),
    );
    if (!formed) this.#violate(LIVENESS, `nobody leads ${FORMING_MS} ms after all have started`);
    this.#clients.start();
    this.#startFaults();
    await this.#pass(faultsMs);
    this.#stopFaults();
    const stoppedLoudly = (await this.#settle()) && beyond;
    this.trace(
      'world',
      this.#violation === null ? 'all is well' : `${this.#violation.checker}: ${this.#violation.text}`,
    );
    const { writes, reads, retries, unanswered } = this.#clients.counts;
    const { uploads, heard } = this.#clients.files;
    const outcome: Outcome = {
      violation: this.#violation,
      simulatedMs: Number(this.#time.now() / 1_000_000n),
      faults: Object.fromEntries(this.#counts),
      writes,
      reads,
      retries,
      unanswered,
      uploads,
      heard,
      slots: this.#reference.appliedSlot,
      terms: this.#terms,
      restores: this.#restores,
      stoppedLoudly,
    };
    for (const machine of this.machines) if (machine.isOn) machine.kill();
    return outcome;
  }

  // ---- What faults may touch ------------------------------------------------------------------------------------------------------

  leader(): Machine | null {
    return this.machines.find((machine) => machine.answers && machine.status()?.role === 'leader') ?? null;
  }

  voters(): readonly Machine[] {
    const members = this.#latest()?.status()?.members ?? [];
    return this.machines.filter(
      ({ identity, isClone }) =>
        !isClone &&
        members.some(
          ({ node, incarnation, voter }) => voter && node === identity?.node && incarnation === identity.incarnation,
        ),
    );
  }

  calmPath(path: { readonly from: string; readonly to: string }): void {
    const { delayMs, jitterMs } = this.#knobs;
    this.network.setConditions({ delayMs, jitterMs }, path);
  }

  count(kind: FaultKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  trace(who: string, text: string): void {
    this.#trace?.line(who, text);
  }

  until(ms: number, callback: () => void): void {
    const end = () => {
      if (!this.#untils.delete(end)) return;
      timer.cancel();
      callback();
    };
    const timer = this.#time.after('until', ms, end);
    this.#untils.add(end);
  }

  harm(machine: Machine): void {
    this.#ledger.harms(machine);
    this.atlas.harmed(machine.number);
    this.#doubts.delete(machine.number);
  }

  atNextUpload(callback: (machine: Machine) => void): void {
    this.#atNextUpload = callback;
  }

  #uploading(machine: Machine): void {
    const callback = this.#atNextUpload;
    this.#atNextUpload = null;
    if (this.#faultsOn) callback?.(machine);
  }

  isKnown(machine: Machine): boolean {
    const { identity, boot } = machine;
    if (identity === null) return false;
    const others = this.#settled().filter((other) => other !== machine);
    return others.every((other) => other.isUp && other.state?.member(identity.node)?.boot?.bootId === boot);
  }

  startLater(machine: Machine, ms: number): void {
    this.until(ms, () => machine.start());
  }

  letIn(machine: Machine): void {
    void this.#join(machine, null);
  }

  replaceLater(machine: Machine, ms: number): void {
    const former = machine.identity?.node ?? null;
    machine.isAwaitingReplacement = true;
    this.until(ms, () => {
      if (machine.identity !== null && machine.identity.node !== former) return;
      if (machine.isOn) machine.kill();
      // What it took in since it was harmed goes with the card.
      this.#ledger.harms(machine);
      machine.insert(machine.newDisk(), null);
      void this.#join(machine, former);
    });
  }

  remove(machine: Machine): void {
    const asked = this.#anybody();
    const node = machine.identity?.node;
    if (asked === null || node === undefined) return;
    this.trace('owner', `asks ${asked.name} to remove ${machine.name}`);
    const former = this.#formers.get(node);
    this.#change('remove-member', asked.changeMembers({ type: 'remove', node, acceptLoss: false }));
    // Nobody is to take that one's place any more: whoever sends the newcomer away has to see to it.
    if (former !== undefined) void this.#takeOut(former);
  }

  setVoters(machines: readonly Machine[]): void {
    const asked = this.#anybody();
    if (asked === null) return;
    const voters = machines.map(({ identity }) => identity!.node).sort();
    this.trace('owner', `asks ${asked.name} to let ${machines.map(({ name }) => name).join(' ')} vote`);
    this.#change('voters', asked.changeMembers({ type: 'voters', voters }));
  }

  // ---- The house and its owner ----------------------------------------------------------------------------------------------------

  #newMachine(number: number, ratePpm: number): Machine {
    const prng = streamOf(this.#seed, `machine ${number}`);
    const commits = streamOf(this.#seed, `commits ${number}`);
    const files = streamOf(this.#seed, `files ${number}`);
    const [fastMs, slowMs] = this.#knobs.commitMs;
    return new Machine(
      {
        time: this.#time,
        network: this.network,
        weather: {
          share: (kind) => (this.#faultsOn ? (this.#knobs.faults.get(kind) ?? 0) : 0),
          struck: (kind) => this.count(kind),
        },
        engine: this.#engine,
        prng,
        observe: (observation) => this.observe(observation),
        trace: (who, text) => this.trace(who, text),
        nextProcess: () => ++this.#processes,
        applied: (process, entry) => this.#applied(process, entry),
        passed: (process, slot, members) => this.#passed(process, slot, members),
        proposed: (payload) => this.observe({ type: 'proposed', payload: textOf(payload) }),
        statusChanged: (machine) => this.#statusChanged(machine),
        ended: (machine, process, error) => this.#ended(machine, process, error),
      },
      {
        number,
        ratePpm,
        // Machines were switched on at different times.
        zeroNs: BigInt(between(prng, 1, 1_000)) * 1_000_000_000n,
        commitMs: () => fastMs + (slowMs - fastMs) * commits.fraction(),
        filesMs: () => FILES_MS[0] + (FILES_MS[1] - FILES_MS[0]) * files.fraction() ** 2,
      },
    );
  }

  /** Formats the cards of those who vote from the start, and starts them. */
  #form(): void {
    const { voters, timing } = this.#knobs;
    const founders = this.machines.slice(0, voters);
    for (const machine of founders) machine.identity = newIdentity(this.#owner);
    this.#founders = founders.map(({ identity }) => identity!);
    const members = founders.map((machine) => ({ ...machine.member()!, voter: true }));
    members.sort((a, b) => (a.node < b.node ? -1 : 1));
    const configuration: Configuration = { id: 1, after: slot(0), members, timing };
    for (const machine of founders) this.#engine.format(machine, machine.identity!, configuration);
    for (const machine of founders) machine.start();
    this.#time.every('sample', SAMPLE_MS, () => this.#sample());
    this.#time.every('files', FILES_LOOK_MS, () => this.#lookAtFiles());
  }

  /** Lets a machine with an empty card in, as often as it takes. */
  async #join(machine: Machine, former: NodeId | null): Promise<void> {
    const identity = newIdentity(this.#owner);
    this.trace('owner', `lets ${machine.name} in${former === null ? '' : ' again'}`);
    this.#changes++;
    machine.isComingIn = true;
    let place = former;
    while (machine.identity === null && this.#violation === null) {
      const asked = this.#anybody();
      const answer = asked === null ? 'refused' : await this.#engine.join(machine, identity, asked, place);
      if (answer === 'admitted') {
        machine.identity = identity;
        machine.isAwaitingReplacement = false;
        if (place !== null) this.#formers.set(identity.node, place);
        if (former === null) this.count('add-member');
        machine.start();
        break;
      }
      // Its former self was removed meanwhile: it comes as one more.
      if (answer === 'no such member') place = null;
      await this.#after(1_000);
    }
    machine.isComingIn = false;
    this.#changes--;
  }

  /** Removes a member whose card is gone for good, as often as it takes. */
  async #takeOut(node: NodeId): Promise<void> {
    this.#changes++;
    const isMember = () =>
      this.#latest()
        ?.status()
        ?.members.some((member) => member.node === node) !== false;
    while (isMember() && this.#violation === null) {
      const asked = this.#anybody();
      this.trace('owner', `asks ${asked?.name ?? 'nobody'} to remove ${node.slice(0, 4)}, whose card is gone`);
      // What came of it the house itself will say.
      asked?.changeMembers({ type: 'remove', node, acceptLoss: false }).catch(() => {});
      await this.#after(5_000);
    }
    this.#changes--;
  }

  #change(kind: FaultKind, changed: Promise<Slot>): void {
    this.#changes++;
    const timer = this.#time.after('change', 20_000, () => over());
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      this.#changes--;
    };
    changed.then(
      () => {
        this.count(kind);
        over();
      },
      (error: Error) => {
        this.trace('owner', `${kind}: ${error.message}`);
        over();
      },
    );
  }

  /** A change of members is under way, or machines do not agree yet on who votes, or a card that is no more has a vote yet. */
  #isChanging(): boolean {
    if (this.#changes > 0 || this.#hasLostVoter()) return true;
    const views = this.machines
      .filter(({ isUp }) => isUp)
      .map((machine) =>
        machine
          .status()!
          .members.map(({ node, voter }) => `${node} ${voter}`)
          .join(),
      );
    return views.some((view) => view !== views[0]);
  }

  /** Somebody came in the place of a card that is gone, and has not taken it yet. */
  #hasLostVoter(): boolean {
    const members = this.#latest()?.status()?.members ?? [];
    const isThere = (node: NodeId) => this.machines.some(({ identity }) => identity?.node === node);
    return members.some(({ node, voter }) => voter && !isThere(node));
  }

  /** A machine that anybody may ask. */
  #anybody(): Machine | null {
    const up = this.machines.filter(({ answers }) => answers);
    return up.length === 0 ? null : pick(this.#owner, up);
  }

  /** The machine that has applied the most. */
  #latest(): Machine | null {
    let latest: Machine | null = null;
    for (const machine of this.machines) {
      if (machine.isUp && machine.appliedSlot > (latest?.appliedSlot ?? -1)) latest = machine;
    }
    return latest;
  }

  /** A process ended by itself: the machine is started again, after the power was gone where the disk is not to be believed. */
  #ended(machine: Machine, process: ProcessId, error: Error): void {
    this.observe({ type: 'ended', process, error, causes: this.#causesFor(machine) });
    if (error instanceof TuttiError && error.code === 'DISK_FAILED') machine.failsSoon = false;
    if (error instanceof PowerCut) {
      this.count('power-in-write');
      machine.cutPower();
    } else if (machine.needsPowerCycle && (this.#knobs.beyond || chance(this.#owner, 0.5))) {
      // Beyond the atlas always: what only the page cache holds is lost without a trace later on, and no code can say so.
      machine.cutPower();
    } else machine.disk.killProcess();
    if (error instanceof TuttiError && (error.code as string) === 'STORE_UNREADABLE') {
      this.harm(machine);
      this.replaceLater(machine, 1_000);
      return;
    }
    // With a full log it ends at its first write: to try that twice a second shows nothing more.
    const isFull = error instanceof TuttiError && error.code === 'DISK_FULL';
    this.startLater(machine, isFull ? 3_000 : 500);
  }

  /** With which errors a process may end there, for what was done to its disk. */
  #causesFor({ number, failsSoon, wasFullLately }: Machine): readonly ErrorCode[] {
    return [
      ...(wasFullLately ? (['DISK_FULL'] as const) : []),
      ...(failsSoon ? (['DISK_FAILED'] as const) : []),
      // What is read back after it was written may be wrong too.
      ...(this.atlas.isInDoubt(number) ? (['DISK_FAILED', 'STORE_UNREADABLE', 'BAD_SNAPSHOT'] as const) : []),
    ];
  }

  // ---- Faults ---------------------------------------------------------------------------------------------------------------------

  #startFaults(): void {
    this.#faultsOn = true;
    for (const [kind, meanMs] of this.#knobs.faults) {
      if (strikesMessages(kind)) continue;
      const prng = streamOf(this.#seed, kind);
      const next = () => {
        this.#time.after(kind, 1 + around(prng, meanMs), () => {
          if (!this.#faultsOn) return;
          strike(kind, this, prng);
          next();
        });
      };
      next();
    }
  }

  /** Everything that was broken is mended; every machine is on. */
  #stopFaults(): void {
    this.trace('world', 'the faults are over');
    this.#faultsOn = false;
    const slow = new Set(this.machines.filter(({ slowness }) => slowness > 1));
    for (const end of [...this.#untils]) end();
    this.network.heal();
    for (const machine of this.machines) {
      // What a slow disk was asked for is still to come; what lies hidden on a card is found out when it is read anew.
      const isSlow = machine.stalledUntilNs > this.#time.now() || slow.has(machine);
      const isDoubtful = this.atlas.isInDoubt(machine.number) || machine.needsPowerCycle;
      if (machine.isOn && (isSlow || isDoubtful)) machine.cutPower();
      machine.stalledUntilNs = 0n;
      machine.slowness = 1;
      machine.spoils = 0;
      // A cut that is planned for one of its next writes would come in the midst of what must go well now.
      machine.disk.cutPowerAt(Number.POSITIVE_INFINITY);
      machine.disk.setFreeBytes(1e9);
      machine.resume();
      machine.start();
    }
    for (const a of this.machines)
      for (const b of this.machines) if (a.number < b.number) this.network.reset(a.host, b.host);
  }

  // ---- After the faults -----------------------------------------------------------------------------------------------------------

  /** Demands progress, agreement, and silence. True where nobody is served, which only a house beyond the atlas may come to. */
  async #settle(): Promise<boolean> {
    const { beyond, voters } = this.#knobs;
    const boundMs = this.#progressMs();
    const served = await this.#isServed(boundMs, this.machines);
    if (!served) {
      if (!beyond) this.#violate(LIVENESS, `nobody is served ${boundMs.toFixed(0)} ms after the faults are over`);
      return true;
    }
    const haveConverged = this.#nowAndThen(() => this.#haveConverged());
    const converged = await this.#pass(CONVERGING_MS, haveConverged);
    if (!converged) {
      if (!beyond) this.#violate(LIVENESS, `${this.#whoIsApart()} ${CONVERGING_MS} ms after the faults are over`);
      return false;
    }
    if (voters >= 3 && !beyond) await this.#hardCase();
    this.#clients.stop();
    await this.#pass(CONVERGING_MS, () => this.#clients.isQuiet && haveConverged());
    if (!beyond) await this.#settleFiles();
    for (const machine of this.#settled()) machine.hashState();
    this.#hashReference();
    this.observe({
      type: 'converged',
      nodes: this.#settled().map((machine) => ({ process: machine.processId!, slot: machine.appliedSlot })),
    });
    await this.#idle();
    return false;
  }

  /** Demands that every card has the files of the library, and no others. */
  async #settleFiles(): Promise<void> {
    const { library } = this.#reference;
    const isTakingIn = () => this.machines.some((machine) => machine.isTakingIn);
    const problem = (machine: Machine) => this.#ledger.problem(machine, library);
    const areThere = () => !isTakingIn() && this.#settled().every((machine) => problem(machine) === null);
    if (!(await this.#pass(FILES_SETTLE_MS, this.#nowAndThen(areThere, FILES_QUESTION_NS)))) {
      const apart = this.#settled().map((machine) => `${machine.name} ${problem(machine) ?? 'is well'}`);
      const waits = isTakingIn() ? ', and somebody still waits for an upload' : '';
      this.#violate(EVERYWHERE, `${FILES_SETTLE_MS} ms after all agree, ${apart.join(', ')}${waits}`);
    }
    this.observe({ type: 'library', tracks: library.list().map(({ id }) => id) });
  }

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
    let served = false;
    let over = false;
    const ask = async (machine: Machine): Promise<void> => {
      while (!served && !over) {
        if (machine.answers && (await this.#clients.probe(machine))) served = true;
        else await this.#after(50);
      }
    };
    for (const machine of machines) void ask(machine);
    await this.#pass(ms, () => served);
    over = true;
    return served;
  }

  /**
   * A hard case after all is well: a partition that leaves a node with a quorum, though its leader has none; or a leader whose disk
   * hangs while its network is fine. Somebody must be served within the same bound.
   */
  async #hardCase(): Promise<void> {
    // Whose log is full may not have tried yet whether there is room again, and cannot serve before.
    if (this.#knobs.faults.has('disk-full')) await this.#pass(ROOM_FOUND_MS);
    const prng = streamOf(this.#seed, 'hard case');
    const leader = this.leader();
    const voters = this.voters();
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
    for (const from of this.machines) {
      for (const to of this.machines) if (from !== to && isCut(from, to)) this.network.cut(from.host, to.host);
    }
    if (kind === 'stall') leader.stalledUntilNs = this.#time.now() + 60_000_000_000n;
    this.trace('world', `${kind}: leader ${leader.name}, hub ${hub.name}`);
    this.count(kind);
    const boundMs = this.#takeoverMs() + (kind === 'stall' ? DISK_STALL_MS : 0);
    const asked = kind === 'stall' ? others : voters;
    // The others' disks are enough for the first few commands: it is their leader's queue that fills.
    for (let times = kind === 'stall' ? STALLED_PROBES : 1; times > 0 && this.#violation === null; times--) {
      const served = await this.#isServed(boundMs, asked);
      if (!served) this.#violate(LIVENESS, `nobody is served within ${boundMs.toFixed(0)} ms of a ${kind}`);
    }
    this.network.heal();
    leader.stalledUntilNs = 0n;
    if (kind !== 'stall' || !leader.isOn) return;
    // What its disk was asked for meanwhile is still to come: nobody waits a minute for it.
    leader.cutPower();
    leader.start();
  }

  /** Who is to hold everything in the end: members whose cards are good. */
  #settled(): Machine[] {
    const members = this.#latest()?.status()?.members ?? [];
    return this.machines.filter((machine) => members.some(({ node }) => node === machine.identity?.node));
  }

  #haveConverged(): boolean {
    const latest = this.#latest();
    if (
      latest === null ||
      this.#changes > 0 ||
      this.#hasLostVoter() ||
      this.machines.some(({ isAwaitingReplacement }) => isAwaitingReplacement)
    ) {
      return false;
    }
    return this.#settled().every(
      (machine) => machine.isUp && machine.appliedSlot === latest.appliedSlot && machine.status()!.trouble === null,
    );
  }

  #whoIsApart(): string {
    const latest = this.#latest();
    const apart = this.#settled().map(
      (machine) =>
        `${machine.name} (${machine.isUp ? `slot ${machine.appliedSlot}, ${machine.status()!.trouble ?? 'well'}` : 'not up'})`,
    );
    return `not all have slot ${latest?.appliedSlot ?? 0}: ${apart.join(', ')};`;
  }

  /**
   * A house that nobody asks anything must fall silent. What it still owes itself comes first: a change of voters waits until somebody has
   * been steady for a while.
   */
  async #idle(): Promise<void> {
    const members = this.#settled();
    const counts = () =>
      members
        .map(({ disk }) => disk.counts)
        .reduce((sum, { writes, syncs }) => ({ writes: sum.writes + writes, syncs: sum.syncs + syncs }), {
          writes: 0,
          syncs: 0,
        });
    for (let waitedMs = 0; ; waitedMs += IDLE_MS) {
      const before = counts();
      await this.#pass(IDLE_MS);
      const after = counts();
      const [writes, syncs] = [after.writes - before.writes, after.syncs - before.syncs];
      if (writes + syncs > 0 && waitedMs < FALLING_SILENT_MS && this.#violation === null) continue;
      this.observe({ type: 'idle', seconds: IDLE_MS / 1_000, writes, syncs });
      return;
    }
  }

  // ---- What is seen ---------------------------------------------------------------------------------------------------------------

  /** Shows it to the checkers. */
  observe(observation: Observation): void {
    if (this.#violation !== null) return;
    if (this.#knobs.beyond && observation.type === 'ended') return;
    if (observation.type === 'restored') this.#restores++;
    if (observation.type === 'recovered') this.#lostUpTo.set(observation.process, Math.max(0, ...observation.unknown));
    const wrong = firstViolation(this.#checkers, observation);
    if (wrong !== undefined) this.#violate(wrong.checker, wrong.text);
  }

  #violate(checker: string, text: string): void {
    if (this.#violation !== null) return;
    this.trace('checker', `${checker}: ${text}`);
    this.#violation = { checker, text, atMs: Number(this.#time.now()) / 1e6 };
  }

  #applied(process: ProcessId, entry: LogEntry): void {
    const { slot, stampNs, leadNs, voters: slotVoters, payload } = entry;
    if (this.#trace !== null) {
      const { command } = decodeProposal(payload);
      this.trace(`p${process}`, `applies slot ${slot} of ${stampNs}: ${JSON.stringify(command, asText)}`);
    }
    let effectOf: string | null = null;
    if (slot === this.#reference.appliedSlot + 1) {
      const proposal = decodeProposal(payload);
      const outcome = this.#reference.apply({ slot, stampNs, leadNs, voters: slotVoters, ...proposal });
      if (outcome.ok && outcome.slot === slot) effectOf = proposal.origin.key ?? null;
      const members = this.machines.find(({ processId }) => processId === process)?.status()?.members ?? [];
      const voters = members.filter(({ voter }) => voter).map(({ node }) => node);
      if (voters.length > 0) this.observe({ type: 'chosen', slot, voters });
      if (outcome.ok && outcome.slot === slot) this.#noteTrack(proposal.command, entry);
      this.#noteReference();
    }
    const { value, text } = this.#wordsOf(entry);
    this.observe({ type: 'applied', process, slot, value, stampNs, payload: text, effectOf });
  }

  #noteTrack(command: Command, { slot, voters }: LogEntry): void {
    if (command.type === 'track.remove') this.observe({ type: 'track-removed', track: command.trackId, slot });
    // Of the first configuration the log does not say who votes.
    else if (command.type === 'track.add' && command.track.chunks !== undefined)
      this.#countTrack('chosen', slot, command.track.id, voters.length === 0 ? this.#founders : voters);
  }

  /** Others vote from here on. */
  #noteVoters(process: ProcessId, slot: Slot): void {
    const members = this.machines.find(({ processId }) => processId === process)?.status()?.members ?? [];
    const voters = members.filter(({ voter }) => voter);
    if (voters.length === 0) return;
    for (const { id, lost } of this.#reference.library.list())
      if (lost !== true) this.#countTrack('voters', slot, id, voters);
  }

  #countTrack(why: 'chosen' | 'voters', slot: number, track: TrackId, voters: readonly Identity[]): void {
    const nodes = (some: readonly Identity[]) => some.map(({ node }) => node);
    const holders = nodes(this.#ledger.counting(voters, track));
    this.observe({ type: 'track-counted', why, slot, track, voters: nodes(voters), holders });
  }

  /** What it holds, as texts: the same ones as for the first entry that was the same there, which costs least to compare. */
  #wordsOf(entry: LogEntry): Words {
    const { slot, stampNs, leadNs, payload } = entry;
    const known = this.#words.get(slot);
    if (known !== undefined && isSame(known.entry, entry)) return known;
    const text = textOf(payload);
    const words = { entry, text, value: `${stampNs} ${leadNs} ${namesOf(entry)} ${text}` };
    this.#words.set(slot, words);
    return words;
  }

  #passed(process: ProcessId, slot: Slot, members: readonly NodeId[] | undefined): void {
    if (slot === this.#reference.appliedSlot + 1) {
      this.#reference.pass(slot, members && new Set(members));
      this.#noteReference();
      if (members !== undefined) this.#noteVoters(process, slot);
    }
    this.#trace?.line(`p${process}`, `passes slot ${slot}`);
    const value = members === undefined ? 'nothing' : `members ${members.join(' ')}`;
    this.observe({ type: 'applied', process, slot, value, stampNs: null, payload: null, effectOf: null });
  }

  /** The state machine that was never restored counts as a process of its own, 0. */
  #noteReference(): void {
    const slot = this.#reference.appliedSlot;
    if (slot % HASH_EVERY_SLOTS === 0) this.#hashReference();
  }

  #hashReference(): void {
    const slot = this.#reference.appliedSlot;
    this.observe({ type: 'state', process: 0, slot, hash: hashOf(this.#reference.snapshot()) });
  }

  #statusChanged(machine: Machine): void {
    const leads = machine.isUp && machine.status()?.role === 'leader';
    if (leads === this.#leaders.has(machine)) return;
    if (leads) {
      this.#leaders.add(machine);
      this.#terms++;
    } else this.#leaders.delete(machine);
    this.trace(machine.name, leads ? 'leads' : 'leads no more');
  }

  /** Looks at clocks, leases and cards. */
  #sample(): void {
    for (const machine of this.machines) {
      const clock = machine.clock();
      if (clock !== null) this.observe(clock);
    }
    this.#lookAtLeases();
    for (const number of this.atlas.inDoubt) this.#lookAtCard(this.machines[number]!);
  }

  /** Looks at what lies in its place on every card. */
  #lookAtFiles(): void {
    for (const machine of this.machines) {
      const { processId: process } = machine;
      if (process === null) continue;
      for (const { id, found } of placed(machine.disk)) {
        if (!machine.holds(id) || this.#ledger.isExcused(machine, id)) continue;
        this.observe({ type: 'seen', process, how: 'holds', track: id, found });
      }
    }
  }

  #lookAtLeases(): void {
    const holders = this.machines.filter((machine) => machine.holdsLease()).map(({ name }) => name);
    this.observe({ type: 'lease', holders });
  }

  /** A card is good again once its node has read it anew, and holds what was agreed when it was harmed. */
  #lookAtCard(machine: Machine): void {
    const { number, processId } = machine;
    const doubt = this.#doubts.get(number);
    if (doubt === undefined) {
      this.#doubts.set(number, { process: this.#processes, slot: this.#reference.appliedSlot });
      return;
    }
    const isRead = machine.isUp && processId !== null && processId > doubt.process && !machine.needsPowerCycle;
    if (!isRead || machine.appliedSlot < doubt.slot || machine.isAwaitingReplacement) return;
    // Until something else stands in a slot that it has lost, it has no answer for it: neither "this" nor "nothing".
    if (machine.appliedSlot < (this.#lostUpTo.get(processId) ?? 0)) return;
    if (!this.#ledger.isMended(machine, this.#reference.library)) return;
    const status = machine.status()!;
    if (status.trouble !== null || status.role === 'removed') return;
    if (!status.members.some(({ node, trusted }) => node === machine.identity?.node && trusted)) return;
    this.#doubts.delete(number);
    this.atlas.mended(number);
    this.trace(machine.name, 'its card is good again');
  }

  // ---- Time -----------------------------------------------------------------------------------------------------------------------

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#time.after('wait', ms, resolve));
  }

  /** A question that costs something, asked once in a while and not after every event. */
  #nowAndThen(question: () => boolean, everyNs = QUESTION_NS): () => boolean {
    let askAgainNs = 0n;
    return () => {
      if (this.#time.now() < askAgainNs) return false;
      askAgainNs = this.#time.now() + everyNs;
      return question();
    };
  }

  /**
   * Lets time pass, event by event, until `done` or for so long; resolves with whether it was done. Promises that an event resolves are
   * followed to their ends before the next event: between two immediates Node empties its queue of them.
   */
  #pass(ms: number, done: () => boolean = () => false): Promise<boolean> {
    const time = this.#time;
    const until = addTime(time.now(), BigInt(Math.round(ms * 1e6)));
    return new Promise((resolve, reject) => {
      let isOver = false;
      let left = 0;
      const finish = (isDone: boolean) => {
        isOver = true;
        resolve(isDone);
      };
      const next = () => {
        if (isOver) return;
        if (--left === 0) schedule();
        try {
          if (this.#violation !== null) finish(true);
          else if (done()) finish(true);
          else {
            if (!time.advanceToNext(until)) {
              time.advanceNs(until - time.now());
              finish(done());
            } else if (this.#leaders.size > 1) this.#lookAtLeases();
          }
        } catch (error) {
          isOver = true;
          reject(error as Error);
        }
      };
      const schedule = () => {
        left = BATCH;
        for (let i = 0; i < BATCH; i++) setImmediate(next);
      };
      schedule();
    });
  }
}

/** One entry for checkers. */
interface Words {
  readonly entry: LogEntry;
  readonly text: string;
  /** All that agreement is about. */
  readonly value: string;
}

const isSame = (a: LogEntry, b: LogEntry): boolean =>
  a.stampNs === b.stampNs &&
  a.leadNs === b.leadNs &&
  namesOf(a) === namesOf(b) &&
  Buffer.compare(a.payload, b.payload) === 0;

const namesOf = ({ voters }: LogEntry): string => voters.map(({ node }) => node).join(' ');

/** For JSON, which knows no bigint; and what only fills pages is told by its length. */
const asText = (key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${value}` : key === 'padding' ? (value as string).length : value;

/** A card that was formatted just now. */
function newIdentity(prng: Prng): Identity {
  const id = () => Array.from({ length: 4 }, () => prng.u32().toString(16).padStart(8, '0')).join('');
  return { node: nodeId(id()), incarnation: id() as Identity['incarnation'] };
}
