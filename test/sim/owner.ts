/**
 * Owner: the person whose house it is: formats cards, switches machines on again, swaps cards, and asks for members to come and go.
 *
 * An owner asks any node that answers, and asks again where nothing came of it.
 */
import { type ErrorCode, TuttiError } from '../../src/core/errors.js';
import { type NodeId, nodeId, type Slot, slot } from '../../src/core/ids.js';
import type { Prng } from '../../src/core/prng.js';
import type { Configuration } from '../../src/paxos/configuration.js';
import { PowerCut } from '../../src/ports/fake-disk.js';
import type { FakeTime } from '../../src/ports/fake-time.js';
import type { Atlas } from './atlas.js';
import type { CardsInDoubt } from './cards-in-doubt.js';
import type { ProcessId } from './checkers/observation.js';
import type { Engine } from './engine.js';
import type { EventLoop } from './event-loop.js';
import type { FaultSchedule } from './fault-schedule.js';
import type { House } from './house.js';
import type { FaultKind, Knobs } from './knobs.js';
import type { Identity, Machine } from './machine.js';
import { chance, pick } from './streams.js';
import type { Trace } from './trace.js';
import type { TrackLedger } from './track-ledger.js';
import type { Witness } from './witness.js';

/** Between two attempts to let a machine in, milliseconds. */
const JOIN_AGAIN_MS = 1_000;
/** Between two attempts to remove a member whose card is gone, milliseconds. */
const TAKE_OUT_AGAIN_MS = 5_000;
/** A change of members of which nothing was heard for this long is not waited for any more, milliseconds. */
const CHANGE_MS = 20_000;
/** Until a card that cannot be read is replaced, milliseconds. */
const UNREADABLE_MS = 1_000;
/** Until a process that ended by itself is started again, milliseconds. */
const RESTART_MS = 500;
/** And one with a full log, which ends at its first write: to try that twice a second shows nothing more. Milliseconds. */
const FULL_RESTART_MS = 3_000;

/** What an owner works with. */
export interface OwnerComponents {
  readonly time: FakeTime;
  readonly loop: EventLoop;
  /** Names of cards, whom to ask. */
  readonly prng: Prng;
  readonly engine: Engine;
  readonly house: House;
  readonly schedule: FaultSchedule;
  readonly atlas: Atlas;
  readonly ledger: TrackLedger;
  readonly cards: CardsInDoubt;
  readonly witness: Witness;
  /** Null where nobody reads it. */
  readonly trace: Trace | null;
}

/** Looks after one house. */
export class Owner {
  readonly #parts: OwnerComponents;
  readonly #knobs: Knobs;
  /** Whose place a newcomer was let in to take. */
  readonly #formers = new Map<NodeId, NodeId>();
  /** Changes of members that are under way. */
  #changes = 0;

  constructor(components: OwnerComponents, knobs: Knobs) {
    this.#parts = components;
    this.#knobs = knobs;
  }

  /** Some change of members that was asked for is not done yet, nor given up. */
  get isChangingMembers(): boolean {
    return this.#changes > 0;
  }

  /** Formats the cards of those who vote from the start, and starts them; gives who they are. */
  form(): readonly Identity[] {
    const { prng, engine, house } = this.#parts;
    const { voters, timing } = this.#knobs;
    const founders = house.machines.slice(0, voters);
    for (const machine of founders) machine.identity = newIdentity(prng);
    const members = founders.map((machine) => ({ ...machine.member()!, voter: true }));
    members.sort((a, b) => (a.node < b.node ? -1 : 1));
    const configuration: Configuration = { id: 1, after: slot(0), members, timing };
    for (const machine of founders) engine.format(machine, machine.identity!, configuration);
    for (const machine of founders) machine.start();
    return founders.map(({ identity }) => identity!);
  }

  /** Switches a machine on again after so many milliseconds. */
  startLater(machine: Machine, ms: number): void {
    this.#parts.schedule.until(ms, () => machine.start());
  }

  /** Lets a machine with an empty card in. */
  letIn(machine: Machine): void {
    void this.#join(machine, null);
  }

  /** Takes a card out after so many milliseconds and puts an empty one in, in place of its former self. */
  replaceLater(machine: Machine, ms: number): void {
    const { schedule, ledger } = this.#parts;
    const former = machine.identity?.node ?? null;
    machine.isAwaitingReplacement = true;
    schedule.until(ms, () => {
      if (machine.identity !== null && machine.identity.node !== former) return;
      if (machine.isOn) machine.kill();
      // What it took in since it was harmed goes with the card.
      ledger.harms(machine);
      machine.insert(machine.newDisk(), null);
      void this.#join(machine, former);
    });
  }

  /** Asks for a house without this machine. */
  remove(machine: Machine): void {
    const asked = this.#anybody();
    const node = machine.identity?.node;
    if (asked === null || node === undefined) return;
    this.#say(`asks ${asked.name} to remove ${machine.name}`);
    const former = this.#formers.get(node);
    this.#change('remove-member', asked.changeMembers({ type: 'remove', node, acceptLoss: false }));
    // Nobody is to take that one's place any more: whoever sends the newcomer away has to see to it.
    if (former !== undefined) void this.#takeOut(former);
  }

  /** Asks that these vote, and no others. */
  setVoters(machines: readonly Machine[]): void {
    const asked = this.#anybody();
    if (asked === null) return;
    const voters = machines.map(({ identity }) => identity!.node).sort();
    this.#say(`asks ${asked.name} to let ${machines.map(({ name }) => name).join(' ')} vote`);
    this.#change('voters', asked.changeMembers({ type: 'voters', voters }));
  }

  /** A process ended by itself: the machine is started again, after the power was gone where the disk is not to be believed. */
  ended(machine: Machine, process: ProcessId, error: Error): void {
    const { witness, schedule, prng, cards } = this.#parts;
    witness.observe({ type: 'ended', process, error, causes: this.#causesFor(machine) });
    const code = error instanceof TuttiError ? error.code : null;
    if (code === 'DISK_FAILED') machine.failsSoon = false;
    if (error instanceof PowerCut) {
      schedule.count('power-in-write');
      machine.cutPower();
    } else if (machine.needsPowerCycle && (this.#knobs.beyond || chance(prng, 0.5))) {
      // Beyond the atlas always: what only the page cache holds is lost without a trace later on, and no code can say so.
      machine.cutPower();
    } else machine.disk.killProcess();
    if (code === 'STORE_UNREADABLE') {
      cards.harm(machine);
      this.replaceLater(machine, UNREADABLE_MS);
    } else this.startLater(machine, code === 'DISK_FULL' ? FULL_RESTART_MS : RESTART_MS);
  }

  /** With which errors a process may end there, for what was done to its disk. */
  #causesFor({ number, failsSoon, wasFullLately }: Machine): readonly ErrorCode[] {
    return [
      ...(wasFullLately ? (['DISK_FULL'] as const) : []),
      ...(failsSoon ? (['DISK_FAILED'] as const) : []),
      // What is read back after it was written may be wrong too.
      ...(this.#parts.atlas.isInDoubt(number) ? (['DISK_FAILED', 'STORE_UNREADABLE', 'BAD_SNAPSHOT'] as const) : []),
    ];
  }

  /** Lets a machine with an empty card in, as often as it takes. */
  async #join(machine: Machine, former: NodeId | null): Promise<void> {
    const { prng, witness, engine, schedule, loop } = this.#parts;
    const identity = newIdentity(prng);
    this.#say(`lets ${machine.name} in${former === null ? '' : ' again'}`);
    this.#changes++;
    machine.isComingIn = true;
    let place = former;
    while (machine.identity === null && witness.violation === null) {
      const asked = this.#anybody();
      const answer = asked === null ? 'refused' : await engine.join(machine, identity, asked, place);
      if (answer === 'admitted') {
        machine.identity = identity;
        machine.isAwaitingReplacement = false;
        if (place !== null) this.#formers.set(identity.node, place);
        if (former === null) schedule.count('add-member');
        machine.start();
        break;
      }
      // Its former self was removed meanwhile: it comes as one more.
      if (answer === 'no such member') place = null;
      await loop.wait(JOIN_AGAIN_MS);
    }
    machine.isComingIn = false;
    this.#changes--;
  }

  /** Removes a member whose card is gone for good, as often as it takes. */
  async #takeOut(node: NodeId): Promise<void> {
    const { house, witness, loop } = this.#parts;
    this.#changes++;
    while (house.isMember(node) && witness.violation === null) {
      const asked = this.#anybody();
      this.#say(`asks ${asked?.name ?? 'nobody'} to remove ${node.slice(0, 4)}, whose card is gone`);
      // What came of it the house itself will say.
      asked?.changeMembers({ type: 'remove', node, acceptLoss: false }).catch(() => {});
      await loop.wait(TAKE_OUT_AGAIN_MS);
    }
    this.#changes--;
  }

  #change(kind: FaultKind, changed: Promise<Slot>): void {
    const { time, schedule } = this.#parts;
    this.#changes++;
    const timer = time.after('change', CHANGE_MS, () => over());
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      this.#changes--;
    };
    changed.then(
      () => {
        schedule.count(kind);
        over();
      },
      (error: Error) => {
        this.#say(`${kind}: ${error.message}`);
        over();
      },
    );
  }

  /** A machine that anybody may ask. */
  #anybody(): Machine | null {
    const { house, prng } = this.#parts;
    const answering = house.answering();
    return answering.length === 0 ? null : pick(prng, answering);
  }

  #say(text: string): void {
    this.#parts.trace?.line('owner', text);
  }
}

/** A card that was formatted just now. */
function newIdentity(prng: Prng): Identity {
  const id = () => Array.from({ length: 4 }, () => prng.u32().toString(16).padStart(8, '0')).join('');
  return { node: nodeId(id()), incarnation: id() as Identity['incarnation'] };
}
