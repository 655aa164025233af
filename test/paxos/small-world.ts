/**
 * All that can happen in a very small world, tried out: three nodes, two campaigns, two slots, and a few faults.
 *
 * A search over the real core. From each state everything that may come next is tried: the next message of any link, or another one that
 * overtakes those before it, which come later or never (a message that is never delivered is lost); the same one twice; any write; a
 * crash that keeps any part of the writes under way. States that were met before are not gone into again. Time stands still: there are no
 * heartbeats and no patience, whoever is to campaign does. The oracle looks on.
 *
 * Two things keep the number of states down, and hide nothing. Once no crash is left a write is durable at once: that it is late can no
 * longer be told from its messages being late. And a message that can never again change its receiver is taken out of the bag.
 */
import type { NodeId } from '../../src/core/ids.js';
import { type Ballot, ballotText, compareBallots } from '../../src/paxos/ballot.js';
import type { Message } from '../../src/paxos/message.js';
import { entryKey } from './oracle.js';
import { configurationOf, type Envelope, TIMING, World, type WorldNode } from './world.js';

/** How often each of these may happen in one history. */
export interface Budget {
  readonly campaigns: number;
  readonly proposals: number;
  readonly doubles: number;
  /** A message is delivered before another that left earlier on its link. */
  readonly overtakes: number;
  readonly crashes: number;
}

/** What a search came to. */
export interface Found {
  readonly states: number;
  readonly steps: number;
  /** States in which nothing could happen any more. */
  readonly ends: number;
  /** Nothing was left out. */
  readonly complete: boolean;
  /** Highest slot that was applied in any state. */
  readonly applied: number;
}

interface Place {
  readonly world: World;
  readonly left: Budget;
}

const texts = new WeakMap<object, string>();

/** A thing's text, worked out once: what it is of must never change in place. */
function textOf<T extends object>(of: T, make: (of: T) => string): string {
  let text = texts.get(of);
  if (text === undefined) {
    text = make(of);
    texts.set(of, text);
  }
  return text;
}

const plain = (value: object): string =>
  JSON.stringify(value, (_, field) =>
    typeof field === 'bigint' ? String(field) : field instanceof Uint8Array ? String.fromCharCode(...field) : field,
  );

const ballot = (of: Ballot | null) => (of === null ? '' : textOf(of, ballotText));
const messageText = (message: Message) => textOf(message, plain);
const envelopeText = (envelope: Envelope) =>
  textOf(envelope, ({ from, to, message }) => `${from}>${to} ${messageText(message)}`);

/** All of a node that bears on what it does where there is no time. */
function nodeText({ disk, state, pending, waiting, durable, boots }: WorldNode, mayCrash: boolean): string {
  const s = state!;
  const { role } = s;
  const cell = (one: (typeof s.log.cells)[number]) =>
    one === undefined ? '' : one.kind === 'unknown' ? '?' : `${ballot(one.ballot)} ${entryKey(one.entry)}`;
  const roleText =
    role.type === 'candidate'
      ? [
          ballot(role.ballot),
          role.own,
          [...role.promises].map(([id, parts]) => [
            id,
            parts.next,
            parts.chosenUpTo,
            [...parts.answers].map(([slot, answer]) => [slot, plain(answer)]),
          ]),
        ]
      : role.type === 'leader'
        ? [
            ballot(role.ballot),
            role.next,
            role.begin,
            role.serving,
            role.ownMatched,
            [...role.progress.values()].map(({ matched, sent }) => [matched, sent]),
          ]
        : [];
  return JSON.stringify([
    boots,
    mayCrash && [
      ballot(disk.promised),
      disk.chosenUpTo,
      [...disk.records].map(([slot, one]) => [slot, ballot(one.ballot), entryKey(one.entry)]),
    ],
    ballot(s.promised),
    s.log.cells.map(cell),
    ballot(s.following),
    s.followingStart,
    s.matchedUpTo,
    s.chosenUpTo,
    s.learning?.from,
    s.learning?.peer,
    roleText,
    s.outstanding.map(({ token, campaign, matched }) => [ballot(token.ballot), campaign, matched]),
    pending.map(({ promised, records }) => [
      promised && ballot(promised),
      records.map(({ slot, entry, ballot: at }) => [slot, ballot(at), entryKey(entry)]),
    ]),
    waiting.map(({ to, token, message }) => [to, token - durable, messageText(message)]),
  ]);
}

const nodeTexts = new WeakMap<WorldNode, string>();

/** A node's text, worked out once for each fork of it. */
function textOfNode(node: WorldNode, mayCrash: boolean): string {
  if (mayCrash) return nodeText(node, true);
  let text = nodeTexts.get(node);
  if (text === undefined) {
    text = nodeText(node, false);
    nodeTexts.set(node, text);
  }
  return text;
}

/** 53 bits of a text (cyrb53 by bryc, public domain): two states of a million are one by mistake once in ten thousand searches. */
function hash(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const letter = text.charCodeAt(i);
    a = Math.imul(a ^ letter, 2654435761);
    b = Math.imul(b ^ letter, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

const keyOf = ({ world, left }: Place): number =>
  hash(
    [
      Object.values(left).join(),
      ...[...world.nodes.values()].map((node) => textOfNode(node, left.crashes > 0)),
      // Links in one order, the messages of each as they left.
      ...[...world.bag]
        .sort((a, b) => (a.to < b.to ? -1 : a.to > b.to ? 1 : a.from < b.from ? -1 : a.from > b.from ? 1 : a.id - b.id))
        .map(envelopeText),
      world.oracle.key(),
    ].join('\n'),
  );

/** Whatever comes, the message can change nothing at its receiver any more. */
function isSpent(world: World, { to, message }: Envelope): boolean {
  const { role, promised, chosenUpTo } = world.node(to).state!;
  switch (message.type) {
    case 'promise':
    case 'refusal':
      // A candidate's ballot is its promise: one that has promised more asks for this ballot no longer.
      return role.type === 'leader' || compareBallots(message.ballot, promised) < 0;
    case 'accepted':
    case 'gap':
      return compareBallots(message.ballot, promised) < 0;
    case 'chosen':
      return message.upTo <= chosenUpTo;
    default:
      return false;
  }
}

/** Everything that may come next. */
function* next({ world, left }: Place): Generator<Place> {
  const act = (id: NodeId, change: Partial<Budget>, happen: (world: World) => void): Place => {
    const place = { world: world.fork(id), left: { ...left, ...change } };
    happen(place.world);
    if (place.left.crashes === 0) {
      for (const { id: one } of place.world.nodes.values()) {
        if (place.world.node(one).pending.length > 0 && one !== id)
          place.world.nodes.set(one, place.world.fork(one).node(one));
        while (place.world.node(one).pending.length > 0) place.world.sync(one);
      }
    }
    place.world.bag = place.world.bag.filter((envelope) => !isSpent(place.world, envelope));
    return place;
  };
  const links = new Set<string>();
  for (const envelope of world.bag) {
    const link = `${envelope.from}>${envelope.to}`;
    const overtakes = left.overtakes - (links.has(link) ? 1 : 0);
    links.add(link);
    if (overtakes < 0) continue;
    yield act(envelope.to, { overtakes }, (one) => one.deliver(envelope));
    if (left.doubles > 0) {
      yield act(envelope.to, { overtakes, doubles: left.doubles - 1 }, (one) => one.deliver(envelope, true));
    }
  }
  for (const node of world.nodes.values()) {
    const { id, state, pending } = node;
    if (pending.length > 0) yield act(id, {}, (one) => one.sync(id));
    if (left.campaigns > 0 && state!.role.type !== 'leader') {
      yield act(id, { campaigns: left.campaigns - 1 }, (one) => one.campaign(id));
    }
    if (left.proposals > 0 && state!.role.type === 'leader' && state!.role.serving) {
      yield act(id, { proposals: left.proposals - 1 }, (one) => one.propose(id, [`c${left.proposals}`]));
    }
    for (let kept = 0; left.crashes > 0 && kept <= pending.length; kept++) {
      yield act(id, { crashes: left.crashes - 1 }, (one) => {
        one.crash(id, kept);
        one.restart(id);
      });
    }
  }
}

/** Searches all of it, or `statesMax` states. @throws Violation, InvariantError */
export function search(budget: Budget, statesMax: number): Found {
  const first: Place = {
    world: new World(configurationOf(['n1', 'n2', 'n3'], { ...TIMING, leaseMs: 0 })),
    left: budget,
  };
  const known = new Set([keyOf(first)]);
  const open = [first];
  let [steps, ends, applied] = [0, 0, 0];
  for (let place = open.pop(); place !== undefined && known.size < statesMax; place = open.pop()) {
    const before = steps;
    for (const one of next(place)) {
      steps++;
      const key = keyOf(one);
      if (known.has(key)) continue;
      known.add(key);
      open.push(one);
      applied = Math.max(applied, one.world.oracle.appliedUpTo);
    }
    if (steps === before) ends++;
  }
  return { states: known.size, steps, ends, complete: known.size < statesMax, applied };
}
