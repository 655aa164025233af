/**
 * A random walk through a small world: whatever a seed says happens, in any order that is possible at all. Messages are lost, doubled and
 * reordered, links are cut one way or both, nodes stand still, crash, come back with what was durable, find a record damaged, keep and
 * install snapshots, join and leave. The oracle looks on. Then all that is over, and the cluster has to work again, soon.
 *
 * Bounds, or the oracle would be false of correct code: at most one node at a time has damaged records, and only while every configuration
 * has three voters or more; and nobody votes in a configuration that was not a member, and nearly caught up, in the one before.
 */
import { type NodeId, slot as slotOf } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { isMember } from '../../src/paxos/configuration.js';
import { Violation } from './oracle.js';
import { configurationOf, type Envelope, memberOf, TIMING, World, type WorldNode } from './world.js';

/** What happened in how many walks; a kind that never happened is a hole in the walk. */
export type Counts = Map<string, number>;

/** Things that may happen, and how often in relation to one another. */
const WEIGHTS = {
  deliver: 700,
  sync: 150,
  time: 90,
  propose: 30,
  read: 12,
  crash: 3,
  restart: 12,
  cut: 3,
  heal: 4,
  pause: 3,
  resume: 6,
  compact: 5,
  install: 12,
  reconfigure: 4,
  force: 12,
};
type Kind = keyof typeof WEIGHTS;
const KINDS = Object.keys(WEIGHTS) as Kind[];

/** More messages than this under way, and the oldest are lost. */
const BAG_MAX = 400;
/** Messages that may be delivered while no time passes, once all is quiet: more is a storm. */
const STORM = 5_000;
/** Election timeouts in which a quorum must work again. */
const TIMEOUTS = 4;

/** One walk. */
export class Walk {
  readonly world: World;
  readonly counts: Counts;
  readonly #prng: Prng;
  /** Knobs: chances, and milliseconds. */
  readonly #loss: number;
  readonly #double: number;
  readonly #reorder: number;
  readonly #strideMs: number;
  readonly #calm: ReadonlySet<Kind>;
  readonly #paused = new Set<NodeId>();
  #asked = 0;
  #fewestVoters: number;

  constructor(seed: number, counts: Counts = new Map()) {
    const prng = new Prng(seed);
    this.#prng = prng;
    this.counts = counts;
    const voters = [3, 3, 3, 5, 3, 4, 2, 1][prng.below(8)]!;
    const learners = prng.below(4) === 0 ? 1 : 0;
    const names = Array.from({ length: voters }, (_, index) => `n${index + 1}`);
    if (learners > 0) names.push(`(n${voters + 1})`);
    // Long leases keep elections apart, short ones let them meet.
    const leaseMs = [TIMING.leaseMs, TIMING.leaseMs, 1][prng.below(3)]!;
    this.world = new World(configurationOf(names, { ...TIMING, leaseMs }));
    this.#fewestVoters = voters;
    this.#loss = [0, 0.02, 0.1, 0.3][prng.below(4)]!;
    this.#double = [0, 0.05, 0.2][prng.below(3)]!;
    this.#reorder = [0, 0.1, 1][prng.below(3)]!;
    this.#strideMs = [4, 10, 25, 60][prng.below(4)]!;
    // Not everything in every walk: faults that always come together hide one another.
    const optional: Kind[] = ['crash', 'cut', 'pause', 'compact', 'reconfigure', 'force'];
    this.#calm = new Set(optional.filter(() => prng.below(3) === 0));
    for (const node of this.world.nodes.values()) node.rate = 1 + (prng.fraction() - 0.5) * 0.009;
  }

  /** Lets `moves` things happen. */
  wander(moves: number): void {
    const total = KINDS.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
    for (let move = 0; move < moves; move++) {
      const kind = this.#kind(this.#prng.below(total));
      if (!this.#calm.has(kind)) this.#happen(kind);
      this.#welcome();
    }
  }

  /** The kind that `at` falls on, where all kinds lie side by side by their weights. */
  #kind(at: number): Kind {
    let end = 0;
    for (const kind of KINDS) {
      end += WEIGHTS[kind];
      if (at < end) return kind;
    }
    throw new Error(`${at} is beyond all weights`);
  }

  #happen(kind: Kind): void {
    const { world } = this;
    switch (kind) {
      case 'deliver':
        this.#deliver();
        break;
      case 'sync': {
        const node = this.#pick(world.up.filter(({ id, pending }) => pending.length > 0 && !this.#paused.has(id)));
        if (node) world.sync(node.id);
        return;
      }
      case 'time':
        world.pass(this.#prng.fraction() * this.#strideMs);
        for (const { id } of world.up) if (!this.#paused.has(id)) world.feed(id, { type: 'tick' });
        return;
      case 'propose':
        this.#propose();
        break;
      case 'read': {
        const node = this.#pick(world.up);
        if (node) world.read(node.id, ++this.#asked);
        return;
      }
      case 'crash': {
        const node = this.#pick(world.up);
        if (!node) return;
        this.#count(node.pending.length > 0 ? 'crash in mid-write' : 'crash');
        world.crash(node.id, this.#prng.below(node.pending.length + 1));
        return;
      }
      case 'restart':
        this.#restart();
        break;
      case 'cut':
        this.#cut();
        break;
      case 'heal':
        world.cut.clear();
        return;
      case 'pause': {
        const node = this.#pick(world.up);
        if (node) this.#paused.add(node.id);
        this.#count('pause');
        return;
      }
      case 'resume':
        this.#paused.clear();
        return;
      case 'compact': {
        const node = this.#pick(world.up);
        if (!node || node.appliedUpTo === 0) return;
        world.compact(node.id, slotOf(node.appliedUpTo - this.#prng.below(Math.min(4, node.appliedUpTo))));
        this.#count('compact');
        return;
      }
      case 'install': {
        const node = this.#pick(world.up.filter(({ wants }) => wants !== null));
        if (!node) return;
        world.install(node.id);
        this.#count('install');
        return;
      }
      case 'reconfigure':
        this.#reconfigure();
        break;
      case 'force': {
        const node = this.#pick(world.up.filter((one) => this.#mayForce(one)));
        if (!node) return;
        world.campaign(node.id);
        this.#count('campaign out of turn');
        return;
      }
    }
  }

  #deliver(): void {
    const { world } = this;
    const open = world.bag.filter(({ to }) => !this.#paused.has(to));
    if (open.length === 0) return;
    const chance = this.#prng.fraction();
    const envelope = open[chance < this.#reorder ? this.#prng.below(open.length) : 0]!;
    if (world.bag.length > BAG_MAX || this.#prng.fraction() < this.#loss) {
      this.#count('loss');
      world.bag.splice(world.bag.indexOf(envelope), 1);
    } else {
      const doubles = this.#prng.fraction() < this.#double;
      if (doubles) this.#count('double');
      world.deliver(envelope, doubles);
      // It goes behind the others, or it would come again at once for ever.
      if (doubles) this.#moveBack(envelope);
    }
  }

  #moveBack(envelope: Envelope): void {
    const { bag } = this.world;
    const at = bag.indexOf(envelope);
    if (at >= 0) bag.push(...bag.splice(at, 1));
  }

  #propose(): void {
    const { world } = this;
    const leading = world.up.filter(({ state }) => state!.role.type === 'leader');
    const node = this.#pick(leading);
    if (!node) return;
    const texts = Array.from({ length: 1 + this.#prng.below(4) }, () => String(++this.#asked));
    world.propose(node.id, texts);
    this.#count('propose');
  }

  #restart(): void {
    const { world } = this;
    const node = this.#pick([...world.nodes.values()].filter(({ state }) => state === null));
    if (!node) return;
    if (this.#mayDamage(node) && this.#prng.below(3) === 0) {
      const slot = this.#pick([...node.disk.records.keys()]);
      if (slot !== undefined) {
        const named = this.#prng.below(2) === 0;
        world.damage(node.id, slot, named);
        this.#count(named ? 'damage' : 'damage of the identifier too');
      }
    }
    world.restart(node.id);
    this.#count('restart');
  }

  /** The elector may be wrong about when to campaign, but for the lease: nobody campaigns against its own grant. */
  #mayForce(node: WorldNode): boolean {
    const { grant, quietUntilMs } = node.state!;
    const nowMs = this.world.localMs(node);
    return nowMs >= quietUntilMs && (grant === null || grant.untilMs <= nowMs || grant.ballot.node === node.id);
  }

  #mayDamage(node: WorldNode): boolean {
    return (
      this.#fewestVoters >= 3 &&
      [...this.world.nodes.values()].every((other) => other === node || other.disk.unknown.size === 0)
    );
  }

  #cut(): void {
    const { world } = this;
    const ids = [...world.nodes.keys()];
    const sever = (a: NodeId, b: NodeId) => world.cut.add(`${a}>${b}`).add(`${b}>${a}`);
    const [one, other] = [this.#pick(ids)!, this.#pick(ids)!];
    const shape = this.#prng.below(5);
    this.#count(`cut ${['one way', 'one link', 'quorum loss', 'constrained', 'chain'][shape]}`);
    if (shape === 0) world.cut.add(`${one}>${other}`);
    else if (shape === 1) sever(one, other);
    // All hear `one` only.
    else if (shape === 2) for (const a of ids) for (const b of ids) if (a !== one && b !== one) sever(a, b);
    // And that one does not hear another.
    if (shape === 3) {
      for (const a of ids) for (const b of ids) if (a !== one && b !== one) sever(a, b);
      sever(one, other);
    }
    if (shape === 4)
      for (let at = 0; at < ids.length; at++)
        for (let far = at + 2; far < ids.length; far++) sever(ids[at]!, ids[far]!);
  }

  #reconfigure(): void {
    const { world } = this;
    const node = this.#pick(world.up.filter(({ state }) => state!.role.type === 'leader'));
    if (!node) return;
    const { configuration, chosenUpTo } = node.state!;
    const isReady = (id: NodeId) => (world.nodes.get(id)?.state?.chosenUpTo ?? 0) >= chosenUpTo - 2;
    const names: string[] = [];
    for (const member of configuration.members) {
      if (this.#prng.below(8) === 0) continue;
      const votes = member.voter ? this.#prng.below(10) > 0 : isReady(member.node) && this.#prng.below(2) === 0;
      names.push(votes ? member.node : `(${member.node})`);
    }
    if (world.nodes.size < 7 && this.#prng.below(2) === 0) names.push(`(n${world.nodes.size + 1})`);
    else {
      // One who was removed comes back.
      const gone = this.#pick([...world.nodes.keys()].filter((id) => !isMember(configuration, id)));
      if (gone && this.#prng.below(3) === 0) names.push(`(${gone})`);
    }
    const voters = names.filter((name) => memberOf(name).voter).length;
    if (voters === 0) return;
    const isDamaged = [...world.nodes.values()].some(({ disk }) => disk.unknown.size > 0);
    if (voters < 3 && isDamaged) return;
    this.#fewestVoters = Math.min(this.#fewestVoters, voters);
    world.reconfigure(node.id, names);
    this.#count('reconfigure');
  }

  /** A member that has no card yet gets one. */
  #welcome(): void {
    const { configuration } = this.world.oracle;
    for (const { node } of configuration.members) if (!this.world.nodes.has(node)) this.world.add(node, configuration);
  }

  /** The faults are over. @throws Violation where no leader serves, or somebody is not caught up, in time */
  settle(): void {
    const { world } = this;
    world.cut.clear();
    this.#paused.clear();
    for (const { id } of [...world.nodes.values()]) world.restart(id);
    const { electionMs, leaseMs } = world.first.timing;
    const endMs = world.nowMs + TIMEOUTS * electionMs + leaseMs * 1.02;
    let due: number | null = null;
    while (world.nowMs < endMs) {
      this.#rest();
      const leader = this.#leader();
      // One more command, and everybody has it.
      if (leader && due === null) {
        due = world.oracle.chosenUpTo;
        world.propose(leader.id, ['last']);
        this.#rest();
      }
      if (this.#leader() && due !== null && world.oracle.chosenUpTo > due) return;
      world.pass(25);
      for (const { id } of world.up) world.feed(id, { type: 'tick' });
    }
    throw new Violation(`no leader serves all within ${TIMEOUTS} election timeouts: ${this.#picture()}`);
  }

  /** Delivers and writes until nothing is left to do. */
  #rest(): void {
    const { world } = this;
    for (let moves = 0; ; moves++) {
      if (moves > STORM) throw new Violation('messages breed messages');
      for (const { id, pending } of world.up) if (pending.length > 0) world.sync(id);
      for (const { id, wants } of world.up) if (wants) world.install(id);
      this.#welcome();
      const envelope = world.bag[0];
      if (envelope) world.deliver(envelope);
      else if (world.up.every(({ pending }) => pending.length === 0)) return;
    }
  }

  /** The one who leads and serves, where every member has applied all that is chosen. */
  #leader(): WorldNode | null {
    const { world } = this;
    const { configuration, chosenUpTo } = world.oracle;
    const members = configuration.members.map(({ node }) => world.node(node));
    const leaders = members.filter(({ state }) => state!.role.type === 'leader' && state!.role.serving);
    const agree = members.every(
      ({ state, appliedUpTo }) => appliedUpTo === chosenUpTo && state!.configuration.id === configuration.id,
    );
    return leaders.length === 1 && agree ? leaders[0]! : null;
  }

  #picture(): string {
    return this.world.up
      .map(
        ({ id, state, disk }) =>
          `${id} ${state!.role.type} in ${state!.configuration.id} up to ${state!.chosenUpTo}, base ${disk.base}, ` +
          `damaged [${[...disk.unknown.keys()].join(' ')}]`,
      )
      .join('; ');
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.#prng.below(list.length)];
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}
