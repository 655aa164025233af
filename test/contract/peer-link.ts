/** What every PeerLink keeps. */
import type { Test } from 'tap';
import { type ErrorCode, TuttiError } from '../../src/core/errors.js';
import { type ClusterId, clusterId, type Incarnation, type NodeId, nodeId } from '../../src/core/ids.js';
import {
  CARD_BYTES_MAX,
  type Channel,
  KNOCK_BYTES_MAX,
  KNOCKS_MAX,
  type Knocker,
  MESSAGE_BYTES_MAX,
  type PeerLink,
  type PeerLinkHandlers,
} from '../../src/ports/peer-link.js';
import { codeOf, type Pass, rejectionOf, until } from './support.js';

/** Handlers of one that neither listens nor answers. */
export const QUIET_HANDLERS: PeerLinkHandlers = {
  message: () => {},
  up: () => {},
  down: () => {},
  refused: () => {},
  moved: () => {},
  knock: () => Promise.reject(new TuttiError('NOT_A_MEMBER')),
};

/** Who a link says that it is; what is left out is the same for all. */
export interface PeerLinkOptions {
  readonly cluster?: ClusterId;
  readonly incarnation?: Incarnation;
  readonly card?: () => Uint8Array;
  readonly key?: Uint8Array;
  /** At another address than the first link of this node. */
  readonly elsewhere?: boolean;
}

export interface PeerLinkSetup {
  readonly pass: Pass;
  /** A link of `node` that is not started yet, and the address ("host:port") at which peers find it. */
  make(node: NodeId, options?: PeerLinkOptions): Promise<{ readonly link: PeerLink; readonly address: string }>;
  /** A second link at the address of the first, which was started. */
  makeSame(node: NodeId): PeerLink;
  /** Breaks the connections between two nodes; they may be made anew. */
  breakConnections(a: NodeId, b: NodeId): void;
  readonly knocker: Knocker;
  /** The key of links that were made without one. */
  readonly key: Uint8Array;
  /** An address where nobody listens. */
  readonly deserted: string;
}

/** A node with what happened to it. */
interface Member {
  readonly id: NodeId;
  readonly link: PeerLink;
  readonly address: string;
  /** Such as `up a`, `a control 7` (the first byte), `down a`. */
  readonly events: string[];
  /** Such as `a not-a-member`, without repeats. */
  readonly refusals: string[];
  /** Such as `a 10.0.0.1:7420`. */
  readonly moves: string[];
  /** Of those who came up, such as `a 1111 card 7` (its first byte). */
  readonly hellos: string[];
  /** Answers knocks. */
  onKnock: PeerLinkHandlers['knock'];
}

const A = nodeId('a'.repeat(32));
const B = nodeId('b'.repeat(32));
const C = nodeId('c'.repeat(32));

const short = (id: NodeId): string => id.slice(0, 1);

export const runPeerLinkContract = (
  t: Test,
  name: string,
  setup: (t: Test) => PeerLinkSetup | Promise<PeerLinkSetup>,
): Promise<unknown> =>
  t.test(`${name} keeps the contract of PeerLink`, async (t) => {
    const member = async (made: PeerLinkSetup, id: NodeId, options?: PeerLinkOptions): Promise<Member> => ({
      ...(await made.make(id, options)),
      id,
      events: [],
      refusals: [],
      moves: [],
      hellos: [],
      onKnock: QUIET_HANDLERS.knock,
    });

    const start = (one: Member): Promise<void> =>
      one.link.start({
        message: (from, channel, bytes) => one.events.push(`${short(from)} ${channel} ${bytes[0]}`),
        up: (peer, { incarnation, card }) => {
          one.events.push(`up ${short(peer)}`);
          one.hellos.push(`${short(peer)} ${incarnation.slice(0, 4)} card ${card[0]}`);
        },
        down: (peer) => one.events.push(`down ${short(peer)}`),
        refused: (peer, reason, detail) => {
          const refusal = `${short(peer)} ${reason}`;
          if (one.refusals.at(-1) !== refusal) one.refusals.push(refusal);
          if (!/^[A-Z0-9].*\.$/.test(detail)) one.refusals.push(`no sentence: ${detail}`);
        },
        moved: (peer, address) => one.moves.push(`${short(peer)} ${address}`),
        knock: (request) => one.onKnock(request),
      });

    const setPeers = (one: Member, ...others: readonly Member[]) =>
      one.link.setPeers(new Map(others.map((other) => [other.id, other.address])));

    /** Two members that are up. */
    const pair = async (t: Test) => {
      const made = await setup(t);
      const [a, b] = [await member(made, A), await member(made, B)];
      setPeers(a, b);
      await start(a);
      await start(b);
      setPeers(b, a);
      t.teardown(async () => {
        await a.link.stop();
        await b.link.stop();
      });
      await until(() => a.events.length > 0 && b.events.length > 0, made.pass, 'both ends are up');
      t.same([a.events, b.events], [['up b'], ['up a']]);
      a.events.length = 0;
      b.events.length = 0;
      return { a, b, made, pass: made.pass };
    };

    const send = (from: Member, to: Member, channel: Channel, value: number, length = 1): boolean => {
      const bytes = new Uint8Array(length);
      bytes[0] = value;
      return from.link.send(to.id, channel, bytes);
    };

    await t.test('messages arrive once, in order within each channel, both ways', async (t) => {
      const { a, b, pass } = await pair(t);
      for (let value = 0; value < 50; value++) {
        t.ok(send(a, b, 'control', value));
        t.ok(send(a, b, 'bulk', value));
        t.ok(send(b, a, 'control', value));
      }
      await until(() => a.events.length >= 50 && b.events.length >= 100, pass, 'all arrive');
      const numbers = Array.from({ length: 50 }, (_, value) => value);
      t.same(
        a.events,
        numbers.map((value) => `b control ${value}`),
      );
      for (const channel of ['control', 'bulk']) {
        t.same(
          b.events.filter((event) => event.includes(channel)),
          numbers.map((value) => `a ${channel} ${value}`),
        );
      }
    });

    await t.test('the largest messages pass, larger ones are refused', async (t) => {
      const { a, b, pass } = await pair(t);
      for (const channel of ['control', 'bulk'] as const) {
        t.ok(send(a, b, channel, 1, MESSAGE_BYTES_MAX[channel]));
        t.equal(
          codeOf(() => send(a, b, channel, 2, MESSAGE_BYTES_MAX[channel] + 1)),
          'BAD_REQUEST',
        );
      }
      await until(() => b.events.length === 2, pass, 'both arrive');
      t.same(b.events.toSorted(), ['a bulk 1', 'a control 1']);
    });

    await t.test('who is not up is not sent to', async (t) => {
      const made = await setup(t);
      const [a, b] = [await member(made, A), await member(made, B)];
      t.notOk(send(a, b, 'control', 1), 'before start');
      await start(a);
      t.notOk(send(a, b, 'control', 1), 'before a peer is named');
      setPeers(a, b);
      t.notOk(send(a, b, 'control', 1), 'before the peer is there');
      await a.link.stop();
      t.notOk(send(a, b, 'control', 1), 'after stop');
      t.same(a.events, []);
    });

    await t.test('both ends must name one another', async (t) => {
      const made = await setup(t);
      const [a, b, c] = [await member(made, A), await member(made, B), await member(made, C)];
      for (const one of [a, b, c]) await start(one);
      t.teardown(async () => {
        for (const one of [a, b, c]) await one.link.stop();
      });
      setPeers(a, b, c);
      setPeers(b, a);
      setPeers(c, b);
      await until(() => b.events.length > 0, made.pass, 'a and b are up');
      for (let chance = 0; chance < 200; chance++) await made.pass();
      t.same(a.events, ['up b']);
      t.same(b.events, ['up a']);
      t.same(c.events, [], 'c named b, which did not name it, and was named by a, which it did not name');
      t.same([a.refusals, b.refusals, c.refusals], [['c not-a-member'], [], ['b not-a-member']]);
      setPeers(b, a, c);
      await until(() => b.events.length > 1 && c.events.length > 0, made.pass, 'b and c are up');
      t.same([b.events, c.events], [['up a', 'up c'], ['up b']]);
    });

    await t.test('a peer brings its incarnation and its card, as it is at the time', async (t) => {
      const made = await setup(t);
      let revision = 1;
      const a = await member(made, A, {
        incarnation: 'abcd'.repeat(8) as Incarnation,
        card: () => new Uint8Array(CARD_BYTES_MAX).fill(revision++),
      });
      const b = await member(made, B);
      for (const one of [a, b]) await start(one);
      t.teardown(() => Promise.all([a.link.stop(), b.link.stop()]));
      setPeers(a, b);
      setPeers(b, a);
      await until(() => a.hellos.length === 1 && b.hellos.length === 1, made.pass, 'both are up');
      t.match(a.hellos[0], /^b 1111 card undefined$/, 'a card may be empty');
      const first = /^a abcd card (\d+)$/.exec(b.hellos[0]!);
      t.ok(first, `a says ${b.hellos[0]}`);
      made.breakConnections(A, B);
      await until(() => b.hellos.length === 2, made.pass, 'it is up again');
      const second = /^a abcd card (\d+)$/.exec(b.hellos[1]!);
      t.ok(Number(second![1]) > Number(first![1]), `${second![1]} is later than ${first![1]}`);
    });

    await t.test('another key and another cluster are refused, and that is told', async (t) => {
      const made = await setup(t);
      const a = await member(made, A);
      const b = await member(made, B, { key: new Uint8Array(32).fill(0xee) });
      const c = await member(made, C, { cluster: clusterId('e'.repeat(32)) });
      for (const one of [a, b, c]) await start(one);
      t.teardown(() => Promise.all([a.link.stop(), b.link.stop(), c.link.stop()]));
      setPeers(a, b, c);
      setPeers(b, a);
      setPeers(c, a);
      const isDone = () => a.refusals.length >= 2 && b.refusals.length > 0 && c.refusals.length > 0;
      await until(isDone, made.pass, 'all are refused');
      t.same([...new Set(a.refusals)].toSorted(), ['b wrong-key', 'c other-cluster']);
      t.same([b.refusals, c.refusals], [['a wrong-key'], ['a other-cluster']]);
      t.same([a.events, b.events, c.events], [[], [], []]);
    });

    await t.test('a peer that comes back elsewhere is found there', async (t) => {
      const { a, b, made, pass } = await pair(t);
      await b.link.stop();
      await until(() => a.events.length === 1, pass, 'a notices');
      const second = await member(made, B, { elsewhere: true });
      t.teardown(() => second.link.stop());
      t.not(second.address, b.address);
      setPeers(second, a);
      await start(second);
      await until(() => a.events.length === 2 && second.events.length === 1, pass, 'they are up');
      t.same(a.events, ['down b', 'up b']);
      t.same(a.moves, [`b ${second.address}`]);
      t.same(b.moves, []);
      made.breakConnections(A, B);
      await until(() => a.events.length === 4, pass, 'they are up again');
      t.same(a.moves, [`b ${second.address}`], 'told once');
    });

    await t.test('a new address is tried at once, and one that stands is kept', async (t) => {
      const { a, b, made, pass } = await pair(t);
      a.link.setPeers(new Map([[B, made.deserted]]));
      for (let chance = 0; chance < 100; chance++) await pass();
      t.same(a.events, [], 'the connection that stands is kept');
      t.ok(send(a, b, 'control', 1));
      await until(() => b.events.length > 0, pass, 'a message passes');
    });

    await t.test('who holds the key may knock, and is answered', async (t) => {
      const { b, made, pass } = await pair(t);
      b.onKnock = async (request) => request.toReversed();
      const { knocker, key } = made;
      const knock = async (request: Uint8Array, options: { key?: Uint8Array; address?: string } = {}) => {
        let isDone = false;
        const answer = knocker.knock(options.address ?? b.address, request, { key: options.key ?? key });
        answer.then(
          () => {
            isDone = true;
          },
          () => {
            isDone = true;
          },
        );
        await until(() => isDone, pass, 'the knock ends');
        return answer;
      };
      t.same(await knock(Uint8Array.of(1, 2, 3)), Uint8Array.of(3, 2, 1));
      t.same(await knock(new Uint8Array(0)), new Uint8Array(0));
      t.equal((await knock(new Uint8Array(KNOCK_BYTES_MAX))).length, KNOCK_BYTES_MAX);
      t.equal(await rejectionOf(knock(new Uint8Array(KNOCK_BYTES_MAX + 1))), 'BAD_REQUEST');
      t.equal(await rejectionOf(knock(Uint8Array.of(1), { key: new Uint8Array(32).fill(0xee) })), 'KEY_REFUSED');
      t.equal(await rejectionOf(knock(Uint8Array.of(1), { address: made.deserted })), 'PEER_UNREACHABLE');
      b.onKnock = () => Promise.reject(new TuttiError('NODE_NOT_FOUND', 'There is no node "attic".'));
      await t.rejects(knock(Uint8Array.of(1)), { code: 'NODE_NOT_FOUND', detail: 'There is no node "attic".' });
      t.same(b.events, [], 'members do not notice');
    });

    await t.test('at most a few knock at once, and one that gives up is gone', async (t) => {
      const { b, made, pass } = await pair(t);
      const answers: (() => void)[] = [];
      b.onKnock = () => new Promise((resolve) => answers.push(() => resolve(Uint8Array.of(answers.length))));
      const { knocker, key } = made;
      const outcomes: (string | ErrorCode)[] = [];
      const knock = (signal?: AbortSignal) =>
        void rejectionOf(
          knocker.knock(b.address, Uint8Array.of(1), { key, ...(signal === undefined ? {} : { signal }) }),
        ).then((outcome) => outcomes.push(outcome));
      for (let number = 0; number < KNOCKS_MAX; number++) knock();
      await until(() => answers.length === KNOCKS_MAX, pass, 'all are heard');
      knock();
      await until(() => outcomes.length === 1, pass, 'one more is not');
      t.same(outcomes, ['BUSY']);
      for (const answer of answers) answer();
      await until(() => outcomes.length === KNOCKS_MAX + 1, pass, 'they are answered');
      t.equal(outcomes.filter((outcome) => outcome.startsWith('no error')).length, KNOCKS_MAX);
      const controller = new AbortController();
      knock(controller.signal);
      await until(() => answers.length === KNOCKS_MAX + 1, pass, 'there is room again');
      controller.abort(new TuttiError('OUTCOME_UNKNOWN'));
      await until(() => outcomes.length === KNOCKS_MAX + 2, pass, 'it gives up');
      t.equal(outcomes.at(-1), 'OUTCOME_UNKNOWN');
      answers.at(-1)!();
    });

    await t.test('a peer that is not named any more is cut off', async (t) => {
      const { a, b, pass } = await pair(t);
      setPeers(a);
      await until(() => a.events.length > 0 && b.events.length > 0, pass, 'both ends notice');
      t.same([a.events, b.events], [['down b'], ['down a']]);
      t.notOk(send(a, b, 'control', 1));
    });

    await t.test('a broken connection is told to both ends, and made anew', async (t) => {
      const { a, b, made, pass } = await pair(t);
      made.breakConnections(A, B);
      await until(() => a.events.length === 2 && b.events.length === 2, pass, 'they are up again');
      t.same(
        [a.events, b.events],
        [
          ['down b', 'up b'],
          ['down a', 'up a'],
        ],
      );
      t.ok(send(a, b, 'control', 9));
      await until(() => b.events.length === 3, pass, 'a message passes');
      t.equal(b.events[2], 'a control 9');
    });

    await t.test('a peer that stops goes down, and what is sent to it is lost', async (t) => {
      const { a, b, pass } = await pair(t);
      await b.link.stop();
      send(a, b, 'control', 1);
      await until(() => a.events.length > 0, pass, 'the other end notices');
      t.same(a.events, ['down b']);
      t.same(b.events, [], 'the one that stopped hears nothing');
      t.notOk(send(a, b, 'control', 2));
    });

    await t.test('a queue that is full refuses, and takes again when it has emptied', async (t) => {
      const { a, b, pass } = await pair(t);
      let taken = 0;
      t.equal(a.link.queuedBytes(B, 'control'), 0);
      while (send(a, b, 'control', taken, MESSAGE_BYTES_MAX.control)) taken++;
      t.ok(taken > 0 && taken < 256, `it took ${taken}, and not for ever`);
      t.ok(a.link.queuedBytes(B, 'control') > MESSAGE_BYTES_MAX.control, 'they wait');
      t.equal(a.link.queuedBytes(B, 'bulk'), 0, 'on their own channel');
      t.equal(a.link.queuedBytes(C, 'control'), 0, 'and for nobody else');
      await until(() => b.events.length === taken, pass, 'what it took arrives');
      await until(() => a.link.queuedBytes(B, 'control') === 0, pass, 'nothing waits any more');
      t.ok(send(a, b, 'control', 60));
      await until(() => b.events.length === taken + 1, pass, 'and the next one too');
    });

    await t.test('a taken address is refused', async (t) => {
      const { made } = await pair(t);
      const second = made.makeSame(A);
      t.equal(await rejectionOf(second.start(QUIET_HANDLERS)), 'PORT_IN_USE');
      await second.stop();
    });
  });
