/**
 * Plays a transcript: text with one command a line, marked by `> `, after each of which the trace of the whole cluster follows. Lines
 * that begin with `#` are for readers.
 *
 * Commands (nodes are numbers; `run` and `quiet` let things happen in order, without a trace; all others show every step):
 *
 *     nodes 1 2 3 (4)       a new world, all up; in brackets: learns, and does not vote; `lease=0`: nobody waits for leases
 *     campaign 1            node 1 asks for the lead
 *     tick 1 600            600 ms pass, then node 1 notices
 *     run 600               600 ms pass for all, in steps of 25, and whatever is on its way arrives and is written
 *     deliver 1>2 [3]       everything from 1 to 2 arrives, or the first 3 messages
 *     drop 1>2              everything from 1 to 2 is lost
 *     sync 1                everything that node 1 writes becomes durable
 *     settle, quiet         everything arrives and is written, until nothing is left; with a trace, without one
 *     propose 1 a b c       node 1 is given commands, all at once
 *     reconfigure 1 1 2 3   node 1 is asked for a change of members
 *     read 1                node 1 is asked up to where it must apply for a read
 *     crash 1, restart 1    what is not durable is lost
 *     damage 1 7 [nameless] while node 1 is down: its record of slot 7 cannot be read; nor its identifier
 *     compact 1 7           node 1 keeps a snapshot up to slot 7
 *     install 1             node 1 gets the snapshot that it was told of
 *     join 4                a card with nothing on it but the latest configuration
 *     cut 1>2 1-3, heal     nothing comes through these links, one way or both
 *     promised 1 900        node 1's disk says, while it is down, that it promised round 900
 *     show, log             how each node stands; what is chosen
 */
import { nodeId, slot as slotOf } from '../../src/core/ids.js';
import { ballotText } from '../../src/paxos/ballot.js';
import type { Effects, PaxosEvent, Persist } from '../../src/paxos/effects.js';
import type { AcceptedEntry, UnknownSlot } from '../../src/paxos/entry.js';
import type { Message, Standing } from '../../src/paxos/message.js';
import { holdsLease, statusOf } from '../../src/paxos/step.js';
import { entryKey } from './oracle.js';
import { configurationOf, TIMING, World, type WorldNode } from './world.js';

const STEP_MS = 25;

/** Plays `text`, and gives it back with the traces as they are. */
export function play(text: string): string {
  const player = new Player();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) lines.push(line);
    if (!line.startsWith('> ')) continue;
    // A paragraph for each command.
    if (lines.length > 0 && !lines.at(-1)!.startsWith('#')) lines.push('');
    lines.push(line, ...player.obey(line.slice(2).trim().split(/\s+/)));
  }
  return `${lines.join('\n')}\n`;
}

class Player {
  #world = new World(configurationOf(['n1']));
  #trace: string[] = [];
  #reads = 0;
  readonly #roles = new Map<WorldNode, string>();

  obey([command, ...words]: string[]): string[] {
    this.#trace = [];
    this.#do(command!, words);
    return this.#trace;
  }

  #do(command: string, words: readonly string[]): void {
    const world = this.#world;
    const id = nodeId(name(words[0] ?? ''));
    switch (command) {
      case 'nodes':
        this.#world = new World(
          configurationOf(
            words.filter((word) => word !== 'lease=0').map(name),
            words.includes('lease=0') ? { ...TIMING, leaseMs: 0 } : TIMING,
          ),
        );
        this.#look(true);
        break;
      case 'campaign':
        world.campaign(id);
        break;
      case 'tick':
        world.pass(Number(words[1] ?? 0));
        world.feed(id, { type: 'tick' });
        break;
      case 'run':
        this.#quietly(() => {
          for (let ms = 0; ms < Number(words[0]); ms += STEP_MS) {
            world.pass(STEP_MS);
            for (const node of world.up) world.feed(node.id, { type: 'tick' });
            this.#settle();
          }
        });
        break;
      case 'deliver':
        for (const envelope of this.#on(words[0]!).slice(0, Number(words[1] ?? 1_000))) world.deliver(envelope);
        return;
      case 'drop': {
        const lost = this.#on(words[0]!);
        world.bag = world.bag.filter((envelope) => !lost.includes(envelope));
        for (const { message } of lost) this.#trace.push(`lost ${words[0]}: ${messageText(message)}`);
        return;
      }
      case 'sync':
        while (world.node(id).pending.length > 0) world.sync(id);
        return;
      case 'settle':
        this.#settle();
        break;
      case 'quiet':
        this.#quietly(() => this.#settle());
        break;
      case 'propose':
        world.propose(id, words.slice(1));
        break;
      case 'reconfigure':
        world.reconfigure(id, words.slice(1).map(name));
        break;
      case 'read':
        world.read(id, ++this.#reads);
        break;
      case 'crash':
        world.crash(id);
        break;
      case 'restart':
        world.restart(id);
        break;
      case 'damage':
        world.damage(id, slotOf(Number(words[1])), words[2] !== 'nameless');
        return;
      case 'promised':
        world.node(id).disk.promised = { configId: 1, round: Number(words[1]), node: id };
        return;
      case 'compact':
        world.compact(id, slotOf(Number(words[1])));
        break;
      case 'install':
        world.install(id);
        break;
      case 'join':
        world.add(id, world.oracle.configuration);
        break;
      case 'cut':
        for (const link of words) {
          const [a, b] = link.split(/[>-]/).map(name);
          world.cut.add(`${a}>${b}`);
          if (link.includes('-')) world.cut.add(`${b}>${a}`);
        }
        return;
      case 'heal':
        world.cut.clear();
        break;
      case 'show':
        for (const node of world.nodes.values()) this.#trace.push(nodeText(world, node));
        return;
      case 'log':
        for (let slot = 1; slot <= world.oracle.chosenUpTo; slot++) {
          this.#trace.push(`${slot} ${entryText(world.oracle.chosenAt(slotOf(slot))!)}`);
        }
        return;
      default:
        throw new Error(`there is no command ${command}`);
    }
  }

  /** What is under way from one node to another; `*` is any. */
  #on(link: string) {
    const [from, to] = link.split('>').map((end) => (end === '*' ? null : name(end)));
    return this.#world.bag.filter(
      (envelope) => (from ?? envelope.from) === envelope.from && (to ?? envelope.to) === envelope.to,
    );
  }

  #settle(): void {
    const world = this.#world;
    for (let moves = 0; moves < 100_000; moves++) {
      for (const { id, pending } of world.up) while (pending.length > 0) world.sync(id);
      const envelope = world.bag[0];
      if (!envelope) return;
      world.deliver(envelope);
    }
    throw new Error('messages breed messages');
  }

  #quietly(happen: () => void): void {
    this.#look(false);
    happen();
    this.#look(true);
    for (const node of this.#world.nodes.values()) {
      const role = roleText(node);
      if (this.#roles.get(node) !== role) this.#trace.push(`${node.id} is ${role}`);
      this.#roles.set(node, role);
    }
  }

  #look(aloud: boolean): void {
    this.#world.look = (node, happening, effects) => {
      if (aloud) this.#trace.push(happeningText(node, happening), ...effectTexts(effects).map((line) => `    ${line}`));
      const role = roleText(node);
      if (aloud && this.#roles.get(node) !== role) this.#trace.push(`    ${node.id} is ${role}`);
      if (aloud) this.#roles.set(node, role);
    };
  }
}

/** `1` is n1, `(1)` is (n1). */
const name = (word: string) => word.replace(/\d+/, (digits) => `n${digits}`);

const roleText = ({ state }: WorldNode): string => {
  if (state === null) return 'down';
  const { role } = statusOf(state);
  if (state.role.type === 'leader')
    return `${state.role.serving ? 'serving' : 'leader'} ${ballotText(state.role.ballot)}`;
  return state.role.type === 'candidate' ? `candidate ${ballotText(state.role.ballot)}` : role;
};

function nodeText(world: World, node: WorldNode): string {
  const { state } = node;
  if (state === null) return `${node.id}: down`;
  const { leader, damaged, sealedAt, acceptedUpTo, chosenUpTo, configuration } = statusOf(state);
  const parts = [
    `${node.id}: ${roleText(node)}`,
    `configuration ${configuration.id}`,
    `promised ${ballotText(state.promised)}`,
    `leader ${leader ? ballotText(leader) : '-'}`,
    `chosen ${chosenUpTo} of ${acceptedUpTo}`,
  ];
  if (state.log.base > 0) parts.push(`snapshot ${state.log.base}`);
  if (damaged !== null) parts.push(`damaged ${damaged}`);
  if (sealedAt !== null) parts.push(`sealed ${sealedAt}`);
  if (holdsLease(state, world.localMs(node))) parts.push('holds the lease');
  return parts.join(', ');
}

function happeningText({ id }: WorldNode, happening: PaxosEvent): string {
  switch (happening.type) {
    case 'message':
      return `${id} from ${happening.from}: ${messageText(happening.message)}`;
    case 'propose':
      return `${id} is given ${happening.proposals.map(({ payload }) => String.fromCharCode(...payload)).join(' ')}`;
    case 'persisted':
      return `${id} has written #${happening.token.number}`;
    case 'link':
      return `${id} campaigns`;
    case 'compacted':
      return `${id} keeps a snapshot up to ${happening.base}`;
    case 'installed':
      return `${id} installs a snapshot up to ${happening.base}`;
    default:
      return `${id} ${happening.type}`;
  }
}

function effectTexts(effects: Effects): string[] {
  return [
    ...effects.persist.map(persistText),
    ...effects.sendNow.map(({ to, message }) => `to ${to}: ${messageText(message)}`),
    ...effects.sendAfter.map(({ to, token, message }) => `to ${to} after #${token}: ${messageText(message)}`),
    ...effects.apply.map(({ slot, entry }) => `applies ${slot} ${entryText(entry)}`),
    ...effects.declined.map(({ why }) => `declines: ${why}`),
    ...effects.changeDeclined.map(({ why }) => `declines the change: ${why}`),
    ...effects.reads.map(({ id, slot }) => (slot === null ? `cannot say for read ${id}` : `read ${id} at ${slot}`)),
    ...(effects.termWon ? [`wins the term; proposes again: [${effects.termWon.reproposed.join(' ')}]`] : []),
    ...(effects.snapshotNeeded ? [`needs the snapshot of ${effects.snapshotNeeded.from}`] : []),
  ];
}

function persistText({ token, promised, records, configuration, chosenUpTo }: Persist): string {
  const parts = [`writes #${token.number}:`];
  if (promised) parts.push(`promise ${ballotText(promised)}`);
  for (const { slot, ballot, entry, chosen } of records) {
    parts.push(`${slot}=${entryText(entry)} at ${ballotText(ballot)}${chosen ? ' chosen' : ''};`);
  }
  if (configuration) parts.push(`configuration ${configuration.id}`);
  parts.push(`(chosen ${chosenUpTo})`);
  return parts.join(' ');
}

/** Without its stamp. */
const entryText = (entry: AcceptedEntry['entry']): string => entryKey(entry).replace(/@.*/, '');
const acceptedText = ({ slot, ballot, entry }: AcceptedEntry) => `${slot}=${entryText(entry)} at ${ballotText(ballot)}`;
const unknownText = ({ slot, ballot }: UnknownSlot) => `${slot}=? ${ballot ? `at ${ballotText(ballot)}` : ''}`;

const standingText = ({ promised, following, leading, happy, chosenUpTo }: Standing) =>
  `${leading ? 'leads' : 'follows'} ${following ? ballotText(following) : '-'}, promised ${ballotText(promised)}, ` +
  `${happy ? 'content' : 'not content'}, chosen ${chosenUpTo}`;

function messageText(message: Message): string {
  switch (message.type) {
    case 'heartbeat':
      return `heartbeat ${message.round}: ${standingText(message.standing)}`;
    case 'heartbeat-reply':
      return `heard ${message.round}: ${standingText(message.standing)}${message.granted ? ', grants the lease' : ''}`;
    case 'prepare':
      return `prepare ${ballotText(message.ballot)} from ${message.from}`;
    case 'promise': {
      const held = [...message.accepted.map(acceptedText), ...message.unknown.map(unknownText)].join(', ');
      const more = message.more ? `, more from ${message.next}` : '';
      return `promise ${ballotText(message.ballot)} from ${message.from}: [${held}], chosen ${message.chosenUpTo}${more}`;
    }
    case 'refusal':
      return `refuses ${ballotText(message.ballot)}: promised ${ballotText(message.promised)}`;
    case 'accept': {
      const entries = message.entries.map(entryText).join(' ');
      return `accept ${ballotText(message.ballot)} from ${message.from}: [${entries}], chosen ${message.chosenUpTo}`;
    }
    case 'accepted':
      return `accepted ${ballotText(message.ballot)} up to ${message.upTo}`;
    case 'gap':
      return `gap ${ballotText(message.ballot)} after ${message.upTo}`;
    case 'chosen':
      return `chosen ${ballotText(message.ballot)} up to ${message.upTo}`;
    case 'learn':
      return `learn from ${message.from}`;
    case 'learned': {
      const entries = message.entries.map(({ entry }) => entryText(entry)).join(' ');
      return `learned from ${message.from}: [${entries}], chosen ${message.chosenUpTo}`;
    }
    case 'behind':
      return `behind: up to ${message.base} in a snapshot`;
    case 'read':
      return `read ${message.id}`;
    case 'read-reply':
      return `read ${message.id}: ${message.slot ?? 'cannot say'}`;
  }
}
