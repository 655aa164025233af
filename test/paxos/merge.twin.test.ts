/**
 * A twin of the recovery rule, by brute force: every history of a single slot with up to four acceptors is played out, by the textbook's
 * Paxos and nothing of ours. In each, a new candidate has got the answers of some acceptors, of which some are damaged, and the others go
 * on accepting for the leaders before. What was chosen, in any history that gives the same answers, is what the rule has to respect.
 */
import t from 'tap';
import { type BootId, nodeId } from '../../src/core/ids.js';
import type { Ballot } from '../../src/paxos/ballot.js';
import type { Entry } from '../../src/paxos/entry.js';
import { decideSlot, type SlotAnswer } from '../../src/paxos/merge.js';

/** One acceptor: what it promised and accepted by now, all that it ever did, and whether it has answered the candidate. */
interface Acceptor {
  readonly promised: number;
  readonly accepted: number;
  /** Bit b: it has promised, or accepted, ballot b at some time. */
  readonly promises: number;
  readonly accepts: number;
  readonly answered: boolean;
}

/** One ballot: the highest that its promises spoke of, and its value once it proposes; 0 for none. */
interface Leader {
  readonly best: number;
  readonly value: number;
}

interface History {
  readonly acceptors: readonly Acceptor[];
  /** Of ballot b at b - 1. */
  readonly leaders: readonly Leader[];
}

const START: Acceptor = { promised: 0, accepted: 0, promises: 0, accepts: 0, answered: false };

const keyOf = ({ acceptors, leaders }: History) =>
  JSON.stringify([
    acceptors.map((one) => Object.values(one).join()).sort(),
    leaders.map(({ best, value }) => [best, value]),
  ]);

/** Everything that can come next. */
function* next(history: History, prepareQuorum: number): Generator<History> {
  const { acceptors, leaders } = history;
  const withAcceptor = (at: number, change: Partial<Acceptor>) =>
    acceptors.map((one, index) => (index === at ? { ...one, ...change } : one));
  const withLeader = (ballot: number, change: Partial<Leader>) =>
    leaders.map((one, index) => (index === ballot - 1 ? { ...one, ...change } : one));
  for (const [at, acceptor] of acceptors.entries()) {
    if (acceptor.answered) continue;
    yield { acceptors: withAcceptor(at, { answered: true }), leaders };
    for (const [index, leader] of leaders.entries()) {
      const ballot = index + 1;
      if (leader.value === 0 && acceptor.promised < ballot) {
        const change = { promised: ballot, promises: acceptor.promises | (1 << ballot) };
        const best = Math.max(leader.best, acceptor.accepted);
        yield { acceptors: withAcceptor(at, change), leaders: withLeader(ballot, { best }) };
      }
      if (leader.value !== 0 && acceptor.promised <= ballot && acceptor.accepted !== ballot) {
        const change = { promised: ballot, accepted: ballot, accepts: acceptor.accepts | (1 << ballot) };
        yield { acceptors: withAcceptor(at, change), leaders };
      }
    }
  }
  for (const [index, { best, value }] of leaders.entries()) {
    const ballot = index + 1;
    const promises = acceptors.filter((one) => (one.promises & (1 << ballot)) !== 0).length;
    if (value !== 0 || promises < prepareQuorum) continue;
    // Its own value where it is free, and that is named by its number.
    yield { acceptors, leaders: withLeader(ballot, { value: best === 0 ? ballot : leaders[best - 1]!.value }) };
  }
}

/** Every history that is possible, each once. */
function* histories(acceptors: number, ballots: number, prepareQuorum: number): Generator<History> {
  const first: History = {
    acceptors: Array(acceptors).fill(START),
    leaders: Array(ballots).fill({ best: 0, value: 0 }),
  };
  const known = new Set([keyOf(first)]);
  const open = [first];
  for (let history = open.pop(); history !== undefined; history = open.pop()) {
    yield history;
    for (const one of next(history, prepareQuorum)) {
      const key = keyOf(one);
      if (known.has(key)) continue;
      known.add(key);
      open.push(one);
    }
  }
}

/** How an answer reads: `-` empty, `b:v` accepted, `?b` unknown with an identifier, `?` unknown without. */
type Answer = string;

/** What the candidate may read from those that have answered, where up to `damagedMax` of them are damaged. */
function readings({ acceptors, leaders }: History, damagedMax: number): Answer[][] {
  let all: { answers: Answer[]; damaged: number }[] = [{ answers: [], damaged: 0 }];
  for (const { answered, accepted } of acceptors) {
    if (!answered) continue;
    const whole = accepted === 0 ? '-' : `${accepted}:${leaders[accepted - 1]!.value}`;
    const broken = accepted === 0 ? ['?'] : ['?', `?${accepted}`];
    all = all.flatMap(({ answers, damaged }) => [
      { answers: [...answers, whole], damaged },
      ...(damaged < damagedMax ? broken.map((one) => ({ answers: [...answers, one], damaged: damaged + 1 })) : []),
    ]);
  }
  return all.map(({ answers }) => answers.sort());
}

const ballotOf = (round: number): Ballot => ({ configId: 1, round, node: nodeId(`leader ${round}`) });
const entryOf = (value: number): Entry => ({
  type: 'command',
  session: { node: nodeId('n'), boot: 'b' as BootId, seq: value },
  stampNs: BigInt(value),
  leadNs: 0n,
  payload: Uint8Array.of(value),
});

const slotAnswer = (answer: Answer): SlotAnswer => {
  if (answer === '-') return { kind: 'empty' };
  const [ballot, value] = answer.replace('?', '').split(':').map(Number);
  if (answer.startsWith('?')) return { kind: 'unknown', ballot: ballot ? ballotOf(ballot) : null };
  return { kind: 'accepted', ballot: ballotOf(ballot!), entry: entryOf(value!) };
};

for (const { acceptors, ballots } of [
  { acceptors: 1, ballots: 3 },
  { acceptors: 2, ballots: 3 },
  { acceptors: 3, ballots: 3 },
  { acceptors: 4, ballots: 2 },
]) {
  t.test(`${acceptors} acceptors, ${ballots} ballots: what was chosen is kept, and nobody waits without need`, (t) => {
    const majority = Math.floor(acceptors / 2) + 1;
    const prepareQuorum = acceptors - majority + 1;
    /** For each set of answers, what was chosen in some history that gives them. */
    const chosenBy = new Map<string, Set<number>>();
    let count = 0;
    for (const history of histories(acceptors, ballots, prepareQuorum)) {
      count++;
      const chosen = history.leaders.flatMap(({ value }, index) => {
        const accepts = history.acceptors.filter((one) => (one.accepts & (1 << (index + 1))) !== 0).length;
        return accepts >= majority ? [value] : [];
      });
      for (const answers of readings(history, acceptors - majority)) {
        const key = answers.join(' ');
        const values = chosenBy.get(key) ?? new Set();
        chosenBy.set(key, values);
        for (const value of chosen) values.add(value);
      }
    }
    const decisions = { entry: 0, free: 0, wait: 0 };
    for (const [key, values] of chosenBy) {
      const answers = key === '' ? [] : key.split(' ');
      const decision = decideSlot(answers.map(slotAnswer), prepareQuorum);
      decisions[decision.kind]++;
      const taken = decision.kind === 'entry' ? Number((decision.entry as { stampNs: bigint }).stampNs) : 0;
      const wrong = [...values].filter((value) => value !== taken);
      if (decision.kind !== 'wait' && wrong.length > 0)
        t.fail(`${key}: ${decision.kind} ${taken}, but ${wrong} was chosen`);
      if (decision.kind !== 'wait') continue;
      // Above the highest ballot that the histories have there could be another: what rests on there being none is no need.
      if (answers.some((answer) => Number(answer.match(/\d+/)?.[0] ?? 0) >= ballots)) continue;
      const isSeen = (value: number) => answers.some((answer) => answer.endsWith(`:${value}`));
      const isNeedless = values.size === 0 || (values.size === 1 && isSeen([...values][0]!));
      if (isNeedless) t.fail(`[${key}]: waits, though only ${[...values].join() || 'nothing'} can have been chosen`);
    }
    t.comment(`${count} histories, ${chosenBy.size} sets of answers`, decisions);
    t.ok(decisions.entry > 0 && decisions.free > 0 && decisions.wait > 0, 'each decision was met');
    t.end();
  });
}
