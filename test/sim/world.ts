/**
 * World: one simulated house, from the first start of its machines to the moment when all of them agree again.
 *
 * Everything runs on one clock that moves from event to event, so that an hour takes seconds and a seed gives the same history at every
 * run. First the faults strike, and nothing wrong may ever be said or done (safety). Then they stop, and within four election timeouts
 * somebody must be served; everyone must come to hold the same, and an idle house must fall silent (liveness). Checkers watch both.
 *
 * Here all parts are put together. Each knows some of those above it, and none below: what goes back up goes through callbacks given here.
 *
 *     event-loop      time passes
 *     witness         what is seen goes to the checkers
 *     machine         a card, a clock, and the process that runs the code under test (engine)
 *     house           who leads, who is a member, who votes
 *     track-ledger    which cards have which files
 *     clients         what people ask for
 *     reference       the state machine that no fault strikes
 *     atlas           how much harm there may be at once
 *     fault-schedule  when faults strike, and that they end
 *     cards-in-doubt  when a harmed card is good again
 *     sampler         what nobody reports: clocks, leases, files
 *     owner           restarts, new cards, members who come and go
 *     faults          what goes wrong, kind by kind
 *     liveness        what the house must come to
 *
 * Further reading: TigerBeetle's simulator, docs/internals/vopr.md of its repository; FoundationDB's, W. Zhou et al., "FoundationDB: A
 * Distributed Unbundled Transactional Key Value Store", SIGMOD 2021, section 4.
 */
import { FakeNetwork } from '../../src/ports/fake-network.js';
import { FakeTime } from '../../src/ports/fake-time.js';
import { Atlas } from './atlas.js';
import { CardsInDoubt } from './cards-in-doubt.js';
import type { Violation } from './checkers/checkers.js';
import type { Observation } from './checkers/observation.js';
import { Clients } from './clients.js';
import type { Engine } from './engine.js';
import { EventLoop } from './event-loop.js';
import { FaultSchedule } from './fault-schedule.js';
import { type FaultWorld, strike } from './faults.js';
import { House } from './house.js';
import type { Knobs } from './knobs.js';
import { Liveness } from './liveness.js';
import { Machine, type MachineComponents, textOf } from './machine.js';
import { Owner } from './owner.js';
import { Reference } from './reference.js';
import { Sampler } from './sampler.js';
import { between, streamOf } from './streams.js';
import { Trace } from './trace.js';
import { TrackLedger } from './track-ledger.js';
import { Witness } from './witness.js';

/** What a call to the thread of the track files takes, from and to, milliseconds. */
const FILES_MS = [0.1, 5] as const;

/** One simulation. */
export interface WorldInit {
  readonly seed: number;
  readonly knobs: Knobs;
}

/** What an engine is given of the world: the network, and where to tell what checkers and readers of traces are to know. */
export interface Eyes {
  readonly network: FakeNetwork;
  readonly observe: (observation: Observation) => void;
  /** Null where nobody reads it. */
  readonly trace: ((who: string, text: string) => void) | null;
}

/** What a world is made with. */
export interface WorldComponents {
  /** Makes what runs on the machines. */
  readonly engine: (eyes: Eyes) => Engine;
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

/** Lives through the whole of it: a house in a seed, once. */
export async function runWorld(components: WorldComponents, init: WorldInit): Promise<Outcome> {
  const { faultsMs, beyond } = init.knobs;
  const world = newWorld(components, init);
  const { time, trace, witness, loop, machines, clients, reference, schedule, sampler, owner, liveness } = world;
  reference.begin(owner.form());
  sampler.start();
  await liveness.form();
  clients.start();
  const faultWorld = faultWorldOf(world, init.knobs);
  schedule.start((kind, prng) => strike(kind, faultWorld, prng));
  await loop.pass(faultsMs);
  trace?.line('world', 'the faults are over');
  schedule.stop();
  const stoppedLoudly = (await liveness.settle()) && beyond;
  const { violation } = witness;
  trace?.line('world', violation === null ? 'all is well' : `${violation.checker}: ${violation.text}`);
  const { writes, reads, retries, unanswered } = clients.counts;
  const { uploads, heard } = clients.files;
  const outcome: Outcome = {
    violation,
    simulatedMs: Number(time.now() / 1_000_000n),
    faults: schedule.counts,
    writes,
    reads,
    retries,
    unanswered,
    uploads,
    heard,
    slots: reference.appliedSlot,
    terms: sampler.terms,
    restores: witness.restores,
    stoppedLoudly,
  };
  for (const machine of machines) if (machine.isOn) machine.kill();
  return outcome;
}

/** All parts of one house, in the order in which they need each other. */
type World = ReturnType<typeof newWorld>;

function newWorld(components: WorldComponents, init: WorldInit) {
  const { seed, knobs } = init;
  const time = new FakeTime({ startNs: 0n });
  const nowNs = () => time.now();
  const trace = components.trace && new Trace({ write: components.trace, nowNs });
  const tell = (who: string, text: string) => trace?.line(who, text);
  const network = new FakeNetwork(
    { time },
    { seed: streamOf(seed, 'network').u32(), delayMs: knobs.delayMs, jitterMs: knobs.jitterMs },
  );

  const witness = new Witness({ nowNs, trace }, { isBeyond: knobs.beyond });
  const observe = (observation: Observation) => witness.observe(observation);
  const isOver = () => witness.violation !== null;
  const loop = new EventLoop({ time, isOver, afterEvent: () => sampler.afterEvent() });

  let processes = 0;
  const life: Omit<MachineComponents, 'prng'> = {
    time,
    network,
    weather: { share: (kind) => schedule.share(kind), struck: (kind) => schedule.count(kind) },
    engine: components.engine({ network, observe, trace: trace && tell }),
    observe,
    trace: tell,
    nextProcess: () => ++processes,
    applied: (process, entry) => reference.applied(process, entry),
    passed: (process, slot, members) => reference.passed(process, slot, members),
    proposed: (payload) => observe({ type: 'proposed', payload: textOf(payload) }),
    statusChanged: (machine) => sampler.statusChanged(machine),
    ended: (machine, process, error) => owner.ended(machine, process, error),
  };
  const machines = knobs.ratesPpm.map((_, number) => newMachine(life, number, init));
  const house = new House({ machines });
  const ledger = new TrackLedger({ machines });
  const clients = new Clients(
    {
      time,
      prng: streamOf(seed, 'clients'),
      machines: () => house.answering(),
      observe,
      trace: tell,
      uploading: (machine) => schedule.uploading(machine),
    },
    knobs,
  );

  const reference = new Reference({ house, ledger, witness, trace });
  const atlas = new Atlas(
    {
      voters: () => house.voters().map(({ number }) => number),
      isChanging: () => owner.isChangingMembers || house.hasLostVoter() || !house.agreesOnMembers(),
    },
    { isUnbounded: knobs.beyond },
  );
  const schedule = new FaultSchedule({ time, network, house, atlas }, init);
  const latestProcess = () => processes;
  const cards = new CardsInDoubt({ machines, atlas, ledger, reference, witness, trace, latestProcess });
  const sampler = new Sampler({ time, machines, ledger, cards, witness, trace });
  const owner: Owner = new Owner(
    {
      time,
      loop,
      prng: streamOf(seed, 'owner'),
      engine: life.engine,
      house,
      schedule,
      atlas,
      ledger,
      cards,
      witness,
      trace,
    },
    knobs,
  );
  const liveness = new Liveness(
    { time, loop, network, house, owner, clients, schedule, ledger, reference, witness, trace },
    init,
  );

  return {
    time,
    trace,
    tell,
    network,
    witness,
    loop,
    machines,
    house,
    clients,
    reference,
    atlas,
    schedule,
    cards,
    sampler,
    owner,
    liveness,
  };
}

/** What faults may touch of it. */
function faultWorldOf(world: World, { delayMs, jitterMs }: Knobs): FaultWorld {
  const { network, machines, house, atlas, schedule, cards, owner, tell } = world;
  return {
    network,
    machines,
    atlas,
    leader: () => house.leader(),
    voters: () => house.voters(),
    isKnown: (machine) => house.isKnown(machine),
    calmPath: (path) => network.setConditions({ delayMs, jitterMs }, path),
    harm: (machine) => cards.harm(machine),
    count: (kind) => schedule.count(kind),
    trace: tell,
    until: (ms, callback) => schedule.until(ms, callback),
    startLater: (machine, ms) => owner.startLater(machine, ms),
    letIn: (machine) => owner.letIn(machine),
    replaceLater: (machine, ms) => owner.replaceLater(machine, ms),
    atNextUpload: (callback) => schedule.atNextUpload(callback),
    remove: (machine) => owner.remove(machine),
    setVoters: (voters) => owner.setVoters(voters),
  };
}

/** A machine as its knobs have it, switched off. What happens to it draws from streams of its own. */
function newMachine(life: Omit<MachineComponents, 'prng'>, number: number, { seed, knobs }: WorldInit): Machine {
  const prng = streamOf(seed, `machine ${number}`);
  const commits = streamOf(seed, `commits ${number}`);
  const files = streamOf(seed, `files ${number}`);
  const [fastMs, slowMs] = knobs.commitMs;
  return new Machine(
    { ...life, prng },
    {
      number,
      ratePpm: knobs.ratesPpm[number]!,
      // Machines were switched on at different times.
      zeroNs: BigInt(between(prng, 1, 1_000)) * 1_000_000_000n,
      commitMs: () => fastMs + (slowMs - fastMs) * commits.fraction(),
      filesMs: () => FILES_MS[0] + (FILES_MS[1] - FILES_MS[0]) * files.fraction() ** 2,
    },
  );
}
