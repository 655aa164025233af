/**
 * Machine: one computer of the house: a card, a clock, a place in the network, and the process that runs on it.
 *
 * A process is all of the real code of a node that agreement is made of; it starts, it is stopped and goes on, it is killed or loses its
 * power, and starts anew from what the card holds. Whatever code of a process is run goes through here, so that a dead one runs
 * no more, and one that throws is dead.
 */
import type { Command, Origin } from '../../src/cluster/command.js';
import type { Outcome } from '../../src/cluster/outcome.js';
import { TuttiError } from '../../src/core/errors.js';
import type { BootId, ClusterId, Incarnation, NodeId, Slot, TrackId } from '../../src/core/ids.js';
import type { Prng } from '../../src/core/prng.js';
import type { Track } from '../../src/library/track.js';
import type { IncomingTrack } from '../../src/node/add-track.js';
import { type AgreedState, Agreement } from '../../src/node/agreement.js';
import { Duties } from '../../src/node/duties.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import type { FakeNetwork } from '../../src/ports/fake-network.js';
import { FakePeerLink } from '../../src/ports/fake-peer-link.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import type { PeerLink } from '../../src/ports/peer-link.js';
import { MAIL_FIRST_BYTE } from '../../src/ports/peer-mail.js';
import type { LinkIdentity } from '../../src/replication/replica.js';
import type { LogEntry, LogStatus, MemberIdentity, ReplicatedLog } from '../../src/replication/replicated-log.js';
import type { Observation, ProcessId } from './checkers/observation.js';
import type { Engine } from './engine.js';
import { GatedLink, type Weather } from './gated-link.js';
import { NodeClock } from './node-clock.js';
import { ProcessFiles } from './process-files.js';
import { SimDisk } from './sim-disk.js';
import { chance } from './streams.js';
import { TappedLog } from './tapped-log.js';

/** For so long after a disk was full its log may still be. Nanoseconds. */
const FULL_LATELY_NS = 30_000_000_000n;
/** Where every machine listens. */
const PORT = 7_420;

/** The cluster of every simulation. */
export const CLUSTER = 'c1'.repeat(16) as ClusterId;

/** What a machine is given by its world. */
export interface MachineComponents {
  /** True time. */
  readonly time: FakeTime;
  readonly network: FakeNetwork;
  readonly weather: Weather;
  readonly engine: Engine;
  /** Draws what happens to this machine's messages and disk. */
  readonly prng: Prng;
  observe(observation: Observation): void;
  trace(who: string, text: string): void;
  /** A number for the next process. */
  nextProcess(): ProcessId;
  /** What was said of an entry by the state machine that no fault strikes: see reference.ts. */
  applied(process: ProcessId, entry: LogEntry): void;
  passed(process: ProcessId, slot: Slot, members: readonly NodeId[] | undefined): void;
  proposed(payload: Uint8Array): void;
  /** Leadership, quorum or members changed at this machine. */
  statusChanged(machine: Machine): void;
  /** Its process ended by itself: who looks after the house starts it again. */
  ended(machine: Machine, process: ProcessId, error: Error): void;
}

/** What differs between machines. */
export interface MachineInit {
  readonly number: number;
  readonly ratePpm: number;
  readonly zeroNs: bigint;
  /** What a commit takes, milliseconds. */
  readonly commitMs: () => number;
  /** What a call to the thread of the track files takes, milliseconds. */
  readonly filesMs: () => number;
}

/** Who a card is. */
export interface Identity {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
}

/** A process that lives. */
interface Process {
  readonly id: ProcessId;
  readonly boot: BootId;
  readonly clock: NodeClock;
  log: TappedLog | null;
  link: PeerLink | null;
  readonly files: ProcessFiles;
  agreement: Agreement | null;
  duties: Duties | null;
  /** Everything that its card knows was applied. */
  isUp: boolean;
  /** Stopped by a signal: callbacks wait here. */
  held: (() => void)[] | null;
  alive: boolean;
}

/** One machine. Off until `start`. */
export class Machine {
  readonly number: number;
  readonly name: string;
  readonly host: string;
  disk: SimDisk;
  /** Null while its card is empty. */
  identity: Identity | null = null;
  /** The card was overwritten with an older image since it last ran. */
  imaged = false;
  /** The card is a clone of one that another machine runs on: it is no member beside that one. */
  isClone = false;
  /** Its owner will put an empty card in, and let it in anew. */
  isAwaitingReplacement = false;
  /** Its owner is letting it in under a new identity: one at a time, or a member would be awaited that never comes. */
  isComingIn = false;
  /** Others' files have taken all of its disk. */
  isFull = false;
  /** When that was last so, true nanoseconds; null for never. */
  fullAtNs: bigint | null = null;
  /** One of its disk's next writes or syncs will fail, or a read go astray; or has. */
  failsSoon = false;
  /** A sync failed: what is read may not be on the medium until the power was gone once. */
  needsPowerCycle = false;
  /** Until then its disk answers nothing. True nanoseconds. */
  stalledUntilNs = 0n;
  /** Part of the pieces of files that it sends in which a bit is wrong: its memory is bad. 0 to 1. */
  spoils = 0;
  /** What a commit takes now is multiplied by it. */
  slowness = 1;
  readonly #parts: MachineComponents;
  readonly #init: MachineInit;
  #process: Process | null = null;

  constructor(components: MachineComponents, init: MachineInit) {
    this.#parts = components;
    this.#init = init;
    this.number = init.number;
    this.name = `m${init.number}`;
    this.host = this.name;
    this.disk = this.newDisk();
  }

  /** An empty card for this machine. */
  newDisk(): SimDisk {
    return new SimDisk({ seed: this.#parts.prng.u32() });
  }

  /** A process runs, or is stopped. */
  get isOn(): boolean {
    return this.#process !== null;
  }

  /** A process runs, and has read its card. */
  get isUp(): boolean {
    return this.#process?.isUp === true;
  }

  /** Lies in a drawer: nobody has plans for it. */
  get isSpare(): boolean {
    return this.identity === null && !this.isOn && !this.isAwaitingReplacement && !this.isComingIn;
  }

  get isPaused(): boolean {
    return this.#process !== null && this.#process.held !== null;
  }

  get processId(): ProcessId | null {
    return this.#process?.id ?? null;
  }

  /** Names the process that runs; null where none does. */
  get boot(): BootId | null {
    return this.#process?.boot ?? null;
  }

  /** Where peers find it. */
  get address(): string {
    return `${this.host}:${PORT}`;
  }

  /** As others are told of it. */
  member(): MemberIdentity | null {
    return this.identity && { ...this.identity, address: this.address, name: this.name };
  }

  /** What its process says; null where none is up. */
  status(): LogStatus | null {
    const process = this.#process;
    return process?.isUp === true ? process.log!.status() : null;
  }

  /** Its process says that it holds the lease. A stopped one is asked what it would say if it went on now. */
  holdsLease(): boolean {
    const process = this.#process;
    return process?.isUp === true && process.log!.holdsLease();
  }

  /** Slot of the state that it shows. */
  get appliedSlot(): number {
    return this.#process?.agreement?.cluster.appliedSlot ?? 0;
  }

  /** What it has applied, to be read; null where nothing runs. */
  get state(): AgreedState | null {
    return this.#process?.agreement?.cluster ?? null;
  }

  /** What it takes for cluster time; null while no process is up. */
  clock(): Extract<Observation, { type: 'clock' }> | null {
    const process = this.#process;
    if (process?.isUp !== true) return null;
    return {
      type: 'clock',
      process: process.id,
      clusterNs: process.log!.now(),
      trueNs: this.#parts.time.now(),
      epoch: process.agreement!.cluster.term?.epoch ?? 0,
      lineIsKnown: process.log!.clockLine() !== null,
    };
  }

  /** Tells the checkers the state that it has. */
  hashState(): void {
    const process = this.#process;
    if (process?.isUp === true) process.log!.hashNow(process.agreement!.cluster.appliedSlot);
  }

  /** Asks the house for something, as a person at this node would. Rejects as `Agreement.ask`; never settles where the process dies. */
  ask(command: Command, origin: Origin): Promise<Outcome> {
    return this.#inside((process) => process.agreement!.ask(command, origin));
  }

  /** Waits for a state that holds all that was agreed before. */
  readBarrier(): Promise<Slot> {
    return this.#inside((process) => process.log!.readBarrier());
  }

  /** Takes a file in, as a person at this node would. Resolves with its slot; rejects as {@link Tracks.add}. */
  addTrack(incoming: IncomingTrack, origin: Origin): Promise<number> {
    return this.#inside((process) => process.files.add(incoming, origin));
  }

  /** All of a track as it would be heard here; null where not all of it can be, or nothing runs. */
  listen(track: Track): Uint8Array | null {
    const process = this.#process;
    let heard: Uint8Array | null = null;
    if (process?.isUp === true)
      this.#run(process, () => {
        heard = process.files.listen(track);
      });
    return heard;
  }

  /** Its process waits for what comes of a file that somebody sends. */
  get isTakingIn(): boolean {
    return this.#process?.files.isTakingIn === true;
  }

  /** Its process says that it holds the file. */
  holds(id: TrackId): boolean {
    const process = this.#process;
    return process?.isUp === true && process.files.tracks.holds(id);
  }

  /** Changes who takes part. */
  changeMembers(change: Parameters<TappedLog['changeMembers']>[0]): Promise<Slot> {
    return this.#inside((process) => process.log!.changeMembers(change));
  }

  /** Whether a caller at this machine would find anybody. */
  get answers(): boolean {
    return this.isUp && !this.isPaused;
  }

  /** Switches it on. Its card holds a store. */
  start(): void {
    const { time, engine, observe, nextProcess } = this.#parts;
    if (this.#process !== null || this.identity === null) return;
    const id = nextProcess();
    const { ratePpm, zeroNs } = this.#init;
    const clock = new NodeClock({ time, run: (callback) => this.#run(process, callback) }, { ratePpm, zeroNs });
    const boot = `b0${id.toString(16).padStart(30, '0')}` as BootId;
    const process: Process = {
      id,
      boot,
      clock,
      log: null,
      link: null,
      files: new ProcessFiles(
        { time: clock, disk: this.disk },
        { latencyMs: () => this.#filesMs(), callsAt: this.number % 4 < 2 ? 'start' : 'end' },
      ),
      agreement: null,
      duties: null,
      isUp: false,
      held: null,
      alive: true,
    };
    this.#process = process;
    const card = `${this.name} ${this.identity.incarnation}`;
    observe({ type: 'started', process: id, node: this.identity.node, card, imaged: this.imaged });
    this.imaged = false;
    this.#trace(`starts process ${id}`);
    this.#run(process, () => {
      const log = engine.start({
        machine: this,
        process: id,
        clock,
        boot,
        link: (identity) => process.files.over(this.#link(process, identity)),
        gate: process.files.gate,
        commitMs: () => this.#commitMs(),
        run: (callback) => this.#run(process, callback),
        failed: (error) => this.#end(process, error),
      });
      void this.#boot(process, log);
    });
  }

  /** Kills its process (kill -9): the machine goes on, and what was written is there. */
  kill(): void {
    this.#trace('kill -9');
    this.#stop();
    this.disk.killProcess();
  }

  /** Takes its power away: what was not synced is there, or not, or in parts. Peers hear nothing of it. */
  cutPower(): void {
    this.#trace('power fails');
    this.#stop();
    this.disk.crash(this.#parts.prng);
    this.needsPowerCycle = false;
  }

  /** SIGSTOP: time goes on, and nothing runs. */
  pause(): void {
    if (this.#process === null || this.#process.held !== null) return;
    this.#trace('SIGSTOP');
    this.#process.held = [];
  }

  /** SIGCONT: what came meanwhile is done now, in order. */
  resume(): void {
    const held = this.#process?.held;
    if (this.#process === null || held === null || held === undefined) return;
    const process = this.#process;
    this.#trace(`SIGCONT, ${held.length} callbacks are due`);
    process.held = null;
    for (const callback of held) this.#parts.time.after('held', 0, () => this.#run(process, callback));
  }

  /** Steps its wall clock. */
  stepWallClock(byMs: number): void {
    this.#process?.clock.stepWallClock(byMs);
  }

  /** Another card is in it from now on. Off. */
  insert(disk: SimDisk, identity: Identity | null): void {
    this.disk = disk;
    this.identity = identity;
    this.imaged = false;
    this.isClone = false;
    this.needsPowerCycle = false;
    this.failsSoon = false;
    this.stalledUntilNs = 0n;
  }

  async #boot(process: Process, log: ReplicatedLog): Promise<void> {
    const identity = this.identity!;
    const { observe, applied, passed, proposed, statusChanged } = this.#parts;
    process.log = new TappedLog({
      log,
      observer: {
        applied: (entry) => applied(process.id, entry),
        passed: (slot, members) => passed(process.id, slot, members),
        restored: (slot) => observe({ type: 'restored', process: process.id, slot }),
        state: (slot, hash) => observe({ type: 'state', process: process.id, slot, hash }),
        proposed,
        acknowledged: (payload, slot) => observe({ type: 'acknowledged', payload: textOf(payload), slot }),
        statusChanged: () => statusChanged(this),
      },
    });
    const agreement = new Agreement({ log: process.log }, { self: identity.node });
    process.agreement = agreement;
    const { files } = process;
    const duties = new Duties(
      { time: process.clock, log: new FakeLog(), agreement },
      {
        id: identity.node,
        incarnation: identity.incarnation,
        bootId: process.boot,
        clusterId: CLUSTER,
        name: this.name,
        version: '1',
        address: () => this.address,
        sound: { driver: 'none', channels: 'stereo', latencyUs: 0, queueMs: 20 } as never,
        clockErrorUs: 500,
        resumeAfterOutage: 'play',
      },
    );
    process.duties = duties;
    const look = () => {
      if (process.isUp) duties.look();
    };
    if (!(await this.#settled(process, files.open(agreement, identity)))) return;
    const started = agreement.start({
      applied: (track) => {
        files.tracks.agreed(track);
        if (process.isUp) duties.applied();
      },
      replaced: (before) => {
        files.tracks.replaced(before);
        look();
      },
      statusChanged: () => {
        if (process.isUp) files.tracks.membersChanged();
        look();
      },
      told: () => {},
      darknessEnded: (item) => duties.darknessEnded(item),
    });
    if (!(await this.#settled(process, started))) return;
    files.tracks.start();
    process.isUp = true;
    this.#trace(`is up at slot ${this.appliedSlot}`);
    duties.start();
    duties.announce(`http://${this.host}`);
    statusChanged(this);
  }

  /** True where a promise of a process resolved; false where it rejected, which ends the process, or the process is dead by then. */
  async #settled(process: Process, promise: Promise<void>): Promise<boolean> {
    try {
      await promise;
      return process.alive;
    } catch (error) {
      this.#end(process, error as Error);
      return false;
    }
  }

  #link(process: Process, { node, incarnation, card }: LinkIdentity): PeerLink {
    const { network, weather, prng, time, engine } = this.#parts;
    const address = { host: this.host, port: PORT };
    const inner = new FakePeerLink({ network }, { node, incarnation, cluster: CLUSTER, address, card });
    process.link = inner;
    return new GatedLink({
      link: inner,
      time,
      prng,
      weather,
      run: (callback) => this.#run(process, callback),
      isAlive: () => process.alive,
      isConsensus: engine.isConsensus,
      sent: (channel, bytes) => (channel === 'bulk' && this.spoils > 0 ? this.#spoilt(bytes) : bytes),
      tap: (direction, peer, channel, bytes) =>
        engine.tap({ process: process.id, machine: this, direction, peer, channel, bytes }),
    });
  }

  /** A message of the tracks' mail, perhaps with a wrong bit. What is of consensus is not struck: it would be believed. */
  #spoilt(bytes: Uint8Array): Uint8Array {
    const { prng } = this.#parts;
    if (bytes[0]! < MAIL_FIRST_BYTE.least || !chance(prng, this.spoils)) return bytes;
    const spoilt = bytes.slice();
    spoilt[1 + prng.below(bytes.length - 1)]! ^= 1 << prng.below(8);
    return spoilt;
  }

  #commitMs(): number {
    return this.#diskMs(this.#init.commitMs());
  }

  #filesMs(): number {
    return this.#diskMs(this.#init.filesMs());
  }

  /** What takes so long on a disk that is well. Milliseconds. */
  #diskMs(wellMs: number): number {
    const stalledNs = this.stalledUntilNs - this.#parts.time.now();
    return wellMs * this.slowness + (stalledNs > 0n ? Number(stalledNs) / 1e6 : 0);
  }

  /** Runs code of a process. */
  #run(process: Process, callback: () => void): void {
    if (!process.alive) return;
    if (process.held !== null) {
      process.held.push(callback);
      return;
    }
    try {
      callback();
    } catch (error) {
      this.#end(process, error as Error);
    }
  }

  async #inside<T>(call: (process: Process) => Promise<T>): Promise<T> {
    const process = this.#process;
    if (process?.isUp !== true) throw new TuttiError('NODE_UNREACHABLE', `${this.name} does not answer`);
    const answer = await call(process);
    // What it was about to say when it died reaches nobody.
    return process.alive ? answer : await new Promise(() => {});
  }

  /** The process ended by itself. */
  #end(process: Process, error: Error): void {
    if (!process.alive) return;
    this.#trace(`process ${process.id} ends: ${error.message}`);
    this.#stop();
    this.#parts.ended(this, process.id, error);
  }

  /** Others' files take all of its disk, or did a while ago: a snapshot that found no room is tried again only later. */
  get wasFullLately(): boolean {
    const { fullAtNs } = this;
    return this.isFull || (fullAtNs !== null && this.#parts.time.now() - fullAtNs < FULL_LATELY_NS);
  }

  #stop(): void {
    const process = this.#process;
    if (process === null) return;
    process.alive = false;
    process.isUp = false;
    process.clock.stop();
    // The kernel closes what the process had open.
    void process.link?.stop();
    this.#process = null;
  }

  #trace(text: string): void {
    this.#parts.trace(this.name, text);
  }
}

/** Bytes as text, for comparing and as keys. */
export const textOf = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('latin1');
